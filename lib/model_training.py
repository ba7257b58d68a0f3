"""The training loop of the sheets on regularisation and convolutions: `train`, which prints how it goes."""
from __future__ import annotations

from typing import Any, Optional

import numpy as np

from lib.fitting.epochs import Curves, curves_of, train_epochs
from lib.network_base import Module
from lib.validation import require_size


def train(model: Module, loss_fn: Any, optimizer: Any, x_train: np.ndarray, y_train: np.ndarray, x_val: np.ndarray,
          y_val: np.ndarray, num_epochs: int, batch_size: int, print_every: int = 1,
          compiled: bool = False, threads: Optional[int] = None) -> Curves:
    """Train a model as lib.training.train does, at a constant learning rate, and print a line every few epochs.

    Args:
        model, loss_fn, optimizer, x_train, y_train, x_val, y_val, num_epochs, batch_size: as there.
        print_every: epochs from one line to the next; 0 prints nothing.
        compiled, threads: as there.

    Returns:
        What lib.training.train returns.
    """
    require_size("print_every", print_every, "train", least=0)
    measures = []
    epochs = train_epochs(model, loss_fn, optimizer, x_train, y_train, x_val, y_val, num_epochs, batch_size, compiled,
                          threads)
    for measured in epochs:
        measures.append(measured)
        if print_every and len(measures) % print_every == 0:
            train_cost, train_accuracy, val_cost, val_accuracy = measured
            print(f"epoch {len(measures):3d}: training cost {train_cost:.4f}, accuracy {train_accuracy:.4f}; "
                  f"validation cost {val_cost:.4f}, accuracy {val_accuracy:.4f}")
    return curves_of(measures)
