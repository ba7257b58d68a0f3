"""What a page shows, as plain data: the nodes with their numbers, the edges with their rules, and the steps.

Everything is computed here, by the library; the page's script looks numbers up, multiplies and adds them.
"""
from __future__ import annotations

from typing import Any, Dict, List

import numpy as np

from lib.graph.explain.derivation import Derivation, Edge, recompute
from lib.graph.explain.flows import flow, numbers
from lib.graph.explain.matrices import in_indices
from lib.graph.explain.names import is_number
from lib.graph.explain.parts import trained
from lib.graph.node import Node
from lib.graph.notation import MATHML, SPOKEN, Term, array, equation, new, number, sum_of
from lib.graph.operations import unbroadcast
from lib.graph.operations.reductions import normalised_axes
from lib.graph.page.mistakes import known_mistakes
from lib.validation import InputError

MOST_NUMBERS = 20_000
MOST_PRODUCTS = 400_000  # entries of the local derivatives that are stored one by one


def content(derivation: Derivation, index: Dict[Node, int], learning_rate: float, title: str) -> Dict[str, Any]:
    """Return all that a page shows, ready to be written as JSON.

    Args:
        derivation: the graph, its output a single number.
        index: the nodes that are shown, with their numbers.
        learning_rate: that of the update at the end.
        title: what the page is called.

    Raises:
        InputError: the graph holds more than 20,000 numbers.
    """
    derivation.require_gradients()
    nodes = list(index)
    total = sum(node.size for node in nodes)
    if total > MOST_NUMBERS:
        largest = max(nodes, key=lambda node: node.size)
        raise InputError(f"A page shows at most {MOST_NUMBERS:,} numbers, so that each can be opened, but this graph "
                         f"holds {total:,}, most of them in {derivation.names.text[largest]} of shape {largest.shape}. "
                         "Choose fewer examples, such as write_page(model, x[:4], y[:4], path), or a network with "
                         "fewer units.")
    parameters = trained(derivation)
    updated = {node: node.value - learning_rate * derivation.gradients.get(node, np.zeros_like(node.value))
               for node in parameters}
    with np.errstate(all="ignore"):  # a large step may leave where a function is defined: then the page says so
        after = recompute(derivation.order, updated)
    edges = [edge for edge in derivation.edges if edge in derivation.flows]
    return {"title": title, "rate": learning_rate, "output": index[derivation.output],
            "examples": max((node.shape[0] for node in nodes if node.ndim and not node.needs_grad), default=1),
            "loss": {"before": _flat(derivation.output.value)[0], "after": _flat(after[derivation.output])[0]},
            "nodes": [_node(derivation, node, index, updated) for node in nodes],
            "edges": [_edge(derivation, edge, index) for edge in edges],
            "steps": _steps(derivation, nodes, edges, parameters, index, learning_rate)}


# ---------------------------------------------------------------------- nodes and edges

def _node(derivation: Derivation, node: Node, index: Dict[Node, int], updated: Dict[Node, Any]) -> Dict[str, Any]:
    """Return a node: its name, shape and kind, its numbers, and for one that is computed where they come from."""
    term, gradient = derivation.names.term(node), derivation.gradients.get(node)
    kind = ("output" if node is derivation.output else "computed" if node.operation is not None else
            "variable" if node.needs_grad else "constant")
    data = {"name": derivation.names.text[node], "term": MATHML.write(term), "spoken": SPOKEN.write(term),
            "shape": list(node.shape), "kind": kind, "value": _flat(node.value),
            "grad": None if gradient is None else _flat(gradient)}
    if gradient is not None:
        data["derivative"] = derivation.names.derivative(node)
    if node in updated:
        data["new"] = _flat(updated[node])
    if node.operation is not None:
        data["operation"] = node.operation.name
        data["parents"] = [index.get(parent) for parent in node.parents]
        if None in data["parents"]:
            data["numbers"] = [None if parent in index else float(parent.value) for parent in node.parents]
        if hasattr(node.operation, "axis"):
            data["axes"] = normalised_axes(node.operation.axis, node.parents[0].ndim)
        if node.operation.name == "matmul" and max(parent.ndim for parent in node.parents) <= 2:
            data["product"] = _matrix_sizes(node)
    return data


