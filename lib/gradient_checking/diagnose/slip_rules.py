"""How the derivative of a single operation, or of a function in several steps, goes wrong.

Each kind is a cause's name, words about it, and what flows then. Sentences continue "in the derivative of f by x, ..."
or "in what flows back through f into x, ...".
"""
from __future__ import annotations

from typing import Any, Callable, Iterator, List, Tuple

import numpy as np

from lib.gradient_checking.diagnose.forward_graph import Edge, ForwardGraph, Place

Kind = Tuple[str, str, Callable[..., Any]]

# ---------------------------------------------------------------------- a function of one number

# what may stand where dy/dx belongs, for y = f(x); whether it is a factor of a derivative that has several depends on f
DERIVATIVES: Tuple[Tuple[str, str, Callable[[Any, Any, Any], Any]], ...] = (
    ("output taken for input", "x (1 - x) stands there, with the input x where the output belongs",
     lambda x, y, d: x * (1 - x)),
    ("output taken for input", "1 - x^2 stands there, with the input x where the output belongs",
     lambda x, y, d: 1 - x ** 2),
    ("output taken for input", "y (1 - x) stands there", lambda x, y, d: y * (1 - x)),
    ("another formula", "its output y itself stands there", lambda x, y, d: y),
    ("another formula", "1 - y stands there, with its output y", lambda x, y, d: 1 - y),
    ("another formula", "1 + y stands there, with its output y", lambda x, y, d: 1 + y),
    ("another formula", "y^2 stands there, with its output y", lambda x, y, d: y ** 2),
    ("another formula", "1 - y^2 stands there, the derivative of tanh", lambda x, y, d: 1 - y ** 2),
    ("another formula", "1 + y^2 stands there, with its output y", lambda x, y, d: 1 + y ** 2),
    ("another formula", "y (1 - y) stands there, the derivative of the sigmoid", lambda x, y, d: y * (1 - y)),
    ("another formula", "y (1 + y) stands there, with a wrong sign", lambda x, y, d: y * (1 + y)),
    ("another formula", "its input x itself stands there", lambda x, y, d: x),
    ("another formula", "the derivative is squared", lambda x, y, d: d ** 2),
    ("another formula", "the root of the derivative stands there", lambda x, y, d: np.sqrt(np.abs(d))),
    ("another formula", "1 - d stands there, d being the derivative", lambda x, y, d: 1 - d),
    ("another formula", "1 / d stands there, d being the derivative", lambda x, y, d: 1 / d),
    ("another formula", "the derivative is multiplied by the input once too often", lambda x, y, d: d * x),
    ("another formula", "a division by the input is missing, or a factor too many", lambda x, y, d: d / x),
    ("another formula", "the derivative is multiplied by the output once too often, or not divided by it",
     lambda x, y, d: d * y),
    ("another formula", "a factor, the output, is missing", lambda x, y, d: d / y),
    ("absolute value of the upstream gradient", "the sign of the derivative is lost", lambda x, y, d: np.abs(d)))


def of_segment(graph: ForwardGraph, places: List[Place]) -> Iterator[Kind]:
    """Yield other derivatives of the function that a segment computes."""
    yield "term missing", "nothing stands there: the gradient goes through unchanged", lambda g, p: _start(g, p)
    x, y, d = _numbers(graph, places)
    if set(np.unique(d)) <= {0.0, 1.0}:  # a mask, such as that of a maximum
        return
    is_sigmoid = np.allclose(d, y * (1 - y), rtol=1e-6, atol=1e-12)
    for cause, words, formula in DERIVATIVES:
        if is_sigmoid and words.startswith(("its output y itself", "1 - y stands")):
            cause, words = "term missing", f"{words}: y (1 - y) has two factors"
        yield cause, words, lambda g, p, formula=formula: _start(g, p) * formula(*_numbers(g, p))
    yield "output taken for input", "the output stands where the input belongs", lambda g, p: _at_output(g, p)


def _start(graph: ForwardGraph, places: List[Place]) -> Any:
    """Return what flows into the segment's first node."""
    return graph.edges[places[0]].grad


def _numbers(graph: ForwardGraph, places: List[Place]) -> Tuple[Any, Any, Any]:
    """Return input, output and derivative of the function that a segment computes."""
    first, last = graph.edges[places[0]], graph.edges[places[-1]]
    ones = np.ones(first.node.shape)
    for place in places:
        edge = graph.edges[place]
        ones = edge.operation.backward(edge.i, ones, edge.node.value, *edge.values)
    return np.asarray(last.parent.value), np.asarray(first.node.value), np.asarray(ones)


def _at_output(graph: ForwardGraph, places: List[Place]) -> Any:
    value = np.asarray(graph.edges[places[0]].node.value)
    steps = []
    for place in reversed(places):
        edge = graph.edges[place]
        values = [value if i == edge.i else other for i, other in enumerate(edge.values)]
        value = edge.operation.forward(*values)
        steps.append((edge, values, value))
    grad = _start(graph, places)
    for edge, values, out in reversed(steps):
        grad = edge.operation.backward(edge.i, grad, out, *values)
    return grad


# ---------------------------------------------------------------------- one operation


