"""What is wrong with a node of EDF, in a sentence that names the node and the line that made it."""
from __future__ import annotations

from typing import Any, List

import numpy as np

from lib.validation import CallOrderError, InputError


def told(node: Any) -> str:
    """Return how a message calls a node: by its class, and by the line that made it where that is known."""
    line = getattr(node, "line", None)
    return type(node).__name__ + ("" if line is None else f" (made in {line[0]}, line {line[1]})")


def value_of(node: Any, user: Any) -> Any:
    """Return the value of a node's input as an array, or raise a sentence if it has none yet."""
    if node.value is None:
        raise CallOrderError(f"{told(user)} can't be computed: its input, {told(node)}, has no value. Inputs get "
                             "theirs by x.value = ..., before Forward().")
    return np.asarray(node.value)


def shape_problem(node: Any, values: List[Any], error: Exception) -> InputError:
    """Return the error that says which node can't be computed, where it was made, and with which shapes."""
    shapes = " and ".join(str(np.shape(value)) for value in values)
    return InputError(f"{told(node)} can't be computed from {shapes}: {error}.")


def require_one_shape(loss: Any, y: Any, y_hat: Any) -> None:
    """Raise a sentence unless labels and predictions have one shape: broadcasting would make a wrong loss of them."""
    shapes = [value_of(node, loss).shape for node in (y, y_hat)]
    if shapes[0] != shapes[1]:
        raise InputError(f"{told(loss)} expects y and y_hat of one shape, but got {shapes[0]} and {shapes[1]}. "
                         "One label for each example is a column: y.reshape(-1, 1).")


def is_of_two_batches(node: Any, all_nodes: List[Any], input_class: type) -> bool:
    """Tell whether a node is a loss after new data were put into x alone: its inputs have different numbers of rows.

    One of these is an Input, and nothing else uses the node.
    """
    def inputs_of(other: Any) -> List[Any]:
        held = [value if isinstance(value, (list, tuple)) else [value] for value in vars(other).values()]
        return [part for parts in held for part in parts if hasattr(part, "addgrad")]

    own = inputs_of(node)
    sizes = {len(part.value) for part in own if np.ndim(part.value)}
    is_used = any(part is node for other in all_nodes for part in inputs_of(other))
    return len(sizes) > 1 and not is_used and any(isinstance(part, input_class) for part in own)
