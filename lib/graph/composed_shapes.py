"""What NumPy's functions that change shapes or move entries do on nodes, where that isn't a single operation.

See composed.py. Moving is done with places: the function itself is applied to the array of all places, and what it
makes of them is an index.
"""
from __future__ import annotations

from typing import Any, Callable, List

import numpy as np

from lib.graph.operations import call, node_in, value_of
from lib.graph.operations.shapes import Concatenate, Scatter
from lib.graph.rules import NoRule, arguments_of_numpy, array_or_node, rule


@arguments_of_numpy
def concatenate(arrays: Any, axis: Any = 0) -> Any:
    """Return the inputs one after the other along an axis that they have; flat, where it is None."""
    arrays = [array_or_node(each) for each in arrays]
    return call(Concatenate(0 if axis is None else axis), *([each.reshape(-1) for each in arrays] if axis is None
                                                            else arrays))


def _reshaping(name: str) -> None:
    """Register a function that only changes the shape."""
    function = getattr(np, name)

    def reshaped(a: Any, *args: Any, **kwargs: Any) -> Any:
        a = array_or_node(a)
        return a.reshape(function(value_of(a), *args, **kwargs).shape)

    reshaped.__name__, reshaped.__doc__ = name, f"Return np.{name} of a."
    rule(reshaped)


def _picking(name: str) -> None:
    """Register a function that only picks, moves or repeats entries: it is applied to their places."""
    function = getattr(np, name)

    def picking(a: Any, *args: Any, **kwargs: Any) -> Any:
        settings = [value_of(each) for each in args]  # numbers and indices, which pick
        return picked(lambda places: function(places, *settings, **kwargs), array_or_node(a))

    picking.__name__, picking.__doc__ = name, f"Return np.{name} of a."
    rule(picking)


def _reordering(name: str) -> None:
    """Register a function that puts the axes into another order: an array whose sizes tell them apart shows which."""
    function = getattr(np, name)

    def reordered(a: Any, *args: Any, **kwargs: Any) -> Any:
        sizes = function(np.broadcast_to(0, tuple(range(1, a.ndim + 1))), *args, **kwargs).shape
        return a.transpose(tuple(size - 1 for size in sizes))

    reordered.__name__, reordered.__doc__ = name, f"Return np.{name} of a."
    rule(reordered)


def picked(function: Callable[[Any], Any], a: Any) -> Any:
    """Return the entries whose places a function picks from all places, an array in the shape of a."""
    places = np.arange(a.size).reshape(a.shape)
    return flatten(a)[function(places)]


for _name in ("ravel", "squeeze", "expand_dims", "atleast_1d", "atleast_2d", "atleast_3d"):
    _reshaping(_name)
for _name in ("swapaxes", "moveaxis", "rollaxis"):
    _reordering(_name)
for _name in ("flip", "fliplr", "flipud", "roll", "rot90", "tile", "repeat", "resize", "take", "delete", "diagonal"):
    _picking(_name)


@rule
def flatten(a: Any) -> Any:
    """Return the entries in one row."""
    return a if a.ndim == 1 else a.reshape(-1)


@rule
def copy(a: Any) -> Any:
    """Return a: the operations on nodes never change a value in place."""
    return a


@rule
def take_along_axis(arr: Any, indices: Any, axis: Any = -1) -> Any:
    """Return the entries at the indices along an axis, one index for each entry of the result."""
    if axis is None:
        return arr.reshape(-1)[np.ravel(indices)]
    return picked(lambda places: np.take_along_axis(places, value_of(indices), axis), arr)


@rule
def sliding_window_view(x: Any, window_shape: Any, axis: Any = None) -> Any:
    """Return all windows of a shape: the axes of their places, then those inside of a window."""
    return picked(lambda places: np.lib.stride_tricks.sliding_window_view(places, window_shape, axis), x)


@rule
def broadcast_arrays(*args: Any) -> List[Any]:
    """Return the inputs in the one shape that they broadcast to."""
    args = tuple(map(array_or_node, args))
    shape = np.broadcast_shapes(*[each.shape for each in args])
    return [np.broadcast_to(each, shape) for each in args]


