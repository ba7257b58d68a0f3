"""What learning platforms get: each written and read back against its schema, with half points and hostile text."""
from __future__ import annotations

import base64
import csv
import io
import json
import re
import shlex
import zipfile
from xml.etree import ElementTree

import pytest

from grading import gradescope, platforms, tables
from grading.__main__ import parser_of_commands
from grading.batch import unreadable
from grading.grade import GradingError, with_marks
from grading.outputs import export
from grading.release import autograding
from grading.sheet import ROOT, topics
from grading.tables import Student
from tests import grading_schemas as schemas
from tests.planting import SHEET

HOSTILE = "=HYPERLINK(\"http://x\") <script>alert(1)</script> \x00\x1b[31m | `rm` \u202e"


def report(name="group-1", **points):
    """Return a report with half points, a tutor's tasks and foreign text."""
    made = unreadable(SHEET, name, "x")
    for entry in made["tasks"] + made["bonus"]:
        if entry["points"] is not None:
            entry.update(points=entry["max_points"], status="right", cause="", feedback="")
    half = made["tasks"][5]
    half.update(points=1.5, status="partly", cause="zeros", feedback=HOSTILE)
    return with_marks(made, points)


def test_the_report_has_its_schema():
    schemas.check(report(), schemas.REPORT)
    assert report()["points"] == 10.5
    marked = report(**{"2.1": 1.5, "4.1": 0.5})
    assert marked["points"] == 12.5
    assert [entry["status"] for entry in marked["tasks"][:2]] == ["partly", "for the tutor"]


def test_gradescope():
    result = json.loads(json.dumps(platforms.gradescope(report(), SHEET, {"previous_submissions": [{}] * 3})))
    schemas.check(result, schemas.GRADESCOPE)
    assert result["score"] == 10.5 == sum(test["score"] for test in result["tests"])
    assert "Attempt 4" in result["output"] and "allows 3" in result["output"]
    assert result["extra_data"]["attempts"] == 4 and "\\<script" in next(
        test for test in result["tests"] if test["score"] == 1.5)["output"]


def test_gradescopes_zip(tmp_path):
    gradescope.write_autograder(SHEET, tmp_path / "autograder.zip")
    with zipfile.ZipFile(tmp_path / "autograder.zip") as archive:
        names = archive.namelist()
        assert {"setup.sh", "run_autograder", "grading/__main__.py", "lib/network.py",
                "exercises/backpropagation/sheet.json", "requirements.txt"} <= set(names)
        run = archive.getinfo("run_autograder")
        assert run.external_attr >> 16 & 0o111 and archive.read("run_autograder").startswith(b"#!/usr/bin/env bash\n")


def test_github():
    result = json.loads(base64.b64decode(platforms.github(report(), SHEET)))
    schemas.check(result, schemas.GITHUB)
    assert sum(test["score"] for test in result["tests"]) == 10.5 and result["max_score"] == 11
    assert [test["status"] for test in result["tests"]].count("fail") == 1 and result["status"] == "fail"
    schemas.check(json.loads(json.dumps(autograding(SHEET))), schemas.AUTOGRADING)


def test_classroom50():
    where = {"classroom": "c", "assignment": "a", "owner": "o", "assignment_type": "group", "submission": "submit/1",
             "commit": "https://x/1", "release": "https://x/2", "review": "https://x/3",
             "datetime": "2026-01-02T03:04:05Z"}
    result = json.loads(json.dumps(platforms.classroom50(report(), SHEET, where)))
    schemas.check(result, schemas.CLASSROOM50)
    assert result["score"] == 21 and result["max-score"] == 22 and sum(t["score"] for t in result["tests"]) == 21
    assert "every point counts 2" in platforms.release_body(report())


def test_prairielearn():
    result = json.loads(json.dumps(platforms.prairielearn(report(), SHEET)))
    schemas.check(result, schemas.PRAIRIELEARN)
    assert result["score"] == 1.0 and sum(test["points"] for test in result["tests"]) == 10.5


def test_codegrade():
    lines = [json.loads(line) for line in platforms.codegrade(report(), SHEET).splitlines()]
    schemas.check(lines[0], schemas.CODEGRADE_TESTS)
    schemas.check(lines[1], schemas.CODEGRADE_POINTS)
    assert lines[1]["points"] == "21/22"


STUDENTS = [Student("group-1", "Ada Lovelace", "1", "ada@x.org"), Student("group-1", "=cmd()", "2", "b@x.org"),
            Student("", "Nobody Home", "3", "c@x.org")]


@pytest.mark.parametrize("table, first", [
    (tables.points_table, "name"), (tables.canvas, "Student"), (tables.moodle, "Email address"),
    (tables.nbgrader, "assignment")])
def test_tables(table, first):
    rows = list(csv.reader(io.StringIO(table(SHEET, [report(), report("late")], STUDENTS))))
    assert rows[0][0] == first and len({len(row) for row in rows}) == 1
    cells = [cell for row in rows for cell in row]
    assert not [cell for cell in cells if cell[:1] in ("=", "@", "+")] and "'=cmd()" in " ".join(cells)
    assert sum("10.5" in row for row in rows) == 3  # two members of a group, and a submission that nobody has


