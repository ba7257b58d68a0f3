"""One submission's report in the form that a learning platform reads."""
from __future__ import annotations

import base64
import json
import math
from typing import Any, Dict, List, Optional

from grading.report import number
from grading.sheet import Sheet

Report = Dict[str, Any]


def graded(report: Report) -> List[Dict[str, Any]]:
    """Return the entries that have points: what a tutor still has to give isn't among them."""
    return [entry for entry in report["tasks"] + report["bonus"] if entry["points"] is not None]


def shown(entry: Dict[str, Any]) -> str:
    """Return an entry's words as Markdown can't misread them."""
    words = entry["feedback"] or ("Right." if entry["status"] == "right" else entry["status"])
    return "".join("\\" + c if c in "\\`*_{}[]<>#|~$" else c for c in words)


def gradescope(report: Report, sheet: Sheet, metadata: Optional[Dict[str, Any]] = None) -> Dict[str, Any]:
    """Return results.json for Gradescope; attempts are counted from its submission_metadata.json."""
    tests = [{"number": entry["number"], "name": entry["name"], "score": entry["points"],
              "max_score": entry["max_points"] or 0, "status": "passed" if entry["status"] == "right" else "failed",
              "output": shown(entry), "output_format": "md", "visibility": "visible"} for entry in graded(report)]
    attempts = len((metadata or {}).get("previous_submissions") or ()) + 1
    words = [f"Attempt {attempts}."] if metadata else []
    most = sheet.get("pushes", {}).get("most")
    if metadata and most and attempts > most:
        words.append(f"The sheet allows {most}; a tutor may take points off for more.")
    if report.get("whole"):
        words.append(report["whole"]["feedback"])
    words.append(f"Isolation: {report['isolation']}.")
    hidden = {"name": "For the tutor", "score": 0, "max_score": 0, "status": "passed", "visibility": "hidden",
              "output_format": "text", "output": "\n".join(
                  f"{entry['what']}: {entry['text']}" for entry in report["for_the_tutor"]) or "Nothing."}
    return {"score": report["points"], "output": shown({"feedback": " ".join(words), "status": ""}),
            "output_format": "md", "visibility": "visible", "stdout_visibility": "hidden", "tests": tests + [hidden],
            "extra_data": {"sheet": report["sheet"], "hours": report["hours"], "attempts": attempts}}


def github(report: Report, sheet: Sheet) -> str:
    """Return what GitHub's newer Python grader puts into the step output `result`: base64 of compact JSON.

    Its reporter sums `score` over `max_score`, but prints a table by the share of tests that pass. So that both agree,
    a task counts as passed only where it has all of its points, and the sum is stated in a message.
    """
    entries = graded(report)
    tests = [{"name": f"{entry['number']} {entry['name']}", "status": "pass" if entry["status"] == "right" else "fail",
              "score": entry["points"], "message": entry["feedback"], "test_code": "", "filename": "", "line_no": 0,
              "duration": 0} for entry in entries]
    result = {"version": 3, "status": "pass" if all(test["status"] == "pass" for test in tests) else "fail",
              "max_score": sum(entry["max_points"] or 0 for entry in entries), "tests": tests}
    return base64.b64encode(json.dumps(result, separators=(",", ":")).encode("utf-8")).decode("ascii")


def scale_of(report: Report) -> int:
    """Return the factor that makes whole numbers of all points: 2 where there are halves."""
    values = [value for entry in graded(report) for value in (entry["points"], entry["max_points"] or 0)]
    return next(scale for scale in (1, 2, 4, 5, 10, 20, 100) if scale == 100 or all(
        math.isclose(scale * value, round(scale * value), abs_tol=1e-9) for value in values))


def classroom50(report: Report, sheet: Sheet, where: Dict[str, str], scale: int = 2) -> Dict[str, Any]:
    """Return classroom50's result.json: whole numbers, so points are multiplied by `scale`.

    Args:
        where: classroom, assignment, owner, assignment_type, submission, commit, release, review and datetime.
        scale: the same for the whole class, stated by `release_body`.
    """
    def whole(points: Optional[float]) -> int:
        return int(round(scale * (points or 0)))

    entries = graded(report)
    result: Dict[str, Any] = {"schema": "classroom50/result/v1"}
    for key in ("classroom", "assignment", "owner", "assignment_type", "submission", "commit", "release", "review",
                "datetime"):
        result[key] = where[key]
    result["score"] = sum(whole(entry["points"]) for entry in entries)
    result["max-score"] = sum(whole(entry["max_points"]) for entry in entries)
    result["tests"] = [{"test-name": f"{entry['number']} {entry['name']}", "passed": entry["status"] == "right",
                        "score": whole(entry["points"]), "max-score": whole(entry["max_points"])} for entry in entries]
    return result


def release_body(report: Report, scale: int = 2) -> str:
    """Return release-body.md: the points as they are, the scale, and the feedback."""
    lines = [f"**{number(report['points'])}** of {number(report['max_points'])} points. In result.json, every point "
             f"counts {scale}, as only whole numbers are allowed there.", "", "| task | points | |",
             "| --- | ---: | --- |"]
    lines += [f"| {entry['number']} {entry['name']} | {number(entry['points'])} / {number(entry['max_points'])} | "
              f"{shown(entry)} |" for entry in graded(report)]
    return "\n".join(lines) + "\n"


def prairielearn(report: Report, sheet: Sheet) -> Dict[str, Any]:
    """Return results.json for PrairieLearn's external grader: the score is a share from 0 to 1, of what is graded."""
    entries = graded(report)
    most = sum(entry["max_points"] or 0 for entry in report["tasks"] if entry["points"] is not None)
    return {"gradable": True, "score": min(1.0, max(0.0, sum(entry["points"] for entry in entries) / most)) if most else
            0.0, "message": f"Isolation: {report['isolation']}.", "output": "", "images": [],
            "tests": [{"name": f"{entry['number']} {entry['name']}", "description": entry["status"],
                       "points": entry["points"], "max_points": entry["max_points"] or 0, "message": entry["feedback"],
                       "output": ""} for entry in entries]}


def codegrade(report: Report, sheet: Sheet) -> str:
    """Return CodeGrade's lines of JSON, for file descriptor 3: the unit tests, and the points as a fraction."""
    entries = graded(report)
    cases = [{"name": f"{entry['number']} {entry['name']}", "weight": entry["max_points"] or 0,
              "status": "success" if entry["status"] == "right" else "failure", "reason": entry["feedback"]}
             for entry in entries]
    scale = scale_of(report)
    most = sum(entry["max_points"] or 0 for entry in entries)
    points = f"{round(scale * sum(entry['points'] for entry in entries))}/{round(scale * most)}"
    lines = [{"tag": "unit-test", "results": [{"id": report["sheet"], "name": sheet.title, "testCases": cases}]},
             {"tag": "points", "points": points}]
    return "".join(json.dumps(line) + "\n" for line in lines)
