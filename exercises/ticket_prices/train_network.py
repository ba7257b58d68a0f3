# %% [markdown]
# # Ticket prices: a network in plain NumPy
#
# What did a ticket for the Titanic cost, given a passenger's class, age and survival? One hidden layer of 4 ReLU units,
# a linear output, the mean squared error. First everything by hand in a class `Network`; then the same with `lib` and
# with PyTorch, which must give the same numbers. What makes the predictions better stands in `improve_predictions.py`.
#
# The course's preparation, initial weights and learning rate are not public. Ours: the 1045 passengers without a
# missing value, weights drawn from a seed with standard deviation sqrt(2 / inputs), biases 0, learning rate 1e-4.

# %%
"""Predict the Titanic's fares with a small network: by hand, with lib, and with PyTorch."""
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np

if find_spec("lib") is None:  # started by its path, or as a notebook: the root folder is two above this one
    sys.path.append(str(Path(globals().get("__file__", "notebook")).resolve().parents[2]))

from exercises.common import Steps, run_command
from lib.layers import Linear, MeanSquaredError, ReLU, Sequential
from lib.data.titanic import load_titanic
from lib.optimizers import SGD

LEARNING_RATE = 1e-4
EPOCHS = 10

# %% [markdown]
# ## The class Network
#
# What it must know: its parameters, and of the last forward pass what the backward pass needs. What it must do:
# predict, tell its loss, compute gradients, take a step.


# %%
class Network:
    """x (N, 3) -> z1 = x W1 + b1 -> h = max(0, z1), (N, 4) -> y_hat = h W2 + b2, (N, 1).

    Args:
        inputs: the number of features.
        hidden: the number of hidden units.
        seed: draws the weights.
    """

    def __init__(self, inputs=3, hidden=4, seed=0):
        rng = np.random.default_rng(seed)
        self.W1 = rng.standard_normal((inputs, hidden)) * np.sqrt(2 / inputs)
        self.b1 = np.zeros(hidden)
        self.W2 = rng.standard_normal((hidden, 1)) * np.sqrt(2 / hidden)
        self.b2 = np.zeros(1)

    def forward(self, x):
        """Return the predictions (N, 1) and remember what led to them."""
        # START TODO ################
        self.x = x
        self.z1 = x @ self.W1 + self.b1
        self.h = np.maximum(0, self.z1)
        self.y_hat = self.h @ self.W2 + self.b2
        return self.y_hat
        # END TODO ##################

    def loss(self, y):
        """Return the mean squared error of the last predictions."""
        # START TODO ################
        return ((self.y_hat - y) ** 2).mean()
        # END TODO ##################

    def backward(self, y):
        """Return the gradients of the loss, in the order W1, b1, W2, b2, each in the shape of its parameter."""
        # START TODO ################
        grad_y_hat = 2 * (self.y_hat - y) / y.size   # (N, 1)
        grad_W2 = self.h.T @ grad_y_hat              # (4, N) (N, 1) -> (4, 1)
        grad_b2 = grad_y_hat.sum(axis=0)             # (1,)
        grad_h = grad_y_hat @ self.W2.T              # (N, 1) (1, 4) -> (N, 4)
        grad_z1 = grad_h * (self.z1 > 0)             # (N, 4), entry by entry
        grad_W1 = self.x.T @ grad_z1                 # (3, N) (N, 4) -> (3, 4)
        grad_b1 = grad_z1.sum(axis=0)                # (4,)
        return grad_W1, grad_b1, grad_W2, grad_b2
        # END TODO ##################

    def step(self, gradients, lr):
        """Take one step of gradient descent."""
        # START TODO ################
        for parameter, gradient in zip((self.W1, self.b1, self.W2, self.b2), gradients):
            parameter -= lr * gradient
        # END TODO ##################

    def train(self, x, y, epochs, lr):
        """Train on the whole data set, one step an epoch; return the loss before each step and after the last."""
        losses = []
        for _ in range(epochs):
            self.forward(x)
            losses.append(self.loss(y))
            self.step(self.backward(y), lr)
        self.forward(x)
        return losses + [self.loss(y)]


# %%
def show_one_pass(x, y):
    """Print one training pass with its numbers, for three passengers."""
    network = Network()
    with np.printoptions(precision=4, suppress=True):
        print("x (class, age, survived), (3, 3):", x, "y (fare), (3, 1):", y, sep="\n")
        network.forward(x)
        for name in ("W1", "b1", "z1", "h", "W2", "b2", "y_hat"):
            value = getattr(network, name)
            print(f"{name}, {value.shape}:\n{value}")
        print(f"loss: {network.loss(y):.4f}")
        gradients = network.backward(y)
        for name, gradient in zip(("W1", "b1", "W2", "b2"), gradients):
            print(f"dL/d{name}, {gradient.shape}:\n{gradient}")
        network.step(gradients, LEARNING_RATE)
        network.forward(x)
        print(f"loss after one step with learning rate {LEARNING_RATE:g}: {network.loss(y):.4f}")


