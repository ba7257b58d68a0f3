"""A noisy sine wave: the 1-D regression data on which one can see what a network with few hidden units can fit.

Source: the recipe of the course sheet on MLP regression (University of Mannheim, Deep Learning).
"""
from __future__ import annotations

from typing import Any, Tuple

import numpy as np


def load_regression_data(noise: float = 0.1, seed: int = 1,
                         dtype: Any = np.float64) -> Tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the sheet's data set: y = sin(x) + noise * N(0, 1) for x from 0 to 4 pi.

    The noise is drawn point by point, first for the training and then for the test points, by a legacy generator of
    NumPy with the given seed. NumPy's global random state is left as it is.

    Args:
        noise: the standard deviation of the noise.
        seed: the sheet's is 1.
        dtype: the precision of the result; the data are drawn in float64.

    Returns:
        x_train (100, 1), y_train (100, 1), x_test (123, 1), y_test (123, 1), with evenly spaced x.
    """
    generator = np.random.RandomState(seed)

    def noisy_sine(num_points: int) -> Tuple[np.ndarray, np.ndarray]:
        x = np.linspace(0, 4 * np.pi, num_points).reshape(-1, 1)
        y = np.sin(x) + generator.normal(0, noise, size=(num_points, 1))
        return x.astype(dtype), y.astype(dtype)

    return noisy_sine(100) + noisy_sine(123)
