"""Formulas as trees of terms, from which every notation writes its own form.

A rule is stated once, on terms, with the signs of Python:

>>> from lib.graph.notation import LATEX, TEXT, name
>>> out = name("h")
>>> slope = out * (1 - out)
>>> TEXT.write(slope), LATEX.write(slope)
('h * (1 - h)', 'h \\\\cdot \\\\left(1 - h\\\\right)')

Brackets are no part of a term: each notation sets those that it needs.
"""
from __future__ import annotations

from fractions import Fraction
from typing import Any, Optional, Sequence, Tuple, Union

import numpy as np

from lib.graph.notation.digits import DIGITS

Shape = Tuple[int, ...]
Piece = Union[str, "Term"]


class Term:
    """A part of a formula: a kind, such as "product", and the parts that it is made of.

    Attributes:
        kind: the name of the method of a Notation that writes it.
        parts: what that method receives: terms, and for some kinds words, numbers or shapes.
        shape: the shape of the value that it stands for; None if that isn't known.
    """

    __slots__ = ("kind", "parts", "shape")

    def __init__(self, kind: str, parts: Tuple[Any, ...], shape: Optional[Shape] = ()) -> None:
        self.kind, self.parts, self.shape = kind, parts, shape

    def __add__(self, other: Any) -> "Term":
        other = as_term(other)
        first = self.parts if self.kind == "sum" else (self,)
        return Term("sum", first + (other,), broadcast(self, other))

    def __radd__(self, other: Any) -> "Term":
        return as_term(other) + self

    def __sub__(self, other: Any) -> "Term":
        return self + Term("negative", (as_term(other),), as_term(other).shape)

    def __rsub__(self, other: Any) -> "Term":
        return as_term(other) - self

    def __mul__(self, other: Any) -> "Term":
        other = as_term(other)
        first = self.parts if self.kind == "product" else (self,)
        return Term("product", first + (other,), broadcast(self, other))

    def __rmul__(self, other: Any) -> "Term":
        return as_term(other) * self

    def __truediv__(self, other: Any) -> "Term":
        other = as_term(other)
        return Term("fraction", (self, other), broadcast(self, other))

    def __rtruediv__(self, other: Any) -> "Term":
        return as_term(other) / self

    def __pow__(self, other: Any) -> "Term":
        other = as_term(other)
        return Term("power", (self, other), broadcast(self, other))

    def __matmul__(self, other: "Term") -> "Term":
        return Term("matmul", (self, other), _matmul_shape(self.shape, other.shape))

    def __neg__(self) -> "Term":
        return Term("negative", (self,), self.shape)

    def of_shape(self, shape: Optional[Shape]) -> "Term":
        """Return the term with another shape: that of the value that it stands for, where it is known better."""
        return self if shape == self.shape else Term(self.kind, self.parts, shape)

    @property
    def T(self) -> "Term":
        """The transpose."""
        return Term("transpose", (self,), None if self.shape is None else self.shape[::-1])

    @property
    def ndim(self) -> int:
        """The number of axes, as far as it is known."""
        return len(self.shape or ())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Term) and self.kind == other.kind and self.parts == other.parts

    def __hash__(self) -> int:
        return hash((self.kind, self.parts))

    def __repr__(self) -> str:
        return f"Term({self.kind!r}, {self.parts!r})"


# ---------------------------------------------------------------------- names and numbers

def name(text: str, shape: Optional[Shape] = ()) -> Term:
    """Return a quantity by its name."""
    return Term("name", (text,), shape)


def number(value: Any, digits: int = DIGITS) -> Term:
    """Return a number, to be written with so many significant digits; a Fraction is written as one."""
    if isinstance(value, Fraction):
        return Term("number", (value if value.denominator > 1 else int(value),))
    value = float(value)
    value = int(value) if value.is_integer() and abs(value) < 1e6 else value
    return Term("number", (value,) if digits == DIGITS else (value, digits))


def array(value: Any, digits: int = DIGITS) -> Term:
    """Return an array of numbers, whose entries are written if they are few; a single number is a number."""
    value = np.asarray(value)
    if value.ndim == 0:
        return number(value, digits)
    return Term("array", (_Entries(value),) if digits == DIGITS else (_Entries(value), digits), value.shape)


class _Entries:
    """An array as a part of a term: terms can be compared."""

    def __init__(self, value: np.ndarray) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Entries) and np.array_equal(self.value, other.value)

    def __hash__(self) -> int:
        return hash(self.value.shape)


def as_term(value: Any) -> Term:
    """Return a term as it is, and a number as a term."""
    return value if isinstance(value, Term) else number(value)


def is_number(term: Term, value: Any = None) -> bool:
    """Tell whether a term is a number, or this number."""
    return term.kind == "number" and (value is None or term.parts[0] == value)


# ---------------------------------------------------------------------- functions

