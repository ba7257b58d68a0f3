"""A graph as one formula in its leaves, and its derivatives as such; for small graphs of single numbers."""
from __future__ import annotations

from typing import Any, Dict, List, Sequence

import numpy as np

from lib.graph.explain.derivation import Derivation
from lib.graph.explain.document import Line
from lib.graph.node import Node
from lib.graph.notation import Term, array, equation, number
from lib.graph.notation.simplify import plus, times
from lib.validation import InputError

LONGEST = 250  # names, numbers and signs in one formula


def formula(derivation: Derivation) -> Line:
    """Return the output as one formula in the leaves, with its value."""
    output = derivation.output
    return Line(equation(derivation.names.term(output), in_leaves(derivation)[output], array(output.value)))


def derivative(derivation: Derivation, variable: Node) -> Line:
    """Return d(output)/d(variable) as one formula in the leaves, with its value."""
    derivation.require_gradients()
    value = derivation.gradients.get(variable, np.float64(0))
    term = derivatives_in_leaves(derivation, [variable])[0]
    return Line(equation(derivation.names.partial(variable), term, array(value)))


def in_leaves(derivation: Derivation) -> Dict[Node, Term]:
    """Return every node as a formula in the leaves."""
    result: Dict[Node, Term] = {}
    sizes: Dict[int, int] = {}
    for node in derivation.order:
        result[node] = derivation.names.term(node)
        if node.operation is not None:
            result[node] = _checked(node.operation.formula(*[result[parent] for parent in node.parents]), sizes)
    return result


def derivatives_in_leaves(derivation: Derivation, inputs: Sequence[Node]) -> List[Term]:
    """Return the derivatives of the output by some nodes, each as one formula in the leaves."""
    expressions = in_leaves(derivation)
    sizes: Dict[int, int] = {}
    gradients: Dict[Node, Term] = {derivation.output: number(1)}
    for node in reversed(derivation.order):
        for edge in derivation.edges_from(node) if node in gradients else []:
            if edge.child.ndim or edge.parent.ndim:
                raise InputError("A derivative in symbols is for graphs of single numbers; explain(...).matrices() "
                                 "derives those of arrays in index form.")
            slope = node.operation.derivative(  # type: ignore[union-attr]
                edge.i, expressions[node], *[expressions[parent] for parent in node.parents])
            product = times(gradients[node], slope)
            earlier = gradients.get(edge.parent)
            gradients[edge.parent] = _checked(product if earlier is None else plus(earlier, product), sizes)
    return [gradients.get(node, number(0)) for node in inputs]


def _checked(term: Term, sizes: Dict[int, int]) -> Term:
    """Return a term, or say that it is too long to be written in one formula."""
    if _size(term, sizes) > LONGEST:
        raise InputError(f"This formula has more than {LONGEST} names, numbers and signs: too long to be written in "
                         "one piece. Let explain() write it with intermediate variables.")
    return term


def _size(part: Any, sizes: Dict[int, int]) -> int:
    if isinstance(part, tuple):
        return sum(_size(each, sizes) for each in part)
    if not isinstance(part, Term):
        return 0
    if id(part) not in sizes:
        sizes[id(part)] = 1 + _size(part.parts, sizes)
    return sizes[id(part)]
