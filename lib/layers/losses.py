"""Losses beyond the sheets', and their base class."""
from __future__ import annotations

from typing import Any, List, Tuple

import numpy as np

from lib.network_base import Module
from lib.numerics import checked_pair, stable_sigmoid, stable_softplus, warn_of_probabilities, weighted_sum
from lib.validation import InputError, require_forward


class Loss(Module):
    """Base class of the losses of one prediction for one label, both of shape (N,) or (N, K)."""

    def backward(self, _: Any = None) -> np.ndarray:
        """Return dL/dpreds in the shape of preds; the argument is ignored, as nothing comes after a loss."""
        raise NotImplementedError(f"{type(self).__name__} doesn't define backward yet.")

    @classmethod
    def examples(cls, rng: np.random.Generator) -> List[Tuple[Module, Tuple[Any, ...]]]:
        return [(cls(), (rng.standard_normal((4, 3)), rng.standard_normal((4, 3)))),
                (cls(), (rng.standard_normal((1, 1)), rng.standard_normal((1, 1))))]


class MeanSquaredError(Loss):
    """The mean of all squared errors: L = 1/(N K) sum_nk (preds_nk - labels_nk)^2.

    dL/dpreds = 2 (preds - labels) / (N K).
    """

    takes_any_number = True

    def forward(self, preds: np.ndarray, labels: np.ndarray) -> Any:
        preds, labels = checked_pair(self, preds, labels)
        difference = preds.astype(np.float64) - labels  # in float32 it, or its square, may overflow
        self.input_cache = (preds, difference)
        return (difference * (difference / difference.size)).sum()

    def backward(self, _: Any = None) -> np.ndarray:
        require_forward(self, self.input_cache)
        preds, difference = self.input_cache
        return (2 * difference / difference.size).astype(preds.dtype, copy=False)


class L1Loss(Loss):
    """The absolute error: L = 1/N sum_n |preds_n - labels_n|, summed over the K columns.

    dL/dpreds = 1/N where preds > labels, and -1/N elsewhere: the left derivative where both are equal.
    """

    takes_any_number = True

    def forward(self, preds: np.ndarray, labels: np.ndarray) -> Any:
        preds, labels = checked_pair(self, preds, labels)
        self.input_cache = (preds, labels)
        return (np.abs(preds.astype(np.float64) - labels) / len(preds)).sum()

    def backward(self, _: Any = None) -> np.ndarray:
        require_forward(self, self.input_cache)
        preds, labels = self.input_cache
        sign = np.where(preds > labels, 1, -1)
        return (np.where(np.isnan(preds) | np.isnan(labels), np.nan, sign) / len(preds)).astype(preds.dtype)


class BinaryCrossEntropyLoss(Loss):
    """Sigmoid and binary cross-entropy in one, from raw logits z: with p = sigmoid(z),

    L = -1/N sum_n [y_n log p_n + (1 - y_n) log(1 - p_n)] = 1/N sum_n [y_n softplus(-z_n) + (1 - y_n) softplus(z_n)].

    The second form, by log p = -softplus(-z) and log(1 - p) = -softplus(z), is finite and exact for any finite logits.
    K columns are K independent yes-no questions, whose losses are summed. dL/dz = (sigmoid(z) - y) / N.
    """

    takes_any_number = True
    takes_logits = True  # so a prediction is for class 1 where it is above 0

    @classmethod
    def examples(cls, rng: np.random.Generator) -> List[Tuple[Module, Tuple[Any, ...]]]:
        return [(cls(), (rng.standard_normal(shape), rng.integers(0, 2, shape).astype(float)))
                for shape in ((4, 3), (5,), (1, 1))]

    @np.errstate(under="ignore")
    def forward(self, preds: np.ndarray, labels: np.ndarray) -> Any:
        warn_of_probabilities(self, preds, "Sigmoid")
        preds, labels = checked_pair(self, preds, labels)
        self.check_labels(labels)
        self.input_cache = (preds, labels)
        z = preds.astype(np.float64)
        total = weighted_sum(labels, stable_softplus(-z)) + weighted_sum(1 - labels, stable_softplus(z))
        return total / len(preds)

    def on_nodes(self, preds: Any, labels: Any) -> Any:
        return preds.binary_cross_entropy(labels).sum() / len(preds)

    @np.errstate(under="ignore")
    def backward(self, _: Any = None) -> np.ndarray:
        require_forward(self, self.input_cache)
        preds, labels = self.input_cache
        return ((stable_sigmoid(preds) - labels) / len(preds)).astype(preds.dtype, copy=False)

    @staticmethod
    def check_labels(labels: np.ndarray) -> None:
        """Raise InputError if a label is below 0 or above 1; NaN passes on into the loss, where it shows."""
        if labels.min() < 0 or labels.max() > 1:
            raise InputError(f"BinaryCrossEntropyLoss expects labels between 0 and 1, but they reach from "
                             f"{labels.min():g} to {labels.max():g}. Are predictions and labels swapped, or are the "
                             "labels -1 and 1? Then use (labels + 1) / 2.")
