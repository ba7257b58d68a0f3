"""The bank of correct situations: a decorator puts a function into it."""
from __future__ import annotations

from typing import Any, Callable, List, Tuple

import numpy as np

from lib.network_base import Module

Situation = Tuple[Module, Tuple[Any, ...]]
SITUATIONS: List[Callable[[np.random.Generator], Situation]] = []


def situation(make: Callable[[np.random.Generator], Situation]) -> Callable[[np.random.Generator], Situation]:
    """Put a function that returns (module, inputs) into the bank."""
    SITUATIONS.append(make)
    return make
