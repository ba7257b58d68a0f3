"""Slips: what a backward gives that differs from the right one in a single place of the forward's graph.

Each slip is a change of what flows back along one edge, or into one node: left out, doubled, with the other sign, its
local derivative missing or taken elsewhere, summed over another axis. The one whose numbers are the module's in every
trial is the cause, and says it in terms of the module's own forward.
"""
from __future__ import annotations

from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from lib.gradient_checking.diagnose.evidence import Trial
from lib.gradient_checking.diagnose.forward_graph import REDUCTIONS, Edge, ForwardGraph, described, graphs_of
from lib.gradient_checking.diagnose.hypotheses import Hypothesis

MOST_WORK = 2e7  # numbers that all slips together may compute, in one trial
STATISTICS = ("mean", "var", "std")
Changes = Optional[Dict[int, Any]]


class Slip(NamedTuple):
    """One slip: the cause's name, a sentence about it, and what it adds, at which places of the graph."""

    cause: str
    sentence: str
    changes: Callable[[ForwardGraph], Changes]


def slips_of(trials: Sequence[Trial], name: str) -> List[Hypothesis]:
    """Return a hypothesis for each slip that gives the module's numbers in the first trial.

    Args:
        trials: one tensor's, at several points.
        name: how sentences call the tensor.
    """
    known: Dict[int, Optional[List[ForwardGraph]]] = {}

    def graph(trial: Trial, k: int) -> Optional[ForwardGraph]:
        if id(trial) not in known:
            known[id(trial)] = graphs_of(trial)
        graphs = known[id(trial)]
        return None if graphs is None else graphs[k]

    telling = next((trial for trial in trials if not trial.is_right), None)
    first = graph(telling, 0) if telling is not None else None
    if telling is None or first is None:
        return []
    size = sum(np.size(node.value) for node in first.order)
    found = []
    work = 0.0
    for slip in all_slips(first, name):
        gradient = _gradient(slip, first)
        work += size
        if gradient is not None and telling.matches_one(gradient, 0):
            found.append(_hypothesis(slip, graph, len(first.order)))
        if work > MOST_WORK:
            break
    return found


def _hypothesis(slip: Slip, graph: Callable[[Trial, int], Optional[ForwardGraph]], length: int) -> Hypothesis:
    def gradient(trial: Trial, k: int) -> Optional[np.ndarray]:
        there = graph(trial, k)
        return None if there is None or len(there.order) != length else _gradient(slip, there)

    return Hypothesis(slip.cause, slip.sentence, gradient)


def _gradient(slip: Slip, graph: ForwardGraph) -> Optional[np.ndarray]:
    try:
        changes = slip.changes(graph)
        return None if changes is None else graph.with_change(changes)
    except Exception:  # shapes that don't fit: nobody can have made this slip
        return None


# ---------------------------------------------------------------------- the slips, the likeliest first


def all_slips(graph: ForwardGraph, name: str) -> Iterator[Slip]:
    """Yield all single slips on a graph."""
    places = list(graph.edges)
    for place in places:
        yield from _simple(graph, place, name)
    yield from _nodes(graph, name)
    yield from _statistics(graph, name)
    for place in places:
        yield from _rules(graph, place, name)
    yield from _factors(graph, name)
    for place in places:
        yield from _other_values(graph, place, name)


def _at(place: Tuple[int, int], change: Callable[[Edge], Any]) -> Callable[[ForwardGraph], Changes]:
    """Return what replaces the flow along an edge, as an amount in addition to it."""
    def changes(graph: ForwardGraph) -> Changes:
        edge = graph.edges.get(place)
        replaced = None if edge is None else change(edge)
        return None if edge is None or replaced is None else {graph.place[edge.parent]: replaced - edge.flow}
    return changes


def _words(graph: ForwardGraph, node: Any, name: str) -> str:
    return described(node, graph.order[0], name)


