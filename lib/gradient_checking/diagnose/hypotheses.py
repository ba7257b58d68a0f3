"""Hypotheses: what a module would give if it made a certain mistake, to be compared with what it gives.

Each function takes a trial and the number k of an upstream gradient, and returns the gradient that its mistake leads
to, or None where the mistake can't be made. It explains a wrong gradient if that is what came in every trial, for
every upstream gradient. The first hypotheses are the simplest.
"""
from __future__ import annotations

from typing import Any, Callable, List, NamedTuple, Optional

import numpy as np

from lib.gradient_checking.diagnose.evidence import Trial

Gradient = Optional[np.ndarray]


class Hypothesis(NamedTuple):
    """The name of a cause, what speaks for it, and the gradient that it leads to."""

    cause: str
    evidence: str
    gradient: Callable[[Trial, int], Gradient]


HYPOTHESES: List[Hypothesis] = []
GUESSES: List[Hypothesis] = []  # which other mistakes may happen to look like: tried when nothing else fits


def hypothesis(cause: str, evidence: str, among: List[Hypothesis] = HYPOTHESES) -> Callable[[Any], Any]:
    """Put the decorated function into the list of hypotheses, or of guesses."""
    def register(gradient: Callable[[Trial, int], Gradient]) -> Callable[[Trial, int], Gradient]:
        among.append(Hypothesis(cause, evidence, gradient))
        return gradient
    return register


@hypothesis("zeros", "every entry of the gradient is 0, though zeros are not what is expected")
def zeros(t: Trial, k: int) -> Gradient:
    is_zero = all(np.max(np.abs(got), initial=0) <= 1e-13 * t.size for got in t.got)
    return np.full(t.value.shape, 0.0 if is_zero else np.nan)  # not where it is zero at some points only


@hypothesis("wrong sign", "every entry is the expected one times -1")
def sign(t: Trial, k: int) -> Gradient:
    return -t.expected[k]


@hypothesis("transposed", "the gradient is the transpose of the expected one")
def transpose(t: Trial, k: int) -> Gradient:
    return t.expected[k].T if t.value.ndim == 2 and t.value.shape[0] == t.value.shape[1] > 1 else None


# ---------------------------------------------------------------------- masks: the derivative is one of two numbers


def two_slopes(t: Trial) -> Optional[tuple]:
    """Return the lower and the upper derivative of a module such as ReLU, which has only these two."""
    if not t.is_elementwise or t.x is None or t.diagonal is None or not (t.x > 0).any() or not (t.x < 0).any():
        return None
    below, above = t.diagonal[t.x < 0], t.diagonal[t.x > 0]
    if np.ptp(below) > 1e-6 or np.ptp(above) > 1e-6 or abs(below[0] - above[0]) < 1e-6:
        return None
    return float(below[0]), float(above[0])


@hypothesis("mask inverted", "the derivative of the positive side stands on the negative side, and the other way round")
def inverted(t: Trial, k: int) -> Gradient:
    slopes = two_slopes(t)
    return None if slopes is None else t.upstreams[k] * np.where(t.x > 0, *slopes)


@hypothesis("mask inverted", "the gradient is there exactly where it should be zero")
def complement(t: Trial, k: int) -> Gradient:
    if not t.is_elementwise or t.diagonal is None or t.diagonal.min() != 0 or t.diagonal.max() <= 0:
        return None
    return t.upstreams[k] * np.where(t.diagonal == 0, t.diagonal.max(), 0)


@hypothesis("mask on the gradient", "an entry is let through where the upstream gradient, not the input, is positive")
def mask_on_gradient(t: Trial, k: int) -> Gradient:
    slopes = two_slopes(t)
    return None if slopes is None else t.upstreams[k] * np.where(t.upstreams[k] > 0, slopes[1], slopes[0])


@hypothesis("mask on the gradient", "an entry is let through where input and upstream gradient are both positive")
def mask_on_both(t: Trial, k: int) -> Gradient:
    slopes = two_slopes(t)
    return None if slopes is None else t.expected[k] * (t.upstreams[k] > 0)


@hypothesis("mask on the gradient", "the gradient is the input where the upstream gradient is positive")
def swapped(t: Trial, k: int) -> Gradient:
    return None if two_slopes(t) is None else t.x * (t.upstreams[k] > 0)  # type: ignore[operator]


@hypothesis("mask on the gradient", "negative upstream gradients become zero")
def only_positive(t: Trial, k: int) -> Gradient:
    return t.through(np.maximum(t.upstreams[k], 0)) if len(t.upstreams) > 1 else None


# ---------------------------------------------------------------------- the upstream gradient


@hypothesis("upstream gradient passed on unchanged", "the gradient is equal to the upstream gradient")
def passed_on(t: Trial, k: int) -> Gradient:
    if two_slopes(t) is not None or t.index != 0 or t.upstreams[k].shape != t.value.shape or not t.y.ndim:
        return None
    return t.upstreams[k]


@hypothesis("transposed", "the gradient is the upstream gradient in another shape, but with its entries in that order")
def reshaped(t: Trial, k: int) -> Gradient:
    same_size = t.upstreams[k].size == t.value.size and t.upstreams[k].shape != t.value.shape
    return t.upstreams[k].reshape(t.value.shape) if t.index == 0 and same_size else None


