"""Further functions of NumPy on nodes: choices, interpolation, polynomials, angles, blocks and equations.

As in composed.py, each stands under NumPy's name and is written with what both arrays and nodes understand.
"""
from __future__ import annotations

from functools import reduce
from itertools import accumulate
from typing import Any

import numpy as np

from lib.graph.composed import dot
from lib.graph.operations import call, value_of
from lib.graph.operations.matrices import Inverse
from lib.graph.rules import array_or_node, rule
from lib.validation import InputError

LINALG = {"norm", "inv", "det", "solve", "matrix_power", "multi_dot"}  # what nodes know of np.linalg


# ---------------------------------------------------------------------- choices

@rule
def select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    """Return the entry of the first choice whose condition holds, and the default where none does."""
    which = np.select([value_of(condition) for condition in condlist], range(len(choicelist)), -1)
    result = array_or_node(default)
    for k, choice in enumerate(choicelist):
        result = np.where(which == k, choice, result)
    return result


@rule
def piecewise(x: Any, condlist: Any, funclist: Any) -> Any:
    """Return f(x) of the last condition that holds, of a further function where none does, and 0 without one.

    Each function gets only the entries that are its own: sqrt of a negative one would send back NaN.
    """
    x = array_or_node(x)
    conditions = [value_of(each) for each in condlist] if isinstance(condlist, (list, tuple)) else condlist
    which = np.piecewise(np.zeros(x.shape), conditions, range(1, len(funclist) + 1)).ravel()  # 0: none
    entries, places = x.reshape(-1), [np.flatnonzero(which == k) for k in range(len(funclist) + 1)]
    pieces = [entries[:0]]
    for f, own in zip([0.0, *funclist], places):
        if own.size:
            piece = f(entries[own]) if callable(f) else f
            piece = np.asarray(piece, x.dtype) if value_of(piece) is piece else piece  # float64 would spread
            pieces.append(np.broadcast_to(piece, own.shape))
    return np.concatenate(pieces)[np.argsort(np.concatenate(places))].reshape(x.shape)


@rule
def compress(condition: Any, a: Any, axis: Any = None) -> Any:
    """Return the entries at which a condition holds."""
    a = array_or_node(a)
    return np.take(a, np.compress(value_of(condition), np.arange(a.size if axis is None else a.shape[axis])), axis)


@rule
def extract(condition: Any, arr: Any) -> Any:
    """Return the entries at which a condition holds, one after the other."""
    return np.take(arr, np.flatnonzero(value_of(condition)))


@rule
def nansum(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Return the sum of the entries that are numbers."""
    return np.where(np.isnan(value_of(a)), 0, a).sum(axis, keepdims=keepdims)


@rule
def nanmean(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Return the mean of the entries that are numbers."""
    return nansum(a, axis, keepdims) / (~np.isnan(value_of(a))).sum(axis, keepdims=keepdims)


# ---------------------------------------------------------------------- single entries

@rule
def real(val: Any) -> Any:
    """Return val: the numbers of nodes are real."""
    return val


@rule
def cbrt(x: Any) -> Any:
    """Return the cube root."""
    return np.sign(x) * abs(x) ** (1 / 3)


@rule
def copysign(x1: Any, x2: Any) -> Any:
    """Return |x1| with the sign of x2."""
    return abs(x1) * np.copysign(1.0, value_of(x2))


@rule
def degrees(x: Any) -> Any:
    """Return an angle in degrees."""
    return x * (180 / np.pi)


@rule
def radians(x: Any) -> Any:
    """Return an angle in radians."""
    return x * (np.pi / 180)


# ---------------------------------------------------------------------- along an axis

@rule
def cumprod(a: Any, axis: Any = None) -> Any:
    """Return the products of the entries so far."""
    a, axis = (a.reshape(-1), 0) if axis is None else (a, axis)
    return np.stack(list(accumulate((np.take(a, k, axis) for k in range(a.shape[axis])), np.multiply)), axis)


@rule
def trapezoid(y: Any, x: Any = None, dx: float = 1.0, axis: int = -1) -> Any:
    """Return the integral of y over x by trapezoids."""
    y = np.moveaxis(array_or_node(y), axis, -1)
    places = None if x is None else array_or_node(x)
    widths = dx if places is None else np.diff(places if places.ndim == 1 else np.moveaxis(places, axis, -1))
    return (widths * (y[..., 1:] + y[..., :-1]) / 2).sum(-1)


@rule
def interp(x: Any, xp: Any, fp: Any) -> Any:
    """Return the values at x of the line through the points (xp, fp), constant outside of them."""
    x, xp, fp = array_or_node(x), array_or_node(xp), array_or_node(fp)
    last = len(xp) - 1
    left = np.clip(np.searchsorted(value_of(xp), value_of(x), side="right") - 1, 0, last - 1)
    slopes = (fp[1:] - fp[:-1]) / (xp[1:] - xp[:-1])
    inside = fp[left] + slopes[left] * (x - xp[left])
    return np.where(value_of(x) < value_of(xp)[0], fp[0], np.where(value_of(x) > value_of(xp)[-1], fp[last], inside))


@rule
def linspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True) -> Any:
    """Return numbers at equal distances, along a new first axis."""
    start, stop = array_or_node(start), array_or_node(stop)
    parts = np.linspace(0.0, 1.0, num, endpoint)
    return start + (stop - start) * parts.reshape((len(parts),) + (1,) * max(start.ndim, stop.ndim))


