"""The kinds of slips: what goes wrong on one edge, in one node, or in an operation's own rule."""
from __future__ import annotations

from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence

import numpy as np

from lib.gradient_checking.diagnose import slip_rules
from lib.gradient_checking.diagnose.forward_graph import Change, Edge, ForwardGraph, Place
from lib.gradient_checking.diagnose.slip import (REDUCTIONS, STATISTICS, Slip, fits_shape, on, pass_of, passes_of,
                                                 words_for)

MOVING = ("assignment", "index", "stack", "concatenate")


def _times(factor: float) -> Callable[[Edge], Any]:
    return lambda edge: factor * edge.flow


def _filled(number: float) -> Callable[[Any], Any]:
    return lambda grad: np.full(np.shape(grad), number)


def of_edges(graph: ForwardGraph, places: List[Place], name: str) -> Iterator[Slip]:
    """Yield slips that have nothing to do with what the operation is."""
    edge = graph.edges[places[0]]
    of, into = words_for(graph, edge.parent, name), words_for(graph, edge.node, name)
    in_pass = pass_of(graph, places)
    into += in_pass
    kind = edge.operation.name
    constant = f"{into} was held constant" if edge.parent is graph.order[0] and len(graph.uses(
        edge.parent)) > 1 and kind not in ("add", "subtract", "multiply", "divide") else f"{of} was held constant there"
    if in_pass:
        yield Slip("single entries wrong" if kind in MOVING else "term missing",
                   f"what flows back through {into} into {of} is missing: backward's loop may end too soon, or leave "
                   "out a step", on(places, lambda e: 0 * e.flow))
    else:
        yield Slip("statistics taken as constants" if kind in STATISTICS else "term missing",
                   f"what flows back through {into} into {of} is missing: {constant}", on(places, lambda e: 0 * e.flow))
    for cause, words, factor in (("wrong sign", "has the wrong sign", -1.0),
                                 ("constant factor", "has a factor 2 too many", 2.0),
                                 ("constant factor", "lacks a factor 2", 0.5)):
        yield Slip(cause, f"the term that flows back through {into} into {of} {words}",
                   on(places, _times(factor)))
    if np.size(edge.parent.value) > np.size(edge.node.value) > 0:
        def number(e: Edge) -> float:
            return np.size(e.parent.value) / np.size(e.node.value)

        of_batch = kind == "mean" and edge.node.shape[:1] != edge.parent.shape[:1]
        yield Slip("missing 1/N" if of_batch else "constant factor", f"behind {into}, a factor 1/n is missing",
                   on(places, lambda e: number(e) * e.flow))
        yield Slip("mean for sum", f"behind {into}, a mean is taken where a sum belongs",
                   on(places, lambda e: e.flow / number(e)))


def of_nodes(graph: ForwardGraph, name: str) -> Iterator[Slip]:
    """Yield slips in what flows into a node from all its uses together."""
    for k in range(1, len(graph.order) - 1):
        node = graph.order[k]
        words = words_for(graph, node, name)

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


def of_parts(graph: ForwardGraph, name: str) -> Iterator[Slip]:
    """Yield that what comes back for two parts of an array, cut out by indices, is exchanged."""
    by_whole: Dict[int, List[Place]] = {}
    for place, edge in graph.edges.items():
        if edge.operation.name == "index":
            by_whole.setdefault(graph.place[edge.parent], []).append(place)
    for whole, places in by_whole.items():
        words = words_for(graph, graph.order[whole], name)
        for n, a in enumerate(places[:8]):
            for b in places[n + 1:8]:
                if graph.order[a[0]].shape == graph.order[b[0]].shape:
                    def change(graph: ForwardGraph, a: Place = a, b: Place = b) -> Change:
                        flows: Dict[Place, Any] = {place: lambda e, grad=graph.edges[other].grad: e.operation.backward(
                            0, grad, e.out, *e.values) for place, other in ((a, b), (b, a))}
                        return Change(flows)
                    yield Slip("single entries wrong", f"two parts of {words} are exchanged in what flows back", change)


