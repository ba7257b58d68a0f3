"""Attention, recurrent cells, embeddings and other modules on sequences, written by hand."""
from __future__ import annotations

import numpy as np

from lib.network_base import Module, Parameter
from tests.mutants.wild.bank import at, fixed, normal, right, wrong


def parameter(name, *shape):
    return Parameter(np.random.randn(*shape) / np.sqrt(shape[0]), name=name)


def softmax(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


@right(normal(2, 3, 4))
class AttentionByHand(Module):
    def __init__(self):
        self.Wq, self.Wk, self.Wv = parameter("Wq", 4, 4), parameter("Wk", 4, 4), parameter("Wv", 4, 4)

    def parameters(self):
        return [self.Wq, self.Wk, self.Wv]

    def forward(self, x):
        self.x = x
        self.q, self.k, self.v = x @ self.Wq.data, x @ self.Wk.data, x @ self.Wv.data
        self.a = softmax(self.q @ self.k.transpose(0, 2, 1) / 2.0)
        return self.a @ self.v

    def backward(self, grad):
        dv = self.a.transpose(0, 2, 1) @ grad
        da = grad @ self.v.transpose(0, 2, 1)
        ds = self.a * (da - (da * self.a).sum(axis=-1, keepdims=True)) / 2.0
        dq, dk = ds @ self.k, ds.transpose(0, 2, 1) @ self.q
        dx = np.zeros_like(self.x)
        for W, d in ((self.Wq, dq), (self.Wk, dk), (self.Wv, dv)):
            W.grad += np.einsum("nti,ntj->ij", self.x, d)
            dx += d @ W.data.T
        return dx


wrong(AttentionByHand, "(da - (da * self.a).sum(axis=-1, keepdims=True))", "da", "term_missing",
      "statistics_constant", "softmax_diagonal")
wrong(AttentionByHand, "keepdims=True)) / 2.0", "keepdims=True))", "factor", "term_missing")
wrong(AttentionByHand, "dq, dk = ds @ self.k, ds.transpose(0, 2, 1) @ self.q", "dq, dk = ds @ self.k, ds @ self.q",
      "transposed")
wrong(AttentionByHand, "dv = self.a.transpose(0, 2, 1) @ grad", "dv = self.a @ grad", "transposed")
wrong(AttentionByHand, "sum(axis=-1", "sum(axis=1", "wrong_axis", "transposed")
wrong(AttentionByHand, "dx += d @ W.data.T", "dx += d @ W.data", "transposed")
wrong(AttentionByHand, "dx += d", "dx = d", "single_entries", "term_missing")


@right(normal(2, 3, 3))
class CausalSoftmax(Module):
    """Scores above the diagonal become -inf before the softmax."""

    def forward(self, scores):
        mask = np.triu(np.ones(scores.shape[-2:], bool), 1)
        self.a = softmax(np.where(mask, -np.inf, scores))
        return self.a

    def backward(self, grad):
        return self.a * (grad - (grad * self.a).sum(axis=-1, keepdims=True))


wrong(CausalSoftmax, "(grad - (grad * self.a).sum(axis=-1, keepdims=True))", "grad", "term_missing",
      "statistics_constant", "softmax_diagonal")


@right(normal(2, 3, 3))
class CausalMask(Module):
    """Minus infinity stands above the diagonal of the output itself."""

    def forward(self, scores):
        self.keep = np.tril(np.ones(scores.shape[-2:], bool))
        return np.where(self.keep, scores, -np.inf)

    def backward(self, grad):
        return grad * self.keep


@right(lambda rng: (rng.integers(0, 5, (2, 3)),))
class OneHotEmbedding(Module):
    """Integers that choose rows, by comparison."""

    def __init__(self):
        self.E = parameter("E", 5, 2)

    def parameters(self):
        return [self.E]

    def forward(self, ids):
        self.hot = (ids[..., None] == np.arange(5)).astype(float)
        return self.hot @ self.E.data

    def backward(self, grad):
        self.E.grad += self.hot.reshape(-1, 5).T @ grad.reshape(-1, 2)


at(OneHotEmbedding, "ids as floats", fixed([[1.0, 4.0, 1.0]]))
wrong(OneHotEmbedding, "+=", "=", "overwritten")
wrong(OneHotEmbedding, "grad.reshape", "np.abs(grad).reshape", "upstream_absolute")


@right(lambda rng: (rng.integers(0, 5, (2, 3)),))
class TableLookup(Module):
    def __init__(self):
        self.E = parameter("E", 5, 2)

    def parameters(self):
        return [self.E]

    def forward(self, ids):
        self.ids = ids.astype(int)
        return self.E.data[self.ids]

    def backward(self, grad):
        np.add.at(self.E.grad, self.ids, grad)


at(TableLookup, "ids as floats", fixed([[1.0, 4.0, 1.0]]))
wrong(TableLookup, "np.add.at(self.E.grad, self.ids, grad)", "self.E.grad[self.ids] += grad", "single_entries",
      inputs=fixed([[1, 4, 1]]))
wrong(TableLookup, "np.add.at(self.E.grad, self.ids, grad)", "self.E.grad[self.ids] = grad", "overwritten",
      "single_entries",
      inputs=fixed([[1, 4, 1]]))


@right(normal(2, 5))
class CumulativeSum(Module):
    def forward(self, x):
        return np.cumsum(x, axis=1)

    def backward(self, grad):
        return np.cumsum(grad[:, ::-1], axis=1)[:, ::-1]


wrong(CumulativeSum, "np.cumsum(grad[:, ::-1], axis=1)[:, ::-1]", "np.cumsum(grad, axis=1)", "transposed",
      "wrong_formula")
wrong(CumulativeSum, "np.cumsum(grad[:, ::-1], axis=1)[:, ::-1]", "grad", "passed_on", "term_missing")


@right(normal(2, 6))
class Convolution1d(Module):
    """A moving window of three weights, by a loop."""

    def __init__(self):
        self.w = parameter("w", 3)

    def parameters(self):
        return [self.w]

    def forward(self, x):
        self.x = x
        out = []
        for i in range(x.shape[1] - 2):
            out.append(x[:, i:i + 3] @ self.w.data)
        return np.array(out).T

    def backward(self, grad):
        dx = np.zeros(self.x.shape)
        for i in range(grad.shape[1]):
            dx[:, i:i + 3] += np.outer(grad[:, i], self.w.data)
            self.w.grad += grad[:, i] @ self.x[:, i:i + 3]
        return dx


wrong(Convolution1d, "dx[:, i:i + 3] +=", "dx[:, i:i + 3] =", "single_entries")
wrong(Convolution1d, "self.w.data)", "self.w.data[::-1])", "transposed", "wrong_formula")
wrong(Convolution1d, "range(grad.shape[1])", "range(grad.shape[1] - 1)", "single_entries")
wrong(Convolution1d, "range(grad.shape[1])", "range(1, grad.shape[1])", "single_entries")


@right(normal(4, 3))
class Permute(Module):
    """Columns in another order."""

    order = (2, 0, 1)

    def forward(self, x):
        return x[:, self.order]

    def backward(self, grad):
        dx = np.empty_like(grad)
        dx[:, self.order] = grad
        return dx


wrong(Permute, "dx[:, self.order] = grad", "dx[...] = grad[:, self.order]", "transposed", "single_entries",
      "wrong_formula")


@right(normal(2, 3, 4))
class SwapAxes(Module):
    def forward(self, x):
        return x.transpose(0, 2, 1)

    def backward(self, grad):
        return grad.transpose(0, 2, 1)


wrong(SwapAxes, "grad.transpose(0, 2, 1)", "grad.reshape(len(grad), grad.shape[2], grad.shape[1])", "transposed")
