"""A class's points as tables: CSV for people, Canvas, Moodle and nbgrader; JUnit for build servers."""
from __future__ import annotations

import csv
import io
import math
import re
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Union
from xml.etree import ElementTree

from grading.grade import GradingError
from grading.report import number
from grading.sheet import Sheet

FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # in XML 1.0
MOST_IN_A_GROUP = 3


class Student(NamedTuple):
    """A student of the class, and the submission of their group; "" if nothing was handed in."""

    submission: str
    name: str
    id: str
    email: str


def read_rows(path: Union[str, Path]) -> List[Dict[str, Any]]:
    """Return the rows of a CSV that an instructor has made, by the names in its first line, in small letters.

    Between the cells stands a comma, a semicolon (as a German spreadsheet saves them) or a tab, as in the first line.
    """
    try:
        with open(str(path), encoding="utf-8-sig", newline="") as file:
            first = file.readline()
            file.seek(0)
            rows = csv.DictReader(file, delimiter=max(",;\t", key=first.count))
            rows.fieldnames = [name.strip().lower() for name in rows.fieldnames or ()]
            return list(rows)
    except UnicodeDecodeError as error:
        raise GradingError(f"{path} isn't UTF-8, so the names in it can't be told: save it as CSV UTF-8.") from error


def read_students(path: Union[str, Path]) -> List[Student]:
    """Read a class's list: a CSV with the columns submission, name, id and email.

    Raises:
        GradingError: it isn't UTF-8, a column is missing, or a group has more than three members.
    """
    rows = read_rows(path)
    missing = [name for name in Student._fields if rows and name not in rows[0]]
    if missing or not rows:
        raise GradingError(f"{path}: expected the columns {', '.join(Student._fields)}, one student a line; "
                           f"{', '.join(missing) or 'every line'} is missing.")
    students = [Student(*((row[name] or "").strip() for name in Student._fields)) for row in rows]
    for name in {student.submission for student in students if student.submission}:
        size = sum(student.submission == name for student in students)
        if size > MOST_IN_A_GROUP:
            raise GradingError(f"{path}: {size} students share the submission {name!r}; up to {MOST_IN_A_GROUP} may.")
    return students


def read_marks(path: Union[str, Path], sheet: Sheet) -> Dict[str, Dict[str, float]]:
    """Read a tutor's points: a CSV with the columns submission, task, points.

    Returns:
        Points by the submission's name and the task's number.

    Raises:
        GradingError: it isn't UTF-8, a column is missing, points aren't a number from 0 to the task's, or the sheet
            has no such task.
    """
    most = {task.number: task.points for task in sheet.tasks + sheet.bonus}
    rows = read_rows(path)
    found: Dict[str, Dict[str, float]] = {}
    for line, row in enumerate(rows, start=2):
        try:
            points = float(row["points"].replace(",", "."))
            name, task = row["submission"].strip(), row["task"].strip()
        except (KeyError, AttributeError, ValueError) as error:
            raise GradingError(f"{path}, line {line}: expected the columns submission, task and points, such as "
                               f"group-07, 2.1, 1.5, but got {dict(row)}.") from error
        if task not in most:
            raise GradingError(f"{path}, line {line}: sheet {sheet.topic} has no task {task!r}; it has "
                               f"{', '.join(most)}.")
        limit = most[task]
        if not 0 <= points <= (math.inf if limit is None else limit) or math.isinf(points):
            raise GradingError(f"{path}, line {line}: {points:g} points for task {task}, which has "
                               f"{'no points of its own' if limit is None else format(limit, 'g')}.")
        if found.setdefault(name, {}).setdefault(task, points) != points:
            raise GradingError(f"{path}, line {line}: task {task} of {name} has {found[name][task]:g} points "
                               "already.")
    return found


def safe(value: Any) -> str:
    """Return a cell's text so that no spreadsheet takes it for a formula."""
    text = " ".join("".join(c if c.isprintable() else " " for c in str(value)).split())
    return "'" + text if text[:1] in ("=", "+", "-", "@", "|", "%") and not re.match(r"^-?\d+(\.\d+)?$", text) and \
        text != "-" else text


def as_csv(rows: Sequence[Sequence[Any]]) -> str:
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows([[safe(cell) for cell in row] for row in rows])
    return file.getvalue()


def _by_name(reports: Sequence[Dict[str, Any]]) -> Dict[str, Dict[str, Any]]:
    return {report["submission"]: report for report in reports}


