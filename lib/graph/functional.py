"""Derivatives of functions: grad, jacobian, hessian, and products with the Jacobian from the left and the right.

Each takes a function of arrays that is written with the graph's operations, and the point to differentiate it at.
A function returned by grad can itself be given nodes, so that `grad(grad(f))` is the second derivative.
"""
from __future__ import annotations

import inspect
from typing import Any, Callable, Dict, List, Sequence, Tuple, Union

import numpy as np

from lib.graph.engine import propagate, topological_order
from lib.graph.node import Node, as_node, computed_like, variable
from lib.graph.operations import node_in
from lib.graph.sharing import constant_key, operation_key
from lib.validation import InputError


def derivatives(output: Node, wrt: Sequence[Node], grad: Any = None) -> List[Node]:
    """Return the nodes of grad * d(output)/d(node) for each node of wrt: a graph that can be differentiated again.

    Unlike backward(), this leaves every node.grad as it is.

    Args:
        output: the node to differentiate; it must be a single number unless grad is given.
        wrt: the nodes to differentiate it with respect to; they needn't be leaves.
        grad: the upstream gradient, a node or an array in the shape of output; 1 if it isn't given.

    >>> x = variable(2.0)
    >>> dy, = derivatives(x ** 3, [x])
    >>> d2y, = derivatives(dy, [x])
    >>> float(dy.value), float(d2y.value)
    (12.0, 12.0)
    """
    if grad is None:
        if output.size != 1:
            raise InputError(f"Only a single number has a gradient, but {output!r} has shape {output.shape}. Reduce "
                             "it, for example with .sum(), use jacobian, or give the upstream gradient.")
        grad = np.ones(output.shape, output.dtype)
    seed = as_node(grad, output)
    if seed.shape != output.shape:
        raise InputError(f"The upstream gradient must have the shape of {output!r}, {output.shape}, but got shape "
                         f"{seed.shape}.")
    order = topological_order(output, only_needed=True)
    before = [node.grad for node in order]
    try:
        propagate(order, seed, on_nodes=True)
        reached = set(order) if output.needs_grad else set()
        return [node.grad if node in reached else as_node(np.zeros(node.shape, node.dtype), node) for node in wrt]
    finally:
        for node, earlier in zip(order, before):
            node.grad = earlier


def grad(f: Callable[..., Any], argnum: Union[int, Tuple[int, ...]] = 0) -> Callable[..., Any]:
    """Return the function that computes the gradient of f, whose value must be a single number.

    Args:
        f: a function of arrays.
        argnum: which argument to differentiate with respect to; for a tuple of these, a list of gradients is returned.

    Returns:
        A function of the same arguments. It gives an array; a node, if an argument is a node or f depends on a variable
        from outside: then the gradient depends on it, too, and can be differentiated with respect to it.

    >>> from lib.graph import sin
    >>> f = lambda x: sin(x) * x
    >>> round(float(grad(f)(1.0)), 6)           # sin(x) + x cos(x)
    1.381773
    >>> round(float(grad(grad(f))(1.0)), 6)     # 2 cos(x) - x sin(x)
    0.239134
    >>> float(grad(lambda x: x * grad(lambda y: x * y)(1.0))(3.0))      # d(x * x)/dx
    6.0
    """
    argnums = argnum if isinstance(argnum, tuple) else (argnum,)

    def gradient(*args: Any, **kwargs: Any) -> Any:
        call = _Call(f, args, argnums, kwargs)
        results = call.results(derivatives(call.output, call.inputs))
        return results if isinstance(argnum, tuple) else results[0]

    return gradient


def vjp(f: Callable[..., Any], *args: Any, **kwargs: Any) -> Tuple[Any, Callable[[Any], List[Any]]]:
    """Return f(*args), and the function v -> v^T J for each argument: the vector-Jacobian product, which is backward.

    Args:
        f: a function of arrays with a value of any shape.
        args: the point, one array an argument.
        kwargs: further arguments of f, by which nothing is differentiated.

    Returns:
        The value, and a function of an array v in the shape of the value: a list with one array an argument.

    >>> value, product = vjp(lambda x: x * x, np.array([1.0, 2.0, 3.0]))
    >>> product(np.array([1.0, 1.0, 10.0]))[0].tolist()
    [2.0, 4.0, 60.0]
    """
    call = _Call(f, args, tuple(range(len(args))), kwargs)
    return (call.results([call.output])[0],
            lambda v: call.results(derivatives(call.output, call.inputs, v), node_in(v) is not None))


def jvp(f: Callable[..., Any], args: Sequence[Any], tangents: Sequence[Any]) -> Tuple[Any, Any]:
    """Return f(*args) and its directional derivative J t: the Jacobian-vector product.

    g(v) = v^T J is linear in v, so its own vector-Jacobian product with t is J t, whatever v is: two backward passes
    make a forward one.

    Args:
        f: a function of arrays with a value of any shape.
        args: the point, one array an argument.
        tangents: the direction, for each argument an array in its shape.

    >>> value, derivative = jvp(lambda x: x * x, [np.array([1.0, 2.0, 3.0])], [np.array([1.0, 0.0, 10.0])])
    >>> derivative.tolist()
    [2.0, 0.0, 60.0]
    """
    if len(tangents) != len(args):
        raise InputError(f"jvp needs one tangent for each argument, but got {len(tangents)} for {len(args)}.")
    call = _Call(f, args, tuple(range(len(args))), {})
    v = variable(np.zeros(call.output.shape, call.output.dtype))
    total: Any = np.zeros(call.output.shape, call.output.dtype)[()]
    for product, tangent in zip(derivatives(call.output, call.inputs, v), tangents):
        total = derivatives(product, [v], tangent)[0] + total
    call.inputs.append(v)
    on_nodes = node_in(list(tangents)) is not None
    return call.results([call.output])[0], call.results([as_node(total, v)], on_nodes)[0]


