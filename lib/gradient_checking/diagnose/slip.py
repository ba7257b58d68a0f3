"""One slip on a forward's graph: a cause, a sentence, and the change of what flows back."""
from __future__ import annotations

import re
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Sequence, Set

from lib.gradient_checking.diagnose.forward_graph import Change, Edge, ForwardGraph, Place, described

STATISTICS = ("mean", "var", "std")
REDUCTIONS = ("mean", "sum", "var", "std", "norm", "max", "min", "logsumexp", "prod", "einsum")


class Slip(NamedTuple):
    """One slip: the cause's name, a sentence about it, and the change that it makes in a graph (None: it can't be)."""

    cause: str
    sentence: str
    change: Callable[[ForwardGraph], Optional[Change]]


def edge_groups(graph: ForwardGraph) -> Iterator[List[Place]]:
    """Yield each edge by itself, and those together that come from one line of a loop."""
    by_line: Dict[Any, List[Place]] = {}
    for place, edge in graph.edges.items():
        yield [place]
        if edge.node.line is not None:
            of = edge.parent.operation and edge.parent.operation.name
            by_line.setdefault((edge.node.line, edge.operation.name, edge.i, of), []).append(place)
    for places in by_line.values():
        for stride in (1, 2, 3):
            if len(places) > stride and len(places) % stride == 0:
                yield from (places[start::stride] for start in range(stride))


def on(places: Sequence[Place], change: Callable[[Edge], Any]) -> Callable[[ForwardGraph], Optional[Change]]:
    """Return the change of what flows along some edges, where a graph has them."""
    return lambda graph: Change({place: change for place in places}) if set(places) <= graph.edges.keys() else None


def words_for(graph: ForwardGraph, node: Any, name: str) -> str:
    """Return how a sentence calls a node."""
    return described(node, graph.order[0], name)


def shortened(sentence: str) -> str:
    """Return a sentence in which each line of code is quoted once, and called by its number then."""
    seen: Set[str] = set()

    def once(found: Any) -> str:
        text, line = found.groups()
        if text in seen:
            return line
        seen.add(text)
        return found.group(0)
    return re.sub(r"(`[^`]*`) \((line \d+)\)", once, sentence)


def fits_shape(shape: Sequence[int], whole: Sequence[int]) -> bool:
    """Return whether an array of a shape can be broadcast to the whole one."""
    return len(shape) <= len(whole) and all(n in (1, m) for n, m in zip(reversed(shape), reversed(whole)))
