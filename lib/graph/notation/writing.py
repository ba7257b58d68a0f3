"""What a notation is: the base class of all forms in which formulas are written."""
from __future__ import annotations

from typing import Any, Dict, Iterable

from lib.graph.notation.terms import Piece, Term

ANYTHING, SUM, SIGN, PRODUCT, POWER, ATOM = range(6)  # how tightly a term binds


class Notation:
    """One form in which formulas are written, such as plain text or LaTeX.

    To add a form, write a subclass in a file of its own, with one method for each kind of term:

        name(text)  number(value, digits)  array(entries, digits)  ones(shape)  shape(sizes)
        sum(*terms)  negative(term)  product(*factors)  fraction(above, below)  power(base, exponent)
        matmul(left, right)  outer(column, row)  transpose(term)
        call(function, args, settings)  list(*terms)  method(term, function, arguments)  index(term, key)
        choice(left, relation, right, then, otherwise, of_arrays)
        partial(above, below, which)  new(term)  entry(term, indices)  sum_over(indices, term)
        matrix(rows)  equation(*terms)  words(*pieces)

    Each returns the written form of a term with these parts. Inner terms are written by `self.write(term)`, or by
    `self.part(term, least)`, which sets brackets where the term binds less tightly than `least`: SUM, SIGN, PRODUCT,
    POWER or ATOM. `bracketed(text)` says how brackets look. How tightly each kind binds is in `bindings`; override
    entries where a form needs no brackets, such as for a fraction with a long stroke. `sentence(words)` says how words
    between formulas are written, and `line(pieces)` puts a line of words and formulas together.

    An operation says its formula, its derivative and what flows backward once, in terms: nothing has to be added to
    operations, explanations or drawings for a new form. tests/test_graph_notation.py writes all of them in each form
    that is a subclass of this class.
    """

    bindings: Dict[str, int] = {"words": ANYTHING, "equation": ANYTHING, "choice": ANYTHING, "sum": SUM,
                                "sum_over": PRODUCT, "negative": SIGN, "product": PRODUCT, "fraction": PRODUCT,
                                "matmul": PRODUCT, "power": POWER}

    def write(self, term: Term) -> Any:
        """Return the written form of a term."""
        return getattr(self, term.kind)(*term.parts)

    def binding(self, term: Term) -> int:
        """Return how tightly a term binds."""
        if term.kind == "number" and term.parts[0] < 0:
            return SIGN
        return self.bindings.get(term.kind, ATOM)

    def part(self, term: Term, least: int) -> Any:
        """Return the written form of a term inside of another one, in brackets if it binds less tightly than that."""
        written = self.write(term)
        return self.bracketed(written) if self.binding(term) < least else written

    def bracketed(self, written: Any) -> Any:
        """Return what is written in brackets."""
        return f"({written})"

    def sentence(self, text: str) -> Any:
        """Return words that stand between formulas."""
        return text

    def line(self, pieces: Iterable[Piece]) -> Any:
        """Return a line of words and formulas."""
        return "".join(self.whole(piece) if isinstance(piece, Term) else self.sentence(piece) for piece in pieces)

    def whole(self, term: Term) -> Any:
        """Return a term that stands alone or beside a sign of equality: a choice has brackets there, too."""
        return self.part(term, SUM) if term.kind == "choice" else self.write(term)
