"""How much each example counts in `fit`: by its own weight, by that of its class, or by both."""
from __future__ import annotations

from typing import Any, Dict, Mapping, Optional, Tuple

import numpy as np

from lib.layers.weighted import WeightedLoss
from lib.validation import InputError, as_float


def checked_weights(sample_weight: Any, class_weight: Any, y: np.ndarray,
                    who: str = "fit") -> Optional[np.ndarray]:
    """Return the weight of each example, (N,), or None where all count alike.

    Args:
        sample_weight: (N,), numbers from 0 upwards; or None.
        class_weight: {class number: weight}, where a class that isn't named has the weight 1; or a weight for each
            class; or "balanced": N / (K N_k) for each of the K classes, so that all count alike; or None.
        y: labels, (N, ...).
        who: the function for messages.
    """
    if sample_weight is None and class_weight is None:
        return None
    weights = np.ones(len(y))
    if sample_weight is not None:
        weights = _numbers(sample_weight, "sample_weight", (len(y),), who)
    if class_weight is not None:
        classes = _membership(y, who)
        weights = weights * (classes @ _weight_of_each_class(class_weight, classes, who))
    if not weights.any():
        raise InputError(f"{who}: all examples have the weight 0, so there is nothing to learn from.")
    return weights


def counted(weights: Optional[np.ndarray], *arrays: np.ndarray) -> Tuple[Any, ...]:
    """Return weights and arrays without the examples of weight 0, which are as good as not there."""
    if weights is None or weights.all():
        return (weights, *arrays)
    return tuple(array[weights > 0] for array in (weights, *arrays))


def weighted_loss(loss_fn: Any, weights: Optional[np.ndarray]) -> Any:
    """Return the loss whose mean over all batches of this data is the weighted mean over its examples."""
    if weights is None:
        return loss_fn
    if isinstance(loss_fn, WeightedLoss):
        raise InputError("fit got a WeightedLoss together with weights: give fit the loss that is in it, with "
                         "sample_weight=... and class_weight=...")
    return WeightedLoss(loss_fn, mean_weight=float(weights.mean()))


def _weight_of_each_class(class_weight: Any, classes: np.ndarray, who: str) -> np.ndarray:
    """Return the weights of the classes, (K,)."""
    sizes, num_classes = classes.sum(axis=0), classes.shape[1]
    if isinstance(class_weight, str):
        if class_weight != "balanced":
            raise InputError(f"{who} expects class_weight to be a dict such as {{0: 1, 1: 10}}, a weight for each class"
                             f", or 'balanced', but got {class_weight!r}.")
        return len(classes) / (np.count_nonzero(sizes) * np.where(sizes > 0, sizes, np.inf))
    if not isinstance(class_weight, Mapping):
        return _numbers(class_weight, "class_weight", (num_classes,), who)
    given: Dict[Any, Any] = dict(class_weight)
    unknown = [key for key in given if not (isinstance(key, (int, np.integer)) and not isinstance(key, bool)
                                            and 0 <= key < num_classes)]
    if unknown:
        raise InputError(f"{who} expects the keys of class_weight to be class numbers from 0 to {num_classes - 1}, but "
                         f"{unknown[0]!r} is among them.")
    return _numbers([given.get(k, 1.0) for k in range(num_classes)], "class_weight", (num_classes,), who)


def _membership(y: np.ndarray, who: str) -> np.ndarray:
    """Return how much of each class each example has, (N, K), from labels of any kind that are classes."""
    labels = y.reshape(len(y), -1)
    if labels.shape[1] > 1 and (labels >= 0).all() and np.allclose(labels.sum(axis=1), 1, atol=1e-3):
        return labels.astype(np.float64)
    if labels.shape[1] == 1 and ((labels >= 0) & (labels <= 1)).all():
        return np.concatenate([1.0 - labels, labels], axis=1)
    if y.ndim == 1 and y.dtype.kind in "iu" and y.min() >= 0 and y.max() < len(y):
        return np.eye(int(y.max()) + 1)[y]
    raise InputError(f"{who} takes class_weight for labels that are classes: one-hot (N, K), or 0 and 1 in one column. "
                     f"These are of shape {y.shape}. For other labels, give each example its own sample_weight.")


def _numbers(given: Any, name: str, shape: Tuple[int, ...], who: str) -> np.ndarray:
    """Return weights as an array of this shape, or raise a sentence that says why they aren't weights."""
    weights = as_float(given, f"{who} ({name})").astype(np.float64)
    if weights.shape != shape or not (np.isfinite(weights) & (weights >= 0)).all():
        raise InputError(f"{who} expects {name} to be finite numbers from 0 upwards, of shape {shape}, but got "
                         f"{weights.ravel()[:10].tolist()}{', ...' * (weights.size > 10)} of shape {weights.shape}.")
    return weights
