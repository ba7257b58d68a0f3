"""Self-attention: each place of a sequence looks at the others and takes from them what fits it.

Each place makes three vectors from its input: a query (what am I looking for?), a key (what do I have?) and a value
(what do I give?). For matrices Q, K, V, (length, d), whose rows these are, the places receive

    Y = A V,   A = softmax(S) in each row,   S = Q K^T / sqrt(d).

The root keeps the scores S at a variance of about 1. With a causal mask, S[t, u] = -infinity for u > t, so that
A[t, u] = 0: no place sees those after it. Backward, from G = dL/dY, each product as in Linear:

    dL/dV = A^T G,   dL/dA = G V^T,   dL/dS_tu = A_tu (dL/dA_tu - sum_v dL/dA_tv A_tv), as softmax has it,
    dL/dQ = dL/dS K / sqrt(d),   dL/dK = (dL/dS)^T Q / sqrt(d).
"""
from __future__ import annotations

import math
from typing import Any, List, Optional, Tuple

import numpy as np

from lib.layers.initializers import xavier_uniform
from lib.network import Linear
from lib.network_base import Module, Parameter
from lib.numerics import stable_softmax
from lib.validation import (InputError, as_float, checked_upstream, require_choice, require_forward,
                            require_not_empty, require_size)


def transpose(a: np.ndarray) -> np.ndarray:
    """Return the transpose of each matrix of a stack."""
    return a.swapaxes(-1, -2)


def checked_sequences(module: Any, x: Any, features: int) -> np.ndarray:
    """Return x as a float array (batch, length, features), or raise a sentence that says how it isn't one."""
    x = as_float(x, module)
    if x.ndim != 3 or x.shape[2] != features:
        raise InputError(f"{module} expects sequences of shape (batch, length, {features}), but got {x.shape}. "
                         f"{'For a single sequence, use x[np.newaxis].' if x.ndim == 2 else ''}".rstrip())
    require_not_empty(x, module)
    return x


def checked_mask(module: Any, mask: Any, x: np.ndarray) -> np.ndarray:
    """Return a padding mask as booleans (batch, length), or raise a sentence that says how it isn't one."""
    mask = np.asarray(getattr(mask, "value", mask))
    if mask.dtype != bool or mask.shape != x.shape[:2]:
        raise InputError(f"{module} expects its mask to be booleans of shape (batch, length) = {x.shape[:2]}, True "
                         f"where there is something and False in padded places, but got {mask.dtype} of shape "
                         f"{mask.shape}.")
    if not mask.any(axis=1).all():
        raise InputError(f"{module}: by its mask, sequence {int(np.argmin(mask.any(axis=1)))} has nothing but padding.")
    return mask


