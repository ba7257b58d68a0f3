"""Grading a class: resumed after an interruption, the same bytes however it is run, each failure its own."""
from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from grading import batch
from grading.batch import Job, file_name, grade_all, is_done, read_results, result_path, stale, submissions
from grading.class_report import class_page, mistakes
from grading.gaps import fill
from grading.grade import GradingError, Options
from grading.outputs import write_outputs
from grading.release import build, collect
from grading.sheet import ROOT, Sheet
from grading.similarity import same_wrong_answers
from grading.tables import Student, read_marks, read_students
from grading.verify import filled
from tests.planting import SHEET, on_posix

pytestmark = on_posix

OPTIONS = Options(key=b"a key of the tests")
WRONG = "softmax, labels = self.input_cache\nreturn softmax - labels"


def write(folder: Path, changes=None, untouched=False) -> None:
    """Write a submission: the release refilled, with other text in some gaps."""
    files = build(SHEET) if untouched else filled(SHEET, build(SHEET), collect(SHEET))
    for number, content in (changes or {}).items():
        gap = SHEET.task(number).gap
        files[gap.file] = fill(files[gap.file].decode(), gap.name, content).encode()
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)


def contents(out: Path):
    return {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}


def test_a_small_class(tmp_path):
    write(tmp_path / "class" / "to do", untouched=True)
    (tmp_path / "class" / "broken.zip").write_bytes(b"not a zip")
    (tmp_path / "class" / "empty").mkdir()
    out = tmp_path / "out"
    assert grade_all("backpropagation", tmp_path / "class", out, OPTIONS) == (3, 3)
    assert grade_all("backpropagation", tmp_path / "class", out, OPTIONS) == (0, 3), "nothing is graded twice"
    reports = {report["submission"]: report for report in read_results(out)}
    assert {name: report["points"] for name, report in reports.items()} == {"to do": 0, "broken": 0, "empty": 0}
    assert "isn't a zip" in reports["broken"]["tasks"][3]["feedback"]
    assert "Missing: lib/gradient_utilities.py" in reports["empty"]["for_the_tutor"][0]["text"]
    (tmp_path / "class" / "to do" / "feedback.md").write_text("# Helpful?\n\nyes, very\n")
    assert grade_all("backpropagation", tmp_path / "class", out, OPTIONS) == (1, 3), "a changed one is graded again"
    students = [Student("to do", "Ada", "1", "a@x"), Student("", "Bob", "2", "b@x")]
    write_outputs(SHEET, out, {"to do": {"2.1": 1.5}}, students)
    assert {"class.html", "points.csv", "canvas.csv", "moodle.csv", "nbgrader.csv", "junit.xml", "results.json",
            f"reports/{file_name('to do')}.html"} <= set(contents(out))
    assert json.loads((out / "results.json").read_text())[2]["points"] == 2.5
    page = (out / "class.html").read_text()
    assert "Nothing handed in" in page and "Bob" in page
    with pytest.raises(GradingError, match="isn't among"):
        write_outputs(SHEET, out, {"nobody": {"2.1": 1}}, students)


@pytest.mark.slow
def test_a_changed_sheet_says_what_is_stale(tmp_path):
    write(tmp_path / "class" / "one", untouched=True)
    grade_all("backpropagation", tmp_path / "class", tmp_path / "out", OPTIONS)
    assert stale(SHEET, tmp_path / "out") == {} and is_done(SHEET, tmp_path / "class" / "one", tmp_path / "out")
    raw = json.loads(json.dumps(SHEET.raw))
    raw["tasks"][5]["points"] = 3
    changed = Sheet(raw, SHEET.folder)
    assert stale(changed, tmp_path / "out") == {"one": ["3.3"]}
    assert not is_done(changed, tmp_path / "class" / "one", tmp_path / "out")


def test_names_of_results():
    assert file_name("group-1") == "group-1"
    names = ["a b", "a_b", "../x", "é", ".hidden", "x" * 300, "line\nbreak", "<b>", "quote'"]
    made = [file_name(name) for name in names]
    assert len(set(made)) == len(names)
    assert all(len(name) < 100 and "/" not in name and not name.startswith(".") for name in made)
    assert result_path(Path("out"), "a b").parent == Path("out/results")


def test_a_folder_that_isnt_one_gets_a_sentence(tmp_path):
    with pytest.raises(GradingError, match="no folder"):
        submissions(tmp_path / "nothing")
    with pytest.raises(GradingError, match="holds no submission"):
        submissions(tmp_path)
    (tmp_path / "g").mkdir()
    (tmp_path / "g.zip").touch()
    with pytest.raises(GradingError, match="twice"):
        submissions(tmp_path)


def test_marks(tmp_path):
    (tmp_path / "marks.csv").write_text("submission,task,points\ng,2.1,\"1,5\"\ng,4.1,0.5\nh,2.1,2\n")
    assert read_marks(tmp_path / "marks.csv", SHEET) == {"g": {"2.1": 1.5, "4.1": 0.5}, "h": {"2.1": 2.0}}
    for line, words in (("g,2.1,many", "line 2"), ("g,9.9,1", "no task '9.9'"), ("g,2.1,3", "3 points for task 2.1"),
                        ("g,2.1,-1", "-1 points"), ("g,2.1,nan", "nan points"),
                        ("g,2.1,1\ng,2.1,2", "1 points already")):
        (tmp_path / "marks.csv").write_text(f"submission,task,points\n{line}\n")
        with pytest.raises(GradingError, match=words):
            read_marks(tmp_path / "marks.csv", SHEET)


