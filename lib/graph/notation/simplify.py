"""Products and sums as a tutor writes them: without factors of 1, with one sign, and what cancels left out."""
from __future__ import annotations

from fractions import Fraction
from typing import Any, Iterable, List, Tuple

from lib.graph.notation.terms import Term, as_term, broadcast, call, is_indicator, is_number, number, product_of

ONE = number(1)


def times(*factors: Any) -> Term:
    """Return a product: numbers are multiplied, a sign turns a difference round, equal factors of a fraction cancel.

    >>> from lib.graph.notation import TEXT, name
    >>> o, t = name("o"), name("t")
    >>> TEXT.write(times(0.5, 2, t - o, -1, o * (1 - o)))
    '(o - t) * o * (1 - o)'
    """
    flat: List[Term] = []
    coefficient: Any = Fraction(1)
    for factor in _flattened(map(as_term, factors)):
        if factor.kind == "number":
            coefficient = _multiplied(coefficient, factor.parts[0])
        else:
            flat.append(factor)
    above, below, coefficient = _cancelled(flat, coefficient)
    if coefficient == 0:
        return number(0)
    if coefficient < 0:
        coefficient = -coefficient
        turned = next((k for k, factor in enumerate(above) if _is_difference(factor)), None)
        if turned is None:
            return _negative(_joined(coefficient, above, below))
        above[turned] = negated(above[turned])
    return _joined(coefficient, above, below)


def plus(*terms: Term) -> Term:
    """Return a sum without the terms that are 0; x + x is 2 * x."""
    flat: List[Term] = []
    for term in terms:
        flat += term.parts if term.kind == "sum" else (term,)
    kept = [term if flat.count(term) == 1 else times(flat.count(term), term) for k, term in enumerate(flat)
            if not is_number(term, 0) and term not in flat[:k]] or [number(0)]
    whole = [term for term in kept if term.kind != "product" or all(part.kind != "ones" for part in term.parts)]
    kept = [term if term in whole else _spread_by_others(term, whole) for term in kept]
    total = kept[0]
    for term in kept[1:]:
        total = total - negated(term) if is_number(term) and term.parts[0] < 0 else total + term
    return total


def _spread_by_others(term: Term, others: List[Term]) -> Term:
    """Return a product without its ones if the sum with others has their shape all the same."""
    rest = times(*[part for part in term.parts if part.kind != "ones"])
    shape = rest
    for other in others:
        shape = Term("", (), broadcast(shape, other))
    return rest if term.shape is not None and shape.shape == term.shape else term


def negated(term: Term) -> Term:
    """Return -term: two signs cancel, and a difference is turned round."""
    if term.kind == "negative":
        return term.parts[0]
    if term.kind == "number":
        return number(-term.parts[0])
    if _is_difference(term):
        first, second = term.parts
        return second.parts[0] - first
    return _negative(term)


def turned(term: Term) -> Term:
    """Return the transpose of a matrix, or of each one of a stack: that of a product turns its factors round.

    >>> from lib.graph.notation import TEXT, name
    >>> TEXT.write(turned(name("Q", (3, 2)).T @ (name("S", (3, 3)) / 2)))
    '(S.T / 2) @ Q'
    """
    if term.kind == "transpose" or _is_stack_turned(term):
        return term.parts[0] if term.kind == "transpose" else term.parts[1][0]
    if term.kind == "matmul" and min(part.ndim for part in term.parts) > 1:
        left, right = term.parts
        return turned(right) @ turned(left)
    if term.kind == "fraction" and term.parts[1].ndim == 0:
        return turned(term.parts[0]) / term.parts[1]
    if term.shape is None or term.ndim <= 2:
        return term.T
    return call("swapaxes", term, number(-1), number(-2), shape=term.shape[:-2] + term.shape[:-3:-1])


def _is_stack_turned(term: Term) -> bool:
    return term.kind == "call" and term.parts[0] == "swapaxes"


def _negative(term: Term) -> Term:
    return number(-term.parts[0]) if term.kind == "number" else Term("negative", (term,), term.shape)


def _is_difference(term: Term) -> bool:
    return term.kind == "sum" and len(term.parts) == 2 and term.parts[1].kind == "negative" \
        and term.parts[0].kind != "negative"


def _flattened(factors: Iterable[Term]) -> Iterable[Term]:
    for factor in factors:
        if factor.kind == "product":
            yield from _flattened(factor.parts)
        elif factor.kind == "power" and factor.parts[0].kind == "call" and factor.parts[0].parts[0] == "sqrt" \
                and is_number(factor.parts[1], 2):
            yield from _flattened(factor.parts[0].parts[1])
        elif factor.kind == "negative":
            yield number(-1)
            yield from _flattened([factor.parts[0]])
        else:
            yield factor


def _multiplied(one: Any, other: Any) -> Any:
    """Return the product of two numbers, exact where both are fractions or floats without rounding, such as 0.5."""
    if isinstance(other, float) and other != 0 and abs(other) < 1e6 and float(other * 64).is_integer():
        other = Fraction(other)
    if isinstance(one, Fraction) and isinstance(other, (int, Fraction)):
        return one * other
    return float(one) * float(other)


def _cancelled(factors: List[Term], coefficient: Any) -> Tuple[List[Term], List[Term], Any]:
    """Return what stands above and below the stroke."""
    above: List[Term] = []
    below: List[Term] = []
    for factor in factors:
        if factor.kind != "fraction":
            above.append(factor)
            continue
        for term in _flattened([factor.parts[0]]):
            if term.kind == "number":
                coefficient = _multiplied(coefficient, term.parts[0])
            else:
                above.append(term)
        for term in _flattened([factor.parts[1]]):
            if term.kind == "number" and term.parts[0] != 0:
                value = _multiplied(Fraction(1), term.parts[0])
                coefficient = coefficient / value if isinstance(value, Fraction) and isinstance(coefficient, Fraction) \
                    else float(coefficient) / float(value)
            else:
                below.append(term)
    for term in list(below):
        if term in above:
            above.remove(term)
            below.remove(term)
    return above, below, coefficient


def _joined(coefficient: Any, above: List[Term], below: List[Term]) -> Term:
    """Return a coefficient times a fraction; ones beside a factor of their shape are left out."""
    above = sorted(_without_ones(above, below), key=is_indicator)
    top, bottom = coefficient, 1
    if isinstance(coefficient, Fraction):
        top, bottom = coefficient.numerator, coefficient.denominator
    if below:
        numerators = ([number(top)] if top != 1 or not above else []) + above
        denominators = ([number(bottom)] if bottom != 1 else []) + below
        return product_of(numerators) / product_of(denominators)
    if not above:
        return number(coefficient)
    if bottom != 1 and top == 1 and len(above) == 1:
        return above[0] / number(bottom)
    return product_of(([number(coefficient)] if coefficient != 1 else []) + above)


def _without_ones(above: List[Term], below: List[Term]) -> List[Term]:
    kept = list(above)
    for term in above:
        if term.kind == "ones":
            rest = list(kept)
            rest.remove(term)
            shape = number(1)
            for other in rest + below:
                shape = Term("", (), broadcast(shape, other))
            if shape.shape == term.shape:
                kept = rest
    return kept
