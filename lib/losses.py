"""Loss functions: how far predictions are from labels, as one number, and its derivative dL/d(predictions).

Every loss is a mean over the batch, so each dL/d(predictions) carries the factor 1/N for N examples. The loss is
where backpropagation starts: `backward` needs no upstream gradient, as dL/dL = 1.
"""
from __future__ import annotations

from typing import Any, List, Sequence, Tuple

import numpy as np

from lib.activations import stable_sigmoid, stable_softplus
from lib.network_base import Module, Parameter
from lib.validation import InputError, as_float, checked_pair, require_forward


class Loss(Module):
    """Base class of the losses of one prediction for one label, both of shape (N,) or (N, K)."""

    def backward(self, _: Any = None) -> np.ndarray:
        """Return dL/dpreds in the shape of preds; the argument is ignored, as nothing comes after a loss."""
        raise NotImplementedError(f"{type(self).__name__} doesn't define backward yet.")

    @classmethod
    def examples(cls, rng: np.random.Generator) -> List[Tuple[Module, Tuple[Any, ...]]]:
        return [(cls(), (rng.standard_normal((4, 3)), rng.standard_normal((4, 3)))),
                (cls(), (rng.standard_normal((1, 1)), rng.standard_normal((1, 1))))]


class CrossEntropyLoss(Loss):
    """Softmax and cross-entropy in one: L = -1/N sum_n sum_k labels_nk log p_nk, with p = softmax(preds).

    Computed from the logits by log p_nk = preds_nk - log sum_j exp(preds_nj), so that a confident wrong answer has a
    large but finite loss. The derivative of the combination is as simple as can be:
    dL/dpreds = (softmax(preds) - labels) / N.

    Shapes: preds (N, K), raw logits; labels (N, K), one-hot (or any probabilities that sum to 1 in each row). For
    a stack of networks, (runs, N, K), the result is an array with one loss for each run.
    """

    @classmethod
    def examples(cls, rng: np.random.Generator) -> List[Tuple[Module, Tuple[Any, ...]]]:
        return [(cls(), (rng.standard_normal((n, 3)), np.eye(3)[rng.integers(0, 3, n)])) for n in (4, 1)]

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


class MSELoss(Loss):
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


class MeanSquaredError(Loss):
    """The mean of all squared errors: L = 1/(N K) sum_nk (preds_nk - labels_nk)^2.

    dL/dpreds = 2 (preds - labels) / (N K).
    """

    def forward(self, preds: np.ndarray, labels: np.ndarray) -> Any:
        preds, labels = checked_pair(self, preds, labels)
        difference = preds - labels
        self.input_cache = (preds, difference)
        return (difference * difference).mean(dtype=np.float64)

    def backward(self, _: Any = None) -> np.ndarray:
        require_forward(self, self.input_cache)
        preds, difference = self.input_cache
        return (2 * difference / difference.size).astype(preds.dtype, copy=False)


class L1Loss(Loss):
    """The absolute error: L = 1/N sum_n |preds_n - labels_n|, summed over the K columns.

    dL/dpreds = 1/N where preds > labels, and -1/N elsewhere: the left derivative where both are equal.
    """

    def forward(self, preds: np.ndarray, labels: np.ndarray) -> Any:
        preds, labels = checked_pair(self, preds, labels)
        self.input_cache = (preds, labels)
        return np.abs(preds - labels).sum(dtype=np.float64) / len(preds)

    def backward(self, _: Any = None) -> np.ndarray:
        require_forward(self, self.input_cache)
        preds, labels = self.input_cache
        return (np.where(preds > labels, 1, -1) / len(preds)).astype(preds.dtype)


class BinaryCrossEntropyLoss(Loss):
    """Sigmoid and binary cross-entropy in one, from raw logits z: with p = sigmoid(z),

    L = -1/N sum_n [y_n log p_n + (1 - y_n) log(1 - p_n)] = 1/N sum_n [y_n softplus(-z_n) + (1 - y_n) softplus(z_n)].

    The second form, by log p = -softplus(-z) and log(1 - p) = -softplus(z), is finite and exact for any finite logits.
    K columns are K independent yes-no questions, whose losses are summed. dL/dz = (sigmoid(z) - y) / N.
    """

    @classmethod
    def examples(cls, rng: np.random.Generator) -> List[Tuple[Module, Tuple[Any, ...]]]:
        return [(cls(), (rng.standard_normal(shape), rng.integers(0, 2, shape).astype(float)))
                for shape in ((4, 3), (5,), (1, 1))]

    @np.errstate(under="ignore")
    def forward(self, preds: np.ndarray, labels: np.ndarray) -> Any:
        preds, labels = checked_pair(self, preds, labels)
        self.check_labels(labels)
        self.input_cache = (preds, labels)
        losses = labels * stable_softplus(-preds) + (1 - labels) * stable_softplus(preds)
        return losses.sum(dtype=np.float64) / len(preds)

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


class RegularizedCrossEntropy(Loss):
    """The cross-entropy of the predictions plus a penalty on the parameters: L = CE(preds, labels) + R(parameters).

    dL/dpreds is that of the cross-entropy alone, as R doesn't depend on the predictions. R's own gradient goes straight
    to the parameters: backward adds it to their grad.

    Args:
        reg_loss: the penalty, such as L2Regularization(0.001, model.parameters()).
    """

    def __init__(self, reg_loss: Module) -> None:
        if not isinstance(reg_loss, Module):
            raise InputError("RegularizedCrossEntropy expects a penalty such as L2Regularization(0.001, "
                             f"model.parameters()), from lib.regularizers, but got {type(reg_loss).__name__}.")
        self.ce_loss = CrossEntropyLoss()
        self.reg_loss = reg_loss

    @classmethod
    def examples(cls, rng: np.random.Generator) -> List[Tuple[Module, Tuple[Any, ...]]]:
        from lib.regularizers import L1Regularization, L2Regularization
        inputs = CrossEntropyLoss.examples(rng)[0][1]
        return [(cls(penalty), inputs) for kind in (L1Regularization, L2Regularization)
                for penalty, _ in kind.examples(rng)]

    def parameters(self) -> Sequence[Parameter]:
        """Return the penalised parameters, as the loss depends on them."""
        return self.reg_loss.parameters()

    def forward(self, preds: np.ndarray, labels: np.ndarray) -> Any:
        """Return the batch mean of the cross-entropy plus the penalty; preds and labels as for CrossEntropyLoss."""
        return self.ce_loss(preds, labels) + self.reg_loss()

    def backward(self, _: Any = None) -> np.ndarray:
        grad = self.ce_loss.backward()
        self.reg_loss.backward(None)
        return grad

    def __repr__(self) -> str:
        return f"RegularizedCrossEntropy({self.reg_loss!r})"
