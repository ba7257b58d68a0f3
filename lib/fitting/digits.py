"""The experiments of sheets 5 and 6 on MNIST's digits: few images with and without regularisation; convolutions."""
from __future__ import annotations

from typing import Any, Callable, Dict, Tuple

import numpy as np

from lib.network_base import Module


def train_regularized(train: Callable[..., Any], num_examples: int, num_epochs: int) -> Dict[str, Any]:
    """Train the same network without regularisation, with L1, with L2 and with dropout; save and return the results."""
    from lib import dataset_mnist, layers, optimizers, utilities
    x_train, x_val, _, y_train, y_val, _ = dataset_mnist.load_mnist_data()
    results = {}
    for name in ("none", "L1", "L2", "dropout"):
        print(f"Regularisation: {name}")
        np.random.seed(0)  # the same start and the same batches for all
        dropout = [layers.Dropout(0.5)] if name == "dropout" else []
        model = layers.Sequential(layers.Linear(784, 100), layers.ReLU(), *dropout, layers.Linear(100, 10))
        model.astype(np.float32)
        loss_fn: Module = layers.CrossEntropyLoss()
        if name == "L1":
            loss_fn = layers.RegularizedCrossEntropy(layers.L1Regularization(3e-4, model.parameters()))
        elif name == "L2":
            loss_fn = layers.RegularizedCrossEntropy(layers.L2Regularization(3e-3, model.parameters()))
        optimizer = optimizers.Adam(model.parameters(), lr=0.003)
        curves = train(model, loss_fn, optimizer, x_train[:num_examples], y_train[:num_examples], x_val, y_val,
                       num_epochs, batch_size=50, print_every=5)
        results[name] = {"curves": curves, "weights": model.modules[0].W.data}
    utilities.save_result("regularization", results)
    return results


def trained_on_digits(train: Callable[..., Any], num_examples: int, num_epochs: int
                      ) -> Tuple[Dict[str, Module], np.ndarray, np.ndarray]:
    """Return a linear and a convolutional network trained on MNIST, and the test images with their labels."""
    from lib import dataset_mnist, layers, optimizers
    x_train, x_val, x_test, y_train, y_val, y_test = dataset_mnist.load_mnist_data()
    x_train, x_val, x_test = (x.reshape(len(x), 1, 28, 28) for x in (x_train, x_val, x_test))
    np.random.seed(0)
    models: Dict[str, Module] = {
        "linear": layers.Sequential(layers.Flatten(), layers.Linear(784, 10)),
        "convolutional": layers.Sequential(
            layers.Conv2d(1, 8, (5, 5), (2, 2)), layers.ReLU(),    # 28 x 28 to 12 x 12
            layers.Conv2d(8, 16, (3, 3), (2, 2)), layers.ReLU(),   # to 5 x 5
            layers.Flatten(), layers.Linear(16 * 5 * 5, 10)),
    }
    for name, model in models.items():
        print(f"Training the {name} network.")
        model.astype(np.float32)
        train(model, layers.CrossEntropyLoss(), optimizers.Adam(model.parameters(), lr=0.003), x_train[:num_examples],
              y_train[:num_examples], x_val[:1000], y_val[:1000], num_epochs, batch_size=50)
    return models, x_test, y_test


def accuracies(models: Dict[str, Module], x: np.ndarray, y: np.ndarray, what: str) -> Dict[str, float]:
    """Print and return the accuracy of each model."""
    from lib import layers, model_evaluation
    found = {name: model_evaluation.evaluate(x, y, model, layers.CrossEntropyLoss(), 500)[0]
             for name, model in models.items()}
    print(f"Accuracy on {len(x)} {what}: " + ", ".join(f"{name} {share:.4f}" for name, share in found.items()))
    return found
