"""A module's own forward as a graph, of one trial: what flows back through each edge on the way to one tensor.

The graph comes from lib.graph, where that is there and the forward can run on nodes. It counts only if its value is the
output and its gradient the numeric one.
"""
from __future__ import annotations

import linecache
import os
from typing import Any, Dict, List, Optional, Tuple

import numpy as np

from lib.gradient_checking.diagnose.evidence import Trial, close

MOST_NODES = 400


class Edge:
    """What flows back from a node to one of its parents: `whole` before it is summed to the parent's shape."""

    def __init__(self, node: Any, i: int, grad: Any, whole: Any, flow: Any) -> None:
        self.node, self.i, self.grad, self.whole, self.flow = node, i, grad, whole, flow
        self.parent = node.parents[i]
        self.values = [parent.value for parent in node.parents]

    @property
    def operation(self) -> Any:
        return self.node.operation


class ForwardGraph:
    """The nodes between one tensor and the output, parents first, and the edges between them.

    Attributes:
        order: the nodes; the tensor's own is order[0].
        edges: by (place of the node, number of the parent), for one upstream gradient.
    """

    def __init__(self, order: List[Any], upstream: np.ndarray) -> None:
        self.order = order
        self.place = {node: k for k, node in enumerate(order)}
        self.edges: Dict[Tuple[int, int], Edge] = {}
        self.totals: List[Any] = [None] * len(order)
        self.totals[-1] = upstream
        for k in range(len(order) - 1, 0, -1):
            node, grad = order[k], self.totals[k]
            for i, parent in enumerate(node.parents):
                if parent in self.place and grad is not None:
                    edge = self._edge(node, i, grad)
                    self.edges[k, i] = edge
                    place = self.place[parent]
                    known = self.totals[place]
                    self.totals[place] = edge.flow if known is None else known + edge.flow

    def _edge(self, node: Any, i: int, grad: Any) -> Edge:
        from lib.graph import unbroadcast
        whole = np.asarray(node.operation.backward(i, grad, node.value, *[parent.value for parent in node.parents]))
        shape = node.parents[i].shape
        return Edge(node, i, grad, whole, unbroadcast(whole, shape) if node.operation.broadcasts else whole)

    @property
    def gradient(self) -> Any:
        """The right gradient of the tensor."""
        return self.totals[0]

    def with_change(self, changes: Dict[int, Any]) -> Optional[np.ndarray]:
        """Return the tensor's gradient if these amounts come in addition at the places of some nodes.

        An amount may have another shape than the node, as a sum over a wrong axis has; None if that fits nowhere.
        """
        flowing = dict(changes)
        for k in range(max(flowing), 0, -1):
            grad = flowing.pop(k, None)
            if grad is None:
                continue
            node = self.order[k]
            values = [parent.value for parent in node.parents]
            for i, parent in enumerate(node.parents):
                if parent in self.place:
                    flow = self._through(node, i, grad, values)
                    place = self.place[parent]
                    flowing[place] = flow if place not in flowing else flowing[place] + flow
        change = flowing.get(0)
        if change is None:
            return self.gradient
        result = self.gradient + change
        return result if np.shape(result) == np.shape(self.gradient) else None

    def _through(self, node: Any, i: int, grad: Any, values: List[Any]) -> Any:
        from lib.graph import unbroadcast
        flow = np.asarray(node.operation.backward(i, grad, node.value, *values))
        shape = node.parents[i].shape
        if node.operation.broadcasts and np.shape(grad) == node.shape and flow.shape != shape:
            flow = unbroadcast(flow, shape)
        return flow


def graphs_of(trial: Trial) -> Optional[List[ForwardGraph]]:
    """Return the graph of a trial's forward for each of its upstream gradients; None if there is none that is right."""
    try:
        order = _order(trial)
        if order is None:
            return None
        upstreams = [np.asarray(upstream, dtype=float) for upstream in trial.upstreams]
        graphs = [ForwardGraph(order, upstream) for upstream in upstreams]
        kept = _without_zeros(graphs)
        if len(kept) < len(order):
            graphs = [ForwardGraph(kept, upstream) for upstream in upstreams]
    except Exception:  # on nodes, a forward may fail in any way
        return None
    is_right = all(graph.gradient is not None and np.shape(graph.gradient) == expected.shape
                   and close(graph.gradient, expected, trial.size) for graph, expected in zip(graphs, trial.expected))
    return graphs if is_right else None


def _without_zeros(graphs: List[ForwardGraph]) -> List[Any]:
    """Return the nodes into which anything flows: by what is subtracted for safety, such as a maximum, nothing does."""
    order = graphs[0].order
    kept = []
    for k, node in enumerate(order):
        totals = [graph.totals[k] for graph in graphs]
        parts = [np.max(np.abs(edge.flow), initial=0) for graph in graphs for edge in graph.edges.values()
                 if edge.parent is node]
        if k in (0, len(order) - 1) or any(total is not None and np.max(np.abs(total), initial=0) > 1e-9 * max(
                parts, default=0.0) for total in totals):
            kept.append(node)
    below = {order[0]}
    for node in kept:
        if any(parent in below for parent in node.parents):
            below.add(node)
    return [node for node in kept if node in below]


def _order(trial: Trial) -> Optional[List[Any]]:
    """Return the nodes that lie between the trial's tensor and the output, the tensor's own first."""
    try:
        from lib.graph import topological_order, variable
        from lib.graph.modules import trace
    except ImportError:  # a student's version may come without it
        return None
    bench, point = trial.bench, trial.point
    bench.prepare_point(point)
    x = variable(point.inputs[0]) if point.inputs and trial.x is not None else None
    others = [np.copy(value) if isinstance(value, np.ndarray) else value for value in point.inputs[1:]]
    output = trace(bench.module, *([] if x is None else [x]), *others)
    if output.shape != trial.y.shape or not close(output.value, trial.y, float(np.max(np.abs(trial.y), initial=0))):
        return None
    order = topological_order(output, only_needed=True)
    tensor = x if trial.index == 0 else next(
        (node for node in order if node.parameter is bench.parameters[trial.index - 1]), None)
    if tensor is None or all(node is not tensor for node in order):
        return None
    below = {tensor}
    for node in order:
        if any(parent in below for parent in node.parents):
            below.add(node)
    between = [tensor] + [node for node in order if node in below and node is not tensor]
    return between if between[-1] is output and len(between) <= MOST_NODES else None


# ---------------------------------------------------------------------- words

REDUCTIONS = {"mean": "mean", "sum": "sum", "var": "variance", "std": "standard deviation", "norm": "norm",
              "max": "maximum", "min": "minimum", "logsumexp": "log-sum-exp", "prod": "product"}


def described(node: Any, tensor: Any, name: str) -> str:
    """Return how a sentence calls a node: the tensor's or the parameter's name, or its operation in the user's line."""
    if node is tensor:
        return name
    if node.parameter is not None:
        return node.parameter.name or "a parameter"
    if node.operation is None:
        return "a constant"
    kind = REDUCTIONS.get(node.operation.name, node.operation.name)
    if node.line is None:
        return f"the result of {kind}"
    file, number = node.line
    text = linecache.getline(file, number).strip()
    place = f"line {number} of {os.path.basename(file)}"
    return f"the {kind} in `{text}` ({place})" if text else f"the {kind} in {place}"
