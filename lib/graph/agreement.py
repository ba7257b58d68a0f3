"""Whether what a module is written out as agrees with the module's own forward and backward, on these numbers."""
from __future__ import annotations

from typing import Any, List, Sequence

import numpy as np

from lib.graph.engine import pass_on, propagate, topological_order
from lib.graph.module_calls import ModuleCall
from lib.graph.module_state import StandIn, unique
from lib.graph.node import Node


def agrees(written: Node, own: Node) -> bool:
    """Tell whether single operations give the value and the gradients of a module that is one node."""
    if not close(written.value, own.value):
        return False
    call: Any = own.operation
    probe = _probe(own)
    expected = call.gradients(probe, [parent.value for parent in own.parents], is_real=False)
    return _gradients_agree(written, own.parents, probe, expected)


def goes_the_same_ways_back(module: Any, written: Node, nodes: Sequence[Node]) -> bool:
    """Tell whether module.backward sends a gradient through the modules inside of it as the graph does.

    For this, a stand-in takes the place of each one's backward: it notes what it gets, and returns numbers that cost
    nothing to compute.
    """
    order = topological_order(written, only_needed=True, stop=nodes)
    calls = {node: node.operation.module for node in order
             if isinstance(node.operation, ModuleCall) and node not in set(nodes)}
    if len(unique(calls.values())) < len(calls):
        return False  # a module that was called twice remembers its last call only
    gradients, probe = [node.grad for node in order], _probe(written)
    stand_ins = {node: _Noting(i, node.parents[0].value) for i, node in enumerate(calls)}
    try:
        for node in order:
            node.grad = None
        written.grad = probe
        for node in reversed(order):
            if node in calls:
                first, grad = node.parents[0], stand_ins[node](node.grad)
                first.grad = grad if first.grad is None else first.grad + grad
            elif node.operation is not None and node not in set(nodes):
                pass_on(node)
        for node, child in calls.items():
            stand_ins[node].by_graph, stand_ins[node].received = stand_ins[node].received, []
            vars(child)["backward"] = stand_ins[node]
        module.backward(probe)
        return all(len(stand_in.received) == 1 and close(stand_in.received[0], stand_in.by_graph[0])
                   for stand_in in stand_ins.values())
    finally:
        for child in calls.values():
            vars(child).pop("backward", None)
        for node, grad in zip(order, gradients):
            node.grad = grad


class _Noting(StandIn):
    """Stands in for the backward of a module: it notes two numbers of each gradient that it gets, and its shape."""

    def __init__(self, i: int, input_value: Any) -> None:
        self.i, self.input_value = i, input_value
        self.received: List[Any] = []
        self.by_graph: List[Any] = []

    def __call__(self, grad: Any) -> Any:
        grad = np.asarray(grad)
        first, last = grad.flat[0], grad.flat[-1]
        self.received.append(np.array([first, last, *grad.shape]))
        return np.full(self.input_value.shape, first + (self.i + 2) * last, self.input_value.dtype)


def _probe(node: Node) -> Any:
    """Return an upstream gradient for comparisons, in the shape of a node."""
    return np.asarray(np.random.default_rng(0).standard_normal(node.shape)).astype(node.dtype)[()]


def close(a: Any, b: Any) -> bool:
    """Tell whether two arrays are equal but for rounding."""
    a, b = np.asarray(a), np.asarray(b)
    accuracy = 1e-4 if np.float32 in (a.dtype, b.dtype) else 1e-8
    scale = np.max(np.abs(b), initial=0, where=np.isfinite(b))
    return a.shape == b.shape and bool(np.allclose(a, b, rtol=accuracy, atol=accuracy * scale, equal_nan=True))


def _gradients_agree(written: Node, inputs: Sequence[Node], probe: Any, expected: Sequence[Any]) -> bool:
    """Tell whether the graph from the inputs to what was written out gives the gradients that are expected."""
    order = topological_order(written, only_needed=True, stop=inputs)
    touched = list({id(node): node for node in [*order, *inputs]}.values())
    gradients = [node.grad for node in touched]
    try:
        for node in touched:
            node.grad = None
        if written.needs_grad:
            propagate(order, probe)
        return all(close(np.zeros(node.shape) if node.grad is None else node.grad, gradient)
                   for node, gradient in zip(inputs, expected) if node.needs_grad and gradient is not None)
    finally:
        for node, grad in zip(touched, gradients):
            node.grad = grad
