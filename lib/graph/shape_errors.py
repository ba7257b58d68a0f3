"""The message of an operation whose operands don't fit: which ones, with which shapes, on which line of the user's."""
from __future__ import annotations

import os
import sys
from typing import Any, Optional, Tuple

import numpy as np

from lib.graph.notation import TEXT, name
from lib.graph.operations import Operation
from lib.validation import InputError

_NOT_THE_USERS = ("<__array_function__",) + tuple(os.path.dirname(path) + os.sep for path in (
    os.path.dirname(os.path.abspath(__file__)), os.path.abspath(np.__file__)))  # lib, whose modules run on nodes; NumPy


class ShapeError(InputError):
    """The shapes of an operation's inputs don't fit: the message names both, the operation and the line it is on."""


def shape_error(operation: Operation, parents: Tuple[Any, ...], error: Exception,
                line: Optional[Tuple[str, int]]) -> ShapeError:
    """Return the error that says which operands, by name and shape, don't fit in which operation on which line."""
    at = _last_line(error)  # inside of a module's own forward, if it is the user's
    place = "" if line is None else f" In {line[0]}, line {line[1]}."
    if line is not None and at is not None and at != line:
        place = f" In {at[0]}, line {at[1]}, which was called by {line[0]}, line {line[1]}."
    if operation.speaks_for_itself and isinstance(error, InputError):
        return ShapeError(f"{error}{place}")
    names = [parent.name or f"operand {i + 1}" for i, parent in enumerate(parents)]
    formula = TEXT.write(operation.formula(*[name(each, parent.shape) for each, parent in zip(names, parents)]))
    operands = " and ".join(f"{each} of shape {parent.shape}" for each, parent in zip(names, parents))
    said = str(error) if isinstance(error, InputError) else f"NumPy says: {error}"
    return ShapeError(f"{operation.name} doesn't fit {operands} in {formula}. The shape rule: "
                      f"{operation.shape_rule}.{place} ({said})")


def _last_line(error: Exception) -> Optional[Tuple[str, int]]:
    """Return the last line of the user's that an error has come through; None if it is lib's alone."""
    found, trace = None, error.__traceback__
    while trace is not None:
        if not trace.tb_frame.f_code.co_filename.startswith(_NOT_THE_USERS):
            found = trace.tb_frame.f_code.co_filename, trace.tb_lineno
        trace = trace.tb_next
    return found


def user_line() -> Optional[Tuple[str, int]]:
    """Return the file and the line number from which the library was called."""
    frame: Any = sys._getframe(2)
    while frame is not None and frame.f_code.co_filename.startswith(_NOT_THE_USERS):
        frame = frame.f_back
    return None if frame is None else (frame.f_code.co_filename, frame.f_lineno)
