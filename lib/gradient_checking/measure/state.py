"""Putting things back: all that a check of gradients may change is noted first and restored afterwards."""
from __future__ import annotations

import array
import functools
import random
import types
from collections import deque
from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional, Tuple

import numpy as np

from lib.network_base import Module, Parameter

FOREIGN = ("builtins", "numpy", "scipy", "matplotlib", "torch", "threading", "_thread", "io", "_io", "logging", "abc",
           "typing", "enum", "dataclasses", "functools", "collections", "itertools", "weakref", "random", "array")
GENERATORS = (np.random.Generator, np.random.RandomState, random.Random)


def is_foreign(cls: type) -> bool:
    """Return whether a class comes from Python or a library, whose objects aren't looked into.

    A type made by Cython has a descriptor where others have the name of their module.
    """
    return not isinstance(cls.__module__, str) or cls.__module__.split(".")[0] in FOREIGN


def parts_of(value: Any) -> Iterable[Any]:
    """Return what is reachable from a value in one step: attributes, elements, what a function holds."""
    if isinstance(value, dict):
        return value.values()
    if isinstance(value, (list, tuple, set, frozenset, deque)):
        return value
    if isinstance(value, np.ndarray):
        return value.flat if value.dtype == object else ()
    if isinstance(value, (types.MethodType, types.BuiltinFunctionType)):
        return (value.__self__, getattr(value, "__func__", None))
    if isinstance(value, functools.partial):
        return (value.func, value.args, value.keywords)
    if isinstance(value, types.FunctionType):
        return _parts_of_function(value)
    if isinstance(value, (staticmethod, classmethod)):
        return (value.__func__,)
    if isinstance(value, property):
        return (value.fget, value.fset)
    if isinstance(value, type):
        return () if is_foreign(value) else [part for name, part in vars(value).items() if not _is_special(name)]
    if isinstance(value, types.ModuleType) or is_foreign(type(value)):
        return ()
    own = [cls for cls in type(value).__mro__ if not is_foreign(cls) and cls not in (Module, Parameter)]
    return [*getattr(value, "__dict__", {}).values(), *slots_of(value).values(), *own]


def _is_code(name: str, value: Any) -> bool:
    """Return whether a class's attribute belongs to its code, which no pass changes."""
    return _is_special(name) or isinstance(value, (types.FunctionType, property, staticmethod, classmethod,
                                                   types.MemberDescriptorType, types.GetSetDescriptorType))


def _is_special(name: str) -> bool:
    return name.startswith("__") and name.endswith("__") and name != "__init__"


def _parts_of_function(function: types.FunctionType) -> List[Any]:
    """Return what a function has closed over, its default arguments, and the generators and helpers among its globals.

    Other globals, such as data sets, are nothing that a pass of a module should change.
    """
    parts: List[Any] = [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]
    for cell in function.__closure__ or ():
        try:
            parts.append(cell.cell_contents)
        except ValueError:  # empty still
            continue
    for name in names_in(function.__code__):
        named = function.__globals__.get(name)
        is_helper = isinstance(named, types.FunctionType) and named.__module__ == function.__module__
        if is_helper or isinstance(named, GENERATORS + (functools.partial,)) or isinstance(
                getattr(named, "__self__", None), GENERATORS):
            parts.append(named)
    return parts


