"""What is likely wrong with a wrong answer: typical slips are tried out, and the one that gives the answer is named."""
from __future__ import annotations

from typing import Any, Callable, Dict, FrozenSet, Iterator, List, NamedTuple, Optional, Tuple

import numpy as np

from lib.graph.answers.calculation import Numbers, Quantity
from lib.graph.answers.compare import NO_SPREAD, Given, Spread, is_close
from lib.graph.answers.factors import Slip, factors
from lib.graph.explain import replay
from lib.graph.explain.derivation import Derivation, Edge, flow_along, local_derivative
from lib.graph.explain.flows import local
from lib.graph.explain.parts import trained
from lib.graph.node import Node
from lib.graph.notation import TEXT
from lib.graph.notation.digits import number_text, value_text
from lib.graph.operations import Operation

MOST_EDGES = 60  # on which slips are tried out


class Student(NamedTuple):
    """What a student's line starts from.

    Attributes:
        derivation: the graph.
        numbers: all numbers, the student's own where there are any.
        given: which of them are the student's own.
        rate: the learning rate, or None.
    """

    derivation: Derivation
    numbers: Numbers
    given: FrozenSet[Quantity]
    rate: Optional[float]

    @property
    def values(self) -> Dict[Node, Any]:
        """The value of each node, as the student has it."""
        return {node: self.numbers["value", node] for node in self.derivation.order}


def diagnose(student: Student, quantity: Quantity, answer: Given, expected: Any, tolerance: float,
             spread: Spread = NO_SPREAD) -> str:
    """Return a sentence on the slip that explains an answer, or "" if none does.

    Args:
        student: what the line starts from.
        quantity: what was asked for.
        answer: the student's number or array.
        expected: what it should be, given the student's earlier numbers.
        tolerance: the relative deviation that is allowed.
        spread: how far the answer may be off by the rounding of what isn't written down.
    """
    nearly: List[Tuple[float, str]] = []
    for number, sentence in slips(student, quantity, expected):
        if np.shape(number) != answer.value.shape:
            continue
        if is_close(answer, number, tolerance).close:
            return sentence
        if is_close(answer, number, tolerance, spread).close:
            nearly.append((float(np.max(np.abs(answer.value - number), initial=0.0)), sentence))
    return min(nearly)[1] if nearly else _where(answer, expected, tolerance)


def hidden_slip(student: Student, quantity: Quantity, answer: Given, expected: Any, tolerance: float,
                spread: Spread) -> str:
    """Return a sentence if an answer is so roughly rounded that a typical slip would have given the same, or ""."""
    for number, sentence in slips(student, quantity, expected):
        if np.shape(number) != answer.value.shape or np.allclose(number, expected, rtol=1e-9, atol=1e-12):
            continue  # a slip without an effect is none
        if is_close(answer, number, tolerance, spread).close:
            return f"But with so few digits it can't be told from a slip: {sentence}"
    return ""


def slips(student: Student, quantity: Quantity, expected: Any) -> Iterator[Slip]:
    """Yield what typical slips lead to."""
    kind, subject = quantity
    expected = np.asarray(expected)
    if np.any(expected):
        yield -expected, "The sign is wrong."
    if kind == "value":
        yield from _value_slips(student, subject)
    elif kind == "grad":
        yield from _gradient_slips(student, subject)
    elif kind == "new":
        yield from _step_slips(student, subject)
    yield from factors(student.derivation, expected)
    if kind == "grad":
        yield from _slips_on_the_way(student, subject)
        name = student.derivation.names.text[subject]
        yield student.numbers["value", subject], f"That is the value of {name}, not its gradient."
    if expected.ndim == 2 and expected.shape[0] == expected.shape[1] > 1:
        yield expected.T, "It is transposed."


