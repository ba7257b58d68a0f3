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

from typing import Any, Dict, FrozenSet, List, Mapping, Optional, Tuple

import numpy as np

from lib.graph.answers.calculation import Calculation, Quantity
from lib.graph.answers.compare import FEWEST_DIGITS, NO_SPREAD, Comparison, Given, Spread, as_given, is_close
from lib.graph.answers.diagnosis import Student, diagnose, hidden_slip
from lib.graph.answers.quantities import find
from lib.graph.answers.report import AnswerLine, AnswerReport
from lib.graph.explain.derivation import Derivation, derivation_of
from lib.graph.explain.flows import partials
from lib.graph.notation import TEXT
from lib.graph.notation.digits import value_text
from lib.validation import InputError

__all__ = ["check_answers", "AnswerReport", "AnswerLine"]


def check_answers(graph: Any, answers: Mapping[str, Any], learning_rate: Optional[float] = None,
                  tolerance: float = 0.0) -> AnswerReport:
    """Return the verdict on each answer of a hand calculation.

    The calculation is done twice: once correctly, and once with the student's own numbers wherever there are any. A
    line that differs from the first but agrees with the second was computed rightly from earlier wrong lines. A number
    is right if some rounding of the true one, to two digits or more, gives it; what isn't written down may have been
    rounded as well, to as many digits as the answers have. Quantities are called as explain(graph) calls them.

    Args:
        graph: the output node (or its Explanation), such as a loss.
        answers: numbers, arrays, or strings such as "0,378" and "3/8", by name: "h0" or "t1" for values, "dL/dw0" for
            gradients (L also stands for an output of another name), "dh0/dz0" for a local derivative, and, with a
            learning rate, "new w0" for the parameter after one step and "new L" for the loss after it.
        learning_rate: of the gradient-descent step, if answers on it are to be checked.
        tolerance: a relative deviation that counts as right, whatever the rounding.

    Returns:
        An AnswerReport; print it, or ask for its lines.

    Raises:
        InputError: a name isn't known (the nearest ones are suggested), an answer isn't a number, or there is none.
    """
    derivation = derivation_of(getattr(graph, "output", graph), getattr(graph, "reuse", True), written_out=True)
    if not answers or not isinstance(answers, Mapping):
        raise InputError("There is no answer to check: give a dictionary such as {\"dL/dw0\": 0.75}.")
    if any(kind in ("grad", "new", "after") for kind, _ in (find(derivation, name, learning_rate) for name in answers)):
        derivation.require_gradients()
    given = {find(derivation, name, learning_rate): (name, as_given(name, answer)) for name, answer in answers.items()}
    for (kind, node), (name, _) in given.items():
        if kind == "grad" and node not in derivation.gradients:
            raise InputError(f"There is no {name}: {derivation.names.text[node]} is a constant, or computed from "
                             "constants alone. Make it a variable(value, name=...) to have its derivative checked.")
    return AnswerReport(_Examination(derivation, given, learning_rate, tolerance).lines)


class _Examination:
    """The correct calculation beside the one with the student's numbers."""

    def __init__(self, derivation: Derivation, given: Dict[Quantity, Tuple[str, Given]], rate: Optional[float],
                 tolerance: float) -> None:
        self.derivation, self.given, self.tolerance = derivation, given, tolerance
        calculation = Calculation(derivation, given, rate)
        self.correct, _ = calculation.run({})
        numbers = {quantity: answer.value.reshape(np.shape(self.correct[quantity]))[()]
                   for quantity, (_, answer) in given.items() if _fits(answer, self.correct[quantity])}
        self.expected, used = calculation.run(numbers)
        digits = max(answer.digits for _, answer in given.values())
        last = min([0] + [answer.last for _, answer in given.values()])
        self.digits, self.last = digits, last or None  # integers don't say how many decimals somebody keeps
        if digits < FEWEST_DIGITS:
            self.digits, self.last = 3, None  # so few digits say nothing on how somebody calculates
        self.calculation, self.numbers = calculation, numbers
        self._spreads: Optional[Dict[Quantity, Spread]] = None
        self.student = Student(derivation, used, frozenset(given), rate)
        self.lines: List[AnswerLine] = []
        self.causes: Dict[Quantity, FrozenSet[str]] = {}  # the wrong lines that each number builds on
        for step in calculation.steps:
            causes: FrozenSet[str] = frozenset()
            expected, correct = self.expected[step.quantity], self.correct[step.quantity]
            if step.inputs and not np.allclose(expected, correct, rtol=1e-9, atol=1e-12):
                causes = causes.union(*[self.causes[each] for each in step.inputs])  # else they have no effect here
            self.causes[step.quantity] = self._judge(step.quantity, causes) if step.quantity in given else causes

    def _judge(self, quantity: Quantity, causes: FrozenSet[str]) -> FrozenSet[str]:
        """Write the verdict on one answer, and return the wrong lines that it builds on."""
        name, answer = self.given[quantity]
        expected, correct = self.expected[quantity], self.correct[quantity]
        comparison = is_close(answer, correct, self.tolerance)
        exactly = is_close(answer, expected, self.tolerance).close
        consistent = exactly or is_close(answer, expected, self.tolerance, self._spread(quantity)).close
        order = [line.name for line in self.lines if line.name in causes]
        status, message = "wrong", ""
        if comparison.close or (consistent and not causes):
            status, causes = "right", frozenset()
            spread = NO_SPREAD if comparison.close or exactly else self._spread(quantity)
            message = hidden_slip(self.student, quantity, answer, expected, self.tolerance, spread)
        elif consistent:
            status, message = "follows", " and ".join(order)
        else:
            message = self._diagnosis(quantity, answer, comparison, order)
            causes = frozenset([name])
        self.lines.append(AnswerLine(name, answer.value, correct, status, message))
        return causes

    def _spread(self, quantity: Quantity) -> Spread:
        """Return how far a number may be off because what isn't written down was rounded."""
        if self._spreads is None:
            self._spreads = self.calculation.spreads(self.numbers, self.expected, self.digits, self.last)
        return self._spreads[quantity]

    def _diagnosis(self, quantity: Quantity, answer: Given, comparison: Comparison, order: List[str]) -> str:
        """Return what is likely wrong, measured against what the earlier lines, right or wrong, should lead to."""
        expected, derivation = self.expected[quantity], self.derivation
        message = comparison.message
        if _fits(answer, expected):
            message = diagnose(self.student, quantity, answer, expected, self.tolerance,
                               self._spread(quantity)) or message
        if order:
            return f"{message} It doesn't follow from {' and '.join(order)} either: that would give " \
                   f"{value_text(expected)}.".strip()
        if message or quantity[0] != "grad":
            return message
        received = [TEXT.write(partials(derivation, edge)) for edge in derivation.edges_to(quantity[1])]
        return f"It is {' + '.join(received)}." if received else ""


def _fits(answer: Given, correct: Any) -> bool:
    """Tell whether later steps can go on with an answer."""
    same = answer.value.shape == np.shape(correct) or answer.value.size == np.size(correct) == 1
    return same and bool(np.all(np.isfinite(answer.value)))
