"""Losses in which some examples count more than others: rare classes, or examples that are known to be reliable."""
from __future__ import annotations

from typing import Any, Iterator, List, Optional, Sequence, Tuple

import numpy as np

from lib.layers.losses import BinaryCrossEntropyLoss
from lib.losses import CrossEntropyLoss
from lib.network_base import Module
from lib.numerics import warn_of_probabilities
from lib.validation import InputError, as_float, require_forward, require_positive


class WeightedLoss(Module):
    """A loss as a weighted mean: L = sum_n w_n l_n / sum_n w_n, where l_n is the loss of example n alone.

    w_n is the weight of the example's class times the weight of the example itself; each is 1 if it isn't given.
    dL/dpreds_n = w_n / (sum_m w_m) dl_n/dpreds_n.

        loss_fn = WeightedLoss(CrossEntropyLoss(), class_weights=[1, 10])
        loss_fn(preds, labels)                       # labels of class 1 count ten times as much
        loss_fn(preds, labels, sample_weights)       # and some examples more than others, (N,)

    `fit` takes weights of examples and classes itself, as sample_weight and class_weight, and makes such a loss.
    Where a batch is a part of more data, its own sum of weights says little: of a single example, any weight is all of
    it. With the mean weight w of all the data, L = sum_n w_n l_n / (N w), and the mean over the batches is the weighted
    mean over the data.

    Examples of equal weight are given to the loss together, so that it is called once for each different weight.

    Args:
        loss_fn: a loss that is the mean over the batch of what each example loses.
        class_weights: (K,), for labels that are one-hot (N, K), or 0 and 1 in one column.
        mean_weight: the mean weight of the data that the batches are taken from; the batch's own if it isn't given.
    """

    def __init__(self, loss_fn: Module, class_weights: Optional[Sequence[float]] = None,
                 mean_weight: Optional[float] = None) -> None:
        if not isinstance(loss_fn, Module) or loss_fn.parameters():
            raise InputError("WeightedLoss expects a loss without parameters, such as CrossEntropyLoss(): a penalty "
                             "isn't one example's. For L2, give the optimiser a weight_decay. It got "
                             f"{loss_fn!r}.")
        if mean_weight is not None:
            require_positive("mean_weight", mean_weight, self)
        self.loss_fn, self.mean_weight = loss_fn, mean_weight
        self.class_weights = None if class_weights is None else self._checked(class_weights, "class_weights", None)

    @property
    def takes_logits(self) -> bool:
        """Whether a prediction is for class 1 where it is above 0, as for the loss inside."""
        return getattr(self.loss_fn, "takes_logits", False)

    @classmethod
    def examples(cls, rng: np.random.Generator) -> List[Tuple[Module, Tuple[Any, ...]]]:
        preds, labels = rng.standard_normal((5, 3)), np.eye(3)[[0, 2, 1, 1, 0]]
        return [(cls(CrossEntropyLoss(), class_weights=[1, 2, 0.5]), (preds, labels)),
                (cls(CrossEntropyLoss()), (preds, labels, np.array([1.0, 0.0, 2.5, 1.0, 1.0])))]

    def forward(self, preds: Any, labels: Any, sample_weights: Any = None) -> Any:
        """Return the weighted mean of the examples' losses."""
        for loss, activation in ((CrossEntropyLoss, "Softmax"), (BinaryCrossEntropyLoss, "Sigmoid")):
            if isinstance(self.loss_fn, loss):
                warn_of_probabilities(self.loss_fn, preds, activation)
        preds, labels = as_float(preds, self), as_float(labels, self)
        if preds.ndim == 0 or labels.shape[:1] != preds.shape[:1]:
            raise InputError("WeightedLoss expects a row of predictions and one of labels for each example, but got "
                             f"the shapes {preds.shape} and {labels.shape}.")
        weights = self._weights(preds, labels, sample_weights)
        self.input_cache = (preds, labels, weights)
        return sum(share * self.loss_fn(preds[group], labels[group]) for group, share in self._groups(weights))

    def backward(self, _: Any = None) -> np.ndarray:
        require_forward(self, self.input_cache)
        preds, labels, weights = self.input_cache
        counted = np.flatnonzero(weights)
        grad = np.zeros_like(preds)
        self.loss_fn(preds[counted], labels[counted])
        # that is dl_n/dpreds_n / len(counted) in the row of each example that counts
        shares = weights[counted] * (len(counted) / self._total(weights))
        grad[counted] = self.loss_fn.backward(None) * shares.reshape((-1,) + (1,) * (grad.ndim - 1))
        return grad

    def _total(self, weights: np.ndarray) -> Any:
        """Return what the sum of the weighted losses is divided by."""
        return weights.sum() if self.mean_weight is None else len(weights) * self.mean_weight

    def _groups(self, weights: np.ndarray) -> Iterator[Tuple[np.ndarray, float]]:
        """Yield the examples of each weight, and their share of the whole loss."""
        for weight in np.unique(weights[weights > 0]):
            group = np.flatnonzero(weights == weight)
            yield group, weight * (len(group) / self._total(weights))

    def _weights(self, preds: Any, labels: Any, sample_weights: Any) -> np.ndarray:
        """Return the weight of each example, (N,)."""
        weights = np.ones(len(preds))
        if sample_weights is not None:
            weights = self._checked(getattr(sample_weights, "value", sample_weights), "sample_weights", len(preds))
        if self.class_weights is not None:
            classes = np.asarray(getattr(labels, "value", labels)).reshape(len(preds), -1)
            if classes.shape[1] == 1:
                classes = np.concatenate([1 - classes, classes], axis=1)
            if classes.shape[1] != len(self.class_weights):
                raise InputError(f"WeightedLoss got {len(self.class_weights)} class_weights for labels of shape "
                                 f"{np.shape(labels)}: it needs one for each class.")
            weights = weights * (classes @ self.class_weights)
        if not weights.sum() > 0:
            raise InputError("WeightedLoss: all examples of this batch have the weight 0, so there is no mean.")
        return weights

    def _checked(self, weights: Any, name: str, length: Optional[int]) -> np.ndarray:
        weights = as_float(weights, self)
        expected = "(K,)" if length is None else f"({length},)"
        if weights.ndim != 1 or length not in (None, len(weights)) or not (np.isfinite(weights) & (weights >= 0)).all():
            raise InputError(f"WeightedLoss expects {name} to be numbers from 0 upwards, of shape {expected}, but got "
                             f"{weights.ravel()[:10].tolist()} of shape {weights.shape}.")
        return weights

    def __repr__(self) -> str:
        weights = "" if self.class_weights is None else f", class_weights={self.class_weights.tolist()}"
        return f"WeightedLoss({self.loss_fn!r}{weights})"