def call(function: str, *args: Term, shape: Optional[Shape] = None, **settings: Any) -> Term:
    """Return a function of terms, such as softmax(a, axis=0).

    Args:
        function: its name; a notation that has a sign of its own for it, such as a root, uses that.
        args: what it is applied to.
        shape: that of its value; if not given, it works entry by entry.
        settings: further arguments, such as axis=0; those that are None or False aren't written.
    """
    if shape is None and args:
        shape = args[0].shape
        for other in args[1:]:
            shape = broadcast(Term("", (), shape), other)
    axis = settings.get("axis")
    if isinstance(axis, tuple) and len(axis) == 1:
        settings["axis"] = axis[0]
    kept = tuple((key, _plain(value)) for key, value in settings.items() if value is not None and value is not False)
    return Term("call", (function, args, kept), shape)


def _plain(value: Any) -> Any:
    """Return a setting with Python's own integers, whose repr is just the number."""
    if isinstance(value, (tuple, list)):
        return tuple(map(_plain, value))
    return int(value) if isinstance(value, np.integer) else value


def listed(*terms: Term) -> Term:
    """Return several terms as one argument of a function: (a, b)."""
    return Term("list", terms, None)


def method(term: Term, function: str, arguments: str, shape: Optional[Shape] = None) -> Term:
    """Return a function written behind its input, such as a.reshape(2, 3)."""
    return Term("method", (term, function, arguments), shape)


def index(term: Term, key: str, shape: Optional[Shape] = None) -> Term:
    """Return the entries at an index as Python writes it, such as a[0, 1:]."""
    return Term("index", (term, key), shape)


def choice(left: Any, relation: str, right: Any, then: Any = 1, otherwise: Any = 0) -> Term:
    """Return one value where a comparison (">", ">=", "<", "==") holds, and another elsewhere: 1 if a > b else 0."""
    left, right = as_term(left), as_term(right)
    shape = broadcast(left, right)
    return Term("choice", (left, relation, right, as_term(then), as_term(otherwise), shape != ()), shape)


def is_indicator(term: Term) -> bool:
    """Tell whether a term is 1 where a comparison holds, and 0 elsewhere."""
    return term.kind == "choice" and is_number(term.parts[3], 1) and is_number(term.parts[4], 0)


def outer(column: Term, row: Term) -> Term:
    """Return the outer product of two vectors, a column times a row."""
    return Term("outer", (column, row), tuple(column.shape or ()) + tuple(row.shape or ()))


def ones(shape: Shape) -> Term:
    """Return an array of ones."""
    return Term("ones", (tuple(int(size) for size in shape),), tuple(shape))


# ---------------------------------------------------------------------- derivatives, entries, sums over indices

def partial(above: Term, below: Term, which: int = 0) -> Term:
    """Return the derivative of one quantity by another, dL/dw; which tells the uses of an input apart, from 1."""
    return Term("partial", (above, below, which), below.shape)


def new(term: Term) -> Term:
    """Return what a parameter is called after a step."""
    return Term("new", (term,), term.shape)


def entry(term: Term, indices: Sequence[str]) -> Term:
    """Return an entry at indices that are letters or numbers, such as W[i,j]; the term itself if there are none."""
    return Term("entry", (term, tuple(indices))) if indices else term


def sum_over(indices: Sequence[str], term: Term) -> Term:
    """Return the sum of a term over one or several indices."""
    return Term("sum_over", (tuple(indices), term)) if indices else term


def product_of(factors: Sequence[Term]) -> Term:
    """Return a product as it stands, factors of 1 included; times leaves them out."""
    shape: Optional[Shape] = ()
    for factor in factors:
        shape = broadcast(Term("", (), shape), factor)
    return factors[0] if len(factors) == 1 else Term("product", tuple(factors), shape)


def sum_of(terms: Sequence[Term]) -> Term:
    """Return a sum as it stands."""
    return terms[0] if len(terms) == 1 else Term("sum", tuple(terms), terms[0].shape)


def equation(*terms: Term) -> Term:
    """Return terms that are equal: a = b = c; of two neighbours that are the same, one."""
    kept = [term for k, term in enumerate(terms) if k == 0 or term != terms[k - 1]]
    return Term("equation", tuple(kept), kept[-1].shape)


def matrix(rows: Sequence[Sequence[Term]]) -> Term:
    """Return a matrix of formulas, given row by row."""
    return Term("matrix", (tuple(map(tuple, rows)),), (len(rows), len(rows[0])))


def shape_of(shape: Shape) -> Term:
    """Return a shape, such as (8, 4)."""
    return Term("shape", (tuple(int(size) for size in shape),), None)


def words(*pieces: Piece) -> Term:
    """Return a formula that is partly said in words."""
    return Term("words", pieces, None)


# ---------------------------------------------------------------------- shapes

def broadcast(one: Term, other: Term) -> Optional[Shape]:
    """Return the shape of two terms broadcast against each other; None if one isn't known."""
    if one.shape is None or other.shape is None:
        return None
    try:
        return np.broadcast_shapes(one.shape, other.shape)
    except ValueError:
        return None


def _matmul_shape(left: Optional[Shape], right: Optional[Shape]) -> Optional[Shape]:
    if not left or not right:
        return None
    stack = np.broadcast_shapes(left[:-2], right[:-2])
    return tuple(stack) + left[-2:-1] + (right[-1:] if len(right) > 1 else ())