class SelfAttention(Module):
    """Self-attention with a single head: Y = softmax(Q K^T / sqrt(d)) V, with Q, K and V linear in x; see above.

    Shapes: x (batch, length, features), y (batch, length, head_features). After a call, `weights` holds A,
    (batch, heads, length, length): row t says how much the place t took from each place.

    Sequences of different lengths are padded to one, and told apart by a mask, (batch, length): `attention(x, mask)`.
    Inside of other modules, such as a Sequential, Padded (in lib.layers.padding) around the whole model does that.
    No place takes anything from a padded one, as S = -infinity there; what padded places get is of no use to anybody.

    Args:
        features: the length of each input vector.
        head_features: d, the length of queries, keys and values; as many as features when it isn't given.
        causal: whether each place sees only itself and those before it.
        rng: draws the weights (Xavier); NumPy's global random state when it isn't given. Biases start as zeros.

    Source: A. Vaswani et al.: Attention is all you need, NeurIPS 2017.
    """

    takes_any_number = True

    heads = 1
    weights: Any = None
    mask: Any = None  # what Padded gives it for the time of a forward pass

    def __init__(self, features: int, head_features: Optional[int] = None, causal: bool = False,
                 rng: Optional[np.random.Generator] = None) -> None:
        require_size("features", features, self)
        width = features if head_features is None else head_features
        require_size("head_features", width, self)
        self.features = int(features)
        require_choice("causal", causal, (True, False), self)
        self.causal = bool(causal)
        self.query = _projection("Q", features, width, rng)
        # A bias b of the keys would add q . b to all scores of the row of q, which softmax doesn't notice.
        self.key = _projection("K", features, width, rng, bias=False)
        self.value = _projection("V", features, width, rng)

    @classmethod
    def examples(cls, rng: np.random.Generator) -> List[Tuple[Module, Tuple[Any, ...]]]:
        return [(cls(3, 2, rng=rng), (rng.uniform(-1, 1, (2, 3, 3)),)),
                (cls(2, causal=True, rng=rng), (rng.uniform(-1, 1, (1, 4, 2)),))]

    def parameters(self) -> List[Parameter]:
        return list(dict.fromkeys(parameter for linear in (self.query, self.key, self.value)
                                  for parameter in linear.parameters()))

    def forward(self, x: np.ndarray, mask: Any = None) -> np.ndarray:
        x = checked_sequences(self, x, self.features)
        mask = self.mask if mask is None else mask
        rows = x.reshape(-1, self.features)  # each place of each sequence as one row for the linear layers
        Q, K, V = (self._split(linear(rows), x) for linear in (self.query, self.key, self.value))
        S = Q @ transpose(K) / math.sqrt(Q.shape[-1])
        if self.causal:
            S = np.where(np.tri(x.shape[1], dtype=bool), S, -np.inf)
        if mask is not None:  # a causal place whose past is padding sees itself alone
            seen = checked_mask(self, mask, x)[:, np.newaxis, np.newaxis] | np.eye(x.shape[1], dtype=bool)
            S = np.where(seen, S, -np.inf)
        self.weights = stable_softmax(S)
        self.input_cache = (x, Q, K, V)
        return self._merge(self.weights @ V).reshape(x.shape[:2] + (-1,))

    def on_nodes(self, x: Any, mask: Any = None) -> Any:
        """Say what forward does to a node of a graph, in the names of the paper."""
        mask = self.mask if mask is None else mask
        Q = self._heads_of(x @ self.query.W.data + self.query.b.data).named("Q")
        K = self._heads_of(x @ self.key.W.data).named("K")
        V = self._heads_of(x @ self.value.W.data + self.value.b.data).named("V")
        S = Q @ K.swapaxes(-1, -2) / math.sqrt(Q.shape[-1])
        if self.causal:
            S = np.where(np.tri(x.shape[1], dtype=bool), S, -np.inf)
        if mask is not None:
            seen = checked_mask(self, mask, x)[:, np.newaxis] | np.eye(x.shape[1], dtype=bool)
            S = np.where(seen if self.heads == 1 else seen[:, np.newaxis], S, -np.inf)
        A = S.named("S").softmax(axis=-1).named("A")
        return A @ V if self.heads == 1 else (A @ V).swapaxes(1, 2).reshape(x.shape)

    def _heads_of(self, x: Any) -> Any:
        """Return (batch, length, heads * d) as (batch, heads, length, d), unless there is one head."""
        return x if self.heads == 1 else x.reshape(x.shape[:2] + (self.heads, -1)).swapaxes(1, 2)

    def backward(self, grad: np.ndarray) -> np.ndarray:
        require_forward(self, self.input_cache)
        x, Q, K, V = self.input_cache
        grad = checked_upstream(self, grad, x.shape[:2] + (self.heads * V.shape[-1],))
        G = self._split(grad, x)
        grad_V = transpose(self.weights) @ G
        grad_A = G @ transpose(V)
        grad_S = self.weights * (grad_A - (grad_A * self.weights).sum(axis=-1, keepdims=True))
        grad_Q = grad_S @ K / math.sqrt(Q.shape[-1])
        grad_K = transpose(grad_S) @ Q / math.sqrt(Q.shape[-1])
        # x goes three ways, so its gradient is the sum of what comes back on them
        grad_rows = (self.query.backward(self._merge(grad_Q)) + self.key.backward(self._merge(grad_K))
                     + self.value.backward(self._merge(grad_V)))
        return grad_rows.reshape(x.shape)

    def _split(self, rows: np.ndarray, x: np.ndarray) -> np.ndarray:
        """Return rows (batch * length, heads * d) as one matrix for each head: (batch, heads, length, d)."""
        return rows.reshape(x.shape[:2] + (self.heads, -1)).swapaxes(1, 2)

    @staticmethod
    def _merge(stack: np.ndarray) -> np.ndarray:
        """Return (batch, heads, length, d) as rows again, (batch * length, heads * d): the heads side by side."""
        batch, heads, length, d = stack.shape
        return stack.swapaxes(1, 2).reshape(batch * length, heads * d)

    def __repr__(self) -> str:
        return f"SelfAttention({self.features}, {self.value.W.data.shape[1]}{', causal=True' if self.causal else ''})"