def of_statistics(graph: ForwardGraph, name: str) -> Iterator[Slip]:
    """Yield that all, or two, of what is computed of many entries was held constant."""
    reducing = [place for place, edge in graph.edges.items() if edge.operation.name in REDUCTIONS
                and np.size(edge.node.value) < np.size(edge.parent.value) and place[0] != len(graph.order) - 1]
    if len(reducing) < 2 or len(reducing) > 12:
        return
    for places in [reducing] + [[a, b] for n, a in enumerate(reducing) for b in reducing[n + 1:]]:
        words = " and ".join(dict.fromkeys(words_for(graph, graph.edges[place].node, name) for place in places))
        yield Slip("statistics taken as constants", f"{words} were held constant: what flows back through them is "
                   "missing", on(places, lambda e: 0 * e.flow))


def of_signs(graph: ForwardGraph, name: str) -> Iterator[Slip]:
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
        yield Slip("wrong sign", f"in the derivative, {words_for(graph, node, name)} has a plus where a minus belongs, "
                   "or the other way round", change)


def of_rules(graph: ForwardGraph, places: List[Place], name: str) -> Iterator[Slip]:
    """Yield slips in an operation's own rule."""
    edge = graph.edges[places[0]]
    of, into = words_for(graph, edge.parent, name), words_for(graph, edge.node, name)
    for cause, words, flow in slip_rules.of_edge(edge):
        yield Slip(cause, f"in what flows back through {into} into {of}, {words}", on(places, flow))
    if edge.operation.broadcasts and edge.whole.shape != edge.flow.shape and len(graph.all_nodes) <= 60:
        for cause, words, late in slip_rules.of_late_divisions(graph, edge):
            def change(graph: ForwardGraph, late: Any = late) -> Optional[Change]:
                return Change({place: lambda e: late(e, graph) for place in places})
            yield Slip(cause, f"in what flows back through {into} into {of}, {words}", change)


def of_factors(graph: ForwardGraph, name: str) -> Iterator[Slip]:
    """Yield that the whole gradient lacks one or two factors, or has them too many, that are values of the forward."""
    moves = len(graph.uses(graph.order[0])) == 1 and graph.order[1].operation.name in ("reshape", "transpose")
    place = 1 if moves and len(graph.order) > 2 else 0  # in the shape that the forward works in
    shape = graph.order[place].shape
    fitting = [n for n, node in enumerate(graph.all_nodes) if node.size > 1 and fits_shape(node.shape, shape)
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
                    return Change({}, {place: lambda g: g * factor})
                words = " and ".join(dict.fromkeys(
                    words_for(graph, graph.all_nodes[number], name) for number in numbers))
                yield Slip("term missing" if powers[0] < 0 else "another formula",
                           f"the whole gradient {verb} the factor {words}", change)


def of_other_values(graph: ForwardGraph, places: List[Place], name: str) -> Iterator[Slip]:
    """Yield that another value of the forward stands where one belongs, in a product or in a derivative."""
    edge = graph.edges[places[0]]
    is_product = edge.operation.name in ("multiply", "matmul", "divide")
    is_function = edge.operation.name == "norm" or edge.operation.elementwise and edge.i == 0
    if not (is_product or is_function):
        return
    used = edge.values[1 - edge.i] if is_product else edge.values[0]
    if len(places) > 1 and not (is_product and all(np.array_equal(graph.edges[place].values[1 - edge.i], used)
                                                   for place in places)):
        return
    into = words_for(graph, edge.node, name)
    known = set(edge.node.parents[1 - edge.i if is_product else 0].parents)
    for n, other in enumerate(graph.all_nodes):
        if other.shape != np.shape(used) or other.value is used or edge.parent is other and not is_product:
            continue
        if len(graph.all_nodes) > 80 and other not in known and not any(parent.value is used for parent in
                                                                        other.parents):
            continue  # of many, those that are next to the right one

        def change(graph: ForwardGraph, n: int = n) -> Change:
            value = graph.all_nodes[n].value
            return Change({place: lambda e: slip_rules.with_value(e, value, is_product) for place in places})
        later = other.number > edge.node.number
        again = later and other.line == edge.node.line is not None and len(passes_of(graph, other)) > 1
        value = "the value of another step" if again else words_for(graph, other, name)
        yield Slip("single entries wrong" if again else "output taken for input" if later else "another formula",
                   f"in what flows back through {into}, {value} stands where another value belongs", change)
