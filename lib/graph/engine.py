"""The engine: the backward pass over a graph, and its forward pass with new inputs."""
from __future__ import annotations

import operator
from typing import Any, Iterable, List

import numpy as np

from lib.graph.changes import marks_of, require_unchanged
from lib.graph.leaf_values import leaf_value
from lib.graph.operations import unbroadcast
from lib.graph.shape_errors import shape_error
from lib.validation import InputError, as_float

_number_of = operator.attrgetter("number")
_float64, _ndarray = np.float64, np.ndarray

# The C library of Linux hands large blocks back to the system, page by page, and takes as large what is larger than all
# blocks that were freed before. One of this size lets it keep those that a training loop allocates anew in each step.
np.empty(31 * 2 ** 20, np.uint8)


def topological_order(output: Any, only_needed: bool = False, stop: Iterable[Any] = ()) -> List[Any]:
    """Return the node and all nodes that it was computed from, parents before children; without recursion.

    A node is created after its parents, so the order of creation is a topological order. With only_needed, constants
    and what is computed from constants alone are left out. The walk goes no further back than the nodes to stop at.
    """
    found, stop = {output}, set(stop)
    order = [output]
    walk = (node for node in order if node not in stop) if stop else order
    for node in walk:  # grows while it is walked through
        for parent in node.parents:
            if parent not in found and (parent.needs_grad or not only_needed):
                found.add(parent)
                order.append(parent)
    order.sort(key=_number_of)
    return order


def backward(output: Any, grad: Any = None, accumulate: bool = False) -> None:
    """Compute d(output)/d(node) for each node that output depends on, and leave it in node.grad.

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
    leaves = [node for node in order if node.operation is None]
    earlier = [leaf.grad for leaf in leaves]
    propagate(order, seed)
    for leaf, earlier_grad in zip(leaves, earlier):
        if leaf.parameter is not None:
            leaf.parameter.grad += leaf.grad
        if accumulate and earlier_grad is not None:
            leaf.grad = earlier_grad + leaf.grad


def propagate(order: List[Any], seed: Any, on_nodes: bool = False) -> None:
    """Send gradients from children to parents through a graph, and leave them in node.grad.

    In reverse topological order, each node has received everything that flows to it before it passes it on:
    d(output)/d(parent) = sum over the parent's children c of d(output)/dc * dc/d(parent).

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
        grad, parents = node.grad, node.parents
        if type(grad) is _float64 and operation.elementwise:
            # The same as pass_on for single numbers, which have no shape to care about and no memory to share. It is
            # written out, since chains of thousands of scalar operations are common.
            if len(parents) == 1:
                a, = parents
                contribution = operation.backward(0, grad, node.value, a.value)
                a.grad = contribution if a.grad is None else a.grad + contribution
                continue
            if len(parents) == 2:
                a, b = parents
                x, y = a.value, b.value
                if type(x) is type(y) is _float64:  # one of them may be of float32
                    if a.needs_grad:
                        contribution = operation.backward(0, grad, node.value, x, y)
                        a.grad = contribution if a.grad is None else a.grad + contribution
                    if b.needs_grad:
                        contribution = operation.backward(1, grad, node.value, x, y)
                        b.grad = contribution if b.grad is None else b.grad + contribution
                    continue
        (_pass_on_nodes if on_nodes else pass_on)(node)


def pass_on(node: Any) -> None:
    """Pass a node's gradient on to its parents: to each what the operation's backward says, summed over all uses."""
    if node.marks is not None:
        require_unchanged(node)
    inputs = [parent.value for parent in node.parents]
    for i, parent in enumerate(node.parents):
        if parent.needs_grad:
            contribution = node.operation.backward(i, node.grad, node.value, *inputs)
            contribution = _as_gradient(contribution, parent.value, node)
            if parent.grad is None:
                parent.grad = contribution
            else:
                parent.grad += contribution


def _as_gradient(contribution: Any, value: Any, node: Any) -> Any:
    """Return what a rule gave in the shape and precision of the parent's value, in memory that it shares with nobody.

    Rules may return the child's gradient itself, or a view of it.
    """
    if node.operation.broadcasts and contribution.shape != value.shape:
        contribution = unbroadcast(contribution, value.shape)
    if contribution.dtype != value.dtype:  # NumPy 1 widens float32 numbers
        return contribution.astype(value.dtype)
    shared = contribution is node.grad or contribution.base is not None
    return contribution.copy() if shared and type(contribution) is _ndarray else contribution


def _pass_on_nodes(node: Any) -> None:
    """The same as pass_on for gradients that are nodes: the rules get nodes, and so make the derivative's graph."""
    if node.marks is not None:
        require_unchanged(node)
    for i, parent in enumerate(node.parents):
        if parent.needs_grad:
            contribution = node.operation.backward(i, node.grad, node, *node.parents)
            if node.operation.broadcasts:
                contribution = unbroadcast(contribution, parent.shape)
            parent.grad = contribution if parent.grad is None else parent.grad + contribution


def forward(output: Any) -> Any:
    """Compute the graph again after new numbers were put into `leaf.value`, and return output.value.

    Every computed node that output depends on gets its new value; gradients stay as they are until backward(). The
    shapes may change, such as the size of a batch, as long as every operation still fits. What was an array or a number
    outside of the graph, such as the condition in np.where(x > 0, x, 0), stays what it was.

    >>> from lib.graph import variable
    >>> x = variable(2.0)
    >>> y = x * x
    >>> x.value = np.float64(5.0)
    >>> forward(y).item()
    25.0
    """
    for node in topological_order(output):
        if node.operation is None:
            node.value = leaf_value(node.value) if node.parameter is None else node.parameter.data
        else:
            try:
                node.value = node.operation.forward(*[parent.value for parent in node.parents])
            except (ValueError, IndexError) as error:
                raise shape_error(node.operation, node.parents, error, node.line) from error
            if node.line is not None or node.marks is not None:
                node.marks = marks_of(node.parents)
    return output.value


def _seed(output: Any, grad: Any) -> Any:
    """Return the upstream gradient as an array of the output's shape and precision, or raise a sentence."""
    shape, dtype = output.value.shape, output.value.dtype
    if grad is None:
        if output.value.size != 1:
            raise InputError(f"backward starts from a single number, such as a loss, but {output!r} has shape {shape}. "
                             f"Reduce it first, for example node.sum().backward(), or give the upstream gradient: "
                             f"node.backward(grad) with grad of shape {shape}.")
        return dtype.type(1) if shape == () else np.ones(shape, dtype)
    array = np.array(as_float(grad, "backward"), dtype)  # a copy: it becomes output.grad
    if array.shape != shape:
        raise InputError(f"backward expects the upstream gradient in the shape of {output!r}, {shape}, but got shape "
                         f"{array.shape}.")
    return array if shape else array[()]