def names_in(code: types.CodeType) -> Iterator[str]:
    """Yield the names of globals and attributes that code refers to, that of functions inside it included."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from names_in(constant)


def slots_of(value: Any) -> Dict[str, Any]:
    """Return what an object keeps in __slots__, by name."""
    names = [name for cls in type(value).__mro__ for name in _as_tuple(vars(cls).get("__slots__", ()))]
    return {name: getattr(value, name) for name in names if name != "__dict__" and hasattr(value, name)}


def _as_tuple(names: Any) -> Tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names)


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
        self.arrays: List[Tuple[np.ndarray, np.ndarray]] = []  # each with a copy
        self._dicts: List[Tuple[dict, dict]] = []
        self._sequences: List[Tuple[Any, Any]] = []
        self._groups: List[Tuple[Any, Any]] = []
        self._attributes: List[Tuple[Any, Dict[str, Any], int]] = []  # of classes and slots; how many there were
        self.generators: List[Tuple[Callable[[Any], None], Any]] = []
        self.generator_objects: List[Any] = []
        for value in reachable(roots, skip):
            self._note(value)

    def _note(self, value: Any) -> None:
        if isinstance(value, GENERATORS):
            self.generator_objects.append(value)
        if isinstance(value, dict):
            self._dicts.append((value, dict(value)))
        elif isinstance(value, (list, array.array, bytearray)):
            self._sequences.append((value, value[:]))
        elif isinstance(value, (set, deque)):
            self._groups.append((value, list(value)))
        elif isinstance(value, np.ndarray):
            self.arrays.append((value, value.copy()))
        elif isinstance(value, np.random.Generator):
            bits = value.bit_generator
            self.generators.append((lambda state: setattr(bits, "state", state), bits.state))
        elif isinstance(value, np.random.RandomState):
            self.generators.append((value.set_state, value.get_state()))
        elif isinstance(value, random.Random):
            self.generators.append((value.setstate, value.getstate()))
        elif isinstance(value, type):
            if not is_foreign(value):
                data = {name: part for name, part in vars(value).items() if not _is_code(name, part)}
                self._attributes.append((value, data, len(vars(value))))
        elif not isinstance(value, (types.ModuleType, types.FunctionType)) and not is_foreign(type(value)):
            slots = slots_of(value)
            if slots:
                self._attributes.append((value, slots, len(slots)))
            attributes = getattr(value, "__dict__", None)
            if isinstance(attributes, dict):
                self._dicts.append((attributes, dict(attributes)))

    def restore(self) -> None:
        """Put everything back."""
        for holder, content in self._dicts:
            holder.clear()
            holder.update(content)
        for sequence, items in self._sequences:
            sequence[:] = items
        for group, members in self._groups:
            group.clear()
            (group.extend if isinstance(group, deque) else group.update)(members)
        for owner, values, number in self._attributes:
            now = vars(owner) if isinstance(owner, type) else slots_of(owner)
            if len(now) > number:  # something was added
                for name in [name for name in now if name not in values and not _is_code(name, now[name])]:
                    delattr(owner, name)
            for name, part in values.items():
                if now.get(name) is not part:
                    setattr(owner, name, part)
        for held, numbers in self.arrays:
            if held.flags.writeable:
                held[...] = numbers
        for put_back, state in self.generators:
            put_back(state)


class GlobalRandomness:
    """The state of NumPy's global random numbers and of Python's, put back when the block ends.

    Inside, a generator that is made anew without a seed draws the same numbers each time.
    """

    def __init__(self, roots: Iterable[Any]) -> None:
        self._roots = list(roots)

    def __enter__(self) -> "GlobalRandomness":
        self._numpy, self._python = np.random.get_state(), random.getstate()
        original = np.random.default_rng

        def repeatable(seed: Any = None) -> Any:
            return original(0 if seed is None else seed)

        self._patched: List[Tuple[Dict[str, Any], str]] = [(vars(np.random), "default_rng")]
        self._original = original
        for function in reachable(self._roots):
            if isinstance(function, types.FunctionType):  # from numpy.random import default_rng
                self._patched += [(function.__globals__, name) for name in names_in(function.__code__)
                                  if function.__globals__.get(name) is original]
        for namespace, name in self._patched:
            namespace[name] = repeatable
        return self

    def __exit__(self, *_: Any) -> None:
        for namespace, name in self._patched:
            namespace[name] = self._original
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
    """Return how messages call a parameter, such as "Sequential[2].W" or "Mine.weights[0]"."""
    for path, below in module.named_modules():
        for label, value in Module.held(below, Parameter):  # an attribute may have that name
            if value is parameter:
                return path + label
    return fallback or f"{type(module).__name__}.{parameter.name or 'parameter'}"
