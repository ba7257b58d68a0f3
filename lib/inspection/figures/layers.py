"""Histograms of what flows through a network, layer by layer: activations forwards, gradients backwards.

They show saturated and dead units, and gradients that vanish or explode on their way back.
"""
from __future__ import annotations

from typing import Any, Dict

import numpy as np

from lib.network_base import Module
from lib.inspection.figures.base import panel_grid, show
from lib.inspection.recording import numpy_random_state_kept, recording_copy
from lib.validation import InputError, require_choice, require_loss


def plot_activations(model: Module, x: np.ndarray) -> Any:
    """Draw a histogram of each layer's outputs for the inputs x, in evaluation mode; returns the figure.

    The title of each says how many of the values are exactly zero, as those of a ReLU's inactive units are.
    """
    twin, outputs, _ = recording_copy(model)
    with numpy_random_state_kept():
        twin.eval()(x)
    return _histograms(_of_single_layers(model, outputs), "activation")


def plot_gradients(model: Module, loss_fn: Any, x: np.ndarray, y: np.ndarray, wrt: str = "parameters") -> Any:
    """Draw a histogram of the gradient at each layer for a batch, in training mode; the model stays as it is.

    Args:
        model: the network.
        loss_fn: the loss, from (predictions, labels).
        x: inputs, (N, ...).
        y: labels.
        wrt: "parameters" draws dL/d(parameter) of each parameter, "outputs" dL/d(output) of each layer.

    Returns:
        The figure.
    """
    require_choice("wrt", wrt, ("parameters", "outputs"), "plot_gradients")
    require_loss(loss_fn, "plot_gradients")
    twin, _, gradients = recording_copy(model)
    twin._zero_grad()
    with numpy_random_state_kept():
        preds = twin.train()(x)
        loss_fn(preds, y)
        twin.backward(loss_fn.backward())
    if wrt == "outputs":
        return _histograms(_of_single_layers(model, gradients), "dL/d(output)")
    return _histograms({path: parameter.grad for path, parameter in twin.named_parameters()}, "dL/d(parameter)")


def _of_single_layers(model: Module, recorded: Dict[str, Any]) -> Dict[str, np.ndarray]:
    """Return what was recorded at the modules without modules inside, under a name that tells their kind."""
    return {f"{path} {type(module).__name__}": np.asarray(recorded[path])
            for path, module in model.named_modules() if path in recorded and not module.children()}


def _histograms(values: Dict[str, np.ndarray], what: str) -> Any:
    """Draw a panel for each array; returns the figure."""
    if not values:
        raise InputError(f"There is no {what} to draw: the model has no such layer.")
    figure, panels = panel_grid(len(values), columns=3, width=3.6, height=2.7)
    for axes, (name, array) in zip(panels, values.items()):
        finite = array[np.isfinite(array)].astype(float)
        axes.hist(finite, bins=int(np.clip(finite.size // 4, 5, 50)), color="C0")
        axes.axvline(0, color="grey", linewidth=0.8)
        numbers = f"mean {finite.mean():.2g}, std {finite.std():.2g}, " if finite.size else ""
        rest = f", {array.size - finite.size} NaN or infinite" if finite.size < array.size else ""
        axes.set_title(f"{name.replace('Sequential', '')}\n{numbers}{np.mean(array == 0):.0%} zeros{rest}", fontsize=9)
        # among many values, the few large ones only show on a logarithmic scale
        axes.set(xlabel=what, ylabel="count", yscale="log" if finite.size > 1000 else "linear")
        axes.ticklabel_format(axis="x", style="sci", scilimits=(-3, 3))
        axes.locator_params(axis="x", nbins=5)
    return show(figure)
