# %% [markdown]
# # Backpropagation three ways
#
# One network, 4-6-6-6-1 with ReLU and a linear output; one error, the mean squared error. Its gradient is computed
# by explicit matrices, by automatic differentiation, and by objects. All three must agree.

# %%
"""Backpropagation of a deep ReLU network by matrices, by automatic differentiation, and by objects."""
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np

if find_spec("lib") is None:  # started by its path, or as a notebook: the root folder is two above this one
    sys.path.append(str(Path(globals().get("__file__", "notebook")).resolve().parents[2]))

from exercises.backpropagation_by_hand import network_data
from exercises.common import Steps, run_command
from lib.layers import Linear, MeanSquaredError, ReLU, Sequential
from lib.graph import maximum, variable

# The gradient norm that the sheet prints for the first weight, with the course's own data and parameters.
SHEETS_NUMBER = 1.5422821523392451

# %% [markdown]
# ## Part 1: matrices
#
# The forward pass keeps the activations A = [X, A1, A2, A3]; the backward pass walks through them in reverse order.


# %%
def forward_pass(X, W, B):
    """Return the activations [X, A1, A2, A3] and the output Y of the network."""
    A = [X]
    for W_i, b_i in zip(W[:-1], B[:-1]):
        A.append(np.maximum(0, A[-1] @ W_i + b_i))
    return A, A[-1] @ W[-1] + B[-1]


def back_propagation(W, A, Y, T):
    """Return dE/dW and dE/db of every layer for the error E = mean((Y - T)^2).

    Shapes: W_i (n, m), A_i (N, n), Y and T (N, 1); each dE/dW_i has the shape of W_i, each dE/db_i that of b_i (m,).
    """
    # START TODO ################
    # dE/dY: E is a mean over all entries of Y, so the derivative of each square carries the factor 1/size.
    delta = 2 * (Y - T) / T.size
    DW, DB = [], []
    for i in reversed(range(len(W))):
        # delta is dE/dZ_i, with Z_i = A_i W_i + b_i, one row for each example.
        DW.insert(0, A[i].T @ delta)
        DB.insert(0, delta.sum(axis=0))  # b_i is added to every row, so the rows' gradients add up
        # One layer down: through W_i to A_i, and through the ReLU, which lets pass where its output is positive.
        # (For i = 0 this is dE/dX, which nobody asks for.)
        delta = (delta @ W[i].T) * (A[i] > 0)
    return DW, DB
    # END TODO ##################


def by_matrices(X, T, W, B):
    """Return the error and its gradients by explicit matrices."""
    X, T, W, B = network_data.as_rows(X, T, W, B)
    A, Y = forward_pass(X, W, B)
    DW, DB = back_propagation(W, A, Y, T)
    return ((Y - T) ** 2).mean(), DW, DB


# %% [markdown]
# ## Part 2: automatic differentiation
#
# Only the error is computed; the graph that this leaves behind knows the chain rule. First by `lib.graph`, then, when
# it is installed, by PyTorch.


# %%
def by_graph(X, T, W, B):
    """Return the error and its gradients by the computational graph of lib.graph."""
    X, T, W, B = network_data.as_rows(X, T, W, B)
    W = [variable(w, name=f"W{i + 1}") for i, w in enumerate(W)]
    B = [variable(b, name=f"b{i + 1}") for i, b in enumerate(B)]
    # START TODO ################
    A = X
    for W_i, b_i in zip(W[:-1], B[:-1]):
        A = maximum(A @ W_i + b_i, 0)
    error = ((A @ W[-1] + B[-1] - T) ** 2).mean()
    error.backward()
    # END TODO ##################
    return error.value, [w.grad for w in W], [b.grad for b in B]


