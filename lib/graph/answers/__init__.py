"""A checker of hand calculations: which line is right, which is the first wrong one, and which merely follow from it.

>>> from lib.graph import variable
>>> from lib.graph.answers import check_answers
>>> x, w = variable(3.0, name="x"), variable(0.5, name="w")
>>> loss = ((w * x).named("z") ** 2).named("L")
>>> print(check_answers(loss, {"z": 1.5, "L": 2.25, "dL/dz": 1.5, "dL/dw": 4.5}))
z = 1.5: right
L = 2.25: right
dL/dz = 1.5: WRONG, the first wrong line; it should be 3. A factor of 2 is missing.
dL/dw = 4.5: follows from dL/dz: right for what stands there, though it should be 9.
2 of 4 lines are right, 1 is wrong, 1 follows.
"""
from __future__ import annotations

import difflib
import re
from typing import Any, Dict, FrozenSet, List, Mapping, Optional, Tuple

import numpy as np

from lib.graph.answers.compare import Comparison, as_given, is_close
from lib.graph.answers.diagnosis import diagnose
from lib.graph.answers.report import AnswerLine, AnswerReport
from lib.graph.engine import again
from lib.graph.explain.flows import local
from lib.graph.notation import TEXT
from lib.graph.notation.digits import value_text
from lib.graph.explain.parts import trained
from lib.graph.explain.derivation import Edge, Derivation, flow_along, local_derivative, recompute, derivation_of
from lib.graph.node import Node
from lib.validation import InputError

__all__ = ["check_answers", "AnswerReport", "AnswerLine"]
LOSS_NAMES = ("L", "l", "loss", "Loss")  # stand for the output, whatever it is called


def check_answers(graph: Any, answers: Mapping[str, Any], learning_rate: Optional[float] = None,
                  tolerance: float = 1e-3) -> AnswerReport:
    """Return the verdict on each answer of a hand calculation.

    The calculation is done twice: once correctly, and once with the student's own numbers wherever there are any. A
    line that differs from the first but agrees with the second was computed rightly from earlier wrong lines.

    Args:
        graph: the output node (or its Explanation), such as a loss.
        answers: numbers, arrays, or fractions such as "3/8", by name: "h0" or "t1" for values, "dL/dw0" for gradients
            (L also stands for an output of another name), "dh0/dz0" for a local derivative between neighbours, and,
            with a learning rate, "new w0" for the parameter after one step and "new L" for the loss after it.
        learning_rate: of the gradient-descent step, if answers on it are to be checked.
        tolerance: the relative deviation up to which a number counts as right. Numbers rounded to two or more digits
            are right as well, as long as they deviate by less than 2 %.

    Returns:
        An AnswerReport; print it, or ask for its lines.

    Raises:
        InputError: a name isn't known (the nearest ones are suggested), an answer isn't a number, or there is none.
    """
    derivation = getattr(graph, "derivation", None)
    if not isinstance(derivation, Derivation):
        derivation = derivation_of(graph, reuse=True)
    if not answers:
        raise InputError("There is no answer to check: give a dictionary such as {\"dL/dw0\": 0.75}.")
    if any(kind != "value" for kind, _ in (_find(derivation, name, learning_rate) for name in answers)):
        derivation.require_gradients()
    given = {_find(derivation, name, learning_rate): (name, as_given(name, answer)) for name, answer in answers.items()}
    return AnswerReport(_Calculation(derivation, given, learning_rate, tolerance).lines)


# ---------------------------------------------------------------------- names

Quantity = Tuple[str, Any]  # ("value", node), ("grad", node), ("local", edge), ("new", leaf) or ("after", node)


def _find(derivation: Derivation, name: str, learning_rate: Optional[float]) -> Quantity:
    """Return the quantity that a student's name stands for."""
    text = "".join(str(name).split()) if not str(name).startswith("new ") else str(name)
    names, output = derivation.names, derivation.output
    if names.find(text) is not None:
        return "value", names.find(text)
    new = re.fullmatch(r"new (.+)|(.+)_new", text)
    changed = new.group(1) or new.group(2) if new else ""
    after_step = names.find(changed)
    if after_step is None and changed in LOSS_NAMES:
        after_step = output
    if after_step is not None:
        if learning_rate is None:
            raise InputError(f"To check {name!r}, the learning rate must be known: "
                             "check_answers(graph, answers, learning_rate=...).")
        return ("new" if after_step in trained(derivation) else "after"), after_step
    fraction = re.fullmatch(r"d\(?(.+?)\)?/d\(?(.+?)\)?", text)
    if fraction:
        above, below = fraction.groups()
        above_node, node = names.find(above), names.find(below)
        is_output = above_node is output or (above_node is None and above in LOSS_NAMES)
        if node is not None and is_output:
            return "grad", node
        for edge in derivation.edges:
            if edge.child is above_node and edge.parent is node and not derivation.is_repeated(edge):
                return "local", edge
    if text.endswith(".grad") and names.find(text[:-5]) is not None:
        return "grad", names.find(text[:-5])
    if text in LOSS_NAMES:
        return "value", output
    raise InputError(_unknown(derivation, name))


def _unknown(derivation: Derivation, name: str) -> str:
    known = derivation.names.known()
    candidates = known + [derivation.names.derivative(node) for node in derivation.gradients]
    near = difflib.get_close_matches(str(name), candidates, n=3, cutoff=0.5)
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    unnamed = [node for node in derivation.parameters() if not node.name]
    naming = " Some variables have no name of their own; give them one: variable(0.5, name=\"w0\")." if unnamed else ""
    example = derivation.names.derivative((derivation.parameters() or [derivation.output])[0])
    return (f"There is no quantity called {name!r} in this graph.{hint} Values are called {', '.join(known)}; "
            f"gradients are called {example} and so on.{naming}")


