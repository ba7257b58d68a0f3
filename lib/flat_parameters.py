"""All parameters of a model as one vector, as general optimisers take them.

The order is that of model.parameters(), each array row by row.
"""
from __future__ import annotations

from typing import Any, Iterable, List, Sequence

import numpy as np

from lib.network_base import Parameter
from lib.validation import InputError


def flatten(arrays: Iterable[np.ndarray]) -> np.ndarray:
    """Return the entries of all arrays as one new vector.

    >>> flatten([np.array([[1, 2], [3, 4]]), np.array([5])]).tolist()
    [1, 2, 3, 4, 5]
    """
    pieces = [np.asarray(array).ravel() for array in arrays]
    return np.concatenate(pieces) if pieces else np.zeros(0)


def unflatten(vector: np.ndarray, like: Sequence[np.ndarray]) -> List[np.ndarray]:
    """Return views of consecutive pieces of a vector, in the shapes of the arrays in `like`: flatten's inverse.

    >>> [array.tolist() for array in unflatten(np.arange(5), like=[np.zeros((2, 2)), np.zeros(1)])]
    [[[0, 1], [2, 3]], [4]]

    Raises:
        InputError: the vector hasn't as many entries as these arrays together.
    """
    ends = np.cumsum([array.size for array in like], dtype=int)
    total = int(ends[-1]) if len(like) else 0
    if np.shape(vector) != (total,):
        raise InputError(f"unflatten expects a vector of {total} entries for arrays of the shapes "
                         f"{[array.shape for array in like]}, but got shape {np.shape(vector)}.")
    return [vector[end - array.size:end].reshape(array.shape) for array, end in zip(like, ends)]


def flat_data(params: Iterable[Parameter]) -> np.ndarray:
    """Return a copy of the parameters' values as one vector."""
    return flatten(param.data for param in params)


def flat_grad(params: Iterable[Parameter]) -> np.ndarray:
    """Return a copy of the parameters' gradients as one vector."""
    return flatten(param.grad for param in params)


def set_flat_data(params: Iterable[Parameter], vector: Any) -> None:
    """Copy a vector into the parameters' values, in place.

    Raises:
        InputError: the vector hasn't as many entries as the parameters together; then nothing is changed.
    """
    params = list(params)
    for param, piece in zip(params, unflatten(np.asarray(vector), [param.data for param in params])):
        param.data[...] = piece
