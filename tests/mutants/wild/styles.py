"""The same few functions in the styles of many authors: precision, loops, closures, lists, views, decorators."""
from __future__ import annotations

import functools

import numpy as np

from lib.network_base import Module, Parameter
from tests.mutants.wild.bank import normal, right, wrong


@right(normal(3, 4))
class LinearByLoops(Module):
    def __init__(self):
        self.W, self.b = Parameter(np.random.randn(4, 2), name="W"), Parameter(np.random.randn(2), name="b")

    def parameters(self):
        return [self.W, self.b]

    def forward(self, x):
        self.x = x
        return np.array([[sum(x[n][i] * self.W.data[i][j] for i in range(4)) + self.b.data[j] for j in range(2)]
                         for n in range(len(x))])

    def backward(self, grad):
        dx = np.zeros(self.x.shape)
        for n in range(len(grad)):
            for j in range(2):
                self.b.grad[j] += grad[n, j]
                for i in range(4):
                    self.W.grad[i, j] += grad[n, j] * self.x[n, i]
                    dx[n, i] += grad[n, j] * self.W.data[i, j]
        return dx


wrong(LinearByLoops, "self.b.grad[j] += grad[n, j]", "self.b.grad[j] = grad[n, j]", "one_sample", "overwritten")
wrong(LinearByLoops, "dx[n, i] += ", "dx[n, i] = ", "single_entries", "overwritten", "term_missing")
wrong(LinearByLoops, "self.x[n, i]", "self.x[0, i]", "one_sample")
wrong(LinearByLoops, "for i in range(4)", "for i in range(3)", "single_entries")


@right(normal(2, 3))
class ByClosure(Module):
    """forward leaves a function that backward calls."""

    def forward(self, x):
        y = np.tanh(x)
        self.pull_back = lambda grad: grad * (1 - y * y)
        return y

    def backward(self, grad):
        return self.pull_back(grad)


wrong(ByClosure, "self.pull_back(grad)", "self.pull_back(self.pull_back(grad))", "wrong_formula", "upstream_squared")


@right(normal(2, 3))
class ByPartial(Module):
    def __init__(self):
        self.steps = []

    def forward(self, x):
        self.steps = [functools.partial(np.multiply, np.cos(x))]
        return np.sin(x)

    def backward(self, grad):
        for step in self.steps[::-1]:
            grad = step(grad)
        return grad


class Node:
    """A step of a tape, with __slots__."""

    __slots__ = ("f", "saved")

    def __init__(self, f, saved):
        self.f, self.saved = f, saved


@right(normal(2, 3))
class ByTape(Module):
    """Steps are pushed and popped, so one backward belongs to one forward."""

    def __init__(self):
        self.tape = []

    def forward(self, x):
        self.tape = [Node(lambda g, s: g * s, np.exp(x))]
        self.tape.append(Node(lambda g, s: g / s, np.exp(x) + 1))
        return np.log(np.exp(x) + 1)

    def backward(self, grad):
        while self.tape:
            node = self.tape.pop()
            grad = node.f(grad, node.saved)
        return grad


@right(normal(2, 3))
class FreesItsCache(Module):
    def forward(self, x):
        self.cache = x
        return x ** 2

    def backward(self, grad):
        x, self.cache = self.cache, None
        return 2 * x * grad


wrong(FreesItsCache, "2 * x", "x", "factor")


@right(normal(3, 4), remark="upstream gradient changed in place")
class TextbookReLU(Module):
    """The textbook's: writes zeros into the gradient that it got."""

    def forward(self, x):
        self.mask = x <= 0
        out = x.copy()
        out[self.mask] = 0
        return out

    def backward(self, dout):
        dout[self.mask] = 0
        return dout


wrong(TextbookReLU, "dout[self.mask] = 0", "dout[~self.mask] = 0", "mask_inverted", "changes_upstream")


@right(normal(3, 4))
class ListOfRows(Module):
    """Outputs and gradients as lists of rows that become arrays."""

    def forward(self, x):
        self.rows = [row for row in x]
        return np.vstack([row * abs(row).sum() for row in self.rows])

    def backward(self, grad):
        return np.vstack([g * abs(r).sum() + np.sign(r) * (g @ r) for g, r in zip(grad, self.rows)])


