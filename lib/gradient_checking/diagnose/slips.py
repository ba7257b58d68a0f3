"""Slips: what a backward gives that differs from the right one in a single place of the forward's graph.

A slip changes what flows back along one edge, or into one node: it is left out, doubled, has the other sign, the local
derivative is missing or another one, it is summed over another axis. The slip whose numbers are the module's in every
trial is the cause, and says it in terms of the module's own forward. A line in a loop is one place, with many edges.
"""
from __future__ import annotations

from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Sequence

import numpy as np

from lib.gradient_checking.diagnose import slip_rules
from lib.gradient_checking.diagnose.evidence import Trial
from lib.gradient_checking.diagnose.forward_graph import Change, Edge, ForwardGraph, Place, described, graphs_of
from lib.gradient_checking.diagnose.hypotheses import Hypothesis

MOST_WORK = 3e7  # numbers that all slips together may compute, in one trial
STATISTICS = ("mean", "var", "std")
REDUCTIONS = ("mean", "sum", "var", "std", "norm", "max", "min", "logsumexp", "prod", "einsum")


class Slip(NamedTuple):
    """One slip: the cause's name, a sentence about it, and the change that it makes in a graph (None: it can't be)."""

    cause: str
    sentence: str
    change: Callable[[ForwardGraph], Optional[Change]]


class Graphs:
    """The graphs of a tensor's trials, each made when it is asked for."""

    def __init__(self) -> None:
        self._known: Dict[int, Optional[List[ForwardGraph]]] = {}

    def of(self, trial: Trial, k: int) -> Optional[ForwardGraph]:
        """Return the graph of a trial for upstream gradient number k."""
        if id(trial) not in self._known:
            self._known[id(trial)] = graphs_of(trial)
        graphs = self._known[id(trial)]
        return None if graphs is None else graphs[k]


def slips_of(trials: Sequence[Trial], name: str) -> List[Hypothesis]:
    """Return a hypothesis for each slip that gives the module's numbers in a trial in which they are wrong.

    Args:
        trials: one tensor's, at several points.
        name: how sentences call the tensor.
    """
    graphs = Graphs()
    telling = next((trial for trial in trials if not trial.is_right), None)
    first = graphs.of(telling, 0) if telling is not None else None
    if telling is None or first is None:
        return []
    size = 20 * len(first.order) + sum(np.size(node.value) for node in first.order)
    found: List[Hypothesis] = []
    for number, slip in enumerate(all_slips(first, name)):
        gradient = _gradient(slip, first)
        if gradient is not None and telling.matches_one(gradient, 0):
            found.append(_hypothesis(slip, graphs, len(first.order)))
        if number * size > MOST_WORK or len(found) >= 8:
            break
    return found


def _hypothesis(slip: Slip, graphs: Graphs, length: int) -> Hypothesis:
    def gradient(trial: Trial, k: int) -> Optional[np.ndarray]:
        there = graphs.of(trial, k)
        return None if there is None or len(there.order) != length else _gradient(slip, there)

    return Hypothesis(slip.cause, slip.sentence, gradient)


def _gradient(slip: Slip, graph: ForwardGraph) -> Optional[np.ndarray]:
    try:
        change = slip.change(graph)
        return None if change is None else graph.changed(change)
    except Exception:  # shapes that don't fit: nobody can have made this slip
        return None


# ---------------------------------------------------------------------- the slips, the likeliest first


def all_slips(graph: ForwardGraph, name: str) -> Iterator[Slip]:
    """Yield all single slips on a graph."""
    groups = list(edge_groups(graph))
    for kinds in (_simple, _of_rules):
        for places in groups:
            yield from kinds(graph, places, name)
        if kinds is _simple:
            yield from _of_nodes(graph, name)
            yield from _of_statistics(graph, name)
            yield from _of_segments(graph, name)
            yield from _of_signs(graph, name)
    yield from _of_factors(graph, name)
    for places in groups:
        yield from _of_other_values(graph, places, name)


def edge_groups(graph: ForwardGraph) -> Iterator[List[Place]]:
    """Yield each edge by itself, and those together that come from one line of a loop."""
    by_line: Dict[Any, List[Place]] = {}
    for place, edge in graph.edges.items():
        yield [place]
        if edge.node.line is not None:
            by_line.setdefault((edge.node.line, edge.operation.name, edge.i), []).append(place)
    for places in by_line.values():
        for stride in (1, 2, 3):
            if len(places) > stride and len(places) % stride == 0:
                yield from (places[start::stride] for start in range(stride))


def _on(places: Sequence[Place], change: Callable[[Edge], Any]) -> Callable[[ForwardGraph], Optional[Change]]:
    return lambda graph: Change({place: change for place in places}) if set(places) <= graph.edges.keys() else None


def _times(factor: float) -> Callable[[Edge], Any]:
    return lambda edge: factor * edge.flow


