"""Formulas whose plain form overflows or loses digits, in a form that doesn't."""
from __future__ import annotations

import numpy as np


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


def stable_softplus(x: np.ndarray) -> np.ndarray:
    """Return log(1 + exp(x)) without overflow, as max(x, 0) + log(1 + exp(-|x|))."""
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))
