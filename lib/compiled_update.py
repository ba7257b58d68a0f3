"""The update of all parameters, as one flat vector, for the compiled path."""
from __future__ import annotations

import os
from typing import Any, Callable

import numpy as np

from lib.optimizer_base import Optimizer, State
from lib.optimizers import SGD

MIN_SIZE = 2 ** 14  # entries from which on the time saved is worth the import of SciPy

Update = Callable[[np.ndarray, np.ndarray, State], None]


def fastest_update(optimizer: Optimizer, data: np.ndarray) -> Update:
    """Return a function that does what optimizer.update does to this vector.

    For plain gradient descent, data = data - lr * grad, that is BLAS's axpy, y = y + a x, where SciPy is installed: it
    reads each array once, and needs no memory for lr * grad. Any other rule is left to NumPy.

    SciPy comes with a BLAS of its own. If both had several threads, those of the one would wait actively for work while
    those of the other work; so axpy is used only where OMP_NUM_THREADS is 1.
    """
    if type(optimizer) is not SGD or "update" in vars(optimizer) or data.size < MIN_SIZE or \
            os.environ.get("OMP_NUM_THREADS") != "1":
        return optimizer.update
    try:
        from scipy.linalg import blas
    except ImportError:
        return optimizer.update
    axpy: Any = blas.saxpy if data.dtype.char == "f" else blas.daxpy

    def update(data: np.ndarray, grad: np.ndarray, state: State) -> None:
        if optimizer.momentum or optimizer.weight_decay:
            optimizer.update(data, grad, state)
        else:
            axpy(grad, data, a=-optimizer.lr)

    return update
