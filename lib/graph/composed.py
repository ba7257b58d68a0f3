"""What NumPy's functions do on nodes that are composed of several operations, or take their arguments in another order.

Each stands under NumPy's name, with NumPy's arguments as far as they make sense on nodes, and is written with what both
arrays and nodes understand. The rules of single operations stand in operations/.
"""
from __future__ import annotations

import math
from typing import Any

import numpy as np

from lib.graph.composed_shapes import picked
from lib.graph.operations import FUNCTIONS, call, node_in, normalised_axes, value_of
from lib.graph.operations.aggregates import Cumsum, Norm
from lib.graph.operations.kinks import Where
from lib.graph.operations.matrices import Trace
from lib.graph.operations.products import Einsum, explicit
from lib.graph.operations.shapes import Cast
from lib.graph.rules import NoRule, arguments_of_numpy, array_or_node, rule


# ---------------------------------------------------------------------- what takes its arguments as NumPy has them

@arguments_of_numpy
def where(condition: Any, x: Any, y: Any) -> Any:
    """Return x where the condition holds, and y elsewhere."""
    return call(Where(condition), x, y)


@arguments_of_numpy
def cumsum(a: Any, axis: Any = None) -> Any:
    """Return the sums of the entries so far, along an axis; of all entries in a row where it is None."""
    return call(Cumsum(-1), a.reshape(-1)) if axis is None else call(Cumsum(axis), a)


@arguments_of_numpy
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """Return the Euclidean length along the axes, or with ord the norm of that order of vectors."""
    x = array_or_node(x)
    if ord is None or ord == "fro" or ord == 2 and (axis is not None or x.ndim == 1):
        return call(Norm(axis, keepdims), x)
    if np.ndim(axis) or axis is None and x.ndim != 1 or isinstance(ord, str):
        raise NoRule(f"np.linalg.norm of a matrix with ord={ord!r} has no rule on nodes.")
    size = abs(x)
    if abs(ord) == np.inf:
        return size.max(axis, keepdims=keepdims) if ord > 0 else size.min(axis, keepdims=keepdims)
    if ord == 0:
        return (value_of(x) != 0).sum(axis, keepdims=keepdims)
    return size.sum(axis, keepdims=keepdims) if ord == 1 else (size ** ord).sum(axis, keepdims=keepdims) ** (1 / ord)


# ---------------------------------------------------------------------- composed: single entries

@rule
def positive(x: Any) -> Any:
    """Return x."""
    return x


@rule
def square(x: Any) -> Any:
    """Return x ** 2."""
    return x ** 2


@rule
def reciprocal(x: Any) -> Any:
    """Return 1 / x."""
    return 1 / x


@rule
def log2(x: Any) -> Any:
    """Return the logarithm to the base 2."""
    return np.log(x) / math.log(2)


@rule
def log10(x: Any) -> Any:
    """Return the logarithm to the base 10."""
    return np.log(x) / math.log(10)


@rule
def exp2(x: Any) -> Any:
    """Return 2 ** x."""
    return np.exp(x * math.log(2))


@rule
def sinh(x: Any) -> Any:
    """Return the hyperbolic sine, (exp(x) - exp(-x)) / 2, exact also for tiny x."""
    return np.tanh(x) * np.cosh(x)


@rule
def expm1(x: Any) -> Any:
    """Return exp(x) - 1, exact also for tiny x."""
    return np.tanh(x / 2) * (np.exp(x) + 1)


@rule
def logaddexp(x1: Any, x2: Any) -> Any:
    """Return log(exp(x1) + exp(x2)), without overflow."""
    x1, x2 = np.broadcast_arrays(array_or_node(x1), array_or_node(x2))
    return FUNCTIONS["logsumexp"](np.stack([x1, x2]), 0)


@rule
def hypot(x1: Any, x2: Any) -> Any:
    """Return sqrt(x1^2 + x2^2)."""
    return np.sqrt(np.square(x1) + np.square(x2))


