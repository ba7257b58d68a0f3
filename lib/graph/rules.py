"""What the rules of NumPy's functions on nodes are written with."""
from __future__ import annotations

from typing import Any, Callable

import numpy as np

from lib.graph.operations import Operation, node_in, register
from lib.validation import InputError


class NoRule(InputError, TypeError):
    """A function of NumPy that isn't known on nodes: it would turn them into numbers and lose the gradient."""


def rule(function: Callable[..., Any]) -> Callable[..., Any]:
    """Register a composed function under its name, unless there is an operation of that name, which is more exact."""
    if all(operation.name != function.__name__ for operation in Operation.all()):
        register(function.__name__, function)
    return function


def arguments_of_numpy(function: Callable[..., Any]) -> Callable[..., Any]:
    """Register a function in place of an operation's own: it takes the arguments that NumPy's function has."""
    register(function.__name__, function)
    return function


def array_or_node(value: Any) -> Any:
    """Return a node or an array for what may be a list, and one node for what holds several."""
    if getattr(value, "is_graph_node", False):
        return value
    node = node_in(value)
    return np.asarray(value) if node is None else node.joined(value)