class MultiHeadSelfAttention(SelfAttention):
    """Self-attention with several heads: each looks for something else, and a linear layer joins what they find.

    Each head works on a share of the queries, keys and values, d = features / heads numbers of each vector. With the
    heads' results side by side: y = [Y_1, ..., Y_heads] W + b.

    Shapes: x and y (batch, length, features).

    Args:
        features: the length of each input and output vector.
        heads: their number, a divisor of features.
        causal: whether each place sees only itself and those before it.
        rng: draws the weights (Xavier); NumPy's global random state when it isn't given. Biases start as zeros.

    Source: A. Vaswani et al.: Attention is all you need, NeurIPS 2017.
    """

    def __init__(self, features: int, heads: int, causal: bool = False,
                 rng: Optional[np.random.Generator] = None) -> None:
        super().__init__(features, causal=causal, rng=rng)
        require_size("heads", heads, self)
        if features % heads != 0:
            raise InputError(f"MultiHeadSelfAttention expects heads to divide features = {features}, as each head gets "
                             f"an equal share of them, but got {heads} heads.")
        self.heads = int(heads)
        self.output = _projection("O", features, features, rng)

    @classmethod
    def examples(cls, rng: np.random.Generator) -> List[Tuple[Module, Tuple[Any, ...]]]:
        return [(cls(4, 2, rng=rng), (rng.uniform(-1, 1, (2, 3, 4)),)),
                (cls(2, 2, causal=True, rng=rng), (rng.uniform(-1, 1, (1, 4, 2)),))]

    def parameters(self) -> List[Parameter]:
        return list(dict.fromkeys([*super().parameters(), *self.output.parameters()]))

    def forward(self, x: np.ndarray, mask: Any = None) -> np.ndarray:
        joined = super().forward(x, mask)
        return self.output(joined.reshape(-1, self.features)).reshape(joined.shape)

    def on_nodes(self, x: Any, mask: Any = None) -> Any:
        return super().on_nodes(x, mask).named("Y") @ self.output.W.data + self.output.b.data

    def backward(self, grad: np.ndarray) -> np.ndarray:
        if self.input_cache is None:
            require_forward(self, None)
        grad = checked_upstream(self, grad, self.input_cache[0].shape)
        grad_joined = self.output.backward(grad.reshape(-1, self.features))
        return super().backward(grad_joined.reshape(grad.shape))

    def __repr__(self) -> str:
        return f"MultiHeadSelfAttention({self.features}, {self.heads}{', causal=True' if self.causal else ''})"


class PerPosition(Module):
    """Applies a module to each place of a sequence on its own: (batch, length, features) as batch * length rows.

    Args:
        module: a module of rows, such as Linear or a Sequential of Linear and ReLU.
    """

    passes_nodes_on = True  # in a graph, its module is a node, and it isn't one itself

    def __init__(self, module: Module) -> None:
        self.module = module

    @classmethod
    def examples(cls, rng: np.random.Generator) -> List[Tuple[Module, Tuple[Any, ...]]]:
        return [(cls(Linear(3, 2)), (rng.uniform(-1, 1, (2, 4, 3)),))]

    def parameters(self) -> List[Parameter]:
        return list(self.module.parameters())

    def forward(self, x: np.ndarray) -> np.ndarray:
        x = as_float(x, self)
        if x.ndim != 3:
            raise InputError(f"{self} expects sequences of shape (batch, length, features), but got {x.shape}.")
        require_not_empty(x, self)
        y = self.module(x.reshape(-1, x.shape[2])).reshape(x.shape[:2] + (-1,))
        self.input_cache = (x.shape, y.shape)
        return y

    def backward(self, grad: np.ndarray) -> np.ndarray:
        require_forward(self, self.input_cache)
        x_shape, y_shape = self.input_cache
        grad = checked_upstream(self, grad, y_shape)
        return self.module.backward(grad.reshape(-1, y_shape[2])).reshape(x_shape)

    def __repr__(self) -> str:
        return f"PerPosition({self.module!r})"


def _projection(to: str, in_features: int, out_features: int, rng: Optional[np.random.Generator],
                bias: bool = True) -> Linear:
    """Return a linear layer to Q, K, V or O, whose weights keep the size of the signal and whose bias starts at 0."""
    linear = Linear(in_features, out_features)
    linear.W = Parameter(xavier_uniform((in_features, out_features), rng), name=f"W_{to}", role="weight")
    linear.b = Parameter(np.zeros(out_features), name=f"b_{to}", constant=not bias, role="bias")
    return linear
