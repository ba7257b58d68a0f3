"""Releasing a sheet: an allow-list, placeholders in the gaps, no solution left, the same bytes every time."""
from __future__ import annotations

import ast
import html
import io
import json
import re
import subprocess
import sys
import zipfile

import numpy as np
import pytest

from grading.leaks import Search, reference_solutions, search
from grading.release import build, collect, release, write_zip
from grading.sheet import ROOT, load_sheet, topics
from grading.trim import without_unused_imports
from grading.verify import NEVER, ReleaseError, filled
from tests.mutants import BANK
from tests.mutants.measure import names_the_cause, verdict_of
from tests.planting import SHEET

FILES = build(SHEET)
LOOKING = Search(SHEET, reference_solutions(SHEET, collect(SHEET)))
REFERENCE = reference_solutions(SHEET, collect(SHEET))


def in_function(solution: str) -> str:
    return "def planted(self, params, grad, model, loss_fn, lr, x):\n" + "\n".join(
        "    " + line for line in solution.split("\n")) + "\n"


def renamed(solution: str) -> str:
    for name, other in (("param", "theta"), ("module", "layer"), ("softmax", "q"), ("labels", "targets"),
                        ("input_cache", "remembered")):
        solution = re.sub(rf"\b{name}\b", other, solution)
    return re.sub(r"(?<![.\w])grad\b", "upstream_gradient", solution)


def with_a_name(solution: str) -> str:
    """Return a solution in which part of a line has a name of its own, given in the line before."""
    lines = []
    for line in solution.split("\n"):
        patterns = (r"\([^(),]+ (?:[<>]|-) [^(),]+\)", r"\w[\w.]*\.T @ \w+", r"np\.\w+\([^()]*\)")
        part = next((found for pattern in patterns for found in [re.search(pattern, line)] if found), None)
        if part:
            lines.append(line[:len(line) - len(line.lstrip())] + "part = " + part.group())
            line = line.replace(part.group(), "part", 1)
        lines.append(line)
    return "\n".join(lines)


DISGUISES = {
    "turned around": lambda s: ("lib/utilities.py", in_function(re.sub(r"\((\S+) > 0\)", r"(0 < \1)", s))),
    "a part with a name": lambda s: ("lib/utilities.py", in_function(with_a_name(s))),
    "HTML": lambda s: ("help.html", "<pre>" + html.escape(s).replace("\n", "<br>") + "</pre>"),
    "JSON with escapes": lambda s: ("x.json", json.dumps(s).replace(">", "\\u003e").replace("*", "\\u002a")),
    "signs of mathematics": lambda s: ("README.md", s.replace("*", "×").replace("- ", "− ")),
    "Markdown with escapes": lambda s: ("README.md", s.replace("*", "\\*").replace("_", "\\_")),
    "an example in a docstring": lambda s: ("lib/utilities.py", 'def f():\n    """\n' + "".join(
        f"    {'... ' if i else '>>> '}{line}\n" for i, line in enumerate(s.split("\n"))) + '    """\n'),
    "a patch": lambda s: ("notes.patch", "\n".join("+" + line for line in s.split("\n"))),
    "as it is": lambda s: ("lib/utilities.py", in_function(s)),
    "other names": lambda s: ("lib/utilities.py", in_function(renamed(s))),
    "a comment": lambda s: ("lib/utilities.py", "\n".join("# " + line for line in renamed(s).split("\n"))),
    "a docstring": lambda s: ("lib/validation.py", f'def f():\n    """Do this:\n\n    {s}\n    """\n'),
    "a string": lambda s: ("tests/run.py", f"HINT = {renamed(s)!r}\n"),
    "strings put together": lambda s: ("tests/run.py", "HINT = (" + "\n        ".join(
        repr(part) for part in re.split(r"(?<= )", s)) + ")\n"),
    "a text file": lambda s: ("README.md", f"Hint:\n\n    {s}\n"),
    "JSON": lambda s: ("exercises/backpropagation/sheet.json", json.dumps({"solution": s.split("\n")})),
    "compiled code": lambda s: ("lib/utilities.pyc", "\x00\x01" + s.replace("\n", "\x00") + "\x02"),
    "brackets and spaces": lambda s: ("lib/utilities.py", in_function(
        re.sub(r" ([-+*/@]) ", r"  \1  ", s).replace("return ", "return (").replace("\n", "\n") + (
            ")" if "return " in s else ""))),
    "numpy in full": lambda s: ("lib/utilities.py", in_function(s.replace("np.", "numpy."))),
    "a stored result": lambda s: ("lib/utilities.py", in_function(s.replace("return ", "result = "))),
}


