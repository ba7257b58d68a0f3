"""Gaps in a file's text: finding them, also where the file isn't valid Python, and putting other text into them."""
from __future__ import annotations

import re
import textwrap
from typing import Dict, List, NamedTuple, Optional, Tuple

HEADING = re.compile(r"^([ \t]*)(?:async\s+)?(class|def)\s+(\w+)")
START, END = re.compile(r"^\s*#+\s*START TODO\b"), re.compile(r"^\s*#+\s*END TODO\b")


class Span(NamedTuple):
    """The lines of a gap, from `first` to before `last`, counted from 0, without the markers."""

    first: int
    last: int
    indent: str


def find_gaps(text: str) -> Dict[str, Span]:
    """Return the marked gaps by the name of what they stand in, such as "Linear.backward"; the first of each name."""
    spans: Dict[str, Span] = {}
    stack: List[Tuple[int, str]] = []
    start: Optional[Tuple[str, int, str]] = None
    for number, line in enumerate(text.split("\n")):
        heading = HEADING.match(line)
        if START.match(line):
            name = ".".join(part for _, part in stack)
            start = (name, number + 1, line[:len(line) - len(line.lstrip())])
        elif END.match(line) and start is not None:
            spans.setdefault(start[0], Span(start[1], number, start[2]))
            start = None
        elif heading and start is None:
            indent = len(heading.group(1).expandtabs())
            stack = [entry for entry in stack if entry[0] < indent] + [(indent, heading.group(3))]
    return spans


def gap_text(text: str, name: str) -> Optional[str]:
    """Return what stands in a gap, without its indentation, or None if there is no such gap."""
    span = find_gaps(text).get(name)
    if span is None:
        return None
    return textwrap.dedent("\n".join(text.split("\n")[span.first:span.last]))


def fill(text: str, name: str, content: str) -> str:
    """Return the text with other content in a gap."""
    span = find_gaps(text)[name]
    lines = text.split("\n")
    filled = [span.indent + line if line.strip() else "" for line in content.rstrip("\n").split("\n")]
    return "\n".join(lines[:span.first] + filled + lines[span.last:])


def outside(text: str) -> str:
    """Return the text with every marked gap emptied: what a student shouldn't have changed."""
    lines = text.replace("\r\n", "\n").split("\n")
    for span in sorted(find_gaps("\n".join(lines)).values(), reverse=True):
        lines[span.first:span.last] = []
    return "\n".join(line.rstrip() for line in lines).strip()
