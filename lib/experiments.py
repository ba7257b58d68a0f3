"""Experiments: one step of backpropagation and gradient descent, for run_xor_experiment.py."""
from __future__ import annotations

from lib.network_base import Module


def backward_pass(model: Module, loss_fn: Module, lr: float) -> None:
    """Backpropagate the loss, then take one step of gradient descent: data = data - lr * gradient.

    Call it after `loss_fn(model(x), labels)`. It doesn't reset the gradients: call zero_grad before the next pass.

    Args:
        model: the network, after its forward pass.
        loss_fn: the loss, after its forward pass.
        lr: the learning rate.
    """
    # START TODO ################
    # The loss knows dL/d(predictions); the model turns it into the gradient of every parameter.
    model.backward(loss_fn.backward(None))
    # The gradient points to where the loss rises fastest, so each parameter goes a step against it.
    for param in model.parameters():
        param.data -= lr * param.grad
    # END TODO ##################
