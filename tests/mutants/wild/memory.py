"""State, shared layers, constants, unusual batches and parameters."""
from __future__ import annotations

import collections

import numpy as np

from lib.network import Linear
from lib.network_base import Module, Parameter
from tests.mutants.wild.bank import at, fixed, normal, right, wrong


@right(normal(2, 3))
class CountsInADeque(Module):
    """Keeps its last inputs in a deque."""

    def __init__(self):
        self.last = collections.deque(maxlen=2)

    def forward(self, x):
        self.last.append(x)
        return np.sinh(x)

    def backward(self, grad):
        return grad * np.cosh(self.last[-1])


wrong(CountsInADeque, "self.last[-1]", "self.last[0]", "stale_cache")


@right(normal(2, 3))
class SharedLayerRecomputed(Module):
    """One layer is used twice; backward calls forward again to restore its cache."""

    def __init__(self):
        self.layer = Linear(3, 3)
        self.layer.W.data = np.random.randn(3, 3)

    def parameters(self):
        return self.layer.parameters()

    def forward(self, x):
        self.x = x
        self.h = self.layer(x)
        return self.layer(self.h)

    def backward(self, grad):
        grad = self.layer.backward(grad)
        self.layer(self.x)
        return self.layer.backward(grad)


wrong(SharedLayerRecomputed, "self.layer(self.x)", "pass", "stale_cache", "wrong_formula")


@right(normal(3, 4))
class FrozenBackbone(Module):
    """The first layer isn't trained: its parameters are constants, and parameters() leaves them out."""

    def __init__(self):
        self.backbone, self.head = Linear(4, 3), Linear(3, 2)
        for parameter in (*self.backbone.parameters(), *self.head.parameters()):
            parameter.data = np.random.randn(*parameter.data.shape)
        for parameter in self.backbone.parameters():
            parameter.constant = True

    def parameters(self):
        return self.head.parameters()

    def forward(self, x):
        return self.head(np.tanh(self.backbone(x)))

    def backward(self, grad):
        grad = self.head.backward(grad)
        return self.backbone.backward(grad * (1 - self.head.input_cache ** 2))


wrong(FrozenBackbone, " * (1 - self.head.input_cache ** 2)", "", "term_missing", "wrong_formula")


@right(normal(3, 4))
class ConstantBias(Module):
    def __init__(self):
        self.W = Parameter(np.random.randn(4, 2), name="W")
        self.b = Parameter(np.ones(2), name="b")
        self.b.constant = True

    def parameters(self):
        return [self.W]

    def forward(self, x):
        self.x = x
        return x @ self.W.data + self.b.data

    def backward(self, grad):
        self.W.grad += self.x.T @ grad
        return grad @ self.W.data.T


@right(lambda rng: (rng.normal(size=(4, 3)),))
class PairDifferences(Module):
    """Rows are pairs; an odd row is silently left over."""

    def forward(self, x):
        self.n = len(x)
        half = self.n // 2
        return x[:half] - x[half:2 * half]

    def backward(self, grad):
        dx = np.zeros((self.n, grad.shape[1]))
        half = self.n // 2
        dx[:half], dx[half:2 * half] = grad, -grad
        return dx


@right(lambda rng: (rng.normal(size=(6, 2)),))
class BatchCovariance(Module):
    """A matrix from the whole batch."""

    def forward(self, x):
        self.c = x - x.mean(axis=0)
        return self.c.T @ self.c / len(x)

    def backward(self, grad):
        d = self.c @ (grad + grad.T) / len(self.c)
        return d - d.mean(axis=0)


wrong(BatchCovariance, "(grad + grad.T)", "(2 * grad)", "transposed", "wrong_formula", "term_missing")
wrong(BatchCovariance, " / len(self.c)", "", "missing_1_n", "factor")


@right(normal(3, 4))
class PositiveScale(Module):
    """|gamma| x, with gamma ones."""

    def __init__(self):
        self.gamma = Parameter(np.ones(4), name="gamma")

    def parameters(self):
        return [self.gamma]

    def forward(self, x):
        self.x = x
        return np.abs(self.gamma.data) * x

    def backward(self, grad):
        self.gamma.grad += (grad * self.x).sum(axis=0) * np.sign(self.gamma.data)
        return grad * np.abs(self.gamma.data)


wrong(PositiveScale, " * np.sign(self.gamma.data)", "", "negative_side", "term_missing", "wrong_formula")
wrong(PositiveScale, "grad * np.abs(self.gamma.data)", "grad * self.gamma.data", "negative_side", "wrong_formula",
      "single_entries")


@right(normal(2, 3))
class KeepsGradientsOfNone(Module):
    """Starts with gradients of None."""

    def __init__(self):
        self.a = Parameter(np.random.randn(3), name="a")
        self.a.grad = None

    def parameters(self):
        return [self.a]

    def forward(self, x):
        self.x = x
        return self.a.data * x

    def backward(self, grad):
        add = (grad * self.x).sum(axis=0)
        self.a.grad = add if self.a.grad is None else self.a.grad + add
        return grad * self.a.data


@right(normal(2, 3))
class HugeAndTinyParameters(Module):
    def __init__(self):
        self.big, self.small = Parameter(np.array([1e8, 1.0, 3.0])), Parameter(np.array([1e-8, 1.0, 1e-3]))

    def parameters(self):
        return [self.big, self.small]

    def forward(self, x):
        self.x = x
        return x * self.big.data + x / self.small.data

    def backward(self, grad):
        self.big.grad += (grad * self.x).sum(axis=0)
        self.small.grad += (-grad * self.x / self.small.data ** 2).sum(axis=0)
        return grad * self.big.data + grad / self.small.data


wrong(HugeAndTinyParameters, " / self.small.data ** 2", " / self.small.data", "wrong_formula", "single_entries",
      "term_missing")


@right(normal(2, 3))
class ScalarInputOutput(Module):
    """The mean of everything, but not a loss: it takes an upstream gradient."""

    def forward(self, x):
        self.shape = x.shape
        return x.mean()

    def backward(self, grad):
        return grad * np.ones(self.shape) / np.prod(self.shape)


wrong(ScalarInputOutput, "grad * ", "", "upstream_ignored")
wrong(ScalarInputOutput, "grad * ", "grad ** 2 * ", "upstream_squared")
wrong(ScalarInputOutput, " / np.prod(self.shape)", "", "factor", "missing_1_nk", "mean_for_sum")


@right(lambda rng: (rng.normal(),))
class NumberIn(Module):
    def forward(self, x):
        self.x = x
        return np.exp(np.asarray(x))

    def backward(self, grad):
        return np.asarray(grad * np.exp(self.x))


@right(normal(5))
class VectorNorm(Module):
    def forward(self, x):
        self.x = x
        self.n = np.linalg.norm(x)
        return self.n

    def backward(self, grad):
        return grad * self.x / self.n


wrong(VectorNorm, " / self.n", "", "term_missing", "factor", "wrong_formula")
at(VectorNorm, "one tiny entry", fixed([1e-7, 1.0, 2.0]))
