"""Regenerates pen_and_paper.md: runs its Python blocks in order, and writes what they print below each of them.

    python -m docs.pen_and_paper

The page is its own source: edit its text and its Python blocks, then run this. A test runs them, too, and compares, so
that the page never shows an output that the library doesn't give.
"""
from __future__ import annotations

import contextlib
import io
import os
import re
from pathlib import Path
from typing import Any, Dict, Match, Optional, Sequence

from lib.saving.command_line import OneLineParser, run_command

PAGE = Path(__file__).with_suffix(".md")
FIGURES = Path(__file__).parent / "figures"
SHOWN, END = "<!-- as a notebook shows it -->", "<!-- end -->"
# a Python block, and the output of its last run, if there is one
BLOCK = re.compile(r"```python\n(?P<code>.*?)```\n(?:\n```text\n.*?```\n|\n" + SHOWN + r"\n.*?" + END + r"\n)?",
                   re.DOTALL)


def regenerated(text: str, figures: Path) -> str:
    """Return a page with the outputs of its Python blocks as they are now.

    The blocks share their variables. Two names are there from the start: `figures`, the folder for drawings, and
    `show(x)`, which puts x into the page as a notebook would show it, with LaTeX.
    """
    shown = []
    variables: Dict[str, Any] = {"figures": figures, "show": lambda x: shown.append(x.markdown())}

    def run(block: Match[str]) -> str:
        shown.clear()
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(block.group("code"), str(PAGE), "exec"), variables)
        page = f"```python\n{block.group('code')}```\n"
        if shown:
            return page + f"\n{SHOWN}\n\n" + "\n".join(shown) + f"\n{END}\n"
        return page + (f"\n```text\n{printed.getvalue()}```\n" if printed.getvalue() else "")

    return BLOCK.sub(run, text)


def main(arguments: Optional[Sequence[str]] = None) -> None:
    """Write the page and its figures anew."""
    OneLineParser(prog="python -m docs.pen_and_paper", description="Run the page's Python blocks, and write what they "
                  "print below each.").parse_args(arguments)
    FIGURES.mkdir(exist_ok=True)
    text = regenerated(PAGE.read_text(encoding="utf-8"), FIGURES)
    temporary = PAGE.with_suffix(".md.tmp")
    with open(str(temporary), "w", encoding="utf-8", newline="\n") as file:
        file.write(text)
    os.replace(str(temporary), str(PAGE))


if __name__ == "__main__":
    run_command(main)
