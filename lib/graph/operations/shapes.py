"""The operations that move entries without computing: reshape, transpose, indexing, concatenate, stack.

Each output entry is a copy of an input entry, so its derivative is 1 there and 0 elsewhere: backward moves every
entry of the gradient back to where it came from, and adds up where an entry was copied more than once.
"""
from __future__ import annotations

from typing import Any, Sequence, Tuple

import numpy as np

from lib.graph.operations import Operation, call, unbroadcast


class Movement(Operation):
    """Base of the operations on one input that only move or copy entries."""

    def derivative_text(self, i, out, *names):
        return f"1 where an entry of {out} is the entry of {names[i]}, 0 elsewhere"

    def derivative_latex(self, i, out, *names):
        return rf"\mathbb{{1}}[\text{{the entry of }} {out} \text{{ is that of }} {names[i]}]"

    def backward_latex(self, i, grad, out, *names):
        return rf"\text{{{_plain(self.backward_text(i, 'G', out, *names))} with }} G = {grad}"


class Reshape(Movement):
    """The same entries in another shape, in the same order; backward reshapes the gradient back."""

    name, shape_rule = "reshape", "the shape asked for, with as many entries; one size may be -1: whatever is left"

    def __init__(self, shape: Tuple[int, ...]) -> None:
        self.shape = shape

    @classmethod
    def examples(cls, rng):
        return [(cls(shape), (rng.uniform(-1, 1, (2, 6)),)) for shape in ((3, 4), (12,), (-1, 1, 3))]

    def forward(self, a):
        return a.reshape(self.shape)

    def backward(self, i, grad, out, a):
        return reshape(grad, a.shape)

    def text(self, *names):
        return f"{names[0]}.reshape{self.shape}"

    def backward_text(self, i, grad, out, a):
        return f"{grad}.reshape({a}.shape)"


class Transpose(Movement):
    """The axes in another order: reversed, or as given; backward puts them back."""

    name, shape_rule = "transpose", "the sizes in the new order of the axes; (n, m) becomes (m, n)"

    def __init__(self, axes: Any = None) -> None:
        self.axes = axes

    @classmethod
    def examples(cls, rng):
        return [(cls(axes), (rng.uniform(-1, 1, (2, 3, 4)),)) for axes in (None, (1, 2, 0), (0, 2, 1), (-1, 0, 1))]

    def forward(self, a):
        return a.transpose(self.axes)

    def backward(self, i, grad, out, a):
        if self.axes is None:
            return transpose(grad)
        return transpose(grad, tuple(int(k) for k in np.argsort([k % a.ndim for k in self.axes])))

    def text(self, *names):
        return f"{names[0]}.T" if self.axes is None else f"{names[0]}.transpose{self.axes}"

    def latex(self, *names):
        return rf"{{{names[0]}}}^{{\top}}" if self.axes is None else super().latex(*names)

    def backward_text(self, i, grad, out, a):
        return f"{grad}.T" if self.axes is None else f"{grad}, its axes back in the order of {a}"


class BroadcastTo(Movement):
    """The entries copied along new or stretched axes; backward sums over the copies."""

    name, shape_rule = "broadcast_to", "the shape asked for, to which the input's must broadcast"

    def __init__(self, shape: Tuple[int, ...]) -> None:
        self.shape = shape

    @classmethod
    def examples(cls, rng):
        return [(cls((2, 3)), (rng.uniform(-1, 1, shape),)) for shape in ((3,), (2, 1), ())]

    def forward(self, a):
        return np.broadcast_to(a, self.shape)

    def backward(self, i, grad, out, a):
        return unbroadcast(grad, a.shape)

    def backward_text(self, i, grad, out, a):
        return f"{grad}, summed over the copies of each entry of {a}"


class Index(Movement):
    """out = a[key], with any key that NumPy knows: numbers, slices, masks, arrays of indices, also with repeats.

    backward adds each entry of the gradient to the place it was taken from: a place that was taken twice gets both.
    """

    name, shape_rule = "index", "the shape of what the index picks"

    def __init__(self, key: Any) -> None:
        self.index = key

    @classmethod
    def examples(cls, rng):
        keys = [1, (0, 2), slice(0, 2), (slice(None), 1), [0, 0, 2], (np.array([0, 1, 1]), np.array([2, 0, 0])),
                np.array([True, False, True]), (Ellipsis, None, slice(None, None, -2))]
        return [(cls(key), (rng.uniform(-1, 1, (3, 4)),)) for key in keys]

    def forward(self, a):
        return a[self.index]

    def backward(self, i, grad, out, a):
        return call(Scatter(self.index, a.shape), grad)

    def key(self):
        return type(self), _hashable(self.index)

    def text(self, *names):
        return f"{names[0]}[{_index_text(self.index)}]"

    def latex(self, *names):
        return rf"{{{names[0]}}}_{{{_plain(_index_text(self.index))}}}"

    def backward_text(self, i, grad, out, a):
        return f"zeros like {a}, with {grad} added at [{_index_text(self.index)}]"


