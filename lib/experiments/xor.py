"""Training on XOR by backpropagation and gradient descent."""
from __future__ import annotations

from typing import Any, List, Optional

import numpy as np

from lib.activations import ReLU
from lib.network import Linear, Sequential
from lib.losses import Loss
from lib.network_base import Module


def create_xor_net(hidden: int = 2, rng: Optional[np.random.Generator] = None) -> Sequential:
    """Return the network of the XOR experiment: Linear(2, hidden), ReLU, Linear(hidden, 2)."""
    return Sequential(Linear(2, hidden, rng=rng), ReLU(), Linear(hidden, 2, rng=rng))


def backward_pass(model: Module, loss_fn: Loss, lr: float) -> None:
    """Backpropagate the loss, then take one step of gradient descent: data = data - lr * gradient.

    Call it after `loss_fn(model(x), labels)`. It doesn't reset the gradients: call zero_grad before the next pass.

    Args:
        model: the network, after its forward pass.
        loss_fn: the loss, after its forward pass.
        lr: the learning rate.
    """
    # START TODO ################
    # The loss knows dL/d(predictions); the model turns it into the gradient of every parameter.
    model.backward(loss_fn.backward())
    # The gradient points to where the loss rises fastest, so each parameter goes a step against it.
    for param in model.parameters():
        param.data -= lr * param.grad
    # END TODO ##################


def train_on_xor(model: Module, loss_fn: Loss, x: np.ndarray, labels: np.ndarray, lr: float,
                 epochs: int) -> List[Any]:
    """Train on the whole data set for a number of epochs; returns the loss after each."""
    from lib.gradient_utilities import zero_grad
    losses = []
    loss_fn(model(x), labels)
    for _ in range(epochs):
        zero_grad(model.parameters())
        backward_pass(model, loss_fn, lr)
        losses.append(loss_fn(model(x), labels))
    return losses
