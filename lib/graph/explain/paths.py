"""The paths from the output back to a parameter: the chain rule as a sum over paths of products along each."""
from __future__ import annotations

from typing import Any, Dict, List

import numpy as np

from lib.graph.explain.chain import chain
from lib.graph.explain.derivation import Derivation, Edge, flow_along, local_derivative
from lib.graph.explain.document import Line, Part
from lib.graph.explain.flows import is_single, local, product_of_numbers, slope, sum_of_numbers
from lib.graph.explain.parts import value_of
from lib.graph.node import Node
from lib.graph.notation import equation, name, number, product_of, sum_of
from lib.graph.notation.simplify import times

MOST_PATHS = 40


def count_paths(derivation: Derivation, parameter: Node) -> int:
    """Return the number of paths from the output to a node, without walking them."""
    counts: Dict[Node, int] = {derivation.output: 1}
    for node in reversed(derivation.order):
        for edge in derivation.edges_from(node):
            counts[edge.parent] = counts.get(edge.parent, 0) + counts.get(node, 0)
    return counts.get(parameter, 0)


def all_paths(derivation: Derivation, parameter: Node) -> List[List[Edge]]:
    """Return the paths as lists of edges, from the output down to the node."""
    paths: List[List[Edge]] = []
    stack: List[List[Edge]] = [[edge] for edge in reversed(derivation.edges_to(parameter))]
    while stack:
        path = stack.pop()  # the last edges of a path, in the order from the output down
        child = path[0].child
        if child is derivation.output:
            paths.append(path)
        stack.extend([edge] + path for edge in reversed(derivation.edges_to(child)))
    return sorted(paths, key=len)


def contribution(derivation: Derivation, path: List[Edge]) -> Any:
    """Return the product of the local derivatives along one path, in the shape of the node at its end."""
    grad = np.ones_like(derivation.output.value)[()]
    for edge in path:
        grad = flow_along(edge, grad, derivation.values)
    return grad


def paths(derivation: Derivation, parameter: Node) -> Part:
    """Return each path from the output to a node, the product along it, and their sum: the gradient."""
    derivation.require_gradients()
    names = derivation.names
    output, end, gradient = names.term(derivation.output), names.term(parameter), names.partial(parameter)
    title = f"(e) Paths from {names.text[derivation.output]} to {names.text[parameter]}"
    count = count_paths(derivation, parameter)
    if parameter is derivation.output:
        return Part(title, [Line(equation(gradient, number(1)), ": ", end, " is the output itself.")])
    if count == 0:
        return Part(title, [Line(output, " doesn't depend on ", end, ", or ", end, " is a constant.")])
    if count > MOST_PATHS:
        return Part(title, [f"There are {count} paths, too many to write down one by one. Backpropagation adds them up "
                            "at the nodes where they meet: see part (d), the sums over children."])
    found = all_paths(derivation, parameter)
    lines = [Line(f"There {'is 1 path' if count == 1 else f'are {count} paths'}; ", gradient,
                  f" is the {'product along it' if count == 1 else 'sum of the products along them'}.")]
    values = [contribution(derivation, path) for path in found]
    for k, (path, value) in enumerate(zip(found, values)):
        route: List[Any] = [output]
        for edge in path:
            route += [" -> ", names.term(edge.parent)]
        lines.append(Line(f"path {k + 1}: ", *route))
        lines.append(_product(derivation, path, value))
        if not all(map(is_single, path)):
            lines.extend(chain(derivation, path, gradient if count == 1 else name(f"path {k + 1}")))
    if count > 1:
        few = all(value.size <= 4 for value in values)
        total = derivation.gradients[parameter]
        terms = sum_of_numbers(values, total) if few else sum_of([name(f"path {k + 1}") for k in range(count)])
        lines.append(Line(*value_of(equation(gradient, terms), total, with_shape=False)))
    return Part(title, lines)


def _product(derivation: Derivation, path: List[Edge], value: Any) -> Line:
    """Return the product along one path: of partial derivatives, of their formulas, and of numbers."""
    terms = [product_of([local(derivation, edge) for edge in path])]
    if all(map(is_single, path)):
        terms.append(times(*[slope(derivation, edge) for edge in path]))
        terms.append(product_of_numbers([local_derivative(edge, derivation.values) for edge in path], value))
    return Line(*value_of(equation(*terms), value, with_shape=False), level=1)
