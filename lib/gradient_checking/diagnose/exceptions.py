"""Explaining an exception in a student's backward: the shapes, the line, and the transposition that would fit."""
from __future__ import annotations

import linecache
import os
import re
import traceback
from typing import Any, Dict, List, Optional, Tuple

import numpy as np

from lib.gradient_checking.course import MOST_HINTS, hint_level
from lib.gradient_checking.diagnose.causes import cause
from lib.gradient_checking.diagnose.advice import Failure, advice_on
from lib.gradient_checking.gaps import is_in_gap, relative
from lib.gradient_checking.report import Cause
from lib.network_base import Parameter

OWN_FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
Shape = Tuple[int, ...]


def explain(error: BaseException, situation: str, function: str = "") -> List[Cause]:
    """Return what an exception in backward means, or in a function of the sheet, the likeliest first."""
    frame, line, where = _place(error, function)
    # What would fit is the formula of a gap of the sheet; of other code, it may be said at once.
    level = hint_level() if frame is not None and is_in_gap(frame, frame.f_lineno) else MOST_HINTS
    detail = f"{type(error).__name__} in {where}"
    says = "" if isinstance(error, SystemExit) else str(error).strip()  # of that, it is a number
    evidence = (f"{line}\n" if line else "") + (says or type(error).__name__)
    if situation not in ("", "at the given numbers"):
        evidence += f" ({situation})"
    evidence += "" if evidence.endswith((".", "?", "!")) else "."
    if isinstance(error, NotImplementedError):
        return [cause("to do", evidence, where)]
    name, advice = "exception in backward", ""
    others: List[Cause] = []
    if isinstance(error, ValueError) and "broadcast" in str(error):
        name, advice = _broadcasting_advice(str(error), line, level)
    elif isinstance(error, ValueError) and ("matmul" in str(error) or "not aligned" in str(error)):
        advice = _product_advice(frame, line, level)
        if "With a transposition" in advice:
            others.append(cause("transposed", evidence + advice, detail))
    if not advice:
        variables, own = ({}, ()) if frame is None else ({**frame.f_globals, **frame.f_locals}, tuple(frame.f_locals))
        said = advice_on(Failure(error, line, variables, own))
        advice = f" {said}" if said else ""
    if name != "exception in backward":
        others.append(cause("exception in backward", evidence + advice, detail))
    return [cause(name, evidence + advice, detail)] + others


def _broadcasting_advice(message: str, line: str, level: int) -> Tuple[str, str]:
    """Return the cause and the advice for two arrays that don't fit entry by entry."""
    name, shapes = "exception in backward", _shapes(message)
    if len(shapes) < 2:
        return name, ""
    first, second = shapes[:2]
    if "output operand" in message or len(shapes) == 3:  # of +=, whose result must fit into what is there
        if not re.search(r"\.grad\s*[+-]=", line):
            return name, f" What stands on the left keeps its shape, {first}, which {second} doesn't fit."
        advice = (f" An array of shape {second} can't be added to one of shape {first}: the gradient of a parameter "
                  "has the parameter's shape.")
        if "keepdims=True" in line:
            return name, advice + " keepdims=True keeps the axis that is summed over, with size 1."
        if len(second) > len(first) and "sum" not in line and level >= 1:
            formula = ": .sum(axis=0)" if level == MOST_HINTS else ""
            return "missing sum over the batch", f"{advice} The sum over the batch is missing{formula}."
        return name, advice
    advice = f" The shapes {first} and {second} don't fit entry by entry."
    if re.search(r"np\.where\([^,]*\)", line):
        advice += " np.where(condition) gives places; np.where(condition, a, b) takes a where it holds, else b."
    elif ".backward(" in line and "*" in line:
        advice += " What a module's backward returns is already multiplied by the gradient that it gets."
    elif "*" in line and len(first) == len(second) == 2:
        advice += " * multiplies entry by entry; the matrix product is @."
    elif re.search(r"\.shape\b(?!\s*\[)", line):
        advice += " .shape is a tuple with the size of each axis: shape[0] is that of the first."
    elif "sum" in line and len(first) != len(second) and "keepdims" not in line:
        advice += " A sum with keepdims=True keeps its axis, with size 1."
    return name, advice


