"""The student's own code: where a function's gap is, and whether anything has been written into it."""
from __future__ import annotations

import ast
import inspect
import textwrap
from pathlib import Path
from typing import Any, List, NamedTuple, Optional

from lib.gradient_checking.course import ROOT

START, END = "START TODO", "END TODO"


class Gap(NamedTuple):
    """A gap, or, where no marks are left, the whole function."""

    place: str  # such as "lib/activations.py, line 24"
    is_empty: bool  # nothing but comments, pass, ... or raise NotImplementedError


def gap_of(function: Any) -> Optional[Gap]:
    """Return the gap of a function or method; None if its text can't be had."""
    try:
        lines, first = inspect.getsourcelines(inspect.unwrap(function))
        file = inspect.getsourcefile(inspect.unwrap(function))
    except (OSError, TypeError):
        return None
    marks = [i for i, line in enumerate(lines) if START in line], [i for i, line in enumerate(lines) if END in line]
    inside = range(marks[0][0] + 1, marks[1][-1]) if marks[0] and marks[1] else range(1, len(lines))
    written = [i for i in inside if lines[i].strip() and not lines[i].strip().startswith("#")]
    number = first + (written[0] if written and marks[0] else inside[0] if marks[0] else 0)
    return Gap(f"{relative(file or '')}, line {number}", _is_empty(lines, inside, bool(marks[0] and marks[1])))


def relative(file: str) -> str:
    """Return a file's path as seen from the root folder, with slashes; of a file elsewhere, its name."""
    path = Path(file).resolve()
    return path.relative_to(ROOT).as_posix() if ROOT in path.parents else path.name


def _is_empty(lines: List[str], inside: range, has_marks: bool) -> bool:
    text = textwrap.dedent("".join(lines[i] for i in inside) if has_marks else "".join(lines))
    try:
        body: List[Any] = ast.parse(text).body
    except SyntaxError:  # a gap that ends or begins in the middle of a statement
        return False
    if not has_marks and body and isinstance(body[0], (ast.FunctionDef, ast.AsyncFunctionDef)):
        body = body[0].body
    return all(_says_nothing(statement) for statement in body)


def _says_nothing(statement: Any) -> bool:
    if isinstance(statement, ast.Pass):
        return True
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Constant)  # a docstring, or ...
    if isinstance(statement, ast.Raise):
        raised = statement.exc.func if isinstance(statement.exc, ast.Call) else statement.exc
        return isinstance(raised, ast.Name) and raised.id == "NotImplementedError"
    return False
