"""The spoken form of formulas: what a screen reader says in place of signs."""
from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

from lib.graph.notation.digits import DIGITS, LARGEST_PRINTED, number_text
from lib.graph.notation.latex import axes_words
from lib.graph.notation.terms import Term
from lib.graph.notation.writing import ANYTHING, ATOM, POWER, PRODUCT, SIGN, Notation

RELATIONS = {">": "is greater than", ">=": "is at least", "<": "is less than", "<=": "is at most", "==": "equals"}


class Spoken(Notation):
    """Formulas in words, such as "the derivative of L by W1 equals x transposed times the derivative of L by z1"."""

    bindings = dict(Notation.bindings, choice=ANYTHING, partial=POWER)

    def bracketed(self, written: str) -> str:
        return f"open bracket, {written}, close bracket"

    def name(self, text: str) -> str:
        return spoken_name(text)

    def number(self, value: Any, digits: int = DIGITS) -> str:
        if isinstance(value, Fraction):
            return f"{_minus(str(value.numerator))} over {value.denominator}"
        return spoken_number(number_text(value, digits))

    def array(self, entries: Any, digits: int = DIGITS) -> str:
        value = entries.value
        if value.size > LARGEST_PRINTED or value.ndim > 2:
            return f"an array of {spoken_shape(value.shape)}"
        rows = value.reshape(1, -1) if value.ndim == 1 else value
        said = "; ".join(", ".join(spoken_number(number_text(each, digits)) for each in row) for row in rows)
        return f"the {'vector' if value.ndim == 1 else 'matrix'} {said}"

    def sum(self, *terms: Term) -> str:
        written = self.part(terms[0], SIGN)
        for term in terms[1:]:
            negative = term.kind == "negative"
            written += f" {'minus' if negative else 'plus'} {self.part(term.parts[0] if negative else term, PRODUCT)}"
        return written

    def negative(self, term: Term) -> str:
        return f"minus {self.part(term, PRODUCT)}"

    def product(self, *factors: Term) -> str:
        return " times ".join([self.part(factors[0], SIGN)] + [self.part(factor, POWER) for factor in factors[1:]])

    def fraction(self, above: Term, below: Term) -> str:
        return f"{self.part(above, SIGN)} over {self.part(below, POWER)}"

    def power(self, base: Term, exponent: Term) -> str:
        if exponent == Term("number", (2,)):
            return f"{self.part(base, ATOM)} squared"
        return f"{self.part(base, ATOM)} to the power of {self.part(exponent, ATOM)}"

    def matmul(self, left: Term, right: Term) -> str:
        return f"{self.part(left, SIGN)} matrix times {self.part(right, POWER)}"

    def outer(self, column: Term, row: Term) -> str:
        return f"the outer product of {self.write(column)} and {self.write(row)}"

    def transpose(self, term: Term) -> str:
        return f"{self.part(term, ATOM)} transposed"

    def ones(self, shape: Any) -> str:
        return f"ones, {spoken_shape(shape)}"

    def call(self, function: str, args: Any, settings: Any) -> str:
        if function == "sum":
            axis = dict(settings).get("axis")
            over = "" if axis is None or args[0].shape is None else f" over {axes_words(axis, args[0].ndim)}"
            return f"the sum{over} of {self.write(args[0])}"
        said = "".join(f", {key}" if value is True else f", {key} {_minus(str(value))}" for key, value in settings)
        return f"{function.replace('_', ' ')} of {' and '.join(map(self.write, args))}{said}"

    def list(self, *terms: Term) -> str:
        return ", ".join(map(self.write, terms))

    def method(self, term: Term, function: str, arguments: str) -> str:
        return f"{self.part(term, ATOM)}, {function.replace('_', ' ')} {arguments}".rstrip()

    def index(self, term: Term, key: str) -> str:
        return f"{self.part(term, ATOM)} at {key}"

    def matrix(self, rows: Any) -> str:
        return "the matrix " + "; ".join(", ".join(self.write(term) for term in row) for row in rows)

    def choice(self, left: Term, relation: str, right: Term, then: Term, otherwise: Term, of_arrays: bool) -> str:
        condition = f"{self.write(left)} {RELATIONS[relation]} {self.write(right)}"
        return f"{self.write(then)} if {condition}, else {self.write(otherwise)}"

    def partial(self, above: Term, below: Term, which: int) -> str:
        use = f", use {which}" if which else ""
        return f"the derivative of {self.part(above, POWER)} by {self.part(below, POWER)}{use}"

    def new(self, term: Term) -> str:
        return f"the new {self.write(term)}"

    def entry(self, term: Term, indices: Any) -> str:
        return f"{self.part(term, ATOM)} at {', '.join(indices)}"

    def sum_over(self, indices: Any, term: Term) -> str:
        return f"the sum over {', '.join(indices)} of {self.write(term)}"

    def equation(self, *terms: Term) -> str:
        return " equals ".join(self.write(term) for term in terms)

    def shape(self, sizes: Any) -> str:
        return spoken_shape(sizes)

    def words(self, *pieces: Any) -> str:
        return self.line(pieces)


def spoken_name(text: str) -> str:
    """Return a name as it is spoken: y_hat is y hat, W1 is W 1."""
    return re.sub(r"(?<=[A-Za-z])(?=\d)", " ", text.replace("_", " ")).strip() or text


def spoken_number(text: str) -> str:
    """Return a written number as it is spoken: -1e-05 is minus 1 times 10 to the power of minus 5."""
    mantissa, _, exponent = text.partition("e")
    if text.lstrip("-") == "inf":
        return _minus(text.replace("inf", "infinity"))
    return _minus(mantissa) + (f" times 10 to the power of {_minus(str(int(exponent)))}" if exponent else "")


def spoken_shape(shape: Any) -> str:
    """Return a shape as it is spoken."""
    return " by ".join(str(int(size)) for size in shape) if shape else "a single number"


def _minus(text: str) -> str:
    return text.replace("-", "minus ")


SPOKEN = Spoken()
