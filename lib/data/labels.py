"""Labels of classes, as the losses take them: one-hot, (N, K), or probabilities."""
from __future__ import annotations

from typing import Any, Tuple

import numpy as np

from lib.numerics import in_precision_of
from lib.validation import InputError, as_float, name_of


def checked_classes(module: Any, logits: Any, labels: Any) -> Tuple[np.ndarray, np.ndarray]:
    """Return logits and one-hot labels, both (N, K), as float arrays in the precision of the logits."""
    logits, labels = as_float(logits, module), as_float(labels, module)
    if logits.ndim != 2 or labels.shape != logits.shape or not logits.size:
        _explain_shapes(name_of(module), logits.shape, labels)
    require_one_hot(module, labels)
    return logits, in_precision_of(logits, labels)


def _explain_shapes(who: str, shape: Tuple[int, ...], labels: np.ndarray) -> None:
    """Raise the InputError that fits logits and labels whose shapes aren't (N, K) both."""
    if len(shape) != 2:
        raise InputError(f"{who} expects predictions with 2 dimensions, (N, K): one row of K logits for each example, "
                         f"but got {len(shape)} dimensions: {shape}. For one example, use preds.reshape(1, -1).")
    if labels.shape in (shape[:1], shape[:1] + (1,)) and labels.shape != shape:
        raise InputError(f"{who} expects one-hot labels of shape (N, K) = {shape}, but got shape {labels.shape}, which "
                         "looks like class numbers. Convert them first: one_hot_encoding(y, num_classes="
                         f"{shape[1]}), from lib.utilities.")
    if labels.shape != shape:
        raise InputError(f"{who} expects labels of the shape of the predictions, (N, K) = {shape}, but got shape "
                         f"{labels.shape}: one row for each example, one column for each class.")
    raise InputError(f"{who} got an empty batch of shape {shape}: the mean over no example is not defined.")


def require_one_hot(module: Any, labels: np.ndarray) -> None:
    """Raise InputError unless each row of labels (N, K) sums to 1, up to rounding, with no number below 0.

    So soft labels, which are probabilities, are accepted, too. NaN passes on into the loss, where it shows.
    """
    global _one_hot
    if (few := (labels.shape, labels.dtype.char, labels.tobytes()) if labels.size < 100 else object()) == _one_hot:
        return  # the labels of the last call, number by number
    excess = np.add.reduce(labels, axis=1) - 1.0  # labels.sum(axis=1), which takes longer for few labels
    if not (excess.dot(excess) < 1e-6 and np.count_nonzero(labels) == len(labels)):  # not a single 1 in each row
        bad = (np.abs(excess) > 1e-3) | (labels < 0).any(axis=1)
        if bad.any():
            row = int(np.argmax(bad))
            raise InputError(f"{name_of(module)} expects each row of labels to sum to 1 (one-hot), but row {row} is "
                             f"{labels[row].tolist()}. Are predictions and labels swapped, or are these not one-hot? "
                             "See one_hot_encoding in lib.utilities.")
    _one_hot = few


_one_hot: Any = None  # the last few labels that were right
