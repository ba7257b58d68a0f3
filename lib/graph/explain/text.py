"""The document that an explanation is: parts of lines, each line as plain text and as LaTeX."""
from __future__ import annotations

import html
from typing import Iterable, List, Optional, Union


class Line:
    """One line: a sentence, or a formula as text and LaTeX.

    Args:
        text: the line in plain text.
        latex: the same as a LaTeX formula; None if the line is a sentence.
        level: how far it is indented below the lines before it.
        label: words in front of a formula, such as "to t3:"; a sentence has none.
    """

    def __init__(self, text: str, latex: Optional[str] = None, level: int = 0, label: str = "") -> None:
        self.text, self.latex, self.level, self.label = text, latex, level, label

    def __str__(self) -> str:
        return "    " * self.level + (f"{self.label} " if self.label else "") + self.text

    def markdown(self) -> str:
        """Return the line as an item of a Markdown list, with its formula between dollar signs."""
        label = f"{_plain(self.label)} " if self.label else ""
        return "    " * self.level + "- " + label + (_plain(self.text) if self.latex is None else f"${self.latex}$")


class Part:
    """A titled list of lines; it prints as text, and shows itself with formulas in a notebook."""

    def __init__(self, title: str, lines: Iterable[Union[Line, str]]) -> None:
        self.title = title
        self.lines: List[Line] = [line if isinstance(line, Line) else Line(line) for line in lines]

    def __str__(self) -> str:
        return "\n".join([self.title] + ["  " + str(line) for line in self.lines])

    __repr__ = __str__

    def markdown(self) -> str:
        """Return the part as Markdown with LaTeX formulas."""
        return f"### {self.title}\n\n" + "\n".join(line.markdown() for line in self.lines) + "\n"

    def _repr_markdown_(self) -> str:
        return self.markdown()

    def _repr_html_(self) -> str:
        """Return HTML whose formulas, between dollar signs, a notebook sets by MathJax."""
        items = []
        for line in self.lines:
            label = f"{html.escape(line.label)} " if line.label else ""
            body = html.escape(line.text if line.latex is None else f"${line.latex}$")
            items.append(f'<li style="margin-left: {2 * line.level}em">{label}{body}</li>')
        return f"<h4>{html.escape(self.title)}</h4>\n<ul>\n" + "\n".join(items) + "\n</ul>"

    def _repr_latex_(self) -> str:
        r"""Return the part as one aligned LaTeX formula, one row a line."""
        rows = []
        for line in self.lines:
            label = rf"\text{{{_for_text(line.label)} }}" if line.label else ""
            rows.append("&" + r"\quad " * line.level + label
                        + (rf"\text{{{_for_text(line.text)}}}" if line.latex is None else line.latex))
        return ("$$\n\\begin{aligned}\n&\\textbf{" + _for_text(self.title) + "} \\\\\n" + " \\\\\n".join(rows)
                + "\n\\end{aligned}\n$$")


class Document:
    """Several parts, one after the other."""

    def __init__(self, parts: Iterable[Part]) -> None:
        self._parts = list(parts)

    def parts(self) -> List[Part]:
        """Return the parts that are printed."""
        return self._parts

    def __str__(self) -> str:
        return "\n\n".join(str(part) for part in self.parts())

    __repr__ = __str__

    def markdown(self) -> str:
        """Return all parts as Markdown with LaTeX formulas."""
        return "\n".join(part.markdown() for part in self.parts())

    def _repr_markdown_(self) -> str:
        return self.markdown()

    def _repr_html_(self) -> str:
        return "\n".join(part._repr_html_() for part in self.parts())

    def _repr_latex_(self) -> str:
        return "\n\n".join(part._repr_latex_() for part in self.parts())


def _plain(text: str) -> str:
    """Return a sentence in which Markdown finds nothing to format."""
    for sign in "\\`*_$<>":
        text = text.replace(sign, "\\" + sign)
    return text


def _for_text(text: str) -> str:
    r"""Return a sentence as it may stand in \text{}."""
    for sign in "_#$%&{}":
        text = text.replace(sign, "\\" + sign)
    return text.replace("^", r"\textasciicircum{}")
