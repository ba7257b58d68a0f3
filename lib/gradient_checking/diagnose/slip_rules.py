"""How the derivative of a single operation, or of a function in several steps, goes wrong.

Each kind is a cause's name, words about it, and what flows then. Sentences continue "in the derivative of f by x, ..."
or "in what flows back through f into x, ...".
"""
from __future__ import annotations

import itertools
from typing import Any, Callable, Iterator, List, Tuple

import numpy as np

from lib.gradient_checking.diagnose.forward_graph import SUMMING, Edge, ForwardGraph

Kind = Tuple[str, str, Callable[..., Any]]

# ---------------------------------------------------------------------- a function of one number

# what may stand where dy/dx belongs, for y = f(x); whether it is a factor of a derivative that has several depends on f
DERIVATIVES: Tuple[Tuple[str, str, Callable[[Any, Any, Any], Any]], ...] = (
    ("another formula", "1 / d stands there, d being the derivative: it is multiplied where it should be divided, or "
     "the other way round", lambda x, y, d: 1 / d),
    ("another formula", "the derivative is squared", lambda x, y, d: d ** 2),
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
    ("another formula", "the root of the derivative stands there", lambda x, y, d: np.sqrt(np.abs(d))),
    ("another formula", "1 - d stands there, d being the derivative", lambda x, y, d: 1 - d),
    ("another formula", "the derivative is multiplied by the input once too often", lambda x, y, d: d * x),
    ("another formula", "a factor, the input, is missing", lambda x, y, d: d / x),
    ("another formula", "the derivative is multiplied by the output once too often, or not divided by it",
     lambda x, y, d: d * y),
    ("another formula", "a factor, the output, is missing", lambda x, y, d: d / y),
    ("absolute value of the upstream gradient", "the sign of the derivative is lost", lambda x, y, d: np.abs(d)))

# derivatives of functions that are easily mistaken for each other
OTHERS: Tuple[Tuple[str, Callable[[Any], Any]], ...] = (
    ("cos(x)", np.cos), ("-sin(x)", lambda x: -np.sin(x)), ("sinh(x)", np.sinh), ("cosh(x)", np.cosh),
    ("exp(x)", np.exp), ("1 / x", lambda x: 1 / x), ("log(x)", np.log),
    ("1 / (1 + x^2), the derivative of arctan", lambda x: 1 / (1 + x ** 2)),
    ("1 / (1 - x^2), the derivative of arctanh", lambda x: 1 / (1 - x ** 2)),
    ("1 / sqrt(1 - x^2), the derivative of arcsin", lambda x: 1 / np.sqrt(1 - x ** 2)),
    ("1 / sqrt(1 + x^2), the derivative of arcsinh", lambda x: 1 / np.sqrt(1 + x ** 2)),
    ("1 / sqrt(x^2 - 1), the derivative of arccosh", lambda x: 1 / np.sqrt(x ** 2 - 1)),
    ("1 / cos(x)^2, the derivative of tan", lambda x: 1 / np.cos(x) ** 2))


def _of_x(formula: Callable[[Any], Any], factor: float) -> Callable[[Any, Any, Any], Any]:
    return lambda x, y, d: factor * formula(x)


FURTHER: Tuple[Tuple[str, str, Callable[[Any, Any, Any], Any]], ...] = tuple(
    ("another formula", f"{sign}{words} stands there", _of_x(formula, factor))
    for words, formula in OTHERS for sign, factor in (("", 1.0), ("minus ", -1.0)))


def derivatives(x: Any, y: Any, d: Any) -> Iterator[Tuple[str, str, Callable[[Any, Any, Any], Any]]]:
    """Yield what may stand where the derivative d of y = f(x) belongs: cause, words, formula of x, y and d."""
    if set(np.unique(d)) <= {0.0, 1.0}:  # a mask, such as that of a maximum
        yield "mask inverted", "the gradient is let through exactly where it shouldn't be", lambda x, y, d: 1 - d
        yield "another formula", "its output y itself stands there, where a 1 belongs", lambda x, y, d: y
        return
    is_sigmoid = np.allclose(np.abs(d), y * (1 - y), rtol=1e-6, atol=1e-12)
    for cause, words, formula in DERIVATIVES + FURTHER:
        if is_sigmoid and words.startswith(("its output y itself", "1 - y stands")):
            yield "term missing", f"{words}: y (1 - y) has two factors", _signed(formula)
        else:
            yield cause, words, formula


def _signed(formula: Callable[[Any, Any, Any], Any]) -> Callable[[Any, Any, Any], Any]:
    """Return a formula for sigmoid(-x), too, whose derivative is -y (1 - y)."""
    return lambda x, y, d: np.sign(d) * formula(x, y, d)


# ---------------------------------------------------------------------- one operation


