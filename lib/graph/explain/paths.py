"""The paths from the output back to a parameter: the chain rule as a sum over paths of products along each."""
from __future__ import annotations

from typing import Any, Dict, List

import numpy as np

from lib.graph.explain.chain import chain
from lib.graph.explain.flows import (derivative_latex, derivative_text, factors_latex, factors_text, local_latex,
                                     local_text)
from lib.graph.explain.names import number_latex, number_text, operand, value_latex, value_text
from lib.graph.explain.text import Line, Part
from lib.graph.explain.trace import Edge, Trace, flow_along, local_derivative
from lib.graph.node import Node

MOST_PATHS = 40


def count_paths(trace: Trace, parameter: Node) -> int:
    """Return the number of paths from the output to a node, without walking them."""
    counts: Dict[Node, int] = {trace.output: 1}
    for node in reversed(trace.order):
        for edge in trace.edges_from(node):
            counts[edge.parent] = counts.get(edge.parent, 0) + counts.get(node, 0)
    return counts.get(parameter, 0)


def all_paths(trace: Trace, parameter: Node) -> List[List[Edge]]:
    """Return the paths as lists of edges, from the output down to the node."""
    paths: List[List[Edge]] = []
    stack: List[List[Edge]] = [[edge] for edge in reversed(trace.edges_to(parameter))]
    while stack:
        path = stack.pop()  # the last edges of a path, in the order from the output down
        child = path[0].child
        if child is trace.output:
            paths.append(path)
        stack.extend([edge] + path for edge in reversed(trace.edges_to(child)))
    return sorted(paths, key=len)


def contribution(trace: Trace, path: List[Edge]) -> Any:
    """Return the product of the local derivatives along one path, in the shape of the node at its end."""
    grad = np.ones_like(trace.output.value)[()]
    for edge in path:
        grad = flow_along(edge, grad, trace.values)
    return grad


def paths(trace: Trace, parameter: Node) -> Part:
    """Return each path from the output to a node, the product along it, and their sum: the gradient."""
    trace.require_gradients()
    names = trace.names
    name, derivative = names.text[parameter], names.derivative(parameter)
    title = f"(e) Paths from {names.text[trace.output]} to {name}"
    number = count_paths(trace, parameter)
    if number == 0:
        return Part(title, [f"{names.text[trace.output]} doesn't depend on {name}, or {name} is a constant."
                            if parameter is not trace.output else f"{derivative} = 1: {name} is the output itself."])
    if number > MOST_PATHS:
        return Part(title, [f"There are {number} paths, too many to write down one by one. Backpropagation adds them "
                            "up at the nodes where they meet: see part (d), the sums over children."])
    found = all_paths(trace, parameter)
    lines: List[Any] = [Line(f"There {'is 1 path' if number == 1 else f'are {number} paths'}; {derivative} is the "
                             f"{'product along it' if number == 1 else 'sum of the products along them'}.")]
    values = [contribution(trace, path) for path in found]
    for k, (path, value) in enumerate(zip(found, values)):
        route = " -> ".join([names.text[trace.output]] + [names.text[edge.parent] for edge in path])
        lines.append(Line(f"path {k + 1}: {route}"))
        lines.append(_product(trace, path, value))
        if any(edge.child.ndim or edge.parent.ndim for edge in path):
            lines.extend(chain(trace, path))
    total, total_latex = value_text(trace.gradients[parameter]), value_latex(trace.gradients[parameter])
    if number > 1:
        few = all(value.size <= 4 for value in values)
        terms = " + ".join(operand(value_text(value)) if few else f"path {k + 1}" for k, value in enumerate(values))
        terms_latex = " + ".join(operand(value_latex(value)) if few else rf"\text{{path {k + 1}}}"
                                 for k, value in enumerate(values))
        lines.append(Line(f"{derivative} = {terms} = {total}",
                          f"{names.derivative_latex(parameter)} = {terms_latex} = {total_latex}"))
    return Part(title, lines)


def _product(trace: Trace, path: List[Edge], value: Any) -> Line:
    """Return the product along one path: of partial derivatives, of their formulas, and of numbers."""
    text = " * ".join(local_text(trace, edge) for edge in path)
    latex = r" \cdot ".join(local_latex(trace, edge) for edge in path)
    if all(edge.child.ndim == edge.parent.ndim == 0 for edge in path):
        formula = factors_text([derivative_text(trace, edge) for edge in path])
        formula_latex = factors_latex([derivative_latex(trace, edge) for edge in path])
        numbers = [number_text(local_derivative(edge, trace.values)) for edge in path]
        text += f" = {formula} = " + " * ".join(operand(each) if k else each for k, each in enumerate(numbers))
        latex += f" = {formula_latex} = " + r" \cdot ".join(operand(number_latex(each)) if k else number_latex(each)
                                                            for k, each in enumerate(numbers))
    return Line(f"{text} = {value_text(value)}", f"{latex} = {value_latex(value)}", level=1)
