"""Slips in loops: one line makes a series of nodes, and backward uses the value of the step before, or after."""
from __future__ import annotations

from functools import partial
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Tuple

import numpy as np

from lib.gradient_checking.diagnose import slip_rules
from lib.gradient_checking.diagnose.forward_graph import Change, Edge, ForwardGraph, Place
from lib.gradient_checking.diagnose.slip import Slip, on, words_for


def of_loops(graph: ForwardGraph, places: List[Place], name: str) -> Iterator[Slip]:
    """Yield that a line of a loop uses the values of another step."""
    if len(places) > 1:
        into = words_for(graph, graph.edges[places[0]].node, name)
        for words, change in shifted(graph, places):
            yield Slip("single entries wrong", f"in what flows back through {into}, {words}: an index is shifted",
                       change)
        edge = graph.edges[places[0]]
        if edge.operation.elementwise and len(edge.values) == 1:
            for cause, words, formula in slip_rules.derivatives(edge.values[0], edge.out, _slope(edge)):
                yield Slip(cause, f"in every pass, in the derivative of {into}, {words}",
                           on(places, partial(_with_slope, formula=formula)))


def _slope(edge: Edge) -> Any:
    return np.asarray(edge.operation.backward(0, np.ones(edge.node.shape), edge.out, *edge.values))


def _with_slope(edge: Edge, formula: Callable[..., Any]) -> Any:
    return edge.grad * formula(edge.values[0], edge.out, _slope(edge))


def of_states(graph: ForwardGraph, name: str) -> Iterator[Slip]:
    """Yield that what flows from each step of a loop into the state before is what has come, not multiplied."""
    by_line: Dict[Any, List[int]] = {}
    for k, node in enumerate(graph.order[1:], start=1):
        if node.line is not None and node.operation.name != "assignment":
            by_line.setdefault((node.line, node.operation.name, node.shape), []).append(k)
    for states in by_line.values():
        pairs = list(zip(states, states[1:]))
        back = [[place for place in graph.uses(graph.order[k]) if k < place[0] < after] for k, after in pairs]
        if len(pairs) < 2 or not all(len(places) == 1 for places in back):
            continue

        def change(graph: ForwardGraph, pairs: Any = pairs, back: Any = back) -> Change:
            come: Dict[int, Any] = {}

            def noted(k: int, total: Any) -> Any:
                come[k] = total
                return total

            def handed_on(k: int, edge: Edge) -> Any:
                return come[k]
            return Change({places[0]: partial(handed_on, after) for (_, after), places in zip(pairs, back)},
                          {after: partial(noted, after) for _, after in pairs})
        words = words_for(graph, graph.order[states[0]], name)
        yield Slip("term missing", f"from each step to the one before, {words}, the gradient is handed on unchanged: "
                   "the derivative of a step by the state before is missing", change)


def shifted(graph: ForwardGraph, places: Sequence[Place]) -> Iterator[Tuple[str, Callable[..., Optional[Change]]]]:
    """Yield that each step of a loop uses a value of the step before or after: words, and the change."""
    edge = graph.edges[places[0]]
    for step, words in ((1, "the value of the step after stands where that of the step itself belongs"),
                        (-1, "the value of the step before stands where that of the step itself belongs")):
        if edge.operation.name in ("multiply", "matmul", "divide"):
            yield words, lambda graph, step=step: _other_operands(graph, places, step)
        elif edge.operation.elementwise and len(edge.values) == 1:
            yield words, lambda graph, step=step: _other_steps(graph, places, step)


def _other_operands(graph: ForwardGraph, places: Sequence[Place], step: int) -> Optional[Change]:
    """Return the change that the other operands of a loop's products are those of another step."""
    others = [graph.order[k].parents[1 - i] for k, i in places]
    made = [other for other in others if other.operation is not None and other.line is not None]
    if not made:
        return None
    series = [node for node in graph.all_nodes if node.operation is not None and node.line == made[-1].line
              and node.operation.name == made[-1].operation.name and node.shape == made[-1].shape]
    numbers = {node: number for number, node in enumerate(series)}
    first = min(numbers.get(other, 0) for other in made)
    values: Dict[Place, Any] = {}
    for place, other in zip(places, others):
        number = numbers.get(other, first - 1) + step
        there = series[number].value if 0 <= number < len(series) else np.zeros(other.shape)
        values[place] = lambda e, there=there: slip_rules.with_value(e, there, True)
    return Change(values)


def _other_steps(graph: ForwardGraph, places: Sequence[Place], step: int) -> Optional[Change]:
    """Return the change that a function's derivative is taken at another step of a loop."""
    edges: List[Edge] = [graph.edges[place] for place in sorted(places)]
    flows: Dict[Place, Any] = {}
    for number, place in enumerate(sorted(places)):
        there = edges[number + step] if 0 <= number + step < len(edges) else None
        out, values = (there.node.value, there.values) if there is not None else (
            np.zeros(edges[number].node.shape), [np.zeros(np.shape(value)) for value in edges[number].values])
        flows[place] = lambda e, out=out, values=values: e.summed(e.operation.backward(e.i, e.grad, out, *values))
    return Change(flows)
