"""Operations run once more for an explanation: with other numbers, and without a trace in the graph or its modules.

A module as a node remembers its last call, and may change with every call: BatchNorm's averages move, Dropout draws
anew. So a copy of it is run, and NumPy's random state is put back.
"""
from __future__ import annotations

import copy
import weakref
from contextlib import contextmanager
from typing import Any, Dict, Iterator, List, Tuple

import numpy as np

from lib.graph.node import Node
from lib.validation import InputError

# the copy of an operation that ran last, its output, and the inputs that it ran on
_copies: "weakref.WeakKeyDictionary[Any, Tuple[List[Any], Any]]" = weakref.WeakKeyDictionary()


def is_module(node: Node) -> bool:
    """Tell whether a node is a whole module, whose calls have effects of their own."""
    return getattr(node.operation, "module", None) is not None


def forward(node: Node, values: Dict[Node, Any]) -> Any:
    """Return the value of a node for these values of its parents."""
    assert node.operation is not None
    inputs = [values[parent] for parent in node.parents]
    if all(value is parent.value for value, parent in zip(inputs, node.parents)):
        return node.value
    return _ran(node, inputs)[0] if is_module(node) else node.operation.forward(*inputs)


def backward(node: Node, i: int, grad: Any, values: Dict[Node, Any]) -> Any:
    """Return what a node sends to parent i for these values of its parents and its own."""
    inputs = [values[parent] for parent in node.parents]
    assert node.operation is not None
    if not is_module(node):
        return node.operation.backward(i, grad, values[node], *inputs)
    with random_state_kept():
        return _ran(node, inputs)[1].backward(i, grad, values[node], *inputs)


@contextmanager
def random_state_kept() -> Iterator[None]:
    """Inside this context NumPy's global random numbers may be drawn; afterwards they go on as if none had been."""
    state = np.random.get_state()
    try:
        yield
    finally:
        np.random.set_state(state)


def _ran(node: Node, inputs: List[Any]) -> Tuple[Any, Any]:
    """Return the output of a module on these inputs, and the copy of its operation that has computed it."""
    original = [parent.value for parent in node.parents]
    kept = _copies.get(node.operation)
    if kept is not None and all(one is other for one, other in zip(kept[0], inputs)):
        return kept[1]
    operation = copy.deepcopy(node.operation)
    out = node.value
    if not all(one is other for one, other in zip(inputs, original)):
        with random_state_kept():
            again = copy.deepcopy(node.operation).forward(*original)  # type: ignore[union-attr]
            out = operation.forward(*inputs)  # type: ignore[union-attr]
            if not np.array_equal(again, node.value, equal_nan=True):
                operation = copy.deepcopy(node.operation)
                out = _with_the_same_draws(node, operation, inputs, original)
    _copies[node.operation] = (list(inputs), (out, operation))
    return out, operation


def _with_the_same_draws(node: Node, operation: Any, inputs: List[Any], original: List[Any]) -> Any:
    """Return the output of a module that draws random numbers, if it multiplies its input by them, as Dropout does."""
    mask = operation.backward(0, np.ones_like(node.value), node.value, *original)
    if np.shape(mask) == np.shape(original[0]) == node.shape and np.allclose(original[0] * mask, node.value):
        return inputs[0] * mask
    raise InputError(f"{node.operation!r} draws random numbers at every call, so its value for other inputs can't be "
                     "computed again. Use it in evaluation mode here, or leave out what comes before it.")
