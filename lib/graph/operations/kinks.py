"""The elementwise operations with a kink: relu, abs and maximum.

At the kink each takes the left derivative, as everywhere in this library: relu'(0) = 0, abs'(0) = -1.
"""
from __future__ import annotations

from typing import Any

import numpy as np

from lib.graph.notation import choice
from lib.graph.operations import Operation, call, value_of
from lib.graph.operations.elementwise import Elementwise


class ReLU(Elementwise):
    """out = max(0, a); the derivative is 1 where a > 0, and 0 elsewhere."""

    name = "relu"

    def forward(self, a):
        if a.ndim == 0:  # NumPy's functions take long for single numbers, and chains of these are common
            return a.dtype.type(0) if a <= 0 else a
        return np.maximum(a, 0)

    def backward(self, i, grad, out, a):
        return grad * (value_of(a) > 0)

    def derivative(self, i, out, a):
        return choice(a, ">", 0)


class Abs(Elementwise):
    """out = |a|; the derivative is 1 where a > 0, and -1 elsewhere."""

    name, analytic = "abs", False

    def forward(self, a):
        return np.abs(a)

    def backward(self, i, grad, out, a):
        return grad * (2.0 * (value_of(a) > 0) - 1.0).astype(grad.dtype)

    def derivative(self, i, out, a):
        return choice(a, ">", 0, 1, -1)


class Maximum(Operation):
    """out = max(a, b), entry by entry; the derivative is 1 for the greater one, and 0 for the other.

    Where both are equal, all of it goes to b: as a function of a, that is the left derivative, so that
    maximum(x, 0) is relu(x), and the two derivatives add up to 1, so that maximum(x, x) is x.
    """

    name, elementwise, broadcasts = "maximum", True, True
    shape_rule = ("both shapes are broadcast: counted from the last axis, two sizes must be equal, or one of them 1 "
                  "or missing")

    @classmethod
    def examples(cls, rng):
        spread = np.arange(6.0).reshape(2, 3)  # the gaps keep the inputs away from ties
        return [(cls(), (rng.permutation(spread.ravel()).reshape(2, 3), rng.permutation(spread[0]) + 0.5)),
                (cls(), (rng.uniform(1, 2, ()), rng.uniform(-1, 0, (2, 1))))]

    def forward(self, a, b):
        return np.maximum(a, b)

    def backward(self, i, grad, out, a, b):
        first = value_of(a) > value_of(b)
        return grad * (first if i == 0 else ~first)

    def derivative(self, i, out, a, b):
        return choice(a, ">", b) if i == 0 else choice(b, ">=", a)


RELU, ABS, MAXIMUM = ReLU(), Abs(), Maximum()


def relu(a: Any) -> Any:
    """Return a where it is positive, and 0 elsewhere."""
    return call(RELU, a)


def abs(a: Any) -> Any:
    """Return the absolute value of a."""
    return call(ABS, a)


def maximum(a: Any, b: Any) -> Any:
    """Return the greater of a and b, entry by entry."""
    return call(MAXIMUM, a, b)
