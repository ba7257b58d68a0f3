# %% [markdown]
# # Logistic regression on pairs of digits
#
# One (1 as class 0) against eight (8 as class 1), and nought against one: y_hat = sigmoid(w^T x), with a constant 1 as
# the last input for the bias. By the chain rule, with z = w^T x,
#
# $$\frac{\partial \mathcal L}{\partial \hat y} = \frac{\hat y - y}{\hat y (1 - \hat y)}, \quad
#   \frac{d \hat y}{d z} = \hat y (1 - \hat y), \quad \frac{\partial z}{\partial w} = x
#   \quad\Rightarrow\quad \nabla_w \frac 1 B \sum_i \mathcal L(y_i, \hat y_i) = \frac 1 B \sum_i (\hat y_i - y_i) x_i
# $$
#
# the factor y_hat (1 - y_hat) cancels. As in the sheet: learning rate 0.5, batches of 64 in the order of the data set,
# ten epochs; the weights start at zero.
#
# Images at 1x1, 4x4, 8x8 and 28x28 pixels. The sheet's 4x4 and 8x8 versions sample single pixels (bilinear resizing
# without smoothing); means over blocks keep more of the image and are shown beside them.

# %%
"""Logistic regression on pairs of MNIST digits at four resolutions, by hand and by EDF."""
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np

if find_spec("lib") is None:  # started by its path, or as a notebook: the root folder is two above this one
    sys.path.append(str(Path(globals().get("__file__", "notebook")).resolve().parents[2]))

from exercises.common import Steps, run_command, sweep
from lib.numerics import stable_sigmoid
from lib.data.batches import Batches
from lib.data.mnist import load_mnist_pair
from lib.graph import constant, edf, log, sigmoid, variable
from lib.inspection.figures.base import pyplot

LEARNING_RATE, BATCH_SIZE = 0.5, 64
RESOLUTIONS = (1, 4, 8, 28)


# %%
def compute_derivatives(x, y, y_hat):
    """Return the gradient of the mean cross-entropy by the weights, (D,), for x (B, D), y (B,) and y_hat (B,)."""
    # START TODO ################
    return x.T @ (y_hat - y) / len(y)
    # END TODO ##################


def with_ones(x):
    """Return x with a last column of ones, for the bias."""
    return np.hstack([x, np.ones((len(x), 1))])


def error_rate(predicted, y):
    """Return the share of wrong answers, for predicted probabilities of class 1."""
    return float(np.mean((predicted > 0.5) != y))


def train_by_hand(data, epochs):
    """Return the weights and the errors, (training, test) before the first and after each epoch."""
    x, y, x_test, y_test = data
    x, x_test = with_ones(x), with_ones(x_test)
    w = np.zeros(x.shape[1])

    def errors():
        return error_rate(stable_sigmoid(x @ w), y), error_rate(stable_sigmoid(x_test @ w), y_test)

    history = [errors()]
    for _ in range(epochs):
        for x_batch, y_batch in Batches(x, y, BATCH_SIZE, shuffle=False):
            w -= LEARNING_RATE * compute_derivatives(x_batch, y_batch, stable_sigmoid(x_batch @ w))
        history.append(errors())
    return w, history


# %% [markdown]
# ## With the Educational Framework
#
# EDF's cross-entropy wants a probability for each class, p[i][0] = P(Y = 0) and p[i][1] = P(Y = 1). The node
# `SingleProbToProbVector` turns one probability z into two: by the sheet's formula, o = (z, 1 - z). With that, z takes
# the
# place of P(Y = 0), although the text before calls it P(Y = 1): a contradiction in the sheet. We follow the formula.
# The network doesn't mind: it learns the weights of the other class, with the opposite sign.


# %%
def train_by_edf(data, epochs):
    """Return the weights of P(Y = 1), bias last, and the errors by epoch, as train_by_hand does."""
    x, y, x_test, y_test = data
    edf.learning_rate = LEARNING_RATE
    # START TODO ################
    edf.clear_compgraph()
    x_node, y_node = edf.Input(), edf.Input()
    params = edf.AffineParams(x.shape[1], 1)
    probability = edf.Sigmoid(edf.Affine(params, x_node))
    vector = edf.SingleProbToProbVector(probability)
    loss = edf.CrossEntropyLoss(vector, y_node)
    # END TODO ##################
    params.A.value[...] = 0  # the start of the version by hand, so that both can be compared

    def error(inputs, labels):
        x_node.value, y_node.value = inputs, labels
        edf.Forward()
        return error_rate(vector.value[:, 1], labels)

    x, x_test = x.astype(edf.DT), x_test.astype(edf.DT)
    y, y_test = y.astype(int), y_test.astype(int)
    history = [(error(x, y), error(x_test, y_test))]
    for _ in range(epochs):
        for x_node.value, y_node.value in Batches(x, y, BATCH_SIZE, shuffle=False):
            edf.Forward()
            edf.Backward(loss)
            edf.UpdateParameters()
        history.append((error(x, y), error(x_test, y_test)))
    return -np.append(params.A.value, params.b.value), history


