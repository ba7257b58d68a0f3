"""A second, independent witness for every backward pass: plain central differences, entry by entry.

Nothing here uses lib.gradient_checking, so that the checker is never its own only witness.
"""
from __future__ import annotations

from typing import Any, Callable, Tuple

import numpy as np


def numeric_gradient(f: Callable[[], float], array: np.ndarray, step: float = 1e-6) -> np.ndarray:
    """Return df/d(array), where f reads the array, by (f(a + step) - f(a - step)) / (2 step) for each entry."""
    gradient = np.zeros_like(array)
    for index in np.ndindex(array.shape):
        before = array[index]
        array[index] = before + step
        above = f()
        array[index] = before - step
        below = f()
        array[index] = before
        gradient[index] = (above - below) / (2 * step)
    return gradient


def assert_backward_is_right(module: Any, args: Tuple[Any, ...], tolerance: float = 1e-6, seed: int = 0) -> None:
    """Assert that module.backward agrees with central differences, for the first input and every parameter.

    The upstream gradient is random and signed; a loss, whose output is a single number, gets none. The parameters'
    gradients start at a half, as backward has to add to them. Indices, which are whole numbers, have no gradient.
    """
    args = tuple(np.array(arg, dtype=float) if np.asarray(arg).dtype.kind == "f" else arg for arg in args)
    output = module.forward(*args)
    for parameter in module.parameters():
        parameter.grad = np.full_like(parameter.data, 0.5)
    if np.ndim(output) == 0:
        weights: Any = 1.0
        grad_input = module.backward()
    else:
        weights = np.random.default_rng(seed).standard_normal(np.shape(output))
        grad_input = module.backward(weights)
    analytic = [parameter.grad - 0.5 for parameter in module.parameters()]

    def objective() -> float:
        return float(np.sum(weights * module.forward(*args)))

    if args and np.asarray(args[0]).dtype.kind == "f":
        numeric = numeric_gradient(objective, args[0])
        np.testing.assert_allclose(grad_input, numeric, rtol=tolerance, atol=tolerance)
    for (path, parameter), gradient in zip(module.named_parameters(), analytic):
        np.testing.assert_allclose(gradient, numeric_gradient(objective, parameter.data), rtol=tolerance,
                                   atol=tolerance, err_msg=path)
