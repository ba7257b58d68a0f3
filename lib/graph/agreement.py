"""Whether what a module is written out as agrees with the module's own forward and backward, on these numbers."""
from __future__ import annotations

import functools
from typing import Any, Dict, List, Sequence, Set, Tuple

import numpy as np

from lib.graph.engine import pass_on, propagate, topological_order
from lib.graph.module_state import Attributes, StandIn, unique
from lib.graph.node import Node


def agrees(written: Node, own: Node) -> bool:
    """Tell whether single operations give the value and the gradients of a module that is one node."""
    if not close(written.value, own.value):
        return False
    call: Any = own.operation
    probe = _probe(own.shape, own.dtype)
    expected = call.gradients(probe.copy(), [parent.value for parent in own.parents])
    return _gradients_agree(written, own.parents, probe, expected)


def goes_the_same_ways_back(module: Any, written: Node, nodes: Sequence[Node], calls: Dict[Node, Node]) -> bool:
    """Tell whether module.backward sends a gradient through the modules inside of it as the graph does.

    For this, a stand-in takes the place of each one's backward: it notes what it gets, and returns numbers that cost
    nothing to compute.

    Args:
        module, written, nodes: the module, what it gave on nodes, and these nodes.
        calls: what each module inside of it gave, and the node that is this module as a whole.
    """
    stop = set(nodes)
    order = _order_with_calls(written, stop, calls)
    called = {node: calls[node] for node in order if node in calls and node not in stop}
    inside = [own.operation.module for own in called.values()]  # type: ignore[union-attr]
    if len(unique(inside)) < len(inside):
        return False  # a module that was called twice remembers its last call only
    gradients, probe = [node.grad for node in order], np.ones(written.shape, written.dtype)
    attributes = Attributes([module])
    stand_ins = {node: _Noting(i, own.parents[0].value) for i, (node, own) in enumerate(called.items())}
    try:
        for node in order:
            node.grad = None
        written.grad = probe
        for node in reversed(order):
            if node in called:
                first, grad = called[node].parents[0], stand_ins[node](node.grad)
                first.grad = grad if first.grad is None else first.grad + grad
            elif node.operation is not None and node not in stop:
                pass_on(node)
        for stand_in, child in zip(stand_ins.values(), inside):
            stand_in.by_graph, stand_in.received = stand_in.received, []
            vars(child)["backward"] = stand_in
        module.backward(probe)
        return all(stand_in.has_received_the_same() for stand_in in stand_ins.values())
    finally:
        for child in inside:
            vars(child).pop("backward", None)
        attributes.restore()
        for node, grad in zip(order, gradients):
            node.grad = grad


def _order_with_calls(output: Node, stop: Set[Node], calls: Dict[Node, Node]) -> List[Node]:
    """Return the nodes between some nodes and the output, in topological order, a module that was called as a whole."""
    found, order = {output}, [output]
    for node in order:  # grows while it is walked through
        parents = calls[node].parents[:1] if node in calls else node.parents
        for parent in parents if node not in stop else ():
            if parent not in found and parent.needs_grad:
                found.add(parent)
                order.append(parent)
    return sorted(order, key=lambda node: node.number)


class _Noting(StandIn):
    """Stands in for the backward of a module: it notes each gradient that it gets, and returns one of equal entries."""

    def __init__(self, i: int, input_value: Any) -> None:
        number = np.array(1.5 + i, input_value.dtype)
        self.answer = np.ndarray(input_value.shape, number.dtype, number, strides=(0,) * input_value.ndim)
        self.answer.flags.writeable = False
        self.received: List[Any] = []
        self.by_graph: List[Any] = []

    def __call__(self, grad: Any) -> Any:
        self.received.append(grad)
        return self.answer

    def has_received_the_same(self) -> bool:
        """Tell whether it was called once on both ways, with the same but for rounding."""
        if len(self.received) != 1 or len(self.by_graph) != 1:
            return False
        one, other = self.received[0], self.by_graph[0]
        return one is other or close(one, other)


@functools.lru_cache(maxsize=8)
def _probe(shape: Tuple[int, ...], dtype: Any) -> Any:
    """Return an upstream gradient for comparisons, with numbers of all kinds."""
    return np.cos(1.0 + np.arange(np.prod(shape, dtype=int))).reshape(shape).astype(dtype)[()]


def accuracy_of(dtype: Any) -> float:
    """Return how large a difference rounding may make, as a part of the numbers."""
    return 1e-8 if dtype == np.float64 else 1e-4


def close(a: Any, b: Any) -> bool:
    """Tell whether two arrays are equal but for rounding, as seen from their greatest entries."""
    a, b = np.asarray(a), np.asarray(b)
    accuracy = max(accuracy_of(a.dtype), accuracy_of(b.dtype))
    if a.shape != b.shape:
        return False
    difference = a - b
    distance = np.vdot(difference, difference)
    if np.isfinite(distance):
        return bool(distance <= accuracy ** 2 * np.vdot(b, b))
    return np.allclose(a, b, rtol=accuracy, equal_nan=True)


def _gradients_agree(written: Node, inputs: Sequence[Node], probe: Any, expected: Sequence[Any]) -> bool:
    """Tell whether the graph from the inputs to what was written out gives the gradients that are expected."""
    given = set(inputs)
    order = [node for node in topological_order(written, only_needed=True, stop=given) if node not in given]
    touched = [*order, *given]
    gradients = [node.grad for node in touched]
    try:
        for node in touched:
            node.grad = None
        if written.needs_grad:
            propagate(order, probe.copy())
        return all(close(np.zeros(node.shape) if node.grad is None else node.grad, gradient)
                   for node, gradient in zip(inputs, expected) if node.needs_grad and gradient is not None)
    finally:
        for node, grad in zip(touched, gradients):
            node.grad = grad
