"""Memory for large gradients, used again from graph to graph.

A training loop makes a graph a step. Fresh memory for gradients of a megabyte in each of them would take longer than
computing them, as the system hands it out page by page.
"""
from __future__ import annotations

import sys
from typing import Any, Dict, List

import numpy as np

_WORTHWHILE = 64 * 1024  # smaller arrays, in bytes, come from memory that Python keeps anyway
_KEPT_OF_A_KIND = 4
_arrays: Dict[Any, List[np.ndarray]] = {}  # by shape and precision; used again when nobody else holds them


def _reference_counts(arrays: List[np.ndarray]) -> List[int]:
    return [sys.getrefcount(array) for array in arrays]


_UNHELD = _reference_counts([np.empty(1)])[0]  # the count of an array that only its list holds


def zeros(shape: Any, dtype: Any) -> np.ndarray:
    """Return an array of zeros."""
    array = _unused(shape, dtype)
    array.fill(0)
    return array


def product(a: Any, b: Any) -> Any:
    """Return a @ b of two matrices, or of two nodes."""
    if type(a) is np.ndarray and type(b) is np.ndarray and a.dtype == b.dtype:
        return np.matmul(a, b, out=_unused((a.shape[0], b.shape[1]), a.dtype))
    return a @ b


def _unused(shape: Any, dtype: Any) -> np.ndarray:
    """Return an array of anything, from an earlier graph if nobody holds it any more, neither itself nor a view."""
    kept = _arrays.get((shape, dtype), [])
    for i, count in enumerate(_reference_counts(kept)):
        if count == _UNHELD:
            return kept[i]
    array = np.empty(shape, dtype)
    if array.nbytes >= _WORTHWHILE and len(kept) < _KEPT_OF_A_KIND:
        _arrays[shape, dtype] = kept + [array]
    return array
