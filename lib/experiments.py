"""Training on XOR by backpropagation and gradient descent."""
from __future__ import annotations

from typing import Any, List, Optional

import numpy as np

from lib.activations import ReLU
from lib.network import Linear, Sequential
from lib.layers.losses import Loss
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
    """Train on the whole data set for a number of epochs; returns the loss after each.

    The first epoch calls backward_pass. If that has taken a step of gradient descent, as it should, the other epochs
    take such steps by the fastest way that there is; if it has done anything else, they call it, too.
    """
    starts = [param.data.copy() for param in model.parameters()]
    losses = _train_by_backward_pass(model, loss_fn, x, labels, lr, 1)
    is_descent = all(np.allclose(param.data, start - lr * param.grad, rtol=1e-12, atol=1e-12)
                     for param, start in zip(model.parameters(), starts))
    train = _train_by_steps if is_descent and epochs > 1 else _train_by_backward_pass
    return losses + train(model, loss_fn, x, labels, lr, epochs - 1)


def _train_by_backward_pass(model: Module, loss_fn: Loss, x: np.ndarray, labels: np.ndarray, lr: float,
                            epochs: int) -> List[Any]:
    from lib.gradient_utilities import zero_grad
    losses = []
    loss_fn(model(x), labels)
    for _ in range(epochs):
        zero_grad(model.parameters())
        backward_pass(model, loss_fn, lr)
        losses.append(loss_fn(model(x), labels))
    return losses


def _train_by_steps(model: Module, loss_fn: Loss, x: np.ndarray, labels: np.ndarray, lr: float,
                    epochs: int) -> List[Any]:
    from lib.optimizers import SGD
    from lib.steps import make_step
    step = make_step(model, loss_fn, SGD(model.parameters(), lr=lr))
    losses_before = [step.step(x, labels)[0] for _ in range(epochs)]
    return losses_before[1:] + [loss_fn(model(x), labels)]


def plot_xor_result(model: Module, losses: List[Any], path: str) -> None:
    """Draw the loss curve and the decision boundary side by side into a file (.png, .pdf, .svg)."""
    from lib.dataset import X, y
    from lib.figures.boundary import plot_decision_boundary
    from lib.figures.base import pyplot, save_figure
    figure, (curve, plane) = pyplot().subplots(1, 2, figsize=(9, 3.8), layout="constrained")
    curve.plot(np.arange(1, len(losses) + 1), losses)
    curve.axhline(np.log(2), color="grey", linestyle=":", label="ln 2: a guess at random")
    curve.set(xlabel="step", ylabel="cross-entropy loss", title="Loss")
    curve.set_ylim(bottom=0)
    curve.legend()
    plot_decision_boundary(model, X, y, axes=plane)
    plane.set_title("Decision boundary")
    save_figure(figure, path)