def _value_slips(student: Student, node: Node) -> Iterator[Slip]:
    """Yield what comes out if another operation is done, or none."""
    if node.operation is None:
        return
    names = student.derivation.names
    inputs = [student.numbers["value", parent] for parent in node.parents]
    formula = TEXT.write(names.formula(node))
    for parent, value in zip(node.parents, inputs):
        yield value, f"That is {names.text[parent]} itself; {formula} is asked for."
    if len(inputs) == 2 and not replay.is_module(node):
        for other in Operation.all():
            if other.name in ("add", "subtract", "multiply", "divide", "power") and other.name != node.operation.name:
                terms = [names.term(parent) for parent in node.parents]
                with np.errstate(all="ignore"):
                    try:
                        said = f"That is {TEXT.write(other().formula(*terms))}; {formula} is asked for."
                        yield other().forward(*inputs), said
                    except ValueError:
                        continue  # the shapes of a matrix product don't fit this operation


def _gradient_slips(student: Student, node: Node) -> Iterator[Slip]:
    """Yield what comes out if a path, a local derivative or the upstream gradient is left out or taken elsewhere."""
    derivation, values = student.derivation, student.values
    received = derivation.edges_to(node)
    flows = [flow_along(edge, student.numbers["grad", edge.child], values) for edge in received]
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
        upstream, slope = student.numbers["grad", edge.child], local_derivative(edge, values)
        name, above = TEXT.write(local(derivation, edge)), derivation.names.derivative(edge.child)
        yield upstream, f"That is {above}; the factor {name} = {value_text(slope)} is missing."
        yield slope, f"That is {name} alone; the factor {above} = {value_text(upstream)} is missing."


def _slips_on_the_way(student: Student, node: Node) -> Iterator[Slip]:
    """Yield what comes out if something is forgotten between this gradient and those written down before."""
    derivation, values = student.derivation, student.values
    for edge in _on_the_way(student, node):
        for change, sentence in _changes(student, edge):
            yield _gradient(student, node, values, {edge: change}), sentence
    if student.rate is not None and not any(map(replay.is_module, derivation.order)):
        changed = dict(values)
        for leaf in trained(derivation):
            if leaf in derivation.gradients:
                changed[leaf] = changed[leaf] - student.rate * student.numbers["grad", leaf]
        yield (_gradient(student, node, changed, {}),
               "The weights were already updated: the backward pass goes with those of the forward pass.")


def _on_the_way(student: Student, node: Node) -> List[Edge]:
    """Return the edges that a gradient comes along, up to those gradients that the student has written down."""
    derivation = student.derivation
    found: List[Edge] = []
    waiting, seen = [node], {node}
    while waiting:
        for edge in derivation.edges_to(waiting.pop()):
            found.append(edge)
            if edge.child not in seen and ("grad", edge.child) not in student.given:
                seen.add(edge.child)
                waiting.append(edge.child)
    return found[:MOST_EDGES]


def _gradient(student: Student, node: Node, values: Dict[Node, Any],
              changes: Dict[Edge, Callable[[Any], Any]]) -> Any:
    """Return a gradient as it comes out with other values, or with another flow along some edges."""
    on_the_way = {edge.parent for edge in _on_the_way(student, node)}
    gradients: Dict[Node, Any] = {}
    for each in reversed(student.derivation.order):
        if each not in on_the_way:
            gradients[each] = student.numbers.get(("grad", each))
            continue
        total: Any = 0.0
        for edge in student.derivation.edges_to(each):
            grad = gradients[edge.child]
            total = total + (changes[edge](grad) if edge in changes else flow_along(edge, grad, values))
        gradients[each] = total
        if each is node:
            break
    return gradients[node]