class Scatter(Movement):
    """Zeros of a shape to which the input is added at an index: the backward of indexing, whose own is indexing."""

    name, shape_rule = "scatter", "the shape asked for"

    def __init__(self, key: Any, shape: Tuple[int, ...]) -> None:
        self.index, self.shape = key, shape

    @classmethod
    def examples(cls, rng):
        return [(cls([0, 0, 2], (3, 2)), (rng.uniform(-1, 1, (3, 2)),)),
                (cls((slice(None), 1), (3, 2)), (rng.uniform(-1, 1, (3,)),))]

    def forward(self, a):
        out = np.zeros(self.shape, a.dtype)
        if _is_basic(self.index):
            out[self.index] = a  # numbers and slices pick no place twice, and plain assignment is faster
        else:
            np.add.at(out, self.index, a)
        return out

    def backward(self, i, grad, out, a):
        return call(Index(self.index), grad)

    def key(self):
        return type(self), _hashable(self.index), self.shape

    def text(self, *names):
        return f"scatter({names[0]}, [{_index_text(self.index)}], {self.shape})"

    def backward_text(self, i, grad, out, a):
        return f"{grad}[{_index_text(self.index)}]"


class Joining(Movement):
    """Base of the operations that put any number of inputs together along an axis."""

    def __init__(self, axis: int = 0) -> None:
        self.axis = axis

    def text(self, *names):
        return f"{self.name}(({', '.join(names)}{',' if len(names) == 1 else ''}), axis={self.axis})"


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

    def backward_text(self, i, grad, out, *names):
        return f"the part of {grad} along axis {self.axis} that {names[i]} takes in {out}"


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

    def backward_text(self, i, grad, out, *names):
        return f"slice {i} of {grad} along axis {self.axis}"


def reshape(a: Any, shape: Any) -> Any:
    """Return the entries of a in another shape."""
    return call(Reshape(tuple(np.atleast_1d(shape).tolist()) if np.size(shape) else ()), a)


def transpose(a: Any, axes: Any = None) -> Any:
    """Return a with its axes in reverse order, or in the order given."""
    return call(Transpose(None if axes is None else tuple(axes)), a)


def broadcast_to(a: Any, shape: Tuple[int, ...]) -> Any:
    """Return a, copied along the axes that it lacks."""
    return call(BroadcastTo(tuple(shape)), a)


def concatenate(inputs: Sequence[Any], axis: int = 0) -> Any:
    """Return the inputs one after the other along an axis."""
    return call(Concatenate(axis), *inputs)


def stack(inputs: Sequence[Any], axis: int = 0) -> Any:
    """Return the inputs, all of one shape, along a new axis."""
    return call(Stack(axis), *inputs)


def _is_basic(key: Any) -> bool:
    """Tell whether an index is made of numbers and slices alone, so that it picks no place twice."""
    parts = key if isinstance(key, tuple) else (key,)
    return all(part is None or part is Ellipsis or isinstance(part, slice)
               or (isinstance(part, (int, np.integer)) and not isinstance(part, bool)) for part in parts)


def _hashable(key: Any) -> Any:
    """Return an index in a form that can be compared: arrays and lists by their contents."""
    if isinstance(key, tuple):
        return tuple(_hashable(part) for part in key)
    if isinstance(key, (list, np.ndarray)):
        array = np.asarray(key)
        return array.shape, str(array.dtype), array.tobytes()
    return repr(key)


def _index_text(key: Any) -> str:
    """Return an index as it is written between the brackets."""
    if isinstance(key, tuple):
        return ", ".join(map(_index_text, key))
    if isinstance(key, slice):
        start, stop, step = ("" if part is None else str(part) for part in (key.start, key.stop, key.step))
        return f"{start}:{stop}" + (f":{step}" if step else "")
    if key is Ellipsis:
        return "..."
    return str(key.tolist() if isinstance(key, np.ndarray) else key)


def _plain(text: str) -> str:
    """Return a text with the characters escaped that LaTeX would take for commands."""
    return text.replace("_", r"\_").replace("[", "{[}").replace("]", "{]}")
