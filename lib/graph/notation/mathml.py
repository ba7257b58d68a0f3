"""The MathML form of formulas, which browsers set without any help.

A formula is a tree of lists, ["mfrac", ["mi", "a"], ["mi", "b"]]: a page's script makes elements of it, whose texts
stay texts whatever stands in them. `markup` writes such a tree as MathML.
"""
from __future__ import annotations

import re
from fractions import Fraction
from html import escape
from typing import Any, List

import numpy as np

from lib.graph.notation.digits import DIGITS, LARGEST_PRINTED, number_text
from lib.graph.notation.latex import GREEK, axes_words
from lib.graph.notation.terms import Term
from lib.graph.notation.writing import ANYTHING, ATOM, POWER, PRODUCT, SIGN, Notation

Tree = List[Any]  # [tag, child, ...], where a child is a tree or a text; ["array", columns, number, ...] is a matrix
LETTERS = dict(zip(GREEK, "αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΦΨΩ"))


class Mathml(Notation):
    """Formulas as trees of MathML elements."""

    bindings = dict(Notation.bindings, fraction=ATOM, choice=ANYTHING, outer=PRODUCT, method=ATOM)

    def binding(self, term: Term) -> int:
        if term.kind == "number" and "e" in number_text(term.parts[0]) and np.isfinite(float(term.parts[0])):
            return PRODUCT if term.parts[0] > 0 else SIGN
        return super().binding(term)

    def bracketed(self, written: Tree) -> Tree:
        return row(sign("("), written, sign(")"))

    def sentence(self, text: str) -> Tree:
        return ["mtext", text]

    def line(self, pieces: Any) -> Tree:
        return row(*[self.whole(piece) if isinstance(piece, Term) else self.sentence(piece) for piece in pieces])

    def name(self, text: str) -> Tree:
        return name_tree(text)

    def number(self, value: Any, digits: int = DIGITS) -> Tree:
        if isinstance(value, Fraction):
            written = ["mfrac", ["mn", str(abs(value.numerator))], ["mn", str(value.denominator)]]
            return row(sign("-"), written) if value < 0 else written
        return number_tree(number_text(value, digits))

    def array(self, entries: Any, digits: int = DIGITS) -> Tree:
        value = entries.value
        if value.size > LARGEST_PRINTED or value.ndim > 2:
            return ["mtext", f"[array {sizes(value.shape)}]"]
        rows = value.reshape(1, -1) if value.ndim == 1 else value
        return ["array", str(rows.shape[1])] + [number_text(each, digits).replace("-", "−") for each in rows.ravel()]

    def sum(self, *terms: Term) -> Tree:
        pieces = [self.part(terms[0], SIGN)]
        for term in terms[1:]:
            negative = term.kind == "negative"
            later = self.part(term.parts[0] if negative else term, PRODUCT)
            pieces += [sign("-" if negative else "+"), self.bracketed(later) if _begins_with_sign(later) else later]
        return row(*pieces)

    def negative(self, term: Term) -> Tree:
        written = self.part(term, PRODUCT)
        return row(sign("-"), self.bracketed(written) if _begins_with_sign(written) else written)

    def product(self, *factors: Term) -> Tree:
        pieces = [self.part(factors[0], ATOM if factors[0].kind == "matmul" else SIGN)]
        for before, factor in zip(factors, factors[1:]):
            pieces += [sign("⊙" if before.ndim and factor.ndim else "·"), self.part(factor, POWER)]
        return row(*pieces)

    def fraction(self, above: Term, below: Term) -> Tree:
        return ["mfrac", self.write(above), self.write(below)]

    def power(self, base: Term, exponent: Term) -> Tree:
        written = self.write(base)
        tight = base.kind == "name" or base.kind == "number" and self.binding(base) == ATOM
        return ["msup", written if tight else self.bracketed(written), self.write(exponent)]

    def matmul(self, left: Term, right: Term) -> Tree:
        least = POWER if left.kind == "product" else SIGN
        return row(self.part(left, least), ["mspace"], self.part(right, POWER))

    def outer(self, column: Term, along: Term) -> Tree:
        return row(self.part(column, POWER), ["mspace"], self.transpose(along))

    def transpose(self, term: Term) -> Tree:
        written = self.write(term)
        is_whole = term.kind == "name" or written[0] in ("array", "mtable")  # a matrix has brackets of its own
        return ["msup", written if is_whole else self.bracketed(written), ["mi", "T"]]

    def ones(self, shape: Any) -> Tree:
        return ["msub", ["mn", "1"], ["mtext", sizes(shape)]]

    def call(self, function: str, args: Any, settings: Any) -> Tree:
        written = [self.write(arg) for arg in args]
        if function == "exp":
            return ["msup", ["mi", "e"], written[0]]
        if function == "sqrt":
            return ["msqrt", written[0]]
        if function == "abs":
            return row(sign("|"), written[0], sign("|"))
        if function == "relu":
            return row(["mi", "max"], sign("("), ["mn", "0"], sign(","), written[0], sign(")"))
        if function == "sum" and args[0].shape is not None:
            axis = dict(settings).get("axis")
            over = sign("∑") if axis is None else ["munder", sign("∑"), ["mtext", axes_words(axis, args[0].ndim)]]
            return row(over, self.part(args[0], PRODUCT))
        symbol: Tree = ["mi", "σ"] if function == "sigmoid" else ["mi", function]
        if settings:
            said = ", ".join(key if value is True else f"{key} {value}" for key, value in settings)
            symbol = ["msub", symbol, ["mtext", said]]
        return row(symbol, sign("("), *_with_commas(written), sign(")"))

    def list(self, *terms: Term) -> Tree:
        return row(*_with_commas([self.write(term) for term in terms]))

    def method(self, term: Term, function: str, arguments: str) -> Tree:
        return row(["msub", ["mi", function], ["mtext", arguments]], sign("("), self.write(term), sign(")"))

    def index(self, term: Term, key: str) -> Tree:
        return ["msub", self.part(term, ATOM), ["mtext", f"[{key}]"]]

    def matrix(self, rows: Any) -> Tree:
        return table([[self.write(term) for term in line] for line in rows])

    def choice(self, left: Term, relation: str, right: Term, then: Term, otherwise: Term, of_arrays: bool) -> Tree:
        relation = {">=": "≥", "<=": "≤", "==": "="}.get(relation, relation)
        condition = row(self.write(left), sign(relation), self.write(right))
        if then == Term("number", (1,)) and otherwise == Term("number", (0,)):
            return row(["mn", "1"], sign("["), condition, sign("]"))
        return row(self.part(then, SIGN), ["mtext", " if "], condition, ["mtext", ", else "],
                   self.part(otherwise, SIGN))

    def partial(self, above: Term, below: Term, which: int) -> Tree:
        written = ["mfrac", row(sign("∂"), self.part(above, POWER)), row(sign("∂"), self.part(below, POWER))]
        return ["msub", written, ["mn", str(which)]] if which else written

    def new(self, term: Term) -> Tree:
        return ["msup", self.write(term), ["mtext", "new"]]

    def entry(self, term: Term, indices: Any) -> Tree:
        return ["msub", self.part(term, ATOM), ["mtext", ",".join(indices)]]

    def sum_over(self, indices: Any, term: Term) -> Tree:
        return row(["munder", sign("∑"), ["mi", ",".join(indices)]], self.part(term, PRODUCT))

    def equation(self, *terms: Term) -> Tree:
        pieces = [self.whole(terms[0])]
        for term in terms[1:]:
            pieces += [sign("="), self.whole(term)]
        return row(*pieces)

    def shape(self, size: Any) -> Tree:
        return ["mtext", sizes(size)]

    def words(self, *pieces: Any) -> Tree:
        return self.line(pieces)


