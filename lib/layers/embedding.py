"""Embeddings: whole numbers, such as words or positions, become vectors that are learnt."""
from __future__ import annotations

from typing import Any, List, Optional, Tuple

import numpy as np

from lib.network_base import Module, Parameter
from lib.validation import (InputError, as_float, checked_upstream, random_source, refuse_masked, require_forward,
                            require_gradients, require_not_empty, require_size)


class Embedding(Module):
    """A table with one row for each of a number of things: y[n] = W[x[n]].

    It equals one_hot(x) W without the multiplication, so dL/dW[k] = the sum of dL/dy[n] over all n with x[n] = k.
    The indices themselves have no derivative: what backward returns for them is 0.

    Shapes: x, whole numbers of any shape, such as (batch, length); W (num_embeddings, embedding_dim);
    y (batch, length, embedding_dim).

    Args:
        num_embeddings: the number of rows; indices go from 0 to num_embeddings - 1.
        embedding_dim: the length of each vector.
        rng: draws W, N(0, 1); NumPy's global random state when it isn't given.
    """

    takes_indices = True

    def __init__(self, num_embeddings: int, embedding_dim: int, rng: Optional[np.random.Generator] = None) -> None:
        require_size("num_embeddings", num_embeddings, self)
        require_size("embedding_dim", embedding_dim, self)
        self.num_embeddings, self.embedding_dim = int(num_embeddings), int(embedding_dim)
        shape = (self.num_embeddings, self.embedding_dim)
        self.W = Parameter(random_source(rng, self).standard_normal(shape), name="W", role="table")

    @classmethod
    def examples(cls, rng: np.random.Generator) -> List[Tuple[Module, Tuple[Any, ...]]]:
        return [(cls(5, 3, rng=rng), (np.array([4, 0, 4, 1]),)), (cls(3, 2, rng=rng), (np.array([[2, 2], [0, 2]]),))]

    def parameters(self) -> List[Parameter]:
        return [] if self.W.constant else [self.W]

    def forward(self, x: np.ndarray) -> np.ndarray:
        x = self._checked_indices(x)
        self.input_cache = x
        return self.W.data[x]

    def backward(self, grad: np.ndarray) -> np.ndarray:
        x = self.input_cache
        require_forward(self, x)
        require_gradients(self, self.W)
        grad = checked_upstream(self, grad, x.shape + (self.embedding_dim,))
        each_row = np.zeros_like(self.W.data)
        np.add.at(each_row, x, grad)  # adds once for each occurrence; each_row[x] += grad would add to a row only once
        self.W.grad += each_row
        return np.zeros(x.shape)

    def _checked_indices(self, x: Any) -> np.ndarray:
        """Return x as an array of whole numbers that are rows of the table, or raise a sentence."""
        refuse_masked(x, self)
        x = np.asarray(x)
        require_not_empty(x, self)
        if x.dtype.kind not in "iu":
            raise InputError(f"{self} expects whole numbers, the indices of rows, but got an array of {x.dtype}. "
                             "Convert what is meant as an index by x.astype(int).")
        if x.min() < 0 or x.max() >= self.num_embeddings:
            bad = int(x.min() if x.min() < 0 else x.max())
            raise InputError(f"{self} expects indices from 0 to {self.num_embeddings - 1}, but got {bad}. Raise "
                             "num_embeddings, or number the things from 0.")
        return x

    def __repr__(self) -> str:
        return f"Embedding({self.num_embeddings}, {self.embedding_dim})"


class PositionalEmbedding(Module):
    """Tells each place of a sequence from the others: y[n, t] = x[n, t] + W[t].

    dL/dx = dL/dy, and dL/dW[t] = the sum of dL/dy[n, t] over the batch.

    Shapes: x (batch, length, features) with a length up to max_length; W (max_length, features).

    Args:
        max_length: the greatest length of a sequence.
        features: the length of each vector.
        rng: draws W, 0.1 * N(0, 1); NumPy's global random state when it isn't given.
    """

    def __init__(self, max_length: int, features: int, rng: Optional[np.random.Generator] = None) -> None:
        require_size("max_length", max_length, self)
        require_size("features", features, self)
        shape = (int(max_length), int(features))
        self.W = Parameter(0.1 * random_source(rng, self).standard_normal(shape), name="W", role="table")

    @classmethod
    def examples(cls, rng: np.random.Generator) -> List[Tuple[Module, Tuple[Any, ...]]]:
        return [(cls(3, 2, rng=rng), (rng.uniform(-1, 1, (2, 3, 2)),)),
                (cls(4, 3, rng=rng), (rng.uniform(-1, 1, (1, 2, 3)),))]

    def parameters(self) -> List[Parameter]:
        return [] if self.W.constant else [self.W]

    def forward(self, x: np.ndarray) -> np.ndarray:
        x = as_float(x, self)
        max_length, features = self.W.data.shape
        if x.ndim != 3 or x.shape[1] > max_length or x.shape[2] != features:
            raise InputError(f"{self} expects sequences of shape (batch, length, {features}) with a length of at most "
                             f"{max_length}, but got {x.shape}.")
        require_not_empty(x, self)
        self.input_cache = x
        return (x + self.W.data[:x.shape[1]]).astype(x.dtype, copy=False)

    def backward(self, grad: np.ndarray) -> np.ndarray:
        require_forward(self, self.input_cache)
        require_gradients(self, self.W)
        grad = checked_upstream(self, grad, self.input_cache.shape)
        unused = len(self.W.data) - grad.shape[1]
        self.W.grad += np.pad(grad.sum(axis=0), [(0, unused), (0, 0)])
        return grad.copy()

    def __repr__(self) -> str:
        return "PositionalEmbedding({}, {})".format(*self.W.data.shape)