def of_edge(edge: Edge) -> Iterator[Kind]:
    """Yield what goes wrong in the rule of one operation of several inputs, or of arrays."""
    operation = edge.operation
    if operation.elementwise and operation.name not in ("add", "subtract", "negate"):
        yield ("term missing", "the derivative is missing: the gradient goes through unchanged",
               lambda e: e.summed(np.broadcast_to(e.grad, e.node.shape)))
    if operation.elementwise and len(edge.values) == 2:
        for words, value in (("its result", lambda e: e.node.value), ("its first operand", lambda e: e.values[0]),
                             ("its second operand", lambda e: e.values[1])):
            for verb, power in (("multiplied by", 1.0), ("divided by", -1.0)):
                yield ("another formula", f"it is {verb} {words} once too often, or once too seldom",
                       lambda e, value=value, power=power: e.summed(e.whole * np.asarray(value(e), float) ** power))
    if operation.name == "multiply":
        yield ("another formula", "the factor itself stands where the other one belongs",
               lambda e: e.summed(e.grad * e.values[e.i]))
    if operation.name == "matmul":
        yield from _of_matrices(edge)
    if operation.name == "cumsum":
        yield "transposed", "the sums run forward, not backward", lambda e: e.operation.forward(e.grad)
    if operation.broadcasts and edge.whole.shape != edge.flow.shape:
        yield from _of_axes(edge)


def _of_matrices(edge: Edge) -> Iterator[Kind]:
    def swapped(value: Any) -> Any:
        return np.swapaxes(value, -1, -2) if np.ndim(value) > 1 else value

    def product(e: Edge, grad: Any, other: Any) -> Any:
        result = e.summed(grad @ other if e.i == 0 else other @ grad)
        return result if result.shape == e.flow.shape else None

    yield ("transposed", "the other matrix isn't transposed",
           lambda e: product(e, e.grad, e.values[1 - e.i]))
    yield ("transposed", "the gradient is transposed",
           lambda e: product(e, swapped(e.grad), swapped(e.values[1 - e.i])))
    yield ("transposed", "the result is transposed",
           lambda e: swapped(e.flow) if swapped(e.flow).shape == e.flow.shape else None)
    yield ("another formula", "the matrix itself stands where the other one belongs",
           lambda e: product(e, e.grad, swapped(e.values[e.i])))


def _of_axes(edge: Edge) -> Iterator[Kind]:
    """Yield other ways to sum what flows back into something that was broadcast."""
    def other_sum(e: Edge, axis: Tuple[int, ...], as_mean: bool) -> Any:
        result = e.whole.sum(axis=axis, keepdims=True)
        if result.shape == e.flow.shape or len(axis) == e.whole.ndim and result.size == e.flow.size:
            return None
        return result * (result.size / e.flow.size if as_mean else 1.0)

    for axis in _other_axes(edge):
        over = "everything" if len(axis) == edge.whole.ndim else " and ".join(f"axis {k}" for k in axis)
        for as_mean in (False, True):
            yield ("wrong axis", f"the {'mean' if as_mean else 'sum'} is taken over {over}",
                   lambda e, axis=axis, as_mean=as_mean: other_sum(e, axis, as_mean))
    yield ("missing sum over the batch" if edge.whole.shape[:1] != edge.flow.shape[:1] else "wrong axis",
           "nothing is summed, though each entry was used several times", lambda e: e.whole)
    yield ("mean for sum", "the mean is taken where the sum belongs",
           lambda e: e.flow * np.size(e.flow) / np.size(e.whole))


def _other_axes(edge: Edge) -> List[Tuple[int, ...]]:
    ndim = edge.whole.ndim
    return [(k,) for k in range(ndim)] + [tuple(range(ndim))] + [
        tuple(m for m in range(ndim) if m != k) for k in range(ndim) if ndim > 2]


def of_late_divisions(graph: ForwardGraph, edge: Edge) -> Iterator[Kind]:
    """Yield sums over another axis where what is summed is divided, or multiplied, by something only afterwards."""
    for n, node in enumerate(graph.all_nodes):
        if node.shape != edge.flow.shape or node.size < 2 or not np.all(node.value):
            continue
        for axis in _other_axes(edge):
            for power in (1.0, 2.0):
                for as_mean in (False, True):
                    def flow(e: Edge, g: ForwardGraph, n: int = n, axis: Tuple[int, ...] = axis, power: float = power,
                             as_mean: bool = as_mean) -> Any:
                        factor = np.asarray(g.all_nodes[n].value, dtype=float) ** power
                        result = (e.whole * factor).sum(axis=axis, keepdims=True)
                        if result.shape == e.flow.shape:
                            return None
                        return result / factor * (result.size / e.flow.size if as_mean else 1.0)
                    over = "everything" if len(axis) == edge.whole.ndim else " and ".join(f"axis {k}" for k in axis)
                    yield "wrong axis", f"the {'mean' if as_mean else 'sum'} is taken over {over}", flow


def with_value(edge: Edge, value: Any, is_product: bool) -> Any:
    """Return what flows if another value stands in an operation's derivative."""
    values = list(edge.values)
    values[1 - edge.i if is_product else edge.i] = value
    if not is_product:
        return edge.summed(edge.operation.backward(edge.i, edge.grad, edge.operation.forward(*values), *values))
    return edge.summed(edge.operation.backward(edge.i, edge.grad, edge.node.value, *values))


def with_operand(edge: Edge, node: Any, value: Any) -> Any:
    """Return what flows if a node had another value in an operation's derivative."""
    values = [value if parent is node else given for parent, given in zip(edge.node.parents, edge.values)]
    return edge.summed(edge.operation.backward(edge.i, edge.grad, edge.operation.forward(*values), *values))
