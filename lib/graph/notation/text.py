"""The plain-text form of formulas: what it writes is Python, so that it can be run as it stands."""
from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

from lib.graph.notation.digits import DIGITS, LARGEST_PRINTED, number_text, value_text
from lib.graph.notation.terms import Term, is_indicator
from lib.graph.notation.writing import ATOM, POWER, PRODUCT, SIGN, Notation


class Text(Notation):
    """Formulas as Python writes them; dL/dw, W[i,j] and sum_i are typed as usual, as Python has no sign for them."""

    bindings = dict(Notation.bindings, list=ATOM)

    def binding(self, term: Term) -> int:
        if term.kind == "number" and isinstance(term.parts[0], Fraction):
            return PRODUCT
        if term.kind == "choice" and term.parts[-1]:
            return ATOM  # a call of where
        return super().binding(term)

    def name(self, text: str) -> str:
        return text

    def number(self, value: Any, digits: int = DIGITS) -> str:
        return str(value) if isinstance(value, Fraction) else number_text(value, digits)

    def array(self, entries: Any, digits: int = DIGITS) -> str:
        return value_text(entries.value, digits) if entries.value.size <= LARGEST_PRINTED else "[...]"

    def sum(self, *terms: Term) -> str:
        written = self.part(terms[0], SIGN)
        for term in terms[1:]:
            if term.kind == "negative":
                written += f" - {self._later(term.parts[0])}"
            else:
                written += f" + {self._later(term)}"
        return written

    def _later(self, term: Term) -> str:
        """Return a part of a sum after its first, in brackets if it begins with a sign."""
        written = self.part(term, PRODUCT)
        return self.bracketed(written) if written.startswith("-") else written

    def negative(self, term: Term) -> str:
        written = self.part(term, PRODUCT)
        return f"-({written})" if written.startswith("-") else f"-{written}"

    def product(self, *factors: Term) -> str:
        written = [self.part(factors[0], ATOM if factors[0].kind == "matmul" else SIGN)]
        written += [self.part(factor, POWER) for factor in factors[1:]]
        for k, factor in enumerate(factors):
            if k and is_indicator(factor) and factor.parts[-1]:  # times a number, True counts as 1 and False as 0
                written[k] = self.bracketed(self._condition(*factor.parts[:3]))
        return " * ".join(written)

    def fraction(self, above: Term, below: Term) -> str:
        return f"{self.part(above, ATOM if above.kind == 'matmul' else SIGN)} / {self.part(below, POWER)}"

    def power(self, base: Term, exponent: Term) -> str:
        return f"{self.part(base, ATOM)} ** {self.part(exponent, ATOM)}"

    def matmul(self, left: Term, right: Term) -> str:
        least = POWER if left.kind in ("product", "fraction") else SIGN
        return f"{self.part(left, least)} @ {self.part(right, POWER)}"

    def outer(self, column: Term, row: Term) -> str:
        return f"outer({self.write(column)}, {self.write(row)})"

    def transpose(self, term: Term) -> str:
        return f"{self.part(term, ATOM)}.T"

    def ones(self, shape: Any) -> str:
        return f"ones({shape})"

    def call(self, function: str, args: Any, settings: Any) -> str:
        written = [self.write(arg) for arg in args] + [f"{key}={value!r}" for key, value in settings]
        return f"{function}({', '.join(written)})"

    def list(self, *terms: Term) -> str:
        return f"({', '.join(map(self.write, terms))}{',' if len(terms) == 1 else ''})"

    def method(self, term: Term, function: str, arguments: str) -> str:
        return f"{self.part(term, ATOM)}.{function}({arguments})"

    def index(self, term: Term, key: str) -> str:
        return f"{self.part(term, ATOM)}[{key}]"

    def matrix(self, rows: Any) -> str:
        written = [[self.write(term) for term in row] for row in rows]
        widths = [max(map(len, column)) for column in zip(*written)]
        return "\n".join("[ " + "   ".join(each.ljust(width) for each, width in zip(row, widths)) + " ]"
                         for row in written)

    def choice(self, left: Term, relation: str, right: Term, then: Term, otherwise: Term, of_arrays: bool) -> str:
        condition = self._condition(left, relation, right)
        if of_arrays:
            return f"where({condition}, {self.write(then)}, {self.write(otherwise)})"
        return f"{self.part(then, SIGN)} if {condition} else {self.part(otherwise, SIGN)}"

    def _condition(self, left: Term, relation: str, right: Term) -> str:
        return f"{self.write(left)} {relation} {self.write(right)}"

    def partial(self, above: Term, below: Term, which: int) -> str:
        return f"d{_word(self.write(above))}/d{_word(self.write(below))}" + (f"|{which}" if which else "")

    def new(self, term: Term) -> str:
        return f"new {self.write(term)}"

    def entry(self, term: Term, indices: Any) -> str:
        return f"{self.part(term, ATOM)}[{','.join(indices)}]"

    def sum_over(self, indices: Any, term: Term) -> str:
        return f"sum_{','.join(indices)} {self.part(term, PRODUCT)}"

    def equation(self, *terms: Term) -> str:
        return " = ".join(self.whole(term) for term in terms)

    def shape(self, sizes: Any) -> str:
        return str(sizes)

    def words(self, *pieces: Any) -> str:
        return self.line(pieces)


def _word(text: str) -> str:
    """Return a name as it stands in dL/dw0: one that is more than a word stands in brackets."""
    return text if re.fullmatch(r"[\w.']+(\[[^\]]*\])?", text) else f"({text})"


TEXT = Text()
