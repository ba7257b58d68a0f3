"""How many threads BLAS, which computes NumPy's matrix products, may use while something is trained.

Threads that share a product wait for each other actively. Where another process has one of the cores, all of them wait,
and a product that is too small for several threads takes up to ten times as long as with one.
"""
from __future__ import annotations

from contextlib import contextmanager
from typing import Any, Iterator, Optional

import numpy as np

from lib.network_base import Module
from lib.validation import optional_import, require_size

# 1.3 ms of one core's work, in float64 (OpenBLAS on 2 cores of a Xeon). Two threads take 0.8 ms while both cores
# are free, but 78 ms, in the median, while others are busy on them: each waits for the other's time slices.
MULTIPLICATIONS_A_THREAD = 2 ** 25


@contextmanager
def blas_threads(threads: Optional[int], model: Module, x: Any, batch_size: int) -> Iterator[None]:
    """Limit BLAS to a number of threads for a while; afterwards the setting is what it was.

    It takes some milliseconds to find the BLAS libraries, so this is for a whole run, not for a step.

    Args:
        threads: the number of threads; None for as many as the products of a training step can use, at most those of
            the setting.
        model, x, batch_size: what is trained, all inputs (N, ...), and the examples a step.
    """
    if threads is not None:
        require_size("threads", threads, "training")
    libraries = blas_libraries(is_needed=threads is not None)
    if libraries is None:
        yield
        return
    if threads is None:
        allowed = [library["num_threads"] for library in libraries.info()]
        threads = min([usable_threads(model, x, batch_size), *allowed])
    with libraries.limit(limits=threads):
        yield


def blas_libraries(is_needed: bool) -> Any:
    """Return threadpoolctl's view of the BLAS libraries; None without threadpoolctl, unless it is needed."""
    try:
        threadpoolctl = optional_import("threadpoolctl", "threadpoolctl", "threads=")
    except ImportError:
        if is_needed:
            raise
        return None
    return threadpoolctl.ThreadpoolController().select(user_api="blas")


def usable_threads(model: Module, x: Any, batch_size: int) -> int:
    """Return how many threads the greatest matrix product of a step can keep busy; at least 1.

    A product takes as many multiplications as the weights have entries, for each row of the batch: each example is one,
    or as many as it has pixels, for the weights of a convolution, or positions, where an example is a sequence.
    """
    shape, most = np.shape(x), 0
    for _, parameter in model.named_parameters(constants=True):
        positions = shape[2:] if parameter.data.ndim > 2 else shape[1:-1] if len(shape) == 3 else ()
        rows = min(batch_size, shape[0]) * int(np.prod(positions))
        most = max(most, rows * parameter.data.size)
    return max(1, most // MULTIPLICATIONS_A_THREAD)
