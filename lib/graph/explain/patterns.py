"""Where two derivatives together are simpler than each alone: softmax or sigmoid with the cross-entropy is p - y."""
from __future__ import annotations

from typing import Any, List, Optional, Tuple

import numpy as np

from lib.graph.explain.derivation import Derivation, Edge
from lib.graph.notation import Term, call, is_number
from lib.graph.notation.evaluate import evaluate, names_in
from lib.graph.notation.simplify import negated, times


def known_flow(derivation: Derivation, edge: Edge, grad: Term, out: Term,
               values: List[Term]) -> Optional[Tuple[Term, str]]:
    """Return the flow along an edge in its well-known simple form, with a remark on it; None if there is none."""
    rule = RULES.get(edge.child.operation.name)  # type: ignore[union-attr]
    return rule(derivation, edge, grad, out, values) if rule is not None and not is_number(grad) else None


def _log_softmax(derivation: Derivation, edge: Edge, grad: Term, out: Term,
                 values: List[Term]) -> Optional[Tuple[Term, str]]:
    """G = c y flows as c (y - softmax(s)) if the y of each row add up to 1, as G - exp(out) sum(G) says."""
    for y in names_in(grad):
        share = times(grad, 1 / y)
        if y not in names_in(share) and _adds_up_to_one(derivation, edge, y):
            operation: Any = edge.child.operation
            p = call("softmax", values[0], axis=None if edge.parent.ndim == 1 else operation.axis,
                     shape=edge.parent.shape)
            return times(negated(share), p - y), "   (log-softmax with cross-entropy: p - y)"
    return None


def _softmax(derivation: Derivation, edge: Edge, grad: Term, out: Term,
             values: List[Term]) -> Optional[Tuple[Term, str]]:
    """G = c y / p flows as c (y - p) if the y of each row add up to 1, as p (G - sum(G p)) says."""
    for y in names_in(grad) - {out}:
        share = times(grad, out / y)
        if not names_in(share) & {y, out} and _adds_up_to_one(derivation, edge, y):
            return times(negated(share), out - y), "   (softmax with cross-entropy: p - y)"
    return None


def _sigmoid(derivation: Derivation, edge: Edge, grad: Term, out: Term,
             values: List[Term]) -> Optional[Tuple[Term, str]]:
    """G = c (-y / p + (1 - y) / (1 - p)) flows as c (p - y): G is multiplied by p (1 - p)."""
    if grad.kind != "sum" or len(grad.parts) != 2:
        return None
    for y in names_in(grad) - {out}:
        share = times(negated(grad.parts[0]), out / y)
        if names_in(share) & {y, out}:
            continue
        simple = times(share, out - y)
        if _equal(times(grad, out, 1 - out), simple):
            return simple, "   (sigmoid with cross-entropy: p - y)"
    return None


def _binary_cross_entropy(derivation: Derivation, edge: Edge, grad: Term, out: Term,
                          values: List[Term]) -> Optional[Tuple[Term, str]]:
    """G flows to the logit z as G (sigmoid(z) - y): the operation's own rule, of which it is said that it is p - y."""
    if edge.i or edge.parent.shape != edge.child.shape:
        return None
    return times(grad, call("sigmoid", values[0]) - values[1]), "   (sigmoid with cross-entropy: p - y)"


RULES = {"log_softmax": _log_softmax, "softmax": _softmax, "sigmoid": _sigmoid,
         "binary_cross_entropy": _binary_cross_entropy}


def _adds_up_to_one(derivation: Derivation, edge: Edge, y: Term) -> bool:
    """Tell whether a name is that of a constant in the shape of the output whose entries add up to 1 along its axis."""
    node = derivation.names.find(y.parts[0]) if y.kind == "name" else None
    if node is None or node.needs_grad or node.shape != edge.child.shape:
        return False
    axis = edge.child.operation.axis  # type: ignore[union-attr]
    return bool(np.allclose(node.value.sum(axis=axis), 1))


def _equal(one: Term, other: Term) -> bool:
    """Tell whether two formulas are the same for random numbers."""
    rng = np.random.default_rng(0)
    numbers = {each: rng.uniform(0.1, 0.9, each.shape or ()) for each in names_in(one) | names_in(other)}
    try:
        return bool(np.allclose(*(evaluate(term, numbers, lambda function: getattr(np, function))
                                  for term in (one, other))))
    except (AttributeError, KeyError):
        return False
