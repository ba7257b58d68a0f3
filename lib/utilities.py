"""Small tools: one-hot labels, a module without purpose for tests, saving results of experiments."""
from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any, Union

import numpy as np

from lib.network_base import Module
from lib.validation import InputError, checked_elementwise, refuse_masked, require_size

_RESULTS = Path("results")


def one_hot_encoding(y: Any, num_classes: int) -> np.ndarray:
    """Return class numbers as rows with a single 1: result[n, k] = 1 where y[n] = k, else 0.

    >>> one_hot_encoding([1, 0], num_classes=3).tolist()
    [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]

    Args:
        y: class numbers from 0 to num_classes - 1, shape (N,); anything else raises an InputError.
        num_classes: K.

    Returns:
        Floats, shape (N, K).
    """
    require_size("num_classes", num_classes, "one_hot_encoding")
    refuse_masked(y, "one_hot_encoding")
    try:
        y = np.asarray(y)
    except ValueError as error:
        raise InputError("one_hot_encoding expects class numbers, (N,), but got ragged rows.") from error
    if y.ndim != 1:
        raise InputError(f"one_hot_encoding expects one class number for each example, shape (N,), but got shape "
                         f"{y.shape}. {'It looks one-hot already.' if y.ndim == 2 and y.shape[1] > 1 else ''}".strip())
    if y.size and (y.dtype.kind not in "iufb" or not (np.isfinite(y) & (y == np.floor(y))).all()):
        raise InputError(f"one_hot_encoding expects whole numbers, but got {y.dtype} such as {y.tolist()[0]!r}.")
    y = y.astype(np.int64)
    if y.size and (y.min() < 0 or y.max() >= num_classes):
        bad = int(y.min()) if y.min() < 0 else int(y.max())
        raise InputError(f"one_hot_encoding expects labels from 0 to {num_classes - 1} (num_classes={num_classes}), "
                         f"but got the label {bad}. Raise num_classes, or number the classes from 0.")
    return np.eye(num_classes)[y]


class Dummy(Module):
    """A module that does little: y = 0.5 - x, dy/dx = -1."""

    def forward(self, x: np.ndarray) -> np.ndarray:
        return 0.5 - checked_elementwise(self, x)

    def backward(self, grad: np.ndarray) -> np.ndarray:
        return -checked_elementwise(self, grad)


def save_result(filename: Union[str, Path], obj: Any) -> Path:
    """Save any picklable object as results/<filename>.pkl; returns the file's path. It is never there half-written."""
    path = _result_path(filename)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_bytes(pickle.dumps(obj))
    os.replace(str(temporary), str(path))
    return path


def load_result(filename: Union[str, Path]) -> Any:
    """Load what save_result saved under this name. Load your own results only: a pickle can run code."""
    path = _result_path(filename)
    if not path.exists():
        raise FileNotFoundError(f"There is no result {str(filename)!r}: {path} doesn't exist. Run the experiment that "
                                "saves it first, from the root folder of the project.")
    return pickle.loads(path.read_bytes())


def _result_path(filename: Union[str, Path]) -> Path:
    path = _RESULTS / filename
    return path if path.suffix else path.with_suffix(".pkl")
