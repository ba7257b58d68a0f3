"""From a model and data to the graph that a page shows, with the names that people give its quantities."""
from __future__ import annotations

from typing import Any, Dict, List, Sequence, Tuple

import numpy as np

from lib.graph.explain.derivation import Derivation, derivation_of
from lib.graph.modules import expanded
from lib.graph.node import Node, constant
from lib.layers import CrossEntropyLoss, MeanSquaredError
from lib.network_base import Module, Parameter
from lib.validation import InputError, as_float

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
        if what.size != 1:
            raise InputError(f"A page shows the derivatives of one number, but this graph's output has shape "
                             f"{what.shape}. Sum it up: write_page(node.sum(), path=path).")
        return derivation_of(what, reuse=True), []
    if not isinstance(what, Module):
        raise InputError("A page is made of a node of a graph, such as a loss, or of a model, but got "
                         f"{'the class ' + what.__name__ if isinstance(what, type) else type(what).__name__}.")
    if x is None or y is None:
        raise InputError("A page of a model needs numbers that flow through it: write_page(model, x, y, path), with a "
                         "few examples x and their labels y.")
    if not list(what.parameters()):
        raise InputError(f"A page shows the gradients of parameters, but this {type(what).__name__} has none. Put a "
                         "layer that has some, such as Linear, into the model.")
    random_state = np.random.get_state()
    try:
        return _of_model(what, x, y, loss_fn)
    finally:
        np.random.set_state(random_state)


def _of_model(model: Module, x: Any, y: Any, loss_fn: Any) -> Tuple[Derivation, List[Stage]]:
    x, y = (np.asarray(as_float(each, "write_page"), float) for each in (x, y))
    is_given = loss_fn is not None
    if loss_fn is None:
        loss_fn = CrossEntropyLoss() if _is_one_hot(y) else MeanSquaredError()
    with expanded():
        stages: List[Stage] = []
        node = constant(x, name="x")
        for module in _flat(model):
            after = module(node)
            stages.append((module, node, after))
            node = after
        if not is_given and y.ndim == 1 and node.ndim == 2 and node.shape[1] > 1 and np.all(y == np.round(y)):
            raise InputError(f"write_page expects labels in the shape of the predictions, {node.shape}, but got what "
                             f"look like class numbers, of shape {y.shape}. Give them one-hot: "
                             f"np.eye({node.shape[1]})[y].")
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
    names: Dict[int, str] = {}
    for module, _, _ in stages:
        for path, parameter in module.named_parameters():
            names.setdefault(id(parameter), _called(path, parameter, module))
    taken, number = list(names.values()), 0
    for k, (module, before, after) in enumerate(stages):
        has_parameters = bool(list(module.parameters()))
        number += has_parameters
        for node in between(before, after):
            name = names.pop(id(node.parameter), None)  # a shared parameter is called by where it is used first
            if name is not None:
                node.name = name if taken.count(name) == 1 else f"{name}{number}"
        last = k == len(stages) - 1
        if after.operation is not None and after.name is None and after is not before:
            after.named("y_hat" if last and y_hat else f"z{number}" if has_parameters else f"h{number}")


def _called(path: str, parameter: Parameter, module: Module) -> str:
    """Return a parameter's name, and where its module has several of that name, also whose it is, such as W_query."""
    same = [each for each in module.parameters() if each.name == parameter.name]
    owner = path.split(".")[-2] if path.count(".") > 1 else ""
    return f"{parameter.name}_{owner}" if len(same) > 1 and owner.isidentifier() else parameter.name or path


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