def _place(error: BaseException, function: str) -> Tuple[Any, str, str]:
    """Return the innermost frame of the student's code, its line of code, and "file, line n".

    A line that stands in a gap, above all in that of the function, comes before the code that it calls.
    """
    entries = list(traceback.walk_tb(error.__traceback__))
    inside = [(frame, number) for frame, number in entries
              if not os.path.abspath(frame.f_code.co_filename).startswith(OWN_FOLDER)
              and f"{os.sep}numpy{os.sep}" not in frame.f_code.co_filename]
    if not inside:
        return None, "", "backward"
    backward = [pair for pair in inside if pair[0].f_code.co_name == "backward"]
    in_gap = [pair for pair in inside if is_in_gap(*pair)]
    own = [pair for pair in in_gap if pair[0].f_code.co_name == function]
    frame, number = (own or in_gap or backward or inside)[-1]
    name = frame.f_code.co_filename
    return frame, linecache.getline(name, number).strip(), f"{relative(name)}, line {number}"


def _shapes(message: str) -> List[Shape]:
    """Return the shapes that NumPy's message speaks of."""
    return [tuple(int(n) for n in re.findall(r"\d+", text)) for text in re.findall(r"\(([\d, ]*)\)", message)
            if re.search(r"\d", text)]


def _product_advice(frame: Any, line: str, level: int) -> str:
    """Say which shapes a matrix product has, and which transposition would fit."""
    name = r"([\w.\[\]]+)"
    forms = (rf"{name}\s*@\s*{name}", rf"(?:dot|matmul)\({name},\s*{name}\)", rf"{name}\.dot\({name}\)")
    match = next((found for found in (re.search(form, line) for form in forms) if found), None)
    unknown = " In a matrix product, the first has as many columns as the second has rows; * multiplies entry by entry."
    if match is None or frame is None:
        return unknown
    names = match.group(1), match.group(2)
    parameter = next((name for name in names if isinstance(_value_of(name, frame.f_locals), Parameter)), "")
    if parameter:
        return f" {parameter} is a Parameter, which keeps its numbers in .data: {parameter}.data."
    arrays: Any = [_looked_up(name, frame.f_locals) for name in names]
    if any(array is None or array.ndim == 0 for array in arrays):
        return unknown
    a, b = arrays
    fits: List[str] = []
    if a.ndim == b.ndim == 2:
        if a.shape[1] == b.shape[0]:
            return ""
        for left, x in ((names[0], a), (_transposed(names[0]), a.T)):
            for right, y in ((names[1], b), (_transposed(names[1]), b.T)):
                if x.shape[1] == y.shape[0]:
                    fits.append(f"{left} @ {right} has shape {(x.shape[0], y.shape[1])}")
    text = f" {names[0]} has shape {a.shape} and {names[1]} has shape {b.shape}: as a product they don't fit."
    formula = f": {', or '.join(fits)}" if level == MOST_HINTS else ""
    return text + (f" With a transposition they do{formula}." if fits and level >= 1 else "")


def _transposed(name: str) -> str:
    return name[:-2] if name.endswith(".T") else name + ".T"


def _looked_up(name: str, variables: Dict[str, Any]) -> Optional[np.ndarray]:
    """Return the array that a name such as self.W.data.T stands for."""
    value = _value_of(name, variables)
    return value if isinstance(value, np.ndarray) else None


def _value_of(name: str, variables: Dict[str, Any]) -> Any:
    """Return what a name such as self.W.data.T stands for, or None; nothing is called."""
    first, *attributes = name.split(".")
    value = variables.get(first)
    for attribute in attributes:
        value = getattr(value, attribute, None)
    return value
