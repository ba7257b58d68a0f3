"""Handwritten digits: a small convolutional network trained on MNIST.

Run it by `python -m exercises.digits.train_convolutional`, or with --help for its options. The recipe is that of the
network 784-128-10, in exercises.digits.train_network.
"""
from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Optional, Sequence

import numpy as np

if find_spec("lib") is None:  # started by its path, or as a notebook: the root folder is two above this one
    sys.path.append(str(Path(globals().get("__file__", "notebook")).resolve().parents[2]))

from exercises.digits.train_network import read_options, run_and_report
from lib.layers import Conv2d, Flatten, Linear, MaxPool2d, ReLU, Sequential
from lib.dataset_mnist import load_mnist_data
from lib.layers.initializers import initialize
from lib.saving.command_line import run_command


def create_convolutional_net(channels: int = 8, rng: Optional[np.random.Generator] = None) -> Sequential:
    """Return two convolutions, each with max-pooling and ReLU, and a linear layer; in float32, drawn by He's rule.

    Images shrink from 28x28 to 24x24, 12x12, 8x8 and 4x4, while their channels grow from 1 to `channels` to twice as
    many. ReLU comes after the pooling, where it has a quarter of the work: the order of the two makes no difference.
    """
    model = Sequential(
        Conv2d(1, channels, (5, 5)), MaxPool2d((2, 2)), ReLU(),
        Conv2d(channels, 2 * channels, (5, 5)), MaxPool2d((2, 2)), ReLU(),
        Flatten(), Linear(2 * channels * 4 * 4, 10))
    initialize(model, "he", rng)
    return model.astype(np.float32)


def main(arguments: Optional[Sequence[str]] = None) -> None:
    """Run the experiment with the options of a command line."""
    options = read_options("exercises.digits.train_convolutional",
                           "Train a small convolutional network on MNIST's handwritten digits.",
                           arguments, epochs=10, channels=8)
    rng = np.random.default_rng(options.seed)
    run_and_report(create_convolutional_net(options.channels, rng), load_mnist_data(flatten=False), options, rng)


if __name__ == "__main__":
    run_command(main)
