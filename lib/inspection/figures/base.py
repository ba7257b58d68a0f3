"""What every picture stands on: Matplotlib, imported when it is needed, and ways to show and to save a figure."""
from __future__ import annotations

from pathlib import Path
from typing import Any, Union

from lib.saving.files import write_atomically
from lib.validation import optional_import


def pyplot() -> Any:
    """Return matplotlib.pyplot, or raise an ImportError that says what to install."""
    return optional_import("matplotlib.pyplot", "matplotlib", "Drawing a picture")


def show(figure: Any) -> Any:
    """Show a figure where there is a screen or a notebook to show it on, and return it."""
    plt = pyplot()
    if plt.get_backend().lower() not in ("agg", "pdf", "ps", "svg", "template", "cairo"):
        plt.show(block=False)
    return figure


def save_figure(figure: Any, path: Union[str, Path]) -> Path:
    """Write a figure to a file whose ending names the format (.png, .pdf, .svg), close it, and return the path."""
    path = Path(path)
    written = write_atomically(path, lambda file: figure.savefig(file, format=path.suffix.lstrip(".").lower(), dpi=120))
    pyplot().close(figure)
    return written


def panel_grid(num_panels: int, columns: int, width: float, height: float, least_columns: int = 1) -> Any:
    """Return a figure and a list of that many axes, in rows of so many columns; each panel has this size in inches.

    The figure is at least least_columns wide, so that its title has room.
    """
    columns = max(min(columns, num_panels), least_columns)
    rows = -(-num_panels // columns)
    figure, axes = pyplot().subplots(rows, columns, figsize=(columns * width, rows * height), squeeze=False,
                                     layout="constrained")
    for unused in axes.flat[num_panels:]:
        unused.set_axis_off()
    return figure, list(axes.flat[:num_panels])
