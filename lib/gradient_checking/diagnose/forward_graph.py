"""A module's own forward as a graph, of one trial: what flows back through each edge on the way to one tensor.

The graph comes from lib.graph, where that is there and the forward can run on nodes. It counts only if its value is the
output and its gradient the numeric one.
"""
from __future__ import annotations

import inspect
from contextlib import contextmanager
from traceback import walk_stack
from types import FunctionType
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Sequence, Set, Tuple

import numpy as np

from lib.gradient_checking.diagnose.evidence import Trial, close
from lib.network_base import Module

MOST_NODES = 300
SUMMING = ("sum", "mean", "var", "std", "norm")
Place = Tuple[int, int]  # of an edge: the number of the node in ForwardGraph.order, and which of its parents


class Edge:
    """What flows back from a node to one of its parents: `whole`, and `flow`, summed to the parent's shape."""

    def __init__(self, node: Any, i: int, grad: Any, values: Sequence[Any], out: Any) -> None:
        self.node, self.i, self.grad, self.values, self.out = node, i, grad, values, out
        self.parent, self.operation = node.parents[i], node.operation
        if np.shape(grad) != node.shape and self.operation.name in SUMMING:  # summed over another axis before
            slope = self.operation.backward(i, np.ones(node.shape), out, *values)
            self.whole = np.broadcast_to(grad, self.parent.shape) * slope
        else:
            self.whole = np.asarray(self.operation.backward(i, grad, out, *values))

    @property
    def flow(self) -> Any:
        return self.summed(self.whole)

    def summed(self, whole: Any) -> Any:
        """Return a contribution in the parent's shape; one of a misfitting shape, by a slip, stays as it is."""
        from lib.graph import unbroadcast
        whole = np.asarray(whole)
        if not self.operation.broadcasts or np.shape(self.grad) != self.node.shape:
            return whole
        return unbroadcast(whole, self.parent.shape)


class Change(NamedTuple):
    """A slip: what flows along some edges instead, and what flows into some nodes instead."""

    edges: Dict[Place, Callable[[Edge], Any]] = {}
    nodes: Dict[int, Callable[[Any], Any]] = {}


class ForwardGraph:
    """The nodes between one tensor and the output, parents first, and what flows back between them.

    Attributes:
        order: the nodes; the tensor's own is order[0], the output order[-1].
        all_nodes: these, and those that don't depend on the tensor.
        edges, totals: what flows along each edge and into each node, for one upstream gradient.
    """

    def __init__(self, order: List[Any], all_nodes: List[Any], upstream: np.ndarray) -> None:
        self.order, self.all_nodes = order, all_nodes
        self.place = {node: k for k, node in enumerate(order)}
        self.edges: Dict[Place, Edge] = {}
        self.everywhere: Optional[List[Any]] = None  # of all nodes, where it is known: see pair_slips.gradients
        self.totals: List[Any] = [None] * len(order)
        self.totals[-1] = upstream
        for k in range(len(order) - 1, -1, -1):
            for i, edge in self._edges_of(k, self.totals[k]):
                self.edges[k, i] = edge
                self._add(self.totals, edge, edge.flow)

    def _edges_of(self, k: int, grad: Any, others: Optional[Dict[Any, Any]] = None) -> Iterator[Tuple[int, Edge]]:
        node, others = self.order[k], others or {}
        values = [others.get(parent, parent.value) for parent in node.parents]
        for i, parent in enumerate(node.parents):
            if parent in self.place and grad is not None:
                yield i, Edge(node, i, grad, values, others.get(node, node.value))

    def _add(self, totals: List[Any], edge: Edge, flow: Any) -> None:
        at = self.place[edge.parent]
        totals[at] = flow if totals[at] is None else totals[at] + flow

    @property
    def gradient(self) -> Any:
        """The right gradient of the tensor."""
        return self.totals[0]

    def changed(self, change: Change) -> Optional[np.ndarray]:
        """Return the tensor's gradient with a slip, or None if that has another shape."""
        highest = max([k for k, _ in change.edges] + list(change.nodes))
        totals: List[Any] = [None] * len(self.order)
        totals[-1] = self.totals[-1]
        for k in range(len(self.order) - 1, 0, -1):
            if k in change.nodes and totals[k] is not None:
                totals[k] = change.nodes[k](totals[k])
            if k > highest:
                edges: Any = [(i, self.edges[k, i]) for i in range(len(self.order[k].parents)) if (k, i) in self.edges]
            else:
                edges = self._edges_of(k, totals[k])
            for i, edge in edges:
                flow = change.edges[k, i](edge) if (k, i) in change.edges else edge.flow
                if flow is None:
                    return None
                self._add(totals, edge, flow)
        if totals[0] is None:
            return np.zeros(np.shape(self.gradient))
        result = change.nodes[0](totals[0]) if 0 in change.nodes else totals[0]
        return result if np.shape(result) == np.shape(self.gradient) else None

    def uses(self, node: Any) -> List[Place]:
        """Return the edges that lead into a node."""
        return [place for place, edge in self.edges.items() if edge.parent is node]

    def back(self, upper: int, lower: int, grad: Any, at: Optional[Any] = None) -> Any:
        """Return what comes back at the lower of two places if grad flows into the upper one, and nothing else does.

        Args:
            at: the value that the lower place has instead of its own; what depends on it is computed anew.
        """
        values = {self.order[lower]: at} if at is not None else {}
        for node in self.order[lower + 1:upper + 1] if at is not None else ():
            if any(parent in values for parent in node.parents):
                values[node] = node.operation.forward(*[values.get(parent, parent.value) for parent in node.parents])
        totals: List[Any] = [None] * len(self.order)
        totals[upper] = grad
        for k in range(upper, lower, -1):
            for _, edge in self._edges_of(k, totals[k], values):
                self._add(totals, edge, edge.flow)
        return totals[lower]


