"""The operations along axes: sum, mean, max, min, softmax and log_softmax."""
from __future__ import annotations

from fractions import Fraction
from typing import Any, List, Tuple

import numpy as np

from lib.graph.notation import call as function
from lib.graph.notation import choice, entry, equation, method, name, number, partial, words
from lib.graph.notation.shapes import reduced_shape, spread, summed
from lib.graph.notation.simplify import times
from lib.graph.operations import Operation, normalised_axes, value_of


class Reduction(Operation):
    """Base of the operations that make one number of all those along some axes.

    Args:
        axis: the axis or the tuple of axes that disappear; all of them if it is None.
        keepdims: whether they stay as axes of size 1.
    """

    shape_rule = "the shape of the input without the reduced axes (with keepdims, they stay as size 1)"

    def __init__(self, axis: Any = None, keepdims: bool = False) -> None:
        self.axis = tuple(axis) if isinstance(axis, list) else axis
        self.keepdims = bool(keepdims)

    @classmethod
    def examples(cls, rng: np.random.Generator) -> List[Tuple[Operation, Tuple[Any, ...]]]:
        settings = [(None, False), (0, False), (-1, True), ((0, 2), False), (None, True)]
        # a shuffled arange has no ties and no two numbers near each other
        return [(cls(axis, keepdims), (rng.permutation(np.arange(24)).reshape(2, 3, 4) / 10 - 1,))
                for axis, keepdims in settings]

    def spread(self, x: Any, shape: Tuple[int, ...]) -> Any:
        """Return x, which has the output's shape, with the reduced axes back as size 1, so that it broadcasts."""
        axes = normalised_axes(self.axis, len(shape))
        return x.reshape(tuple(1 if i in axes else size for i, size in enumerate(shape)))

    def reduced(self, x: Any) -> Any:
        """Return x, in which the reduced axes have size 1, without them, unless they are to be kept."""
        return x if self.keepdims else x.squeeze(axis=normalised_axes(self.axis, x.ndim))[()]

    def count(self, shape: Tuple[int, ...]) -> int:
        """Return how many numbers become one."""
        return int(np.prod([shape[i] for i in normalised_axes(self.axis, len(shape))], dtype=int))

    def formula(self, a):
        shape = reduced_shape(a.shape, self.axis, self.keepdims)
        return function(self.name, a, shape=shape, axis=self.axis, keepdims=self.keepdims)


class Sum(Reduction):
    """out = the sum of the entries along the axes; every derivative is 1, so backward copies grad to each entry."""

    name = "sum"

    def forward(self, a):
        return a.sum(axis=self.axis, keepdims=self.keepdims)

    def backward(self, i, grad, out, a):
        return np.broadcast_to(self.spread(grad, a.shape), a.shape)

    def derivative(self, i, out, a):
        return number(1)

    def flow(self, i, grad, out, a):
        return spread(grad, a.shape, self.axis, self.keepdims)


class Mean(Reduction):
    """out = the mean of the n entries along the axes; every derivative is 1/n."""

    name = "mean"

    def forward(self, a):
        return a.mean(axis=self.axis, keepdims=self.keepdims)

    def backward(self, i, grad, out, a):
        return np.broadcast_to(self.spread(grad / self.count(a.shape), a.shape), a.shape)

    def derivative(self, i, out, a):
        return number(Fraction(1, self.count(a.shape) or 1))  # of no entries, there is nothing to divide

    def flow(self, i, grad, out, a):
        return times(spread(grad, a.shape, self.axis, self.keepdims), self.derivative(i, out, a))


class Max(Reduction):
    """out = the greatest entry along the axes; its derivative is 1, that of the others 0.

    Where k entries tie, each has the derivative 1/k: none of them is preferred, and the derivatives add up to 1.
    """

    name = "max"

    def forward(self, a):
        return a.max(axis=self.axis, keepdims=self.keepdims)

    def backward(self, i, grad, out, a):
        greatest = value_of(a) == self.spread(value_of(out), a.shape)
        share = greatest / greatest.sum(axis=self.axis, keepdims=True)
        return self.spread(grad, a.shape) * share.astype(a.dtype)

    def derivative(self, i, out, a):
        return words("1 where an entry of ", a, " is ", out, ", else 0; k entries that tie have 1/k each")

    def flow(self, i, grad, out, a):
        out, grad = (kept(each, a.shape, self.axis, self.keepdims) for each in (out, grad))
        greatest = choice(a, "==", out)
        return times(grad, greatest / summed(greatest, self.axis, keepdims=True))


class Min(Max):
    """out = the smallest entry along the axes; its derivative is 1, that of the others 0.

    Where k entries tie, each has the derivative 1/k, as for max.
    """

    name = "min"

    def forward(self, a):
        return a.min(axis=self.axis, keepdims=self.keepdims)


class Softmax(Operation):
    """out_i = exp(a_i) / sum_j exp(a_j) along an axis (or a tuple of them).

    d(out_i)/da_j = out_i (1[i = j] - out_j), so dL/da = out * (grad - sum_i grad_i out_i).
    """

    name, shape_rule = "softmax", "the shape of the input"

    def __init__(self, axis: Any = -1) -> None:
        self.axis = axis

    @classmethod
    def examples(cls, rng):
        return [(cls(axis), (rng.uniform(-2, 2, (2, 3)),)) for axis in (-1, 0, (0, 1))]

    def forward(self, a):
        e = np.exp(a - a.max(axis=self.axis, keepdims=True))  # the shift cancels and prevents overflow
        return e / e.sum(axis=self.axis, keepdims=True)

    def backward(self, i, grad, out, a):
        return out * (grad - (grad * out).sum(axis=self.axis, keepdims=True))

    def formula(self, a):
        return function(self.name, a, axis=None if a.ndim == 1 else self.axis)

    def derivative(self, i, out, a):
        slope = entry(out, "i") * (choice(name("i"), "==", name("j")) - entry(out, "j"))
        return equation(partial(entry(out, "i"), entry(a, "j")), slope)

    def flow(self, i, grad, out, a):
        return times(out, grad - summed(times(grad, out), self.axis, keepdims=True))


class LogSoftmax(Softmax):
    """out_i = a_i - log sum_j exp(a_j) along an axis: the logarithm of softmax, finite also where that rounds to 0.

    d(out_i)/da_j = 1[i = j] - softmax_j, so dL/da = grad - softmax * sum_i grad_i.
    """

    name = "log_softmax"

    def forward(self, a):
        shifted = a - a.max(axis=self.axis, keepdims=True)
        return shifted - np.log(np.exp(shifted).sum(axis=self.axis, keepdims=True))

    def backward(self, i, grad, out, a):
        return grad - np.exp(out) * grad.sum(axis=self.axis, keepdims=True)

    def derivative(self, i, out, a):
        slope = choice(name("i"), "==", name("j")) - function("exp", entry(out, "j"))
        return equation(partial(entry(out, "i"), entry(a, "j")), slope)

    def flow(self, i, grad, out, a):
        return grad - times(function("exp", out), summed(grad, self.axis, keepdims=True))


def kept(term: Any, shape: Tuple[int, ...], axis: Any, keepdims: bool) -> Any:
    """Return what a reduction gave with the reduced axes back as size 1, as a formula writes it."""
    sizes = reduced_shape(shape, axis, True)
    if keepdims or term.ndim == 0 or sizes is None:
        return term
    return method(term, "reshape", ", ".join(map(str, sizes)), sizes)
