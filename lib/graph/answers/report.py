"""The verdicts of the answer checker, line by line, and how they are shown."""
from __future__ import annotations

from typing import Any, List, NamedTuple, Optional

from lib.graph.notation.digits import value_text


class AnswerLine(NamedTuple):
    """The verdict on one answer.

    Attributes:
        name: the quantity, as the student calls it.
        given: the student's number or array.
        correct: the right one.
        status: "right", "wrong" (an error made in this line) or "follows" (right for the wrong lines it builds on).
        message: what is wrong, or which lines it follows from; of a right one, which slip its rounding would hide.
    """

    name: str
    given: Any
    correct: Any
    status: str
    message: str


class AnswerReport:
    """The verdicts on all answers, in the order of the calculation: the forward pass, then the backward pass.

    Attributes:
        lines: one AnswerLine an answer.
    """

    def __init__(self, lines: List[AnswerLine]) -> None:
        self.lines = lines

    @property
    def all_right(self) -> bool:
        """Whether there is no wrong line."""
        return all(line.status == "right" for line in self.lines)

    @property
    def first_wrong(self) -> Optional[AnswerLine]:
        """The first line in which an error was made; None if there is none."""
        return next((line for line in self.lines if line.status == "wrong"), None)

    def names(self, status: str) -> List[str]:
        """Return the names of the answers that are "right", "wrong" or that "follow" (status "follows")."""
        return [line.name for line in self.lines if line.status == status]

    def __bool__(self) -> bool:
        return self.all_right

    def __getitem__(self, name: str) -> AnswerLine:
        return {line.name: line for line in self.lines}[name]

    def __str__(self) -> str:
        return "\n".join([self._sentence(line) for line in self.lines] + [self.summary()])

    __repr__ = __str__

    def summary(self) -> str:
        """Return how many lines are right, wrong and follow."""
        counts = {status: len(self.names(status)) for status in ("right", "wrong", "follows")}
        if self.all_right:
            return f"All {counts['right']} lines are right." if counts["right"] > 1 else "The line is right."
        text = f"{counts['right']} of {len(self.lines)} lines {'is' if counts['right'] == 1 else 'are'} right"
        text += f", {counts['wrong']} {'is' if counts['wrong'] == 1 else 'are'} wrong"
        follows = counts["follows"]
        return text + (f", {follows} follow{'s' if follows == 1 else ''}." if follows else ".")

    def markdown(self) -> str:
        """Return the verdicts as a Markdown table."""
        rows = ["| quantity | answer | verdict |", "| --- | --- | --- |"]
        rows += [f"| {line.name} | {value_text(line.given)} | {line.status}{': ' * bool(line.message)}{line.message} |"
                 for line in self.lines]
        return "\n".join(rows + ["", self.summary()]) + "\n"

    def _repr_markdown_(self) -> str:
        return self.markdown()

    def _sentence(self, line: AnswerLine) -> str:
        start = f"{line.name} = {value_text(line.given)}: "
        if line.status == "right":
            return start + "right" + f". {line.message}" * bool(line.message)
        if line.status == "wrong":
            first = ", the first wrong line" if line is self.first_wrong else ""
            return f"{start}WRONG{first}; it should be {value_text(line.correct)}. {line.message}".rstrip()
        return f"{start}follows from {line.message}: right for what stands there, though it should be " \
               f"{value_text(line.correct)}."