@rule
def diag(v: Any, k: int = 0) -> Any:
    """Return the diagonal of a matrix, or the matrix with this diagonal."""
    if v.ndim == 2:
        return np.diagonal(v, k)
    size = v.size + abs(k)
    return call(Scatter(np.nonzero(np.eye(size, k=k)), (size, size)), v)


@rule
def tril(m: Any, k: int = 0) -> Any:
    """Return a matrix with zeros above a diagonal."""
    rows, columns = m.shape[-2:]
    return np.where(np.tri(rows, columns, k, dtype=bool), m, np.zeros((), m.dtype))


@rule
def triu(m: Any, k: int = 0) -> Any:
    """Return a matrix with zeros below a diagonal."""
    rows, columns = m.shape[-2:]
    return np.where(np.tri(rows, columns, k - 1, dtype=bool), np.zeros((), m.dtype), m)


@rule
def pad(array: Any, pad_width: Any, mode: Any = "constant", constant_values: Any = 0) -> Any:
    """Return a with a border: of constant values, or with mode "edge", "reflect", "symmetric" or "wrap" of its own."""
    if not np.any(pad_width):
        return array
    places = np.arange(array.size).reshape(array.shape)
    if mode in ("edge", "reflect", "symmetric", "wrap"):
        return flatten(array)[np.pad(places, pad_width, mode=mode)]
    if mode != "constant" or node_in(constant_values) is not None:
        raise NoRule(f"np.pad on nodes knows no mode={mode!r} and no nodes as constant_values.")
    border = np.pad(np.zeros(array.shape, array.dtype), pad_width, constant_values=constant_values)
    before = np.broadcast_to(pad_width, (array.ndim, 2))[:, 0]
    inside = tuple(slice(start, start + size) for start, size in zip(before.tolist(), array.shape))
    padded = call(Scatter(inside, border.shape), array)
    return padded + border if border.any() else padded


@rule
def split(ary: Any, indices_or_sections: Any, axis: int = 0) -> List[Any]:
    """Return the parts along an axis: so many of one size, or cut at the indices."""
    if isinstance(indices_or_sections, (int, np.integer)) and ary.shape[axis] % indices_or_sections:
        raise NoRule(f"np.split can't cut {ary.shape[axis]} into {indices_or_sections} equal parts; array_split can.")
    return array_split(ary, indices_or_sections, axis)


@rule
def array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> List[Any]:
    """Return the parts along an axis, the first ones longer where they can't be of one size."""
    parts = np.array_split(np.arange(ary.shape[axis]), indices_or_sections)
    before = (slice(None),) * (axis % ary.ndim)
    return [ary[before + (slice(part[0], part[-1] + 1) if len(part) else slice(0, 0),)] for part in parts]


@rule
def hsplit(ary: Any, indices_or_sections: Any) -> List[Any]:
    """Return the parts of the columns, or of a vector."""
    return split(ary, indices_or_sections, axis=min(1, ary.ndim - 1))


@rule
def vsplit(ary: Any, indices_or_sections: Any) -> List[Any]:
    """Return the parts of the rows."""
    return split(ary, indices_or_sections)


@rule
def vstack(tup: Any) -> Any:
    """Return the inputs one below the other."""
    return np.concatenate([np.atleast_2d(array_or_node(each)) for each in tup])


@rule
def hstack(tup: Any) -> Any:
    """Return the inputs side by side."""
    parts = [np.atleast_1d(array_or_node(each)) for each in tup]
    return np.concatenate(parts, axis=0 if parts[0].ndim == 1 else 1)


@rule
def dstack(tup: Any) -> Any:
    """Return the inputs one behind the other."""
    return np.concatenate([np.atleast_3d(array_or_node(each)) for each in tup], axis=2)


@rule
def column_stack(tup: Any) -> Any:
    """Return vectors as the columns of a matrix."""
    parts = [array_or_node(each) for each in tup]
    return np.concatenate([part.reshape(-1, 1) if part.ndim < 2 else part for part in parts], axis=1)


@rule
def append(arr: Any, values: Any, axis: Any = None) -> Any:
    """Return the values behind the array."""
    return np.concatenate([arr, values], axis=axis)
