"""A module's backward, line by line: what each line computes, as it runs."""
from __future__ import annotations

import inspect
import sys
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

import numpy as np

from lib.network_base import Module


BEFORE = 1.0  # what stands in each entry of each gradient before the pass, as a backward pass has to add


class Line(NamedTuple):
    """A line of a student's backward: its number in the file, its text, the arrays it made, and a mark if it has one.

    Of a parameter's gradient, what counts as made is what the line has added.
    """

    number: int
    text: str
    results: List[Any]
    mark: str = ""


def lines_of(module: Module) -> List[Line]:
    """Return the lines of a module's backward, or [] where its text can't be had."""
    try:
        lines, first = inspect.getsourcelines(type(module).backward)
    except (OSError, TypeError):
        return []
    return [Line(first + k, line.rstrip("\n"), []) for k, line in enumerate(lines)]


def run_line_by_line(module: Module, inputs: Tuple[Any, ...], upstream: Any
                     ) -> Tuple[Dict[str, Any], List[Line], Optional[str]]:
    """Run forward and backward; return the gradients by name, the lines with their results, and what was raised.

    The gradient of a parameter is what the pass has added to the ones that stood there before.
    """
    lines = {line.number: line for line in lines_of(module)}
    code = type(module).backward.__code__
    parameters = dict(module.named_parameters())
    seen: Dict[str, np.ndarray] = {}
    last: List[Optional[int]] = [None]

    def note(frame: Any) -> None:
        """Ascribe what is new since the last look to the line that ran."""
        arrays = {f"local {name}": value for name, value in frame.f_locals.items() if name != "self"}
        arrays.update({f"grad {name}": parameter.grad for name, parameter in parameters.items()})
        for name, value in arrays.items():
            if not isinstance(value, (np.ndarray, float)) or np.asarray(value).dtype.kind != "f":
                continue
            before = seen.get(name)
            if before is None or before.shape != np.shape(value) or not np.array_equal(before, value, equal_nan=True):
                if last[0] in lines:
                    added = np.array(value) - (BEFORE if name.startswith("grad ") else 0)
                    lines[last[0]].results.append(added)  # type: ignore[index]
                seen[name] = np.array(value)

    def watch(frame: Any, event: str, argument: Any) -> Any:
        if frame.f_code is not code:
            return None
        note(frame)
        if event == "return" and isinstance(argument, np.ndarray) and last[0] in lines:
            lines[last[0]].results.append(argument.copy())  # type: ignore[index]
        last[0] = frame.f_lineno
        return watch

    for parameter in parameters.values():
        parameter.grad = np.full_like(parameter.data, BEFORE, dtype=float)
    state = np.random.get_state()
    before = sys.gettrace()
    try:
        module.forward(*inputs)
        for name, parameter in parameters.items():
            seen[f"grad {name}"] = np.array(parameter.grad)
        if upstream is not None:
            seen["local grad"] = np.array(upstream)
        sys.settrace(watch)
        try:
            returned = module.backward(*([] if upstream is None else [upstream.copy()]))
        finally:
            sys.settrace(before)
    except Exception as error:  # a student's backward may raise anything: the page says what
        return {}, list(lines.values()), f"{type(error).__name__}: {error}"
    finally:
        np.random.set_state(state)
    gradients = {name: parameter.grad - BEFORE if np.shape(parameter.grad) == parameter.data.shape else parameter.grad
                 for name, parameter in parameters.items()}
    return {"input": returned, **gradients}, list(lines.values()), None
