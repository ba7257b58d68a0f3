"""Wrong modules that raise exceptions in backward, or return something else than an array."""
from __future__ import annotations

import numpy as np

from lib.network import Linear
from lib.network_base import Module, Parameter
from tests.mutants.wild.bank import caught, normal, wrong
from tests.mutants.wild.elementwise import Cube

wrong(Cube, "self.x", "self.z", "exception")
wrong(Cube, "2 * grad", "2 * gard", "exception")


@caught(normal(3, 4), "exception")
class UsesTheParameterItself(Linear):
    """self.W.T instead of self.W.data.T."""

    def __init__(self):
        super().__init__(4, 2)

    def backward(self, grad):
        self.W.grad += self.input_cache.T @ grad
        return grad @ self.W.T


@caught(normal(3, 4), "exception")
class AmbiguousIf(Module):
    def forward(self, x):
        self.x = x
        return np.maximum(x, 0)

    def backward(self, grad):
        return grad if self.x > 0 else 0


@caught(normal(3, 4), "exception")
class IndexTooFar(Module):
    def forward(self, x):
        self.x = x
        return x ** 2

    def backward(self, grad):
        dx = np.zeros_like(self.x)
        for i in range(len(self.x) + 1):
            dx[i] = 2 * self.x[i] * grad[i]
        return dx


@caught(normal(3, 4), "exception")
class WantsTwoArguments(Module):
    def forward(self, x):
        self.x = x
        return x ** 2

    def backward(self, grad, x):
        return 2 * x * grad


@caught(normal(3, 4), "wrong_shape")
class ReturnsATuple(Module):
    def forward(self, x):
        self.x = x
        return x ** 2

    def backward(self, grad):
        return 2 * self.x * grad, None


@caught(normal(3, 4), "wrong_shape", "wrong_axis")
class KeepsDimensions(Module):
    def __init__(self):
        self.b = Parameter(np.zeros(4), name="b")

    def parameters(self):
        return [self.b]

    def forward(self, x):
        return x + self.b.data

    def backward(self, grad):
        self.b.grad = self.b.grad + grad.sum(axis=0, keepdims=True)
        return grad
