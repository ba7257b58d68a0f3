"""The check of a student's answers, line by line: right, right given an earlier slip, or wrong, with its cause and a
hint.

A line is held against three numbers: the key; what follows from the student's own numbers, as they are written; and
what follows from the slips alone, for somebody who went on with all digits. So a slip costs its own line and no other.
"""
from __future__ import annotations

from typing import Dict, Iterator, List, Mapping, NamedTuple, Optional, Tuple

import numpy as np

from grading.variants.calculation import Line, is_of
from grading.variants.draws import DIGITS, Case, spreads_of, tolerance
from grading.variants.guesses import guesses
from grading.variants.task import CAUSES
from lib.graph.answers.calculation import SAMPLES, Rounding
from lib.graph.answers.compare import as_given, is_close
from lib.graph.notation.digits import number_text
from lib.validation import InputError

COARSE = "rounding"
WORDS = {**CAUSES, COARSE: "it is rounded too coarsely"}


class Verdict(NamedTuple):
    """What is said of one line.

    Attributes:
        line: its name.
        given: the answer, as it was given; "" if there is none.
        status: "right", "follows" (right given an earlier line), "wrong", "missing" (or no number), or "open", where
            an earlier line leads to no number, so that a person has to look.
        cause: of a wrong line, one of WORDS, or "" if no slip that is known gives its number.
        hint: what to tell the student.
        expected: what should stand there, given the lines before.
    """

    line: str
    given: str
    status: str
    cause: str
    hint: str
    expected: float

    @property
    def counts(self) -> bool:
        """Whether the line gets its point."""
        return self.status in ("right", "follows")

    @property
    def words(self) -> str:
        """The status in words, with the cause."""
        if self.status == "follows":
            return "right, given your earlier line"
        if self.status == "wrong":
            return f"wrong: {WORDS[self.cause]}" if self.cause else "wrong"
        return {"missing": "no answer", "open": "for the tutor"}.get(self.status, self.status)


class Checked(NamedTuple):
    """The verdicts on one student's answers, in the order in which the lines are asked for, and the numbers read."""

    case: Case
    verdicts: List[Verdict]
    values: Dict[str, float]

    @property
    def points(self) -> int:
        """One for each line that is right, or right given an earlier one."""
        return sum(verdict.counts for verdict in self.verdicts)

    def __str__(self) -> str:
        lines = []
        for verdict in self.verdicts:
            should = ""
            if verdict.status in ("wrong", "missing"):
                should = f" (it should be {number_text(verdict.expected, 4)})"
            hint = f" {verdict.hint}" if verdict.hint else ""
            lines.append(f"{verdict.line} = {verdict.given or '-'}: {verdict.words}{should}.{hint}")
        return "\n".join(lines + [f"{self.points} of {len(self.verdicts)} points, consequences followed."])


def check(case: Case, answers: Mapping[str, str]) -> Checked:
    """Return the verdicts on answers, given as they were written, by the names of the lines.

    Raises:
        InputError: there is no line of such a name.
    """
    checking = _Check(case, answers)
    return Checked(case, checking.verdicts(), {line.name: value for line, value in checking.values.items()})


