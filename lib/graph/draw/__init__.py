"""Drawings of computational graphs: nodes with names and shapes, values and gradients on the edges.

>>> from lib.graph import variable
>>> from lib.graph.draw import draw
>>> a, b = variable(2.0, name="a"), variable(3.0, name="b")
>>> drawing = draw((a * b + a).named("y"))
>>> drawing.save("graph.svg")  # doctest: +SKIP

A drawing shows itself in a notebook. `svg()` is its text as SVG, `dot()` its description for Graphviz, `figure()` a
Matplotlib figure. The network scheme, units and weights, is drawn by `lib.graph.draw.network`.
"""
from __future__ import annotations

from typing import Any, Dict, List, Optional, Tuple

from lib.graph.draw.dot import dot
from lib.graph.draw.layout import Layout, LayoutEdge, layered
from lib.graph.draw.output import Drawing
from lib.graph.draw.scene import (FONT_SIZES, LONGEST_TEXT, Box, Curve, Scene, Text, box_size, shortened, text_width,
                                  through)
from lib.graph.explain.flows import flow, local
from lib.graph.explain.names import is_number
from lib.graph.notation import TEXT, name
from lib.graph.notation.digits import short_text
from lib.graph.explain.derivation import Edge, Derivation, derivation_of
from lib.graph.node import Node
from lib.validation import InputError, require_choice

__all__ = ["draw", "draw_forward_and_backward", "Drawing"]
LARGEST_DRAWN = 150
WIDEST = 1150.0  # a graph that is wider than this from left to right is drawn from top to bottom
MARGIN = 14.0


def draw(output: Any, direction: Optional[str] = None, values: bool = True, gradients: bool = True,
         reuse: bool = True) -> Drawing:
    """Return a drawing of the graph that leads to a node.

    Args:
        output: the node, or an Explanation, whose names t1, t2, ... then are in the drawing.
        direction: "right" or "down", the way the computation runs; None takes what fits on a page.
        values: whether each edge carries the value that flows forward along it (of a larger array, the shape).
        gradients: whether each edge carries the contribution that flows backward along it, and each node their sum,
            its gradient; if the output is a single number.
        reuse: whether equal sub-expressions are drawn as one node.

    Raises:
        InputError: the output isn't a node, or the graph is too large to be read.
    """
    derivation = _trace(output, reuse)
    graph = _Graph(derivation)
    labels = {edge: _value_labels(derivation, edge, values, gradients) for edge in graph.edges}
    boxes = {node: _forward_lines(derivation, node, gradients) for node in graph.nodes}
    scene = _best(graph, boxes, labels, direction, f"Computational graph of {derivation.names.text[derivation.output]}")
    shown = [("blue: value or its shape, flows forward", "value")] if values else []
    if gradients and derivation.gradients:
        shown.append(("orange: on an edge what flows backward, in a box the sum of what arrives", "gradient"))
    return Drawing(_with_legend(scene, shown), dot(derivation, graph.nodes, graph.edges, boxes, labels))


def draw_forward_and_backward(output: Any, direction: str = "down", reuse: bool = True) -> Drawing:
    """Return a drawing of the forward graph and, beside it, the backward graph, node for node at the same place.

    In the backward graph the edges point the other way, each node is the derivative of the output by what stands there
    in the forward graph, and each edge says what is done with the gradient g that arrives at its start.

    Raises:
        InputError: the output isn't a single number, or the graph is too large to be read.
    """
    derivation = _trace(output, reuse)
    derivation.require_gradients()
    graph = _Graph(derivation)
    require_choice("direction", direction, ("right", "down"), "draw_forward_and_backward")
    forward = {node: _forward_lines(derivation, node) for node in graph.nodes}
    backward = {node: _backward_lines(derivation, node) for node in graph.nodes}
    forward_labels = {edge: _value_labels(derivation, edge, True, False) for edge in graph.edges}
    backward_labels = {edge: _rule_labels(derivation, edge) for edge in graph.edges}
    sizes = {node: _larger(box_size(forward[node]), box_size(backward[node])) for node in graph.nodes}
    spaces = {edge: _larger(_label_size(forward_labels[edge], direction), _label_size(backward_labels[edge], direction))
              for edge in graph.edges}
    layout = graph.layout(sizes, spaces, direction)
    name = derivation.names.text[derivation.output]
    one = _scene(graph, layout, sizes, forward, forward_labels, direction, f"Forward graph of {name}")
    flowing = [node for node in graph.nodes if node in derivation.gradients]
    two = _scene(graph, layout, sizes, backward, backward_labels, direction, f"Backward graph of {name}", flowing)
    return Drawing(_beside(one, two), dot(derivation, graph.nodes, graph.edges, forward, forward_labels))