# %% [markdown]
# ## The same with lib, and with PyTorch


# %%
def build_with_lib(network):
    """Return a Sequential that starts from the weights of a Network."""
    model = Sequential(Linear(3, 4), ReLU(), Linear(4, 1))
    for parameter, value in zip(model.parameters(), (network.W1, network.b1, network.W2, network.b2)):
        parameter.data = value.copy()
    return model


def train_with_lib(x, y, epochs, lr):
    """Return the losses and parameters of the same training by the modules of lib."""
    model, loss_fn, losses = build_with_lib(Network()), MeanSquaredError(), []
    optimizer = SGD(model.parameters(), lr=lr)
    for _ in range(epochs):
        optimizer.zero_grad()
        losses.append(loss_fn(model(x), y))
        model.backward(loss_fn.backward())
        optimizer.step()
    return losses + [loss_fn(model(x), y)], [parameter.data for parameter in model.parameters()]


def train_with_pytorch(x, y, epochs, lr):
    """Return the losses and parameters of the same training by a custom module of PyTorch.

    How PyTorch gets the gradients: each operation on a tensor that requires them also records itself as a node of a
    graph, with what its derivative needs. backward() starts at the loss with dL/dL = 1 and visits the nodes in
    reverse order; each multiplies what arrives by its local derivatives and hands the products on to its inputs.
    Products that arrive at the same tensor over several paths are added up, and what reaches a parameter stays in its
    .grad, until zero_grad. The graph is made anew in every forward pass.
    """
    import torch

    class TorchNetwork(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.hidden, self.output = torch.nn.Linear(3, 4), torch.nn.Linear(4, 1)

        def forward(self, x):
            return self.output(torch.relu(self.hidden(x)))

    start, model = Network(), TorchNetwork().double()
    with torch.no_grad():  # PyTorch keeps weights as (outputs, inputs)
        for linear, W, b in ((model.hidden, start.W1, start.b1), (model.output, start.W2, start.b2)):
            linear.weight.copy_(torch.tensor(W.T.copy()))
            linear.bias.copy_(torch.tensor(b))
    x, y, loss_fn, losses = torch.tensor(x), torch.tensor(y), torch.nn.MSELoss(), []
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    for _ in range(epochs):
        optimizer.zero_grad()
        loss = loss_fn(model(x), y)
        losses.append(loss.item())
        loss.backward()
        optimizer.step()
    parameters = [p.detach().numpy() for p in model.parameters()]
    return losses + [loss_fn(model(x), y).item()], [p.T if p.ndim == 2 else p for p in parameters]


def compare(x, y, results):
    """Train all ways for the sheet's ten epochs, show the losses, and assert that they agree."""
    network = Network()
    losses = network.train(x, y, EPOCHS, LEARNING_RATE)
    reference = [network.W1, network.b1, network.W2, network.b2]
    columns = {"Network": losses}
    ways = {"lib": train_with_lib}
    try:
        import torch
        ways[f"PyTorch {torch.__version__.split('+')[0]}"] = train_with_pytorch
    except ImportError:
        print("PyTorch isn't installed: its column is left out.")
    for name, way in ways.items():
        columns[name], parameters = way(x, y, EPOCHS, LEARNING_RATE)
        np.testing.assert_allclose(columns[name], losses, rtol=1e-10)
        for parameter, expected in zip(parameters, reference):
            np.testing.assert_allclose(parameter, expected, rtol=1e-9, atol=1e-12)
    results.table("ten_epochs", ["steps", *columns], [[i, *(f"{column[i]:.6f}" for column in columns.values())]
                                                      for i in range(EPOCHS + 1)])


# %%
steps = Steps("ticket_prices", __doc__)


@steps.add
def one_pass(results, options):
    """Show one training pass with its numbers."""
    data = load_titanic(verbose=True)
    show_one_pass(data.x[:3], data.y[:3])


# %%
@steps.add
def compared(results, options):
    """Train by hand, by lib and by PyTorch, and compare."""
    data = load_titanic()
    compare(data.x, data.y, results)


# %%
main = steps.main

if __name__ == "__main__":
    run_command(main)
