"""Handwritten digits: a network 784-128-10 trained on MNIST.

Run it by `python -m exercises.digits.train_network`, or with --help for its options. The recipe: He's initialisation,
Adam with a learning rate that falls from 0.002 to 0 along half a cosine wave, batches of 64, 10 epochs, in float32.
"""
from __future__ import annotations

import argparse
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Optional, Sequence, Tuple, Union

import numpy as np

if find_spec("lib") is None:  # started by its path, or as a notebook: the root folder is two above this one
    sys.path.append(str(Path(globals().get("__file__", "notebook")).resolve().parents[2]))

from lib.layers import CrossEntropyLoss, Linear, ReLU, Sequential
from lib.dataset_mnist import load_mnist_data
from lib.fitting.fit import fit
from lib.fitting.history import History
from lib.layers.initializers import initialize
from lib.lr_schedulers import CosineAnnealingLR
from lib.model_evaluation import evaluate
from lib.network_base import Module
from lib.optimizers import Adam
from lib.saving.command_line import OneLineParser, output_file, output_folder, run_command, whole_number


def create_mnist_net(hidden: int = 128, rng: Optional[np.random.Generator] = None) -> Sequential:
    """Return the network 784-hidden-10 with ReLU, in float32, its weights drawn by He's rule."""
    model = Sequential(Linear(784, hidden, rng=rng), ReLU(), Linear(hidden, 10, rng=rng))
    initialize(model, "he", rng)
    return model.astype(np.float32)


def train_on_mnist(model: Module, data: Sequence[np.ndarray], epochs: int = 10, batch_size: int = 64, lr: float = 0.002,
                   rng: Any = None, **options: Any) -> Tuple[History, float]:
    """Train by the recipe of this experiment, and measure on the test set, which training never sees.

    Args:
        model: gives 10 logits for an image.
        data: x_train, x_val, x_test, y_train, y_val, y_test, as load_mnist_data gives them.
        epochs, batch_size, rng: as for fit.
        lr: the learning rate of the first epoch.
        options: further arguments of fit, such as a checkpoint.

    Returns:
        The history, and the accuracy on the test set.
    """
    x_train, x_val, x_test, y_train, y_val, y_test = data
    optimizer = Adam(model.parameters(), lr=lr)
    history = fit(model, CrossEntropyLoss(), optimizer, x_train, y_train, epochs, batch_size,
                  validation=(x_val, y_val), scheduler=CosineAnnealingLR(optimizer, T_max=epochs), rng=rng, **options)
    return history, evaluate(x_test, y_test, model, CrossEntropyLoss(), batch_size=1000)[0]


def draw_results(model: Module, history: History, data: Sequence[np.ndarray], folder: Union[str, Path]) -> None:
    """Draw the curves, the hidden units' weights and the misclassified test images into a folder."""
    from lib.inspection.figures.curves import plot_history
    from lib.inspection.figures.images import plot_misclassified, plot_weights
    from lib.inspection.figures.base import save_figure
    for name, figure in (("history", plot_history(history)), ("weights", plot_weights(model)),
                         ("misclassified", plot_misclassified(model, data[2], data[5]))):
        print(f"wrote {save_figure(figure, Path(folder) / f'mnist_{name}.png')}")


def read_options(command: str, description: str, arguments: Optional[Sequence[str]], **defaults: int
                 ) -> argparse.Namespace:
    """Return the options that a command line gives; `defaults` holds those of the network and of --epochs."""
    parser = OneLineParser(prog=f"python -m {command}", description=description)
    for name, default in defaults.items():
        parser.add_argument(f"--{name}", type=whole_number(1), default=default, metavar="N",
                            help="default: %(default)s")
    parser.add_argument("--seed", type=whole_number(0), default=0, metavar="N", help="default: %(default)s")
    parser.add_argument("--examples", type=whole_number(1, 50000), metavar="N",
                        help="train on the first N images, for a quick look")
    parser.add_argument("--checkpoint", type=output_file, metavar="FILE",
                        help="save the run in FILE; resume it if it is there")
    parser.add_argument("--compiled", action="store_true", help="train by compiled steps, which are faster")
    parser.add_argument("--threads", type=whole_number(1), metavar="N",
                        help="BLAS threads (default: as many as are of use)")
    parser.add_argument("--plot", type=output_folder, metavar="FOLDER",
                        help="draw curves, weights and mistakes into FOLDER (Matplotlib)")
    return parser.parse_args(arguments)


def run_and_report(model: Module, data: Sequence[np.ndarray], options: argparse.Namespace, rng: Any) -> float:
    """Train by the recipe, print the model and its measures, draw if asked; returns the accuracy on the test set."""
    from lib.inspection.summary import summary
    x_train, x_val, x_test, y_train, y_val, y_test = data
    data = (x_train[:options.examples], x_val, x_test, y_train[:options.examples], y_val, y_test)
    print(summary(model, data[0].shape[1:]))
    history, test_accuracy = train_on_mnist(model, data, options.epochs, rng=rng, checkpoint=options.checkpoint,
                                            compiled=options.compiled, threads=options.threads)
    print("epoch  training loss  accuracy  validation loss  accuracy  seconds")
    for epoch in range(history.num_epochs):
        print(f"{epoch + 1:5d}  {history['loss'][epoch]:13.4f}  {history['accuracy'][epoch]:8.4f}  "
              f"{history['val_loss'][epoch]:15.4f}  {history['val_accuracy'][epoch]:8.4f}  "
              f"{history['seconds'][epoch]:7.1f}")
    print(f"Test accuracy: {test_accuracy:.2%}")
    if options.plot and history.num_epochs:
        draw_results(model, history, data, options.plot)
    return test_accuracy


def main(arguments: Optional[Sequence[str]] = None) -> None:
    """Run the experiment with the options of a command line."""
    options = read_options("exercises.digits.train_network", "Train a network 784-128-10 on handwritten digits.",
                           arguments, epochs=10, hidden=128)
    rng = np.random.default_rng(options.seed)
    run_and_report(create_mnist_net(options.hidden, rng), load_mnist_data(), options, rng)


if __name__ == "__main__":
    run_command(main)
