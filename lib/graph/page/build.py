"""From a model and data to the graph that a page shows, with the names that people give its quantities."""
from __future__ import annotations

from typing import Any, Dict, List, Sequence, Tuple

import numpy as np

from lib.graph.explain.derivation import Derivation, derivation_of
from lib.graph.modules import expanded
from lib.graph.node import Node, constant
from lib.layers import CrossEntropyLoss, MeanSquaredError
from lib.network_base import Module
from lib.validation import InputError

Stage = Tuple[Module, Node, Node]  # a module, its input and its output


def derivation_for(what: Any, x: Any, y: Any, loss_fn: Any) -> Tuple[Derivation, List[Stage]]:
    """Return the graph of a loss, and the stages of the network that leads to it ([] for a graph).

    Args:
        what: a node of a graph, a single number; or a model.
        x, y: for a model, the inputs and the labels.
        loss_fn: for a model, its loss; None takes cross-entropy for one-hot labels, and else the mean squared error.
    """
    if getattr(what, "is_graph_node", False):
        if x is not None or y is not None:
            raise InputError("A graph holds its numbers already: give x and y only with a model, as in "
                             "write_page(model, x, y, path); for a graph write_page(loss, path=path).")
        return derivation_of(what, reuse=True), []
    if not isinstance(what, Module):
        raise InputError("A page is made of a node of a graph, such as a loss, or of a model, but got "
                         f"{'the class ' + what.__name__ if isinstance(what, type) else type(what).__name__}.")
    if x is None or y is None:
        raise InputError("A page of a model needs numbers that flow through it: write_page(model, x, y, path), with a "
                         "few examples x and their labels y.")
    random_state = np.random.get_state()
    try:
        return _of_model(what, x, y, loss_fn)
    finally:
        np.random.set_state(random_state)


def _of_model(model: Module, x: Any, y: Any, loss_fn: Any) -> Tuple[Derivation, List[Stage]]:
    y = np.asarray(y, float)
    if loss_fn is None:
        loss_fn = CrossEntropyLoss() if _is_one_hot(y) else MeanSquaredError()
    with expanded():
        stages: List[Stage] = []
        node = constant(np.asarray(x, float), name="x")
        for module in _flat(model):
            after = module(node)
            stages.append((module, node, after))
            node = after
        _name(stages, y_hat=not isinstance(loss_fn, CrossEntropyLoss))
        loss = loss_fn(node, constant(y, name="y"))
    if loss.name is None:
        loss.named("L")
    return derivation_of(loss, reuse=False), stages


def _is_one_hot(y: np.ndarray) -> bool:
    return y.ndim == 2 and y.shape[1] > 1 and bool(np.all((y == 0) | (y == 1)) and np.all(y.sum(axis=1) == 1))


def _flat(model: Module) -> List[Module]:
    """Return the modules that follow one another, those of a Sequential one by one."""
    from lib.layers import Sequential
    if isinstance(model, Sequential):
        return [each for module in model.modules for each in _flat(module)]
    return [model]


def _name(stages: Sequence[Stage], y_hat: bool) -> None:
    """Call what a layer with parameters gives z1, z2, ..., and what an activation makes of it h1, h2, ...

    Parameters of one name in several layers are numbered likewise.
    """
    owned = [list(module.parameters()) for module, _, _ in stages]
    names = [parameter.name for parameters in owned for parameter in parameters]
    number = 0
    for k, (parameters, (_, before, after)) in enumerate(zip(owned, stages)):
        number += bool(parameters)
        for node in between(before, after):
            if node.parameter is not None and any(node.parameter is parameter for parameter in parameters):
                name = node.parameter.name
                node.name = name if names.count(name) == 1 else f"{name}{number}"
        last = k == len(stages) - 1
        if after.operation is not None and after.name is None and after is not before:
            after.named("y_hat" if last and y_hat else f"z{number}" if parameters else f"h{number}")


def between(before: Node, after: Node) -> List[Node]:
    """Return the nodes that lead to a node, up to an earlier one; both are left out."""
    found: Dict[Node, None] = {}
    waiting = list(after.parents)
    while waiting:
        node = waiting.pop()
        if node is not before and node not in found:
            found[node] = None
            waiting.extend(node.parents)
    return list(found)