def test_a_table_that_isnt_utf_8_gets_a_sentence(tmp_path):
    path = tmp_path / "from_a_spreadsheet.csv"
    path.write_bytes("submission,name,id,email,task,points\ng,Müller,1,a@x,2.1,1\n".encode("latin-1"))
    for read in (read_students, lambda path: read_marks(path, SHEET)):
        with pytest.raises(GradingError, match="from_a_spreadsheet.csv isn't UTF-8.*CSV UTF-8"):
            read(path)


def fake(name, cause, answer="x"):
    from tests.test_grading_platforms import report
    made = report(name)
    made["tasks"][6].update(points=1, status="partly", cause=cause, feedback="Not right yet: values.")
    made["answers"] = {"3.4": answer}
    return made


def test_the_class_page_counts_mistakes_by_cause():
    reports = [fake("a", "missing 1/N"), fake("b", "missing 1/N"), fake("<c>", "wrong sign", "y")]
    rows = mistakes(SHEET, reports)
    assert rows[1][1] == "missing 1/N" and rows[1][3] == ["a", "b"] and "mean" in rows[1][2]
    assert same_wrong_answers(reports) == [("3.4", ["a", "b"])]
    page = class_page(SHEET, reports)
    assert "The same wrong answer to task 3.4: a, b" in page and "&lt;c&gt;" in page and "<c>" not in page


def command(folder: Path, out: Path, *more: str):
    return [sys.executable, "-m", "grading", "grade-all", "backpropagation", str(folder), str(out)] + list(more)


def mixed_class(folder: Path) -> None:
    for i, changes in enumerate([{}, {"3.4": WRONG}, {"3.2": "return grad"}, {"3.4": WRONG, "3.2": "return grad"}]):
        write(folder / f"group-{i}", changes)
    write(folder / "untouched", untouched=True)
    write(folder / "hostile", {"3.2": "import os\nos._exit(0)"})


@pytest.mark.slow
def test_an_interrupted_run_gives_the_same_bytes(tmp_path):
    mixed_class(tmp_path / "class")
    environment = dict(os.environ, GRADING_KEY="of the tests")
    subprocess.run(command(tmp_path / "class", tmp_path / "whole"), cwd=str(ROOT), env=environment, check=True)
    for _ in range(3):
        running = subprocess.Popen(command(tmp_path / "class", tmp_path / "parts", "--jobs", "2"), cwd=str(ROOT),
                                   env=environment, start_new_session=True)
        deadline = time.monotonic() + 60
        before = len(list((tmp_path / "parts" / "results").glob("*.json")))
        while len(list((tmp_path / "parts" / "results").glob("*.json"))) == before and time.monotonic() < deadline \
                and running.poll() is None:
            time.sleep(0.05)
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()
    subprocess.run(command(tmp_path / "class", tmp_path / "parts"), cwd=str(ROOT), env=environment, check=True)
    assert contents(tmp_path / "parts") == contents(tmp_path / "whole")
    points = {report["submission"]: report["points"] for report in read_results(tmp_path / "whole")}
    assert points == {"group-0": 10, "group-1": 9, "group-2": 9, "group-3": 8, "untouched": 0, "hostile": 9}


def test_threads_of_a_worker_grade_one_at_a_time(tmp_path, monkeypatch):
    """Each would end the other's boxes: a right submission had 4 of its 10 points."""
    inside, most = [], []

    def noted(sheet, submission, options):
        inside.append(submission.name)
        most.append(len(inside))
        time.sleep(0.05)
        inside.remove(submission.name)
        return {}

    monkeypatch.setattr(batch, "grade_submission", noted)
    for name in "abcd":
        write(tmp_path / name, untouched=True)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(batch.grade_one, [Job(SHEET.topic, str(tmp_path / name), OPTIONS) for name in "abcd"]))
    assert most == [1] * 4


@pytest.mark.slow
def test_a_cluster_gives_the_same_bytes_though_a_worker_is_killed(tmp_path):
    distributed = pytest.importorskip("distributed", reason="a cluster needs dask[distributed]")
    mixed_class(tmp_path / "class")
    environment = dict(os.environ, GRADING_KEY="of the tests")
    subprocess.run(command(tmp_path / "class", tmp_path / "whole"), cwd=str(ROOT), env=environment, check=True)
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        running = subprocess.Popen(command(tmp_path / "class", tmp_path / "cluster", "--scheduler",
                                           cluster.scheduler_address), cwd=str(ROOT), env=environment)
        deadline = time.monotonic() + 90
        while not list((tmp_path / "cluster" / "results").glob("*.json")) and time.monotonic() < deadline:
            time.sleep(0.05)
        next(iter(cluster.workers.values())).process.process.kill()
        assert running.wait(timeout=240) == 0
    assert contents(tmp_path / "cluster") == contents(tmp_path / "whole")


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