def jacobian(f: Callable[..., Any], argnum: int = 0) -> Callable[..., Any]:
    """Return the function that computes the Jacobian of f: J[i..., j...] = df_i.../dx_j...

    It takes one backward pass for each entry of f's value, so it is meant for small functions.

    Args:
        f: a function of arrays with a value of any shape.
        argnum: which argument to differentiate with respect to.

    Returns:
        A function of the same arguments, as grad's; its value has the shape of f's value followed by the shape of the
        argument.

    >>> jacobian(lambda x: x * x)(np.array([1.0, 2.0])).tolist()
    [[2.0, 0.0], [0.0, 4.0]]
    """
    def full_jacobian(*args: Any, **kwargs: Any) -> Any:
        call = _Call(f, args, (argnum,), kwargs)
        output = call.output
        units = np.eye(output.size, dtype=output.dtype).reshape((output.size,) + output.shape)
        rows: List[Any] = [derivatives(output, call.inputs, unit if output.ndim else unit[()])[0] for unit in units]
        shape = output.shape + call.inputs[0].shape
        if not rows:
            return np.zeros(shape, output.dtype)
        together: Any = np.stack(rows)
        return call.results([together.reshape(shape)])[0]

    return full_jacobian


def hessian(f: Callable[..., Any], argnum: int = 0) -> Callable[..., Any]:
    """Return the function that computes the second derivatives of f, whose value must be a single number.

    H[i..., j...] = d^2 f / (dx_i... dx_j...): the Jacobian of the gradient.

    >>> hessian(lambda x: x[0] * x[0] * x[1])(np.array([3.0, 5.0])).tolist()
    [[10.0, 6.0], [6.0, 0.0]]
    """
    return jacobian(grad(f, argnum), argnum)


class _Call:
    """A call of a function in which some arguments are variables, so that its value can be differentiated."""

    def __init__(self, f: Callable[..., Any], args: Sequence[Any], argnums: Tuple[int, ...],
                 kwargs: Dict[str, Any]) -> None:
        if kwargs and len(args) <= max(argnums, default=0):  # by name, what could stand at its place
            bound = inspect.signature(f).bind(*args, **kwargs)
            args, kwargs = bound.args, bound.kwargs
        for k in argnums:
            if not 0 <= k < len(args):
                raise InputError(f"argnum is {k}, but the function was called with {len(args)} arguments: they count "
                                 "from 0.")
        self.on_nodes = any(node_in(arg) is not None for arg in [*args, *kwargs.values()])
        self.begin = variable(0.0).number  # what was made before comes from outside
        nodes = [_input(arg) if k in argnums else arg for k, arg in enumerate(args)]
        self.inputs = [nodes[k] for k in argnums]
        self.output = _as_output(f(*nodes, **kwargs), self.inputs[0])

    def results(self, nodes: Sequence[Node], on_nodes: bool = False) -> List[Any]:
        """Return the nodes, or their values, if nothing outside of the call can be differentiated through them."""
        if on_nodes or self.on_nodes or any(map(self._depends_on_outside, nodes)):
            return list(nodes)
        return [node.value for node in nodes]

    def _depends_on_outside(self, node: Node) -> bool:
        return any(leaf.operation is None and (leaf.number < self.begin or leaf.parameter is not None)
                   for leaf in topological_order(node, only_needed=True) if leaf.needs_grad)


def _input(arg: Any) -> Node:
    """Return a node of its own for one argument: the same node may be given for two arguments."""
    node = node_in(arg)
    if node is None:
        return variable(arg)
    joined = as_node(arg, node)
    return joined.reshape(joined.shape) if joined.needs_grad else variable(joined.value)


def _as_output(value: Any, like: Node) -> Node:
    """Return what a function gave as a node: a function that ignores its argument gives plain numbers."""
    if not isinstance(value, (Node, np.ndarray, np.generic, int, float)):
        raise InputError(f"The function to differentiate must return one node or array, but it returned a "
                         f"{type(value).__name__}. Several outputs can be put together by stack or concatenate.")
    return as_node(value, like)


def share(output: Any) -> Any:
    """Return a graph with the same leaves and values as that of output, in which no sub-expression occurs twice.

    One that has two names stays two nodes.
    """
    return shared(output)[output]


def shared(output: Any) -> Dict[Any, Any]:
    """Return what stands for each node of a graph in the one in which no sub-expression occurs twice."""
    replacement: Dict[Any, Any] = {}
    known: Dict[Any, Any] = {}
    for node in topological_order(output):
        if node.operation is None:
            new = node if node.needs_grad else known.setdefault(constant_key(node), node)
        else:
            parents = tuple(replacement[parent] for parent in node.parents)
            alike = known.setdefault(operation_key(node.operation, parents), [])
            new = next((each for each in alike if None in (each.name, node.name) or each.name == node.name), None)
            if new is None:
                new = computed_like(node, parents)
                alike.append(new)
            new.name = new.name or node.name
        replacement[node] = new
    return replacement
