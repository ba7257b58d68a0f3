"""Notices a leaf whose array was changed in place between the forward and the backward pass, as an optimiser may do.

The backward pass computes with the values of the forward pass: with others, the gradient would be wrong in silence.
"""
from __future__ import annotations

from typing import Any, Optional, Tuple

import numpy as np

from lib.validation import InputError

_MOST, _OF_LARGE = 1000, 300  # entries that are looked at
_WEIGHTS = {np.dtype(kind): np.cos(np.arange(2.0 * _MOST)).astype(kind) for kind in ("f2", "f4", "f8", "longdouble")}


def marks_of(parents: Tuple[Any, ...]) -> Optional[Tuple[Any, ...]]:
    """Return one number for the array of each leaf among the parents, to be compared later; None without one."""
    found = [_mark(parent.value) if parent.operation is None and type(parent.value) is np.ndarray else None
             for parent in parents]
    return tuple(found) if any(mark is not None for mark in found) else None


def require_unchanged(node: Any) -> None:
    """Raise InputError if a variable that the node was computed from holds other numbers now."""
    for parent, before in zip(node.parents, node.marks):
        if before is not None:
            now = _mark(parent.value)
            rounding = 1e-12 if parent.value.dtype == np.float64 else 1e-6  # of another number of threads
            same = now == before or now != now and before != before  # inf and nan are, too
            if not same and not abs(now - before) <= rounding * abs(before):
                raise InputError(f"The values of {parent!r} were changed after the graph was computed with them, so "
                                 "its gradient would be wrong. Call backward() before values are updated, or compute "
                                 "the graph again: lib.graph.forward(loss).")


def _mark(value: np.ndarray) -> Any:
    """Return the sum of entries with weights of all kinds: it tells entries that change or change places.

    Of a large array, some hundreds of entries are looked at, which a step of an optimiser changes like all others.
    """
    entries = value.ravel(order="K")
    if entries.size > _MOST:
        entries = entries[::entries.size // _OF_LARGE]
    weights = _WEIGHTS.get(value.dtype)
    if weights is None:  # bytes in another order
        entries, weights = entries.astype(np.float64), _WEIGHTS[np.dtype("f8")]
    return np.dot(entries, weights[:entries.size])
