"""The sheets' pictures, drawn with Matplotlib; each function returns its figure and works without a screen."""
from __future__ import annotations

from typing import Any

import numpy as np

from lib import utilities
from lib.layers import Linear, ReLU
from lib.inspection.figures.base import panel_grid, pyplot, show
from lib.inspection.figures.curves import plot_comparison
from lib.lr_schedulers import CosineAnnealingLR, LambdaLR, PiecewiseConstantLR
from lib.optimizers import SGD


def plot_relu() -> Any:
    """Draw ReLU between -4 and 4; returns the figure."""
    x = np.linspace(-4, 4, 401)
    figure, axes = pyplot().subplots(figsize=(5, 3.5), layout="constrained")
    axes.plot(x, ReLU()(x))
    axes.set(xlabel="x", ylabel="max(0, x)", title="ReLU")
    axes.grid(alpha=0.3)
    return show(figure)


def plot_lr_schedules() -> Any:
    """Draw the learning rate of each epoch for the three schedules, from the rate 0.1 on; returns the figure."""
    num_epochs = 100
    schedules = {
        "LambdaLR: 0.1 * 0.95^epoch": lambda optimizer: LambdaLR(optimizer, lambda epoch: 0.1 * 0.95 ** epoch),
        "PiecewiseConstantLR: 0.05 after 20, 0.01 after 60":
            lambda optimizer: PiecewiseConstantLR(optimizer, [20, 60], [0.05, 0.01]),
        "CosineAnnealingLR: T_max = 100": lambda optimizer: CosineAnnealingLR(optimizer, T_max=num_epochs),
    }
    figure, axes = pyplot().subplots(figsize=(6, 3.8), layout="constrained")
    for label, create in schedules.items():
        optimizer = SGD(Linear(1, 1).parameters(), lr=0.1)
        scheduler = create(optimizer)
        rates = []
        for _ in range(num_epochs):
            rates.append(optimizer.lr)
            scheduler.step()
        axes.plot(range(num_epochs), rates, label=label)
    axes.set(xlabel="epoch, counted from 0", ylabel="learning rate", title="Learning rate schedules")
    axes.legend(fontsize=8)
    return show(figure)


def plot_learning_curves() -> Any:
    """Draw the curves of lib.training.compare_optimizers, from the result that it saved; returns the figure."""
    return plot_comparison(utilities.load_result("optimizers_comparison"))


def plot_distribution() -> Any:
    """Draw how the first layer's weights are distributed after each regularisation, from what train_models saved.

    The title of each panel says how many weights are close to zero. Returns the figure.
    """
    results = utilities.load_result("regularization")
    limit = max(float(np.abs(result["weights"]).max()) for result in results.values())
    figure, panels = panel_grid(len(results), columns=2, width=4, height=2.8)
    for axes, (name, result) in zip(panels, results.items()):
        weights = np.ravel(result["weights"])
        axes.hist(weights, bins=np.linspace(-limit, limit, 101))
        axes.set(xlabel="weight", ylabel="count", yscale="log",
                 title=f"{name}: {np.mean(np.abs(weights) < 0.001):.0%} within 0.001 of 0")
    figure.suptitle("Weights of the first layer")
    return show(figure)
