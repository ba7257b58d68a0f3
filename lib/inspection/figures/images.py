"""Images: what the weights of a unit look like, and which digits a model takes for others."""
from __future__ import annotations

from typing import Any, Optional, Tuple

import numpy as np

from lib.activations import Softmax
from lib.network_base import Module
from lib.inspection.figures.base import panel_grid, pyplot, show
from lib.inspection.prediction import checked_classes, predict
from lib.validation import InputError, as_float, require_size


def plot_weights(model: Any, image_shape: Optional[Tuple[int, int]] = None, num_units: int = 30) -> Any:
    """Draw the weights of units as images: red pixels speak for the unit, blue ones against it, white ones don't count.

    All images share one scale.

    Args:
        model: a Linear or Conv2d, a model that contains one, whose first is drawn, or an array (inputs, units).
        image_shape: height and width, whose product is the number of inputs; by default a square.
        num_units: how many units to draw at most, from the first on.

    Returns:
        The figure.
    """
    require_size("num_units", num_units, "plot_weights")
    images = _weight_images(_first_weights(model), image_shape)[:num_units]
    columns = int(np.clip(np.ceil(1.4 * np.sqrt(len(images))), 2, 10))
    figure, panels = panel_grid(len(images), columns, width=1.15, height=1.3, least_columns=2)
    limit = float(np.abs(images).max()) or 1.0
    for unit, (axes, image) in enumerate(zip(panels, images)):
        drawn = axes.imshow(image, cmap="RdBu_r", vmin=-limit, vmax=limit)
        _without_ticks(axes, f"unit {unit}")
    figure.colorbar(drawn, ax=panels, label="weight", shrink=0.8)
    return show(figure)


def plot_misclassified(model: Module, x: np.ndarray, y: np.ndarray, num_examples: int = 20,
                       image_shape: Optional[Tuple[int, int]] = None) -> Any:
    """Draw the images that a classifier gets wrong, those first of which it is surest.

    Args:
        model: gives K logits for each image, (N, K).
        x: images as the model takes them: (N, pixels), (N, height, width) or (N, 1, height, width).
        y: class numbers, (N,), or one-hot labels, (N, K).
        num_examples: how many to draw at most.
        image_shape: height and width; by default those of x, or a square.

    Returns:
        The figure.
    """
    require_size("num_examples", num_examples, "plot_misclassified")
    x = as_float(x, "plot_misclassified (x)")
    probabilities = Softmax()(predict(model, x))
    classes, predicted = checked_classes(y, probabilities, "plot_misclassified")
    if (predicted < 0).any():
        raise InputError("plot_misclassified can't rank predictions that are NaN. Does x hold NaN, or a weight?")
    sureness = probabilities.max(axis=1)
    wrong = np.flatnonzero(predicted != classes)
    chosen = wrong[np.argsort(-sureness[wrong], kind="stable")][:num_examples]
    title = f"{len(wrong)} of {len(x)} examples are misclassified ({len(wrong) / len(x):.2%})"
    if not len(chosen):
        figure, axes = pyplot().subplots(figsize=(4.5, 1), layout="constrained")
        axes.set_axis_off()
    else:
        images = _as_images(x[chosen], image_shape)
        figure, panels = panel_grid(len(chosen), columns=10, width=1.25, height=1.6, least_columns=4)
        for axes, i, image in zip(panels, chosen, images):
            axes.imshow(image, cmap="gray_r")
            _without_ticks(axes, f"{classes[i]} taken for {predicted[i]}\n(probability {sureness[i]:.0%})")
    figure.suptitle(title, fontsize=10)
    return show(figure)


def _first_weights(model: Any) -> np.ndarray:
    """Return the weights of the first layer that has a matrix or kernels of them."""
    if not isinstance(model, Module):
        return np.asarray(model)
    for _, module in model.named_modules():
        weights = getattr(getattr(module, "W", None), "data", None)
        if isinstance(weights, np.ndarray) and weights.ndim in (2, 4):
            return weights
    raise InputError(f"plot_weights finds no layer with weights W in {type(model).__name__}, such as a Linear.")


def _weight_images(weights: np.ndarray, image_shape: Optional[Tuple[int, int]]) -> np.ndarray:
    """Return (units, height, width) from a matrix (inputs, units), or from kernels (out, in, height, width)."""
    if weights.ndim == 4:
        return weights.reshape((-1,) + weights.shape[2:])
    if weights.ndim != 2:
        raise InputError(f"plot_weights expects a matrix (inputs, units), but got shape {weights.shape}.")
    return _as_images(weights.T, image_shape)


def _as_images(rows: np.ndarray, image_shape: Optional[Tuple[int, int]]) -> np.ndarray:
    """Return (N, height, width) from rows, from images, or from images with a channel axis of length 1."""
    if image_shape is None:
        if rows.ndim == 3 or rows.ndim == 4 and rows.shape[1] == 1:
            image_shape = rows.shape[-2:]
        else:
            side = int(round(np.sqrt(rows[0].size)))
            image_shape = (side, side)
    if rows[0].size != image_shape[0] * image_shape[1]:
        raise InputError(f"{rows[0].size} numbers are no image of height {image_shape[0]} and width {image_shape[1]}. "
                         "Give image_shape=(height, width).")
    return rows.reshape((len(rows),) + tuple(image_shape))


def _without_ticks(axes: Any, title: str) -> None:
    axes.set(xticks=[], yticks=[])
    axes.set_title(title, fontsize=8)
