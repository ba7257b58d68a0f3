"""The decision boundary of a model with two inputs: which class it predicts at each point of the plane."""
from __future__ import annotations

from pathlib import Path
from typing import Any, Sequence, Union

import numpy as np

from lib.activations import Sigmoid, Softmax
from lib.network_base import Module
from lib.inspection.figures.base import pyplot, save_figure, show
from lib.inspection.prediction import predict
from lib.validation import InputError


def plot_decision_boundary(model: Module, x: np.ndarray, y: np.ndarray, axes: Any = None, resolution: int = 200) -> Any:
    """Draw a classifier's predictions over the plane, with the examples on top.

    With two classes, colours tell the predicted probability of class 1, and the black line is where it is 1/2. With
    more, each region has the colour of the class predicted there, paler where its probability is lower.

    Args:
        model: gives K logits for each point, (N, K); or one, (N, 1), as for BinaryCrossEntropyLoss.
        x: points, (N, 2).
        y: class numbers, (N,) or (N, 1), or one-hot labels, (N, K).
        axes: where to draw; a new figure when it isn't given.
        resolution: points a side at which the model is evaluated.

    Returns:
        The figure.
    """
    x, y = np.asarray(x), np.asarray(y)
    if x.ndim != 2 or x.shape[1] != 2 or len(y) != len(x):
        raise InputError(f"plot_decision_boundary expects points in the plane, (N, 2), and a label for each, but got "
                         f"x {x.shape} and y {y.shape}.")
    classes = y.argmax(axis=1) if y.ndim == 2 and y.shape[1] > 1 else y.reshape(len(y)).astype(int)
    low, high = x.min(axis=0), x.max(axis=0)
    margin = 0.15 * np.maximum(high - low, 1e-3)
    horizontal, vertical = (np.linspace(low[i] - margin[i], high[i] + margin[i], resolution) for i in (0, 1))
    points = np.stack(np.meshgrid(horizontal, vertical), axis=-1).reshape(-1, 2)
    probabilities = _probabilities(predict(model, points)).reshape(resolution, resolution, -1)

    own_figure = axes is None
    if own_figure:
        _, axes = pyplot().subplots(figsize=(5.4, 4.4), layout="constrained")
    if probabilities.shape[-1] == 2:
        p = probabilities[..., 1]
        image = axes.contourf(horizontal, vertical, p, levels=np.linspace(0, 1, 11), cmap="RdBu_r", alpha=0.8)
        if p.min() < 0.5 < p.max():
            axes.contour(horizontal, vertical, p, levels=[0.5], colors="black")
        axes.figure.colorbar(image, ax=axes, label="predicted probability of class 1")
        colors = ["#2166ac", "#b2182b"]
    else:
        colors = [f"C{k % 10}" for k in range(probabilities.shape[-1])]
        axes.imshow(_mixed_with_white(probabilities, colors), origin="lower", aspect="auto",
                    extent=(horizontal[0], horizontal[-1], vertical[0], vertical[-1]))
    for k in np.unique(classes):
        axes.scatter(*x[classes == k].T, color=colors[k % len(colors)], marker="os^Dv"[k % 5], s=26, edgecolor="white",
                     linewidth=0.6, label=f"class {k}", zorder=3)
    axes.set(xlabel="x1", ylabel="x2", title="Decision boundary")
    axes.legend(loc="best", framealpha=0.9)
    return show(axes.figure) if own_figure else axes.figure


def plot_loss_and_boundary(model: Module, losses: Sequence[float], x: np.ndarray, y: np.ndarray,
                           path: Union[str, Path]) -> None:
    """Draw the loss after each step, and the decision boundary beside it, into a file (.png, .pdf, .svg)."""
    figure, (curve, plane) = pyplot().subplots(1, 2, figsize=(9, 3.8), layout="constrained")
    curve.plot(np.arange(1, len(losses) + 1), losses)
    classes = len(np.unique(y))
    curve.axhline(np.log(classes), color="grey", linestyle=":", label=f"ln {classes}: a guess at random")
    curve.set(xlabel="step", ylabel="cross-entropy loss", title="Loss")
    curve.set_ylim(bottom=0)
    curve.legend()
    plot_decision_boundary(model, x, y, axes=plane)
    save_figure(figure, path)


def _probabilities(logits: np.ndarray) -> np.ndarray:
    """Return (N, K) probabilities; a single logit is that of class 1 against class 0."""
    logits = logits.reshape(len(logits), -1)
    if logits.shape[1] > 1:
        return Softmax()(logits)
    p = Sigmoid()(logits)
    return np.concatenate([1 - p, p], axis=1)


def _mixed_with_white(probabilities: np.ndarray, colors: Any) -> np.ndarray:
    """Return the colour of the likeliest class at each point, the paler the less likely it is."""
    from matplotlib.colors import to_rgb
    best = probabilities.argmax(axis=-1)
    pure = np.array([to_rgb(color) for color in colors])[best]
    least = 1 / probabilities.shape[-1]  # the likeliest class has at least this probability
    strength = 0.1 + 0.5 * (probabilities.max(axis=-1, keepdims=True) - least) / (1 - least)
    return 1 - strength * (1 - pure)
