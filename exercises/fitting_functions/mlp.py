# %% [markdown]
# # Logistic units and the multi-layer perceptron
#
# Both take a vector, one example, or a matrix with one example in each row, and give back a vector or a matrix.

# %%
"""Logistic regression and a multi-layer perceptron, written from Parameter and Module alone."""
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np

if find_spec("lib") is None:  # started by its path, or as a notebook: the root folder is two above this one
    sys.path.append(str(Path(globals().get("__file__", "notebook")).resolve().parents[2]))

from exercises.common import read_options, run_command
from lib.layers import ReLU, Sigmoid
from lib.network_base import Module, Parameter
from lib.validation import InputError


# %%
class LogisticRegression(Module):
    """log-probabilities of C classes: y = log softmax(W^T x + b).

    With z = W^T x + b, y_k = z_k - log sum_j exp(z_j), so dL/dz_k = dL/dy_k - softmax_k sum_j dL/dy_j.

    Args:
        D: the number of features; W is (D, C), b is (C,).
        C: the number of classes.
        rng: draws W, standard normal.
    """

    def __init__(self, D, C, rng=None):
        rng = rng or np.random.default_rng()
        self.W = Parameter(rng.standard_normal((D, C)), name="W")
        self.b = Parameter(np.zeros(C), name="b")

    @classmethod
    def examples(cls, rng):
        return [(cls(3, 4, rng), (rng.standard_normal((5, 3)),)), (cls(3, 4, rng), (rng.standard_normal(3),))]

    def parameters(self):
        return self.W, self.b

    def forward(self, x):
        # START TODO ################
        # For one vector, W^T x is the same as x W; for a matrix, x W does it for every row at once.
        z = x @ self.W.data + self.b.data
        shifted = z - z.max(axis=-1, keepdims=True)  # cancels, and keeps exp from overflowing
        log_probabilities = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
        # END TODO ##################
        self.input_cache = x, log_probabilities
        return log_probabilities

    def backward(self, grad):
        x, log_probabilities = self.input_cache
        # START TODO ################
        grad_z = grad - np.exp(log_probabilities) * grad.sum(axis=-1, keepdims=True)
        self.W.grad += np.atleast_2d(x).T @ np.atleast_2d(grad_z)
        self.b.grad += np.atleast_2d(grad_z).sum(axis=0)
        return grad_z @ self.W.data.T
        # END TODO ##################


# %%
class MLP(Module):
    """A multi-layer perceptron: h_0 = x, h_i = phi(h_(i-1) W_i + b_i), and a linear output layer.

    Args:
        sizes: the number of units of each layer, input and output included: [1, 50, 1]. Two sizes are a linear model.
        phi: the class of the activation function: Sigmoid (logistic units) or ReLU.
        rng: draws the weights, N(0, 1); the biases are drawn likewise, so that the units begin at different places.
    """

    def __init__(self, sizes, phi=Sigmoid, rng=None):
        if len(sizes) < 2 or min(sizes) < 1:
            raise InputError(f"MLP expects the sizes of at least two layers, such as [1, 50, 1], but got {sizes}.")
        rng = rng or np.random.default_rng()
        self.W = [Parameter(rng.standard_normal((n, m)), name=f"W{i}", role="weight") for i, (n, m) in
                  enumerate(zip(sizes[:-1], sizes[1:]), start=1)]
        self.b = [Parameter(rng.standard_normal(m), name=f"b{i}", role="bias")
                  for i, m in enumerate(sizes[1:], start=1)]
        self.phis = [phi() for _ in self.W[:-1]]

    @classmethod
    def examples(cls, rng):
        return [(cls([2, 3, 4, 1], rng=rng), (rng.standard_normal((5, 2)),)),
                (cls([2, 3, 1], phi=ReLU, rng=rng), (rng.standard_normal(2),))]

    def parameters(self):
        return [parameter for layer in zip(self.W, self.b) for parameter in layer]

    def hidden_units(self, x):
        """Return the outputs of the last hidden layer: the distributed representation of x."""
        for W, b, phi in zip(self.W, self.b, self.phis):
            x = phi(x @ W.data + b.data)
        return x

    def forward(self, x):
        # START TODO ################
        # The units of a layer are the columns of W, so x W computes all of them, for a vector as for each row of a
        # matrix.
        self.input_cache = [x]  # the input of every layer, for backward
        for W, b, phi in zip(self.W, self.b, self.phis):
            self.input_cache.append(phi(self.input_cache[-1] @ W.data + b.data))
        return self.input_cache[-1] @ self.W[-1].data + self.b[-1].data
        # END TODO ##################

    def backward(self, grad):
        # START TODO ################
        for i in reversed(range(len(self.W))):
            # grad is dL/dz_i, with z_i = h_(i-1) W_i + b_i; a vector counts as a matrix of one row.
            self.W[i].grad += np.atleast_2d(self.input_cache[i]).T @ np.atleast_2d(grad)
            self.b[i].grad += np.atleast_2d(grad).sum(axis=0)
            grad = grad @ self.W[i].data.T
            if i > 0:
                grad = self.phis[i - 1].backward(grad)
        return grad
        # END TODO ##################


# %%
def main(arguments=None):
    """Show that a vector gives a vector and a matrix gives a matrix, and check all gradients."""
    read_options(__doc__, arguments)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((4, 2))
    for model in (LogisticRegression(2, 3, rng), MLP([2, 5, 3], rng=rng), MLP([2, 4, 4, 3], phi=ReLU, rng=rng)):
        rows, matrix = np.array([model(row) for row in x]), model(x)
        print(f"{type(model).__name__}: a vector {x[0].shape} gives {model(x[0]).shape}, a matrix {x.shape} gives "
              f"{matrix.shape}; greatest difference {np.abs(rows - matrix).max():.1e}")
        model.check_gradients((x,))
        model.check_gradients((x[0],))
    print("All gradients are right.")


if __name__ == "__main__":
    run_command(main)