def test_no_solution_is_left():
    assert search(FILES, SHEET, REFERENCE) == []


@pytest.mark.parametrize("disguise", sorted(DISGUISES))
def test_a_planted_solution_is_found(disguise):
    for task in SHEET.code_tasks:
        for solution in task.solutions:
            path, text = DISGUISES[disguise](solution)
            assert task.number in {leak.task for leak in LOOKING.look(path, text)}, (task.number, solution)


def test_compiled_code_is_not_released():
    files = {"lib/__pycache__/utilities.cpython-311.pyc": b"\x00", "lib/fast.so": b"\x00", "lib/utilities.py": b""}
    assert [leak.path for leak in search(files, SHEET, REFERENCE)] == sorted(files)[:2]


def test_what_is_given_is_not_a_leak():
    given = {entry["file"]: entry for entry in SHEET.get("given")}
    assert set(given) <= set(FILES) and all(entry["reason"] for entry in given.values())
    assert "np.zeros_like(parameter.data)" in FILES["lib/network_base.py"].decode()


def test_the_gaps_hold_the_placeholder_and_nothing_tells_the_derivative():
    for task in SHEET.code_tasks:
        text = FILES[task.gap.file].decode()
        assert "# START TODO ################\n" in text and "raise NotImplementedError\n" in text
    relu = FILES["lib/activations.py"].decode().split("class ReLU")[1].split("class ")[0]
    assert "dy/dx" not in relu and "y = max(0, x)" in relu
    assert "dL/dx" not in FILES["lib/network.py"].decode().split("class Sequential")[1].split('"""')[1]
    assert "x > 0" not in FILES["lib/gradient_checking/diagnose/causes.py"].decode()
    catalogue = FILES["lib/gradient_checking/diagnose/catalogue.py"].decode()
    assert '"Sigmoid": [' in catalogue and '"ReLU": [' not in catalogue and '"CrossEntropyLoss": [' not in catalogue


def test_the_readme_names_the_commands_and_what_needs_the_environment():
    text = build(SHEET)["README.md"].decode("utf-8")
    for command in ("python3 -m lib.gradient_utilities", "python3 -m tests.test_zero_grad", "sh runtests.sh",
                    "python3 run_xor_experiment.py", "python -m pytest", ". .venv/bin/activate", "Activate.ps1"):
        assert command in text, command
    assert text.index("activate") < text.index("python -m pytest") < text.index("pycodestyle")


def test_the_examples_in_docstrings_need_nothing_that_isnt_released():
    files = build(SHEET)  # runtests runs them with the sheet's tests as soon as every gap is right
    imported = {(path, module) for path, text in files.items() if path.endswith(".py")
                for module in re.findall(r"(?:>>>|\.\.\.) +(?:from|import) (lib[\w.]*)", text.decode("utf-8"))}
    assert [(path, module) for path, module in imported if module.replace(".", "/") + ".py" not in files] == []


def test_a_docstring_stays_whole_where_a_derivative_is_cut_from_it():
    text = build(SHEET)["lib/network.py"].decode("utf-8")
    assert "    y = m_k(...m_2(m_1(x))). Its modules are reached by" in re.sub(r"\s*\n\s+(?=Its)", " ", text)


def test_an_import_that_is_cut_keeps_to_the_lines_length():
    names = [f"a_long_name_{i:02}" for i in range(20)]
    text = without_unused_imports(f"from somewhere import ({', '.join(names)}, unused)\n\nprint({', '.join(names)})\n")
    head = text.split("\n\n")[0]
    assert "unused" not in head and max(map(len, head.split("\n"))) <= 120 and head.count("\n") >= 2
    assert [alias.name for alias in ast.parse(text).body[0].names] == names
    long = [path for topic in topics() for path, content in build(load_sheet(topic)).items() if path.endswith(".py")
            and max(map(len, content.decode("utf-8").split("\n"))) > 120]
    assert long == [], "a release is refused if its style isn't clean"


