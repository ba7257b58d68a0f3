"""What a model predicts: its outputs for a whole data set, the classes that they stand for, and how many are right."""
from __future__ import annotations

from contextlib import contextmanager
from typing import Any, Callable, Iterator, Optional, Tuple

import numpy as np

from lib.network_base import Module
from lib.validation import InputError, as_float, refuse_masked, require_module, require_not_empty, require_size


@contextmanager
def evaluation_mode(model: Module) -> Iterator[Module]:
    """Switch a model to evaluation mode for a while; afterwards every module is in the mode in which it was.

    >>> with evaluation_mode(Module()) as module:
    ...     module.training
    False
    >>> module.training
    True
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
    require_module("model", model, "predict")
    refuse_masked(x, "predict")
    x = np.asarray(x)
    if x.ndim == 0:
        raise InputError(f"predict expects inputs with a row for each example, (N, ...), but got {x.item()!r}.")
    require_not_empty(x, "predict")
    with evaluation_mode(model):
        return np.concatenate([model(x[start:start + batch_size]) for start in range(0, len(x), batch_size)])


def confusion_matrix(y: Any, predictions: Any, num_classes: Optional[int] = None) -> np.ndarray:
    """Count how often each true class is predicted as each class: result[true, predicted].

    >>> confusion_matrix(y=[0, 0, 1], predictions=[0, 1, 1]).tolist()
    [[1, 1], [0, 1]]

    Args:
        y, predictions: as for lib.model_evaluation.accuracy.
        num_classes: K; taken from the columns, or else from the greatest class number, when it isn't given.

    Returns:
        Integers, (K, K): correct predictions are on the diagonal, and each row sums to its class's examples.
    """
    true, predicted = checked_classes(y, predictions, "confusion_matrix")
    if predicted.min() < 0:
        raise InputError("confusion_matrix can't count a prediction of NaN, which is no class.")
    columns = [np.shape(array)[1] for array in (y, predictions) if np.ndim(array) == 2]
    needed = max(columns + [int(predicted.max()) + 1, int(true.max()) + 1])
    if num_classes is None:
        num_classes = needed
    require_size("num_classes", num_classes, "confusion_matrix", least=needed)
    matrix = np.zeros((num_classes, num_classes), dtype=np.int64)
    np.add.at(matrix, (true, predicted), 1)
    return matrix


def checked_classes(y: Any, predictions: Any, who: str) -> Tuple[np.ndarray, np.ndarray]:
    """Return labels and predictions as class numbers, (N,) each; a prediction of NaN is -1.

    Raises:
        InputError: they don't fit together, are no classes, or stand in the wrong order.
    """
    if np.ndim(y) == 2 and not _is_one_hot(y) and (np.ndim(predictions) == 1 or _is_one_hot(predictions)):
        raise InputError(f"{who} takes the labels first, {who}(y, predictions), but it is the second that looks like "
                         "labels.")
    true, predicted = _classes(y, "labels", who), _classes(predictions, "predictions", who)
    if predicted.shape != true.shape:
        raise InputError(f"{who} expects one label for each prediction, but got labels {np.shape(y)} and predictions "
                         f"{np.shape(predictions)}.")
    if np.ndim(predictions) == 2 == np.ndim(y) and np.shape(predictions)[1] != np.shape(y)[1]:
        raise InputError(f"{who} expects labels and predictions with the same number of classes, but got labels "
                         f"{np.shape(y)} and predictions {np.shape(predictions)}.")
    if true.min() < 0:
        raise InputError(f"{who} got labels that hold NaN.")
    return true, predicted


def share_right(y: np.ndarray, loss_fn: Any) -> Callable[[np.ndarray, np.ndarray], float]:
    """Return the function (labels, predictions) -> share of right predictions that fits the labels y of a data set.

    Classes are compared where the labels are class numbers or rows that sum to 1. Labels 0 and 1 in one column, or in
    several with more than one 1, are compared with the predictions' side of 1/2, or of 0 where the loss takes logits.
    Where neither fits, as in regression, nothing is right or wrong, and the share is NaN.
    """
    y = as_float(y, "evaluate (labels)")
    if y.ndim == 0:
        raise InputError(f"evaluate expects labels, one for each example, but got {y!r}.")
    rows = y.reshape(len(y), -1) if len(y) else y
    if rows.ndim == 2 and rows.shape[1] > 1 and rows.min() >= 0 and np.allclose(rows.sum(axis=1), 1, atol=1e-3):
        return _share_of_equal_classes
    is_binary = np.isin(y, (0, 1)).all()
    threshold = 0.0 if getattr(loss_fn, "takes_logits", False) else 0.5

    def share(labels: np.ndarray, predictions: np.ndarray) -> float:
        if np.ndim(labels) == 1 and np.ndim(predictions) == 2 and np.shape(predictions)[1] > 1:
            return _share_of_equal_classes(labels, predictions)
        if not is_binary or np.shape(labels) != np.shape(predictions):
            return float("nan")
        known = ~np.isnan(predictions)
        return float(np.mean(known & ((predictions > threshold) == (labels == 1))))

    return share


def _share_of_equal_classes(y: Any, predictions: Any) -> float:
    true, predicted = checked_classes(y, predictions, "evaluate")
    return float(np.mean(predicted == true))


def _is_one_hot(values: Any) -> bool:
    values = np.asarray(values)
    return values.ndim == 2 and values.shape[1] > 1 and bool(np.isin(values, (0, 1)).all()) and \
        bool((values.sum(axis=1) == 1).all())


def _classes(values: Any, what: str, who: str) -> np.ndarray:
    """Return class numbers, (N,): the column of each row's greatest value, or the values if they are one already."""
    values = as_float(values, f"{who} ({what})")
    require_not_empty(values, who)
    if values.ndim == 2 and values.shape[1] > 1:
        unknown = np.isnan(values).any(axis=1) if values.dtype.kind == "f" else False
        return np.where(unknown, -1, values.argmax(axis=1))  # NaN is no class: such a prediction counts as wrong
    if values.ndim == 1 and values.dtype.kind in "iufb" and np.all(values == np.floor(values)) and values.min() >= 0:
        return values.astype(np.int64)
    advice = ""
    if values.ndim == 1 or values.ndim == 2 and values.shape[1] == 1:
        advice = (" With one output, compare class numbers: (output > 0.5).astype(int).ravel() for probabilities, "
                  "(output > 0).astype(int).ravel() for logits; for a regression, look at the loss.")
    raise InputError(f"{who} expects {what} as rows with a value for each class, (N, K) with K > 1, or as class "
                     f"numbers from 0 on, (N,), but got shape {values.shape}.{advice}")