def _simple(graph: ForwardGraph, place: Tuple[int, int], name: str) -> Iterator[Slip]:
    """Yield slips that have nothing to do with what the operation is."""
    edge = graph.edges[place]
    of, into = _words(graph, edge.parent, name), _words(graph, edge.node, name)
    kind = edge.operation.name
    if not (edge.operation.elementwise and len(edge.values) == 1) and kind not in ("add", "subtract"):
        missing = edge.parent is graph.order[0]
    else:
        missing = True
    if kind in STATISTICS:
        yield Slip("statistics taken as constants", f"{into} was held constant: what flows back through it is missing",
                   _at(place, lambda e: 0 * e.flow))
    else:
        yield Slip("term missing", f"what flows back through {into} into {of} is missing: " + (
            "there it was held constant" if missing else f"{of} was held constant there"),
            _at(place, lambda e: 0 * e.flow))
    yield Slip("wrong sign", f"the term that flows back through {into} into {of} has the wrong sign",
               _at(place, lambda e: -e.flow))
    yield Slip("constant factor", f"the term that flows back through {into} into {of} stands there twice, or has a "
               "factor 2 too many", _at(place, lambda e: 2 * e.flow))
    yield Slip("constant factor", f"the term that flows back through {into} into {of} is half of what it must be: a "
               "factor 2 is missing", _at(place, lambda e: 0.5 * e.flow))
    if kind in REDUCTIONS and np.size(edge.parent.value) > np.size(edge.node.value):
        yield from _shares(place, kind, into)


def _shares(place: Tuple[int, int], kind: str, into: str) -> Iterator[Slip]:
    def number(edge: Edge) -> float:
        return np.size(edge.parent.value) / np.size(edge.node.value)

    yield Slip("missing 1/N" if kind == "mean" else "constant factor",
               f"behind {into}, the factor 1/n is missing", _at(place, lambda e: number(e) * e.flow))
    yield Slip("mean for sum", f"behind {into}, a mean is taken where a sum belongs", _at(
        place, lambda e: e.flow / number(e)))


def _nodes(graph: ForwardGraph, name: str) -> Iterator[Slip]:
    """Yield slips in what flows into a node from all its uses together."""
    for k in range(1, len(graph.order) - 1):
        node = graph.order[k]
        words = _words(graph, node, name)
        num_uses = sum(edge.parent is node for edge in graph.edges.values())

        def total(change: Callable[[Any], Any], k: int = k) -> Callable[[ForwardGraph], Changes]:
            return lambda graph: {k: change(graph.totals[k]) - graph.totals[k]}

        if num_uses > 1:
            statistic = node.operation.name in STATISTICS
            yield Slip("statistics taken as constants" if statistic else "term missing",
                       f"{words} was held constant: what flows back through it is missing", total(lambda g: 0 * g))
            yield Slip("wrong sign", f"what flows back through {words} has the wrong sign", total(lambda g: -g))
            yield Slip("constant factor", f"what flows back through {words} has a factor 2 too many",
                       total(lambda g: 2 * g))
            yield Slip("constant factor", f"what flows back through {words} lacks a factor 2", total(lambda g: g / 2))
        for sign in (1.0, -1.0):
            yield Slip("upstream gradient ignored", f"what flows back into {words} doesn't depend on the upstream "
                       f"gradient: {sign:g} stands there", total(lambda g, s=sign: np.full(np.shape(g), s)))
        if node.ndim == 2 and node.shape[0] == node.shape[1]:
            yield Slip("transposed", f"what flows back into {words} is transposed", total(np.transpose))
        yield Slip("absolute value of the upstream gradient", f"what flows back into {words} lost its sign",
                   total(np.abs))


def _statistics(graph: ForwardGraph, name: str) -> Iterator[Slip]:
    """Yield that all, or two, of what is computed of many entries was held constant."""
    reducing = [place for place, edge in graph.edges.items() if edge.operation.name in REDUCTIONS
                and np.size(edge.node.value) < np.size(edge.parent.value) and place[0] != len(graph.order) - 1]
    groups = [reducing] + [[a, b] for n, a in enumerate(reducing) for b in reducing[n + 1:]] if len(reducing) > 1 else []
    for places in groups:
        words = " and ".join(_words(graph, graph.edges[place].node, name) for place in places[:2])

        def changes(graph: ForwardGraph, places: List[Tuple[int, int]] = places) -> Changes:
            amounts: Dict[int, Any] = {}
            for place in places:
                edge = graph.edges[place]
                at = graph.place[edge.parent]
                amounts[at] = amounts.get(at, 0) - edge.flow
            # what flows out of a reduction into another one is cut there already
            return amounts if _independent(graph, places) else _cut_in_order(graph, places)
        yield Slip("statistics taken as constants", f"{words} were held constant: what flows back through them is "
                   "missing", changes)


