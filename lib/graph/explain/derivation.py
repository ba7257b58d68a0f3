"""The numbers behind an explanation: what flows along each edge of a graph, without touching the graph."""
from __future__ import annotations

from typing import Any, Dict, List, NamedTuple, Optional, Set

import numpy as np

from lib.graph.changes import require_unchanged
from lib.graph.explain import replay
from lib.graph.explain.names import Names
from lib.graph.modules import write_out
from lib.graph.node import Node, topological_order
from lib.graph.operations import unbroadcast
from lib.graph.functional import shared
from lib.validation import InputError


class Edge(NamedTuple):
    """One use of a parent by a child: during backpropagation, the child sends a product to the parent."""

    child: Node
    parent: Node
    i: int  # which of the child's inputs the parent is


class Derivation:
    """A graph's nodes with names, its gradients and the contribution along each edge.

    Attributes:
        names: the name of each node.
        order: the nodes, parents first.
        edges: every edge, children last to first, as backpropagation goes through them.
        gradients: d(output)/d(node) for each node that gradients flow to; empty if the output isn't a single number.
        flows: for each edge, what the child sends along it, summed back to the parent's shape.
        module_results: what was a module's result, if modules were written out in single operations.
        stands_for: what is in this graph for each node of the one that was to be explained, if they aren't the same.
    """

    def __init__(self, output: Node) -> None:
        require_current(output)
        self.output = output
        self.module_results: Set[Node] = set()
        self.stands_for: Dict[Node, Node] = {}
        self.names = Names(output)
        self.order = self.names.order
        self.values: Dict[Node, Any] = {node: node.value for node in self.order}
        self.edges: List[Edge] = [edge for child in reversed(self.order) for edge in self.edges_from(child)]
        self._received: Dict[Node, List[Edge]] = {}
        for child in self.order:
            for edge in self.edges_from(child):
                self._received.setdefault(edge.parent, []).append(edge)
        self.gradients: Dict[Node, Any] = {}
        self.flows: Dict[Edge, Any] = {}
        if output.size == 1 and output.needs_grad:
            self.gradients[output] = np.ones_like(output.value)[()]
            for edge in self.edges:
                flow = flow_along(edge, self.gradients[edge.child], self.values)
                self.flows[edge] = flow
                earlier = self.gradients.get(edge.parent)
                self.gradients[edge.parent] = flow if earlier is None else _total(
                    earlier + flow, np.abs(earlier) + np.abs(flow))

    def require_gradients(self) -> None:
        """Raise InputError unless the output is a single number that depends on a variable."""
        if self.output.size != 1:
            raise InputError(f"Derivatives are explained for a single number, such as a loss, but the output "
                             f"{self.names.text[self.output]} has shape {self.output.shape}. Reduce it first, for "
                             "example explain(node.sum()), or explain one of its entries: explain(node[0]).")
        if not self.output.needs_grad:
            raise InputError(f"The output {self.names.text[self.output]} depends on constants only: there is nothing "
                             "to differentiate by. Make at least one input a variable(value, name=...).")

    def computed(self) -> List[Node]:
        """Return the nodes that are the result of an operation, in the order of computation."""
        return [node for node in self.order if node.operation is not None]

    def parameters(self) -> List[Node]:
        """Return the variables among the leaves."""
        return [node for node in self.order if node.operation is None and node.needs_grad]

    def edges_from(self, child: Node) -> List[Edge]:
        """Return the edges along which a node sends its products, in the order of its inputs."""
        return [Edge(child, parent, i) for i, parent in enumerate(child.parents) if parent.needs_grad]

    def edges_to(self, parent: Node) -> List[Edge]:
        """Return the edges from which a node receives products, in the order of the children's computation."""
        return list(self._received.get(parent, []))

    def is_repeated(self, edge: Edge) -> bool:
        """Tell whether d(child)/d(parent) must say which input of the child it is about.

        That is so if the child uses the parent more than once, as in x * x. And if the child is the output, which
        depends on the parent on other paths as well: there dL/dx is the sum over all of them.
        """
        if edge.child is self.output:
            return len(self._received[edge.parent]) > 1
        return sum(parent is edge.parent for parent in edge.child.parents) > 1

    def node(self, which: Any) -> Node:
        """Return a node given as itself or by its name, or raise a sentence with the names there are."""
        if isinstance(which, str):
            found = self.names.find(which)
            if found is not None:
                return found
            raise InputError(f"There is no node called {which!r} in this graph. The names are "
                             f"{', '.join(self.names.known())}.")
        which = self.stands_for.get(which, which)
        if which in self.names.text:
            return which
        by_name: Optional[Node] = self.names.find(which.name) if getattr(which, "name", None) else None
        if by_name is None:
            raise InputError(f"{which!r} isn't a node of this graph. The names are {', '.join(self.names.known())}.")
        return by_name


def derivation_of(output: Any, reuse: bool, written_out: bool = False) -> Derivation:
    """Return a graph with its names and flows.

    Args:
        output: the node to differentiate.
        reuse: whether equal sub-expressions are one node.
        written_out: whether modules that are one node are single operations, where these agree with the module.
    """
    require_current(output)
    stands_for, results = write_out(output) if written_out else ({}, set())
    whole = stands_for.get(output, output)
    if reuse:
        once = shared(whole)
        whole, results = once[whole], {once[node] for node in results}
        stands_for = {node: once.get(new, new) for node, new in stands_for.items()} or once
    derivation = Derivation(whole)
    derivation.module_results, derivation.stands_for = results, stands_for
    return derivation


def require_current(output: Any) -> None:
    """Raise InputError unless a graph is given by its node, and its values are those of its variables now."""
    if not getattr(output, "is_graph_node", False):
        raise InputError(f"A node of a computational graph is needed, but got {type(output).__name__}. Make the "
                         "inputs nodes, x = variable(1.0, name=\"x\"), and compute with them.")
    for node in topological_order(output):
        if node.marks is not None:
            require_unchanged(node)


def flow_along(edge: Edge, grad: Any, values: Dict[Node, Any]) -> Any:
    """Return the child's gradient times the local derivative, in the shape of the parent."""
    flow = np.asarray(replay.backward(edge.child, edge.i, grad, values))
    shape = np.shape(values[edge.parent])
    return flow[()] if flow.shape == shape else _total(unbroadcast(flow, shape)[()], unbroadcast(np.abs(flow), shape))


def _total(total: Any, magnitude: Any) -> Any:
    """Return a sum of numbers of a magnitude; where all that is left of them is rounding, it is 0."""
    return np.where(np.abs(total) < 50 * np.finfo(np.asarray(total).dtype).eps * magnitude, 0, total)[()]


def local_derivative(edge: Edge, values: Dict[Node, Any]) -> Any:
    """Return d(child)/d(parent) for single numbers, or the diagonal of the Jacobian for elementwise operations."""
    return flow_along(edge, np.ones_like(values[edge.child])[()], values)


def recompute(order: List[Node], changed: Dict[Node, Any]) -> Dict[Node, Any]:
    """Return the value of every node after some leaves were given other numbers; the graph stays as it is."""
    values: Dict[Node, Any] = {}
    for node in order:
        if node in changed:
            values[node] = changed[node]
        elif node.operation is None:
            values[node] = node.value
        elif all(values[parent] is parent.value for parent in node.parents):
            values[node] = node.value
        else:
            values[node] = replay.forward(node, values)
    return values
