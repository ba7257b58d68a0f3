"""How numbers and arrays of numbers are written: six digits, and of large arrays the shape."""
from __future__ import annotations

from typing import Any, Callable, Sequence

import numpy as np

DIGITS = 6  # how many significant ones a number is written with
LONGEST_SHORT = 46  # letters of an array on the edge of a drawing
LARGEST_PRINTED = 24  # arrays with more entries are described by their shape


def number_text(value: Any, digits: int = DIGITS) -> str:
    """Return a number with up to six significant digits."""
    number = float(value)
    return "0" if number == 0 else f"{number:.{digits}g}"  # also for -0.0


def digits_needed(compute: Callable[..., Any], inputs: Sequence[Any], result: Any) -> int:
    """Return with how many digits numbers must be written so that computing with them gives the result to six.

    Six are enough, up to one unit of the last, but for a difference of nearly equal numbers and the like.

    >>> digits_needed(lambda a, b: a - b, [1.23456789, 1.23456777], 1.2e-7)
    10
    """
    for digits in (DIGITS, 8, 10, 12, 14):
        with np.errstate(all="ignore"):
            again = compute(*[rounded(each, digits) for each in inputs])
            if np.all((np.abs(again - result) <= 1e-5 * np.abs(result) + 1e-13) | ~np.isfinite(result)):
                return digits
    return 17


def rounded(value: Any, digits: int) -> Any:
    """Return a number, or an array of numbers, as it is written with so many digits."""
    written = np.array([float(number_text(each, digits)) for each in np.ravel(value)])
    return written.reshape(np.shape(value))[()]


def value_text(value: Any, digits: int = DIGITS) -> str:
    """Return a number, or an array with its entries if they are few, else its shape.

    >>> value_text(np.array([[0.5, 1.0], [2.0, 1 / 3]]))
    '[[0.5, 1], [2, 0.333333]]'
    """
    array = np.asarray(value)
    if array.ndim == 0:
        return number_text(array, digits)
    if array.size > LARGEST_PRINTED:
        return f"an array of shape {array.shape}"
    return "[" + ", ".join(value_text(row, digits) for row in array) + "]"


def shape_text(shape: Any) -> str:
    """Return a shape as it is spoken of: (8, 4), or "a number"."""
    return "a number" if shape == () else str(tuple(int(size) for size in shape))


def short_text(value: Any) -> str:
    """Return a number with three or four digits for a drawing, and a small vector or matrix; "" for larger arrays.

    >>> short_text(np.array([[1.0, 0.25], [2 / 3, 0.0]]))
    '[[1, 0.25], [0.667, 0]]'
    """
    array = np.asarray(value)
    if array.ndim == 0:
        return "0" if float(array) == 0 else f"{float(array):.4g}"
    if array.ndim <= 2 and array.size <= 4:
        text = "[" + ", ".join(short_text(row) if row.ndim else "0" if row == 0 else f"{float(row):.3g}"
                               for row in map(np.asarray, array)) + "]"
        return text if len(text) <= LONGEST_SHORT else ""
    return ""
