"""Plain gradient descent as part of the matrix products that give the gradients, for the compiled path."""
from __future__ import annotations

import os
from typing import Any, Callable, Optional, Tuple

import numpy as np

from lib.steps.memory import Operation
from lib.optimizers import Optimizer
from lib.optimizers import SGD

MIN_SIZE = 2 ** 14  # parameters from which on the time saved is worth the import of SciPy


class Descent:
    """W = W - lr x^T dL/dz in one matrix product, that of BLAS, which adds to what is there: C = alpha A B + C.

    So neither dL/dW nor lr dL/dW is written to memory and read again.
    """

    def __init__(self, optimizer: Optimizer, gemm: Callable[..., Any]) -> None:
        self.optimizer, self.gemm = optimizer, gemm

    def in_place_of(self, product: Operation, W: np.ndarray) -> Operation:
        """Return the operation that changes W by what the product gives, times -lr."""
        return Operation(self.descend, product.inputs, W, product.parameters)

    def descend(self, a: np.ndarray, b: np.ndarray, out: np.ndarray) -> None:
        """Change out to out - lr a b. BLAS counts columns first, so what it is told is the transpose of that."""
        (first, first_turned), (second, second_turned) = columns_first(b), columns_first(a)
        self.gemm(-self.optimizer.lr, first, second, 1.0, out.T, first_turned, second_turned, 1)


def columns_first(a: np.ndarray) -> Tuple[np.ndarray, int]:
    """Return the transpose of a as BLAS takes it without a copy: columns first, and whether it has yet to be turned."""
    return (a, 1) if a.flags.f_contiguous else (a.T, 0)


def find_descent(optimizer: Optimizer, data: np.ndarray) -> Optional[Descent]:
    """Return the descent that does what optimizer.update does to these parameters, or None if there is none.

    It needs SciPy, whose BLAS is another one than NumPy's. If both had several threads, those of the one would wait
    actively for work while those of the other work; so it is used only where OMP_NUM_THREADS is 1.
    """
    if type(optimizer) is not SGD or "update" in vars(optimizer) or optimizer.momentum or optimizer.weight_decay or \
            data.size < MIN_SIZE or os.environ.get("OMP_NUM_THREADS") != "1":
        return None
    try:
        from scipy.linalg import blas
    except ImportError:
        return None
    return Descent(optimizer, blas.sgemm if data.dtype.char == "f" else blas.dgemm)