def _independent(graph: ForwardGraph, places: Sequence[Tuple[int, int]]) -> bool:
    nodes = {place[0] for place in places}
    for k in sorted(nodes, reverse=True):
        reached = {k}
        for j in range(k, 0, -1):
            if j in reached:
                reached |= {graph.place[parent] for parent in graph.order[j].parents if parent in graph.place}
        if (reached - {k}) & nodes:
            return False
    return True


def _cut_in_order(graph: ForwardGraph, places: Sequence[Tuple[int, int]]) -> Changes:
    """Return the amounts that cut several edges of which one lies behind another."""
    cut = set(places)
    totals: List[Any] = [None] * len(graph.order)
    totals[-1] = graph.totals[-1]
    for k in range(len(graph.order) - 1, 0, -1):
        if totals[k] is None:
            continue
        for i, parent in enumerate(graph.order[k].parents):
            if parent in graph.place and (k, i) not in cut:
                flow = graph._edge(graph.order[k], i, totals[k]).flow
                at = graph.place[parent]
                totals[at] = flow if totals[at] is None else totals[at] + flow
    result = np.zeros(np.shape(graph.gradient)) if totals[0] is None else totals[0]
    return {0: result - graph.gradient}


def _rules(graph: ForwardGraph, place: Tuple[int, int], name: str) -> Iterator[Slip]:
    """Yield slips in an operation's own rule: its derivative missing, taken elsewhere, summed over another axis."""
    edge = graph.edges[place]
    operation, of, into = edge.operation, _words(graph, edge.parent, name), _words(graph, edge.node, name)
    single = len(edge.values) == 1
    if operation.elementwise and operation.name not in ("add", "subtract", "negate"):
        yield Slip("term missing", f"the derivative of {into} by {of} is missing: the gradient goes through unchanged",
                   _at(place, lambda e: _summed(np.broadcast_to(e.grad, e.node.shape), e)))
    if operation.elementwise and single:
        yield Slip("output taken for input", f"the derivative of {into} is taken at its output instead of its input",
                   _at(place, lambda e: e.operation.backward(0, e.grad, e.operation.forward(e.node.value),
                                                             e.node.value)))
        yield Slip("output taken for input", f"the input stands where the output of {into} belongs",
                   _at(place, lambda e: e.operation.backward(0, e.grad, e.values[0], e.values[0])))
        yield Slip("another formula", f"the derivative of {into} is squared",
                   _at(place, lambda e: e.flow * np.where(e.grad == 0, 0, e.flow / np.where(e.grad == 0, 1, e.grad))))
        yield Slip("another formula", f"the function itself stands where the derivative of {into} belongs",
                   _at(place, lambda e: e.grad * e.node.value))
    if operation.elementwise:
        for words, value in (("its result", lambda e: e.node.value), ("its first operand", lambda e: e.values[0]),
                             ("its second operand", lambda e: e.values[1] if len(e.values) > 1 else None)):
            for verb, power in (("multiplied by", 1.0), ("divided by", -1.0)):
                yield Slip("another formula", f"the term that flows back through {into} into {of} is {verb} {words} "
                           "once too often, or once too seldom", _at(place, _times(value, power)))
    if operation.name == "multiply":
        yield Slip("another formula", f"in the product {into}, the factor itself stands where the other one belongs",
                   _at(place, lambda e: _summed(e.grad * e.values[e.i], e)))
    if operation.name == "matmul":
        yield from _of_product(place, into)
    if edge.whole.shape != edge.flow.shape:
        yield from _axes(edge, place, of, into)


def _times(value: Callable[[Edge], Any], power: float) -> Callable[[Edge], Any]:
    def change(edge: Edge) -> Any:
        factor = value(edge)
        return None if factor is None else _summed(edge.whole * np.asarray(factor, dtype=float) ** power, edge)
    return change


def _summed(whole: Any, edge: Edge) -> Any:
    from lib.graph import unbroadcast
    return unbroadcast(np.asarray(whole), edge.parent.shape)


