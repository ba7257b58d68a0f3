"""What a function draws with Matplotlib, whoever wrote it and however: curves, pictures, bars and words."""
from __future__ import annotations

from typing import Any, Callable, List, NamedTuple
from unittest import mock

import numpy as np
import pytest


class Curve(NamedTuple):
    """A line, or the points of a scatter plot; the label is empty where the drawing gives none."""

    x: np.ndarray
    y: np.ndarray
    label: str


class Drawing(NamedTuple):
    """All that stands in the figures that a function made."""

    curves: List[Curve]
    pictures: List[np.ndarray]  # in the order of their places
    bars: List[float]  # heights, as in a histogram
    words: List[str]
    figures: List[Any]


def drawing_of(draw: Callable[..., Any], *args: Any, **kwargs: Any) -> Drawing:
    """Call a function that draws, without a screen; what it closes is looked at all the same."""
    plt = pytest.importorskip("matplotlib.pyplot", reason="the pictures are drawn by Matplotlib")
    plt.close("all")
    with mock.patch.object(plt, "close"), mock.patch.object(plt, "show"):
        draw(*args, **kwargs)
    drawing = Drawing([], [], [], [], [])
    for number in plt.get_fignums():
        figure = plt.figure(number)
        drawing.figures.append(figure)
        drawing.words.extend(text.get_text() for text in figure.texts)
        for axes in figure.axes:
            _look_at(axes, drawing)
    plt.close("all")
    return drawing


def pixels(drawing: Drawing) -> List[bytes]:
    """Return what each figure of a drawing looks like."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    canvases = [FigureCanvasAgg(figure) for figure in drawing.figures]
    for canvas in canvases:
        canvas.draw()
    return [bytes(canvas.buffer_rgba()) for canvas in canvases]


def _look_at(axes: Any, drawing: Drawing) -> None:
    """Add to a drawing what stands in one panel."""
    legend = axes.get_legend()
    named = [text.get_text() for text in legend.get_texts()] if legend is not None else []
    lines = [line for line in axes.lines if len(line.get_xdata()) > 2]  # not a grid's, nor one that marks a place
    for i, line in enumerate(lines):
        label = str(line.get_label())
        label = label if not label.startswith("_") else named[i] if len(named) == len(lines) else ""
        drawing.curves.append(Curve(np.asarray(line.get_xdata(), float), np.asarray(line.get_ydata(), float), label))
    for points in axes.collections:
        x, y = np.ma.getdata(points.get_offsets()).reshape(-1, 2).T
        drawing.curves.append(Curve(x, y, str(points.get_label()).lstrip("_")))
    drawing.pictures.extend(np.ma.getdata(picture.get_array()) for picture in axes.images)
    drawing.bars.extend(float(bar.get_height()) for bar in axes.patches if hasattr(bar, "get_height"))
    drawing.bars.extend(np.ptp(bar.get_xy()[:, 1]) for bar in axes.patches if not hasattr(bar, "get_height"))
    drawing.words.extend([axes.get_title(), axes.get_xlabel(), axes.get_ylabel()] + named)