class _Graph:
    """What is drawn of a graph: all nodes but plain numbers, which stand in the formulas, and the edges between."""

    def __init__(self, derivation: Derivation) -> None:
        self.derivation = derivation
        self.nodes = [node for node in derivation.order if not is_number(node)]
        if len(self.nodes) > LARGEST_DRAWN:
            raise InputError(f"A graph of {len(self.nodes)} nodes is too large to draw: beyond {LARGEST_DRAWN} nobody "
                             "can read it. Draw a part of it by giving an earlier node, or a network with one node a "
                             "module, or a smaller example such as one with fewer steps.")
        self.index = {node: k for k, node in enumerate(self.nodes)}
        self.edges = [Edge(child, parent, i) for child in self.nodes for i, parent in enumerate(child.parents)
                      if parent in self.index]

    def layout(self, sizes: Dict[Node, Any], labels: Dict[Edge, Any], direction: str) -> Layout:
        """Return where everything stands, along and across the flow."""
        along = 0 if direction == "right" else 1
        edges = [LayoutEdge(self.index[edge.parent], self.index[edge.child],
                            (labels[edge][along], labels[edge][1 - along])) for edge in self.edges]
        return layered([(sizes[node][along], sizes[node][1 - along]) for node in self.nodes], edges)


def _trace(output: Any, reuse: bool) -> Derivation:
    if isinstance(getattr(output, "derivation", None), Derivation):  # an Explanation
        return output.derivation
    return derivation_of(output, reuse)


# ---------------------------------------------------------------------- what stands where

def _forward_lines(derivation: Derivation, node: Node, gradients: bool = False) -> Tuple[Tuple[str, str], ...]:
    """Return the lines of a node's box: its formula, its shape or the number that it is, and its whole gradient."""
    name = derivation.names.text[node]
    title = name if node.operation is None else f"{name} = {TEXT.write(derivation.names.formula(node))}"
    lines = [(shortened(title), "name"), (short_text(node.value) if node.ndim == 0 else str(node.shape), "detail")]
    if gradients and node in derivation.gradients:
        grad = derivation.gradients[node]
        numbers = short_text(grad)
        gradient = derivation.names.derivative(node)
        whole = f"{gradient} = {numbers}"
        is_short = numbers and len(whole) <= LONGEST_TEXT
        lines.append((whole if is_short else shortened(f"{gradient} {grad.shape}"), "gradient"))
    return tuple(lines)


def _backward_lines(derivation: Derivation, node: Node) -> Tuple[Tuple[str, str], ...]:
    """Return the lines of a node's box in the backward graph: the derivative, and its number or shape."""
    if node not in derivation.gradients:
        return ((derivation.names.text[node], "name"),)
    grad = derivation.gradients[node]
    numbers = short_text(grad)
    details = ([str(node.shape)] if node.ndim else []) + ([numbers] if numbers else [])
    return ((shortened(derivation.names.derivative(node)), "name"),) + tuple((each, "detail") for each in details)


def _value_labels(derivation: Derivation, edge: Edge, values: bool, gradients: bool) -> List[Tuple[str, str]]:
    """Return the value and the gradient on an edge."""
    labels = []
    if values:
        labels.append((short_text(edge.parent.value) or str(edge.parent.shape), "value"))
    if gradients and edge in derivation.flows:
        labels.append((short_text(derivation.flows[edge]) or str(edge.parent.shape), "gradient"))
    return labels


def _rule_labels(derivation: Derivation, edge: Edge) -> List[Tuple[str, str]]:
    """Return what is done with the gradient g on an edge of the backward graph."""
    if edge not in derivation.flows:
        return []
    rule = TEXT.write(flow(derivation, edge, name("g", edge.child.shape)))
    return [(rule if len(rule) <= 24 else f"g * {TEXT.write(local(derivation, edge))}", "gradient")]


