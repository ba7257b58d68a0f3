"""The engine: the backward pass over a graph, and its forward pass with new inputs."""
from __future__ import annotations

from typing import Any, List

import numpy as np

from lib.graph.node import Node, topological_order
from lib.graph.operations import unbroadcast
from lib.graph.shape_errors import shape_error
from lib.validation import InputError

_float64 = np.float64


def backward(output: Node, grad: Any = None, accumulate: bool = False) -> None:
    """Compute d(output)/d(node) for each node that output depends on, and leave it in node.grad.

    In reverse topological order, each node has received everything that flows to it before it passes it on:
    d(output)/d(parent) = sum over the parent's children c of d(output)/dc * dc/d(parent).

    Each call starts afresh: afterwards, node.grad is the derivative of this output, whatever was there before, so a
    second backward() changes nothing. A node that is used twice gets the sum over both uses. Leaves that stand for a
    module's Parameter also add their gradient to Parameter.grad, as the module's own backward does: that one does
    accumulate over calls until zero_grad.

    Args:
        output: the node to differentiate.
        grad: the upstream gradient, in the shape of output; may be left out if output is a single number: then it is 1.
        accumulate: whether leaves keep the gradient of earlier calls and have this one added.

    Raises:
        InputError: output isn't a single number and no grad was given, or grad has another shape.
    """
    seed = _seed(output, grad)
    order = topological_order(output, only_needed=True)
    earlier = [(node, node.grad) for node in order if node.operation is None and node.grad is not None]
    propagate(order, seed)
    for node in order:
        if node.parameter is not None:
            node.parameter.grad += node.grad
    if accumulate:
        for leaf, earlier_grad in earlier:
            leaf.grad = earlier_grad + leaf.grad


def propagate(order: List[Node], seed: Any, on_nodes: bool = False) -> None:
    """Send gradients from children to parents through a graph, and leave them in node.grad.

    Args:
        order: the nodes in topological order; the last one is the output.
        seed: the upstream gradient of the output.
        on_nodes: whether gradients are nodes, on which the operations' rules build the graph of the derivative.
    """
    for node in order:
        node.grad = None
    order[-1].grad = seed
    for node in reversed(order):
        operation = node.operation
        if operation is None:
            continue
        grad, parents, rule = node.grad, node.parents, operation.backward
        if type(grad) is _float64 and len(parents) <= 2:
            # The same as below for single numbers, which have no shape to care about: written out without loops, since
            # chains of thousands of scalar operations are common.
            out = node.value
            if len(parents) == 1:
                a, = parents
                contribution = rule(0, grad, out, a.value)
                a.grad = contribution if a.grad is None else a.grad + contribution
                continue
            a, b = parents
            if a.needs_grad:
                contribution = rule(0, grad, out, a.value, b.value)
                a.grad = contribution if a.grad is None else a.grad + contribution
            if b.needs_grad:
                contribution = rule(1, grad, out, a.value, b.value)
                b.grad = contribution if b.grad is None else b.grad + contribution
            continue
        out, inputs = (node, parents) if on_nodes else (node.value, [parent.value for parent in parents])
        for i, parent in enumerate(parents):
            if parent.needs_grad:
                contribution = rule(i, grad, out, *inputs)
                if operation.broadcasts and contribution.shape != parent.value.shape:
                    contribution = unbroadcast(contribution, parent.value.shape)
                if contribution.dtype != parent.value.dtype and not on_nodes:  # NumPy 1 widens float32 numbers
                    contribution = contribution.astype(parent.value.dtype)
                parent.grad = contribution if parent.grad is None else parent.grad + contribution


def forward(output: Node) -> Any:
    """Compute the graph again after new numbers were put into `leaf.value`, and return output.value.

    Every computed node that output depends on gets its new value; gradients stay as they are until backward(). The
    shapes may change, such as the size of a batch, as long as every operation still fits.

    >>> from lib.graph import variable
    >>> x = variable(2.0)
    >>> y = x * x
    >>> x.value = np.float64(5.0)
    >>> float(forward(y))
    25.0
    """
    for node in topological_order(output):
        if node.operation is None:
            node.value = _as_leaf_value(node)
        else:
            try:
                node.value = node.operation.forward(*[parent.value for parent in node.parents])
            except (ValueError, IndexError) as error:
                raise shape_error(node.operation, node.parents, error, node.line) from error
    return output.value


def _as_leaf_value(leaf: Node) -> Any:
    """Return what a user put into a leaf as floating-point numbers; a module's parameter gives its current data."""
    from lib.graph.node import _numbers
    return _numbers(leaf.value if leaf.parameter is None else leaf.parameter.data)


def _seed(output: Node, grad: Any) -> Any:
    """Return the upstream gradient as an array of the output's shape and precision, or raise a sentence."""
    shape, dtype = output.value.shape, output.value.dtype
    if grad is None:
        if output.value.size != 1:
            raise InputError(f"backward starts from a single number, such as a loss, but {output!r} has shape {shape}. "
                             f"Reduce it first, for example node.sum().backward(), or give the upstream gradient: "
                             f"node.backward(grad) with grad of shape {shape}.")
        return dtype.type(1) if shape == () else np.ones(shape, dtype)
    array = np.asarray(grad, dtype)
    if array.shape != shape:
        raise InputError(f"backward expects the upstream gradient in the shape of {output!r}, {shape}, but got shape "
                         f"{array.shape}.")
    return array if shape else array[()]
