r"""The LaTeX form of formulas, in the part of LaTeX that KaTeX and MathJax both know."""
from __future__ import annotations

import re
import unicodedata
from fractions import Fraction
from typing import Any

import numpy as np

from lib.graph.notation.digits import DIGITS, LARGEST_PRINTED, number_text
from lib.graph.notation.terms import Term, is_indicator, is_number
from lib.graph.notation.writing import ANYTHING, ATOM, POWER, PRODUCT, SIGN, Notation

GREEK = ("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu", "nu",
         "xi", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega", "Gamma", "Delta", "Theta",
         "Lambda", "Xi", "Pi", "Sigma", "Phi", "Psi", "Omega")
KNOWN = ("log", "sin", "cos", "tan", "sinh", "cosh", "tanh", "max", "min")  # functions that LaTeX has commands for
# what stands for itself neither in a formula nor inside of \text
SPECIAL = {"\\": r"\backslash ", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "%": r"\%", "#": r"\#", "_": r"\_",
           "^": r"{\wedge}", "~": r"{\sim}", "<": "<", ">": ">", "`": "`"}


class Latex(Notation):
    """Formulas in LaTeX, without the dollar signs around them."""

    bindings = dict(Notation.bindings, fraction=ATOM, choice=ATOM, negative=SIGN, outer=PRODUCT, method=ATOM)

    def binding(self, term: Term) -> int:
        if term.kind == "number" and "e" in number_text(term.parts[0]) and np.isfinite(float(term.parts[0])):
            return PRODUCT if term.parts[0] > 0 else SIGN
        if term.kind == "choice" and not is_indicator(term):
            return ANYTHING
        return super().binding(term)

    def bracketed(self, written: str) -> str:
        return rf"\left({written}\right)"

    def sentence(self, text: str) -> str:
        return text_latex(text)

    def name(self, text: str) -> str:
        return name_latex(text)

    def number(self, value: Any, digits: int = DIGITS) -> str:
        if isinstance(value, Fraction):
            sign = "-" if value < 0 else ""
            return rf"{sign}\frac{{{abs(value.numerator)}}}{{{value.denominator}}}"
        return number_latex(number_text(value, digits))

    def array(self, entries: Any, digits: int = DIGITS) -> str:
        value = entries.value
        if value.size > LARGEST_PRINTED or value.ndim > 2:
            return rf"\left[\text{{shape }} {_sizes(value.shape)}\right]"
        rows = value.reshape(-1, 1) if value.ndim == 1 else value
        body = r" \\ ".join(" & ".join(number_latex(number_text(each, digits)) for each in row) for row in rows)
        return rf"\begin{{pmatrix}} {body} \end{{pmatrix}}"

    def sum(self, *terms: Term) -> str:
        written = self.part(terms[0], SIGN)
        for term in terms[1:]:
            negative = term.kind == "negative"
            later = self.part(term.parts[0] if negative else term, PRODUCT)
            later = self.bracketed(later) if later.startswith("-") else later
            written += f" {'-' if negative else '+'} {later}"
        return written

    def negative(self, term: Term) -> str:
        written = self.part(term, PRODUCT)
        return "-" + (self.bracketed(written) if written.startswith("-") else written)

    def product(self, *factors: Term) -> str:
        written = self.part(factors[0], ATOM if factors[0].kind == "matmul" else SIGN)
        for before, factor in zip(factors, factors[1:]):
            sign = r"\odot" if before.ndim and factor.ndim else r"\cdot"
            written += f" {sign} {self.part(factor, POWER)}"
        return written

    def fraction(self, above: Term, below: Term) -> str:
        return rf"\frac{{{self.write(above)}}}{{{self.write(below)}}}"

    def power(self, base: Term, exponent: Term) -> str:
        needs = ANYTHING if base.kind == "name" else ATOM
        written = self.bracketed(self.write(base)) if base.kind in ("fraction", "partial", "power", "exponential") or (
            base.kind == "call" and base.parts[0] not in ("abs",)) else self.part(base, max(needs, ATOM))
        return f"{_base(written)}^{{{self.write(exponent)}}}"

    def matmul(self, left: Term, right: Term) -> str:
        if left.ndim == 1 and right.ndim == 2:  # a row times a matrix, as textbooks write it: W^T x
            return rf"{self.transpose(right)} \, {self.part(left, POWER)}"
        least = POWER if left.kind == "product" else SIGN
        return rf"{self.part(left, least)} \, {self.part(right, POWER)}"

    def outer(self, column: Term, row: Term) -> str:
        return rf"{self.part(column, POWER)} \, {self.transpose(row)}"

    def transpose(self, term: Term) -> str:
        written = self.bracketed(self.write(term)) if term.kind in ("partial", "fraction") else self.part(term, ATOM)
        return rf"{{{written}}}^{{\top}}"

    def ones(self, shape: Any) -> str:
        return rf"\mathbf{{1}}_{{{_sizes(shape)}}}"

    def call(self, function: str, args: Any, settings: Any) -> str:
        written = [self.write(arg) for arg in args]
        if function == "exp":
            return f"e^{{{written[0]}}}"
        if function == "sqrt":
            return rf"\sqrt{{{written[0]}}}"
        if function == "abs":
            return rf"\left|{written[0]}\right|"
        if function == "relu":
            return rf"\max\left(0, {written[0]}\right)"
        if function == "swapaxes":
            return self.transpose(args[0])
        if function == "sum" and args[0].shape is not None:
            return self._sum(args[0], settings)
        symbol = (r"\sigma" if function == "sigmoid" else "\\" + function if function in KNOWN
                  else rf"\operatorname{{{text_latex(function, word=True)}}}")
        if settings:
            symbol += rf"_{{{', '.join(self._setting(key, value) for key, value in settings)}}}"
        return rf"{symbol}\left({', '.join(written)}\right)"

    def _sum(self, term: Term, settings: Any) -> str:
        axis = dict(settings).get("axis")
        over = "" if axis is None else rf"_{{{text_latex(axes_words(axis, term.ndim))}}}"
        return rf"\sum{over} {self.part(term, PRODUCT)}"

    @staticmethod
    def _setting(key: str, value: Any) -> str:
        return text_latex(f"{key} {value}" if value is not True else key)

    def list(self, *terms: Term) -> str:
        return ", ".join(map(self.write, terms))

    def method(self, term: Term, function: str, arguments: str) -> str:
        return rf"\operatorname{{{text_latex(function, word=True)}}}_{{{text_latex(arguments)}}}" \
               rf"\left({self.write(term)}\right)"

    def index(self, term: Term, key: str) -> str:
        return rf"{{{self.part(term, ATOM)}}}_{{{text_latex(f'[{key}]')}}}"

    def matrix(self, rows: Any) -> str:
        body = r" \\ ".join(" & ".join(map(self.write, row)) for row in rows)
        return rf"\begin{{pmatrix}} {body} \end{{pmatrix}}"

    def choice(self, left: Term, relation: str, right: Term, then: Term, otherwise: Term, of_arrays: bool) -> str:
        sign = {">=": r"\geq", "<=": r"\leq", "==": "="}.get(relation, relation)
        condition = f"{self.write(left)} {sign} {self.write(right)}"
        if is_number(then, 1) and is_number(otherwise, 0):
            return rf"\mathbb{{1}}\left[{condition}\right]"
        return rf"\begin{{cases}} {self.write(then)} & {condition} \\ {self.write(otherwise)} & " \
               rf"\text{{else}} \end{{cases}}"

    def partial(self, above: Term, below: Term, which: int) -> str:
        written = rf"\frac{{\partial {self.part(above, POWER)}}}{{\partial {self.part(below, POWER)}}}"
        return rf"\left.{written}\right|_{{{which}}}" if which else written

    def new(self, term: Term) -> str:
        return rf"{{{self.write(term)}}}^{{\text{{new}}}}"

    def entry(self, term: Term, indices: Any) -> str:
        letters = "".join(indices) if all(len(each) == 1 for each in indices) else ", ".join(indices)
        return rf"[{self.write(term)}]_{{{letters}}}"

    def sum_over(self, indices: Any, term: Term) -> str:
        return rf"\sum_{{{', '.join(indices)}}} {self.part(term, PRODUCT)}"

    def equation(self, *terms: Term) -> str:
        return " = ".join(self.whole(term) for term in terms)

    def shape(self, sizes: Any) -> str:
        return _sizes(sizes)

    def words(self, *pieces: Any) -> str:
        return self.line(pieces)


