"""The inverse, the determinant and the trace of a matrix."""
from __future__ import annotations

import numpy as np

from lib.graph.notation import call as function
from lib.graph.notation import choice, entry, equation, name, number, partial
from lib.graph.notation.simplify import times, turned
from lib.graph.operations import Operation, call
from lib.validation import InputError


class Inverse(Operation):
    """out = a^-1: from out a = 1 follows d(out) = -out da out, so dL/da = -out^T g out^T, with g = dL/d(out)."""

    name, shape_rule = "inv", "a square matrix, or a stack of them, each with an inverse"

    @classmethod
    def examples(cls, rng):
        return [(cls(), (rng.uniform(-1, 1, shape) + 3 * np.eye(shape[-1]),)) for shape in ((2, 2), (3, 3), (2, 2, 2))]

    def forward(self, a):
        return np.linalg.inv(a)

    def backward(self, i, grad, out, a):
        return -(np.swapaxes(out, -1, -2) @ grad @ np.swapaxes(out, -1, -2))

    def derivative(self, i, out, a):
        return equation(partial(entry(out, "ij"), entry(a, "kl")), -entry(out, "ik") * entry(out, "lj"))

    def flow(self, i, grad, out, a):
        return -(turned(out) @ grad @ turned(out))


class Determinant(Operation):
    """out = det(a); d(out)/da = out times the transposed inverse of a."""

    name, shape_rule = "det", "a square matrix, or a stack of them, each with an inverse"

    @classmethod
    def examples(cls, rng):
        return [(cls(), inputs) for _, inputs in Inverse.examples(rng)[:2]]

    def forward(self, a):
        return np.linalg.det(a)

    def backward(self, i, grad, out, a):
        try:
            inverse = call(Inverse(), a)
        except (ValueError, np.linalg.LinAlgError) as error:
            raise InputError("The gradient of det is computed by the inverse, which a matrix whose determinant is 0 "
                             "doesn't have.") from error
        return np.swapaxes(inverse, -1, -2) * (grad * out).reshape(out.shape + (1, 1))

    def formula(self, a):
        return function(self.name, a, shape=None if a.shape is None else a.shape[:-2])

    def derivative(self, i, out, a):
        return equation(partial(out, entry(a, "ij")), out * entry(function("inv", a), "ji"))

    def flow(self, i, grad, out, a):
        return times(grad, out, function("inv", a, shape=a.shape).T)


class Trace(Operation):
    """out = the sum of a's diagonal; the derivative by an entry is 1 on the diagonal and 0 elsewhere: eye(n)."""

    name, shape_rule = "trace", "a matrix; the output is a single number"

    @classmethod
    def examples(cls, rng):
        return [(cls(), (rng.uniform(-1, 1, shape),)) for shape in ((3, 3), (2, 3))]

    def forward(self, a):
        return a.trace()

    def backward(self, i, grad, out, a):
        return np.eye(*a.shape, dtype=a.dtype) * grad

    def formula(self, a):
        return function(self.name, a, shape=())

    def derivative(self, i, out, a):
        return equation(partial(out, entry(a, "ij")), choice(name("i"), "==", name("j")))

    def flow(self, i, grad, out, a):
        rows, columns = a.shape
        sizes = [number(rows)] if rows == columns else [number(rows), number(columns)]
        return times(grad, function("eye", *sizes).of_shape(a.shape))
