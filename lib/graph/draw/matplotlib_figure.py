"""A scene as a Matplotlib figure, for reports and for formats such as PDF and PNG."""
from __future__ import annotations

from typing import Any

from lib.graph.draw.scene import BOX_COLOURS, EDGE_COLOURS, FONT_SIZES, TEXT_COLOURS, Scene, arrow_head
from lib.graph.draw.svg import line_heights
from lib.validation import optional_import


def figure(scene: Scene, ax: Any = None) -> Any:
    """Return a Matplotlib figure of a scene, one point for each of its units; or draw it into the given axes.

    Raises:
        ImportError: Matplotlib isn't installed.
    """
    optional_import("matplotlib", "matplotlib", "Drawing a graph as a figure")
    from matplotlib.figure import Figure
    from matplotlib.patches import FancyBboxPatch, PathPatch, Polygon
    from matplotlib.path import Path

    if ax is None:
        made = Figure(figsize=(scene.width / 72, scene.height / 72))
        ax = made.add_axes((0, 0, 1, 1))
    ax.set_xlim(0, scene.width)
    ax.set_ylim(scene.height, 0)  # y grows downwards, as in SVG
    ax.set_aspect("equal")
    ax.axis("off")
    for curve in scene.curves:
        colour = EDGE_COLOURS[curve.kind]
        codes = [Path.MOVETO] + [Path.CURVE4] * (len(curve.points) - 1)
        ax.add_patch(PathPatch(Path(curve.points, codes), fill=False, edgecolor=colour, linewidth=1.2, zorder=1,
                               linestyle="--" if curve.dashed else "-"))
        if curve.arrow:
            ax.add_patch(Polygon(arrow_head(curve.points), closed=True, color=colour, linewidth=0, zorder=2))
    for box in scene.boxes:
        fill, line = BOX_COLOURS[box.kind]
        left, top = box.bounds()[:2]
        radius = box.height / 2 if box.round else 6
        ax.add_patch(FancyBboxPatch((left, top), box.width, box.height, facecolor=fill, edgecolor=line, linewidth=1.2,
                                    boxstyle=f"round,pad=0,rounding_size={radius}", zorder=3))
        for y, (text, style) in line_heights(box):
            _text(ax, box.x, y, text, style, "middle")
    for text in scene.texts:
        _text(ax, text.x, text.y, text.text, text.style, text.anchor)
    return ax.figure


def _text(ax: Any, x: float, y: float, text: str, style: str, anchor: str) -> None:
    side = {"start": "left", "middle": "center", "end": "right"}[anchor]
    ax.text(x, y, text.replace("$", r"\$"), fontsize=FONT_SIZES[style], color=TEXT_COLOURS[style], ha=side,
            va="center_baseline", weight="bold" if style == "title" else "normal", zorder=4)