def graphs_of(trial: Trial) -> Optional[List[ForwardGraph]]:
    """Return the graph of a trial's forward for each of its upstream gradients; None if there is none that is right."""
    try:
        all_nodes = _traced(trial)
        order = None if all_nodes is None else _between(all_nodes, trial)
        if all_nodes is None or order is None:
            return None
        upstreams = [np.asarray(upstream, dtype=float) for upstream in trial.upstreams]
        graphs = [ForwardGraph(order, all_nodes, upstream) for upstream in upstreams]
        kept = _without_zeros(graphs)
        if len(kept) < len(order):
            graphs = [ForwardGraph(kept, all_nodes, upstream) for upstream in upstreams]
    except Exception:  # on nodes, a forward may fail in any way
        return None
    is_right = all(graph.gradient is not None and np.shape(graph.gradient) == expected.shape
                   and close(graph.gradient, expected, trial.size, trial.sharpness)
                   for graph, expected in zip(graphs, trial.expected))
    return graphs if is_right else None


def _traced(trial: Trial) -> Optional[List[Any]]:
    """Return all nodes of the forward's graph, parents first; the first input is a variable."""
    try:
        from lib.graph import topological_order
        from lib.graph.assignments import assignments, settled
    except ImportError:  # a student's version may come without it
        return None
    namespaces = _namespaces(trial.bench.module)
    try:
        with _floats_stay_nodes(namespaces):
            output = _on_nodes(trial)
    except Exception:  # it may be that it fills an array
        with _floats_stay_nodes(namespaces), assignments(namespaces):
            output = settled(_on_nodes(trial))
    size = float(np.max(np.abs(trial.y), initial=0))
    if output.shape != trial.y.shape or not close(output.value, trial.y, size, trial.sharpness):
        return None
    nodes, callers = topological_order(output), {(frame.f_code.co_filename, line) for frame, line in walk_stack(None)}
    for node in nodes:
        if node.line in callers:  # whoever called for this check, whose line has nothing to do with forward
            node.line = None
        node.value = np.array(node.value)  # its own: at the next point, parameters change in place
    places = {id(parameter): place for place, parameter in enumerate(trial.bench.parameters)}
    return sorted(nodes, key=lambda node: (  # alike in all trials; nodes of parameters may be older than the trial
        places.get(id(node.parameter), -1) if node.is_leaf and node.parameter is not None else len(places),
        node.number))


