"""The mistakes that a typed number is compared with: for each edge, what comes out if a known slip is made."""
from __future__ import annotations

from typing import Any, Dict, List

import numpy as np

from lib.graph.explain.derivation import Derivation, Edge, local_derivative


def known_mistakes(derivation: Derivation, edge: Edge) -> List[Dict[str, Any]]:
    """Return [{"hint": sentence, "flow": numbers}, ...]: what would flow along an edge if a slip were made.

    The sign and factors of 2 and of the number of examples are tried by the page itself.
    """
    upstream, right = np.asarray(derivation.gradients[edge.child]), np.asarray(derivation.flows[edge])
    text = derivation.names.text
    operation = edge.child.operation
    assert operation is not None
    inputs = [np.asarray(parent.value) for parent in edge.child.parents]
    found = []
    if upstream.shape == right.shape:
        found.append((upstream, f"That is the derivative by {text[edge.child]}, unchanged. What is the derivative of "
                                f"{text[edge.child]} by {text[edge.parent]}? It is a factor."))
    if edge.child.ndim == 0 or operation.elementwise:
        local = np.asarray(local_derivative(edge, derivation.values))
        if local.shape == right.shape:
            found.append((local, f"That is the derivative of {text[edge.child]} by {text[edge.parent]} alone. The "
                                 f"chain rule multiplies it by the derivative by {text[edge.child]}."))
    if operation.elementwise and edge.child.shape == edge.parent.shape and len(inputs) == 1:
        with np.errstate(all="ignore"):
            at_output = np.asarray(operation.backward(edge.i, upstream, operation.forward(edge.child.value),
                                                      edge.child.value))
        if at_output.shape == right.shape:
            found.append((at_output, f"The derivative is taken at the output {text[edge.child]}; it belongs at the "
                                     f"input {text[edge.parent]}."))
    if operation.name == "matmul" and right.ndim == 2 and edge.child.ndim == 2:
        other = inputs[1 - edge.i]
        wrong = upstream @ other if edge.i == 0 and upstream.shape[1] == other.shape[0] else \
            other @ upstream if edge.i == 1 and other.shape[1] == upstream.shape[0] else None
        if wrong is not None and wrong.shape == right.shape:
            found.append((wrong, f"{text[edge.child.parents[1 - edge.i]]} has to be transposed here: look at which "
                                 "index is summed."))
    if right.ndim == 2 and right.shape[0] == right.shape[1]:
        found.append((right.T, "That is the entry of the transposed matrix: which index is the row?"))
    return [{"hint": hint, "flow": [float(f"{each:.9g}") for each in np.ravel(numbers)]} for numbers, hint in found
            if np.all(np.isfinite(numbers)) and not np.allclose(numbers, right, rtol=1e-9, atol=0)]
