"""The calculation that a student does by hand, step by step: it can be done with the student's own numbers, or rounded.

Each step computes one quantity from others: ("value", node), ("grad", node), ("local", (above, below)), ("new", leaf)
and ("after", node). Where the student has given a number, later steps go on with it.
"""
from __future__ import annotations

from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Tuple

import numpy as np

from lib.graph.answers.compare import NO_SPREAD, Spread, rounding_unit
from lib.graph.explain import replay
from lib.graph.explain.derivation import Derivation, Edge, flow_along, local_derivative
from lib.graph.explain.parts import trained
from lib.graph.node import Node
from lib.graph.notation import name
from lib.graph.notation.digits import rounded
from lib.graph.notation.evaluate import signs_in

Quantity = Tuple[str, Any]
Numbers = Dict[Quantity, Any]
SAMPLES = 40  # of a calculation in which what isn't written down is rounded up or down at random
LARGEST_SAMPLED = 20000  # numbers in all; in larger graphs only the answers' own rounding counts


class Rounding:
    """How somebody rounds what isn't written down; which numbers, and in which grouping of factors, is left to chance.

    Args:
        digits: how many significant digits are kept.
        rng: the generator that chance comes from.
        last: the power of ten of the last decimal that is kept, -3 for three decimals; None for all.
    """

    def __init__(self, digits: int, rng: np.random.Generator, last: Optional[int] = None) -> None:
        self.digits, self.rng, self.last = digits, rng, last

    def unit(self, numbers: Any) -> Any:
        """Return the unit of rounding: of the last digit or decimal that is kept, and of one digit at least."""
        if self.last is None:
            return rounding_unit(numbers, self.digits)
        decimal = np.minimum(10.0 ** self.last, rounding_unit(numbers, 1))
        return decimal if self.rng.random() < 0.5 else np.maximum(rounding_unit(numbers, self.digits), decimal)

    def output(self, node: Node, inputs: Dict[Node, Any]) -> Any:
        """Return the value of a node; by hand, softmax is computed from rounded powers of e and their rounded sum."""
        operation: Any = node.operation
        if operation.name != "softmax":
            return replay.forward(node, inputs)
        powers = self.value(np.exp(inputs[node.parents[0]]))
        return powers / self.value(powers.sum(axis=operation.axis, keepdims=True))

    def inputs(self, edge: Edge, numbers: Numbers) -> Dict[Node, Any]:
        """Return what a derivative is computed from: -z / w, say, for z = x / w, or -x / w ** 2 without z."""
        values = _values(edge, numbers)
        if self.rng.random() < 0.5 and not replay.is_module(edge.child):
            values[edge.child] = replay.forward(edge.child, values)
        return values

    def value(self, numbers: Any) -> Any:
        """Return the value of an operation: rounded, an exact half up or down, or as the calculator shows it."""
        if self.rng.random() < 0.3:
            return numbers
        unit = np.asarray(self.unit(numbers))
        steps = numbers * (1 + self.rng.choice([-1e-9, 1e-9])) / np.where(unit > 0, unit, 1)
        return np.where(unit > 0, np.round(steps) * unit, numbers)[()]

    def product(self, numbers: Any) -> Any:
        """Return a product of several factors: off by half a unit of the last digit, its own or one on the way.

        One that has no more digits than are kept is taken as exact.
        """
        step = 10.0 ** (1 - self.digits)
        own = np.asarray(self.unit(numbers))
        units = np.maximum(own, 0.5 * step * np.abs(numbers))
        exact = np.abs(rounded(numbers, self.digits) - numbers) < 1e-9 * own
        return numbers + np.where(exact, 0, self.rng.choice([-0.5, 0.5], np.shape(numbers)) * units)[()]

    def difference(self, number: Any) -> Any:
        """Return one minus a rounded number."""
        unit = 10.0 ** (-self.digits if self.last is None else max(-self.digits, self.last))
        return number + self.rng.choice([-0.5, 0.5], np.shape(number)) * unit


class NoRounding:
    """All digits are kept."""

    def inputs(self, edge: Edge, numbers: Numbers) -> Dict[Node, Any]:
        """Return what a derivative is computed from, the result of the operation among it."""
        return _values(edge, numbers)

    def output(self, node: Node, inputs: Dict[Node, Any]) -> Any:
        """Return the value of a node."""
        return replay.forward(node, inputs)

    def value(self, numbers: Any) -> Any:
        """Return the numbers."""
        return numbers

    product = value


NO_ROUNDING = NoRounding()


class Step(NamedTuple):
    """How one quantity comes from others; compute takes all numbers so far and a Rounding."""

    quantity: Quantity
    inputs: List[Quantity]
    compute: Callable[[Numbers, Any], Any]


