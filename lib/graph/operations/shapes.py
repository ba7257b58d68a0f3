"""The operations that move entries without computing: reshape, transpose, indexing, concatenate, stack.

Each output entry is a copy of an input entry, so its derivative is 1 there and 0 elsewhere: backward moves every
entry of the gradient back to where it came from, and adds up where an entry was copied more than once.
"""
from __future__ import annotations

from typing import Any, Tuple

import numpy as np

from lib.graph.notation import Term, index, is_number, listed, method, number, ones, shape_of, words
from lib.graph.notation import call as function
from lib.graph.notation.shapes import summed_back
from lib.graph.notation.simplify import times, turned
from lib.graph.operations import Operation, as_shape, call, unbroadcast
from lib.graph.operations.indices import index_text, is_basic, own_index


class Movement(Operation):
    """Base of the operations that only move or copy entries."""

    def derivative(self, i, out, *names):
        if out.shape == names[i].shape == ():
            return number(1)
        return words("1 where an entry of ", out, " is the entry of ", names[i], ", 0 elsewhere")


class Reshape(Movement):
    """The same entries in another shape, in the same order; backward reshapes the gradient back."""

    name, shape_rule = "reshape", "the shape asked for, with as many entries; one size may be -1: whatever is left"

    def __init__(self, shape: Tuple[int, ...]) -> None:
        self.shape = as_shape(shape)

    @classmethod
    def examples(cls, rng):
        return [(cls(shape), (rng.uniform(-1, 1, (2, 6)),)) for shape in ((3, 4), (12,), (-1, 1, 3))]

    def forward(self, a):
        return a.reshape(self.shape)

    def backward(self, i, grad, out, a):
        return grad.reshape(a.shape)

    def formula(self, a):
        return _reshaped(a, self.shape, _shape_of(self.forward, a))

    def flow(self, i, grad, out, a):
        if grad.shape == ():  # the same for every entry
            return times(grad, ones(a.shape)) if a.shape else grad
        return _reshaped(grad, a.shape or (), a.shape)


class Transpose(Movement):
    """The axes in another order: reversed, or as given; backward puts them back."""

    name, shape_rule = "transpose", "the sizes in the new order of the axes; (n, m) becomes (m, n)"

    def __init__(self, axes: Any = None) -> None:
        self.axes: Any = None if axes is None else as_shape(axes)

    @classmethod
    def examples(cls, rng):
        return [(cls(axes), (rng.uniform(-1, 1, (2, 3, 4)),)) for axes in (None, (1, 2, 0), (0, 2, 1), (-1, 0, 1))]

    def forward(self, a):
        return a.transpose(self.axes)

    def backward(self, i, grad, out, a):
        if self.axes is None:
            return grad.T
        return grad.transpose(self._inverse())

    def formula(self, a):
        return _with_axes(a, self.axes)

    def flow(self, i, grad, out, a):
        return _with_axes(grad, None if self.axes is None else self._inverse())

    def _inverse(self) -> Tuple[int, ...]:
        return tuple(int(k) for k in np.argsort([k % len(self.axes) for k in self.axes]))


class BroadcastTo(Movement):
    """The entries copied along new or stretched axes; backward sums over the copies."""

    name, shape_rule = "broadcast_to", "the shape asked for, to which the input's must broadcast"

    def __init__(self, shape: Tuple[int, ...]) -> None:
        self.shape = as_shape(shape)

    @classmethod
    def examples(cls, rng):
        return [(cls((2, 3)), (rng.uniform(-1, 1, shape),)) for shape in ((3,), (2, 1), ())]

    def forward(self, a):
        return np.broadcast_to(a, self.shape)

    def backward(self, i, grad, out, a):
        return unbroadcast(grad, a.shape)

    def formula(self, a):
        return Term("call", (self.name, (a, shape_of(self.shape)), ()), self.shape)

    def flow(self, i, grad, out, a):
        return summed_back(grad, self.shape, a.shape)


class Index(Movement):
    """out = a[key], with any key that NumPy knows: numbers, slices, masks, arrays of indices, also with repeats.

    backward adds each entry of the gradient to the place it was taken from: a place that was taken twice gets both.
    """

    name, shape_rule = "index", "the shape of what the index picks"

    def __init__(self, key: Any) -> None:
        self.index = own_index(key)

    @classmethod
    def examples(cls, rng):
        keys = [1, (0, 2), slice(0, 2), (slice(None), 1), [0, 0, 2], (np.array([0, 1, 1]), np.array([2, 0, 0])),
                np.array([True, False, True]), (Ellipsis, None, slice(None, None, -2))]
        return [(cls(key), (rng.uniform(-1, 1, (3, 4)),)) for key in keys]

    def forward(self, a):
        return a[self.index]

    def backward(self, i, grad, out, a):
        return call(Scatter(self.index, a.shape), grad)

    def formula(self, a):
        return index(a, index_text(self.index), _shape_of(self.forward, a))

    def flow(self, i, grad, out, a):
        at = index_text(self.index)
        return words("zeros of shape ", shape_of(a.shape or ()), " with ", grad, f" added at [{at}]")