wrong(ListOfRows, " + np.sign(r) * (g @ r)", "", "term_missing", "statistics_constant")
wrong(ListOfRows, "g * abs(r).sum() + ", "", "term_missing")


@right(normal(3, 4))
class NestedLists(Module):
    """Plain Python numbers all the way."""

    def forward(self, x):
        self.x = x.tolist()
        return [[v * v for v in row] for row in self.x]

    def backward(self, grad):
        return np.array([[2 * v * g for v, g in zip(row, gs)] for row, gs in zip(self.x, grad.tolist())])


wrong(NestedLists, "2 * v", "v", "factor")


@right(normal(3, 4))
class FlatVector(Module):
    """All parameters are views of one flat vector, as for an optimiser over vectors."""

    def __init__(self):
        self.theta = np.random.randn(4 * 2 + 2)
        self.W, self.b = Parameter(np.zeros((4, 2)), name="W"), Parameter(np.zeros(2), name="b")
        self.W.share(self.theta[:8].reshape(4, 2))
        self.b.share(self.theta[8:])

    def parameters(self):
        return [self.W, self.b]

    def forward(self, x):
        self.x = x
        return x @ self.theta[:8].reshape(4, 2) + self.theta[8:]

    def backward(self, grad):
        self.W.grad += self.x.T @ grad
        self.b.grad += grad.sum(axis=0)
        return grad @ self.theta[:8].reshape(4, 2).T


wrong(FlatVector, "grad.sum(axis=0)", "grad.mean(axis=0)", "mean_for_sum")
wrong(FlatVector, "self.x.T @ grad", "2 * self.x.T @ grad", "factor")


@right(normal(3, 4))
class SecondName(Module):
    """The weights have a short name, which forward uses."""

    def __init__(self):
        self.W = Parameter(np.random.randn(4, 2), name="W")
        self.w = self.W.data

    def parameters(self):
        return [self.W]

    def forward(self, x):
        self.x = x
        return x @ self.w

    def backward(self, grad):
        self.W.grad += self.x.T @ grad
        return grad @ self.w.T


wrong(SecondName, "self.x.T @ grad", "self.x.T @ grad / len(grad)", "mean_for_sum")


@right(normal(3, 3))
class TransposedView(Module):
    """A tied weight as a view of the other's transpose."""

    def __init__(self):
        self.W = Parameter(np.random.randn(3, 2), name="W")
        self.decoder = self.W.data.T

    def parameters(self):
        return [self.W]

    def forward(self, x):
        self.x = x
        self.h = x @ self.W.data
        return self.h @ self.decoder

    def backward(self, grad):
        dh = grad @ self.decoder.T
        self.W.grad += self.x.T @ dh + grad.T @ self.h
        return dh @ self.W.data.T


wrong(TransposedView, " + grad.T @ self.h", "", "term_missing")


@right(normal(3, 4))
class ReturnsViews(Module):
    """forward and backward return views, as reshape does."""

    def forward(self, x):
        self.shape = x.shape
        return x.reshape(-1, 2)

    def backward(self, grad):
        return grad.reshape(self.shape)


@right(lambda rng: (np.asfortranarray(rng.normal(size=(3, 4))),))
class FortranOrder(Module):
    def forward(self, x):
        self.x = x
        return np.asfortranarray(x.T @ x)

    def backward(self, grad):
        return self.x @ (grad + grad.T)


wrong(FortranOrder, "(grad + grad.T)", "grad", "term_missing")
wrong(FortranOrder, "(grad + grad.T)", "(2 * grad)", "transposed", "wrong_formula", "term_missing")


@right(normal(3, 3))
class PropertyAndSetter(Module):
    """State behind properties."""

    def __init__(self):
        self._cache = {}

    @property
    def x(self):
        return self._cache["x"]

    def forward(self, x):
        self._cache["x"] = x
        return np.exp(self.x)

    def backward(self, grad):
        return grad * np.exp(self._cache.pop("x"))