def by_pytorch(X, T, W, B):
    """Return the error and its gradients by PyTorch, in float64."""
    import torch
    X, T, W, B = network_data.as_rows(X, T, W, B)
    X, T = torch.tensor(X), torch.tensor(T)
    W = [torch.tensor(w, requires_grad=True) for w in W]
    B = [torch.tensor(b, requires_grad=True) for b in B]
    # START TODO ################
    A = X
    for W_i, b_i in zip(W[:-1], B[:-1]):
        A = torch.relu(A @ W_i + b_i)
    error = ((A @ W[-1] + B[-1] - T) ** 2).mean()
    error.backward()
    # END TODO ##################
    return error.item(), [w.grad.numpy() for w in W], [b.grad.numpy() for b in B]


# %% [markdown]
# ## Part 3: objects
#
# Layers stand at every second place of the network: `[::2]` reaches all four, where `[:2]` would set the parameters of
# the first layer alone (its second element is a ReLU). The weights go in as they are; PyTorch's Linear keeps (out, in)
# and would need their transposes.


# %%
def build_network(W, B):
    """Return the network as a Sequential that holds copies of the given weights and biases."""
    model = Sequential(Linear(4, 6), ReLU(), Linear(6, 6), ReLU(), Linear(6, 6), ReLU(), Linear(6, 1))
    for linear, w, b in zip(model.modules[::2], W, B):
        linear.W.data, linear.b.data = np.array(w, dtype=float), np.array(b, dtype=float)
    return model


def by_objects(X, T, W, B):
    """Return the error and its gradients by the modules of lib."""
    X, T, W, B = network_data.as_rows(X, T, W, B)
    model, loss_fn = build_network(W, B), MeanSquaredError()
    error = loss_fn(model(X), T)
    model.backward(loss_fn.backward())
    # START TODO ################
    # Where has the gradient gone? Each parameter holds its own.
    DW = [linear.W.grad for linear in model.modules[::2]]
    DB = [linear.b.grad for linear in model.modules[::2]]
    # END TODO ##################
    return error, DW, DB


# %%
def greatest_difference(first, second):
    """Return the greatest relative difference between two results (error, DW, DB)."""
    pairs = list(zip([first[0], *first[1], *first[2]], [second[0], *second[1], *second[2]]))
    return max(float(np.max(np.abs(np.subtract(a, b))) / max(float(np.max(np.abs(a))), 1e-300)) for a, b in pairs)


# %%
steps = Steps("backpropagation_by_hand", __doc__)


@steps.add
def compared(results, options):
    """Compute the gradient three ways, and compare."""
    X, T, W, B, _ = network_data.load()
    ways = {"matrices": by_matrices, "lib.graph": by_graph, "objects": by_objects}
    if find_spec("torch") is None:
        print("PyTorch isn't installed: its row is left out.")
    else:
        ways["PyTorch"] = by_pytorch

    reference = by_matrices(X, T, W, B)
    many = network_data.getdata(examples=50)
    rows = []
    for name, way in ways.items():
        result = way(X, T, W, B)
        differences = greatest_difference(reference, result), greatest_difference(by_matrices(*many, W, B),
                                                                                  way(*many, W, B))
        assert max(differences) < 1e-12, f"{name} disagrees with the matrices: {differences}"
        rows.append([name, f"{float(result[0]):.12f}", f"{np.linalg.norm(result[1][0][0, 0]):.12f}",
                     *(f"{d:.1e}" for d in differences)])
    results.table("three_ways", ["way", "error", "|dE/dW1[0, 0]|", "difference, 1 example", "50 examples"], rows)


# %%
@steps.add
def beside_the_sheets_number(results, options):
    """Compare with what the sheet prints, if its data are here."""
    X, T, W, B, from_course = network_data.load()
    first = float(np.linalg.norm(by_matrices(X, T, W, B)[1][0][0, 0]))
    if from_course:
        verdict = "the same" if abs(first - SHEETS_NUMBER) < 1e-6 * SHEETS_NUMBER else "NOT the same"
        print(f"\nWith the course's data: {first!r}; the sheet prints {SHEETS_NUMBER!r}: {verdict}.")
    else:
        print("\nThese are our own data and parameters. With the course's utils.py in this folder, its numbers are\n"
              f"used and compared with what the sheet prints, {SHEETS_NUMBER}.")


# %%
main = steps.main

if __name__ == "__main__":
    run_command(main)
