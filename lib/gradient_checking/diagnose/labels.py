"""Guesses about a loss whose gradient is wrong, from nothing but the expected gradient and the labels.

Most losses of predictions and labels have a gradient (q - labels) / N, with some q: so q = N e + labels, whatever the
loss is, where e is the expected gradient, found by finite differences.
"""
from __future__ import annotations

from functools import partial
from typing import Any, Callable, Optional

import numpy as np

from lib.gradient_checking.diagnose.evidence import Trial
from lib.gradient_checking.diagnose.hypotheses import GUESSES, Gradient, hypothesis


def labels_of(t: Trial) -> Optional[np.ndarray]:
    """Return the labels, where the gradient is that of predictions of their shape."""
    inputs = t.point.inputs
    if t.index != 0 or len(inputs) != 2 or t.x is None:
        return None
    labels: Any = np.asarray(inputs[1])
    if t.x.ndim == 2 and labels.shape == t.x.shape[:1] and labels.dtype.kind in "iu":  # the numbers of the classes
        labels = labels[:, None] == np.arange(t.x.shape[1])
    return labels.astype(float) if labels.shape == t.x.shape else None


Formula = Callable[[Trial, np.ndarray, np.ndarray, int], Any]
guess = partial(hypothesis, among=GUESSES)


def of_labels(cause: str, evidence: str) -> Callable[[Formula], Formula]:
    """Register a guess: a function of the trial, the expected gradient, the labels and N."""
    def register(formula: Formula) -> Formula:
        def gradient(t: Trial, k: int, of_all: bool) -> Gradient:
            labels = labels_of(t)
            if labels is None or of_all and labels.ndim == 1:
                return None
            return formula(t, t.expected[k], labels, labels.size if of_all else t.num_samples)
        for of_all in (False, True):  # a mean over the examples, or over all entries
            guess(cause, evidence)(partial(gradient, of_all=of_all))
        return formula
    return register


@of_labels("term missing", "the labels aren't in it: it differs from the expected gradient by labels / N")
def without_labels(t: Trial, e: np.ndarray, labels: np.ndarray, n: int) -> Any:
    return e + labels / n


@of_labels("term missing", "only the labels are in it")
def labels_alone(t: Trial, e: np.ndarray, labels: np.ndarray, n: int) -> Any:
    return -labels / n


@of_labels("division of one term", "the division reaches only the last of two terms: brackets belong around both")
def last_term_divided(t: Trial, e: np.ndarray, labels: np.ndarray, n: int) -> Any:
    return n * e + labels - labels / n


@of_labels("division of one term", "the division reaches only the first of two terms: brackets belong around both")
def first_term_divided(t: Trial, e: np.ndarray, labels: np.ndarray, n: int) -> Any:
    return e + labels / n - labels


@of_labels("absolute value", "its absolute value is taken")
def absolute(t: Trial, e: np.ndarray, labels: np.ndarray, n: int) -> Any:
    return np.abs(e)


@of_labels("squared", "what is divided by N is squared")
def squared(t: Trial, e: np.ndarray, labels: np.ndarray, n: int) -> Any:
    return n * e * e


@of_labels("term missing", "it is right where the label isn't 0, and 0 elsewhere")
def one_class(t: Trial, e: np.ndarray, labels: np.ndarray, n: int) -> Any:
    return e * (labels != 0)


@of_labels("another formula", "the logarithm stands where the function itself belongs, as log p for p")
def logarithm(t: Trial, e: np.ndarray, labels: np.ndarray, n: int) -> Any:
    q = n * e + labels
    return (np.log(q) - labels) / n if np.all(q > 0) else None


@of_labels("output taken for input", "the predictions themselves stand where a function of them belongs")
def predictions_themselves(t: Trial, e: np.ndarray, labels: np.ndarray, n: int) -> Any:
    return (t.x - labels) / n


@of_labels("output taken for input", "a function is applied twice: to the predictions, and to what comes out")
def twice(t: Trial, e: np.ndarray, labels: np.ndarray, n: int) -> Any:
    return t.elsewhere("a function of the predictions", t.point.with_tensor(0, n * e + labels), np.ones(()))


@of_labels("another formula", "the derivative is taken by something that the loss computes from the predictions first")
def by_inner(t: Trial, e: np.ndarray, labels: np.ndarray, n: int) -> Any:
    q = n * e + labels
    return -labels / q / n if np.all(np.abs(q) > 1e-9) else None


@of_labels("another formula", "the greatest of each row stands where each entry's own share belongs")
def greatest(t: Trial, e: np.ndarray, labels: np.ndarray, n: int) -> Any:
    q = n * e + labels
    is_share = q.ndim == 2 and np.all(q > -1e-6) and np.allclose(q.sum(axis=-1), 1, atol=1e-5)
    return ((q == q.max(axis=-1, keepdims=True)) - labels) / n if is_share else None


@of_labels("another formula", "1 stands everywhere where the label belongs")
def ones_for_labels(t: Trial, e: np.ndarray, labels: np.ndarray, n: int) -> Any:
    return e + (labels - 1) / n


@of_labels("only one sample", "the labels of the first example stand for those of all")
def first_labels(t: Trial, e: np.ndarray, labels: np.ndarray, n: int) -> Any:
    return e + (labels - labels[:1]) / n


@of_labels("only one sample", "the labels of all examples are subtracted from each of them")
def all_labels(t: Trial, e: np.ndarray, labels: np.ndarray, n: int) -> Any:
    is_one_hot = labels.ndim == 2 and set(np.unique(labels)) <= {0.0, 1.0} and np.all(labels.sum(axis=-1) == 1)
    return e + (labels - labels.max(axis=0)) / n if is_one_hot else None


@of_labels("another formula", "a derivative is multiplied once too often")
def once_more(t: Trial, e: np.ndarray, labels: np.ndarray, n: int) -> Any:
    q = n * e + labels
    return e * q * (1 - q)


@of_labels("another formula", "the function's value is a factor once too often")
def times_value(t: Trial, e: np.ndarray, labels: np.ndarray, n: int) -> Any:
    return e * (n * e + labels)
