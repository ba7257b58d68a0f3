"""Where the boxes and lines of a page's graph stand: the layout of the drawings, as numbers."""
from __future__ import annotations

from typing import Any, Dict, List, Tuple

from lib.graph.draw.layout import LayoutEdge, layered
from lib.graph.draw.scene import FONT_SIZES, shortened, text_width
from lib.graph.explain.derivation import Derivation, Edge
from lib.graph.node import Node
from lib.graph.notation import TEXT
from lib.graph.notation.digits import short_text

HEIGHT, WIDEST = 42.0, 620.0  # of a box; and of a graph that runs from left to right


def picture(derivation: Derivation, index: Dict[Node, int]) -> Dict[str, Any]:
    """Return the size of the drawing, a box a node as [x, y, width, height, formula, number or shape], and the links.

    A link leads from a node to one that is computed from it: its ends, its edge in the list of edges or None, and the
    points that its curve goes through.
    """
    nodes = list(index)
    lines = [_lines(derivation, node) for node in nodes]
    sizes = [(max(text_width(first, FONT_SIZES["name"]), text_width(second, FONT_SIZES["detail"])) + 20, HEIGHT)
             for first, second in lines]
    links = [Edge(child, parent, i) for child in nodes for i, parent in enumerate(child.parents) if parent in index]
    edges = [edge for edge in derivation.edges if edge in derivation.flows]
    places = {edge: k for k, edge in enumerate(edges)}
    ends = [LayoutEdge(index[link.parent], index[link.child], (14.0, 14.0)) for link in links]
    layout = layered(sizes, ends)
    horizontal = layout.extent[0] <= WIDEST
    if not horizontal:
        layout = layered([(across, along) for along, across in sizes], ends)

    def point(along: float, across: float) -> List[float]:
        return [round(along, 1), round(across, 1)] if horizontal else [round(across, 1), round(along, 1)]

    width, height = point(*layout.extent)
    return {"width": width + 4, "height": height + 4, "horizontal": horizontal,
            "boxes": [point(*centre) + [round(w, 1), round(h, 1), *text]
                      for centre, (w, h), text in zip(layout.centres, sizes, lines)],
            "links": [[index[link.parent], index[link.child], places.get(link),
                       [point(*each) for each in _bends(route)]]
                      for link, route in zip(links, layout.routes)]}


def _bends(route: List[Tuple[float, float]]) -> List[Tuple[float, float]]:
    """Return a route without the points between its ends at which it goes straight on, within a pixel or two."""
    kept = route[:1]
    for here, after in zip(route[1:], route[2:]):
        if max(abs(each[1] - kept[-1][1]) for each in (here, after)) > 1.5:
            kept.append(here)
    return kept + route[-1:]


def _lines(derivation: Derivation, node: Node) -> List[str]:
    name = derivation.names.text[node]
    title = name if node.operation is None else f"{name} = {TEXT.write(derivation.names.formula(node))}"
    return [shortened(title), short_text(node.value) if node.ndim == 0 else " × ".join(map(str, node.shape))]
