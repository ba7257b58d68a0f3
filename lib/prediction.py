"""Using a trained model: in evaluation mode, and in batches that fit into memory."""
from __future__ import annotations

from contextlib import contextmanager
from typing import Iterator

import numpy as np

from lib.network_base import Module
from lib.validation import require_not_empty, require_size


@contextmanager
def evaluation_mode(model: Module) -> Iterator[Module]:
    """Switch a model to evaluation mode for a while; afterwards every module is in the mode in which it was.

    >>> from lib.regularizers import Dropout
    >>> with evaluation_mode(Dropout(0.5)) as dropout:
    ...     dropout(np.ones(3)).tolist()
    [1.0, 1.0, 1.0]
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
    x = np.asarray(x)
    require_not_empty(x, "predict")
    with evaluation_mode(model):
        return np.concatenate([model(x[start:start + batch_size]) for start in range(0, len(x), batch_size)])
