"""What each platform reads, as far as its documentation says: schemas, and a check of a value against one.

A schema is a type, a tuple of types or of allowed values, a function that tells, a list of one schema (for each item),
or a dictionary: keys that end in "?" may be missing, and no other keys may be there.
"""
from __future__ import annotations

import re
from typing import Any

NUMBER = (int, float)
TEXT = str


def check(value: Any, schema: Any, where: str = "value") -> None:
    """Assert that a value is as a schema says."""
    if isinstance(schema, dict):
        assert isinstance(value, dict), f"{where} must be an object"
        names = {key.rstrip("?"): key for key in schema}
        assert not set(value) - set(names), f"{where} has unknown keys: {set(value) - set(names)}"
        for name, key in names.items():
            assert name in value or key.endswith("?"), f"{where} lacks {name}"
            if name in value:
                check(value[name], schema[key], f"{where}.{name}")
    elif isinstance(schema, list):
        assert isinstance(value, list), f"{where} must be a list"
        for i, item in enumerate(value):
            check(item, schema[0], f"{where}[{i}]")
    elif isinstance(schema, tuple) and not all(isinstance(part, type) for part in schema):
        assert value in schema, f"{where} is {value!r}, not one of {schema}"
    elif isinstance(schema, (type, tuple)):
        assert isinstance(value, schema) and not (isinstance(value, bool) and schema is not bool), f"{where}: {value!r}"
    else:
        assert schema(value), f"{where} is {value!r}"


def matches(pattern: str) -> Any:
    return lambda value: isinstance(value, str) and re.fullmatch(pattern, value) is not None


def whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def share(value: Any) -> bool:
    return isinstance(value, (int, float)) and 0 <= value <= 1


VISIBILITY = ("hidden", "after_due_date", "after_published", "visible")
FORMAT = ("text", "html", "simple_format", "md", "ansi")
GRADESCOPE = {
    "score": NUMBER, "execution_time?": NUMBER, "output?": TEXT, "output_format?": FORMAT, "visibility?": VISIBILITY,
    "stdout_visibility?": VISIBILITY, "extra_data?": dict,
    "tests": [{"score": NUMBER, "max_score": NUMBER, "status?": ("passed", "failed"), "name?": TEXT, "number?": TEXT,
               "output?": TEXT, "output_format?": FORMAT, "tags?": list, "visibility?": VISIBILITY,
               "extra_data?": dict}]}
GITHUB = {
    "version": (3,), "status": ("pass", "fail", "error"), "max_score": NUMBER,
    "tests": [{"name": TEXT, "status": ("pass", "fail", "error"), "score": NUMBER, "message?": TEXT, "test_code": TEXT,
               "filename": TEXT, "line_no": whole, "duration": NUMBER}]}
AUTOGRADING = {"tests": [{"name": TEXT, "setup": TEXT, "run": TEXT, "input": TEXT, "output": TEXT,
                          "comparison": ("exact", "included", "regex"), "timeout": whole, "points": whole}]}
CLASSROOM50 = {
    "schema": ("classroom50/result/v1",), "classroom": TEXT, "assignment": TEXT, "owner": TEXT,
    "assignment_type": ("individual", "group"), "submission": matches(r"submit/.+"), "commit": TEXT, "release": TEXT,
    "review": TEXT, "datetime": matches(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"), "score": whole, "max-score": whole,
    "tests": [{"test-name": TEXT, "passed": bool, "score": whole, "max-score": whole}]}
PRAIRIELEARN = {
    "gradable": bool, "score": share, "message?": TEXT, "output?": TEXT, "images?": list,
    "tests?": [{"name": TEXT, "description?": TEXT, "points": NUMBER, "max_points": NUMBER, "message?": TEXT,
                "output?": TEXT}]}
CODEGRADE_TESTS = {"tag": ("unit-test",), "results": [{"id": TEXT, "name": TEXT, "testCases": [
    {"name": TEXT, "weight": NUMBER, "status": ("success", "failure"), "reason": TEXT}]}]}
CODEGRADE_POINTS = {"tag": ("points",), "points": matches(r"\d+/\d+")}
ENTRY = {"number": TEXT, "name": TEXT, "points": (int, float, type(None)), "max_points": (int, float, type(None)),
         "status": ("right", "partly", "wrong", "to do", "error", "limit", "for the tutor"), "cause": TEXT,
         "feedback": TEXT}
REPORT = {"sheet": TEXT, "submission": TEXT, "digest": TEXT, "sheet_digest": dict, "points": NUMBER,
          "max_points": NUMBER, "isolation": TEXT, "promise": TEXT, "tasks": [ENTRY], "bonus": [ENTRY],
          "whole": lambda value: value is None or set(value) == {"status", "feedback"}, "hours": [NUMBER],
          "answers": dict, "for_the_tutor": [{"what": TEXT, "text": TEXT}]}
