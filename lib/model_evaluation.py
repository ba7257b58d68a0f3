"""How well a model does on a data set: its cost, its accuracy, and which classes it confuses."""
from __future__ import annotations

from contextlib import contextmanager
from typing import Any, Iterator, Optional, Tuple

import numpy as np

from lib.data.batches import Batches
from lib.network_base import Module
from lib.validation import InputError, require_not_empty, require_size


def accuracy(preds: Any, labels: Any) -> float:
    """Return the share of examples whose predicted class is the true one, from 0 to 1.

    >>> accuracy([[2.0, -1.0], [0.5, 3.0]], [[1, 0], [1, 0]])
    0.5

    Args:
        preds: logits or probabilities, (N, K), of which the greatest counts; or class numbers, (N,).
        labels: one-hot, (N, K), or class numbers, (N,).
    """
    predicted, true = _checked_classes(preds, labels, "accuracy")
    return float(np.mean(predicted == true))


def evaluate(model: Module, loss_fn: Any, x: np.ndarray, y: np.ndarray, batch_size: int) -> Tuple[float, float]:
    """Return the cost and the accuracy of a model on a data set, computed batch by batch in evaluation mode.

    The cost is the sum of the batches' losses: to compare data sets, divide by the number of batches. Afterwards
    every module is in the mode in which it was.

    Args:
        model: gives logits, (N, K).
        loss_fn: takes (logits, labels).
        x: inputs, (N, ...).
        y: labels as loss_fn takes them, such as one-hot (N, K).
        batch_size: examples a batch; the last batch may be smaller.
    """
    cost, num_correct = 0.0, 0
    with evaluation_mode(model):
        for x_batch, y_batch in Batches(x, y, batch_size=batch_size, shuffle=False):
            preds = model(x_batch)
            cost += float(loss_fn(preds, y_batch))
            predicted, true = _checked_classes(preds, y_batch, "evaluate")
            num_correct += int(np.sum(predicted == true))
    return cost, num_correct / len(x)


def confusion_matrix(preds: Any, labels: Any, num_classes: Optional[int] = None) -> np.ndarray:
    """Count how often each true class is predicted as each class: result[true, predicted].

    >>> confusion_matrix(preds=[0, 1, 1], labels=[0, 0, 1]).tolist()
    [[1, 1], [0, 1]]

    Args:
        preds, labels: as for accuracy.
        num_classes: K; taken from the columns, or else from the greatest class number, when it isn't given.

    Returns:
        Integers, (K, K): correct predictions are on the diagonal, and each row sums to its class's examples.
    """
    predicted, true = _checked_classes(preds, labels, "confusion_matrix")
    columns = [np.shape(array)[1] for array in (preds, labels) if np.ndim(array) == 2]
    needed = max(columns + [int(predicted.max()) + 1, int(true.max()) + 1])
    if num_classes is None:
        num_classes = needed
    require_size("num_classes", num_classes, "confusion_matrix", least=needed)
    matrix = np.zeros((num_classes, num_classes), dtype=np.int64)
    np.add.at(matrix, (true, predicted), 1)
    return matrix


def _checked_classes(preds: Any, labels: Any, who: str) -> Tuple[np.ndarray, np.ndarray]:
    """Return predictions and labels as class numbers, (N,) each."""
    predicted, true = _classes(preds, "predictions", who), _classes(labels, "labels", who)
    if predicted.shape != true.shape:
        raise InputError(f"{who} expects one label for each prediction, but got predictions {np.shape(preds)} and "
                         f"labels {np.shape(labels)}.")
    if np.ndim(preds) == 2 == np.ndim(labels) and np.shape(preds)[1] != np.shape(labels)[1]:
        raise InputError(f"{who} expects predictions and labels with the same number of classes, but got predictions "
                         f"{np.shape(preds)} and labels {np.shape(labels)}.")
    return predicted, true


def _classes(values: Any, what: str, who: str) -> np.ndarray:
    """Return class numbers, (N,): the column of each row's greatest value, or the values if they are one already."""
    values = np.asarray(values)
    require_not_empty(values, who)
    if values.ndim == 2 and values.shape[1] > 1:
        unknown = np.isnan(values).any(axis=1) if values.dtype.kind == "f" else False
        return np.where(unknown, -1, values.argmax(axis=1))  # NaN is no class: such a prediction counts as wrong
    if values.ndim == 1 and np.all(values == np.floor(values)) and values.min() >= 0:
        return values.astype(np.int64)
    raise InputError(f"{who} expects {what} as rows with a value for each class, (N, K) with K > 1, or as class "
                     f"numbers from 0 on, (N,), but got shape {values.shape}.")


@contextmanager
def evaluation_mode(model: Module) -> Iterator[Module]:
    """Switch a model to evaluation mode for a while; afterwards every module is in the mode in which it was.

    >>> from lib.regularizers import Dropout
    >>> with evaluation_mode(Dropout(0.5)) as dropout:
    ...     dropout(np.ones(3)).tolist()
    [1.0, 1.0, 1.0]
    """
    modes = [(module, module.training) for _, module in model.named_modules()]
    model.eval()
    try:
        yield model
    finally:
        for module, training in modes:
            module.training = training


def predict(model: Module, x: np.ndarray, batch_size: int = 1000) -> np.ndarray:
    """Return a model's outputs for all of x, computed batch by batch in evaluation mode.

    Args:
        model: any module with one input.
        x: inputs, (N, ...).
        batch_size: examples at once; it only changes how much memory is needed.

    Returns:
        The outputs, (N, ...).
    """
    require_size("batch_size", batch_size, "predict")
    x = np.asarray(x)
    require_not_empty(x, "predict")
    with evaluation_mode(model):
        return np.concatenate([model(x[start:start + batch_size]) for start in range(0, len(x), batch_size)])
