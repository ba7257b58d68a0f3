"""The numbers behind an explanation: what flows along each edge of a graph, without touching the graph."""
from __future__ import annotations

from typing import Any, Dict, List, NamedTuple, Optional

import numpy as np

from lib.graph.explain import replay
from lib.graph.explain.names import Names
from lib.graph.node import Node
from lib.graph.operations import unbroadcast
from lib.graph.functional import share
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
    """

    def __init__(self, output: Node) -> None:
        if not getattr(output, "is_graph_node", False):
            raise InputError(f"A node of a computational graph is needed, but got {type(output).__name__}. Make the "
                             "inputs nodes, x = variable(1.0, name=\"x\"), and compute with them.")
        self.output = output
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
                self.gradients[edge.parent] = flow if earlier is None else earlier + flow

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
        if which in self.names.text:
            return which
        by_name: Optional[Node] = self.names.find(which.name) if getattr(which, "name", None) else None
        if by_name is None:
            raise InputError(f"{which!r} isn't a node of this graph. The names are {', '.join(self.names.known())}.")
        return by_name


def derivation_of(output: Any, reuse: bool) -> Derivation:
    """Return a graph with its names and flows; with reuse, equal sub-expressions are one node.

    A graph with modules as nodes stays as it is: sharing computes it again, and a module such as Dropout would draw
    other random numbers.
    """
    derivation = Derivation(output)
    return Derivation(share(output)) if reuse and not any(map(replay.is_module, derivation.order)) else derivation


def flow_along(edge: Edge, grad: Any, values: Dict[Node, Any]) -> Any:
    """Return the child's gradient times the local derivative, in the shape of the parent."""
    flow = np.asarray(replay.backward(edge.child, edge.i, grad, values))
    return unbroadcast(flow, np.shape(values[edge.parent]))[()]


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
        else:
            values[node] = replay.forward(node, values)
    return values
