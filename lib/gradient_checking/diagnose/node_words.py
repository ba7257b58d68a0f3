"""How sentences call the nodes of a forward's graph: by names, or by the user's lines."""
from __future__ import annotations

import linecache
import os
from typing import Any

WORDS = {"var": "variance", "std": "standard deviation", "max": "maximum", "min": "minimum", "logsumexp": "log-sum-exp",
         "prod": "product", "multiply": "product", "matmul": "matrix product", "divide": "quotient", "add": "sum",
         "subtract": "difference", "negate": "minus", "sqrt": "root", "abs": "absolute value"}
SIGNS = {"divide": "/", "multiply": "*", "add": "+", "subtract": "-", "negate": "-", "matmul": "@", "power": "**",
         "index": "[", "transpose": ".T", "assignment": "="}


def described(node: Any, tensor: Any, name: str) -> str:
    """Return how a sentence calls a node: by the tensor's or the parameter's name, or by the user's line."""
    if node is tensor:
        return name
    if node.parameter is not None:
        return node.parameter.name or "a parameter"
    if node.operation is None:
        return node.name or "a constant"
    kind = WORDS.get(node.operation.name, node.operation.name)
    if node.line is None:
        return f"the {kind}"
    file, number = node.line
    text = linecache.getline(file, number).strip()
    if not text:
        return f"the {kind} in line {number} of {os.path.basename(file)}"
    return f"`{text}` (line {number})" if is_inner_step(node) else f"the {kind} in `{text}` (line {number})"


def is_inner_step(node: Any) -> bool:
    """Return whether the user's line doesn't show a node's operation: it is a step of something that it calls."""
    text = linecache.getline(*node.line) if node.operation is not None and node.line is not None else ""
    name = node.operation.name if text else ""
    return bool(text) and not any(sign in text for sign in (name, WORDS.get(name, name), SIGNS.get(name, name)))