def _base(written: str) -> str:
    """Return what a power is taken of, in braces unless it is a letter, a number or a bracket."""
    return written if re.fullmatch(r"[A-Za-z0-9.]|\\left\(.*\\right\)", written) else f"{{{written}}}"


def _sizes(shape: Any) -> str:
    sizes = [str(int(size)) for size in shape]
    return r"\text{a number}" if not sizes else f"({sizes[0]})" if len(sizes) == 1 else r" \times ".join(sizes)


def axes_words(axis: Any, ndim: int) -> str:
    """Return in words what a sum along an axis, or several, of an array runs over."""
    axes = tuple(each % ndim for each in (axis if isinstance(axis, tuple) else (axis,)))
    if len(axes) == ndim:
        return "all entries"
    if ndim == 2:
        return "the rows" if axes == (0,) else "the columns"
    return " and ".join(f"axis {each}" for each in axes)


def number_latex(text: str) -> str:
    """Return a written number in LaTeX: 1e-05 becomes 1 times a power of ten."""
    if "inf" in text:
        return text.replace("inf", r"\infty")
    if "nan" in text:
        return r"\text{nan}"
    if "e" not in text:
        return text
    mantissa, exponent = text.split("e")
    return rf"{mantissa} \cdot 10^{{{int(exponent)}}}"


