"""Slips in what several operations compute together.

A span is the part of a forward's graph between a node and one of the nodes that all its ways back lead through, such as
tanh(c (x + a x^3)) between the tanh and x. What flows back over it may be left out, or be another function's.
"""
from __future__ import annotations

from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

import numpy as np

from lib.gradient_checking.diagnose import slip_rules
from lib.gradient_checking.diagnose.forward_graph import Change, ForwardGraph
from lib.gradient_checking.diagnose.node_words import is_inner_step
from lib.gradient_checking.diagnose.slip import Slip, edge_groups, on, words_for

LONGEST = 40  # a graph of more nodes than this is searched for short spans only
SHORT = 4


class Span:
    """Two places of a graph, all of whose ways from the upper to the lower one are known to meet there again.

    Attributes:
        upper, lower: the places in ForwardGraph.order; the lower one is nearer to the tensor.
        derivative: dy/dx of the entries, or None where an entry of y depends on several of x.
    """

    def __init__(self, graph: ForwardGraph, upper: int, lower: int) -> None:
        self.upper, self.lower = upper, lower
        self.x, self.y = (np.asarray(graph.order[k].value) for k in (lower, upper))
        self.derivative = self._derivative(graph) if self.x.shape == self.y.shape else None

    def _derivative(self, graph: ForwardGraph) -> Optional[np.ndarray]:
        signs = np.where(np.arange(self.y.size) % 3 == 1, -1.0, 1.0).reshape(self.y.shape)
        plain, signed = (graph.back(self.upper, self.lower, ones) for ones in (np.ones(self.y.shape), signs))
        is_elementwise = np.shape(plain) == self.x.shape and np.allclose(signed, signs * plain, rtol=1e-9, atol=1e-12)
        return plain if is_elementwise else None


def spans_of(graph: ForwardGraph) -> List[Tuple[int, int]]:
    """Return the (upper, lower) places of all spans between nodes of one shape, the shortest first."""
    through: Dict[int, frozenset] = {0: frozenset()}  # for each place, those that all ways from it lead through
    found = []
    for k in range(1, len(graph.order)):
        below = {graph.place[parent] for parent in graph.order[k].parents if parent in graph.place}
        through[k] = frozenset.intersection(*(through[j] | {j} for j in below))
        found += [(k, j) for j in through[k] if graph.order[j].shape == graph.order[k].shape
                  and (len(graph.order) <= LONGEST or k - j <= SHORT)]
    return sorted(found, key=lambda span: (span[0] - span[1], span))


def over(span: Tuple[int, int], flow: Callable[[ForwardGraph, Any], Any]) -> Callable[[ForwardGraph], Optional[Change]]:
    """Return the change that what flow(graph, gradient at the upper place) gives arrives at the lower place."""
    upper, lower = span

    def change(graph: ForwardGraph) -> Optional[Change]:
        arrived: List[Any] = []

        def leave(grad: Any) -> Any:
            arrived.append(grad)
            return 0 * grad
        return Change({}, {upper: leave, lower: lambda total: total + flow(graph, arrived[-1])})
    return change


def other_derivatives(graph: ForwardGraph, span: Tuple[int, int]) -> Iterator[Tuple[str, str, Callable[..., Any]]]:
    """Yield what may stand where the derivative of an elementwise span belongs: cause, words, and what flows then."""
    first = Span(graph, *span)
    if first.derivative is None:
        return
    for cause, words, formula in slip_rules.derivatives(first.x, first.y, first.derivative):
        def flow(graph: ForwardGraph, grad: Any, formula: Any = formula) -> Any:
            there = Span(graph, *span)
            return grad * formula(there.x, there.y, there.derivative)
        yield cause, words, flow
    yield ("output taken for input", "the output stands where the input belongs",
           lambda graph, grad: graph.back(*span, grad, at=graph.order[span[0]].value))


def of_spans(graph: ForwardGraph, name: str) -> Iterator[Slip]:
    """Yield that nothing, or another derivative, stands for a function that may be computed in several steps."""
    found = [span for span in spans_of(graph) if span[0] - span[1] > 1 or graph.order[span[0]].operation.name
             not in ("add", "subtract", "negate")]

    found.sort(key=lambda span: (_inner_steps(graph, span), not _is_sigmoid(graph, span)))  # else the shortest first

    def words(span: Tuple[int, int]) -> str:
        upper, lower = (words_for(graph, graph.order[place], name) for place in span)
        return f"in the derivative of {upper}" + (f" by {lower}" if upper != lower else "")

    for span in found:
        yield Slip("term missing", f"{words(span)}, nothing stands there: the gradient goes through unchanged",
                   over(span, lambda graph, grad: grad))
    yield from of_missing_derivatives(graph, name)
    for span in found:
        for cause, sentence, flow in other_derivatives(graph, span):
            yield Slip(cause, f"{words(span)}, {sentence}", over(span, flow))


def _inner_steps(graph: ForwardGraph, span: Tuple[int, int]) -> int:
    """Return how many ends of a span are steps inside of a function that the user's line calls by another name."""
    return sum(is_inner_step(graph.order[place]) for place in span)


def _is_sigmoid(graph: ForwardGraph, span: Tuple[int, int]) -> bool:
    y = np.asarray(graph.order[span[0]].value)
    sizes = [np.exp(sign * np.asarray(graph.order[span[1]].value)) for sign in (-1, 1)]
    return bool(span[0] - span[1] > 1 and any(np.allclose(y, 1 / (1 + size), rtol=1e-9) for size in sizes))


def of_missing_derivatives(graph: ForwardGraph, name: str) -> Iterator[Slip]:
    """Yield that an operation of several inputs lets a gradient through unchanged, or with another sign alone."""
    for places in edge_groups(graph):
        edge = graph.edges[places[0]]
        if edge.operation.elementwise and edge.operation.name not in ("add", "subtract", "negate"):
            into, of = (words_for(graph, node, name) for node in (edge.node, edge.parent))
            words = f"in what flows back through {into} into {of}"
            yield Slip("term missing", f"{words}, the derivative is missing: the gradient goes through unchanged",
                       on(places, lambda e: e.summed(np.broadcast_to(e.grad, e.node.shape))))
            yield Slip("term missing", f"{words}, a factor is missing: only its sign is there",
                       on(places, lambda e: e.summed(np.broadcast_to(-e.grad, e.node.shape))))
