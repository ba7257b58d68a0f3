"""Pictures, drawn with Matplotlib; each function returns its figure and works without a screen."""
from __future__ import annotations

from pathlib import Path
from typing import Any, Union

import numpy as np

from lib.activations import ReLU
from lib.utilities import write_atomically
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


def plot_relu() -> Any:
    """Draw ReLU between -4 and 4; returns the figure."""
    x = np.linspace(-4, 4, 401)
    figure, axes = pyplot().subplots(figsize=(5, 3.5), layout="constrained")
    axes.plot(x, ReLU()(x))
    axes.set(xlabel="x", ylabel="max(0, x)", title="ReLU")
    axes.grid(alpha=0.3)
    return show(figure)
