"""When a student's number counts as right: if some rounding of the right one, to two digits or more, gives it."""
from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from fractions import Fraction
from typing import Any, List, NamedTuple, Tuple

import numpy as np

from lib.validation import InputError

FEWEST_DIGITS, MOST_DIGITS = 2, 6  # numbers with more digits count as exact to the last of these
SLACK = 1e-9  # an exact half may be rounded either way, and floating point is no exact arithmetic

Spread = Tuple[Any, Any]
NO_SPREAD: Spread = (0.0, 0.0)


class Comparison(NamedTuple):
    """Whether two answers agree, and if they can't be compared or are just too coarse, a sentence on it."""

    close: bool
    message: str = ""


class Given(NamedTuple):
    """An answer as it was given.

    Attributes:
        value: the number or array, as floats.
        margin: by how much rounding may have changed each entry.
        digits: with how many significant digits it is written, at most.
        last: the power of ten of its last decimal, -3 for three decimals; 0 where that isn't known.
    """

    value: np.ndarray
    margin: np.ndarray
    digits: int
    last: int = 0


def as_given(name: str, answer: Any) -> Given:
    """Return an answer as numbers with their margin; a string may be "0,378", "-1.5e-3" or a fraction such as "3/8".

    Raises:
        InputError: it isn't a number or an array of numbers.
    """
    exact = isinstance(answer, Fraction)
    written: List[str] = []
    try:
        if getattr(answer, "is_graph_node", False):
            answer = answer.value
        if isinstance(answer, str):
            text = _plain_number(answer)
            exact = "/" in text
            if not exact:
                answer = float(text)
                written = [text if np.isfinite(answer) else repr(answer)]
            else:
                answer = Fraction(text)
        array = np.asarray(answer)
        if array.dtype.kind == "b":
            raise TypeError("a truth value")
        if array.dtype.kind == "f":
            written = written or [str(entry) for entry in array.ravel()]  # in its own precision, which float32 has, too
            array = np.array(list(map(float, written))).reshape(array.shape)
        if array.dtype.kind == "O":  # fractions, say; None would silently become nan
            array = np.vectorize(float, otypes=[float])(array)
        array = array.astype(np.float64)
    except (TypeError, ValueError, ArithmeticError) as error:
        raise InputError(f"The answer for {name!r} must be a number, an array, or a fraction such as \"3/8\", but got "
                         f"{answer!r}.") from error
    if exact:
        return Given(array, np.zeros(array.shape), 0)
    written = written or [repr(float(entry)) for entry in array.ravel()]
    digits = max([_digits(each) for each in written], default=0)
    return Given(array, _margins(array, written), digits, min(map(_last_place, written), default=0))


def is_close(answer: Given, correct: Any, tolerance: float = 0.0, spread: Spread = NO_SPREAD) -> Comparison:
    """Tell whether an answer is a rounding of a number or array.

    Args:
        answer: what as_given returned.
        correct: the right number or array.
        tolerance: a relative deviation that is allowed in any case.
        spread: how far below and above the right number it may lie because of what was rounded before.
    """
    correct = np.asarray(correct, np.float64)
    value, margin = answer.value, answer.margin
    if value.shape != correct.shape:
        if value.size == correct.size == 1:
            value, margin = value.reshape(correct.shape), margin.reshape(correct.shape)  # with or without axes
        else:
            return Comparison(False, _shape_message(answer, correct, tolerance))
    if not np.all(np.isfinite(value)):
        return Comparison(bool(np.array_equal(value, correct)), "There is no number (nan or inf) in it.")
    error = np.abs(value - correct)
    largest = float(np.max(np.abs(correct), initial=0.0))
    # a number just below a power of ten has finer digits than the power that it might be rounded to
    limit = np.where(_unit(value, FEWEST_DIGITS) > _unit(correct, FEWEST_DIGITS), margin / 10, margin)
    decimal = 0.5 * 10.0 ** answer.last
    if value.ndim and np.all(margin >= decimal * (1 - SLACK)):  # all entries of an array have so many decimals
        limit = np.maximum(limit, decimal)
    allowed = np.maximum(limit, tolerance * np.abs(correct)) + SLACK * max(1e-3, largest)
    if np.all((value >= correct - spread[0] - allowed) & (value <= correct + spread[1] + allowed)):
        return Comparison(True)
    if value.ndim == 0 and answer.digits < FEWEST_DIGITS and error <= 0.5 * _unit(correct, 1) * (1 + SLACK):
        return Comparison(False, "It is rounded too coarsely: give at least two digits.")
    return Comparison(False)


