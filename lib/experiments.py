"""Experiments: one step of backpropagation and gradient descent, for run_xor_experiment.py; then, on MNIST's digits,
regularisation (sheet 5) and convolutions (sheet 6), which import what they need themselves.
"""
from __future__ import annotations

from typing import Any, Dict, Tuple

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
    from lib import activations, dataset_mnist, losses, model_training, network, optimizers, regularizers, utilities
    x_train, x_val, _, y_train, y_val, _ = dataset_mnist.load_mnist_data()
    results = {}
    for name in ("none", "L1", "L2", "dropout"):
        print(f"Regularisation: {name}")
        np.random.seed(0)  # the same start and the same batches for all
        dropout = [regularizers.Dropout(0.5)] if name == "dropout" else []
        model = network.Sequential(network.Linear(784, 100), activations.ReLU(), *dropout, network.Linear(100, 10))
        model.astype(np.float32)
        loss_fn: Module = losses.CrossEntropyLoss()
        if name == "L1":
            loss_fn = regularizers.RegularizedCrossEntropy(regularizers.L1Regularization(3e-4, model.parameters()))
        elif name == "L2":
            loss_fn = regularizers.RegularizedCrossEntropy(regularizers.L2Regularization(3e-3, model.parameters()))
        optimizer = optimizers.Adam(model.parameters(), lr=0.003)
        curves = model_training.train(model, loss_fn, optimizer, x_train[:num_examples], y_train[:num_examples],
                                      x_val, y_val, num_epochs, batch_size=50, print_every=5)
        results[name] = {"curves": curves, "weights": model.modules[0].W.data}
    utilities.save_result("regularization", results)
    return results


def run_conv_experiment(num_examples: int = 10000, num_epochs: int = 3) -> Dict[str, float]:
    """Train a linear and a convolutional network on MNIST; prints and returns their accuracies on the test images."""
    models, x_test, y_test = _trained_on_digits(num_examples, num_epochs)
    return _accuracies(models, x_test, y_test, "test images")


def run_shifted_conv_experiment(num_examples: int = 10000, num_epochs: int = 3) -> Dict[str, float]:
    """As run_conv_experiment, but in the end each test image is shifted by up to 2 pixels, as no training image was.

    The convolutional network keeps more of its accuracy: its filters find a stroke wherever it is.
    """
    from lib.data.mnist import shifted
    models, x_test, y_test = _trained_on_digits(num_examples, num_epochs)
    _accuracies(models, x_test, y_test, "test images")
    return _accuracies(models, shifted(x_test, 2, np.random.default_rng(0)), y_test, "shifted test images")


def _trained_on_digits(num_examples: int, num_epochs: int) -> Tuple[Dict[str, Module], np.ndarray, np.ndarray]:
    """Return a linear and a convolutional network trained on MNIST, and the test images with their labels."""
    from lib import activations, convolutions, dataset_mnist, losses, model_training, network, optimizers
    x_train, x_val, x_test, y_train, y_val, y_test = dataset_mnist.load_mnist_data()
    x_train, x_val, x_test = (x.reshape(len(x), 1, 28, 28) for x in (x_train, x_val, x_test))
    np.random.seed(0)
    models: Dict[str, Module] = {
        "linear": network.Sequential(convolutions.Flatten(), network.Linear(784, 10)),
        "convolutional": network.Sequential(
            convolutions.Conv2d(1, 8, (5, 5), (2, 2)), activations.ReLU(),    # 28 x 28 to 12 x 12
            convolutions.Conv2d(8, 16, (3, 3), (2, 2)), activations.ReLU(),   # to 5 x 5
            convolutions.Flatten(), network.Linear(16 * 5 * 5, 10)),
    }
    for name, model in models.items():
        print(f"Training the {name} network.")
        model.astype(np.float32)
        model_training.train(model, losses.CrossEntropyLoss(), optimizers.Adam(model.parameters(), lr=0.003),
                             x_train[:num_examples], y_train[:num_examples], x_val[:1000], y_val[:1000], num_epochs,
                             batch_size=50)
    return models, x_test, y_test


def _accuracies(models: Dict[str, Module], x: np.ndarray, y: np.ndarray, what: str) -> Dict[str, float]:
    """Print and return the accuracy of each model."""
    from lib import losses, model_evaluation
    found = {name: model_evaluation.evaluate(x, y, model, losses.CrossEntropyLoss(), 500)[0]
             for name, model in models.items()}
    print(f"Accuracy on {len(x)} {what}: " + ", ".join(f"{name} {share:.4f}" for name, share in found.items()))
    return found
