"""The operations along axes: sum, mean, max, softmax and log_softmax."""
from __future__ import annotations

from typing import Any, List, Tuple

import numpy as np

from lib.graph.operations import Operation, call, normalised_axes, value_of
from lib.graph.operations.elementwise import exp
from lib.graph.operations.shapes import broadcast_to, reshape


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
        return reshape(x, tuple(1 if i in axes else size for i, size in enumerate(shape)))

    def count(self, shape: Tuple[int, ...]) -> int:
        """Return how many numbers become one."""
        return int(np.prod([shape[i] for i in normalised_axes(self.axis, len(shape))], dtype=int))


class Sum(Reduction):
    """out = the sum of the entries along the axes; every derivative is 1, so backward copies grad to each entry."""

    name = "sum"

    def forward(self, a):
        return a.sum(axis=self.axis, keepdims=self.keepdims)

    def backward(self, i, grad, out, a):
        return broadcast_to(self.spread(grad, a.shape), a.shape)

    def latex(self, *names):
        return rf"\sum {names[0]}"

    def derivative_text(self, i, out, a):
        return "1"

    def backward_text(self, i, grad, out, a):
        return f"broadcast_to({grad}, {a}.shape)"

    def backward_latex(self, i, grad, out, a):
        return rf"{grad} \cdot \mathbf{{1}}"


class Mean(Reduction):
    """out = the mean of the n entries along the axes; every derivative is 1/n."""

    name = "mean"

    def forward(self, a):
        return a.mean(axis=self.axis, keepdims=self.keepdims)

    def backward(self, i, grad, out, a):
        return broadcast_to(self.spread(grad / self.count(a.shape), a.shape), a.shape)

    def latex(self, *names):
        return rf"\operatorname{{mean}}({names[0]})"

    def derivative_text(self, i, out, a):
        return "1 / n"

    def derivative_latex(self, i, out, a):
        return r"\frac{1}{n}"

    def backward_text(self, i, grad, out, a):
        return f"broadcast_to({grad} / n, {a}.shape)"

    def backward_latex(self, i, grad, out, a):
        return rf"\frac{{{grad}}}{{n}} \cdot \mathbf{{1}}"


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

    def latex(self, *names):
        return rf"\max({names[0]})"

    def derivative_text(self, i, out, a):
        return f"1 where {a} == {out} else 0 (k entries that tie: 1 / k each)"

    def derivative_latex(self, i, out, a):
        return rf"\mathbb{{1}}[{a} = {out}] / k"

    def backward_text(self, i, grad, out, a):
        return f"{grad} * ({a} == {out}) / k"


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

    def derivative_text(self, i, out, a):
        return f"d {out}[i] / d {a}[j] = {out}[i] * ((i == j) - {out}[j])"

    def derivative_latex(self, i, out, a):
        return (rf"\frac{{\partial {{{out}}}_i}}{{\partial {{{a}}}_j}} = "
                rf"{{{out}}}_i (\mathbb{{1}}[i = j] - {{{out}}}_j)")

    def backward_text(self, i, grad, out, a):
        return f"{out} * ({grad} - sum({grad} * {out}))"

    def backward_latex(self, i, grad, out, a):
        return rf"{out} \odot \left({grad} - \sum_i {{{grad}}}_i {{{out}}}_i\right)"


class LogSoftmax(Softmax):
    """out_i = a_i - log sum_j exp(a_j) along an axis: the logarithm of softmax, finite also where that rounds to 0.

    d(out_i)/da_j = 1[i = j] - softmax_j, so dL/da = grad - softmax * sum_i grad_i.
    """

    name = "log_softmax"

    def forward(self, a):
        shifted = a - a.max(axis=self.axis, keepdims=True)
        return shifted - np.log(np.exp(shifted).sum(axis=self.axis, keepdims=True))

    def backward(self, i, grad, out, a):
        return grad - exp(out) * grad.sum(axis=self.axis, keepdims=True)

    def derivative_text(self, i, out, a):
        return f"d {out}[i] / d {a}[j] = (i == j) - exp({out}[j])"

    def derivative_latex(self, i, out, a):
        return rf"\frac{{\partial {{{out}}}_i}}{{\partial {{{a}}}_j}} = \mathbb{{1}}[i = j] - e^{{{{{out}}}_j}}"

    def backward_text(self, i, grad, out, a):
        return f"{grad} - exp({out}) * sum({grad})"

    def backward_latex(self, i, grad, out, a):
        return rf"{grad} - e^{{{out}}} \sum_i {{{grad}}}_i"


def sum(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Return the sum of the entries along an axis, several, or all of them."""
    return call(Sum(axis, keepdims), a)


def mean(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Return the mean of the entries along an axis, several, or all of them."""
    return call(Mean(axis, keepdims), a)


def max(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Return the greatest entry along an axis, several, or all of them."""
    return call(Max(axis, keepdims), a)


def softmax(a: Any, axis: Any = -1) -> Any:
    """Return exp(a), divided by its sum along an axis, so that the entries there add up to 1."""
    return call(Softmax(axis), a)


def log_softmax(a: Any, axis: Any = -1) -> Any:
    """Return the logarithm of softmax(a), computed without rounding small probabilities to 0."""
    return call(LogSoftmax(axis), a)
