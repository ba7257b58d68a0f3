"""MNIST as a task of ten classes: handwritten digits, ready for training.

Source: Y. LeCun, C. Cortes, C. Burges: The MNIST database of handwritten digits; see lib/data/README.md.
"""
from __future__ import annotations

from pathlib import Path
from typing import Any, Tuple, Union

import numpy as np

from lib.data.mnist import load_mnist, resize
from lib.validation import InputError, require_size


def load_mnist_data(resolution: int = 28, method: str = "sheet", flatten: bool = True, one_hot: bool = True,
                    dtype: Any = np.float32, num_validation: int = 10000,
                    path: Union[str, Path, None] = None) -> Tuple[np.ndarray, ...]:
    """Return MNIST ready for training, with pixels from 0 to 1 and the last training images kept for validation.

    Args:
        resolution: 28, 8, 4 or 1 pixels a side.
        method: "sheet" or "block", the way to the lower resolutions: see lib.data.mnist.resize.
        flatten: one row an image, (N, resolution ** 2); otherwise (N, 1, resolution, resolution), as convolutions
            take it.
        one_hot: labels as one-hot rows, (N, 10); otherwise class numbers, (N,).
        dtype: the precision of the pixels and of one-hot labels. float32 holds a pixel's 256 values as well as
            float64 does, in half the memory.
        num_validation: how many of the 60,000 training images are for validation.
        path: where another copy of the data is: see lib.data.mnist.load_mnist.

    Returns:
        x_train, x_val, x_test, y_train, y_val, y_test: 50,000, 10,000 and 10,000 examples unless asked otherwise.
    """
    require_size("num_validation", num_validation, "load_mnist_data", least=0)
    x_train, y_train, x_test, y_test = load_mnist(path)
    num_train = len(x_train) - num_validation
    if num_train < 1:
        raise InputError(f"load_mnist_data can't keep {num_validation} of the {len(x_train)} training images for "
                         "validation: none would be left to train on.")
    parts = [(x_train[:num_train], y_train[:num_train]), (x_train[num_train:], y_train[num_train:]), (x_test, y_test)]
    images = [resize(x, resolution, method, flatten, dtype) for x, _ in parts]
    labels = [np.eye(10, dtype=dtype)[y] if one_hot else y.astype(np.int64) for _, y in parts]
    return tuple(images + labels)