class _Check:
    """The key's calculation, the one with the student's numbers, and the one with the slips alone."""

    def __init__(self, case: Case, answers: Mapping[str, str]) -> None:
        self.case, self.machine, self.numbers = case, case.machine, case.numbers
        self.written = {self.machine.line(name): str(text).strip() for name, text in answers.items()}
        self.values: Dict[Line, float] = {}
        self.unreadable: Dict[Line, str] = {}
        for line, text in self.written.items():
            try:
                value = as_given(line.name, text).value if text else np.array(np.nan)
                if text and (value.ndim or not np.isfinite(value)):
                    raise InputError(f"{text} is no finite number.")
                self.values[line] = float(value)
            except InputError as error:
                self.unreadable[line] = str(error)
        self.values = {line: value for line, value in self.values.items() if np.isfinite(value)}
        self.literal = self.machine.run(self.numbers, self.values)
        self.slips: Dict[Line, float] = {}  # the wrong lines, with all digits where the slip is known
        self.exact = self.machine.run(self.numbers)
        self.spreads = case.spreads

    def verdicts(self) -> List[Verdict]:
        found = {line.name: self._judge(line) for line in self.machine.lines}
        return [found[name] for name in self.case.task.lines]

    def _judge(self, line: Line) -> Verdict:
        expected = line.of(self.exact[0])
        given = self.written.get(line, "")
        if not np.isfinite(expected):
            return Verdict(line.name, given, "open", "", "Your earlier lines lead to no number here.", expected)
        if line not in self.values:
            return Verdict(line.name, given, "missing", "", self.unreadable.get(line, ""), expected)
        value = self.values[line]
        if self._is(line, value, self.case.key[line.name]):
            return Verdict(line.name, given, "right", "", "", expected)
        status = "follows" if self.slips else "right"
        if any(self._is(line, value, each) for each in (expected, line.of(self.literal[0]))):
            return Verdict(line.name, given, status, "", "", expected)
        for number in self.machine.values(line, *self.exact) + self.machine.values(line, *self.literal):
            if self._is(line, value, number):  # on another way than the graph's, which is gone on with
                self._go_on(line, number)
                return Verdict(line.name, given, status, "", "", expected)
        listed = any(abs(value - number) <= tolerance(number) for _, _, number in self._known(line))
        if not listed and self._is_rounded(line, value):
            return Verdict(line.name, given, status, "", "", expected)
        cause, hint, number = self._slip(line, value)
        self._go_on(line, number)
        return Verdict(line.name, given, "wrong", cause, hint, expected)

    def _go_on(self, line: Line, number: float) -> None:
        """Calculate what follows from another number in a line than what the graph gives."""
        self.slips[line] = number
        self.exact = self.machine.run(self.numbers, self.slips)
        self.spreads = spreads_of(self.machine, self.numbers, *self.exact, self.slips)

    def _is(self, line: Line, value: float, expected: float) -> bool:
        """Tell whether an answer is a number, up to the tolerance and what rounding on the way to it does."""
        return abs(value - expected) <= tolerance(expected) + max(self.spreads[line.name], self.case.spreads[line.name])

    def _is_rounded(self, line: Line, value: float) -> bool:
        """Tell whether an answer comes out if the line's own step is rounded on the way, as 1 - 0.994² may be."""
        step = next((step for step in self.machine.steps if is_of(line, step.quantity) and step.inputs), None)
        if step is None or line.axis is not None or line.quantity[0] not in ("value", "grad"):
            return False
        for computed, used in (self.exact, self.literal):
            found = [float(np.asarray(step.compute(used, Rounding(DIGITS, np.random.default_rng(k))))[line.place])
                     for k in range(SAMPLES)]
            off = tolerance(line.of(computed))
            if min(found) - off <= value <= max(found) + off:
                return True
        return False

    def _slip(self, line: Line, value: float) -> Tuple[str, str, float]:
        """Return the cause of a wrong line, the hint, and the number that the slip gives with all digits."""
        nearest: Optional[Tuple[float, str, str, float]] = None
        for cause, hint, number in self._known(line):
            off = abs(value - number)
            if off <= tolerance(number) + self.spreads[line.name] and (nearest is None or off < nearest[0]):
                nearest = off, cause, hint, number
        nearest = nearest or self._unwritten(line, value)
        if nearest is not None:
            return nearest[1], nearest[2], nearest[3]
        expected = line.of(self.exact[0])
        if is_close(as_given(line.name, self.written[line]), expected).close or \
                _digits_of(self.written[line]) < 3 and abs(value - expected) <= 0.06 * abs(expected):
            return COARSE, "Give three significant digits.", expected
        for cause, hint, number in self._others(line):
            if abs(value - number) <= tolerance(number):
                return cause, hint, number
        return "", "", value

    def _unwritten(self, line: Line, value: float) -> Optional[Tuple[float, str, str, float]]:
        """Return a slip in an earlier line that isn't written down, if it leads to this number, and go on with it."""
        for earlier in self.machine.lines[:self.machine.lines.index(line)]:
            for slip in self.case.task.slips_of(earlier.name) if earlier not in self.values else ():
                number = self.machine.slip_value(slip, earlier, *self.exact)
                found = self.machine.run(self.numbers, {**self.slips, earlier: number})
                for followed in self.machine.values(line, *found) if earlier not in self.slips else ():
                    if abs(value - followed) <= tolerance(followed):
                        self.slips[earlier] = number
                        return 0.0, slip.cause, f"In {earlier.name}, which isn't written down: {slip.hint}", followed
        return None

    def _known(self, line: Line) -> Iterator[Tuple[str, str, float]]:
        """Yield what the task's slips give, from the student's numbers with all digits and as they are written."""
        for computed, used in (self.exact, self.literal):
            for slip in self.case.task.slips_of(line.name):
                number = self.machine.slip_value(slip, line, computed, used)
                if np.isfinite(number):
                    yield slip.cause, slip.hint, number

    def _others(self, line: Line) -> Iterator[Tuple[str, str, float]]:
        """Yield what slips give that may happen in any line of any task."""
        expected = line.of(self.exact[0])
        if expected:
            yield "sign", "A sign is wrong.", -expected
            yield "factor", "A factor of 2 is missing.", expected / 2
            yield "factor", "There is a factor of 2 too many.", expected * 2
            yield "factor", "A sign is wrong, and a factor of 2 is missing.", -expected / 2
            yield "factor", "A sign is wrong, and there is a factor of 2 too many.", -expected * 2
        for guess in guesses(self.machine, line):
            for computed, used in (self.exact, self.literal):
                yield guess.cause, guess.hint, self.machine.guessed(guess.code, line, computed, used)
        if line.quantity[0] == "none":
            yield "formula", "Does the one depend on the other at all?", self.values[line]


def _digits_of(text: str) -> int:
    return as_given("the answer", text).digits
