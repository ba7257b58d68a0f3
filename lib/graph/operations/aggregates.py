"""Further operations along axes: prod, norm, logsumexp and cumsum."""
from __future__ import annotations

from typing import Any

import numpy as np

from lib.graph.notation import call as function
from lib.graph.notation import is_number, words
from lib.graph.notation.simplify import times
from lib.graph.operations import Operation, normalised_axes, value_of
from lib.graph.operations.reductions import Reduction, kept


class Prod(Reduction):
    """out = the product of the entries along the axes; the derivative by an entry is the product of the others."""

    name = "prod"

    def forward(self, a):
        return a.prod(axis=self.axis, keepdims=self.keepdims)

    def backward(self, i, grad, out, a):
        if np.all(value_of(a) != 0):
            return self.spread(grad, a.shape) * self.spread(out, a.shape) / a
        # An entry that is 0 can't be divided out: for each entry, all others are multiplied, with 1 in its own place.
        axes = normalised_axes(self.axis, a.ndim)
        rest = tuple(axis for axis in range(a.ndim) if axis not in axes)
        rows = a.transpose(rest + axes).reshape(-1, 1, self.count(a.shape))
        n = rows.shape[2]
        others = np.where(np.eye(n, dtype=bool), np.ones((), a.dtype), rows).prod(axis=2)
        others = others.reshape(tuple(a.shape[axis] for axis in rest + axes))
        return self.spread(grad, a.shape) * others.transpose(tuple(np.argsort(rest + axes)))

    def derivative(self, i, out, a):
        return words("the product of the entries that an entry of ", a, " is multiplied with")

    def flow(self, i, grad, out, a):
        others, grad = self.derivative(i, out, a), kept(grad, a.shape, self.axis, self.keepdims)
        return others if is_number(grad, 1) else words(grad, " times ", others)


class Norm(Reduction):
    """out = sqrt(sum a_i^2), the Euclidean length along the axes; the derivative is a_i / out, and 0 where out is 0."""

    name, analytic = "norm", False

    def forward(self, a):
        greatest = np.abs(a).max(axis=self.axis, keepdims=True, initial=0)
        scale = np.where((greatest > 0) & np.isfinite(greatest), greatest, greatest.dtype.type(1))  # against overflow
        scaled = a / scale
        return self.reduced(np.sqrt((scaled * scaled).sum(axis=self.axis, keepdims=True)) * scale)

    def backward(self, i, grad, out, a):
        length = self.spread(out, a.shape)
        return self.spread(grad, a.shape) * a / (length + (value_of(length) == 0))

    def derivative(self, i, out, a):
        return a / kept(out, a.shape, self.axis, self.keepdims)

    def flow(self, i, grad, out, a):
        return times(kept(grad, a.shape, self.axis, self.keepdims), self.derivative(i, out, a))


class LogSumExp(Reduction):
    """out = log(sum exp(a_i)) along the axes, without overflow; the derivative is softmax, exp(a_i - out)."""

    name = "logsumexp"

    def forward(self, a):
        greatest = a.max(axis=self.axis, keepdims=True)
        shift = np.where(np.isfinite(greatest), greatest, greatest.dtype.type(0))
        out = np.log(np.exp(a - shift).sum(axis=self.axis, keepdims=True)) + shift
        return self.reduced(out)

    def backward(self, i, grad, out, a):
        return self.spread(grad, a.shape) * np.exp(a - self.spread(out, a.shape))

    def derivative(self, i, out, a):
        return function("exp", a - kept(out, a.shape, self.axis, self.keepdims))

    def flow(self, i, grad, out, a):
        return times(kept(grad, a.shape, self.axis, self.keepdims), self.derivative(i, out, a))


class Cumsum(Operation):
    """out_i = a_1 + ... + a_i along an axis; a_i is in out_i and all that come after it: backward sums from the end."""

    name, shape_rule = "cumsum", "the shape of the input"

    def __init__(self, axis: Any = None) -> None:
        self.axis = axis

    @classmethod
    def examples(cls, rng):
        return [(cls(axis), (rng.uniform(-2, 2, (2, 3)),)) for axis in (-1, 0)]

    def forward(self, a):
        return a.cumsum(axis=self.axis)

    def backward(self, i, grad, out, a):
        return np.flip(np.cumsum(np.flip(grad, self.axis), axis=self.axis), self.axis)

    def formula(self, a):
        return function("cumsum", a, axis=self.axis)

    def derivative(self, i, out, a):
        return words("1 for the entries of ", out, " from the place of an entry of ", a, " on, 0 before")

    def flow(self, i, grad, out, a):
        backwards = function("cumsum", function("flip", grad, axis=self.axis), axis=self.axis)
        return function("flip", backwards, axis=self.axis)
