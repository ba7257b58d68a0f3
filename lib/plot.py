"""The sheets' pictures, drawn with Matplotlib; each function returns its figure and works without a screen."""
from __future__ import annotations

from typing import Any

import numpy as np

from lib.activations import ReLU
from lib.figures.base import pyplot, show


def plot_relu() -> Any:
    """Draw ReLU between -4 and 4; returns the figure."""
    x = np.linspace(-4, 4, 401)
    figure, axes = pyplot().subplots(figsize=(5, 3.5), layout="constrained")
    axes.plot(x, ReLU()(x))
    axes.set(xlabel="x", ylabel="max(0, x)", title="ReLU")
    axes.grid(alpha=0.3)
    return show(figure)
