"""The training loop: mini-batch gradient descent, followed on a validation set; and optimisers compared on MNIST.

`fit`, in lib.fitting.fit, is the fuller loop, with checkpoints and early stopping. This one is to be read.
"""
from __future__ import annotations

from typing import Any, Callable, Dict, List, Optional, Tuple

import numpy as np

from lib.data.batches import Batches
from lib.model_evaluation import accuracy, evaluate
from lib.network_base import Module
from lib.steps import make_step
from lib.validation import require_size, require_training_objects

Curves = Tuple[List[float], List[float], List[float], List[float]]


def train(model: Module, loss_fn: Any, optimizer: Any, x_train: np.ndarray, y_train: np.ndarray, x_val: np.ndarray,
          y_val: np.ndarray, num_epochs: int, batch_size: int, scheduler: Any = None) -> Curves:
    """Train a model, and measure after each epoch how well it does on data that it wasn't trained on.

    The samples are shuffled anew in each epoch, by NumPy's global random state. A cost is the sum of an epoch's batch
    losses, as `evaluate` has it; the training cost and accuracy are those of each batch right before its update.

    Args:
        model: gives logits, (N, K).
        loss_fn: takes (logits, labels), such as CrossEntropyLoss().
        optimizer: made with model.parameters().
        x_train, x_val: inputs, (N, ...).
        y_train, y_val: one-hot labels, (N, K).
        num_epochs: how often to go through the training data.
        batch_size: examples a step; the last batch of an epoch may be smaller.
        scheduler: sets the optimiser's learning rate after each epoch, by its step().

    Returns:
        Four lists with a number for each epoch: training costs, training accuracies, validation costs, validation
        accuracies.
    """
    def after_epoch(_: Curves) -> None:
        if scheduler is not None:
            scheduler.step()

    return train_epochs(model, loss_fn, optimizer, x_train, y_train, x_val, y_val, num_epochs, batch_size, after_epoch)


def train_epochs(model: Module, loss_fn: Any, optimizer: Any, x_train: np.ndarray, y_train: np.ndarray,
                 x_val: np.ndarray, y_val: np.ndarray, num_epochs: int, batch_size: int,
                 after_epoch: Callable[[Curves], None]) -> Curves:
    """Train and measure as `train` says, and call after_epoch(curves so far) at the end of each epoch."""
    require_size("num_epochs", num_epochs, "train", least=0)
    require_training_objects(model, loss_fn, optimizer, "train")
    curves: Curves = ([], [], [], [])
    batches = Batches(x_train, y_train, batch_size)
    training_step = make_step(model, loss_fn, optimizer)
    for _ in range(num_epochs):
        train_cost, train_accuracy = train_one_epoch(model, training_step, batches)
        val_cost, val_accuracy = evaluate(model, loss_fn, x_val, y_val, batch_size)
        for curve, value in zip(curves, (train_cost, train_accuracy, val_cost, val_accuracy)):
            curve.append(value)
        after_epoch(curves)
    return curves


def train_one_epoch(model: Module, training_step: Any, batches: Batches) -> Tuple[float, float]:
    """Take one step on each batch; returns the sum of the losses, and the share of examples predicted rightly."""
    model.train()
    cost, num_correct = 0.0, 0.0
    for x_batch, y_batch in batches:
        loss, preds = training_step.step(x_batch, y_batch)
        cost += float(loss)
        num_correct += accuracy(preds, y_batch) * len(y_batch)
    training_step.sync()
    return cost, num_correct / len(batches.x)


def create_and_train_model(optimizer_name: str, optimizer_config: Dict[str, Any], x_train: np.ndarray,
                           y_train: np.ndarray, x_val: np.ndarray, y_val: np.ndarray, num_epochs: int = 10,
                           batch_size: int = 128) -> Curves:
    """Train a new network 784-30-10 with ReLU by an optimiser of this name, such as "adam" with {"lr": 0.001}.

    The network is as wide as the data: x_train's columns, 30 hidden units, y_train's columns. Its weights are drawn as
    Linear draws them. Returns what `train` returns.
    """
    from lib.activations import ReLU
    from lib.losses import CrossEntropyLoss
    from lib.network import Linear, Sequential
    from lib.optimizers import create_optimizer
    model = Sequential(Linear(x_train.shape[1], 30), ReLU(), Linear(30, y_train.shape[1]))
    model.astype(np.result_type(x_train.dtype, np.float32))  # the data's precision: float32 takes half the time
    optimizer = create_optimizer(optimizer_name, model.parameters(), optimizer_config)
    return train(model, CrossEntropyLoss(), optimizer, x_train, y_train, x_val, y_val, num_epochs, batch_size)


# Each at the best of three learning rates, about a factor of 3 apart, by the validation accuracy after 6 epochs: at one
# rate for all, the comparison would be one of how well the rate suits them.
COMPARED_OPTIMIZERS = {
    "SGD": ("SGD", {"lr": 0.3}),
    "SGD with momentum": ("SGD", {"lr": 0.1, "momentum": 0.9}),
    "RMSProp": ("RMSProp", {"lr": 0.003}),
    "Adagrad": ("Adagrad", {"lr": 0.05}),
    "Adam": ("Adam", {"lr": 0.003}),
}


def compare_optimizers(num_epochs: int = 10, batch_size: int = 128, seed: int = 0,
                       num_examples: Optional[int] = None) -> Dict[str, Curves]:
    """Train the same network on MNIST by several optimisers, from the same weights and with the same batches.

    Prints a line for each, saves the curves as results/optimizers.pkl, for load_result("optimizers"), and draws them
    into results/optimizers.png.

    Args:
        num_epochs, batch_size: as for train.
        seed: of NumPy's global random state, before each run.
        num_examples: how many training images to use; all 50,000 when it isn't given.

    Returns:
        For each optimiser what `train` returns.
    """
    from lib.dataset_mnist import load_mnist_data
    from lib.figures.curves import plot_comparison
    from lib.figures.base import save_figure
    from lib.utilities import RESULTS_DIR, save_result
    x_train, y_train, x_val, y_val, _, _ = load_mnist_data()
    results = {}
    for label, (name, config) in COMPARED_OPTIMIZERS.items():
        np.random.seed(seed)
        results[label] = create_and_train_model(name, config, x_train[:num_examples], y_train[:num_examples],
                                                x_val, y_val, num_epochs, batch_size)
        costs, _, _, accuracies = results[label]
        print(f"{label:<18} cost of the last epoch {costs[-1]:9.3f}   validation accuracy {accuracies[-1]:.4f}")
    save_result("optimizers", results)
    save_figure(plot_comparison(results), RESULTS_DIR / "optimizers.png")
    return results
