"""The training loop of the sheet on regularisation: `train`, which prints how it goes."""
from __future__ import annotations

from typing import Any

import numpy as np

from lib.network_base import Module
from lib.training import Curves, train_epochs
from lib.validation import require_size


def train(model: Module, loss_fn: Any, optimizer: Any, x_train: np.ndarray, y_train: np.ndarray, x_val: np.ndarray,
          y_val: np.ndarray, num_epochs: int, batch_size: int, print_every: int = 1) -> Curves:
    """Train a model as lib.training.train does, at a constant learning rate, and print a line every few epochs.

    Args:
        model, loss_fn, optimizer, x_train, y_train, x_val, y_val, num_epochs, batch_size: as there.
        print_every: epochs from one line to the next; 0 prints nothing.

    Returns:
        Four lists with a number for each epoch: training costs, training accuracies, validation costs, validation
        accuracies. A cost is the sum of an epoch's batch losses.
    """
    require_size("print_every", print_every, "train", least=0)

    def after_epoch(curves: Curves) -> None:
        epoch = len(curves[0])
        if print_every and epoch % print_every == 0:
            train_cost, train_accuracy, val_cost, val_accuracy = (curve[-1] for curve in curves)
            print(f"epoch {epoch:3d}: training cost {train_cost:.4f}, accuracy {train_accuracy:.4f}; "
                  f"validation cost {val_cost:.4f}, accuracy {val_accuracy:.4f}")

    return train_epochs(model, loss_fn, optimizer, x_train, y_train, x_val, y_val, num_epochs, batch_size, after_epoch)
