"""The bank of wrong implementations: a decorator puts a class into it, together with its true cause."""
from __future__ import annotations

from typing import Any, Callable, List, NamedTuple, Optional, Tuple

import numpy as np

from lib.gradient_checking.discovery import examples_of
from lib.network_base import Module
from tests.mutants.causes import CAUSES

Situation = Tuple[Module, Tuple[Any, ...]]


class Mutant(NamedTuple):
    """A wrong implementation.

    Attributes:
        module: the name of the module that it is meant to be.
        name: the name of its class.
        cause: the key of what is wrong with it, from causes.py.
        also: other causes that are as true, where one mistake can be put into words in two ways.
        situation: returns (module, inputs) on which it is checked, drawn from a random generator.
    """

    module: str
    name: str
    cause: str
    also: Tuple[str, ...]
    situation: Callable[[np.random.Generator], Situation]

    def __str__(self) -> str:
        return f"{self.module}-{self.name}"


BANK: List[Mutant] = []


def mutant(cause: str, *also: str, of: Optional[str] = None, example: int = 0,
           situation: Optional[Callable[[Any, np.random.Generator], Situation]] = None) -> Callable[[type], type]:
    """Put the decorated class into the bank.

    Args:
        cause, also: keys of causes.py; see Mutant.
        of: the module's name; that of the nearest base class from lib when it isn't given.
        example: which of the class's `examples` it is checked on.
        situation: (class, rng) -> (module, inputs), where none of the examples fits.
    """
    for key in (cause,) + also:
        assert key in CAUSES, key

    def register(cls: Any) -> type:
        name = of or next(base.__name__ for base in cls.__mro__ if base.__module__.startswith("lib."))
        make = situation or (lambda cls, rng: examples_of(cls, rng)[example])
        BANK.append(Mutant(name, cls.__name__, cause, also, lambda rng: make(cls, rng)))
        return cls

    return register