def text_latex(text: str, word: bool = False) -> str:
    r"""Return words as they may stand in a formula: in \text, with special characters written by their commands.

    Args:
        text: the words.
        word: whether they are the name of a function, whose letters need no \text around them.

    >>> text_latex("hidden state")
    '\\text{hidden state}'
    >>> text_latex("a & b")
    '\\text{a }\\&\\text{ b}'
    """
    parts = [part for part in re.split(r"([\\{}$&%#_^~<>`]|[\u0370-\u03ff])", text) if part]
    plain = "{}" if word and text.isascii() else r"\text{{{}}}"
    return "".join(SPECIAL.get(part) or _greek_letter(part) or plain.format(part) for part in parts) or r"\text{}"


def _greek_letter(text: str) -> str:
    """Return the command of a single Greek letter that is typed as itself, or ""."""
    words = unicodedata.name(text, "").split() if len(text) == 1 else []
    command = words[-1].lower() if words[:1] == ["GREEK"] and "WITH" not in words else ""
    command = command.capitalize() if "CAPITAL" in words else command
    return f"\\{command} " if command in GREEK else ""


def name_latex(name: str) -> str:
    r"""Return a name in LaTeX: w0 and W_in get an index, y_hat its hat, Greek letters their sign.

    >>> name_latex("w12"), name_latex("y_hat"), name_latex("delta1")
    ('w_{12}', '\\hat{y}', '\\delta_{1}')
    >>> name_latex("hidden_state")
    '\\text{hidden}_{\\text{state}}'
    """
    if re.fullmatch(r"-?[\d.]+(e[+-]?\d+)?|-?inf|nan", name):
        return number_latex(name)
    if _greek_letter(name):
        return _greek_letter(name).strip()
    if name.endswith("_hat") and len(name) > 4:
        return rf"\hat{{{name_latex(name[:-4])}}}"
    match = re.fullmatch(r"([A-Za-z]|" + "|".join(GREEK) + r")(?:_?(\d+|s)|_([A-Za-z])|_([A-Za-z0-9]+))?('*)", name,
                         re.ASCII)
    if match:
        letter, digits, other, wording, primes = match.groups()
        index = digits or other or (text_latex(wording) if wording else "")
        return ("\\" + letter if letter in GREEK else letter) + (f"_{{{index}}}" if index else "") + primes
    match = re.fullmatch(r"([A-Za-z]+)_([A-Za-z0-9]+)", name, re.ASCII)
    if match:
        return rf"\text{{{match.group(1)}}}_{{{text_latex(match.group(2))}}}"
    return text_latex(name)


LATEX = Latex()
