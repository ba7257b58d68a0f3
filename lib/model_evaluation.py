"""How well a model does on a data set: its accuracy and its cost."""
from __future__ import annotations

from typing import Any, Tuple

import numpy as np

from lib.data.batches import Batches
from lib.inspection.prediction import checked_classes, evaluation_mode, share_right
from lib.network_base import Module, is_loss
from lib.validation import InputError, require_loss


def accuracy(y: Any, predictions: Any) -> float:
    """Return the share of examples whose predicted class is the true one, from 0 to 1.

    >>> accuracy([[1, 0], [1, 0]], [[2.0, -1.0], [0.5, 3.0]])
    0.5

    Args:
        y: labels, one-hot, (N, K), or class numbers, (N,).
        predictions: logits or probabilities, (N, K), of which the greatest counts; or class numbers, (N,).
    """
    true, predicted = checked_classes(y, predictions, "accuracy")
    return float(np.mean(predicted == true))


def evaluate(x_val: np.ndarray, y_val: np.ndarray, model: Module, loss_fn: Any, batch_size: int) -> Tuple[float, float]:
    """Return the accuracy and the cost of a model on a data set, computed batch by batch in evaluation mode.

    The cost is the sum of the batches' losses: to compare data sets, divide by the number of batches. Afterwards
    every module is in the mode in which it was.

    Args:
        x_val: inputs, (N, ...).
        y_val: labels as loss_fn takes them, such as one-hot (N, K).
        model: gives predictions, such as logits (N, K). One column counts as right on the label's side of 1/2 (of 0 for
            a loss that takes logits); in a regression, the accuracy is NaN.
        loss_fn: takes (predictions, labels).
        batch_size: examples a batch; the last batch may be smaller.
    """
    if isinstance(x_val, Module) or not isinstance(model, Module) or is_loss(model) and not is_loss(loss_fn):
        raise InputError("evaluate takes the data first: evaluate(x_val, y_val, model, loss_fn, batch_size), and gives "
                         f"(accuracy, cost). As model it got a {type(model).__name__}.")
    require_loss(loss_fn, "evaluate")
    cost, num_right = 0.0, 0.0
    share = share_right(y_val, loss_fn)
    with evaluation_mode(model):
        for x_batch, y_batch in Batches(x_val, y_val, batch_size=batch_size, shuffle=False):
            predictions = model(x_batch)
            cost += float(loss_fn(predictions, y_batch))
            num_right += share(y_batch, predictions) * len(y_batch)
    return num_right / len(x_val), cost
