"""How formulas bring a gradient back to the shape of an input, or spread it over the entries of one."""
from __future__ import annotations

from typing import Any, Optional, Tuple

from lib.graph.notation.evaluate import names_in, replaced
from lib.graph.notation.simplify import times
from lib.graph.notation.terms import Shape, Term, call, method, number, ones


def reduced_shape(shape: Optional[Shape], axis: Any, keepdims: bool) -> Optional[Shape]:
    """Return the shape that is left of one when axes are summed, or None if it isn't known."""
    if shape is None:
        return None
    axes = range(len(shape)) if axis is None else [k % len(shape) for k in _as_tuple(axis)]
    return tuple(1 if k in axes else size for k, size in enumerate(shape) if keepdims or k not in axes)


def summed(term: Term, axis: Any = None, keepdims: bool = False) -> Term:
    """Return the sum of a term along axes."""
    if term.kind == "negative":
        return -summed(term.parts[0].of_shape(term.shape), axis, keepdims)
    return call("sum", term, shape=reduced_shape(term.shape, axis, keepdims), axis=axis, keepdims=keepdims)


def summed_back(term: Term, shape: Shape, target: Shape) -> Term:
    """Return the sum over the axes that broadcasting added or stretched: from a shape back to that of an input."""
    term = term if term.shape == shape else Term(term.kind, term.parts, shape)
    added = len(shape) - len(target)
    stretched = tuple(added + k for k, size in enumerate(target) if size == 1 and shape[added + k] != 1)
    if added == len(shape) and added:
        return summed(term)
    if stretched and added:
        total = summed(term, tuple(range(added)) + stretched)
        return method(total, "reshape", ", ".join(map(str, target)), target)
    if stretched:
        return summed(term, stretched if len(stretched) > 1 else stretched[0], keepdims=True)
    return summed(term, tuple(range(added)) if added > 1 else 0) if added else term


def spread(grad: Term, shape: Optional[Shape], axis: Any, keepdims: bool) -> Term:
    """Return a gradient that arrives at a reduction, copied to every entry that took part in it."""
    if shape is None:
        return grad
    if not names_in(grad):  # the same number for each entry
        return times(replaced(grad, {ones(grad.shape or ()): number(1)}), ones(shape))
    axes = tuple(range(len(shape))) if axis is None else tuple(sorted(k % len(shape) for k in _as_tuple(axis)))
    if not keepdims and axes != tuple(range(len(axes))):  # NumPy adds missing axes in front only
        sizes = tuple(1 if k in axes else size for k, size in enumerate(shape))
        grad = method(grad, "reshape", ", ".join(map(str, sizes)), sizes)
    return times(grad, ones(shape))


def _as_tuple(axis: Any) -> Tuple[int, ...]:
    return axis if isinstance(axis, tuple) else (axis,)
