"""The training loop of the sheet on optimisation, and optimisers compared on MNIST.

`fit`, in lib.fitting.fit, is the fuller loop, with checkpoints and early stopping.
"""
from __future__ import annotations

from typing import Any, Dict, Optional, Tuple

import numpy as np

from lib import utilities
from lib.layers import CrossEntropyLoss, Linear, ReLU, Sequential
from lib.dataset_mnist import load_mnist_data
from lib.fitting.epochs import Curves, curves_of, train_epochs
from lib.network_base import Module
from lib.optimizers import create_optimizer


def train(model: Module, loss_fn: Any, optimizer: Any, x_train: np.ndarray, y_train: np.ndarray, x_val: np.ndarray,
          y_val: np.ndarray, num_epochs: int, batch_size: int, scheduler: Any = None,
          compiled: bool = False, threads: Optional[int] = None) -> Curves:
    """Train a model, and measure after each epoch how well it does on data that it wasn't trained on.

    The samples are shuffled in each epoch by np.random.shuffle, in the order that the epoch before has left. Training
    costs and accuracies are those of each batch right before its update.

    Args:
        model: gives predictions, such as logits (N, K).
        loss_fn: takes (predictions, labels), such as CrossEntropyLoss().
        optimizer: made with model.parameters().
        x_train, x_val: inputs, (N, ...).
        y_train, y_val: labels as the loss takes them, such as one-hot (N, K).
        num_epochs: how often to go through the training data.
        batch_size: examples a step; it has to divide the training data.
        scheduler: sets the optimiser's learning rate after each epoch, by its step().
        compiled: whether lib.steps.compiled takes the steps, which is faster, in place of the modules' own code: both
            are compared on each epoch's first batch; in between, it takes your word that nothing else has changed. What
            can't be compiled is said in a NotCompilable.
        threads: how many threads BLAS may use meanwhile; by default, as many as the network's products can use.

    Returns:
        Four arrays, (num_epochs,): training costs, each the mean of an epoch's batch losses; training accuracies;
        validation costs, each the sum of the batch losses, as `evaluate` has it; validation accuracies.

    Raises:
        AssertionError: the batch size doesn't divide the training data.
    """
    measures = []
    epochs = train_epochs(model, loss_fn, optimizer, x_train, y_train, x_val, y_val, num_epochs, batch_size, compiled,
                          threads, scheduler)
    for measured in epochs:
        measures.append(measured)
        if scheduler is not None:
            scheduler.step()
    return curves_of(measures)


def create_and_train_model(opt_name: str, opt_hyperparams: Dict[str, Any], x_train: np.ndarray, y_train: np.ndarray,
                           x_val: np.ndarray, y_val: np.ndarray, batch_size: int = 50, num_epochs: int = 10) -> Curves:
    """Train a new network 784-30-10 with ReLU by an optimiser of this name, such as "adam" with {"lr": 0.01}.

    Returns what `train` returns.
    """
    model = Sequential(Linear(784, 30), ReLU(), Linear(30, 10))
    optimizer = create_optimizer(opt_name, model.parameters(), opt_hyperparams)
    return train(model, CrossEntropyLoss(), optimizer, x_train, y_train, x_val, y_val, num_epochs, batch_size)


def compare_optimizers() -> Dict[str, Tuple[Any, ...]]:
    """Train the network 784-30-10 on MNIST by SGD, SGD with momentum, and Adam.

    Saves the curves for lib.utilities.load_result("optimizers_comparison"), and returns them: for each optimiser what
    `train` returns.
    """
    x_train, x_val, _, y_train, y_val, _ = load_mnist_data()
    settings = {"sgd": ("sgd", {"lr": 0.1}),
                "sgd_momentum": ("sgd", {"lr": 0.1, "momentum": 0.9}),
                "adam": ("adam", {"lr": 0.01})}
    results = {}
    for key, (name, hyperparams) in settings.items():
        print(f"Training by {name} with {hyperparams}.")
        results[key] = create_and_train_model(name, hyperparams, x_train, y_train, x_val, y_val)
    utilities.save_result("optimizers_comparison", results)
    return results