def _matrix_sizes(node: Node) -> List[int]:
    """Return m, k, n of the product of a matrix (m, k) and one (k, n); a vector counts as a row, or as a column."""
    left, right = node.parents
    return [left.shape[0] if left.ndim == 2 else 1, left.shape[-1], right.shape[1] if right.ndim == 2 else 1]


def _edge(derivation: Derivation, edge: Edge, index: Dict[Node, int]) -> Dict[str, Any]:
    """Return an edge with its rule, what flows along it, and how each entry of that is a sum of products."""
    data = {"child": index[edge.child], "parent": index[edge.parent], "side": edge.i,
            "flow": _flat(derivation.flows[edge]), "mistakes": known_mistakes(derivation, edge)}
    child, operation = edge.child, edge.child.operation
    assert operation is not None
    inputs = [parent.value for parent in child.parents]
    if operation.name == "matmul" and max(parent.ndim for parent in child.parents) <= 2:
        data["kind"] = "matmul"  # an entry's factors are entries of the other operand
        data["other"] = index.get(child.parents[1 - edge.i])
    elif operation.elementwise:
        local = operation.backward(edge.i, np.ones_like(child.value), child.value, *inputs)
        data["kind"] = "entry by entry"
        data["local"] = _flat(np.broadcast_to(local, child.shape))
        data["slope"] = _both(operation.derivative(edge.i, *[derivation.names.term(node)
                                                             for node in (child,) + child.parents]))
    else:
        data["kind"] = "listed"
        data["products"] = _products(edge, inputs)
    return data


def _products(edge: Edge, inputs: List[Any]) -> List[List[Any]]:
    """Return for each entry of the parent the pairs (entry of the child, its derivative by this entry), without zeros.
    """
    child, operation = edge.child, edge.child.operation
    assert operation is not None
    found: List[List[Any]] = [[] for _ in range(edge.parent.size)]
    total = 0
    for j in range(child.size):
        unit = np.zeros(child.size)
        unit[j] = 1
        local = operation.backward(edge.i, unit.reshape(child.shape), child.value, *inputs)
        local = unbroadcast(np.asarray(local, float), edge.parent.shape).ravel()
        for position in np.flatnonzero(local):
            found[position].append([j, *_flat(local[position])])
            total += 1
        if total > MOST_PRODUCTS:
            raise InputError(f"The {operation.name} in this graph connects more than {MOST_PRODUCTS:,} pairs of "
                             "numbers, too many for a page. Choose fewer examples or units.")
    return found


# ---------------------------------------------------------------------- steps

