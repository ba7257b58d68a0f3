"""Modules of one's own, as people write them: right ones, at ordinary and awkward points, and slips in each of them.

`@right(inputs)` puts a class into the bank with inputs drawn by `inputs(rng)`; `at` adds another point for it. `wrong`
makes a subclass whose source differs in one place, as by a slip of the pen, together with the slip's true cause.
"""
from __future__ import annotations

import inspect
import textwrap
from typing import Any, Callable, List, NamedTuple, Optional, Tuple

import numpy as np

from tests.mutants.causes import CAUSES

Inputs = Callable[[np.random.Generator], Tuple[Any, ...]]


class Right(NamedTuple):
    """A right module at a point; `remark`: what the report remarks on it, besides that its values are right."""

    name: str
    cls: Any
    inputs: Inputs
    undecidable: bool = False  # whether that may be the verdict
    remark: str = ""

    def situation(self, seed: int) -> Tuple[Any, Tuple[Any, ...]]:
        return made(self.cls, self.inputs, seed)


class Wrong(NamedTuple):
    """A wrong module, with the key of its cause from causes.py and of others that are as true."""

    name: str
    cls: Any
    inputs: Inputs
    cause: str
    also: Tuple[str, ...]

    def situation(self, seed: int) -> Tuple[Any, Tuple[Any, ...]]:
        return made(self.cls, self.inputs, seed)


RIGHT: List[Right] = []
WRONG: List[Wrong] = []


def made(cls: Any, inputs: Inputs, seed: int) -> Tuple[Any, Tuple[Any, ...]]:
    """Return (module, inputs); a module that draws its parameters from np.random does so from this seed."""
    state = np.random.get_state()
    np.random.seed(seed)
    try:
        return cls(), inputs(np.random.default_rng(seed))
    finally:
        np.random.set_state(state)


def normal(*shape: int, size: float = 1.0) -> Inputs:
    """Return what draws one array of normal numbers."""
    return lambda rng: (size * rng.normal(size=shape),)


def positive(*shape: int, low: float = 0.5, high: float = 2.0) -> Inputs:
    """Return what draws one array of positive numbers."""
    return lambda rng: (rng.uniform(low, high, shape),)


def fixed(*values: Any) -> Inputs:
    """Return what gives copies of these inputs."""
    return lambda rng: tuple(np.array(value) for value in values)


def right(inputs: Inputs, undecidable: bool = False, remark: str = "") -> Callable[[Any], Any]:
    """Put the decorated class into the bank of right modules."""
    def register(cls: Any) -> Any:
        RIGHT.append(Right(cls.__name__, cls, inputs, undecidable, remark))
        return cls
    return register


def at(cls: Any, point: str, inputs: Inputs, undecidable: bool = False) -> None:
    """Add another point for a class of the bank."""
    RIGHT.append(Right(f"{cls.__name__} at {point}", cls, inputs, undecidable))


def wrong(cls: Any, old: str, new: str, cause: str, *also: str, inputs: Optional[Inputs] = None) -> None:
    """Put the class with `new` in the place of `old`, from its backward on, into the bank of wrong modules."""
    for key in (cause,) + also:
        assert key in CAUSES, key
    source = textwrap.dedent(inspect.getsource(cls))
    source = source[source.index("class "):]
    head, method, tail = source.partition("    def backward")
    assert old in tail, f"{cls.__name__}: {old!r} isn't in its backward"
    name = f"{cls.__name__}{1 + sum(mutant.name.startswith(cls.__name__ + '-') for mutant in WRONG)}"
    namespace = dict(vars(inspect.getmodule(cls)))
    exec(compile(head + method + tail.replace(old, new, 1), f"<{name}>", "exec"), namespace)
    given = inputs or next(entry.inputs for entry in RIGHT if entry.cls is cls)
    title = f"{cls.__name__}-{name[len(cls.__name__):]}: {old.strip()} -> {new.strip()}"
    WRONG.append(Wrong(title, namespace[cls.__name__], given, cause, also))


def caught(inputs: Inputs, cause: str, *also: str) -> Callable[[Any], Any]:
    """Put the decorated class into the bank of wrong modules."""
    for key in (cause,) + also:
        assert key in CAUSES, key

    def register(cls: Any) -> Any:
        WRONG.append(Wrong(cls.__name__, cls, inputs, cause, also))
        return cls
    return register
