"""Slips: what a backward gives that differs from the right one in a single place of the forward's graph.

A slip changes what flows back along one edge, or into one node: it is left out, doubled, has the other sign, the local
derivative is missing or another one, it is summed over another axis. The slip whose numbers are the module's in every
trial is the cause, and says it in terms of the module's own forward. A line in a loop is one place, with many edges.
"""
from __future__ import annotations

from typing import Dict, Iterator, List, Optional, Sequence

import numpy as np

from lib.gradient_checking.diagnose import further_slips as further
from lib.gradient_checking.diagnose import pair_slips as pairs
from lib.gradient_checking.diagnose import slip_kinds as kinds
from lib.gradient_checking.diagnose.evidence import Trial
from lib.gradient_checking.diagnose.forward_graph import ForwardGraph, Place, graphs_of
from lib.gradient_checking.diagnose.hypotheses import Hypothesis
from lib.gradient_checking.diagnose.loops import of_loops, of_states
from lib.gradient_checking.diagnose.slip import Slip, edge_groups, shortened, words_for
from lib.gradient_checking.diagnose.spans import of_spans

MOST_WORK = 2e7  # numbers that all slips together may compute, in one trial


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
    return found or [off for off in (_term_off(place, telling, graphs, name) for place in first.edges) if off]


def _term_off(place: Place, telling: Trial, graphs: Graphs, name: str) -> Optional[Hypothesis]:
    """Return the hypothesis that one term is multiplied by some number, which may be another one at each point."""
    def gradient(trial: Trial, k: int) -> Optional[np.ndarray]:
        first, there = graphs.of(trial, 0), graphs.of(trial, k)
        if first is None or there is None or place not in there.edges:
            return None
        factor = further.term_times(first, place, trial.got[0])
        return None if factor == 1 else further.with_term_times(there, place, factor)

    graph = graphs.of(telling, 0)
    assert graph is not None
    edge = graph.edges[place]
    into, of = words_for(graph, edge.node, name), words_for(graph, edge.parent, name)
    factor = further.term_times(graph, place, telling.got[0])
    meaning = next((f": that is {words_for(graph, node, name)}{words}" for node in graph.all_nodes if node.size == 1
                    for power, words in ((1, ""), (-1, ", by which it is divided"), (2, ", squared"))
                    if abs(node.item()) not in (0.0, 1.0) and np.isclose(factor, node.item() ** power)), "")
    if factor < 0 and not meaning:
        return None  # what is subtracted more than once isn't one term
    return Hypothesis("constant factor", f"the term that flows back through {into} into {of} is {factor:.4g} times "
                      f"what it should be{meaning}", gradient)


def _hypothesis(slip: Slip, graphs: Graphs, length: int) -> Hypothesis:
    def gradient(trial: Trial, k: int) -> Optional[np.ndarray]:
        there = graphs.of(trial, k)
        return None if there is None or len(there.order) != length else _gradient(slip, there)

    return Hypothesis(slip.cause, shortened(slip.sentence), gradient)


def _gradient(slip: Slip, graph: ForwardGraph) -> Optional[np.ndarray]:
    try:
        change = slip.change(graph)
        gradient = None if change is None else graph.changed(change)
        return gradient if gradient is not None and np.isfinite(gradient).all() else None
    except Exception:  # shapes that don't fit: nobody can have made this slip
        return None


# ---------------------------------------------------------------------- the slips, the likeliest first


def all_slips(graph: ForwardGraph, name: str) -> Iterator[Slip]:
    """Yield all single slips on a graph."""
    groups = list(edge_groups(graph))
    for places in groups:
        yield from kinds.of_edges(graph, places, name)
    for kind in (pairs.of_products, kinds.of_nodes, kinds.of_statistics, kinds.of_parts, further.of_choices,
                 further.of_epsilons, of_spans, kinds.of_signs):
        yield from kind(graph, name)
    for places in groups:
        yield from kinds.of_rules(graph, places, name)
    for kind in (pairs.of_joined, further.of_means, further.of_places, kinds.of_factors,
                 further.of_inner_factors):
        yield from kind(graph, name)
    for places in groups:
        yield from of_loops(graph, places, name)
        yield from kinds.of_other_values(graph, places, name)
    for kind in (of_states, pairs.of_exchanged):
        yield from kind(graph, name)
