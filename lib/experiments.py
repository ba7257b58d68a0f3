"""Experiments: a step of backpropagation on XOR; regularisation (sheet 5) and convolutions (sheet 6) on MNIST."""
from __future__ import annotations

from typing import Any, Dict

import numpy as np

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


def train_models(num_examples: int = 2000, num_epochs: int = 20) -> Dict[str, Any]:
    """Train the same network on few of MNIST's images without regularisation, with L1, with L2 and with dropout.

    Saves for lib.utilities.load_result("regularization") what it returns: by the name of each, the curves that `train`
    returns, and the first layer's weights, which lib.plot.plot_distribution draws.
    """
    from lib.fitting.digits import train_regularized
    from lib.model_training import train
    return train_regularized(train, num_examples, num_epochs)


def run_conv_experiment(num_examples: int = 10000, num_epochs: int = 3) -> Dict[str, float]:
    """Train a linear and a convolutional network on MNIST; prints and returns their accuracies on the test images."""
    from lib.fitting.digits import accuracies, trained_on_digits
    from lib.model_training import train
    return accuracies(*trained_on_digits(train, num_examples, num_epochs), "test images")


def run_shifted_conv_experiment(num_examples: int = 10000, num_epochs: int = 3) -> Dict[str, float]:
    """As run_conv_experiment, but in the end each test image is shifted by up to 2 pixels, as no training image was.

    The convolutional network keeps more of its accuracy: its filters find a stroke wherever it is.
    """
    from lib.data.mnist import shifted
    from lib.fitting.digits import accuracies, trained_on_digits
    from lib.model_training import train
    models, x_test, y_test = trained_on_digits(train, num_examples, num_epochs)
    accuracies(models, x_test, y_test, "test images")
    return accuracies(models, shifted(x_test, 2, np.random.default_rng(0)), y_test, "shifted test images")
