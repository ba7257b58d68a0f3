"""Train a small network on XOR by backpropagation: one step in detail, then many steps.

Run it from the root folder: `python run_xor_experiment.py`, or with --help for its options.
"""
import argparse
import math
import sys
from typing import List, Sequence

try:
    import numpy as np
except ModuleNotFoundError:
    if __name__ != "__main__":
        raise
    from environment import rerun_in_environment
    rerun_in_environment()  # NumPy is missing: make or reuse .venv, and run this script again in there

from lib.activations import ReLU
from lib.dataset import X, y
from lib.experiments import backward_pass
from lib.saving.command_line import OneLineParser, picture_file, positive_float, run_command, whole_number
from lib.gradient_checking.board import explained
from lib.gradient_utilities import zero_grad
from lib.inspection.descent import step_in_words, training_in_words
from lib.losses import CrossEntropyLoss
from lib.network import Linear, Sequential
from lib.network_base import Module
from lib.utilities import one_hot_encoding

NUM_REPORTS = 10  # how many times the loss is printed during training


def create_xor_net(hidden: int = 2) -> Sequential:
    """Return the network of the experiment: Linear(2, hidden), ReLU, Linear(hidden, 2)."""
    return Sequential(Linear(2, hidden), ReLU(), Linear(hidden, 2))


def train_on_xor(model: Module, loss_fn: Module, labels: np.ndarray, lr: float, epochs: int) -> List[float]:
    """Take one step of backward_pass on the four points in each epoch; returns the loss after each."""
    losses = []
    loss_fn(model(X), labels)
    for _ in range(epochs):
        zero_grad(model.parameters())
        backward_pass(model, loss_fn, lr)
        losses.append(loss_fn(model(X), labels))
    return losses


def show_sequential_params_and_grads(model: Sequential) -> None:
    """Print every parameter of a Sequential, then every gradient, labelled ClassName.paramname."""
    for kind in ("data", "grad"):
        for module in model.modules:
            for parameter in module.parameters():
                label = f"{type(module).__name__}.{parameter.name}" + (".grad" if kind == "grad" else "")
                print(f"{label}:\n{getattr(parameter, kind)}")


def show_model(title: str, model: Sequential, labels: np.ndarray) -> float:
    """Print the parameters, gradients, loss and predictions of a model; returns the loss."""
    preds = model(X)
    loss = CrossEntropyLoss()(preds, labels)  # the loss that is trained with is called by the training alone
    print(f"\n{title}")
    show_sequential_params_and_grads(model)
    print(f"Loss: {loss:.4f}")
    print(f"Predictions: {np.argmax(preds, axis=1)}")
    return loss


def read_options(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the options that a command line gives."""
    parser = OneLineParser(description="Train a network with one hidden layer on XOR by backpropagation.")
    parser.add_argument("--seed", type=whole_number(0, 2 ** 32 - 1), metavar="N", help="seed (default: new each run)")
    parser.add_argument("--lr", type=positive_float, default=1.0, metavar="RATE", help="learning rate (default: 1)")
    parser.add_argument("--epochs", type=whole_number(1), default=1000, metavar="N", help="epochs (default: 1000)")
    parser.add_argument("--hidden", type=whole_number(1), default=2, metavar="N", help="hidden units (default: 2)")
    parser.add_argument("--plot", type=picture_file, metavar="FILE", help="draw the loss and the decision boundary")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] = ()) -> None:
    """Run the experiment with the options of a command line; without any, it is the exercise sheet's."""
    options = read_options(arguments)
    if options.seed is not None:
        np.random.seed(options.seed)
    model, loss_fn, labels = create_xor_net(options.hidden), CrossEntropyLoss(), one_hot_encoding(y, num_classes=2)

    name = f"XOR by backpropagation: Linear(2, {options.hidden}), ReLU, Linear({options.hidden}, 2), lr {options.lr:g}"
    print("=" * 60, name, "=" * 60, sep="\n")
    zero_grad(model.parameters())
    losses = [show_model("The model before the update:", model, labels)]

    print("\nPerform one update step.")
    params, before = model.parameters(), [param.data.copy() for param in model.parameters()]
    loss_fn(model(X), labels)
    backward_pass(model, loss_fn, options.lr)
    losses.append(show_model("The model after one update step:", model, labels))
    print(*step_in_words(params, before, options.lr, losses), sep="\n")

    print(f"\nTrain for {options.epochs} epochs.")
    with np.errstate(over="ignore", invalid="ignore"):  # a rate that is too large is named below
        losses = losses[1:] + train_on_xor(model, loss_fn, labels, options.lr, options.epochs)
    for step in sorted({math.ceil(options.epochs * k / NUM_REPORTS) for k in range(1, NUM_REPORTS + 1)}):
        print(f"Loss after {step:3d} steps: {losses[step]:.6f}")
    predictions = np.argmax(model(X), axis=1)
    print(*training_in_words(losses, options.lr, int((predictions != y).sum()), model, X, labels), sep="\n")

    print(f"\nFinal predictions: {predictions}")
    print(f"Ground truth:      {y}")
    if options.plot:
        from lib.inspection.figures.boundary import plot_loss_and_boundary
        plot_loss_and_boundary(model, losses[1:], X, y, options.plot)
        print(f"Picture written to {options.plot}")


if __name__ == "__main__":
    run_command(lambda: explained(lambda: main(sys.argv[1:])))