def row(*pieces: Tree) -> Tree:
    """Return trees side by side; rows in it are taken apart."""
    flat: List[Any] = []
    for piece in pieces:
        flat += piece[1:] if piece[0] == "mrow" else [piece]
    return flat[0] if len(flat) == 1 else ["mrow"] + flat


def sign(text: str) -> Tree:
    """Return an operator or a bracket."""
    return ["mo", "−" if text == "-" else text]


def table(rows: List[List[Tree]]) -> Tree:
    """Return a matrix; its brackets are borders that a page's style draws: signs only stretch in fonts made for it."""
    return ["mtable"] + [["mtr"] + [["mtd", cell] for cell in line] for line in rows]


def number_tree(text: str) -> Tree:
    """Return a written number; 1e-05 becomes 1 times a power of ten."""
    if text.startswith("-"):
        return row(sign("-"), number_tree(text[1:]))
    if "inf" in text:
        return ["mi", "∞"]
    if "e" not in text:
        return ["mn", text]
    mantissa, exponent = text.split("e")
    return row(["mn", mantissa], sign("·"), ["msup", ["mn", "10"], number_tree(str(int(exponent)))])


def name_tree(text: str) -> Tree:
    """Return a name: w0 and W_in get an index, y_hat its hat, Greek letters their sign; another one stays as it is."""
    if text.endswith("_hat") and len(text) > 4:
        return ["mover", name_tree(text[:-4]), sign("^")]
    match = re.fullmatch(r"(" + "|".join(GREEK) + r"|[A-Za-z])_?([A-Za-z0-9]*)", text, re.ASCII)
    if match is None or (match.group(2)[:1].isalpha() and "_" not in text):
        return ["mi", text]
    letter, index = match.groups()
    symbol = ["mi", LETTERS.get(letter, letter)]
    return ["msub", symbol, ["mn" if index.isdigit() else "mi", index]] if index else symbol


def sizes(shape: Any) -> str:
    """Return a shape as it is spoken of: 4 × 2."""
    return " × ".join(str(int(size)) for size in shape) if shape else "a number"


def markup(tree: Tree) -> str:
    """Return a tree as MathML: what stands in it can't become markup."""
    def element(part: Any) -> str:
        if isinstance(part, str):
            return escape(part)
        if part[0] == "array":
            numbers, columns = part[2:], int(part[1])
            return element(table([[["mn", each] for each in numbers[start:start + columns]]
                                  for start in range(0, len(numbers), columns)]))
        return f"<{part[0]}>{''.join(map(element, part[1:]))}</{part[0]}>"
    return f'<math xmlns="http://www.w3.org/1998/Math/MathML">{element(tree)}</math>'


def _with_commas(written: List[Tree]) -> List[Tree]:
    pieces = written[:1]
    for each in written[1:]:
        pieces += [sign(","), each]
    return pieces


def _begins_with_sign(tree: Tree) -> bool:
    while tree[0] == "mrow" and isinstance(tree[1], list):
        tree = tree[1]
    return tree == sign("-")


MATHML = Mathml()