def _filled(number: float) -> Callable[[Any], Any]:
    return lambda grad: np.full(np.shape(grad), number)


def _words(graph: ForwardGraph, node: Any, name: str) -> str:
    return described(node, graph.order[0], name)


def _simple(graph: ForwardGraph, places: List[Place], name: str) -> Iterator[Slip]:
    """Yield slips that have nothing to do with what the operation is."""
    edge = graph.edges[places[0]]
    of, into = _words(graph, edge.parent, name), _words(graph, edge.node, name)
    kind = edge.operation.name
    constant = f"{into} was held constant" if edge.parent is graph.order[0] and len(graph.uses(
        edge.parent)) > 1 and kind not in ("add", "subtract", "multiply", "divide") else f"{of} was held constant there"
    yield Slip("statistics taken as constants" if kind in STATISTICS else "term missing",
               f"what flows back through {into} into {of} is missing: {constant}", _on(places, lambda e: 0 * e.flow))
    for cause, words, factor in (("wrong sign", "has the wrong sign", -1.0),
                                 ("constant factor", "has a factor 2 too many", 2.0),
                                 ("constant factor", "lacks a factor 2", 0.5)):
        yield Slip(cause, f"the term that flows back through {into} into {of} {words}",
                   _on(places, _times(factor)))
    if np.size(edge.parent.value) > np.size(edge.node.value) > 0:
        def number(e: Edge) -> float:
            return np.size(e.parent.value) / np.size(e.node.value)

        yield Slip("missing 1/N" if kind == "mean" else "constant factor", f"behind {into}, a factor 1/n is missing",
                   _on(places, lambda e: number(e) * e.flow))
        yield Slip("mean for sum", f"behind {into}, a mean is taken where a sum belongs",
                   _on(places, lambda e: e.flow / number(e)))


def _of_nodes(graph: ForwardGraph, name: str) -> Iterator[Slip]:
    """Yield slips in what flows into a node from all its uses together."""
    for k in range(1, len(graph.order) - 1):
        node = graph.order[k]
        words = _words(graph, node, name)

        def total(change: Callable[[Any], Any], k: int = k) -> Callable[[ForwardGraph], Optional[Change]]:
            return lambda graph: Change({}, {k: change})

        if len(graph.uses(node)) > 1:
            yield Slip("statistics taken as constants" if node.operation.name in STATISTICS else "term missing",
                       f"{words} was held constant: what flows back through it is missing", total(lambda g: 0 * g))
            yield Slip("wrong sign", f"what flows back through {words} has the wrong sign", total(lambda g: -g))
            yield Slip("constant factor", f"what flows back through {words} has a factor 2 too many",
                       total(lambda g: 2 * g))
            yield Slip("constant factor", f"what flows back through {words} lacks a factor 2", total(lambda g: g / 2))
        for sign in (1.0, -1.0):
            yield Slip("upstream gradient ignored", f"what flows back into {words} doesn't depend on the upstream "
                       f"gradient: {sign:g} stands there", total(_filled(sign)))
        if node.ndim == 2 and node.shape[0] == node.shape[1]:
            yield Slip("transposed", f"what flows back into {words} is transposed", total(np.transpose))
        yield Slip("absolute value of the upstream gradient", f"what flows back into {words} lost its sign",
                   total(np.abs))


def _of_statistics(graph: ForwardGraph, name: str) -> Iterator[Slip]:
    """Yield that all, or two, of what is computed of many entries was held constant."""
    reducing = [place for place, edge in graph.edges.items() if edge.operation.name in REDUCTIONS
                and np.size(edge.node.value) < np.size(edge.parent.value) and place[0] != len(graph.order) - 1]
    if len(reducing) < 2 or len(reducing) > 12:
        return
    for places in [reducing] + [[a, b] for n, a in enumerate(reducing) for b in reducing[n + 1:]]:
        words = " and ".join(dict.fromkeys(_words(graph, graph.edges[place].node, name) for place in places))
        yield Slip("statistics taken as constants", f"{words} were held constant: what flows back through them is "
                   "missing", _on(places, lambda e: 0 * e.flow))


def _of_segments(graph: ForwardGraph, name: str) -> Iterator[Slip]:
    """Yield other derivatives of a function of one number, which may be computed in several steps."""
    for k in range(1, len(graph.order)):
        for places in graph.segment(k):
            last = graph.edges[places[-1]]
            of, into = _words(graph, last.parent, name), _words(graph, graph.order[k], name)
            if len(places) == 1 and last.operation.name in ("add", "subtract", "negate"):
                continue
            for cause, words, flow in slip_rules.of_segment(graph, places):
                yield Slip(cause, f"in the derivative of {into} by {of}, {words}", _through(places, flow))


