"""Modules that compute in float32 or float16, or round, and numbers that tie or nearly do."""
from __future__ import annotations

import numpy as np

from lib.network_base import Module, Parameter
from tests.mutants.wild.bank import at, fixed, normal, right, wrong


@right(normal(4, 5))
class SigmoidInSingle(Module):
    """The result is rounded to float32."""

    def forward(self, x):
        self.y = 1 / (1 + np.exp(-x))
        return self.y.astype(np.float32)

    def backward(self, grad):
        return grad * self.y * (1 - self.y)


wrong(SigmoidInSingle, " * (1 - self.y)", "", "term_missing")
wrong(SigmoidInSingle, "1 - self.y", "1 + self.y", "sign", "wrong_formula")


@right(normal(3, 4))
class SoftmaxCastOnEntry(Module):
    def forward(self, logits):
        logits = np.asarray(logits, dtype=np.float32)
        e = np.exp(logits - logits.max(axis=1, keepdims=True))
        self.p = e / e.sum(axis=1, keepdims=True)
        return self.p

    def backward(self, grad):
        return self.p * (grad - (grad * self.p).sum(axis=1, keepdims=True))


wrong(SoftmaxCastOnEntry, " - (grad * self.p).sum(axis=1, keepdims=True)", "", "term_missing", "softmax_diagonal",
      "statistics_constant")


@right(normal(3, 4))
class SquareFillsSingle(Module):
    """A loop fills an array of float32."""

    def forward(self, x):
        self.x = x
        out = np.zeros(x.shape, dtype=np.float32)
        for i in range(x.shape[0]):
            for j in range(x.shape[1]):
                out[i, j] = x[i, j] ** 2
        return out

    def backward(self, grad):
        return 2 * self.x * grad


wrong(SquareFillsSingle, "2 * ", "", "factor")
wrong(SquareFillsSingle, "2 * self.x", "self.x ** 2", "wrong_formula")


@right(lambda rng: (rng.normal(size=(4, 2)), rng.normal(size=(4, 2))))
class SquaredErrorInSingle(Module):
    def forward(self, preds, labels):
        self.d = preds - labels
        return np.float32(np.mean(self.d ** 2))

    def backward(self, _=None):
        return 2 * self.d / self.d.size


wrong(SquaredErrorInSingle, "2 * ", "", "factor")
wrong(SquaredErrorInSingle, " / self.d.size", "", "missing_1_nk")


@right(normal(3, 3))
class RoundedOutput(Module):
    def forward(self, x):
        self.y = np.tanh(x)
        return np.round(self.y, 6)

    def backward(self, grad):
        return grad * (1 - self.y ** 2)


wrong(RoundedOutput, " ** 2", "", "wrong_formula")


@right(normal(3, 3))
class HalfPrecision(Module):
    def forward(self, x):
        self.x = x
        return (3 * x).astype(np.float16)

    def backward(self, grad):
        return 3 * grad


wrong(HalfPrecision, "3 * grad", "-3 * grad", "sign")
wrong(HalfPrecision, "3 * grad", "grad", "passed_on", "factor")


@right(normal(3, 4))
class LinearInSingle(Module):
    """Parameters and inputs are cast before the product."""

    def __init__(self):
        self.W = Parameter(np.random.randn(4, 2), name="W")

    def parameters(self):
        return [self.W]

    def forward(self, x):
        self.x = x.astype(np.float32)
        return self.x @ self.W.data.astype(np.float32)

    def backward(self, grad):
        self.W.grad += self.x.T @ grad
        return grad @ self.W.data.T


wrong(LinearInSingle, "self.x.T @ grad", "-self.x.T @ grad", "sign")


@right(normal(5, 2))
class MedianOfColumns(Module):
    def forward(self, x):
        self.order = np.argsort(x, axis=0)
        self.shape = x.shape
        return np.median(x, axis=0)

    def backward(self, grad):
        dx = np.zeros(self.shape)
        middle = self.order[self.shape[0] // 2]
        if self.shape[0] % 2:
            dx[middle, np.arange(self.shape[1])] = grad
        else:
            other = self.order[self.shape[0] // 2 - 1]
            dx[middle, np.arange(self.shape[1])] = grad / 2
            dx[other, np.arange(self.shape[1])] = grad / 2
        return dx


at(MedianOfColumns, "close numbers", fixed([[1.0], [1.00001], [1.00002], [3.0], [-1.0]]))


@right(normal(3, 4))
class SortedRows(Module):
    def forward(self, x):
        self.order = np.argsort(x, axis=1)
        return np.take_along_axis(x, self.order, axis=1)

    def backward(self, grad):
        dx = np.zeros_like(grad)
        np.put_along_axis(dx, self.order, grad, axis=1)
        return dx


at(SortedRows, "close numbers", fixed([[1.0, 1.00001, 0.99999, -2.0]]))
wrong(SortedRows, "np.put_along_axis(dx, self.order, grad, axis=1)",
      "dx = np.take_along_axis(grad, self.order, axis=1)",
      "transposed", "wrong_formula")
wrong(SortedRows, "np.put_along_axis(dx, self.order, grad, axis=1)", "dx = grad", "passed_on", "transposed")
