"""The epochs of the sheets' training loops: mini-batch gradient descent, followed on a validation set."""
from __future__ import annotations

from typing import Any, Iterator, List, Tuple

import numpy as np

from lib.inspection.prediction import share_right
from lib.model_evaluation import evaluate
from lib.network_base import Module
from lib.steps import make_step
from lib.fitting.checks import require_training_objects
from lib.validation import InputError, require_size

Measures = Tuple[float, float, float, float]
Curves = Tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def train_epochs(model: Module, loss_fn: Any, optimizer: Any, x_train: np.ndarray, y_train: np.ndarray,
                 x_val: np.ndarray, y_val: np.ndarray, num_epochs: int, batch_size: int,
                 compiled: bool = False) -> Iterator[Measures]:
    """Train for a number of epochs, as `lib.training.train` says, after checking that all of it fits.

    Returns:
        At the end of each epoch, four numbers: the mean of the batches' losses while training, the accuracy while
        training, the sum of the batches' losses on the validation set, and the accuracy there.
    """
    x_train, y_train = np.asarray(x_train), np.asarray(y_train)
    _require_fitting(x_train, y_train, x_val, y_val, num_epochs, batch_size)
    require_training_objects(model, loss_fn, optimizer, "train")
    training_step = make_step(model, loss_fn, optimizer, compiled=compiled)
    share = share_right(y_train, loss_fn)

    def epochs() -> Iterator[Measures]:
        indices = np.arange(len(x_train))
        for _ in range(num_epochs):
            np.random.shuffle(indices)
            model.train()
            losses: List[float] = []
            shares: List[float] = []
            try:
                for batch in indices.reshape(-1, batch_size):
                    y_batch = y_train[batch]
                    loss, predictions = training_step.step(x_train[batch], y_batch)
                    losses.append(float(loss))
                    shares.append(share(y_batch, predictions))
            finally:
                training_step.end_epoch()
            val_accuracy, val_cost = evaluate(x_val, y_val, model, loss_fn, batch_size)
            yield float(np.mean(losses)), float(np.mean(shares)), val_cost, val_accuracy

    return epochs()


def curves_of(measures: List[Measures]) -> Curves:
    """Return the four numbers of each epoch as four arrays, each with a number for each epoch."""
    columns = np.array(measures, dtype=float).reshape(len(measures), 4).T
    return columns[0].copy(), columns[1].copy(), columns[2].copy(), columns[3].copy()


def _require_fitting(x_train: Any, y_train: Any, x_val: Any, y_val: Any, num_epochs: Any, batch_size: Any) -> None:
    """Raise InputError for data of different lengths, or a batch size that doesn't divide the training data."""
    require_size("num_epochs", num_epochs, "train", least=0)
    require_size("batch_size", batch_size, "train")
    for name, x, y in (("train", x_train, y_train), ("val", x_val, y_val)):
        if np.ndim(x) == 0 or np.ndim(y) == 0 or len(x) != len(y) or not len(x):
            raise InputError(f"train expects a label for each example, and at least one, but got x_{name} "
                             f"{np.shape(x)} and y_{name} {np.shape(y)}. The order is x_train, y_train, x_val, y_val; "
                             "load_mnist_data returns x_train, x_val, x_test, y_train, y_val, y_test.")
    if len(x_train) % batch_size:
        divisors = [n for n in range(1, len(x_train) + 1) if len(x_train) % n == 0]
        nearest = min(divisors, key=lambda n: abs(n - batch_size))
        raise InputError(f"train expects a batch size that divides the training set, but {len(x_train)} examples don't "
                         f"make batches of {batch_size}. The nearest that does is {nearest}.")