def of_edge(edge: Edge) -> Iterator[Kind]:
    """Yield what goes wrong in the rule of one operation of several inputs, or of arrays."""
    operation = edge.operation
    if operation.name in ("multiply", "divide", "power"):
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
    if operation.name == "power" and edge.i == 1:
        yield ("another formula", "a factor, the logarithm of the base, is missing",
               lambda e: e.summed(e.whole / np.log(e.values[0])))
    if operation.name == "divide" and edge.i == 1:  # also where the result is 0
        yield ("another formula", "a factor, its result, is missing",
               lambda e: e.summed(e.operation.backward(1, e.grad, np.ones(np.shape(e.out)), *e.values)))
    if operation.name == "transpose":
        yield ("transposed", "it is only reshaped: its axes aren't put back", lambda e: e.grad.reshape(e.parent.shape))
    if operation.name == "index":
        yield ("single entries wrong", "of an entry that was picked several times, only the last use counts: += adds "
               "once for each index, np.add.at as often as it stands there", _last_use)
    if operation.name in ("max", "min", "index") and np.size(edge.whole) > np.size(edge.node.value):
        yield from _of_chosen(edge)
    if operation.name == "einsum":
        yield ("transposed", "the gradient is transposed",
               lambda e: e.summed(e.operation.backward(e.i, np.swapaxes(e.grad, -1, -2), e.out, *e.values)))
        yield from _of_other_operands(edge)
    if operation.name == "cumsum":
        for axis in range(np.ndim(edge.whole)):
            yield ("wrong axis", f"the sums run along axis {axis}",
                   lambda e, axis=axis: np.flip(np.cumsum(np.flip(e.grad, axis), axis), axis))
        yield "transposed", "the sums run forward, not backward", lambda e: e.operation.forward(e.grad)
    if operation.broadcasts and edge.whole.shape != edge.flow.shape:
        yield from _of_axes(edge)


def _of_chosen(edge: Edge) -> Iterator[Kind]:
    """Yield other ways to hand back what came for one entry of several."""
    def everywhere(e: Edge, share: float) -> Any:
        grad = np.asarray(e.grad)
        if grad.ndim < np.ndim(e.whole):
            grad = e.operation.spread(grad, np.shape(e.whole))
        return np.broadcast_to(grad, np.shape(e.whole)) * share

    parts = np.size(edge.whole) / np.size(edge.node.value)
    yield ("another formula", "every entry gets the gradient, not only the one that was chosen",
           lambda e: everywhere(e, 1.0))
    yield ("mask inverted", "every entry gets the gradient but the one that was chosen",
           lambda e: everywhere(e, 1.0) - e.whole)
    yield ("another formula", "the gradient is shared among all entries, as that of a mean",
           lambda e: everywhere(e, 1 / parts))


def _last_use(edge: Edge) -> Any:
    result = np.zeros(edge.parent.shape)
    result[edge.operation.index] = edge.grad
    return result


def _of_other_operands(edge: Edge) -> Iterator[Kind]:
    """Yield that another operand of a sum of products is transposed, turned round, or stands for yet another one."""
    def flow(e: Edge, k: int, change: Callable[[Any], Any]) -> Any:
        values = [change(value) if n == k else value for n, value in enumerate(e.values)]
        return e.summed(e.operation.backward(e.i, e.grad, e.out, *values))

    for k, value in enumerate(edge.values):
        if k == edge.i:
            continue
        for a, b in itertools.combinations(range(np.ndim(value)), 2):
            if value.shape[a] == value.shape[b]:
                yield ("transposed", f"axes {a} and {b} of another operand are exchanged",
                       lambda e, k=k, a=a, b=b: flow(e, k, lambda v: np.swapaxes(v, a, b)))
        for axis in range(np.ndim(value)):
            yield ("single entries wrong", f"another operand is turned round along axis {axis}",
                   lambda e, k=k, axis=axis: flow(e, k, lambda v: np.flip(v, axis)))
        for m, other in enumerate(edge.values):
            if m != k and other.shape == value.shape:
                which = "the operand itself" if m == edge.i else "one other operand"
                yield ("another formula", f"{which} stands where another one belongs",
                       lambda e, k=k, m=m: flow(e, k, lambda v: e.values[m]))


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
    reduces = edge.parent.operation is not None and edge.parent.operation.name in SUMMING
    yield ("missing sum over the batch" if edge.whole.shape[:1] != edge.flow.shape[:1] else
           "softmax diagonal only" if reduces else "wrong axis",
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
    if not is_product and edge.operation.name != "norm":
        return edge.summed(edge.operation.backward(edge.i, edge.grad, edge.operation.forward(*values), *values))
    return edge.summed(edge.operation.backward(edge.i, edge.grad, edge.node.value, *values))


def with_operand(edge: Edge, node: Any, value: Any) -> Any:
    """Return what flows if a node had another value in an operation's derivative."""
    values = [value if parent is node else given for parent, given in zip(edge.node.parents, edge.values)]
    return edge.summed(edge.operation.backward(edge.i, edge.grad, edge.operation.forward(*values), *values))