def _steps(derivation: Derivation, nodes: List[Node], edges: List[Edge], parameters: List[Node],
           index: Dict[Node, int], rate: float) -> List[Dict[str, Any]]:
    """Return the steps: forward node by node, backward edge by edge, then the update parameter by parameter."""
    names, steps = derivation.names, []
    for node in nodes:
        if node.operation is None:
            continue
        term, shown = names.term(node), None
        if all(each.size <= 24 for each in (node,) + node.parents):
            with_numbers = node.operation.formula(*[array(parent.value) for parent in node.parents])
            shown = _numbers(equation(term, with_numbers, array(node.value)), node.size)
        steps.append({"phase": "forward", "node": index[node], "letters": _both(equation(term, names.formula(node))),
                      "numbers": shown,
                      "shapes": _shapes(derivation, (node,) + node.parents)})
    seed = equation(names.partial(derivation.output), number(1))
    steps.append({"phase": "seed", "node": index[derivation.output], "letters": _both(seed), "numbers": None,
                  "shapes": _shapes(derivation, (derivation.output,))})
    places = {edge: k for k, edge in enumerate(edges)}
    for edge in edges:
        received = [places[each] for each in derivation.edges_to(edge.parent) if each in places]
        step = {"phase": "backward", "edge": places[edge], "node": index[edge.parent],
                "letters": _both(equation(names.partial(edge.parent), flow(derivation, edge))
                                 if len(received) == 1 else flow(derivation, edge)),
                "numbers": _flow_numbers(derivation, edge),
                "shapes": _shapes(derivation, dict.fromkeys((edge.child,) + edge.child.parents), gradients=True),
                "why": _why(derivation, edge), "several": len(received), "last": max(received) == places[edge]}
        if len(received) > 1 and step["last"]:
            rules = sum_of([flow(derivation, edges[k]) for k in sorted(received)])
            step["total"] = _both(equation(names.partial(edge.parent), rules))
        steps.append(step)
    for node in parameters:
        term = names.term(node)
        grad = derivation.gradients.get(node, np.zeros_like(node.value))
        terms = [new(term), term - number(rate) * names.partial(node)]
        if node.size <= 24:
            terms += [array(node.value) - number(rate) * array(grad), array(node.value - rate * grad)]
        steps.append({"phase": "update", "node": index[node], "letters": _both(equation(*terms[:2])),
                      "numbers": _numbers(equation(terms[0], *terms[2:]), node.size) if node.size <= 24 else None,
                      "shapes": _shapes(derivation, (node,))})
    return steps


def _numbers(term: Term, size: int) -> Dict[str, Any]:
    """Return a formula of numbers; of arrays, the table beside it is what is read aloud."""
    return {"math": MATHML.write(term), "spoken": SPOKEN.write(term) if size == 1 else "The numbers are in the table."}


def _flow_numbers(derivation: Derivation, edge: Edge) -> Any:
    """Return the product along an edge with its numbers, where these are few."""
    if edge.child.ndim == edge.parent.ndim == 0:
        return _numbers(equation(numbers(derivation, edge), array(derivation.flows[edge])), 1)
    if max(edge.child.size, *(each.size for each in edge.child.parents)) > 24:
        return None
    operation = edge.child.operation
    assert operation is not None
    values = [array(node.value) for node in (edge.child,) + edge.child.parents]
    with np.errstate(all="ignore"):
        product = operation.flow(edge.i, array(derivation.gradients[edge.child]), *values)
    return _numbers(equation(product, array(derivation.flows[edge])), edge.child.size)


def _why(derivation: Derivation, edge: Edge) -> List[Any]:
    """Return where the shapes and the transposes of an edge's rule come from, as lines."""
    if not edge.child.ndim and not edge.parent.ndim:
        return []
    single = _OneEdge(derivation, edge)
    return [{"math": MATHML.line(line.pieces), "spoken": SPOKEN.line(line.pieces)}
            for line in in_indices(single, edge.child)[1:-1]]  # type: ignore[arg-type]


class _OneEdge:
    """A derivation of which only one edge is looked at."""

    def __init__(self, derivation: Derivation, edge: Edge) -> None:
        self._derivation, self._edge = derivation, edge

    def __getattr__(self, attribute: str) -> Any:
        return getattr(self._derivation, attribute)

    def edges_from(self, child: Node) -> List[Edge]:
        """Return the one edge."""
        return [self._edge]


def _shapes(derivation: Derivation, nodes: Any, gradients: bool = False) -> str:
    """Return the shapes that take part in a step, as words."""
    said = []
    for node in nodes:
        if not is_number(node):
            size = " × ".join(map(str, node.shape)) if node.shape else "one number"
            said.append(f"{derivation.names.text[node]}: {size}")
    return ", ".join(said) + ("; each gradient has the shape of its node" if gradients else "")


def _both(term: Term) -> Dict[str, Any]:
    """Return a formula for the eye and for the ear."""
    return {"math": MATHML.write(term), "spoken": SPOKEN.write(term)}


def _flat(value: Any) -> List[Any]:
    """Return the entries of an array row by row; what JSON has no number for becomes its name."""
    return [number if np.isfinite(number) else str(number) for number in np.asarray(value, float).ravel().tolist()]