def everyone(reports: Sequence[Dict[str, Any]], students: Sequence[Student]) -> List[Student]:
    """Return the students, with one of its own for each submission that nobody in the list has."""
    known = {student.submission for student in students}
    return list(students) + [Student(report["submission"], report["submission"], "", "") for report in reports
                             if report["submission"] not in known]


def points_table(sheet: Sheet, reports: Sequence[Dict[str, Any]], students: Sequence[Student] = ()) -> str:
    """Return the class's points: a line a student, a column a task."""
    tasks = sheet.tasks + sheet.bonus
    rows: List[List[Any]] = [["name", "id", "email", "submission"] + [task.number for task in tasks] + [
        "points", "max_points", "handed_in"]]
    by_name = _by_name(reports)
    for student in everyone(reports, students):
        report = by_name.get(student.submission)
        points = {entry["number"]: entry["points"] for entry in report["tasks"] + report["bonus"]} if report else {}
        rows.append([student.name, student.id, student.email, student.submission] + [
            number(points.get(task.number)) if report else "0" for task in tasks] + [
            number(report["points"]) if report else "0", number(sheet.max_points), "yes" if report else "no"])
    return as_csv(rows)


def canvas(sheet: Sheet, reports: Sequence[Dict[str, Any]], students: Sequence[Student] = (),
           assignment: str = "") -> str:
    """Return Canvas's CSV: the second row holds the points possible."""
    title = f"{sheet.title} ({assignment})" if assignment else sheet.title
    rows: List[List[Any]] = [["Student", "ID", "SIS User ID", "SIS Login ID", "Section", title],
                             ["    Points Possible", "", "", "", "", number(sheet.max_points)]]
    by_name = _by_name(reports)
    for student in everyone(reports, students):
        report = by_name.get(student.submission)
        points = number(report["points"] if report else 0)
        rows.append([student.name, student.id, student.id, student.email, "", points])
    return as_csv(rows)


def moodle(sheet: Sheet, reports: Sequence[Dict[str, Any]], students: Sequence[Student] = ()) -> str:
    """Return a CSV for Moodle's import, matched by the email address."""
    rows: List[List[Any]] = [["Email address", "ID number", "Full name", sheet.title, "Feedback comments"]]
    by_name = _by_name(reports)
    for student in everyone(reports, students):
        report = by_name.get(student.submission)
        words = " ".join(f"{entry['number']}: {entry['feedback']}" for entry in report["tasks"] if entry["feedback"]) \
            if report else "Nothing was handed in."
        rows.append([student.email, student.id, student.name, number(report["points"] if report else 0), words])
    return as_csv(rows)


def nbgrader(sheet: Sheet, reports: Sequence[Dict[str, Any]], students: Sequence[Student] = ()) -> str:
    """Return nbgrader's columns."""
    rows: List[List[Any]] = [["assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email",
                              "raw_score", "late_submission_penalty", "score", "max_score"]]
    by_name = _by_name(reports)
    for student in everyone(reports, students):
        report = by_name.get(student.submission)
        first, _, last = student.name.rpartition(" ")
        points = number(report["points"] if report else 0)
        rows.append([sheet.topic, sheet.get("due", ""), "", student.id or student.submission, last, first,
                     student.email, points, "0", points, number(sheet.max_points)])
    return as_csv(rows)


def junit(reports: Sequence[Dict[str, Any]]) -> bytes:
    """Return JUnit's XML: a suite a submission, a case a task, points as properties."""
    root = ElementTree.Element("testsuites")
    for report in reports:
        graded = [entry for entry in report["tasks"] + report["bonus"] if entry["points"] is not None]
        failed = [entry for entry in graded if entry["status"] not in ("right", "error", "limit")]
        errors = [entry for entry in graded if entry["status"] in ("error", "limit")]
        suite = ElementTree.SubElement(root, "testsuite", name=_xml(report["submission"]), tests=str(len(graded)),
                                       failures=str(len(failed)), errors=str(len(errors)), skipped="0", time="0")
        for entry in graded:
            case = ElementTree.SubElement(suite, "testcase", classname=_xml(report["sheet"]),
                                          name=_xml(f"{entry['number']} {entry['name']}"), time="0")
            properties = ElementTree.SubElement(case, "properties")
            for key in ("points", "max_points"):
                ElementTree.SubElement(properties, "property", name=key, value=number(entry[key]))
            if entry["status"] != "right":
                kind = "error" if entry in errors else "failure"
                ElementTree.SubElement(case, kind, message=_xml(entry["feedback"] or entry["status"]))
    return ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)


def _xml(text: Optional[str]) -> str:
    return FORBIDDEN.sub("", text or "")
