"""One slip on a forward's graph: a cause, a sentence, and the change of what flows back."""
from __future__ import annotations

import re
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Sequence, Set

from lib.gradient_checking.diagnose.forward_graph import Change, Edge, ForwardGraph, Place
from lib.gradient_checking.diagnose.node_words import described

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
            by_line.setdefault((edge.node.line, edge.operation.name, edge.i), []).append(place)
    for places in {tuple(places): places for places in by_line.values()}.values():
        for stride in (1, 2, 3):
            if len(places) > stride and len(places) % stride == 0:
                yield from (places[start::stride] for start in range(stride))


def on(places: Sequence[Place], change: Callable[[Edge], Any]) -> Callable[[ForwardGraph], Optional[Change]]:
    """Return the change of what flows along some edges, where a graph has them."""
    return lambda graph: Change({place: change for place in places}) if set(places) <= graph.edges.keys() else None


def words_for(graph: ForwardGraph, node: Any, name: str) -> str:
    """Return how a sentence calls a node."""
    return described(node, graph.order[0], name)


def passes_of(graph: ForwardGraph, node: Any) -> List[List[Any]]:
    """Return the nodes of a node's line, those of each pass of a loop by themselves."""
    line = [other for other in graph.all_nodes if other.line == node.line is not None]
    names = [other.operation.name for other in line]
    for period in range(1, len(line) // 2 + 1):
        number = len(line) // period
        if names == names[:period] * number and number + period > 3:  # two products in a row are no loop
            return [line[start:start + period] for start in range(0, len(line), period)]
    return [line]


def pass_of(graph: ForwardGraph, places: Sequence[Place]) -> str:
    """Return of which passes of a loop some edges are, as ", in pass 2 of the 5 of its loop,"; "" for all passes."""
    edge = graph.edges[places[0]]
    passes = passes_of(graph, edge.node)
    alike = [place for place, other in graph.edges.items() if other.node.line == edge.node.line
             and (other.operation.name, other.i) == (edge.operation.name, edge.i)]
    if len(passes) == 1 or len(places) == len(alike) or len(alike) < len(passes) - 1:
        return ""  # in the first pass, the state before may be constant
    number = next(number for number, nodes in enumerate(passes, start=1) if any(node is edge.node for node in nodes))
    which = f"pass {number} of the {len(passes)}" if len(places) == 1 else "some passes"
    return f", in {which} of its loop,"


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