def test_canvas_has_the_points_possible_in_its_second_row():
    rows = list(csv.reader(io.StringIO(tables.canvas(SHEET, [report()], STUDENTS, "1234"))))
    assert rows[0] == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Backpropagation (1234)"]
    assert rows[1][0].strip() == "Points Possible" and rows[1][-1] == "16" and rows[4][-1] == "0"


def test_nbgraders_columns():
    rows = list(csv.DictReader(io.StringIO(tables.nbgrader(SHEET, [report()], STUDENTS))))
    assert list(rows[0]) == ["assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email",
                             "raw_score", "late_submission_penalty", "score", "max_score"]
    assert rows[0]["last_name"] == "Lovelace" and rows[0]["score"] == "10.5"


def test_junit():
    root = ElementTree.fromstring(tables.junit([report(HOSTILE)]))
    suite = root[0]
    assert root.tag == "testsuites" and suite.get("tests") == "9" and suite.get("failures") == "1"
    assert sum(float(p.get("value")) for p in suite.iter("property") if p.get("name") == "points") == 10.5


def test_students_csv(tmp_path):
    path = tmp_path / "students.csv"
    path.write_text("submission,name,id,email\ng,A,1,a@x\ng,B,2,b@x\n,C,3,c@x\n")
    assert tables.read_students(path)[2] == Student("", "C", "3", "c@x")
    path.write_text("submission,name,id,email\n" + "g,A,1,a@x\n" * 4)
    with pytest.raises(GradingError, match="4 students share"):
        tables.read_students(path)
    path.write_text("group,name\ng,A\n")
    with pytest.raises(GradingError, match="expected the columns submission"):
        tables.read_students(path)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_list_may_come_from_a_spreadsheet_of_any_country(tmp_path, separator):
    """A German one writes semicolons, and was told that every column is missing."""
    path = tmp_path / "students.csv"
    path.write_text(separator.join(["Submission", "Name ", "ID", "Email"]) + "\n" + separator.join(
        ['"a"', '"M, N; O"', "1", "a@x"]) + "\n", encoding="utf-8-sig")
    assert tables.read_students(path) == [Student("a", "M, N; O", "1", "a@x")]


def test_export_of_what_is_not_there_is_a_sentence(tmp_path):
    with pytest.raises(GradingError, match="There is no report at .*nothing: grade-all writes"):
        export("github", SHEET, tmp_path / "nothing", tmp_path / "files", {})


def test_export_writes_files(tmp_path):
    (tmp_path / "report.json").write_text(json.dumps(report()))
    for name, file in (("gradescope", "results.json"), ("github", "result.txt"), ("prairielearn", "results.json"),
                       ("codegrade", "points.jsonl")):
        assert export(name, SHEET, tmp_path / "report.json", tmp_path / name, {}) == 1
        assert (tmp_path / name / file).is_file()
    with pytest.raises(GradingError, match="classroom=..."):
        export("classroom50", SHEET, tmp_path / "report.json", tmp_path / "c", {})
    export("classroom50", SHEET, tmp_path / "report.json", tmp_path / "c",
           {"classroom": "c", "assignment": "a", "owner": "o"})
    schemas.check(json.loads((tmp_path / "c" / "result.json").read_text()), schemas.CLASSROOM50)


def test_export_of_a_class(tmp_path):
    (tmp_path / "results.json").write_text(json.dumps([report("a"), report("b")]))
    for name in ("gradescope", "prairielearn"):  # whose files have the same name
        assert export(name, SHEET, tmp_path, tmp_path / "files", {}) == 2
        assert export(name, SHEET, tmp_path / "results.json", tmp_path / "files", {}) == 2
    for name, schema in (("gradescope", schemas.GRADESCOPE), ("prairielearn", schemas.PRAIRIELEARN)):
        for folder in ("a", "b"):
            schemas.check(json.loads((tmp_path / "files" / name / folder / "results.json").read_text()), schema)
    for content in ("{}", "[1]", "no JSON", "[[]]"):
        (tmp_path / "other.json").write_text(content)
        with pytest.raises(GradingError, match="isn't a report"):
            export("github", SHEET, tmp_path / "other.json", tmp_path / "x", {})


def test_the_readmes_commands_are_commands():
    lines = []
    for path in ("grading/README.md", "exercises/README.md", "README.md"):
        text = (ROOT / path).read_text(encoding="utf-8")
        lines += re.findall(r"python3? -m grading ([a-z][^`\n]*?)(?: +#.*)?(?:`|\n|$)", text)
    assert len(lines) >= 8
    for line in lines:
        try:
            parsed = parser_of_commands().parse_args(shlex.split(line))
        except SystemExit as end:  # of --list
            assert end.code == 0, line
        else:
            assert getattr(parsed, "sheet", "SHEET") in topics() + ["SHEET"], line


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