# %%
def run_one(setting):
    """Train both ways on one pair of digits at one resolution; returns (weights, errors by hand, errors by EDF)."""
    pair, resolution, method, epochs, every = setting
    x, y, x_test, y_test = load_mnist_pair(*pair, resolution=resolution, method=method)
    data = x[::every], y[::every], x_test, y_test
    w, by_hand = train_by_hand(data, epochs)
    w_edf, by_edf = train_by_edf(data, epochs)
    return w, by_hand, w_edf, by_edf


def draw_errors(curves, title):
    """Return a figure with training and test error by epoch, for each resolution."""
    figure, axes = pyplot().subplots(1, len(curves), figsize=(3.2 * len(curves), 3), layout="constrained")
    for panel, (resolution, (_, by_hand, _, by_edf)) in zip(np.atleast_1d(axes), curves.items()):
        for errors, style, name in ((by_hand, {"linewidth": 5, "alpha": 0.35}, "by hand"), (by_edf, {}, "EDF")):
            for column, part in enumerate(("training", "test")):
                panel.plot(100 * np.array(errors)[:, column], color=f"C{column}", label=f"{part}, {name}", **style)
        panel.set(title=f"{resolution}x{resolution}", xlabel="epoch", yscale="log", ylim=(0.02, 80))
        panel.set_yticks([0.02, 0.1, 0.5, 2, 10, 50], ["0.02", "0.1", "0.5", "2", "10", "50"])
    np.atleast_1d(axes)[0].set_ylabel("error (%)")
    np.atleast_1d(axes)[0].legend(fontsize=7)
    figure.suptitle(title)
    return figure


def draw_weights(curves, title):
    """Return a figure with the weights as images: red speaks for class 1, blue for class 0."""
    curves = {resolution: curve for resolution, curve in curves.items() if resolution > 1}
    figure, axes = pyplot().subplots(1, len(curves), figsize=(3.4 * len(curves), 3), layout="constrained")
    for panel, (resolution, (w, *_)) in zip(np.atleast_1d(axes), curves.items()):
        image, limit = w[:-1].reshape(resolution, resolution), np.abs(w[:-1]).max()
        shown = panel.imshow(image, cmap="RdBu_r", vmin=-limit, vmax=limit)
        panel.set(title=f"{resolution}x{resolution}", xticks=[], yticks=[])
        figure.colorbar(shown, ax=panel, shrink=0.8)
    figure.suptitle(title)
    return figure


# %%
steps = Steps("computational_graphs", __doc__)
runs = {}  # by pair, resolution, method and what else each was trained with


@steps.add
def derivation(results, options):
    """Derive the gradient, for three images of two pixels and a one."""
    X = constant([[0.0, 0.5, 1.0], [1.0, 0.25, 1.0], [0.5, 0.5, 1.0]], name="X")
    w, y = variable([0.5, -1.0, 0.25], name="w"), constant([0.0, 1.0, 1.0], name="y")
    p = sigmoid(X @ w).named("p")
    from lib.graph.explain import explain  # the students' version comes without it
    return explain((-(y * log(p) + (1 - y) * log(1 - p)).mean()).named("L"))


# %%
@steps.add
def trained(results, options):
    """Train on both pairs at all resolutions."""
    epochs, every = (2, 8) if options.quick else (10, 1)
    settings = [((a, b), resolution, method, epochs, every) for a, b in ((1, 8), (0, 1))
                for method in ("sheet", "block") for resolution in RESOLUTIONS]
    runs.clear()
    runs.update(zip(settings, sweep(run_one, settings, options.jobs, options.scheduler)))
    rows = []
    for setting, (w, by_hand, w_edf, by_edf) in runs.items():
        (a, b), resolution, method = setting[:3]
        rows.append([f"{a} against {b}", f"{resolution}x{resolution}", method, *(
            f"{100 * error:.2f} %" for error in (*by_hand[-1], *by_edf[-1])),
            f"{np.abs(w - w_edf).max() / np.abs(w).max():.1e}"])
    results.table("logistic_regression", ["digits", "resolution", "reduced by", "training error, by hand",
                                          "test error, by hand", "training error, EDF", "test error, EDF",
                                          "weights' relative difference"], rows)


# %%
@steps.add
def drawn(results, options):
    """Draw errors and weights."""
    for pair in ((1, 8), (0, 1)):
        title, name = f"{pair[0]} (class 0) against {pair[1]} (class 1)", f"{pair[0]}_against_{pair[1]}"
        curves = {setting[1]: run for setting, run in runs.items() if setting[0] == pair and setting[2] == "sheet"}
        results.figure(f"errors_{name}", draw_errors(curves, title))
        results.figure(f"weights_{name}", draw_weights(curves, title))


# %%
main = steps.main

if __name__ == "__main__":
    run_command(main)
