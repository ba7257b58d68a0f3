"""Further kinds of slips: conditions, means over another axis, one of two places, factors inside of a sum."""
from __future__ import annotations

from functools import partial
from typing import Any, Iterator, List

import numpy as np

from lib.gradient_checking.diagnose.forward_graph import Change, Edge, ForwardGraph, Place
from lib.gradient_checking.diagnose.slip import Slip, fits_shape, on, words_for


MOST_EDGES = 30  # in a graph of more nodes, only what is summed on its way back is tried with other factors


def of_choices(graph: ForwardGraph, name: str) -> Iterator[Slip]:
    """Yield that one side of a condition stands for both, or that the two sides are exchanged."""
    for k, node in enumerate(graph.order):
        places = [place for place in graph.edges if place[0] == k]
        if node.operation is None or node.operation.name not in ("where", "maximum", "minimum"):
            continue
        into = words_for(graph, node, name)
        for chosen in places:
            change = Change({place: _whole if place == chosen else _nothing for place in places})
            side = words_for(graph, graph.edges[chosen].parent, name)
            sentence = f"the derivative of one side, {side}, is used on both sides of {into}" if side != into else \
                f"in {into}, the gradient goes through everywhere, though only one side of a condition lets it through"
            yield Slip("another formula", sentence, partial(_always, change))
        if len(places) > 1:
            yield Slip("another formula", f"the two sides of {into} are exchanged",
                       on(places, lambda e: e.summed(e.grad - e.whole)))


def of_means(graph: ForwardGraph, name: str) -> Iterator[Slip]:
    """Yield that a mean that is subtracted from what flows back is taken over another axis."""
    for place, edge in graph.edges.items():
        if edge.operation.name != "mean":
            continue
        parent = graph.place[edge.parent]
        axes: List[Any] = [*range(edge.parent.ndim), None]
        for axis in axes:
            over = "everything" if axis is None else f"axis {axis}"
            words = words_for(graph, edge.node, name)
            yield Slip("wrong axis", f"what flows back through {words} is averaged over {over}",
                       partial(_always, Change({place: _nothing}, {parent: partial(_centred, axis=axis)})))


def of_places(graph: ForwardGraph, name: str) -> Iterator[Slip]:
    """Yield that of the two places where something stands, one is counted twice and the other not at all."""
    for node in graph.order[:-1]:
        uses = graph.uses(node)
        for dropped in uses if len(uses) == 2 else ():
            change = Change({place: _nothing if place == dropped else _twice for place in uses})
            yield Slip("term missing", f"of the two places where {words_for(graph, node, name)} stands, one is counted "
                       "twice, and the other not at all", partial(_always, change))


def of_epsilons(graph: ForwardGraph, name: str) -> Iterator[Slip]:
    """Yield that the small number which forward adds for safety, as in log(p + eps), is forgotten in derivatives."""
    places = list(_without_epsilons(graph).edges)
    if places:
        words = words_for(graph, graph.order[places[0][0]], name)
        yield Slip("another formula", f"the small number that forward adds before {words} is forgotten: the derivative "
                   "of f(p + eps) is that at p + eps, as 1 / (p + eps) for a logarithm", _without_epsilons)


def _without_epsilons(graph: ForwardGraph) -> Change:
    bare = {node: next(parent.value for parent in node.parents if not _is_small(parent)) for node in graph.all_nodes
            if node.operation is not None and node.operation.name in ("add", "maximum")
            and [_is_small(parent) for parent in node.parents].count(True) == 1}

    def flow(edge: Edge) -> Any:
        values = [bare.get(parent, value) for parent, value in zip(edge.node.parents, edge.values)]
        return edge.summed(edge.operation.backward(edge.i, edge.grad, edge.operation.forward(*values), *values))

    return Change({place: flow for place, edge in graph.edges.items()
                   if any(parent in bare for parent in edge.node.parents)})


def _is_small(node: Any) -> bool:
    return node.is_leaf and node.parameter is None and node.size == 1 and 0 < float(node.value) <= 0.01


def of_inner_factors(graph: ForwardGraph, name: str) -> Iterator[Slip]:
    """Yield that a factor is missing in what is summed on its way back, or stands there once too often."""
    factors = [n for n, node in enumerate(graph.all_nodes) if node.size > 1 and np.all(node.value != 0)]
    if len(factors) > 40:
        return
    for place, edge in graph.edges.items():
        whole = np.shape(edge.whole)
        if whole == np.shape(edge.flow) and len(graph.order) > MOST_EDGES:
            continue
        into, of = (words_for(graph, node, name) for node in (edge.node, edge.parent))
        for n in factors:
            for power, words in ((-1.0, "is missing"), (1.0, "stands once too often")):
                def change(graph: ForwardGraph, place: Place = place, n: int = n, power: float = power) -> Any:
                    factor = np.asarray(graph.all_nodes[n].value, dtype=float) ** power
                    return Change({place: lambda e: e.summed(e.whole * factor)})
                if fits_shape(graph.all_nodes[n].shape, whole):
                    factor_words = words_for(graph, graph.all_nodes[n], name)
                    yield Slip("another formula", f"in what flows back through {into} into {of}, the factor "
                               f"{factor_words} {words}", change)


def term_times(graph: ForwardGraph, place: Place, got: np.ndarray) -> float:
    """Return by which factor a term must be multiplied to come as near as possible to a gradient; 1 if by none."""
    without = graph.changed(Change({place: _nothing}))
    if without is None or np.size(got) < 4:
        return 1.0
    term = np.asarray(graph.gradient - without, dtype=float)
    known = np.isfinite(got)
    square = float((term[known] ** 2).sum())
    return float(((got - without)[known] * term[known]).sum()) / square if square > 0 else 1.0


def with_term_times(graph: ForwardGraph, place: Place, factor: float) -> Any:
    """Return the gradient with one term multiplied by a factor."""
    return graph.changed(Change({place: lambda e: factor * e.flow}))


def _always(change: Change, graph: ForwardGraph) -> Change:
    return change


def _nothing(edge: Edge) -> Any:
    return 0 * edge.flow


def _twice(edge: Edge) -> Any:
    return 2 * edge.flow


def _whole(edge: Edge) -> Any:
    return edge.summed(np.broadcast_to(edge.grad, edge.node.shape))


def _centred(total: Any, axis: Any) -> Any:
    return total - total.mean(axis=axis, keepdims=True)