def _on_nodes(trial: Trial) -> Any:
    """Return what the forward gives for nodes; the first input is a variable."""
    from lib.graph import constant, variable
    from lib.graph.modules import forward_on_nodes
    trial.bench.prepare_point(trial.point)
    names = list(inspect.signature(type(trial.bench.module).forward).parameters)[1:]
    inputs: List[Any] = []
    for number, value in enumerate(trial.point.inputs):
        value = np.copy(value) if isinstance(value, np.ndarray) else value
        if not isinstance(value, np.ndarray) or value.dtype.kind == "f":
            name = names[number] if number < len(names) else None
            value = constant(value, name) if number else variable(value, name or "x")
        inputs.append(value)
    return forward_on_nodes(trial.bench.module, *inputs)


def _namespaces(module: Module) -> List[Dict[str, Any]]:
    """Return the global names of the forwards of a module and its parts, and of the user's functions that they call."""
    found: List[Any] = []
    for _, part in module.named_modules():
        found += [type(part).forward, *vars(part).values()]
    functions: List[FunctionType] = []
    for function in found:  # grows while it is walked through
        if isinstance(function, FunctionType) and function not in functions and \
                not function.__module__.startswith(("numpy", "lib.graph")):
            functions.append(function)
            found += [function.__globals__.get(name) for name in function.__code__.co_names]
    return list({id(function.__globals__): function.__globals__ for function in functions}.values())


class _AnyFloat(type):
    """The class of what stands for `float` while a forward runs on nodes: float numbers are of it, too."""

    dtype = np.dtype(float)  # so that it may say what an array is made of

    def __instancecheck__(cls, value: Any) -> bool:
        return isinstance(value, float)


class _Float(metaclass=_AnyFloat):
    """What stands for `float`: of a node it makes the node itself, as a gradient is to flow through it."""

    def __new__(cls, value: Any = 0.0) -> Any:
        return value if getattr(value, "is_graph_node", False) else float(value)


@contextmanager
def _floats_stay_nodes(namespaces: Sequence[Dict[str, Any]]) -> Iterator[None]:
    """Let `float(loss)` in the forwards give the node itself."""
    own = [namespace.get("float") for namespace in namespaces]
    for namespace in namespaces:
        namespace["float"] = _Float
    try:
        yield
    finally:
        for namespace, before in zip(namespaces, own):
            namespace["float"] = before
            if before is None:
                del namespace["float"]


def _between(nodes: List[Any], trial: Trial) -> Optional[List[Any]]:
    """Return the nodes between the trial's tensor and the output, the tensor's own first."""
    parameter = trial.bench.parameters[trial.index - 1] if trial.index else None
    tensor = next((node for node in nodes if node.is_leaf and (
        node.parameter is parameter if parameter is not None else node.needs_grad and node.parameter is None)), None)
    order = _below(nodes, tensor)
    return order if order and order[-1] is nodes[-1] and len(order) <= MOST_NODES else None


def _below(nodes: Sequence[Any], tensor: Any) -> List[Any]:
    """Return the tensor's node, and those of the others that depend on it."""
    if tensor is None:
        return []
    found: Set[Any] = {tensor}
    order = [tensor]
    for node in nodes:
        if any(parent in found for parent in node.parents):
            found.add(node)
            order.append(node)
    return order


def _without_zeros(graphs: List[ForwardGraph]) -> List[Any]:
    """Return the nodes into which anything flows; into what is subtracted for safety, as a maximum, nothing does."""
    order = graphs[0].order
    kept = []
    for k, node in enumerate(order):
        parts = [np.max(np.abs(graph.edges[place].whole), initial=0) for graph in graphs for place in graph.uses(node)]
        flows = [graph.totals[k] for graph in graphs if graph.totals[k] is not None]
        if k in (0, len(order) - 1) or any(np.max(np.abs(total), initial=0) >= 1e-9 * max(parts, default=0.0)
                                           for total in flows):
            kept.append(node)
    return _below(kept[1:], order[0])
