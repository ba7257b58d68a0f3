"""The epochs of the sheets' training loops: mini-batch gradient descent, followed on a validation set."""
from __future__ import annotations

from math import isfinite
from typing import Any, Iterator, List, Optional, Tuple

import numpy as np

from lib.inspection.prediction import share_right
from lib.model_evaluation import evaluate
from lib.network_base import Module
from lib.steps import make_step
from lib.steps.threads import blas_threads
from lib.fitting.advice import DivergenceError, divergence_advice, remark_on_inputs
from lib.fitting.checks import checked_data, require_training_objects
from lib.validation import InputError, require_choice, require_size

Measures = Tuple[float, float, float, float]
Curves = Tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def train_epochs(model: Module, loss_fn: Any, optimizer: Any, x_train: np.ndarray, y_train: np.ndarray,
                 x_val: np.ndarray, y_val: np.ndarray, num_epochs: int, batch_size: int,
                 compiled: bool = False, threads: Optional[int] = None, scheduler: Any = None) -> Iterator[Measures]:
    """Train for a number of epochs, as `lib.training.train` says, after checking that all of it fits.

    Returns:
        At the end of each epoch, four numbers: the mean of the batches' losses while training, the accuracy while
        training, the sum of the batches' losses on the validation set, and the accuracy there.
    """
    require_size("num_epochs", num_epochs, "train", least=0)
    require_size("batch_size", batch_size, "train")
    require_choice("compiled", compiled, (True, False), "train")
    require_training_objects(model, loss_fn, optimizer, "train", scheduler)
    x_train, y_train = checked_data(x_train, y_train, "train", ("x_train", "y_train"))
    x_val, y_val = checked_data(x_val, y_val, "train", ("x_val", "y_val"))
    _require_divisor(len(x_train), batch_size)
    training_step = make_step(model, loss_fn, optimizer, compiled=compiled)
    share = share_right(y_train, loss_fn)

    def epochs() -> Iterator[Measures]:
        indices = np.arange(len(x_train))
        costs: List[float] = []
        for epoch in range(1, num_epochs + 1):
            np.random.shuffle(indices)
            model.train()
            losses: List[float] = []
            shares: List[float] = []
            try:
                for batch in indices.reshape(-1, batch_size):
                    y_batch = y_train[batch]
                    with np.errstate(over="ignore", invalid="ignore"):  # DivergenceError says it better than a warning
                        loss, predictions = training_step.step(x_train[batch], y_batch)
                    losses.append(float(loss))
                    if not isfinite(losses[-1]):
                        raise DivergenceError(f"Training diverged in epoch {epoch}, step {len(losses)}: the loss is "
                                              f"{loss}. {divergence_advice(optimizer, x_train[batch], y_batch)} Then "
                                              "start again with a new model: this one's weights are spoilt.")
                    shares.append(share(y_batch, predictions))
            finally:
                training_step.end_epoch()
            val_accuracy, val_cost = evaluate(x_val, y_val, model, loss_fn, batch_size)
            costs.append(float(np.mean(losses)))
            remark_on_inputs(x_train, y_train, costs)
            yield costs[-1], float(np.mean(shares)), val_cost, val_accuracy

    def on_threads() -> Iterator[Measures]:
        with blas_threads(threads, model, x_train, batch_size):
            yield from epochs()

    return on_threads()


def curves_of(measures: List[Measures]) -> Curves:
    """Return the four numbers of each epoch as four arrays, each with a number for each epoch."""
    columns = np.array(measures, dtype=float).reshape(len(measures), 4).T
    return columns[0].copy(), columns[1].copy(), columns[2].copy(), columns[3].copy()


def _require_divisor(num_examples: int, batch_size: int) -> None:
    """Raise InputError unless the batch size divides the training data."""
    if num_examples % batch_size:
        divisors = [n for n in range(1, num_examples + 1) if num_examples % n == 0]
        nearest = min(divisors, key=lambda n: abs(n - batch_size))
        raise InputError(f"train expects a batch size that divides the training set, but {num_examples} examples don't "
                         f"make batches of {batch_size}. The nearest that does is {nearest}.")