@hypothesis("upstream gradient ignored", "the gradient is the one that belongs to an upstream gradient of ones")
def ones(t: Trial, k: int) -> Gradient:
    return t.through(np.ones(t.y.shape)) if len(t.upstreams) > 1 else None


@hypothesis("upstream gradient squared", "the gradient is the one that belongs to the square of the upstream gradient")
def squared(t: Trial, k: int) -> Gradient:
    return t.through(t.upstreams[k] ** 2) if len(t.upstreams) > 1 else None


@hypothesis("upstream gradient squared", "the gradient is the expected one times the upstream gradient")
def multiplied_again(t: Trial, k: int) -> Gradient:
    fits = len(t.upstreams) > 1 and t.upstreams[k].shape in ((), t.value.shape)
    return t.expected[k] * t.upstreams[k] if fits else None


@hypothesis("absolute value of the upstream gradient", "the gradient belongs to the upstream gradient's absolute value")
def absolute(t: Trial, k: int) -> Gradient:
    return t.through(np.abs(t.upstreams[k])) if len(t.upstreams) > 1 else None


@hypothesis("absolute value of the upstream gradient", "the gradient is the absolute value of the expected one")
def absolute_result(t: Trial, k: int) -> Gradient:
    return np.abs(t.expected[k]) if len(t.upstreams) > 1 else None


@hypothesis("not linear in the upstream gradient", "the gradient belongs to the signs of the upstream gradient")
def signs(t: Trial, k: int) -> Gradient:
    return t.through(np.sign(t.upstreams[k])) if len(t.upstreams) > 1 else None


# ---------------------------------------------------------------------- the batch


def only_rows(t: Trial, k: int, rows: Any) -> Gradient:
    """Return the gradient to which only some examples contribute."""
    if t.y.ndim == 0 or len(t.y) != t.num_samples or t.num_samples < 2:
        return t.expected[k] if t.num_samples < 2 else None
    kept = np.zeros(t.y.shape)
    kept[rows] = t.upstreams[k][rows]
    return t.through(kept)


@hypothesis("only one sample", "only the first example contributes")
def first_only(t: Trial, k: int) -> Gradient:
    return only_rows(t, k, slice(0, 1))


@hypothesis("only one sample", "only the last example contributes")
def last_only(t: Trial, k: int) -> Gradient:
    return only_rows(t, k, slice(-1, None))


@hypothesis("only one sample", "the last example is left out")
def without_last(t: Trial, k: int) -> Gradient:
    return only_rows(t, k, slice(0, -1)) if t.num_samples > 1 else np.zeros(t.value.shape)


@hypothesis("only one sample", "the first example is left out")
def without_first(t: Trial, k: int) -> Gradient:
    return only_rows(t, k, slice(1, None)) if t.num_samples > 1 else np.zeros(t.value.shape)


def same_rows(t: Trial, k: int, row: Any) -> Gradient:
    if t.index != 0 or t.value.ndim < 2 or np.isnan(t.expected[k]).any():
        return None
    return np.broadcast_to(row(t.expected[k]), t.value.shape)


@hypothesis("only one sample", "every example gets the gradient of the first one")
def first_for_all(t: Trial, k: int) -> Gradient:
    return same_rows(t, k, lambda e: e[0])


@hypothesis("only one sample", "the derivative of the first example is used for all")
def first_derivative_for_all(t: Trial, k: int) -> Gradient:
    if t.diagonal is None or not t.is_elementwise or t.y.ndim < 2:
        return None
    return t.upstreams[k] * t.diagonal[:1]


@hypothesis("only one sample", "the Jacobian of the first example is used for all")
def first_jacobian_for_all(t: Trial, k: int) -> Gradient:
    if t.index != 0 or t.y.ndim < 2 or len(t.y) != t.num_samples or len(t.positions) < t.value.size:
        return None
    per_in, per_out = t.value[0].size, t.y[0].size
    first = t.jacobian[:per_in, :per_out]
    return (t.upstreams[k].reshape(len(t.y), -1) @ first.T).reshape(t.value.shape)


@hypothesis("mean for sum", "every example gets the mean over the batch")
def mean_for_all(t: Trial, k: int) -> Gradient:
    return same_rows(t, k, lambda e: e.mean(axis=0))


@hypothesis("wrong axis", "every example gets the sum over the batch")
def sum_for_all(t: Trial, k: int) -> Gradient:
    return same_rows(t, k, lambda e: e.sum(axis=0))


@hypothesis("wrong axis", "every entry is the sum of all expected ones")
def total(t: Trial, k: int) -> Gradient:
    return np.full(t.value.shape, np.sum(t.expected[k])) if t.value.ndim and t.value.size > 1 else None


def sums_over(axis: int) -> Callable[[Trial, int], Gradient]:
    """Return a hypothesis: the gradient of a parameter is the upstream gradient summed over an axis."""
    def gradient(t: Trial, k: int) -> Gradient:
        if t.index == 0 or t.y.ndim <= axis:
            return None
        summed = t.upstreams[k].sum(axis=axis)
        return summed.reshape(t.value.shape) if summed.size == t.value.size else None
    return gradient


for _axis in (1, 2):
    HYPOTHESES.append(Hypothesis("wrong axis", f"the gradient is the upstream gradient summed over axis {_axis}",
                                 sums_over(_axis)))
