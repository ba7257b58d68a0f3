"""What is likely wrong with a wrong answer: typical slips are tried out, and the one that gives the answer is named."""
from __future__ import annotations

from typing import Any, Dict, Iterator, List, Tuple

import numpy as np

from lib.graph.answers.compare import is_close
from lib.graph.explain.flows import local
from lib.graph.notation import TEXT
from lib.graph.notation.digits import number_text, value_text
from lib.graph.explain.derivation import Edge, Derivation, flow_along, local_derivative
from lib.graph.node import Node
from lib.graph.operations import Operation

Slip = Tuple[Any, str]  # the number that a slip leads to, and the sentence on it


def diagnose(derivation: Derivation, quantity: Any, answer: np.ndarray, expected: Any, theirs: Dict[Any, Any],
             rate: Any, tolerance: float) -> str:
    """Return a sentence on the slip that explains an answer, or "" if none does.

    Args:
        derivation: the graph.
        quantity: what was asked for.
        answer: the student's number or array.
        expected: what it should be, given the student's earlier numbers.
        theirs: these numbers.
        rate: the learning rate, or None.
        tolerance: the relative deviation that is allowed.
    """
    kind, subject = quantity
    slips = {"value": _value_slips, "grad": _gradient_slips, "new": _step_slips}.get(kind)
    candidates: List[Slip] = [(-np.asarray(expected), "The sign is wrong.")] if np.any(expected) else []
    if slips is not None:
        candidates += slips(derivation, subject, expected, theirs, rate)
    candidates += _factors(derivation, expected)
    if kind == "grad":
        name = derivation.names.text[subject]
        candidates.append((theirs["value", subject], f"That is the value of {name}, not its gradient."))
    if expected.ndim == 2 and expected.shape[0] == expected.shape[1] > 1:
        candidates.append((np.transpose(expected), "It is transposed."))
    for number, sentence in candidates:
        if np.shape(number) == answer.shape and is_close(answer, number, tolerance).close:
            return sentence
    return _where(answer, expected, tolerance)


def _value_slips(derivation: Derivation, node: Node, expected: Any,
                 theirs: Dict[Any, Any], rate: Any) -> Iterator[Slip]:
    """Yield what comes out if another operation is done, or none."""
    if node.operation is None:
        return
    inputs = [theirs["value", parent] for parent in node.parents]
    formula = TEXT.write(derivation.names.formula(node))
    for parent, value in zip(node.parents, inputs):
        yield value, f"That is {derivation.names.text[parent]} itself; {formula} is asked for."
    if len(inputs) == 2:
        for other in Operation.all():
            if other.name in ("add", "subtract", "multiply", "divide", "power") and other.name != node.operation.name:
                names = [derivation.names.term(parent) for parent in node.parents]
                with np.errstate(all="ignore"):
                    try:
                        said = f"That is {TEXT.write(other().formula(*names))}; {formula} is asked for."
                        yield other().forward(*inputs), said
                    except ValueError:
                        continue  # the shapes of a matrix product don't fit this operation


def _gradient_slips(derivation: Derivation, node: Node, expected: Any,
                    theirs: Dict[Any, Any], rate: Any) -> Iterator[Slip]:
    """Yield what comes out if a path, a local derivative or the upstream gradient is left out."""
    values = {each: theirs["value", each] for each in derivation.order}
    received = derivation.edges_to(node)
    flows = [flow_along(edge, theirs["grad", edge.child], values) for edge in received]
    if len(received) > 1:
        for edge, flow in zip(received, flows):
            others = [(each, value) for each, value in zip(received, flows) if each is not edge]
            missing = " and ".join(f"{_term(derivation, each)} = {value_text(value)}" for each, value in others)
            through = derivation.names.text[edge.child]
            yield flow, f"That is only the part through {through}; the sum over all children also has {missing}."
        product = flows[0]
        for flow in flows[1:]:
            product = product * flow
        yield product, "The contributions of the paths are multiplied; they must be added."
    for edge, flow in zip(received, flows):
        upstream, slope = theirs["grad", edge.child], local_derivative(edge, values)
        name, above = TEXT.write(local(derivation, edge)), derivation.names.derivative(edge.child)
        yield upstream, f"That is {above}; the factor {name} = {value_text(slope)} is missing."
        yield slope, f"That is {name} alone; the factor {above} = {value_text(upstream)} is missing."


def _term(derivation: Derivation, edge: Edge) -> str:
    return f"{derivation.names.derivative(edge.child)} * {TEXT.write(local(derivation, edge))}"


def _step_slips(derivation: Derivation, node: Node, expected: Any,
                theirs: Dict[Any, Any], rate: Any) -> Iterator[Slip]:
    """Yield what comes out if the step is taken the wrong way, or without the learning rate."""
    value, grad, name = theirs["value", node], theirs["grad", node], derivation.names.text[node]
    yield value, f"That is the old {name}."
    yield value + rate * grad, "The step goes against the gradient: minus, not plus."
    yield value - grad, "The learning rate is missing."
    yield rate * grad, f"That is the length of the step; it must be subtracted from {name}."
    yield -rate * grad, f"That is the step; it must be added to {name}."


def _factors(derivation: Derivation, expected: Any) -> List[Slip]:
    """Return what comes out if a typical factor is missing or too many."""
    counts = {2.0: "2"}
    for node in derivation.order:
        if node.operation is not None and node.operation.name == "mean":
            count = node.parents[0].size // max(node.size, 1)
            name = derivation.names.text[node]
            counts.setdefault(float(count), f"{count}, the number of entries of the mean {name},")
    slips: List[Slip] = []
    for number, name in counts.items():
        if number > 1:
            slips.append((np.asarray(expected) / number, f"A factor of {name} is missing."))
            slips.append((np.asarray(expected) * number, f"There is a factor of {name} too many."
                          if number == 2 else f"The division by {name} is missing."))
            slips.append((-np.asarray(expected) / number, f"The sign is wrong, and a factor of {name} is missing."))
    return slips if np.any(expected) else []


def _where(answer: np.ndarray, expected: Any, tolerance: float) -> str:
    """Return which entries of an array are wrong, if not all of them."""
    expected = np.asarray(expected)
    if answer.shape != expected.shape or answer.ndim == 0:
        return ""
    wrong = [index for index in np.ndindex(answer.shape)
             if not is_close(answer[index], expected[index], tolerance).close]
    if len(wrong) == answer.size:
        return ""
    first = [int(k) for k in wrong[0]]
    others = f" and {len(wrong) - 1} more" if len(wrong) > 1 else ""
    return (f"Entry {first if len(first) > 1 else first[0]} is {number_text(answer[wrong[0]])}, but should be "
            f"{number_text(expected[wrong[0]])}{others}.")
