"""Loss functions: how far predictions are from labels, as one number, and its derivative dL/d(predictions).

Every loss is a mean over the batch, so each dL/d(predictions) carries the factor 1/N for N examples. The loss is
where backpropagation starts: `backward` needs no upstream gradient, as dL/dL = 1.
"""
from __future__ import annotations

from typing import Any

import numpy as np

from lib.network_base import Module
from lib.numerics import (LossValue, checked_classes, checked_pair, in_precision_of, log_softmax, warn_of_probabilities,
                          weighted_sum)
from lib.validation import require_forward


class CrossEntropyLoss(Module):
    """Softmax and cross-entropy in one: L = -1/N sum_n sum_k labels_nk log p_nk, with p = softmax(preds).

    Computed from the logits by log p_nk = preds_nk - log sum_j exp(preds_nj), so that a confident wrong answer has a
    large but finite loss. The derivative of the combination is as simple as can be:
    dL/dpreds = (softmax(preds) - labels) / N.

    Shapes: preds (N, K), raw logits; labels (N, K), one-hot (or any probabilities that sum to 1 in each row).
    """

    def forward(self, preds: np.ndarray, labels: np.ndarray) -> Any:
        """Return the batch mean of the cross-entropy; an InputError says what doesn't fit, labels included."""
        warn_of_probabilities(self, preds, "Softmax")
        preds, labels = checked_classes(self, preds, labels)
        log_p = preds - np.logaddexp.reduce(preds, axis=1, keepdims=True)  # log sum exp, without overflow
        loss = 0.0 - np.vdot(labels, log_p)
        if not float(np.vdot(preds, preds)) < 1e6:  # large numbers swallow the logarithm of a sum; infinite ones
            log_p = log_softmax(preds)
            loss = 0.0 - weighted_sum(labels, log_p)
        self.input_cache = (in_precision_of(preds, np.exp(log_p)), labels)
        return LossValue(loss / len(preds))

    def backward(self, _: Any = None) -> np.ndarray:
        """Return dL/dpreds, (N, K); the argument is ignored, as nothing comes after a loss."""
        require_forward(self, self.input_cache)
        softmax, labels = self.input_cache
        # START TODO ################
        # For one example, L = -sum_k labels_k preds_k + log sum_j exp(preds_j), as its labels sum to 1.
        # The derivative of the first part by preds_k is -labels_k; that of the second is
        # exp(preds_k) / sum_j exp(preds_j), which is softmax_k. The mean over the batch brings the factor 1/N.
        return (softmax - labels) / len(labels)
        # END TODO ##################


class MSELoss(Module):
    """Half the squared error: L = 1/N sum_n 1/2 |preds_n - labels_n|^2, summed over the K columns.

    dL/dpreds = (preds - labels) / N: the half cancels the 2 of the square. For the mean of all squares without the
    half, as most libraries have it, see MeanSquaredError.
    """

    def forward(self, preds: np.ndarray, labels: np.ndarray) -> Any:
        preds, labels = checked_pair(self, preds, labels)
        difference = preds.astype(np.float64) - labels  # in float32 it, or its square, may overflow
        self.input_cache = (preds, difference)
        return (difference * (difference / (2 * len(preds)))).sum()

    def backward(self, _: Any = None) -> np.ndarray:
        require_forward(self, self.input_cache)
        preds, difference = self.input_cache
        return in_precision_of(preds, difference / len(preds))
