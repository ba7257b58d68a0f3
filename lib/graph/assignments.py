"""Forwards that fill arrays entry by entry, run on nodes: `y[:, t] = h`, where y or h is a node.

Elsewhere the entries of a node can't be set. Inside `with assignments(namespaces):` what is set makes a new state of
the node: what was computed before keeps the old one, and `settled(output)` puts each state into the graph by itself.
Arrays that the forwards make by np.zeros and its kin are nodes there, so that they can take up others.
"""
from __future__ import annotations

from contextlib import contextmanager
from typing import Any, Callable, Dict, Iterator, List, Tuple

import numpy as np

from lib.graph.node import Node, _computed, _next_number, _state_of, as_node, constant
from lib.graph.operations import FUNCTIONS, Methods, Operation, unbroadcast
from lib.graph.operations.shapes import Movement
from lib.graph.shape_errors import user_line

_MAKING = ("zeros", "ones", "empty", "full", "zeros_like", "ones_like", "empty_like", "full_like")
_states: Dict[Node, List[Tuple[int, Node]]] = {}  # of a node that was changed: up to which number, what it was before


class Assigned(Operation):
    """An array of which some entries were set: what flows back into these goes to what was put there."""

    def __init__(self, key: Any) -> None:
        self.name = "assignment"  # not the class's: it comes of statements alone, so there is no function of that name
        self.index = key

    def forward(self, whole, part):
        result = np.array(whole)
        result[self.index] = part
        return result

    def backward(self, i, grad, out, whole, part):
        if i == 1:
            return unbroadcast(np.asarray(grad[self.index]), np.shape(part))
        rest = np.array(grad)
        rest[self.index] = 0
        return rest


class Copied(Movement):
    """The same entries, in an array of its own that may be changed."""

    def __init__(self) -> None:
        self.name = "copy"

    def forward(self, a):
        return np.array(a)

    def backward(self, i, grad, out, a):
        return grad


def _set(node: Node, key: Any, value: Any) -> None:
    """Let a node become one of which some entries are another's, and keep what it was for what has used that."""
    if type(node) is not Node:
        raise TypeError("The values of a parameter can't be changed on nodes.")
    part, before = as_node(value, node), _computed(None, None, (), False)
    before.parents, before.number = node.parents, node.number
    for slot, held in _state_of(node):
        setattr(before, slot, held)
    operation = Assigned(key)
    node.value = operation.forward(before.value, part.value)
    node.operation, node.parents, node.name, node.marks = operation, (before, part), None, None
    node.needs_grad = before.needs_grad or part.needs_grad
    node.number, node.line = _next_number(), user_line()
    _states.setdefault(node, []).append((node.number, before))


def settled(output: Node) -> Node:
    """Return the output of a graph in which each node has those states of its parents that it was computed from."""
    def state(parent: Node, number: int) -> Node:
        return next((before for until, before in _states.get(parent, ()) if number < until), parent)

    found, order = {output}, [output]
    for node in order:  # grows while it is walked through
        if node.parents:
            node.parents = tuple(state(parent, node.number) for parent in node.parents)
        order += [parent for parent in dict.fromkeys(node.parents) if parent not in found]
        found.update(node.parents)
    return output


class _NumPy:
    """Stands in for NumPy in a forward: arrays of floating-point numbers that it makes are nodes."""

    def __getattr__(self, name: str) -> Any:
        return _making(name) if name in _MAKING else getattr(np, name)


def _making(name: str) -> Callable[..., Any]:
    make = getattr(np, name.replace("empty", "zeros"))

    def made(*args: Any, **kwargs: Any) -> Any:
        array = make(*[getattr(arg, "value", arg) for arg in args], **kwargs)
        return constant(array) if array.dtype.kind == "f" and array.ndim else array
    return made


@contextmanager
def assignments(namespaces: List[Dict[str, Any]]) -> Iterator[None]:
    """Let the functions whose global names these are set entries of nodes, and of arrays that they make."""
    made = {id(getattr(np, name)): _making(name) for name in _MAKING}
    before = [{key: value for key, value in names.items() if value is np or id(value) in made} for names in namespaces]
    for names, own in zip(namespaces, before):
        names.update({key: _NumPy() if value is np else made[id(value)] for key, value in own.items()})
    copy, function = Methods.copy, FUNCTIONS["copy"]  # type: ignore[attr-defined]
    Methods.copy = FUNCTIONS["copy"] = lambda a, *order: a.apply(Copied(), (a,))  # type: ignore[attr-defined]
    Node.assigned = _set  # type: ignore[assignment]
    try:
        yield
    finally:
        del Node.assigned
        Methods.copy, FUNCTIONS["copy"] = copy, function  # type: ignore[attr-defined]
        _states.clear()
        for names, own in zip(namespaces, before):
            names.update(own)
