"""A skip connection around a module."""
from __future__ import annotations

from typing import Any, List, Optional, Sequence, Tuple

import numpy as np

from lib.network import Linear, Sequential
from lib.network_base import Module, Parameter
from lib.validation import InputError, as_float, require_module


class Residual(Module):
    """A skip connection around a module: y = m(x) + s(x), where the shortcut s is the identity if none is given.

    dL/dx = (dL/dy through m) + (dL/dy through s): the error also flows back past m, without being weakened by it.

    Args:
        module: the module that is skipped; without a shortcut, its output must have its input's shape.
        shortcut: a module on the skip connection, such as Linear(1, 1, bias=False) for a weight of its own.

    Source: K. He, X. Zhang, S. Ren, J. Sun: Deep residual learning for image recognition, CVPR 2016.
    """

    passes_nodes_on = True  # in a graph, its modules are nodes, and it isn't one itself

    def __init__(self, module: Module, shortcut: Optional[Module] = None) -> None:
        require_module("module", module, self)
        if shortcut is not None:
            require_module("shortcut", shortcut, self)
        self.module = module
        self.shortcut = shortcut

    @classmethod
    def examples(cls, rng: np.random.Generator) -> List[Tuple[Module, Tuple[Any, ...]]]:
        from lib.layers.activations import Tanh
        x = rng.uniform(-1, 1, (2, 3))
        return [(cls(Sequential(Linear(3, 3), Tanh())), (x,)), (cls(Linear(3, 2), shortcut=Linear(3, 2)), (x,))]

    def parameters(self) -> Sequence[Parameter]:
        shortcut = () if self.shortcut is None else self.shortcut.parameters()
        return list(dict.fromkeys([*self.module.parameters(), *shortcut]))

    def forward(self, x: np.ndarray) -> np.ndarray:
        x = as_float(x, self)
        main = self.module(x)
        skipped = x if self.shortcut is None else self.shortcut(x)
        if main.shape != skipped.shape:
            raise InputError(f"{self} adds what its module and its shortcut give, so both must have one shape, but got "
                             f"{main.shape} from the module and {skipped.shape} from the shortcut. Give it a shortcut "
                             "such as Linear(in_features, out_features, bias=False).")
        return main + skipped

    def backward(self, grad: np.ndarray) -> np.ndarray:
        skipped = grad if self.shortcut is None else self.shortcut.backward(grad)
        return self.module.backward(grad.copy()) + skipped  # whatever the module does to it, the skip path has its own

    def __repr__(self) -> str:
        return f"Residual({self.module!r}{'' if self.shortcut is None else f', shortcut={self.shortcut!r}'})"