def _changes(student: Student, edge: Edge) -> Iterator[Tuple[Callable[[Any], Any], str]]:
    """Yield what may go wrong on one edge: how the flow then comes from the gradient, and the sentence on it."""
    derivation, values, child = student.derivation, student.values, edge.child
    operation, names = child.operation, derivation.names
    if operation is None or replay.is_module(child):
        return
    if len(derivation.edges_to(edge.parent)) > 1:
        yield lambda grad: 0.0 * values[edge.parent], f"The path through {_called(student, child)} is missing."
    if operation.name == "subtract" and edge.i == 1:
        formula = TEXT.write(names.formula(child))
        yield (lambda grad: -flow_along(edge, grad, values),
               f"The sign is lost on the way: {formula} falls as {names.text[edge.parent]} grows.")
    if not operation.elementwise or child.shape != edge.parent.shape:
        return
    if operation.name not in ("add", "subtract", "negate"):
        yield lambda grad: grad, f"The derivative of {_called(student, child)} is missing."
    if len(child.parents) > 1 or operation.name == "negate":
        return
    slope, argument = operation.name, values[edge.parent]
    with np.errstate(all="ignore"):
        from_argument = operation.backward(0, np.ones_like(values[child]), argument, argument)
        at_output = operation.backward(0, np.ones_like(values[child]), operation.forward(values[child]), values[child])
    # for one whose rule is in terms of its output: z (1 - z) in place of h (1 - h)
    yield (lambda grad: grad * from_argument,
           f"In the derivative of {_called(student, child)}, the argument of {slope} stands where its value belongs.")
    yield (lambda grad: grad * at_output,
           f"The derivative of {_called(student, child)} is taken at the value of {slope}, not at its argument.")
    for other in derivation.order:
        if other is not child and other.shape == child.shape and other.operation is not None \
                and other.operation.name == operation.name and other.operation.elementwise:
            there = local_derivative(Edge(other, other.parents[0], 0), values)
            yield (lambda grad, there=there: grad * there,  # type: ignore[misc]
                   f"The derivative of {slope} is that of {_called(student, other)}, not of {_called(student, child)}.")


def _called(student: Student, node: Node) -> str:
    """Return a node's name, or, if it has none of its own, the operation and the named node that it goes into."""
    names = student.derivation.names
    if node.name or node.operation is None:
        return names.text[node]
    above = node
    while not above.name and len(student.derivation.edges_to(above)) == 1:
        above = student.derivation.edges_to(above)[0].child
    inside = f" in {names.text[above]}" if above.name else ""
    return f"{TEXT.write(names.formula(node))}{inside}"


def _term(derivation: Derivation, edge: Edge) -> str:
    return f"{derivation.names.derivative(edge.child)} * {TEXT.write(local(derivation, edge))}"


def _step_slips(student: Student, node: Node) -> Iterator[Slip]:
    """Yield what comes out if the step is taken the wrong way, or without the learning rate."""
    value, grad = student.numbers["value", node], student.numbers["grad", node]
    name, rate = student.derivation.names.text[node], student.rate
    assert rate is not None
    yield value, f"That is the old {name}."
    yield value + rate * grad, "The step goes against the gradient: minus, not plus."
    yield value - grad, "The learning rate is missing."
    yield rate * grad, f"That is the length of the step; it must be subtracted from {name}."
    yield -rate * grad, f"That is the step; it must be added to {name}."


def _where(answer: Given, expected: Any, tolerance: float) -> str:
    """Return which entries of an array are wrong, if not all of them."""
    expected, value = np.asarray(expected), answer.value
    if value.shape != expected.shape or value.ndim == 0:
        return ""
    wrong = [index for index in np.ndindex(value.shape) if not is_close(
        Given(value[index], answer.margin[index], answer.digits), expected[index], tolerance).close]
    if len(wrong) == value.size or not wrong:
        return ""
    first = [int(k) for k in wrong[0]]
    others = f" and {len(wrong) - 1} more" if len(wrong) > 1 else ""
    return (f"Entry {first if len(first) > 1 else first[0]} is {number_text(value[wrong[0]])}, but should be "
            f"{number_text(expected[wrong[0]])}{others}.")
