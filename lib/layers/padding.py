"""Sequences of different lengths in one batch: padded to one length, with attention that looks past the padding."""
from __future__ import annotations

from typing import Any, List, Sequence, Tuple

import numpy as np

from lib.layers.attention import SelfAttention
from lib.layers.embedding import Embedding
from lib.network import Sequential
from lib.network_base import Module, Parameter
from lib.validation import InputError, refuse_masked, require_module


class Padded(Module):
    """A model of sequences whose attention, at any depth, takes nothing from the places that hold the padding.

    The mask is read off the input: a place is padding where its number, or each of its features, equals `padding`. So
    fit, predict and evaluate need no more than x. What the model gives for padded places is of no use to anybody.

        model = Padded(Sequential(Embedding(1000, 32), Residual(MultiHeadSelfAttention(32, 4)), ...), padding=0)
        model(x)                                     # x: (batch, length), shorter sequences filled up with 0

    Shapes: x (batch, length) or (batch, length, features), as the model takes it; y as the model gives it.

    Args:
        model: the model, with SelfAttention or MultiHeadSelfAttention somewhere in it.
        padding: the number that fills up shorter sequences.
    """

    passes_nodes_on = True  # in a graph, its modules are nodes, and it isn't one itself

    def __init__(self, model: Module, padding: float = 0) -> None:
        require_module("model", model, self)
        if not any(isinstance(module, SelfAttention) for _, module in model.named_modules()):
            raise InputError(f"Padded is for a model with SelfAttention in it, but {model!r} has none.")
        if np.ndim(padding) or not np.isreal(padding):
            raise InputError(f"Padded expects padding to be the number in padded places, but got {padding!r}.")
        self.model, self.padding = model, padding

    @classmethod
    def examples(cls, rng: np.random.Generator) -> List[Tuple[Module, Tuple[Any, ...]]]:
        x = np.array([[2, 4, 1], [3, 1, 0], [2, 0, 0]])
        return [(cls(Sequential(Embedding(5, 4, rng=rng), SelfAttention(4, rng=rng))), (x,))]

    def parameters(self) -> Sequence[Parameter]:
        return self.model.parameters()

    def forward(self, x: Any) -> Any:
        refuse_masked(x, self)
        values = np.asarray(getattr(x, "value", x))
        if values.ndim not in (2, 3):
            raise InputError(f"Padded expects sequences of shape (batch, length) or (batch, length, features), but got "
                             f"{values.shape}.")
        mask = values != self.padding
        attentions = [module for _, module in self.model.named_modules() if isinstance(module, SelfAttention)]
        try:
            for attention in attentions:
                attention.mask = mask if mask.ndim == 2 else mask.any(axis=2)
            return self.model(x)
        finally:
            for attention in attentions:
                attention.mask = None

    def backward(self, grad: np.ndarray) -> np.ndarray:
        return self.model.backward(grad)

    def __repr__(self) -> str:
        return f"Padded({self.model!r}, padding={self.padding!r})"
