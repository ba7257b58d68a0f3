"""Loss functions: how far predictions are from labels, as one number, and its derivative dL/d(predictions).

Every loss is a mean over the batch, so each dL/d(predictions) carries the factor 1/N for N examples. The loss is
where backpropagation starts: `backward` needs no upstream gradient, as dL/dL = 1.
"""
from __future__ import annotations

from typing import Any, Tuple

import numpy as np

from lib.network_base import Module
from lib.validation import InputError, as_float, checked_pair, require_forward


class CrossEntropyLoss(Module):
    """Softmax and cross-entropy in one: L = -1/N sum_n sum_k labels_nk log p_nk, with p = softmax(preds).

    Computed from the logits by log p_nk = preds_nk - log sum_j exp(preds_nj), so that a confident wrong answer has a
    large but finite loss. The derivative of the combination is as simple as can be:
    dL/dpreds = (softmax(preds) - labels) / N.

    Shapes: preds (N, K), raw logits; labels (N, K), one-hot (or any probabilities that sum to 1 in each row). For
    a stack of networks, (runs, N, K), the result is an array with one loss for each run.
    """

    def forward(self, preds: np.ndarray, labels: np.ndarray) -> Any:
        """Return the batch mean of the cross-entropy.

        Args:
            preds: raw logits, (N, K).
            labels: one-hot, (N, K), of integers or floats.

        Raises:
            InputError: another number of dimensions, other shapes, or rows of labels that don't sum to 1.
        """
        preds, labels = self._checked(preds, labels)
        log_p = preds - np.logaddexp.reduce(preds, axis=-1, keepdims=True)  # log sum exp, without overflow
        self.input_cache = (np.exp(log_p), labels)
        if preds.ndim == 2:
            return np.float64(-np.vdot(labels, log_p)) / len(preds)
        return -(labels * log_p).sum(axis=(-2, -1), dtype=np.float64) / preds.shape[-2]

    def backward(self, _: Any = None) -> np.ndarray:
        """Return dL/dpreds, (N, K); the argument is ignored, as nothing comes after a loss."""
        require_forward(self, self.input_cache)
        softmax, labels = self.input_cache
        # START TODO ################
        # For one example, L = -sum_k labels_k preds_k + log sum_j exp(preds_j), as its labels sum to 1.
        # The derivative of the first part by preds_k is -labels_k; that of the second is
        # exp(preds_k) / sum_j exp(preds_j), which is softmax_k. The mean over the batch brings the factor 1/N.
        return (softmax - labels) / softmax.shape[-2]
        # END TODO ##################

    def _checked(self, preds: Any, labels: Any) -> Tuple[np.ndarray, np.ndarray]:
        """Return logits and labels as float arrays in the precision of the logits, or raise a sentence."""
        last = self.input_cache
        if last is not None and last[1] is labels and type(preds) is np.ndarray and last[0].shape == preds.shape and \
                last[0].dtype is preds.dtype:
            return preds, labels  # the labels were checked in the last call, which had predictions of this kind
        preds = as_float(preds, "CrossEntropyLoss (predictions)")
        labels = as_float(labels, "CrossEntropyLoss (labels)")
        if preds.ndim < 2:
            raise InputError(f"CrossEntropyLoss expects predictions with 2 dimensions, (N, K): one row of K logits for "
                             f"each example, but got {preds.ndim} dimensions: {preds.shape}. For one example, use "
                             "preds.reshape(1, -1).")
        if labels.shape != preds.shape:
            if labels.shape in (preds.shape[:-1], preds.shape[:-1] + (1,)):
                raise InputError(f"CrossEntropyLoss expects one-hot labels of shape (N, K) = {preds.shape}, but got "
                                 f"shape {labels.shape}, which looks like class numbers. Convert them first: "
                                 f"one_hot_encoding(y, num_classes={preds.shape[-1]}), from lib.utilities.")
            raise InputError(f"CrossEntropyLoss expects labels of the shape of the predictions, (N, K) = "
                             f"{preds.shape}, but got shape {labels.shape}: one row for each example, one column for "
                             "each class.")
        if preds.size == 0:
            raise InputError(f"CrossEntropyLoss got an empty batch of shape {preds.shape}: the mean over no example "
                             "is not defined.")
        self.check_labels(labels)
        return preds, labels if labels.dtype == preds.dtype else labels.astype(preds.dtype)

    @staticmethod
    def check_labels(labels: np.ndarray) -> None:
        """Raise InputError if a row of labels doesn't sum to 1; NaN passes on into the loss, where it shows."""
        excess = np.dot(labels, np.ones(labels.shape[-1], labels.dtype)) - 1  # the sum of each row, less 1
        if np.vdot(excess, excess) > 1e-6 and abs(excess).max() > 1e-3:
            bad = np.unravel_index(np.argmax(abs(excess) > 1e-3), excess.shape)
            raise InputError(f"CrossEntropyLoss expects each row of labels to sum to 1 (one-hot), but row "
                             f"{int(bad[-1])} is {labels[bad].tolist()}. Are predictions and labels swapped, or "
                             "are these not one-hot? See one_hot_encoding in lib.utilities.")


class MSELoss(Module):
    """Half the squared error: L = 1/N sum_n 1/2 |preds_n - labels_n|^2, summed over the K columns.

    dL/dpreds = (preds - labels) / N: the half cancels the 2 of the square. For the mean of all squares without the
    half, as most libraries have it, see MeanSquaredError.
    """

    def forward(self, preds: np.ndarray, labels: np.ndarray) -> Any:
        preds, labels = checked_pair(self, preds, labels)
        difference = preds - labels
        self.input_cache = (preds, difference)
        return (difference * difference).sum(dtype=np.float64) / (2 * len(preds))

    def backward(self, _: Any = None) -> np.ndarray:
        require_forward(self, self.input_cache)
        preds, difference = self.input_cache
        return (difference / len(preds)).astype(preds.dtype, copy=False)
