"""When a student's number counts as the right one: rounding is allowed, a missing digit that matters isn't."""
from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from lib.validation import InputError

COARSEST = 0.02  # rounding may not hide more than this


class Comparison(NamedTuple):
    """Whether two answers agree, and if they can't be compared or are just too coarse, a sentence on it."""

    close: bool
    message: str = ""


def as_given(name: str, answer: Any) -> np.ndarray:
    """Return an answer as an array of floats; a string may be a number or a fraction, such as "3/8".

    Raises:
        InputError: it isn't a number or an array of numbers.
    """
    try:
        if isinstance(answer, str):
            answer = Fraction(answer.replace(" ", ""))
        if getattr(answer, "is_graph_node", False):
            answer = answer.value
        array = np.asarray(answer)
        if array.dtype.kind == "O":  # fractions, say; None would silently become nan
            return np.vectorize(float, otypes=[float])(array)
        return array.astype(np.float64)
    except (TypeError, ValueError, ZeroDivisionError) as error:
        raise InputError(f"The answer for {name!r} must be a number, an array, or a fraction such as \"3/8\", but got "
                         f"{answer!r}.") from error


def is_close(answer: np.ndarray, correct: Any, tolerance: float) -> Comparison:
    """Tell whether an answer agrees with a number or array, up to a relative tolerance or up to its own rounding."""
    correct = np.asarray(correct, np.float64)
    if answer.shape != correct.shape:
        if answer.size == correct.size == 1:
            answer = answer.reshape(correct.shape)  # a single number may come with or without axes
        else:
            return Comparison(False, _shape_message(answer, correct, tolerance))
    if not np.all(np.isfinite(answer)):
        return Comparison(bool(np.array_equal(answer, correct)), "There is no number (nan or inf) in it.")
    error = np.abs(answer - correct)
    allowed = np.maximum(tolerance * np.abs(correct), 1e-9 * max(1.0, float(np.max(np.abs(correct), initial=0.0))))
    rounding = np.vectorize(_half_unit, otypes=[float])(answer)
    close = (error <= allowed) | (error <= np.minimum(rounding, COARSEST * np.abs(correct)))
    if np.all(close):
        return Comparison(True)
    if answer.ndim == 0 and error <= rounding:
        return Comparison(False, "It is rounded too coarsely: give at least three digits.")
    return Comparison(False)


def _half_unit(number: float) -> float:
    """Return half a unit of the last decimal of a number as it was written; 0 if it has no decimals.

    >>> _half_unit(0.33), _half_unit(12.5), _half_unit(3.0)
    (0.005, 0.05, 0.0)
    """
    exponent = int(Decimal(repr(float(number))).normalize().as_tuple().exponent)
    return 0.5 * 10.0 ** exponent if exponent < 0 else 0.0


def _shape_message(answer: np.ndarray, correct: np.ndarray, tolerance: float) -> str:
    message = f"Its shape is {answer.shape}, but should be {correct.shape}."
    if answer.shape == correct.shape[::-1] and is_close(answer.T, correct, tolerance).close:
        return f"{message} It is right, but transposed."
    if answer.ndim == correct.ndim + 1 and answer.shape[1:] == correct.shape and \
            is_close(answer.sum(axis=0), correct, tolerance).close:
        return f"{message} The sum over the first axis, the batch, is missing."
    return message
