"""Gradients: resetting them, and checking that every backward pass is right.

`python -m lib.gradient_utilities` shows the board of the sheet; with --all, it checks every module of the library.
"""
from __future__ import annotations

from typing import Iterable

import numpy as np

from lib.activations import ReLU, Sigmoid
from lib.inspection.trained import parameter_list
from lib.losses import CrossEntropyLoss
from lib.network import Linear, Sequential
from lib.network_base import Parameter
from lib.utilities import one_hot_encoding


def zero_grad(params: Iterable[Parameter]) -> None:
    """Set the gradient of every parameter to zeros, also where it is None; any iterable of parameters will do."""
    if type(params) is not list:
        params = parameter_list(params, "zero_grad")
    # START TODO ################
    # backward adds to the gradients, so they start each step as zeros of the parameters' own shapes.
    for param in params:
        param.grad = np.zeros(param.data.shape, param.data.dtype)
    # END TODO ##################


def check_gradients() -> None:
    """Check the backward passes of ReLU, Sigmoid, Linear, a Sequential of these, and CrossEntropyLoss."""
    x = np.random.uniform(-1, 1, (2, 10))
    for module in (ReLU(), Sigmoid(), Linear(10, 30)):
        module.check_gradients((x,))

    # START TODO ################
    # A network's backward is right if every module's is and if they are called in the right order, so the
    # network needs a check of its own. Any sizes will do, as long as they fit: 10 -> 30 -> 20.
    model = Sequential(Linear(10, 30), Sigmoid(), Linear(30, 20))
    model.check_gradients((x,))
    # END TODO ##################

    labels = one_hot_encoding(np.array([3, 7]), num_classes=10)
    CrossEntropyLoss().check_gradients((x, labels))


if __name__ == "__main__":
    from lib.gradient_checking.command import run
    run()
