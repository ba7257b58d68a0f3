"""The factors that are typically forgotten, or too many: the number of examples, a 2, what the graph divides by."""
from __future__ import annotations

from typing import Any, Dict, List, Tuple

import numpy as np

from lib.graph.explain import replay
from lib.graph.explain.derivation import Derivation
from lib.graph.explain.names import is_number
from lib.graph.notation import TEXT
from lib.network_base import is_loss

Slip = Tuple[Any, str]  # the number that a slip leads to, and the sentence on it


def factors(derivation: Derivation, expected: Any) -> List[Slip]:
    """Return what comes out if a typical factor is missing or too many."""
    found: List[Slip] = []
    for number, name in {**_counts(derivation), 2.0: "2"}.items():
        if number > 1:
            found.append((expected / number, f"A factor of {name} is missing."))
            found.append((expected * number, f"There is a factor of {name} too many."
                          if number == 2 and name == "2" else f"The division by {name} is missing."))
            found.append((-expected / number, f"The sign is wrong, and a factor of {name} is missing."))
            found.append((-expected * number, f"The sign is wrong, and the division by {name} is missing."
                          if name != "2" else "The sign is wrong, and there is a factor of 2 too many."))
    return found if np.any(expected) else []


def _counts(derivation: Derivation) -> Dict[float, str]:
    """Return the numbers that the graph divides by, such as that of the examples, and what they are."""
    counts: Dict[float, str] = {}
    for node in derivation.order:
        operation = node.operation
        name = derivation.names.text[node]
        if operation is None:
            continue
        if operation.name == "mean":
            entries = node.parents[0].size // max(node.size, 1)
            counts.setdefault(float(entries), f"{entries}, the number of entries of the mean {name},")
        elif operation.name in ("divide", "multiply"):
            numbers = [float(parent.value) for parent in node.parents if is_number(parent)]
            divisor = numbers[0] if operation.name == "divide" and is_number(node.parents[1]) else \
                1 / numbers[0] if operation.name == "multiply" and numbers and numbers[0] else 0.0
            if divisor > 1 and abs(divisor - round(divisor)) < 1e-9 and round(divisor) != 2:
                formula = TEXT.write(derivation.names.formula(node))
                counts.setdefault(float(round(divisor)), f"{round(divisor)}, as in {formula},")
                examples = round(divisor) // 2
                if round(divisor) % 2 == 0 and any(each.ndim and len(each) == examples for each in derivation.order):
                    counts.setdefault(float(examples), f"{examples}, the number of examples in {formula},")
        elif replay.is_module(node) and is_loss(operation.module):  # type: ignore[attr-defined]
            rows = len(node.parents[0].value) if node.parents[0].ndim else 1
            counts.setdefault(float(rows), f"{rows}, the number of examples, of which {operation.name} is the mean,")
    return counts