def _of_signs(graph: ForwardGraph, name: str) -> Iterator[Slip]:
    """Yield that a sum stands where a difference belongs, or the other way round, in a derivative."""
    for n, node in enumerate(graph.all_nodes):
        if node.operation is None or node.operation.name not in ("add", "subtract"):
            continue
        users = [place for place in graph.edges if any(parent is node for parent in graph.order[place[0]].parents)]
        if not users:
            continue

        def change(graph: ForwardGraph, n: int = n, users: List[Place] = users) -> Optional[Change]:
            node = graph.all_nodes[n]
            a, b = (np.asarray(parent.value) for parent in node.parents)
            other = a - b if node.operation.name == "add" else a + b
            return Change({place: lambda e: slip_rules.with_operand(e, node, other) for place in users})
        yield Slip("wrong sign", f"in the derivative, {_words(graph, node, name)} has a plus where a minus belongs, or "
                   "the other way round", change)


def _through(places: List[Place], flow: Callable[..., Any]) -> Callable[[ForwardGraph], Optional[Change]]:
    """Return the change that at the end of a segment something else arrives, computed from what starts it."""
    def change(graph: ForwardGraph) -> Optional[Change]:
        if not set(places) <= graph.edges.keys():
            return None
        arriving = flow(graph, places)
        return None if arriving is None else Change({places[-1]: lambda e: arriving})
    return change


def _of_rules(graph: ForwardGraph, places: List[Place], name: str) -> Iterator[Slip]:
    """Yield slips in an operation's own rule."""
    edge = graph.edges[places[0]]
    of, into = _words(graph, edge.parent, name), _words(graph, edge.node, name)
    for cause, words, flow in slip_rules.of_edge(edge):
        yield Slip(cause, f"in what flows back through {into} into {of}, {words}", _on(places, flow))
    if edge.operation.broadcasts and edge.whole.shape != edge.flow.shape and len(graph.all_nodes) <= 60:
        for cause, words, late in slip_rules.of_late_divisions(graph, edge):
            def change(graph: ForwardGraph, late: Any = late) -> Optional[Change]:
                return Change({place: lambda e: late(e, graph) for place in places})
            yield Slip(cause, f"in what flows back through {into} into {of}, {words}", change)


def _of_factors(graph: ForwardGraph, name: str) -> Iterator[Slip]:
    """Yield that the whole gradient lacks one or two factors, or has them too many, that are values of the forward."""
    shape = graph.order[0].shape
    fitting = [n for n, node in enumerate(graph.all_nodes) if node.size > 1 and _fits(node.shape, shape)
               and node is not graph.order[0] and np.all(node.value != 0)]
    if len(fitting) > 40:
        return
    for powers, verb in (((-1.0, -1.0), "lacks"), ((1.0, 1.0), "has once too often, or isn't divided by,"),
                         ((1.0, -1.0), "is off by")):
        for a, n in enumerate(fitting):
            for m in [None, *fitting[a + (powers[0] == powers[1]):]] if powers[0] == powers[1] else fitting[:a]:
                numbers = [n] if m is None else [n, m]

                def change(graph: ForwardGraph, numbers: List[int] = numbers,
                           powers: Sequence[float] = powers) -> Change:
                    factor: Any = 1.0
                    for number, power in zip(numbers, powers):
                        factor = factor * np.asarray(graph.all_nodes[number].value, dtype=float) ** power
                    return Change({}, {0: lambda g: g * factor})
                words = " and ".join(dict.fromkeys(_words(graph, graph.all_nodes[number], name) for number in numbers))
                yield Slip("term missing" if powers[0] < 0 else "another formula",
                           f"the whole gradient {verb} the factor {words}", change)


def _fits(shape: Sequence[int], whole: Sequence[int]) -> bool:
    return len(shape) <= len(whole) and all(n in (1, m) for n, m in zip(reversed(shape), reversed(whole)))


def _of_other_values(graph: ForwardGraph, places: List[Place], name: str) -> Iterator[Slip]:
    """Yield that another value of the forward stands where one belongs, in a product or in a derivative."""
    edge = graph.edges[places[0]]
    is_product = edge.operation.name in ("multiply", "matmul", "divide")
    if len(places) > 1 or len(graph.all_nodes) > 80 or not (
            is_product or edge.operation.elementwise and edge.i == 0):
        return
    used = edge.values[1 - edge.i] if is_product else edge.values[0]
    into = _words(graph, edge.node, name)
    for n, other in enumerate(graph.all_nodes):
        if other.shape != np.shape(used) or other.value is used or edge.parent is other and not is_product:
            continue

        def change(graph: ForwardGraph, n: int = n) -> Change:
            value = graph.all_nodes[n].value
            return Change({places[0]: lambda e: slip_rules.with_value(e, value, is_product)})
        later = other.number > edge.node.number
        yield Slip("output taken for input" if later else "another formula",
                   f"in what flows back through {into}, {_words(graph, other, name)} stands where another value "
                   "belongs", change)
