"""A student's lib/training.py of sheet 4."""
import numpy as np

from lib.activations import ReLU
from lib.dataset_mnist import load_mnist_data
from lib.losses import CrossEntropyLoss
from lib.model_evaluation import accuracy, evaluate
from lib.network import Linear, Sequential
from lib.optimizers import create_optimizer
from lib.utilities import save_result


def train(model, loss_fn, optimizer, x_train, y_train, x_val, y_val, num_epochs, batch_size, scheduler=None):
    num_train = len(x_train)
    assert num_train % batch_size == 0, "The batch size must divide the training set."
    costs, accuracies, val_costs, val_accuracies = [np.zeros(num_epochs) for _ in range(4)]
    indices = np.arange(num_train)
    for epoch in range(num_epochs):
        np.random.shuffle(indices)
        batch_costs, batch_accuracies = [], []
        for start in range(0, num_train, batch_size):
            batch = indices[start:start + batch_size]
            optimizer.zero_grad()
            preds = model(x_train[batch])
            batch_costs.append(loss_fn(preds, y_train[batch]))
            batch_accuracies.append(accuracy(y_train[batch], preds))
            model.backward(loss_fn.backward())
            optimizer.step()
        costs[epoch], accuracies[epoch] = np.mean(batch_costs), np.mean(batch_accuracies)
        val_accuracies[epoch], val_costs[epoch] = evaluate(x_val, y_val, model, loss_fn, batch_size)
        if scheduler is not None:
            scheduler.step()
    return costs, accuracies, val_costs, val_accuracies


def create_and_train_model(opt_name, opt_hyperparams, x_train, y_train, x_val, y_val, batch_size=50, num_epochs=10):
    model = Sequential(Linear(784, 30), ReLU(), Linear(30, 10))
    optimizer = create_optimizer(opt_name, model.parameters(), opt_hyperparams)
    return train(model, CrossEntropyLoss(), optimizer, x_train, y_train, x_val, y_val, num_epochs, batch_size)


def compare_optimizers():
    x_train, x_val, _, y_train, y_val, _ = load_mnist_data()
    results = {}
    for name, optimizer, hyperparams in [("sgd", "sgd", {"lr": 0.1}), ("adam", "adam", {"lr": 0.01}),
                                         ("sgd_momentum", "sgd", {"lr": 0.1, "momentum": 0.9})]:
        results[name] = create_and_train_model(optimizer, hyperparams, x_train, y_train, x_val, y_val)
    save_result("optimizers_comparison", results)
