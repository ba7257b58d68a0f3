"""The elementwise operations with a kink: relu, abs, maximum and minimum; and where, which chooses between two.

At the kink each takes the left derivative, as everywhere in this library: relu'(0) = 0, abs'(0) = -1.
"""
from __future__ import annotations

from typing import Any

import numpy as np

from lib.graph.notation import Term, array
from lib.graph.notation import call as function
from lib.graph.notation import choice, number
from lib.graph.notation.terms import broadcast
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


class Choice(Operation):
    """Base of the operations that take each entry from one of two inputs, which are broadcast against each other."""

    elementwise = broadcasts = True
    shape_rule = ("both shapes are broadcast: counted from the last axis, two sizes must be equal, or one of them 1 "
                  "or missing")

    @classmethod
    def examples(cls, rng):
        spread = np.arange(6.0).reshape(2, 3)  # the gaps keep the inputs away from ties
        return [(cls(), (rng.permutation(spread.ravel()).reshape(2, 3), rng.permutation(spread[0]) + 0.5)),
                (cls(), (rng.uniform(1, 2, ()), rng.uniform(-1, 0, (2, 1))))]


class Maximum(Choice):
    """out = max(a, b), entry by entry; the derivative is 1 for the greater one, and 0 for the other.

    Where both are equal, all of it goes to b: as a function of a, that is the left derivative, so that
    maximum(x, 0) is relu(x), and the two derivatives add up to 1, so that maximum(x, x) is x.
    """

    name = "maximum"

    def forward(self, a, b):
        return np.maximum(a, b)

    def backward(self, i, grad, out, a, b):
        first = value_of(a) > value_of(b)
        return grad * (first if i == 0 else ~first)

    def derivative(self, i, out, a, b):
        return choice(a, ">", b) if i == 0 else choice(b, ">=", a)


class Minimum(Choice):
    """out = min(a, b), entry by entry; the derivative is 1 for the smaller one, and 0 for the other.

    Where both are equal, all of it goes to a, whose left derivative is 1, so that the two add up to 1.
    """

    name = "minimum"

    def forward(self, a, b):
        return np.minimum(a, b)

    def backward(self, i, grad, out, a, b):
        first = value_of(a) <= value_of(b)
        return grad * (first if i == 0 else ~first)

    def derivative(self, i, out, a, b):
        return choice(a, "<=", b) if i == 0 else choice(b, "<", a)


class Where(Choice):
    """out = a where the condition holds, and b elsewhere; an entry's derivative is 1 where it was taken, else 0.

    Args:
        condition: an array of booleans.
    """

    name = "where"
    shape_rule = "the condition and both inputs are broadcast against each other"

    def __init__(self, condition: Any) -> None:
        self.condition = np.array(value_of(condition), dtype=bool)

    @classmethod
    def examples(cls, rng):
        return [(cls(rng.random(shape) < 0.5), (rng.uniform(-1, 1, (2, 3)), rng.uniform(-1, 1, (3,))))
                for shape in ((2, 3), (3,), ())]

    def forward(self, a, b):
        return np.where(self.condition, a, b)[()]

    def backward(self, i, grad, out, a, b):
        nothing = np.zeros((), grad.dtype)
        return call(self, *((grad, nothing) if i == 0 else (nothing, grad)))

    def formula(self, a, b):
        return function("where", self._condition(), a, b, shape=broadcast(self._condition(), a * b))

    def derivative(self, i, out, a, b):
        return function("where", self._condition(), number(1 - i), number(i))

    def flow(self, i, grad, out, a, b):
        condition, shape = self._condition(), grad.shape
        if grad.kind == "ones" and condition.shape == shape:
            grad = number(1)
        taken = (grad, number(0)) if i == 0 else (number(0), grad)
        return function("where", condition, *taken, shape=shape)

    def _condition(self) -> Term:
        return array(self.condition.astype(int))
