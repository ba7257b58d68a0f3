"""The document that an explanation is: parts of lines, each line of words and formulas."""
from __future__ import annotations

import html
from typing import Iterable, List, Union

from lib.graph.notation import LATEX, TEXT, Term
from lib.graph.notation.terms import Piece


class Line:
    """One line of words and formulas, in any notation.

    Args:
        pieces: words, as strings, and formulas, as terms, in the order of reading.
        level: how far it is indented below the lines before it.
    """

    def __init__(self, *pieces: Piece, level: int = 0) -> None:
        self.pieces, self.level = pieces, level

    @property
    def text(self) -> str:
        """The line in plain text, without its indentation."""
        return TEXT.line(self.pieces)

    @property
    def latex(self) -> str:
        """The line as one LaTeX formula, its words in \\text."""
        return LATEX.line(self.pieces)

    def __str__(self) -> str:
        indented = "    " * self.level
        return indented + self.text.replace("\n", "\n  " + indented)  # a matrix has several rows

    __repr__ = __str__

    def markdown(self) -> str:
        """Return the line with its formulas between dollar signs."""
        return "".join(f"${LATEX.write(piece)}$" if isinstance(piece, Term) else _plain(piece) for piece in self.pieces)

    def html(self) -> str:
        """Return the line as HTML, with its formulas between dollar signs, which a notebook sets by MathJax."""
        return "".join(html.escape(f"${LATEX.write(piece)}$" if isinstance(piece, Term) else piece)
                       for piece in self.pieces)

    def _repr_markdown_(self) -> str:
        return self.markdown()

    def _repr_latex_(self) -> str:
        return f"${self.latex}$"


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
        lines = ["    " * line.level + "- " + line.markdown() for line in self.lines]
        return f"### {_plain(self.title)}\n\n" + "\n".join(lines) + "\n"

    def _repr_markdown_(self) -> str:
        return self.markdown()

    def _repr_html_(self) -> str:
        items = [f'<li style="margin-left: {2 * line.level}em">{line.html()}</li>' for line in self.lines]
        return f"<h4>{html.escape(self.title)}</h4>\n<ul>\n" + "\n".join(items) + "\n</ul>"

    def _repr_latex_(self) -> str:
        r"""Return the part as one aligned LaTeX formula, one row a line."""
        rows = [rf"&\textbf{{{LATEX.sentence(self.title)}}}"]
        rows += ["&" + r"\quad " * line.level + line.latex for line in self.lines]
        return "$$\n\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}\n$$"


class Document:
    """Several parts, shown one after the other."""

    def __init__(self, parts: List[Part]) -> None:
        self._parts = parts

    def parts(self) -> List[Part]:
        """Return the parts in order."""
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
