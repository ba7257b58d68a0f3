"""A graph as DOT text, for users of Graphviz: `dot -Tsvg graph.dot -o graph.svg`."""
from __future__ import annotations

from typing import Any, Dict, List

from lib.graph.draw.scene import BOX_COLOURS, TEXT_COLOURS
from lib.graph.explain.names import Names
from lib.graph.explain.derivation import Edge, Derivation
from lib.graph.node import Node


def dot(derivation: Derivation, nodes: List[Node], edges: List[Edge], boxes: Dict[Node, Any],
        labels: Dict[Edge, Any]) -> str:
    """Return the description of a graph in Graphviz's language, with the same texts as in our own drawing."""
    number = {node: f"n{k + 1}" for k, node in enumerate(nodes)}
    names: Names = derivation.names
    lines = [f"digraph {_quoted(names.text[derivation.output])} {{", "    rankdir=LR;",
             '    node [shape=box, style="rounded,filled", fontname="DejaVu Sans", fontsize=11];',
             '    edge [fontname="DejaVu Sans", fontsize=9];']
    for node in nodes:
        kind = "output" if node is derivation.output else "operation" if node.operation is not None else \
            "variable" if node.needs_grad else "constant"
        fill, line = BOX_COLOURS[kind]
        text = "\n".join(text for text, _ in boxes[node])
        lines.append(f'    {number[node]} [label={_quoted(text)}, fillcolor="{fill}", color="{line}"];')
    for edge in edges:
        text = "\n".join(text for text, _ in labels[edge])
        colour = TEXT_COLOURS[labels[edge][-1][1]] if labels[edge] else TEXT_COLOURS["legend"]
        ends = f"{number[edge.parent]} -> {number[edge.child]}"
        lines.append(f'    {ends} [label={_quoted(text)}, fontcolor="{colour}"];')
    return "\n".join(lines + ["}"]) + "\n"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