def _label_size(labels: List[Tuple[str, str]], direction: str) -> Tuple[float, float]:
    """Return width and height of an edge's label: to the right, lines above and below the edge; down, on both sides."""
    widths = [text_width(text, FONT_SIZES[style]) for text, style in labels] or [0.0]
    line = 1.35 * FONT_SIZES["value"]
    return (max(widths) + 8, 2 * line) if direction == "right" else (2 * max(widths) + 16, line + 4)


def _larger(one: Tuple[float, float], other: Tuple[float, float]) -> Tuple[float, float]:
    return max(one[0], other[0]), max(one[1], other[1])


# ---------------------------------------------------------------------- scenes

def _best(graph: _Graph, boxes: Any, labels: Any, direction: Optional[str], title: str) -> Scene:
    """Return the scene in the direction asked for, or from left to right if that fits on a page."""
    if direction is not None:
        require_choice("direction", direction, ("right", "down"), "draw")
    sizes = {node: box_size(boxes[node]) for node in graph.nodes}
    for way in [direction] if direction else ["right", "down"]:
        spaces = {edge: _label_size(labels[edge], way) for edge in graph.edges}
        layout = graph.layout(sizes, spaces, way)
        scene = _scene(graph, layout, sizes, boxes, labels, way, title)
        if scene.width <= WIDEST:
            break
    return scene


def _scene(graph: _Graph, layout: Layout, sizes: Any, boxes: Any, labels: Any, direction: str, title: str,
           backward: Optional[List[Node]] = None) -> Scene:
    """Return the shapes of a graph; in a backward graph, of these nodes only and with edges the other way."""
    right = direction == "right"

    def at(point: Tuple[float, float]) -> Tuple[float, float]:
        x, y = point if right else (point[1], point[0])
        return x + MARGIN, y + MARGIN

    extent = at(layout.extent)
    scene = Scene(extent[0] + MARGIN, extent[1] + MARGIN, title)
    shown = set(graph.nodes if backward is None else backward)
    for edge, route, middle in zip(graph.edges, layout.routes, layout.labels):
        if backward is not None and edge not in graph.derivation.flows:
            continue
        points = through([at(point) for point in route], right)
        scene.curves.append(Curve(points if backward is None else points[::-1],
                                  "forward" if backward is None else "backward"))
        scene.texts += _labels_at(at(middle), labels[edge], right)
    for node, centre in zip(graph.nodes, layout.centres):
        if node in shown:
            x, y = at(centre)
            scene.boxes.append(Box(x, y, sizes[node][0], sizes[node][1], _kind(graph.derivation, node), boxes[node],
                                   graph.derivation.names.text[node]))
    return scene


def _labels_at(middle: Tuple[float, float], labels: List[Tuple[str, str]], right: bool) -> List[Text]:
    """Return a label's texts: the value above the edge or to its left, the gradient below it or to its right."""
    x, y = middle
    texts = []
    for text, style in labels:
        first = style == "value"
        if right:
            texts.append(Text(x, y + (-8 if first else 8), text, style))
        else:
            texts.append(Text(x + (-5 if first else 5), y, text, style, "end" if first else "start"))
    return texts


def _kind(derivation: Derivation, node: Node) -> str:
    if node is derivation.output:
        return "output"
    if node.operation is not None:
        return "operation"
    return "variable" if node.needs_grad else "constant"


def _with_legend(scene: Scene, entries: List[Tuple[str, str]]) -> Scene:
    """Write below a scene what its colours mean, in a line if it is wide enough, or else in a line each."""
    x, wide = MARGIN, scene.width
    for text, style in entries:
        width = text_width(text, FONT_SIZES[style]) + 20
        if x > MARGIN and x + width > wide:
            x, scene.height = MARGIN, scene.height + 16
        scene.texts.append(Text(x, scene.height + 4, text, style, "start"))
        x += width
        scene.width = max(scene.width, x)
    if entries:
        scene.height += 18
    return scene


def _beside(one: Scene, two: Scene) -> Scene:
    """Return two scenes side by side, each under its title."""
    top, gap = 26.0, 30.0
    both = Scene(one.width + gap + two.width, max(one.height, two.height) + top, f"{one.title}; {two.title}")
    both.add(one, 0, top)
    both.add(two, one.width + gap, top)
    both.texts.append(Text(one.width / 2, 16, one.title, "title"))
    both.texts.append(Text(one.width + gap + two.width / 2, 16, two.title, "title"))
    return _with_legend(both, [("g: the gradient that arrives at the start of the edge", "gradient")])