# ---------------------------------------------------------------------- the calculation, done twice

class _Calculation:
    """The correct calculation beside the one with the student's numbers."""

    def __init__(self, derivation: Derivation, given: Dict[Quantity, Tuple[str, Any]], learning_rate: Optional[float],
                 tolerance: float) -> None:
        self.derivation, self.given, self.rate, self.tolerance = derivation, given, learning_rate, tolerance
        self.lines: List[AnswerLine] = []
        self.after: Dict[Node, Any] = {}  # the correct values after the step
        self.theirs: Dict[Quantity, Any] = {}  # each quantity as it is with the student's numbers
        self.causes: Dict[Quantity, FrozenSet[str]] = {}  # the wrong lines that it builds on
        for node in derivation.order:
            self._forward(node, "value")
        kinds = {kind for kind, _ in given}
        if kinds - {"value"}:
            self._backward()
        if learning_rate is not None and kinds & {"new", "after"}:
            self._step()

    def _forward(self, node: Node, kind: str) -> None:
        """Settle a node's value, or with kind "after" its value after the step."""
        correct = self.derivation.values[node] if kind == "value" else self.after[node]
        if node.operation is None:
            start = ("new", node) if kind == "after" and ("new", node) in self.theirs else ("value", node)
            expected = correct if kind == "value" else self.theirs[start]
            self._settle((kind, node), expected, correct, [] if kind == "value" else [start])
        else:
            inputs = [(kind, parent) for parent in node.parents]
            expected = again(node, [self.theirs[each] for each in inputs])
            self._settle((kind, node), expected, correct, inputs)

    def _backward(self) -> None:
        """Settle each gradient as the sum over the children, and the local derivatives that are asked for."""
        derivation = self.derivation
        values = {node: self.theirs["value", node] for node in derivation.order}
        for node in reversed(derivation.order):
            if node not in derivation.gradients:
                continue
            expected, inputs = np.ones_like(values[node])[()], []
            for k, edge in enumerate(derivation.edges_to(node)):
                flow = flow_along(edge, self.theirs["grad", edge.child], values)
                expected = flow if k == 0 else expected + flow
                inputs += [("grad", edge.child)] + self._value_inputs(edge)
            self._settle(("grad", node), expected, derivation.gradients[node], inputs)
            for edge in derivation.edges_from(node):
                if ("local", edge) in self.given:
                    self._settle(("local", edge), local_derivative(edge, values),
                                 local_derivative(edge, derivation.values), self._value_inputs(edge))

    def _value_inputs(self, edge: Edge) -> List[Quantity]:
        return [("value", node) for node in edge.child.parents + (edge.child,)]

    def _step(self) -> None:
        """Settle each new parameter, and the forward pass with them."""
        derivation, rate = self.derivation, self.rate
        changed = {node: node.value - rate * derivation.gradients[node] for node in trained(derivation)}
        self.after = recompute(derivation.order, changed)
        for node, correct in changed.items():
            expected = self.theirs["value", node] - rate * self.theirs["grad", node]
            self._settle(("new", node), expected, correct, [("value", node), ("grad", node)])
        for node in derivation.order:
            self._forward(node, "after")

    def _settle(self, quantity: Quantity, expected: Any, correct: Any, inputs: List[Quantity]) -> None:
        """Compare the student's answer, if there is one, with both calculations, and go on with it."""
        causes: FrozenSet[str] = frozenset()
        if inputs and not np.allclose(expected, correct, rtol=1e-9, atol=1e-12):
            causes = causes.union(*[self.causes[each] for each in inputs])  # else no earlier error has an effect here
        self.theirs[quantity], self.causes[quantity] = expected, causes
        if quantity not in self.given:
            return
        name, answer = self.given[quantity]
        comparison = is_close(answer, correct, self.tolerance)
        consistent = is_close(answer, expected, self.tolerance).close
        if comparison.close or (consistent and not causes):
            self._judge(quantity, correct, "right", "", frozenset())
        elif consistent:
            order = [line.name for line in self.lines if line.name in causes]
            self._judge(quantity, correct, "follows", " and ".join(order), causes)
        else:
            self._judge(quantity, correct, "wrong", self._diagnosis(quantity, answer, expected, comparison, causes),
                        frozenset([name]))

    def _judge(self, quantity: Quantity, correct: Any, status: str, message: str, causes: FrozenSet[str]) -> None:
        name, answer = self.given[quantity]
        self.lines.append(AnswerLine(name, answer, correct, status, message))
        self.causes[quantity] = causes
        if np.shape(answer) == np.shape(correct) and np.all(np.isfinite(answer)):
            self.theirs[quantity] = answer[()]

    def _diagnosis(self, quantity: Quantity, answer: Any, expected: Any, comparison: Comparison,
                   causes: FrozenSet[str]) -> str:
        """Return what is likely wrong, measured against what the earlier lines, right or wrong, should lead to."""
        message = comparison.message or diagnose(self.derivation, quantity, answer, expected, self.theirs, self.rate,
                                                 self.tolerance)
        if causes:
            order = [line.name for line in self.lines if line.name in causes]
            return f"{message} It doesn't follow from {' and '.join(order)} either: that would give " \
                   f"{value_text(expected)}.".strip()
        if message or quantity[0] != "grad":
            return message
        received = [f"{self.derivation.names.derivative(edge.child)} * {TEXT.write(local(self.derivation, edge))}"
                    for edge in self.derivation.edges_to(quantity[1])]
        return f"It is {' + '.join(received)}." if received else ""
