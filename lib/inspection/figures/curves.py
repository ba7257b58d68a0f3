"""Loss and accuracy over the epochs, of one training run or of several."""
from __future__ import annotations

from typing import Any, List, Mapping, Sequence

from lib.inspection.figures.base import panel_grid, show
from lib.validation import InputError


def plot_history(history: Mapping[str, List[float]]) -> Any:
    """Draw what `fit` returned: a panel for the loss and for each other measure; also for a learning rate that changes.

    The epoch whose weights early stopping has kept is marked.
    """
    if not isinstance(history, Mapping):
        raise InputError(f"plot_history expects what fit returns, a History, but got a {type(history).__name__}.")
    num_epochs = len(history.get("loss", []))
    if not num_epochs:
        raise InputError("plot_history got a history without a finished epoch: there is nothing to draw.")
    measures = [name for name in history if name not in ("lr", "seconds") and not name.startswith("val_")]
    if len(set(history.get("lr", []))) > 1:
        measures.append("lr")
    best_epoch = getattr(history, "best_epoch", None)
    figure, panels = panel_grid(len(measures), columns=3, width=4.2, height=3.4)
    for axes, name in zip(panels, measures):
        _draw(axes, history[name], "C0", "training" if name != "lr" else "")
        if f"val_{name}" in history:
            _draw(axes, history[f"val_{name}"], "C1", "validation")
        if best_epoch is not None and name != "lr":
            axes.axvline(best_epoch, color="grey", linestyle=":", label="best epoch")
        label = {"lr": "learning rate", "loss": "loss (mean of an example)"}.get(name, name)
        axes.set(xlabel="epoch", ylabel=label, title=label.split(" (")[0].capitalize())
        if axes.get_legend_handles_labels()[0]:
            axes.legend()
    return show(figure)


def plot_curves(curves: Sequence[Sequence[float]]) -> Any:
    """Draw what `train` returned: costs and accuracies, on training and validation data.

    A training cost is the mean of an epoch's batch losses, a validation cost their sum: each has a scale of its own.
    """
    if len(curves) != 4 or not len(curves[0]):
        raise InputError("plot_curves expects the four sequences that train returned, with a number for each epoch: "
                         "training costs, training accuracies, validation costs, validation accuracies.")
    train_costs, train_accuracies, val_costs, val_accuracies = curves
    figure, (left, accuracies) = panel_grid(2, columns=2, width=4.8, height=3.4)
    right = left.twinx()
    for axes, values, color, name, kind in ((left, train_costs, "C0", "training", "mean"),
                                            (right, val_costs, "C1", "validation", "sum")):
        _draw(axes, values, color, name)
        axes.set_ylabel(f"{name} cost ({kind} of batch losses)", color=color)
        axes.tick_params(axis="y", labelcolor=color)
        axes.set_ylim(bottom=0)
    right.grid(False)
    left.set(xlabel="epoch", title="Cost")
    _draw(accuracies, train_accuracies, "C0", "training")
    _draw(accuracies, val_accuracies, "C1", "validation")
    accuracies.set(xlabel="epoch", ylabel="accuracy", title="Accuracy")
    accuracies.legend()
    return show(figure)


def plot_comparison(results: Mapping[str, Sequence[Sequence[float]]]) -> Any:
    """Draw several runs' training cost and validation accuracy over each other.

    Args:
        results: for each label what `train` returned.
    """
    figure, (costs, accuracies) = panel_grid(2, columns=2, width=4.8, height=3.6)
    for i, (label, (train_costs, _, _, val_accuracies)) in enumerate(results.items()):
        _draw(costs, train_costs, f"C{i}", label)
        _draw(accuracies, val_accuracies, f"C{i}", label)
    costs.set(xlabel="epoch", ylabel="training cost (mean of batch losses)", title="Training cost", yscale="log")
    accuracies.set(xlabel="epoch", ylabel="validation accuracy", title="Validation accuracy")
    accuracies.legend()
    return show(figure)


def _draw(axes: Any, values: Sequence[float], color: str, label: str) -> None:
    """Draw one value an epoch, epochs counted from 1."""
    epochs = range(1, len(values) + 1)
    marker = "o" if len(values) <= 20 else ""  # with many epochs, dots would hide the line
    axes.plot(epochs, values, color=color, marker=marker, markersize=3.5, label=label or None)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.grid(alpha=0.3)
