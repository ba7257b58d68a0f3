"""Formulas whose plain form overflows or loses digits, in a form that doesn't."""
from __future__ import annotations

from typing import Any

import numpy as np


class LossValue(np.float64):
    """The value of a loss: a number like any other, which says where backpropagation starts."""

    def backward(self, *_: Any) -> None:
        raise AttributeError("A loss is a number here, and knows nothing of the network. Backpropagation starts at the "
                             "loss function: model.backward(loss_fn.backward()).")


def memory_of(array: Any) -> Any:
    """Return the array that holds the memory of this one: itself, or what it is a view of."""
    while isinstance(getattr(array, "base", None), np.ndarray):
        array = array.base
    return array


def in_precision_of(x: np.ndarray, result: Any) -> Any:
    """Return a result in the precision of the input: float32 in, float32 out, whatever the weights are."""
    return result if result is None or result.dtype is x.dtype else result.astype(x.dtype)


def stable_sigmoid(x: np.ndarray) -> np.ndarray:
    """Return 1 / (1 + exp(-x)) without overflow: the exponential is only taken of numbers up to 0."""
    x = x if x.dtype.kind == "f" else x.astype(np.float64)
    e = np.exp(-np.abs(x))
    y = np.where(x >= 0, 1, e) / (1 + e)
    return y.astype(x.dtype, copy=False)  # NumPy 1 widens single float32 numbers


def stable_softmax(x: np.ndarray) -> np.ndarray:
    """Return exp(x_i) / sum_j exp(x_j) along the last axis; the shift by the maximum cancels and prevents overflow."""
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def log_softmax(x: np.ndarray) -> np.ndarray:
    """Return log softmax of each row in float64, also of infinite logits: the greatest ones share the probability."""
    x = x.astype(np.float64)
    top = x.max(axis=1, keepdims=True)
    with np.errstate(invalid="ignore"):
        shifted = np.where((x == top) & (top > -np.inf), 0.0, x - top)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def weighted_sum(weights: np.ndarray, values: np.ndarray) -> Any:
    """Return sum of weights * values in float64, where a weight of 0 makes 0 of anything, infinity included."""
    with np.errstate(invalid="ignore"):
        return np.where(weights == 0, 0.0, weights * values).sum(dtype=np.float64)


def stable_softplus(x: np.ndarray) -> np.ndarray:
    """Return log(1 + exp(x)) without overflow, as max(x, 0) + log(1 + exp(-|x|))."""
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))
