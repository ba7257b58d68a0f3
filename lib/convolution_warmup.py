"""A convolution, step by step: from one sum of products to all filters and a whole batch.

A filter F (channels, fh, fw), whose top left corner is laid on the pixel (r, c), gives one number:

    sum_{k, i, j} X[k, r + i, c + j] F[k, i, j]
"""
from __future__ import annotations

from typing import Any, Tuple

import numpy as np

from lib.validation import InputError, as_float, require_size


def pad_array(X: np.ndarray, pad: Tuple[int, int]) -> np.ndarray:
    """Return images with zeros around them: pad[0] rows above and below, pad[1] columns on the left and right.

    >>> pad_array(np.ones((1, 1, 1, 2)), (1, 0)).tolist()
    [[[[0.0, 0.0], [1.0, 1.0], [0.0, 0.0]]]]

    Args:
        X: images, (batch, channels, height, width).
        pad: (height, width).

    Returns:
        A new array, (batch, channels, height + 2 pad[0], width + 2 pad[1]).
    """
    X = _checked("pad_array", "X", X, "batch, channels, height, width")
    if np.shape(pad) != (2,):
        raise InputError(f"pad_array expects pad to be two numbers, (height, width), but got {pad!r}.")
    for number in pad:
        require_size("pad", number, "pad_array", least=0)
    # START TODO ################
    # the batch and the channels stay as they are
    return np.pad(X, ((0, 0), (0, 0), (pad[0], pad[0]), (pad[1], pad[1])))
    # END TODO ##################


def dot_product_single_filter(X: np.ndarray, F: np.ndarray, index: Tuple[int, int]) -> float:
    """Return the sum of products of one filter with the part of one image that it covers.

    Args:
        X: an image, (channels, height, width).
        F: a filter, (channels, fh, fw).
        index: (row, column) of the pixel under the filter's top left corner.
    """
    who = "dot_product_single_filter"
    X, F = _checked(who, "X", X, "channels, height, width"), _checked(who, "F", F, "channels, fh, fw")
    _require_inside(who, X, F, index)
    # START TODO ################
    r, c = index
    return float((X[:, r:r + F.shape[1], c:c + F.shape[2]] * F).sum())
    # END TODO ##################


def dot_product_single_filter_with_batches(X: np.ndarray, F: np.ndarray, index: Tuple[int, int]) -> np.ndarray:
    """Return the sums of products of one filter with the same part of each image, (batch,).

    Args:
        X: images, (batch, channels, height, width).
        F: a filter, (channels, fh, fw).
        index: (row, column) of the pixel under the filter's top left corner.
    """
    who = "dot_product_single_filter_with_batches"
    X, F = _checked(who, "X", X, "batch, channels, height, width"), _checked(who, "F", F, "channels, fh, fw")
    _require_inside(who, X, F, index)
    # START TODO ################
    # F has no batch axis: broadcasting lays it on each image
    r, c = index
    return (X[:, :, r:r + F.shape[1], c:c + F.shape[2]] * F).sum(axis=(1, 2, 3))
    # END TODO ##################


def dot_product_multiple_filters_with_batches(X: np.ndarray, filters: np.ndarray, index: Tuple[int, int]) -> np.ndarray:
    """Return the sums of products of each filter with the same part of each image, (batch, n_filters).

    Args:
        X: images, (batch, channels, height, width).
        filters: (n_filters, channels, fh, fw).
        index: (row, column) of the pixel under the filters' top left corner.
    """
    who = "dot_product_multiple_filters_with_batches"
    X = _checked(who, "X", X, "batch, channels, height, width")
    filters = _checked(who, "filters", filters, "n_filters, channels, fh, fw")
    _require_inside(who, X, filters, index)
    # START TODO ################
    # part (batch, 1, channels, fh, fw) times filters (n_filters, channels, fh, fw), summed over all but the first two
    r, c = index
    part = X[:, np.newaxis, :, r:r + filters.shape[2], c:c + filters.shape[3]]
    return (part * filters).sum(axis=(2, 3, 4))
    # END TODO ##################


def _checked(who: str, name: str, array: Any, axes: str) -> np.ndarray:
    """Return the array as floats, or raise a sentence if it hasn't these axes."""
    array = as_float(array, who)
    if array.ndim != len(axes.split(",")):
        raise InputError(f"{who} expects {name} with the axes ({axes}), but got shape {array.shape}.")
    return array


def _require_inside(who: str, X: np.ndarray, F: np.ndarray, index: Any) -> None:
    """Raise InputError unless the filter has the image's channels and lies inside it."""
    if X.shape[-3] != F.shape[-3]:
        raise InputError(f"{who} expects a filter with as many channels as the image, but got {F.shape[-3]} for "
                         f"{X.shape[-3]}: shapes {F.shape} and {X.shape}.")
    if np.shape(index) != (2,):
        raise InputError(f"{who} expects index to be (row, column), but got {index!r}.")
    for number, size, length in zip(index, X.shape[-2:], F.shape[-2:]):
        require_size("index", number, who, least=0)
        if number + length > size:
            raise InputError(f"{who}: a filter of {F.shape[-2]} x {F.shape[-1]} pixels at {tuple(index)} goes beyond "
                             f"the image of {X.shape[-2]} x {X.shape[-1]} pixels.")