def _of_product(place: Tuple[int, int], into: str) -> Iterator[Slip]:
    def last_swapped(value: Any) -> Any:
        return np.swapaxes(value, -1, -2) if np.ndim(value) > 1 else value

    def other_untransposed(edge: Edge) -> Any:
        a, b = edge.values
        result = edge.grad @ b if edge.i == 0 else a @ edge.grad
        return _summed(result, edge)

    def grad_transposed(edge: Edge) -> Any:
        a, b = edge.values
        grad = last_swapped(edge.grad)
        return _summed(grad @ last_swapped(b) if edge.i == 0 else last_swapped(a) @ grad, edge)

    def result_transposed(edge: Edge) -> Any:
        swapped = last_swapped(edge.flow)
        return swapped if swapped.shape == edge.flow.shape else None

    for change, words in ((other_untransposed, "the other factor isn't transposed"),
                          (grad_transposed, "the gradient is transposed"), (result_transposed, "it is transposed")):
        yield Slip("transposed", f"in what flows back through the product {into}, {words}", _at(place, change))


def _axes(edge: Edge, place: Tuple[int, int], of: str, into: str) -> Iterator[Slip]:
    """Yield other ways to sum what flows back into something that was broadcast."""
    for axis in [(k,) for k in range(edge.whole.ndim)] + [tuple(range(edge.whole.ndim))]:
        over = f"axis {axis[0]}" if len(axis) == 1 else "everything"
        yield Slip("wrong axis", f"what flows back through {into} into {of} is summed over {over}",
                   _at(place, lambda e, axis=axis: e.whole.sum(axis=axis, keepdims=True)
                       if e.whole.sum(axis=axis, keepdims=True).shape != e.flow.shape else None))
        yield Slip("wrong axis", f"the mean of what flows back through {into} into {of} is taken over {over}",
                   _at(place, lambda e, axis=axis: e.whole.mean(axis=axis, keepdims=True) * e.whole.size / e.flow.size
                       if e.whole.sum(axis=axis, keepdims=True).shape != e.flow.shape else None))
    yield Slip("missing sum over the batch" if edge.whole.shape[0] != edge.flow.shape[:1] else "wrong axis",
               f"what flows back through {into} into {of} isn't summed, though {of} was used several times",
               _at(place, lambda e: e.whole))
    yield Slip("mean for sum", f"the mean of what flows back through {into} into {of} is taken, not the sum",
               _at(place, lambda e: e.flow * np.size(e.flow) / np.size(e.whole)))


def _factors(graph: ForwardGraph, name: str) -> Iterator[Slip]:
    """Yield that the whole gradient lacks a factor, or has one too many, that is a value of the forward."""
    nodes = graph.order[1:] + [parent for node in graph.order[1:] for parent in node.parents
                               if parent not in graph.place and parent.size > 1]
    for number, node in enumerate(nodes):
        words = _words(graph, node, name)
        for power, verb in ((-1.0, "lacks the factor"), (1.0, "isn't divided by, or has once too often, the factor")):
            def changes(graph: ForwardGraph, number: int = number, power: float = power) -> Changes:
                here = graph.order[1:] + [parent for node in graph.order[1:] for parent in node.parents
                                          if parent not in graph.place and parent.size > 1]
                value = np.asarray(here[number].value, dtype=float)
                result = graph.gradient * value ** power
                return {0: result - graph.gradient} if np.shape(result) == np.shape(graph.gradient) else None
            yield Slip("term missing", f"the whole gradient {verb} {words}", changes)


def _other_values(graph: ForwardGraph, place: Tuple[int, int], name: str) -> Iterator[Slip]:
    """Yield that another value of the forward stands where one belongs, in a product or in a derivative."""
    edge = graph.edges[place]
    operation, into = edge.operation, _words(graph, edge.node, name)
    is_product = operation.name in ("multiply", "matmul")
    if not is_product and not (operation.elementwise and len(edge.values) == 1):
        return
    used = edge.values[1 - edge.i] if is_product else edge.values[0]
    for k, other in enumerate(graph.order):
        if other.shape != np.shape(used) or other.value is used:
            continue
        words = _words(graph, other, name)

        def change(graph: ForwardGraph, k: int = k) -> Changes:
            edge = graph.edges[place]
            value = graph.order[k].value
            if not is_product:
                replaced = edge.operation.backward(0, edge.grad, edge.operation.forward(value), value)
            else:
                values = list(edge.values)
                values[1 - edge.i] = value
                replaced = _summed(edge.operation.backward(edge.i, edge.grad, edge.node.value, *values), edge)
            return {graph.place[edge.parent]: replaced - edge.flow}
        yield Slip("output taken for input" if k > place[0] else "another formula",
                   f"in what flows back through {into}, {words} stands where another value belongs", change)
