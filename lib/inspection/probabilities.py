"""Where a loss gets probabilities in place of the logits that it expects."""
from __future__ import annotations

import warnings
import weakref
from typing import Any

import numpy as np

from lib.validation import name_of

_last_probabilities: Any = (lambda: None, "")  # a weak reference to what the last Softmax or Sigmoid gave, and which


def note_probabilities(module: Any, y: np.ndarray) -> np.ndarray:
    """Return y, and remember that it holds probabilities, so that a loss that expects logits can warn."""
    global _last_probabilities
    if type(y) is np.ndarray:
        _last_probabilities = weakref.ref(y), name_of(module)
    return y


def warn_of_probabilities(loss: Any, preds: Any, activation: str) -> None:
    """Warn if the predictions have gone through an activation that this loss contains."""
    if _last_probabilities[0]() is preds is not None and _last_probabilities[1] == activation:
        warnings.warn(f"{name_of(loss)} contains the {activation} already and expects the logits before it. With "
                      f"{activation} twice, training is slow and ends early: leave {activation}() out of the model.",
                      stacklevel=4)
