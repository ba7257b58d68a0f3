"""The scheme of a network, found in its graph: columns of units, and the weights between them."""
from __future__ import annotations

from typing import Any, Dict, List, Optional

from lib.graph.node import Node, topological_order


def scheme(start: Node, output: Node, index: Dict[Node, int]) -> Optional[Dict[str, Any]]:
    """Return the columns of units and the links between them, or None if the graph isn't made of layers of units.

    A product with a weight matrix begins a column; what is done to it entry by entry, such as adding a bias or an
    activation, belongs to the same one; where two columns are added, as by a skip connection, they are one.

    Args:
        start: the inputs, (batch, features).
        output: the predictions, (batch, units).
        index: the nodes of the page with their numbers.

    Returns:
        {"columns": [{"units", "nodes"}], "links": [{"from", "to", "weights", "bias"}]}; nodes are given by their
        numbers, in each column the one that is computed last first.
    """
    if start.ndim != 2 or output.ndim != 2:
        return None
    columns: List[List[Node]] = [[start]]
    links: List[Dict[str, Any]] = []
    place: Dict[Node, int] = {start: 0}
    for node in topological_order(output):
        if node.operation is None:
            continue
        before = [place[parent] for parent in node.parents if parent in place]
        leaves = [parent for parent in node.parents if parent not in place]
        if node.operation.name == "matmul" and len(before) == 1 and leaves[0].operation is None:
            columns.append([])
            links.append({"from": before[0], "to": len(columns) - 1, "weights": index.get(leaves[0]), "bias": None})
            before = [len(columns) - 1]
        elif node.operation.elementwise and before and all(leaf.operation is None for leaf in leaves):
            if len(set(before)) > 1:
                _merge(columns, links, place, set(before))
                before = [max(before)]
            if node.operation.name == "add" and leaves and leaves[0] in index:
                for link in links:
                    if link["to"] == before[0]:
                        link["bias"] = index[leaves[0]]
        else:
            return None
        place[node] = before[0]
        columns[before[0]].insert(0, node)
    kept = [k for k, column in enumerate(columns) if column]
    return {"columns": [{"units": columns[k][0].shape[1], "nodes": [index[node] for node in columns[k]]} for k in kept],
            "links": [dict(link, **{"from": kept.index(link["from"]), "to": kept.index(link["to"])}) for link in links]}


def _merge(columns: List[List[Node]], links: List[Dict[str, Any]], place: Dict[Node, int], which: Any) -> None:
    """Make several columns one: the last of them."""
    last = max(which)
    for k in sorted(which - {last}):
        columns[last] = columns[last] + columns[k]
        columns[k] = []
    for link in links:
        link.update({end: last for end in ("from", "to") if link[end] in which})
    for node, k in place.items():
        place[node] = last if k in which else k
