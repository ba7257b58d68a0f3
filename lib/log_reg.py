"""Logistic regression by scikit-learn: a linear model, which can't solve XOR, to compare networks with."""
from __future__ import annotations

from typing import Tuple

import numpy as np

from lib.validation import as_float, optional_import


def logistic_regression(inputs: np.ndarray, labels: np.ndarray) -> Tuple[np.ndarray, float]:
    """Fit a logistic regression and return its predictions for the same inputs, and the share that is right.

    Args:
        inputs: (N, features).
        labels: class numbers, (N,).

    Returns:
        The predicted class numbers, (N,), and the accuracy between 0 and 1.
    """
    inputs = as_float(inputs, "logistic_regression (inputs)")
    linear_model = optional_import("sklearn.linear_model", "scikit-learn", "logistic_regression")
    # scikit-learn's default penalty is too strong for a handful of points: it would miss what a line can separate
    classifier = linear_model.LogisticRegression(C=1e6, max_iter=1000).fit(inputs, labels)
    return classifier.predict(inputs), float(classifier.score(inputs, labels))
