"""What a leaf of a graph holds: real floating-point numbers, in memory of its own."""
from __future__ import annotations

from typing import Any

import numpy as np

from lib.graph.operations import node_in
from lib.validation import InputError, as_float


def leaf_value(value: Any) -> Any:
    """Return numbers as an array of the graph's own, or as a NumPy scalar if there is just one without axes.

    The array is a copy: what the user does to theirs afterwards must not reach a graph that was made from it.
    """
    if type(value) is float:
        return np.float64(value)
    if node_in(value) is not None:
        raise InputError(f"A leaf is made of numbers, but got {value!r}. To make one node of several, use "
                         "lib.graph.stack([...]); to cut a node off from its past, use its value: "
                         "constant(node.value).")
    array = as_float(value, "A node of the graph")
    if array.dtype.kind == "c":
        raise InputError(f"A node of the graph holds real numbers, but got {array.dtype}.")
    return (array.copy() if array is value or array.base is not None else array) if array.ndim else array[()]
