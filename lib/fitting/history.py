"""What a training run was like, epoch by epoch, and when it has seen enough."""
from __future__ import annotations

from math import isnan
from typing import Any, Dict, List, NamedTuple, Optional

from lib.validation import InputError


LESS_IS_BETTER = {"loss", "error", "errors", "err", "mae", "mse", "rmse", "mape", "msle", "nll", "cost", "deviation",
                  "perplexity", "entropy", "crossentropy", "divergence", "distance", "wrong", "lr", "seconds"}


class History(Dict[str, List[float]]):
    """The measures of a training run by name, each a list with a number for each epoch.

    "loss" is the mean loss of an example while training; "val_loss" is that on the validation set. Other measures are
    named likewise, such as "accuracy" and "val_accuracy". "lr" is the learning rate, "seconds" the time.

    Attributes:
        note: how the run ended, if it ended before its last epoch.
        best_epoch: the epoch, counted from 1, whose weights the model has at the end; None for the last one.
    """

    note: str = ""
    best_epoch: Any = None

    @property
    def num_epochs(self) -> int:
        """The number of finished epochs."""
        return len(self.get("loss", []))

    def with_epoch(self, **measures: float) -> "History":
        """Return the history with the measures of one more epoch."""
        return History({name: self.get(name, []) + [float(value)] for name, value in measures.items()})

    def plot(self) -> Any:
        """Draw the loss and the other measures over the epochs; returns the figure."""
        from lib.inspection.figures.curves import plot_history
        return plot_history(self)

    def __repr__(self) -> str:
        last = ", ".join(f"{name}={values[-1]:.4g}" for name, values in self.items() if values)
        return f"History({self.num_epochs} epochs{'; the last: ' + last if last else ''})"


class EarlyStopping(NamedTuple):
    """When to stop before the last epoch: once a measure hasn't become better for some epochs.

    Args:
        patience: how many epochs in a row may be no better than the best so far.
        monitor: the measure, such as "val_loss" or "val_accuracy".
        min_delta: how much better an epoch must be to count as better.
        maximize: whether greater is better; by default it is, but for a loss, an error or a deviation by its name, such
            as "val_loss", "val_mean_absolute_error" or "val_mae", for "lr", and for "seconds".
        restore_best: whether the model gets back the weights of the best epoch at the end.
    """

    patience: int = 5
    monitor: str = "val_loss"
    min_delta: float = 0.0
    maximize: Optional[bool] = None
    restore_best: bool = True

    def best_epoch(self, history: History) -> int:
        """Return the best epoch so far, counted from 0; NaN is never better than a number."""
        values = self._values(history)
        best = 0
        for epoch, value in enumerate(values):
            if value < values[best] - self.min_delta or (isnan(values[best]) and not isnan(value)):
                best = epoch
        return best

    def is_over(self, history: History) -> bool:
        """Return whether the patience is exhausted."""
        return history.num_epochs - 1 - self.best_epoch(history) >= self.patience

    def _values(self, history: History) -> List[float]:
        if self.monitor not in history:
            raise InputError(f"Early stopping can't find the measure {self.monitor!r} among {', '.join(history)}. "
                             "Give fit a validation set, or monitor another measure.")
        words = self.monitor.lower().replace(" ", "_").replace("-", "_").split("_")
        maximize = LESS_IS_BETTER.isdisjoint(words) if self.maximize is None else self.maximize
        return [-value if maximize else value for value in history[self.monitor]]
