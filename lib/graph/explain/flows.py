"""How the product along one edge is written: in partial derivatives, as a formula, and with the numbers put in."""
from __future__ import annotations

from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np

from lib.graph.explain import replay
from lib.graph.explain.derivation import Derivation, Edge, local_derivative
from lib.graph.node import Node
from lib.graph.notation import Term, array, number, partial, product_of, sum_of
from lib.graph.notation.digits import digits_needed
from lib.graph.notation.shapes import summed_back


def local(derivation: Derivation, edge: Edge) -> Term:
    """Return d(child)/d(parent); |1 and |2 tell the inputs apart if the parent is used as several of them."""
    names = derivation.names
    which = edge.i + 1 if derivation.is_repeated(edge) else 0
    return partial(names.term(edge.child), names.term(edge.parent), which)


def partials(derivation: Derivation, edge: Edge) -> Term:
    """Return the product of partial derivatives along an edge, such as dL/dz * dz/dw.

    At the output that is the local derivative alone: dL/dL * dL/dz would say that dL/dz is itself.
    """
    if edge.child is derivation.output:
        return local(derivation, edge)
    return product_of([derivation.names.partial(edge.child), local(derivation, edge)])


def slope(derivation: Derivation, edge: Edge) -> Term:
    """Return d(child)/d(parent) as a formula, such as 1 / b."""
    operation = edge.child.operation
    assert operation is not None
    return operation.derivative(edge.i, *_terms(derivation, edge))


def flow(derivation: Derivation, edge: Edge, grad: Optional[Term] = None) -> Term:
    """Return what the child computes and sends to the parent, such as dL/dz @ W.T or sum(dL/dz, axis=0).

    Args:
        derivation, edge: the graph and the edge.
        grad: how to call what the child has received; d(output)/d(child), or 1 at the output, if not given.
    """
    operation = edge.child.operation
    assert operation is not None
    if grad is None:
        grad = number(1) if edge.child is derivation.output else derivation.names.partial(edge.child)
    return back_to_parent(edge, operation.flow(edge.i, grad, *_terms(derivation, edge)))


def back_to_parent(edge: Edge, term: Term) -> Term:
    """Return a flow with the sums that undo what broadcasting copied."""
    before = shape_before_sums(edge)
    return term if before == edge.parent.shape else summed_back(term, before, edge.parent.shape)


def shape_before_sums(edge: Edge) -> Tuple[int, ...]:
    """Return the shape in which a flow arrives, before broadcasting is undone."""
    operation, child, parent = edge.child.operation, edge.child, edge.parent
    assert operation is not None
    if operation.elementwise:
        return child.shape
    if operation.name == "matmul" and min(each.ndim for each in child.parents) > 1:
        return child.shape[:-2] + parent.shape[-2:]
    return parent.shape


def numbers(derivation: Derivation, edge: Edge) -> Term:
    """Return the product along an edge between single numbers, with the numbers put in, such as 2 * 0.5."""
    factors = [derivation.gradients[edge.child], local_derivative(edge, derivation.values)]
    return product_of_numbers(factors[edge.child is derivation.output:], derivation.flows[edge])


def product_of_numbers(values: Sequence[Any], result: Any) -> Term:
    """Return a product of numbers, with as many digits as it needs to give the result."""
    digits = digits_needed(lambda *each: np.prod(each), values, result)
    return product_of([number(each, digits) for each in values])


def sum_of_numbers(values: Sequence[Any], total: Any) -> Term:
    """Return a sum of numbers or small arrays, with as many digits as it needs to give the total."""
    digits = digits_needed(lambda *each: np.sum(each, axis=0), values, total)
    return sum_of([array(each, digits) for each in values])


def with_numbers(node: Node, values: Dict[Node, Any]) -> Term:
    """Return the operation of a node with numbers in the place of names."""
    assert node.operation is not None
    inputs = [values[parent] for parent in node.parents]
    digits = digits_needed(lambda *each: replay.forward(node, dict(zip(node.parents, each))), inputs, values[node])
    return node.operation.formula(*[number(value, digits) for value in inputs])


def is_single(edge: Edge) -> bool:
    """Tell whether both ends of an edge are single numbers, so that the product is one of numbers."""
    return edge.child.ndim == edge.parent.ndim == 0


def summed_axes(edge: Edge) -> Tuple[int, ...]:
    """Return the axes of the child's gradient that are summed because the parent was broadcast along them."""
    child, parent = edge.child.shape, edge.parent.shape
    added = len(child) - len(parent)
    stretched = tuple(added + k for k, size in enumerate(parent) if size == 1 and child[added + k] != 1)
    return tuple(range(added)) + stretched


def _terms(derivation: Derivation, edge: Edge) -> List[Term]:
    return [derivation.names.term(node) for node in (edge.child,) + edge.child.parents]