@rule
def remainder(x1: Any, x2: Any) -> Any:
    """Return x1 - x2 floor(x1 / x2)."""
    return x1 - x2 * np.floor_divide(value_of(x1), value_of(x2))


@rule
def clip(a: Any, a_min: Any = None, a_max: Any = None, min: Any = None, max: Any = None) -> Any:
    """Return a, with entries below a_min and above a_max set to these."""
    lowest, highest = (a_min if min is None else min), (a_max if max is None else max)
    a = a if lowest is None else np.maximum(a, lowest)
    return a if highest is None else np.minimum(a, highest)


@rule
def nan_to_num(x: Any, nan: float = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    """Return x with numbers in place of NaN and infinities."""
    value = value_of(x)
    return np.where(np.isfinite(value), x, np.nan_to_num(value, nan=nan, posinf=posinf, neginf=neginf))


@arguments_of_numpy
def astype(x: Any, dtype: Any, copy: bool = True) -> Any:
    """Return x in another precision; as whole numbers or truth values, a plain array."""
    if np.dtype(dtype).kind != "f":
        return value_of(x).astype(dtype)
    return x if x.dtype == np.dtype(dtype) else call(Cast(dtype), x)


@rule
def full_like(a: Any, fill_value: Any, dtype: Any = None) -> Any:
    """Return an array in the shape of a that holds one value; a node, if the value is one."""
    if node_in(fill_value) is not None:
        return np.broadcast_to(array_or_node(fill_value), a.shape)
    return np.full_like(value_of(a), fill_value, dtype=dtype)


# ---------------------------------------------------------------------- composed: along axes

@rule
def var(a: Any, axis: Any = None, dtype: Any = None, ddof: int = 0, keepdims: bool = False) -> Any:
    """Return the variance: the mean of the squared distances from the mean, or their sum divided by n - ddof."""
    a = array_or_node(a) if dtype is None else astype(array_or_node(a), dtype)
    count = math.prod(a.shape[i] for i in normalised_axes(axis, a.ndim))
    squares = (a - a.mean(axis=axis, keepdims=True)) ** 2
    return squares.sum(axis=axis, keepdims=keepdims) / (count - ddof)


@rule
def std(a: Any, axis: Any = None, dtype: Any = None, ddof: int = 0, keepdims: bool = False) -> Any:
    """Return the standard deviation, the root of the variance; where that is 0, its derivative is 0, as a norm's."""
    variance = var(a, axis, dtype, ddof, keepdims)
    if np.all(value_of(variance) != 0):
        return np.sqrt(variance)
    a = array_or_node(a) if dtype is None else astype(array_or_node(a), dtype)
    count = math.prod(a.shape[i] for i in normalised_axes(axis, a.ndim))
    return call(Norm(axis, keepdims), a - a.mean(axis=axis, keepdims=True)) / math.sqrt(count - ddof)


@rule
def average(a: Any, axis: Any = None, weights: Any = None) -> Any:
    """Return the mean, or with weights the weighted mean."""
    a = array_or_node(a)
    if weights is None:
        return a.mean(axis=axis)
    weights = array_or_node(weights)
    if weights.shape != a.shape:  # one weight for each place of the axis
        weights = weights.reshape(tuple(size if i == axis % a.ndim else 1 for i, size in enumerate(a.shape)))
    return (a * weights).sum(axis=axis) / np.broadcast_to(weights, a.shape).sum(axis=axis)


@rule
def ptp(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Return the greatest entry minus the smallest."""
    return np.max(a, axis=axis, keepdims=keepdims) - np.min(a, axis=axis, keepdims=keepdims)


@rule
def sort(a: Any, axis: Any = -1) -> Any:
    """Return the entries in ascending order along an axis; of all entries in a row where it is None."""
    if axis is None:
        a, axis = a.reshape(-1), -1
    return np.take_along_axis(a, np.argsort(value_of(a), axis=axis), axis)


@rule
def median(a: Any, axis: Any = None) -> Any:
    """Return the entry in the middle along an axis, or the mean of the two in the middle."""
    ordered = np.sort(a, axis)
    axis = -1 if axis is None else axis
    n = ordered.shape[axis]
    return np.take(ordered, np.arange((n - 1) // 2, n // 2 + 1), axis).mean(axis=axis)


@rule
def diff(a: Any, n: int = 1, axis: int = -1) -> Any:
    """Return the differences of neighbours along an axis."""
    for _ in range(n):
        size = a.shape[axis]
        a = np.take(a, np.arange(1, size), axis) - np.take(a, np.arange(size - 1), axis)
    return a


@arguments_of_numpy
def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """Return the sum of the diagonal."""
    if a.ndim == 2 and not offset and (axis1, axis2) == (0, 1):
        return call(Trace(), a)
    return np.diagonal(a, offset, axis1, axis2).sum(axis=-1)


# ---------------------------------------------------------------------- composed: products

@rule
def dot(a: Any, b: Any) -> Any:
    """Return the product as np.dot has it: of vectors, of matrices, or with a single number."""
    a, b = array_or_node(a), array_or_node(b)
    if a.ndim == 0 or b.ndim == 0:
        return a * b
    return a @ b if b.ndim <= 2 else np.tensordot(a, b, axes=(-1, -2))


@rule
def vdot(a: Any, b: Any) -> Any:
    """Return the sum of the products of all entries."""
    return array_or_node(a).reshape(-1) @ array_or_node(b).reshape(-1)


@rule
def inner(a: Any, b: Any) -> Any:
    """Return the scalar products of the last axes."""
    a, b = array_or_node(a), array_or_node(b)
    return a * b if a.ndim == 0 or b.ndim == 0 else np.tensordot(a, b, axes=(-1, -1))


@rule
def outer(a: Any, b: Any) -> Any:
    """Return the table of all products of an entry of a and one of b."""
    return array_or_node(a).reshape(-1, 1) * array_or_node(b).reshape(1, -1)


@rule
def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    """Return the sum of products over pairs of axes."""
    a, b = array_or_node(a), array_or_node(b)
    first, second = (range(a.ndim - axes, a.ndim), range(axes)) if isinstance(axes, (int, np.integer)) else axes
    pairs = [tuple(int(axis) % x.ndim for axis in np.ravel(np.asarray(given, int)))
             for x, given in ((a, first), (b, second))]
    rest = [tuple(axis for axis in range(x.ndim) if axis not in pair) for x, pair in zip((a, b), pairs)]
    shape = tuple(x.shape[axis] for x, kept in zip((a, b), rest) for axis in kept)
    size = math.prod(a.shape[axis] for axis in pairs[0])
    product = a.transpose(rest[0] + pairs[0]).reshape(-1, size) @ b.transpose(pairs[1] + rest[1]).reshape(size, -1)
    return product.reshape(shape)


@arguments_of_numpy
def einsum(subscripts: str, *operands: Any, optimize: Any = True) -> Any:
    """Return the sum of products that the subscripts say, such as "ij,jk->ik"."""
    if not isinstance(subscripts, str):
        raise NoRule('np.einsum on nodes takes the subscripts as a text, such as np.einsum("ij,jk->ik", a, b).')
    inputs, output = explicit(subscripts, [np.ndim(operand) for operand in operands])
    nodes = []
    for letters, operand in zip(inputs, map(array_or_node, operands)):
        once = "".join(dict.fromkeys(letters))
        nodes.append(operand if once == letters else  # "ii": its diagonal
                     picked(lambda a: np.einsum(f"{letters}->{once}", a), operand))
    return call(Einsum(["".join(dict.fromkeys(letters)) for letters in inputs], output), *nodes)