def rounding_unit(values: Any, digits: int) -> Any:
    """Return the unit of the last of so many significant digits, for each number; 0 for 0.

    >>> float(rounding_unit(0.0123, 3)), float(rounding_unit(152.4, 2))
    (0.0001, 10.0)
    """
    return _unit(np.asarray(values, np.float64), digits)[()]


def _unit(values: np.ndarray, digits: int) -> np.ndarray:
    size = np.abs(values)
    exponent = np.floor(np.log10(np.where((size > 0) & np.isfinite(size), size, 1.0)) + 1e-12)
    return np.where((size > 0) & np.isfinite(size), 10.0 ** (exponent - digits + 1), 0.0)


def _margins(array: np.ndarray, written: List[str]) -> np.ndarray:
    """Return half a unit of the coarsest rounding that gives each number; in an array, also of its last decimal."""
    margins = np.array([_margin(text) for text in written]).reshape(array.shape)
    if array.ndim and array.size:
        last = min(_last_place(text) for text in written)
        largest = max(written, key=lambda text: abs(float(text)))
        if last < 0 and _adjusted(largest) - last + 1 >= FEWEST_DIGITS:
            margins = np.maximum(margins, 0.5 * 10.0 ** last)
    return margins


def _margin(text: str) -> float:
    """Return half a unit of a number's last digit, where one with a single digit stands for two, and 17 for 6."""
    number = Decimal(text)
    if not number.is_finite() or number == 0:
        return 0.0
    place = min(_last_place(text), number.adjusted() - FEWEST_DIGITS + 1)
    return 0.5 * 10.0 ** max(place, number.adjusted() - MOST_DIGITS + 1)


def _last_place(text: str) -> int:
    """Return the power of ten of a number's last significant digit as it is written: -2 in 0.30, 2 in 12300."""
    number = Decimal(text)
    if not number.is_finite():
        return 0
    has_decimals = "." in text and not text.endswith(".0") and "e" not in text.lower()
    return int((number if has_decimals else number.normalize()).as_tuple().exponent)


def _adjusted(text: str) -> int:
    """Return the power of ten of a number's first digit."""
    number = Decimal(text)
    return number.adjusted() if number.is_finite() else 0


def _digits(text: str) -> int:
    """Return the number of significant digits of a number as it is written."""
    number = Decimal(text)
    return number.adjusted() - _last_place(text) + 1 if number.is_finite() and number else 0


def _plain_number(text: str) -> str:
    """Return a number as Python writes it: without blanks, with a point, an ASCII sign and e for times ten to the."""
    mixed = re.fullmatch(r"\s*([-\N{MINUS SIGN}]?)\s*(\d+)\s+(\d+)\s*/\s*(\d+)\s*", text)
    if mixed and int(mixed.group(4)):  # "1 1/2" is three halves
        sign, whole, above, below = mixed.groups()
        return f"{'-' if sign else ''}{int(whole) * int(below) + int(above)}/{below}"
    text = re.sub("[\N{SUPERSCRIPT MINUS}\u2070-\u2079\xb9\xb2\xb3]+", r"^\g<0>", "".join(text.split()))
    text = unicodedata.normalize("NFKC", text).replace("\N{MINUS SIGN}", "-").replace("\N{EN DASH}", "-")
    text = re.sub(r"[*x\N{MIDDLE DOT}\N{MULTIPLICATION SIGN}]10(?:\^|\*\*)\(?(-?\d+)\)?$", r"e\1", text)
    text = re.sub("^[=~\N{ALMOST EQUAL TO}]", "", text)
    return text.replace(",", ".") if text.count(",") == 1 and "." not in text else text


def _shape_message(answer: Given, correct: np.ndarray, tolerance: float) -> str:
    value = answer.value
    message = f"Its shape is {value.shape}, but should be {correct.shape}."
    turned = Given(value.T, answer.margin.T, answer.digits)
    if value.shape == correct.shape[::-1] and is_close(turned, correct, tolerance).close:
        return f"{message} It is right, but transposed."
    if value.ndim == correct.ndim + 1 and value.shape[1:] == correct.shape and \
            is_close(Given(value.sum(axis=0), answer.margin.sum(axis=0), answer.digits), correct, tolerance).close:
        return f"{message} The sum over the first axis, the batch, is missing."
    return message
