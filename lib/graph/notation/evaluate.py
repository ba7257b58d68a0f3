"""What a term comes to when numbers are put in for its names; and terms with other terms in the place of names."""
from __future__ import annotations

from functools import reduce
from typing import Any, Callable, Mapping

import numpy as np

from lib.graph.notation.terms import Term

NAMED = ("name", "partial")  # the kinds of terms that stand for a quantity


def evaluate(term: Term, numbers: Mapping[Term, Any], functions: Callable[[str], Callable[..., Any]]) -> Any:
    """Return the number or array that a formula gives.

    Args:
        term: a formula without words.
        numbers: the value of each name and derivative.
        functions: what a function's name stands for.

    Raises:
        KeyError: a quantity has no number, or the term is of a kind that has no value.
    """
    def value(part: Term) -> Any:
        return evaluate(part, numbers, functions)

    kind, parts = term.kind, term.parts
    if kind in NAMED:
        return numbers[term]
    if kind == "number":
        return float(parts[0])
    if kind == "array":
        return parts[0].value
    if kind == "ones":
        return np.ones(parts[0])
    if kind == "call":
        whole = parts[0] in ("swapaxes", "eye")
        return functions(parts[0])(*[int(each.parts[0]) if whole and each.kind == "number" else value(each)
                                     for each in parts[1]], **dict(parts[2]))
    if kind == "choice":
        left, right = value(parts[0]), value(parts[2])
        holds = {">": np.greater, ">=": np.greater_equal, "<": np.less, "==": np.equal}[parts[1]](left, right)
        return np.where(holds, value(parts[3]), value(parts[4]))[()]
    return COMPUTED[kind](*map(value, parts))


COMPUTED: Mapping[str, Callable[..., Any]] = {
    "sum": lambda *terms: reduce(np.add, terms), "product": lambda *factors: reduce(np.multiply, factors),
    "negative": np.negative, "fraction": np.divide, "power": np.power, "matmul": np.matmul, "outer": np.outer,
    "transpose": np.transpose}


def replaced(term: Term, others: Mapping[Term, Term]) -> Term:
    """Return a term with other terms in the place of some names and derivatives."""
    if term in others:
        return others[term]
    return Term(term.kind, _replaced(term.parts, others), term.shape)


def _replaced(part: Any, others: Mapping[Term, Term]) -> Any:
    if isinstance(part, tuple):
        return tuple(_replaced(each, others) for each in part)
    return replaced(part, others) if isinstance(part, Term) else part


def names_in(term: Any) -> set:
    """Return the names and derivatives that occur in a term."""
    if isinstance(term, tuple):
        return set().union(*map(names_in, term)) if term else set()
    if not isinstance(term, Term):
        return set()
    return {term} if term.kind in NAMED else names_in(term.parts)


def signs_in(term: Any) -> int:
    """Return how many signs and functions a term is made of: how long it is to read."""
    if isinstance(term, tuple):
        return sum(map(signs_in, term))
    if not isinstance(term, Term) or term.kind in NAMED + ("number", "array"):
        return 0
    own = len(term.parts) - 1 if term.kind in ("sum", "product") else 0 if term.kind in ("negative", "ones") else 1
    return own + signs_in(term.parts)
