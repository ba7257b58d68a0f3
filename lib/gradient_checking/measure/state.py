"""Putting things back: all that a check of gradients may change is noted first and restored afterwards."""
from __future__ import annotations

import random
import types
from typing import Any, Iterable, List, Optional, Tuple

import numpy as np

from lib.network_base import Module, Parameter

FOREIGN = ("builtins", "numpy", "scipy", "matplotlib", "torch", "threading", "_thread", "io", "_io", "logging")


def is_foreign(value: Any) -> bool:
    """Return whether a value's class comes from Python or a library, whose objects aren't looked into."""
    return type(value).__module__.split(".")[0] in FOREIGN


def parts_of(value: Any) -> Iterable[Any]:
    """Return what is reachable from a value in one step: attributes, elements, what a function has closed over."""
    if isinstance(value, dict):
        return value.values()
    if isinstance(value, (list, tuple, set, frozenset)):
        return value
    if isinstance(value, types.MethodType):
        return (value.__self__,)
    if isinstance(value, types.FunctionType):
        return [cell.cell_contents for cell in value.__closure__ or () if not _is_empty(cell)]
    if isinstance(value, (type, types.ModuleType)) or is_foreign(value):
        return ()
    return getattr(value, "__dict__", {}).values()


def _is_empty(cell: Any) -> bool:
    try:
        return cell.cell_contents is None
    except ValueError:
        return True


def reachable(roots: Iterable[Any], skip: Iterable[Any] = ()) -> List[Any]:
    """Return every object reachable from the roots, each once, without looking into those to skip."""
    seen = {id(value): value for value in skip}
    waiting = list(roots)
    found = []
    while waiting:
        value = waiting.pop()
        if id(value) in seen or isinstance(value, (str, bytes, int, float, complex, type(None))):
            continue
        seen[id(value)] = value
        found.append(value)
        waiting.extend(parts_of(value))
    return found


class Snapshot:
    """All attributes, containers, arrays and random generators below some objects, to be put back bit for bit.

    The objects themselves stay the same ones: a parameter that was shared stays shared.

    Args:
        roots: where to start, such as a module and its inputs.
        skip: objects to leave alone, with all that is reachable through them only.
    """

    def __init__(self, roots: Iterable[Any], skip: Iterable[Any] = ()) -> None:
        self._dicts: List[Tuple[dict, dict]] = []
        self._lists: List[Tuple[list, list]] = []
        self._sets: List[Tuple[set, set]] = []
        self._arrays: List[Tuple[np.ndarray, np.ndarray]] = []
        self._generators: List[Tuple[Any, Any]] = []
        for value in reachable(roots, skip):
            if isinstance(value, dict):
                self._dicts.append((value, dict(value)))
            elif isinstance(value, list):
                self._lists.append((value, list(value)))
            elif isinstance(value, set):
                self._sets.append((value, set(value)))
            elif isinstance(value, np.ndarray):
                if value.dtype != object:
                    self._arrays.append((value, value.copy()))
            elif isinstance(value, np.random.Generator):
                self._generators.append((value.bit_generator, value.bit_generator.state))
            elif isinstance(value, np.random.RandomState):
                self._generators.append((value, value.get_state()))
            elif isinstance(value, random.Random):
                self._generators.append((value, value.getstate()))
            elif not isinstance(value, (type, types.ModuleType, types.FunctionType)) and not is_foreign(value):
                attributes = getattr(value, "__dict__", None)
                if isinstance(attributes, dict):
                    self._dicts.append((attributes, dict(attributes)))

    def restore(self) -> None:
        """Put everything back."""
        for holder, content in self._dicts:
            holder.clear()
            holder.update(content)
        for sequence, items in self._lists:
            sequence[:] = items
        for group, members in self._sets:
            group.clear()
            group.update(members)
        for array, numbers in self._arrays:
            if array.flags.writeable:
                array[...] = numbers
        for generator, state in self._generators:
            if isinstance(generator, np.random.RandomState):
                generator.set_state(state)
            elif isinstance(generator, random.Random):
                generator.setstate(state)
            else:
                generator.state = state


class GlobalRandomness:
    """The state of NumPy's global random numbers and of Python's, put back when the block ends."""

    def __enter__(self) -> "GlobalRandomness":
        self._numpy, self._python = np.random.get_state(), random.getstate()
        return self

    def __exit__(self, *_: Any) -> None:
        self.restore()

    def restore(self) -> None:
        """Put both back, as they were when the block began."""
        np.random.set_state(self._numpy)
        random.setstate(self._python)

    def was_used(self) -> bool:
        """Return whether any global random number was drawn since."""
        now: Any = np.random.get_state()
        then: Any = self._numpy
        return now[2:] != then[2:] or not np.array_equal(now[1], then[1]) or random.getstate() != self._python


def all_parameters(module: Any, inputs: Tuple[Any, ...] = ()) -> List[Parameter]:
    """Return every Parameter that can be reached from a module: those of parameters() first, constants last."""
    found = dict.fromkeys(value for value in list(module.parameters()) + reachable([module, inputs])
                          if isinstance(value, Parameter))
    return sorted(found, key=lambda parameter: parameter.constant)


def all_modules(module: Module) -> List[Module]:
    """Return the module and every module that can be reached from it."""
    return [value for value in reachable([module]) if isinstance(value, Module)]


def path_of(module: Any, parameter: Parameter, fallback: Optional[str] = None) -> str:
    """Return how messages call a parameter, such as "Sequential[2].W"."""
    for path, below in module.named_modules():
        for label, value in below.held(Parameter):
            if value is parameter:
                return path + label
    return fallback or f"{type(module).__name__}.{parameter.name or 'parameter'}"