def test_what_must_not_be_there_is_not():
    assert not [path for path in FILES if path.startswith(NEVER)]
    sheet = json.loads(FILES["exercises/backpropagation/sheet.json"])
    assert not any(key in entry for entry in sheet["tasks"] for key in ("solutions", "probes"))
    tests = json.loads(FILES[".github/classroom/autograding.json"])["tests"]
    assert len(tests) == 8 and tests[0]["run"] == "python -m pytest tests/test_zero_grad.py"


def test_the_same_bytes_every_time(tmp_path):
    first, second = io.BytesIO(), io.BytesIO()
    write_zip(first, FILES)
    write_zip(second, dict(reversed(list(build(SHEET).items()))) and build(SHEET))
    assert first.getvalue() == second.getvalue()
    assert sorted(zipfile.ZipFile(first).namelist()) == sorted(FILES)
    release(SHEET, tmp_path / "out", check=False)
    assert {str(path.relative_to(tmp_path / "out")): path.read_bytes() for path in (tmp_path / "out").rglob("*")
            if path.is_file()} == FILES


def test_an_occupied_folder_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ReleaseError, match="empty folder"):
        release(SHEET, tmp_path)


def test_a_leak_is_refused(tmp_path, monkeypatch):
    bad = dict(FILES, **{"notes.md": b"Hint: return grad * (self.input_cache > 0)\n"})
    monkeypatch.setattr("grading.release.build", lambda sheet: bad)
    with pytest.raises(ReleaseError, match="task 3.2 in notes.md"):
        release(SHEET, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_release_verifies_and_its_refilled_files_are_right(tmp_path):
    from grading.grade import Options, grade
    done = subprocess.run([sys.executable, "-m", "grading", "release", "backpropagation", str(tmp_path / "out.zip")],
                          cwd=str(ROOT), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout.decode()
    untouched = grade(SHEET, tmp_path / "out.zip", Options())
    assert untouched["points"] == 0
    assert {entry["status"] for entry in untouched["tasks"]} == {"to do", "for the tutor"}
    for path, content in filled(SHEET, FILES, collect(SHEET)).items():
        (tmp_path / "filled" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "filled" / path).write_bytes(content)
    report = grade(SHEET, tmp_path / "filled", Options())
    assert sum(entry["points"] or 0 for entry in report["tasks"]) == 9
    assert report["bonus"][0]["status"] == "right" and report["bonus"][1]["status"] == "to do"
    assert [entry["what"] for entry in report["for_the_tutor"]] == ["report"]


def without_what_is_cut(monkeypatch):
    """Leave the checker with what the release has: no rows for the classes with gaps, and no graph."""
    from lib.gradient_checking.diagnose import catalogue, diagnosis
    for table in (catalogue.SLOPES, catalogue.GRADIENTS):
        for name in [task.gap.owner for task in SHEET.code_tasks]:
            monkeypatch.delitem(table, name, raising=False)
    monkeypatch.setattr(diagnosis, "slips_of", lambda trials, name: [])


@pytest.mark.parametrize("name", ["CEForgetsLabels", "CEByProbabilities", "CESoftmaxTwice", "CEFirstExample",
                                  "ReLUMasksGradient", "ReLUWithoutMask"])
def test_causes_are_known_without_what_is_cut(monkeypatch, name):
    without_what_is_cut(monkeypatch)
    mutant = next(mutant for mutant in BANK if mutant.name == name)
    verdict = verdict_of(*mutant.situation(np.random.default_rng(0)))
    assert verdict.caught and names_the_cause(mutant, verdict.cause), verdict.cause


@pytest.mark.slow
def test_nearly_all_causes_are_known_without_what_is_cut(monkeypatch):
    without_what_is_cut(monkeypatch)
    mutants = [mutant for mutant in BANK if mutant.module in ("ReLU", "Linear", "CrossEntropyLoss", "Sequential")]
    verdicts = [(mutant, verdict_of(*mutant.situation(np.random.default_rng(0)))) for mutant in mutants]
    assert all(verdict.caught for _, verdict in verdicts)
    unknown = [(mutant.name, verdict.cause) for mutant, verdict in verdicts
               if not names_the_cause(mutant, verdict.cause)]
    assert len(unknown) <= 0.05 * len(mutants), unknown


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
