"""The student's own code: where a function's gap is, and whether anything has been written into it."""
from __future__ import annotations

import ast
import inspect
import textwrap
from pathlib import Path
from typing import Any, List, NamedTuple, Optional, Tuple

from lib.gradient_checking.course import ROOT

START, END = "START TODO", "END TODO"


class Gap(NamedTuple):
    """A gap, or, where no marks are left, the whole function."""

    place: str  # such as "lib/activations.py, line 24"
    is_empty: bool  # nothing but comments, pass, ... or raise NotImplementedError
    is_blocked: bool = False  # raise NotImplementedError still stands before what has been written


def gap_of(function: Any) -> Optional[Gap]:
    """Return the gap of a function or method; None if its text can't be had."""
    found = _lines_of(inspect.unwrap(function))
    if found is None:
        return None
    lines, first, inside = found
    file = inspect.getsourcefile(inspect.unwrap(function)) or ""
    if inside is None:
        return Gap(f"{relative(file)}, line {first}", *_state(lines, range(len(lines))))
    written = [i for i in inside if lines[i].strip() and not lines[i].strip().startswith("#")]
    number = first + (written + list(inside) + [inside.start - 1])[0]
    return Gap(f"{relative(file)}, line {number}", *_state(lines, inside))


def is_in_gap(frame: Any, number: int) -> bool:
    """Return whether a line of a frame's function stands between the marks of a gap."""
    found = _lines_of(frame.f_code)
    return found is not None and found[2] is not None and number - found[1] in found[2]


def _lines_of(function: Any) -> Optional[Tuple[List[str], int, Optional[range]]]:
    """Return a function's lines, the number of the first, and which of them stand between marks."""
    try:
        lines, first = inspect.getsourcelines(function)
    except (OSError, TypeError):
        return None
    starts, ends = [[i for i, line in enumerate(lines) if mark in line] for mark in (START, END)]
    return lines, first, range(starts[0] + 1, ends[-1]) if starts and ends else None


def relative(file: str) -> str:
    """Return a file's path as seen from the root folder, with slashes; of a file elsewhere, its name."""
    path = Path(file).resolve()
    return path.relative_to(ROOT).as_posix() if ROOT in path.parents else path.name


def _state(lines: List[str], inside: range) -> Tuple[bool, bool]:
    """Return whether a gap is empty, and whether it is blocked."""
    try:
        body: List[Any] = ast.parse(textwrap.dedent("".join(lines[i] for i in inside))).body
    except SyntaxError:  # a gap that ends or begins in the middle of a statement
        return False, False
    if len(body) == 1 and isinstance(body[0], (ast.FunctionDef, ast.AsyncFunctionDef)):
        body = body[0].body
    written = [not _says_nothing(statement) for statement in body]
    raises = [isinstance(statement, ast.Raise) and not says for statement, says in zip(body, written)]
    return not any(written), any(raises) and any(written[raises.index(True):])


def _says_nothing(statement: Any) -> bool:
    if isinstance(statement, ast.Pass):
        return True
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Constant)  # a docstring, or ...
    if isinstance(statement, ast.Raise):
        raised = statement.exc.func if isinstance(statement.exc, ast.Call) else statement.exc
        return isinstance(raised, ast.Name) and raised.id == "NotImplementedError"
    return False
