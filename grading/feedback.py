"""feedback.md: whether it is filled in, and the hours in it."""
from __future__ import annotations

import re
from typing import List, NamedTuple, Optional

from grading.sheet import ROOT

LIST = re.compile(r"\[([^\[\]]*)\]")
NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
EXAMPLE = [5.5, 4.0, 7.0]  # the list in what is handed out
MOST_HOURS = 200


class Feedback(NamedTuple):
    """What a group has answered."""

    filled: bool
    hours: List[float]


def read_feedback(text: Optional[str], base: Optional[str] = None) -> Feedback:
    """Read a feedback.md.

    Args:
        text: the file, or None where it is missing.
        base: the file as it was handed out; the sheet's own when it isn't given.
    """
    if text is None:
        return Feedback(False, [])
    if base is None:
        base = (ROOT / "feedback.md").read_text(encoding="utf-8")
    given = {line.strip() for line in base.split("\n")}
    sections = re.split(r"^#+[ \t]*(.*)$", text, flags=re.MULTILINE)
    filled, hours = False, []
    for title, body in zip(sections[1::2], sections[2::2]):
        lines = [line.strip() for line in body.split("\n") if line.strip() and line.strip() not in given]
        if "duration" in title.lower():
            hours = read_hours("\n".join(lines))
        elif any(re.search(r"\w", re.sub(r"<!--.*?-->", "", line)) for line in lines) and title.strip(" #"):
            filled = filled or "bonus" not in title.lower()
    return Feedback(filled or bool(hours), hours)


def read_hours(text: str) -> List[float]:
    """Return the hours, one number a member: those of the last list that isn't the example, else those in the text."""
    for content in reversed(LIST.findall(text)):
        numbers = _numbers(content)
        if numbers and numbers != EXAMPLE:
            return numbers
    lines = [line for line in text.split("\n") if "example" not in line.lower() and not LIST.search(line)]
    return _numbers(" ".join(lines))[:3]


def _numbers(text: str) -> List[float]:
    found = [float(number.replace(",", ".")) for number in NUMBER.findall(re.sub(r",\s+", " ; ", text))]
    if len(found) == 1 and "," in text and not re.search(r",\s", text) and "." in text:
        found = [float(number) for number in re.findall(r"\d+(?:\.\d+)?", text)]  # [5.5,4]
    return [hours for hours in found if 0 < hours <= MOST_HOURS]
