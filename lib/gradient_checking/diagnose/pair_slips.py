"""Slips in two places at once: both factors of a product, the parts of a concatenation, one gradient for another's."""
from __future__ import annotations

import itertools
from functools import partial
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

import numpy as np

from lib.gradient_checking.diagnose.forward_graph import Change, Edge, ForwardGraph, Place
from lib.gradient_checking.diagnose.slip import Slip, words_for

MOST_COMPARED = 60  # in a graph of more nodes, gradients aren't taken for one another's


def of_products(graph: ForwardGraph, name: str) -> Iterator[Slip]:
    """Yield what stands where u' v + u v' belongs."""
    def own(e: Edge) -> Any:
        return e.summed(e.grad * np.asarray(e.values[e.i]))

    def bare(e: Edge) -> Any:
        return e.summed(np.broadcast_to(e.grad, e.node.shape))

    def nothing(e: Edge) -> Any:
        return 0 * e.flow

    kinds: Tuple[Tuple[str, Callable[[Edge], Any], Callable[[Edge], Any]], ...] = (
        ("u' u + v' v stands where u' v + v' u belongs", own, own),
        ("u' + v' stands where u' v + v' u belongs", bare, bare),
        ("only v' stands where u' v + v' u belongs", nothing, bare),
        ("only u' stands where u' v + v' u belongs", bare, nothing))
    for k, node in enumerate(graph.order):
        if node.operation is None or node.operation.name != "multiply" or not {(k, 0), (k, 1)} <= graph.edges.keys():
            continue
        for words, first, second in kinds:
            changes: Dict[Place, Callable[[Edge], Any]] = {(k, 0): first, (k, 1): second}
            yield Slip("another formula", f"in the derivative of {words_for(graph, node, name)}, u v, {words}",
                       partial(_always, changes))


def of_joined(graph: ForwardGraph, name: str) -> Iterator[Slip]:
    """Yield that what flows back into the parts of a concatenation is cut off in another order."""
    for k, node in enumerate(graph.order):
        places = [place for place in graph.edges if place[0] == k]
        if node.operation is None or node.operation.name != "concatenate" or not 1 < len(node.parents) < 4:
            continue
        for order in list(itertools.permutations(range(len(node.parents))))[1:]:
            changes: Dict[Place, Callable[[Edge], Any]] = {place: partial(_part, order=order) for place in places}
            words = words_for(graph, node, name)
            yield Slip("single entries wrong", f"the parts of {words} are taken in another order from what flows "
                       "back", partial(_always, changes))


def _always(changes: Dict[Place, Callable[[Edge], Any]], graph: ForwardGraph) -> Change:
    return Change(changes)


def _part(edge: Edge, order: Tuple[int, ...]) -> Optional[Any]:
    """Return what a part gets where the parts lie in another order."""
    shapes = [np.shape(value) for value in edge.values]
    axis = next(axis for axis, size in enumerate(edge.node.shape) if size != shapes[0][axis])
    start = sum(shapes[k][axis] for k in order[:order.index(edge.i)])
    return np.take(edge.grad, range(start, start + shapes[edge.i][axis]), axis)


def of_exchanged(graph: ForwardGraph, name: str) -> Iterator[Slip]:
    """Yield that the gradient of another value of the forward flows on from a node."""
    if len(graph.all_nodes) > MOST_COMPARED:
        return
    for k in range(1, len(graph.order) - 1):
        node = graph.order[k]
        for n, other in enumerate(graph.all_nodes[:-1]):
            if other is node or other.shape != node.shape or other.ndim == 0 or not other.needs_grad:
                continue

            def change(graph: ForwardGraph, k: int = k, n: int = n) -> Optional[Change]:
                instead = gradients(graph)[n]
                return None if instead is None else Change({}, {k: lambda total: instead})
            yield Slip("another formula", f"the gradient of {words_for(graph, other, name)} stands where that of "
                       f"{words_for(graph, node, name)} belongs", change)


def gradients(graph: ForwardGraph) -> List[Any]:
    """Return the right gradients of all nodes of the forward, also of those that the tensor has nothing to do with."""
    if graph.everywhere is None:
        whole = ForwardGraph(graph.all_nodes, graph.all_nodes, graph.totals[-1])
        graph.everywhere = whole.totals
    return graph.everywhere
