"""A finished drawing: shown in a notebook, or saved as SVG, PDF, PNG or DOT."""
from __future__ import annotations

import os
from typing import Any

from lib.graph.draw.matplotlib_figure import figure
from lib.graph.draw.scene import Scene
from lib.graph.draw.svg import svg
from lib.validation import InputError


class Drawing:
    """A drawing as a list of shapes, and the forms it can be had in.

    Attributes:
        scene: the shapes.
    """

    def __init__(self, scene: Scene, dot: str) -> None:
        self.scene = scene
        self._dot = dot

    def svg(self) -> str:
        """Return the drawing as SVG text."""
        return svg(self.scene)

    def dot(self) -> str:
        """Return the graph as DOT text for Graphviz, which makes its own layout."""
        return self._dot

    def figure(self, ax: Any = None) -> Any:
        """Return the drawing as a Matplotlib figure, or draw it into the given axes."""
        return figure(self.scene, ax)

    def save(self, path: Any) -> None:
        """Save the drawing; the ending of the file's name says how: .svg and .dot, or what Matplotlib can (.pdf, .png).

        Raises:
            InputError: the name has no ending.
        """
        path = os.fspath(path)
        ending = os.path.splitext(path)[1].lower()
        if not ending:
            raise InputError(f"The ending of the file's name says what to save, such as {path}.svg, {path}.pdf or "
                             f"{path}.dot, but {path!r} has none.")
        temporary = f"{path}.tmp{ending}"
        if ending in (".svg", ".dot"):
            with open(temporary, "w", encoding="utf-8", newline="\n") as file:
                file.write(self.svg() if ending == ".svg" else self.dot())
        else:
            self.figure().savefig(temporary, dpi=200)
        os.replace(temporary, path)

    def _repr_svg_(self) -> str:
        return self.svg()

    def __repr__(self) -> str:
        return f"Drawing({self.scene.title!r}, {len(self.scene.boxes)} nodes; save('graph.svg') or svg() to see it)"
