"""Pictures, drawn with Matplotlib; each function returns its figure and works without a screen.

This module has all of them; the files they stand in are named by what they show.
"""
from __future__ import annotations

from typing import Any

import numpy as np

from lib.activations import ReLU
from lib.plot_base import pyplot, save_figure, show
from lib.plot_boundary import plot_decision_boundary
from lib.plot_curves import plot_comparison, plot_curves, plot_history
from lib.plot_images import plot_misclassified, plot_weights
from lib.plot_layers import plot_activations, plot_gradients

__all__ = ["pyplot", "show", "save_figure", "plot_relu", "plot_history", "plot_curves", "plot_comparison",
           "plot_decision_boundary", "plot_weights", "plot_misclassified", "plot_activations", "plot_gradients"]


def plot_relu() -> Any:
    """Draw ReLU between -4 and 4; returns the figure."""
    x = np.linspace(-4, 4, 401)
    figure, axes = pyplot().subplots(figsize=(5, 3.5), layout="constrained")
    axes.plot(x, ReLU()(x))
    axes.set(xlabel="x", ylabel="max(0, x)", title="ReLU")
    axes.grid(alpha=0.3)
    return show(figure)
