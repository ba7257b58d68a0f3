"""What a graded class gives: a page a student, a page on the class, tables for platforms, and all of it as JSON."""
from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Callable, Dict, List, Sequence

from grading import platforms, tables
from grading.batch import as_bytes, file_name, read_results
from grading.class_report import class_page
from grading.grade import GradingError, with_marks
from grading.report import as_html
from grading.sheet import Sheet
from grading.similarity import Alike
from grading.tables import Student
from lib.saving.files import write_atomically

Marks = Dict[str, Dict[str, float]]
TABLES: Dict[str, Callable[[Sheet, Sequence[Dict[str, Any]], Sequence[Student]], str]] = {
    "points.csv": tables.points_table, "canvas.csv": tables.canvas, "moodle.csv": tables.moodle,
    "nbgrader.csv": tables.nbgrader}
SINGLE = ("gradescope", "github", "classroom50", "prairielearn", "codegrade")


def write(path: Path, content: Any) -> None:
    """Write text or bytes so that the file is never there half-written."""
    data = content.encode("utf-8", "replace") if isinstance(content, str) else content
    write_atomically(path, lambda file: file.write(data))


def write_outputs(sheet: Sheet, out: Path, marks: Marks, students: Sequence[Student],
                  pairs: Sequence[Alike] = ()) -> List[Dict[str, Any]]:
    """Write everything that follows from a folder of results; returns the reports, with the tutors' points."""
    reports = [with_marks(report, marks.get(report["submission"], {})) for report in read_results(out)]
    unknown = sorted(set(marks) - {report["submission"] for report in reports})
    if unknown:
        raise GradingError(f"The tutor's points name {unknown[0]!r}, which isn't among the submissions.")
    wanted = set()
    for report in reports:
        path = out / "reports" / (file_name(report["submission"]) + ".html")
        wanted.add(path.name)
        write(path, as_html(report, sheet, for_tutor=False))
    for path in (out / "reports").glob("*.html"):
        if path.name not in wanted:
            path.unlink()
    write(out / "class.html", class_page(sheet, reports, students, pairs))
    for name, table in TABLES.items():
        write(out / name, table(sheet, reports, students))
    write(out / "junit.xml", tables.junit(reports))
    write(out / "results.json", as_bytes(reports))
    return reports


def exported(name: str, report: Dict[str, Any], sheet: Sheet, where: Dict[str, str]) -> Dict[str, Any]:
    """Return the files that a platform reads of one report, by name."""
    if name == "gradescope":
        return {"results.json": as_bytes(platforms.gradescope(report, sheet))}
    if name == "github":
        return {"result.txt": platforms.github(report, sheet)}
    if name == "prairielearn":
        return {"results.json": as_bytes(platforms.prairielearn(report, sheet))}
    if name == "codegrade":
        return {"points.jsonl": platforms.codegrade(report, sheet)}
    missing = [key for key in ("classroom", "assignment", "owner") if not where.get(key)]
    if missing:
        raise GradingError(f"classroom50 needs --set {missing[0]}=..., and so on: classroom, assignment, owner; also "
                           "assignment_type, submission, commit, release, review and datetime, if they are known.")
    given = {"assignment_type": "group", "submission": f"submit/{report['submission']}", "commit": "", "release": "",
             "review": "", "datetime": "1970-01-01T00:00:00Z"}
    scale = max(2, platforms.scale_of(report))
    return {"result.json": as_bytes(platforms.classroom50(report, sheet, dict(given, **where), scale)),
            "release-body.md": platforms.release_body(report, scale)}


def export(name: str, sheet: Sheet, source: Path, out: Path, where: Dict[str, str]) -> int:
    """Write a platform's files for a report, or for all of a class; returns for how many.

    Args:
        source: a report, or a class's results.json, or the folder that holds it.
        out: the files of one report go there, those of a class into <platform>/<submission>/ below it.
    """
    source = source / "results.json" if source.is_dir() else source
    try:
        found = json.loads(source.read_text(encoding="utf-8"))
        reports = found if isinstance(found, list) else [found]
        names = [file_name(report["submission"]) for report in reports if report["tasks"] + report["bonus"]]
    except FileNotFoundError as error:
        raise GradingError(f"There is no report at {source}: grade-all writes a folder of them, and grade --json one."
                           ) from error
    except (ValueError, TypeError, KeyError) as error:
        raise GradingError(f"{source} isn't a report: expected the JSON that grade --json or grade-all has written."
                           ) from error
    for folder, report in zip(names, reports):
        for file, content in exported(name, report, sheet, where).items():
            write((out / name / folder if isinstance(found, list) else out) / file, content)
    return len(reports)
