"""How the independent bank is written down: right modules at points, and slips made in their source text."""
from __future__ import annotations

import inspect
import linecache
import sys
import textwrap
from typing import Any, Callable, List, NamedTuple, Tuple, Type

import numpy as np

from lib.network_base import Module

Inputs = Callable[[np.random.Generator], Any]


class Right(NamedTuple):
    """A right module at a point; `awkward` says what is special about the point, and is empty at an ordinary one."""

    cls: Type[Module]
    arguments: Tuple[Any, ...]
    inputs: Inputs
    awkward: str

    @property
    def name(self) -> str:
        return f"{self.cls.__name__} at {self.awkward or 'an ordinary point'}"

    def situation(self, seed: int) -> Tuple[Any, Tuple[Any, ...]]:
        return made(self, seed)


class Wrong(NamedTuple):
    """A class with one slip: its cause in words, and patterns of which a message that names it holds one."""

    cls: Type[Module]
    arguments: Tuple[Any, ...]
    inputs: Inputs
    cause: str
    says: Tuple[str, ...]

    @property
    def name(self) -> str:
        return f"{self.cls.__name__}: {self.cause}"

    def situation(self, seed: int) -> Tuple[Any, Tuple[Any, ...]]:
        return made(self, seed)


def made(case: Any, seed: int) -> Tuple[Any, Tuple[Any, ...]]:
    """Return (module, inputs) of a case; np.random's state is the seed's when the module is made."""
    state = np.random.get_state()
    np.random.seed(seed)
    try:
        inputs = case.inputs(np.random.default_rng(seed))
        return case.cls(*case.arguments), inputs if isinstance(inputs, tuple) else (inputs,)
    finally:
        np.random.set_state(state)


RIGHT: List[Right] = []
WRONG: List[Wrong] = []


def right(inputs: Inputs, *arguments: Any, awkward: str = "") -> Callable[[Type[Module]], Type[Module]]:
    """Put a class down as right at a point; the decorator nearest to the class is its ordinary point."""
    def put_down(cls: Type[Module]) -> Type[Module]:
        RIGHT.append(Right(cls, arguments, inputs, awkward))
        return cls
    return put_down


def slip(cls: Type[Module], old: str, new: str, cause: str, *says: str, at: Any = None) -> None:
    """Put down the class with a piece of its text changed, at the class's ordinary point or at another one."""
    lines = inspect.getsource(cls).splitlines(keepends=True)
    start = next(i for i, line in enumerate(lines) if line.lstrip().startswith("class "))
    text = textwrap.dedent("".join(lines[start:]))
    if text.count(old) != 1:
        raise ValueError(f"{cls.__name__}: {old!r} stands {text.count(old)} times in its text")
    text = text.replace(old, new)
    path = f"<slip {len(WRONG)} in {cls.__name__}>"
    linecache.cache[path] = (len(text), None, text.splitlines(keepends=True), path)
    names = dict(vars(sys.modules[cls.__module__]))
    exec(compile(text, path, "exec"), names)
    first = next(case for case in RIGHT if case.cls is cls)
    WRONG.append(Wrong(names[cls.__name__], first.arguments, at or first.inputs, cause, says))


def normal(*shape: int, scale: float = 1.0, shift: float = 0.0) -> Inputs:
    """Return normal numbers as the single input."""
    return lambda rng: shift + scale * rng.standard_normal(shape)


def uniform(low: float, high: float, *shape: int) -> Inputs:
    """Return uniform numbers as the single input."""
    return lambda rng: rng.uniform(low, high, shape)


def given(*arrays: Any) -> Inputs:
    """Return these very arrays (copied) as the inputs."""
    return lambda rng: tuple(np.array(array) for array in arrays)


def single(inputs: Inputs) -> Inputs:
    """Return the inputs in float32."""
    return lambda rng: np.asarray(inputs(rng)).astype(np.float32)