class Calculation:
    """The steps of a graph's forward pass, backward pass and step of gradient descent, in order."""

    def __init__(self, derivation: Derivation, asked: Mapping[Quantity, Any], rate: Optional[float]) -> None:
        self.derivation, self.rate = derivation, rate
        kinds = {kind for kind, _ in asked}
        self.trained = set(trained(derivation))
        self.steps: List[Step] = [self._value(node, "value") for node in derivation.order]
        if kinds - {"value"}:
            self.steps += [self._gradient(node) for node in reversed(derivation.order) if node in derivation.gradients]
            self.steps += [self._local(*ends) for kind, ends in asked if kind == "local"]
        if rate is not None and kinds & {"new", "after"}:
            self.steps += [self._new(node) for node in trained(derivation)]
            self.steps += [self._value(node, "after") for node in derivation.order]

    def run(self, answers: Mapping[Quantity, Any], rounding: Any = NO_ROUNDING) -> Tuple[Numbers, Numbers]:
        """Return what each step gives, and the numbers that later steps go on with: the student's where there are any.

        Args:
            answers: the student's numbers.
            rounding: what is done to the numbers that the student hasn't written down.
        """
        computed: Numbers = {}
        used: Numbers = {}
        for step in self.steps:
            result = step.compute(used, rounding)
            computed[step.quantity] = result
            if step.quantity in answers:
                used[step.quantity] = answers[step.quantity]
            else:
                used[step.quantity] = rounding.value(result) if step.inputs else result
        return computed, used

    def spreads(self, answers: Mapping[Quantity, Any], expected: Numbers, digits: int,
                last: Optional[int]) -> Dict[Quantity, Spread]:
        """Return how far below and above each number may be if what isn't written down was rounded: see Rounding."""
        rng = np.random.default_rng(0)
        spread: Dict[Quantity, Spread] = {step.quantity: NO_SPREAD for step in self.steps}
        order = self.derivation.order
        if sum(node.size for node in order) > LARGEST_SAMPLED or any(map(replay.is_module, order)):
            return spread
        for _ in range(SAMPLES):
            with np.errstate(all="ignore"):
                computed, _ = self.run(answers, Rounding(digits, rng, last))
            for quantity, number in computed.items():
                below, above = spread[quantity]
                change = number - expected[quantity]
                spread[quantity] = np.maximum(below, -1.1 * change), np.maximum(above, 1.1 * change)
        return spread

    # ------------------------------------------------------------------ the steps

    def _value(self, node: Node, kind: str) -> Step:
        """Return the step to a node's value, or with kind "after" to its value after the step of descent."""
        if node.operation is None:
            start = ("new", node) if kind == "after" and node in self.trained else ("value", node)
            if kind == "after":
                return Step((kind, node), [start], lambda numbers, rounding: numbers[start])
            return Step((kind, node), [], lambda numbers, rounding: node.value)
        inputs = [(kind, parent) for parent in node.parents]
        return Step((kind, node), inputs, lambda numbers, rounding: rounding.output(
            node, {parent: numbers[kind, parent] for parent in node.parents}))

    def _gradient(self, node: Node) -> Step:
        """Return the step to a gradient: the sum of what arrives from the children."""
        edges = self.derivation.edges_to(node)
        inputs: List[Quantity] = []
        for edge in edges:
            inputs += [("grad", edge.child)] + [("value", each) for each in edge.child.parents + (edge.child,)]

        def compute(numbers: Numbers, rounding: Any) -> Any:
            if not edges:
                return np.ones_like(numbers["value", node])[()]
            total = None
            for edge in edges:
                sent = _flow(edge, numbers["grad", edge.child], rounding.inputs(edge, numbers), rounding)
                sent = rounding.product(sent) if len(edges) > 1 else sent
                total = sent if total is None else total + sent
            return total

        return Step(("grad", node), inputs, compute)

    def _local(self, above: Node, below: Node) -> Step:
        """Return the step to d(above)/d(below): the sum over the paths that pass through no other named node."""
        edges = edges_between(self.derivation, above, below)
        inputs = [("value", node) for edge in edges for node in edge.child.parents + (edge.child,)]

        def compute(numbers: Numbers, rounding: Any) -> Any:
            received = {above: np.ones_like(numbers["value", above])[()]}
            for edge in edges:
                sent = _flow(edge, received[edge.child], rounding.inputs(edge, numbers), rounding)
                received[edge.parent] = received[edge.parent] + sent if edge.parent in received else sent
            return received[below]

        return Step(("local", (above, below)), list(dict.fromkeys(inputs)), compute)

    def _new(self, node: Node) -> Step:
        """Return the step to a parameter's new value."""
        inputs: List[Quantity] = [("value", node), ("grad", node)]
        rate = self.rate
        return Step(("new", node), inputs, lambda numbers, rounding: numbers["value", node]
                    - rounding.value(rate * numbers["grad", node]))


def edges_between(derivation: Derivation, above: Node, below: Node) -> List[Edge]:
    """Return the edges from one node down to another, children first.

    Between named nodes, those of the paths through unnamed nodes alone, if there are any: d(above)/d(below) is then
    the partial derivative, in which other named nodes stay as they are. Else all edges between them.
    """
    for unnamed_only in (True, False):
        reached = {above}
        found: List[Edge] = []
        for edge in derivation.edges:  # children last to first
            ok = edge.child is above or not unnamed_only or not edge.child.name
            if edge.child in reached and ok and edge.child is not below:
                found.append(edge)
                reached.add(edge.parent)
        leading = {below}
        kept: List[Edge] = []
        for edge in reversed(found):
            if edge.parent in leading:
                leading.add(edge.child)
                kept.append(edge)
        if kept:
            return kept[::-1]
    return []


def _values(edge: Edge, numbers: Numbers) -> Dict[Node, Any]:
    return {node: numbers["value", node] for node in edge.child.parents + (edge.child,)}


def _flow(edge: Edge, grad: Any, values: Dict[Node, Any], rounding: Any) -> Any:
    """Return what is sent along an edge; by hand, the factors of it may be rounded one after the other."""
    flow, operation = flow_along(edge, grad, values), edge.child.operation  # type: Any, Any
    if rounding is NO_ROUNDING or not operation.elementwise or np.shape(flow) != np.shape(grad):
        return flow
    slope = local_derivative(edge, values)
    if np.all(np.isin(slope, (0, 1, -1))):
        return flow
    formula = operation.derivative(edge.i, name("out"), *[name("x") for _ in edge.child.parents])
    if formula.kind == "sum":  # 1 - out ** 2
        slope = rounding.difference(slope)
    elif signs_in(formula) > 1:  # -x / w ** 2
        slope = rounding.product(rounding.product(slope))
    return slope if np.all(grad == 1) else rounding.product(grad * rounding.product(slope))
