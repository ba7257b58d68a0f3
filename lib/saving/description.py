"""What an object is, as text: its class and settings, for files that must only be read back into the like.

Settings are what a constructor takes and keeps in an attribute of that name, such as eps or p_delete. So the learning
rate that a schedule has changed, the steps done so far and a module's caches are none. A class of yours may keep what
it is given under another name: then all attributes count that its constructor sets, and no other method.
"""
from __future__ import annotations

import dis
import inspect
import zlib
from typing import Any, Dict, Set

import numpy as np

from lib.network_base import Module, Parameter
from lib.saving.state import parts_of


def describe(thing: Any, under_other_names: bool = True) -> str:
    """Return an object's class and settings, and those of the modules below it.

    Without under_other_names, settings that are kept under another name than the constructor's are left out.

    >>> from lib.activations import ReLU
    >>> from lib.network import Linear, Sequential
    >>> from lib.regularizers import Dropout
    >>> print(describe(Sequential(Linear(2, 3), ReLU(), Dropout(0.2))))
    Sequential
    Sequential[0]: Linear(in_features=2, out_features=3)
    Sequential[1]: ReLU
    Sequential[2]: Dropout(p_delete=0.2, fix_seed=False, rng=None)
    """
    if not isinstance(thing, Module):
        return "\n".join(_class_and_settings(part) for part in parts_of([thing]))
    return "\n".join(("" if module is thing else f"{path}: ") + _class_and_settings(module, under_other_names)
                     for path, module in thing.named_modules())


def describe_schedule(scheduler: Any) -> str:
    """Return a schedule's class and settings; where a function gives its rates, the first of them and a checksum."""
    if scheduler is None:
        return "none"
    after, rates = getattr(scheduler, "after", None), _first_rates(getattr(scheduler, "lr_lambda", None))
    if len(rates):
        text = f"{type(scheduler).__name__} with the rates {', '.join(f'{rate:g}' for rate in rates[:3])}, ... " \
               f"(checksum {checksum(rates)})"
    else:  # another kind of schedule
        text = _class_and_settings(scheduler)
    return text if after is None else f"{text}, then {describe_schedule(after)}"


def _first_rates(rate: Any, num_epochs: int = 10000) -> np.ndarray:
    """Return the rates of the first epochs: all that a function has, as one that reads a table soon has no more."""
    rates = []
    with np.errstate(all="ignore"):
        try:
            for epoch in range(num_epochs):
                rates.append(float(rate(epoch)))
        except Exception:  # the table ends here, a power overflows, or it is no function
            pass
    return np.array(rates)


def checksum(array: Any) -> str:
    """Return a checksum of all bytes of an array."""
    array = np.ascontiguousarray(array)
    return f"{zlib.crc32(array.reshape(-1).view(np.uint8).data):08x}"


def _class_and_settings(thing: Any, under_other_names: bool = True) -> str:
    settings = ", ".join(f"{name}={value}" for name, value in _settings(thing, under_other_names).items())
    return type(thing).__name__ + (f"({settings})" if settings else "")


def _settings(thing: Any, under_other_names: bool) -> Dict[str, str]:
    """Return the arguments of an object's constructor that it keeps, as text; not what is described by itself."""
    try:
        names = list(inspect.signature(type(thing).__init__).parameters)[1:]
    except (TypeError, ValueError):
        return {}
    held = vars(thing) if hasattr(thing, "__dict__") else {}
    kept = {name: held.get(name, held.get(f"_{name}", thing)) for name in names}
    if under_other_names and any(value is thing for value in kept.values()):
        kept.update({name: held[name] for name in sorted(_set_by_constructor_alone(type(thing)) & set(held))})
    found = {name: _as_text(value) for name, value in kept.items() if value is not thing}
    return {name: text for name, text in found.items() if text}


def _set_by_constructor_alone(cls: type) -> Set[str]:
    """Return the attributes that the constructors of somebody's own class set, and none of its other methods."""
    first: Set[str] = set()
    later: Set[str] = set()
    own = [base for base in cls.__mro__ if base.__module__.split(".")[0] not in ("lib", "builtins")]
    for name, function in [item for base in own for item in vars(base).items() if inspect.isfunction(item[1])]:
        stored = {each.argval for each in dis.get_instructions(function) if each.opname == "STORE_ATTR"}
        (first if name == "__init__" else later).update(stored)
    return first - later


def _as_text(value: Any) -> str:
    """Return a setting as text; "" for what isn't one: modules, parameters, generators and other objects."""
    if value is None or isinstance(value, (bool, int, float, complex, str, np.generic)):
        return repr(value.item() if isinstance(value, np.generic) else value) if value is not None else "None"
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        return f"array{value.shape} {checksum(value)}"
    if isinstance(value, (list, tuple)):
        if any(isinstance(item, (Module, Parameter)) for item in value):
            return ""
        return f"({', '.join(map(_as_text, value))})"
    if isinstance(value, (type, np.ufunc)) or inspect.isroutine(value):
        return getattr(value, "__qualname__", getattr(value, "__name__", ""))
    return ""