@rule
def polyval(p: Any, x: Any) -> Any:
    """Return the polynomial at x whose coefficients are p, that of the highest power first."""
    p, x = array_or_node(p), array_or_node(x)
    return reduce(lambda total, coefficient: total * x + coefficient, p) if len(p) > 1 else np.zeros_like(x) + p.sum()


@rule
def convolve(a: Any, v: Any, mode: str = "full") -> Any:
    """Return the convolution of two vectors."""
    a, v = array_or_node(a), array_or_node(v)
    if a.ndim != 1 or v.ndim != 1:
        raise InputError(f"np.convolve takes two vectors, but got arrays of the shapes {a.shape} and {v.shape}.")
    a, v = (v, a) if len(v) > len(a) else (a, v)
    around = {"full": (len(v) - 1, len(v) - 1), "same": (len(v) // 2, (len(v) - 1) // 2), "valid": (0, 0)}[mode]
    return np.lib.stride_tricks.sliding_window_view(np.pad(a, around), len(v)) @ v[::-1]


# ---------------------------------------------------------------------- arrays of arrays

@rule
def block(arrays: Any) -> Any:
    """Return one array of nested lists of blocks: the innermost lists side by side, those around them below."""
    depth, inner = 0, arrays
    while isinstance(inner, list):
        depth, inner = depth + 1, inner[0]

    def joined(part: Any, level: int) -> Any:
        if not isinstance(part, list):
            return np.atleast_1d(part) if depth < 2 else np.atleast_2d(part)
        return np.concatenate([joined(each, level + 1) for each in part], axis=level - depth)

    return joined(arrays, 0)


@rule
def meshgrid(*xi: Any, indexing: str = "xy") -> Any:
    """Return coordinate arrays of the grid that vectors span."""
    vectors = [array_or_node(x).reshape(-1) for x in xi]
    ranges: Any = [np.arange(x.size) for x in vectors]
    places = np.meshgrid(*ranges, indexing=indexing)  # type: ignore[call-overload]
    return [x[place] for x, place in zip(vectors, places)]


@rule
def kron(a: Any, b: Any) -> Any:
    """Return the Kronecker product of two arrays of equally many axes."""
    a, b = array_or_node(a), array_or_node(b)
    ndim = max(a.ndim, b.ndim)
    a, b = (each.reshape((1,) * (ndim - each.ndim) + each.shape) for each in (a, b))
    one = a.reshape([size for pair in zip(a.shape, (1,) * ndim) for size in pair])
    other = b.reshape([size for pair in zip((1,) * ndim, b.shape) for size in pair])
    return (one * other).reshape([m * n for m, n in zip(a.shape, b.shape)])


@rule
def cross(a: Any, b: Any) -> Any:
    """Return the cross product of vectors of three entries, along the last axis."""
    a, b = array_or_node(a), array_or_node(b)
    i, j = [1, 2, 0], [2, 0, 1]
    return a[..., i] * b[..., j] - a[..., j] * b[..., i]


# ---------------------------------------------------------------------- np.linalg

@rule
def solve(a: Any, b: Any) -> Any:
    """Return x with a x = b."""
    return call(Inverse(), array_or_node(a)) @ array_or_node(b)


@rule
def matrix_power(a: Any, n: int) -> Any:
    """Return the n-th power of a square matrix, by its inverse where n is negative."""
    if n == 0:
        return a * 0.0 + np.eye(a.shape[-1])
    return reduce(np.matmul, [a if n > 0 else call(Inverse(), a)] * abs(n))


@rule
def multi_dot(arrays: Any) -> Any:
    """Return the product of several matrices."""
    return reduce(dot, arrays)
