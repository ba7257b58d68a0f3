"""Planting a text into a gap of a file, in place of what stands between its marks."""
from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import Tuple

from lib.gradient_checking.course import Task

GAP = re.compile(r"(?P<indent> *)# START TODO #+\n(?P<text>.*?)(?P=indent)# END TODO #+\n", re.DOTALL)


def planted(source: str, name: str, text: str) -> str:
    """Return a file's text with another solution in the gap of a function or method, such as "ReLU.backward".

    What follows the gap in its function, such as `return grad_input`, goes where the text returns by itself.
    """
    start, end = _span(source, name)
    function = source[start:end]
    gap = GAP.search(function)
    assert gap is not None, f"{name} has no gap"
    if "np." in text and "import numpy" not in source:  # as a student would import what is missing
        text = "import numpy as np\n" + text.lstrip("\n")
    body = textwrap.indent(textwrap.dedent(text).strip("\n") + "\n", gap["indent"])
    return source[:start] + function[:gap.start("text")] + body + function[gap.end("text"):] + source[end:]


def _span(source: str, name: str) -> Tuple[int, int]:
    """Return where the text of a function or method begins and ends."""
    start = 0
    for part in name.split("."):
        found = re.compile(rf"^ *(def|class) {part}\b", re.MULTILINE).search(source, start)
        assert found is not None, f"there is no {name}"
        start = found.start()
    indent = "( {4})?" if "." in name else ""  # a method ends where the next one, or what stands outside, begins
    other = re.compile(rf"^{indent}(def |class |@|if __|\w+ = )", re.MULTILINE)
    following = other.search(source, source.index("\n", start))
    return start, following.start() if following else len(source)


def plant(folder: Path, task: Task, text: str) -> None:
    """Plant a text into a task's gap, in a copy of the project."""
    path = folder / task.file
    path.write_text(planted(path.read_text(encoding="utf-8"), task.name, text), encoding="utf-8")
