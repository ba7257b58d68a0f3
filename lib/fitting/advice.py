"""What is said of a training run that goes wrong: it diverges, or it stays at a guess."""
from __future__ import annotations

import math
import warnings
from typing import Any, Sequence

import numpy as np


class DivergenceError(RuntimeError):
    """The loss became NaN, infinite or enormous.

    As raised by fit, `history` holds the good epochs, and the model has their weights.
    """

    history: Any = None


def divergence_advice(optimizer: Any, x_batch: Any = None, y_batch: Any = None) -> str:
    """Return a sentence on what to do against divergence: mend the data, if they are the cause, or the settings."""
    for name, batch in (("inputs", x_batch), ("labels", y_batch)):
        if batch is not None and not np.isfinite(batch).all():
            return f"The {name} of this batch hold NaN or infinity: drop or fill such examples first."
    return (f"Try a lower learning rate (it is {optimizer.lr:g}; 0.1 for SGD and 0.001 for Adam are common), inputs "
            "scaled to about -1 to 1, or clip_norm=1.")


def remark_on_inputs(x: np.ndarray, y: np.ndarray, losses: Sequence[float], after: int = 3) -> None:
    """Warn, once, if the mean losses of the first epochs are that of a guess, ln K, and inputs are large numbers."""
    if len(losses) != after:
        return
    binary = y.size == len(y) and np.isin(y, (0, 1)).all()
    num_classes = 2 if binary else y.shape[1] if y.ndim == 2 else 1
    guess = math.log(num_classes)
    largest = float(np.abs(np.asarray(x[:1000], dtype=float)).max())
    if guess and largest > 10 and all(abs(loss - guess) < 0.02 * guess for loss in losses):
        warnings.warn(
            f"After {after} epochs, the loss is still that of a guess, ln {num_classes} = {guess:.4f}, and the inputs "
            f"reach up to {largest:g}: so large numbers make units die in the first steps. Scale them to about -1 to 1 "
            f"by x / {largest:g} or (x - x.mean(axis=0)) / x.std(axis=0), and start again with a new model.",
            UserWarning, stacklevel=3)