class Scatter(Movement):
    """Zeros of a shape to which the input is added at an index: the backward of indexing, whose own is indexing."""

    name, shape_rule = "scatter", "the shape asked for"

    def __init__(self, key: Any, shape: Tuple[int, ...]) -> None:
        self.index, self.shape = own_index(key), as_shape(shape)

    @classmethod
    def examples(cls, rng):
        return [(cls([0, 0, 2], (3, 2)), (rng.uniform(-1, 1, (3, 2)),)),
                (cls((slice(None), 1), (3, 2)), (rng.uniform(-1, 1, (3,)),))]

    def forward(self, a):
        out = np.zeros(self.shape, a.dtype)
        if is_basic(self.index):
            out[self.index] = a  # numbers and slices pick no place twice, and plain assignment is faster
        else:
            np.add.at(out, self.index, a)
        return out

    def backward(self, i, grad, out, a):
        return call(Index(self.index), grad)

    def formula(self, a):
        return words("zeros of shape ", shape_of(self.shape), " with ", a, f" added at [{index_text(self.index)}]")

    def flow(self, i, grad, out, a):
        return index(grad, index_text(self.index), a.shape)


class Cast(Movement):
    """The same entries in another precision; backward brings the gradient back into the input's."""

    name, shape_rule, elementwise, analytic = "astype", "the shape of the input", True, False

    def __init__(self, dtype: Any) -> None:
        self.dtype = np.dtype(dtype)

    @classmethod
    def examples(cls, rng):
        return [(cls(float), (rng.uniform(-1, 1, shape),)) for shape in ((), (2, 3))]

    def forward(self, a):
        return a.astype(self.dtype)

    def backward(self, i, grad, out, a):
        return grad.astype(a.dtype)

    def formula(self, a):
        return a

    def derivative(self, i, out, a):
        return number(1)


class Joining(Movement):
    """Base of the operations that put any number of inputs together along an axis."""

    def __init__(self, axis: int = 0) -> None:
        self.axis = int(axis)

    def formula(self, *names):
        return function(self.name, listed(*names), axis=self.axis)


class Concatenate(Joining):
    """The inputs one after the other along an axis that they have; backward cuts the gradient apart."""

    name = "concatenate"
    shape_rule = "the sizes along the axis are added, all others must be equal: (n, k), (m, k) -> (n + m, k)"

    @classmethod
    def examples(cls, rng):
        return [(cls(0), (rng.uniform(-1, 1, (2, 3)), rng.uniform(-1, 1, (1, 3)))),
                (cls(-1), (rng.uniform(-1, 1, (2, 1)), rng.uniform(-1, 1, (2, 3)), rng.uniform(-1, 1, (2, 2))))]

    def forward(self, *inputs):
        return np.concatenate(inputs, axis=self.axis)

    def backward(self, i, grad, out, *inputs):
        axis = self.axis % grad.ndim
        start = int(np.sum([x.shape[axis] for x in inputs[:i]], dtype=int))
        return grad[(slice(None),) * axis + (slice(start, start + inputs[i].shape[axis]),)]

    def flow(self, i, grad, out, *names):
        axis = self.axis % names[i].ndim
        start = sum(each.shape[axis] for each in names[:i])
        return index(grad, ":, " * axis + f"{start}:{start + names[i].shape[axis]}", names[i].shape)


class Stack(Joining):
    """The inputs, all of one shape, along a new axis; backward picks each one's slice of the gradient."""

    name = "stack"
    shape_rule = "all shapes must be equal, and the new axis has one place for each: n times (k,) -> (n, k)"

    @classmethod
    def examples(cls, rng):
        return [(cls(axis), (rng.uniform(-1, 1, (2, 3)), rng.uniform(-1, 1, (2, 3)))) for axis in (0, 1, -1)]

    def forward(self, *inputs):
        return np.stack(inputs, axis=self.axis)

    def backward(self, i, grad, out, *inputs):
        return grad[(slice(None),) * (self.axis % grad.ndim) + (i,)]

    def flow(self, i, grad, out, *names):
        return index(grad, ":, " * (self.axis % (names[i].ndim + 1)) + str(i), names[i].shape)


def _shape_of(forward: Any, term: Term) -> Any:
    """Return the shape of what moving the entries of a term gives, if the term's own is known."""
    if term.shape is None:
        return None
    try:
        return forward(np.broadcast_to(np.float64(0), term.shape)).shape
    except (ValueError, IndexError):
        return None  # a name that stands for an array, in an error message about its shape


def _reshaped(term: Term, sizes: Any, shape: Any) -> Term:
    return _the_same(term, shape) or method(term, "reshape", ", ".join(map(str, sizes)) or "()", shape)


def _the_same(term: Term, shape: Any) -> Any:
    """Return a term whose entries are all the same, such as 2 * ones((2, 3)), in another shape; None for others."""
    factors = term.parts if term.kind == "product" else (term,)
    if any(factor.kind not in ("number", "ones") for factor in factors):
        return None
    return times(*[factor for factor in factors if factor.kind == "number"], *[ones(shape)] * bool(shape))


def _with_axes(term: Term, axes: Any) -> Term:
    """Return a term with its axes in reverse order, or in another one."""
    if term.shape == () or is_number(term):
        return term
    if term.kind in ("ones", "product") and term.shape is not None:
        same = _the_same(term, term.T.shape if axes is None else tuple(term.shape[k] for k in axes))
        if same is not None:
            return same
    if axes is None:
        return turned(term) if term.ndim <= 2 else term.T
    ndim = len(axes)
    if term.ndim == ndim > 1 and [k % ndim for k in axes] == [*range(ndim - 2), ndim - 1, ndim - 2]:
        return turned(term)
    shape = None if term.shape is None or term.ndim != len(axes) else tuple(term.shape[k] for k in axes)
    return method(term, "transpose", ", ".join(map(str, axes)), shape)
