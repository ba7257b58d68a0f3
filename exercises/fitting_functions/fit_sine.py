# %% [markdown]
# # Fitting a function with few and with many hidden units
#
# The data: 100 points of a sine wave over two periods, with noise of standard deviation 0.1; 123 further points to
# test.
# The models: one hidden layer of Z logistic units and a linear output, trained by BFGS from several random starts.
#
# Before you run it, look at the data and guess: what will 0, 1, 2 and 3 units make of it?

# %%
"""Fit a noisy sine wave by networks with 0 to 100 hidden units, from many starts each."""
import sys
import warnings
from importlib.util import find_spec
from pathlib import Path

import numpy as np

if find_spec("lib") is None:  # started by its path, or as a notebook: the root folder is two above this one
    sys.path.append(str(Path(globals().get("__file__", "notebook")).resolve().parents[2]))

from exercises.common import Steps, run_command, sweep
from exercises.fitting_functions.mlp import MLP
from lib.layers import MeanSquaredError, ReLU, Sigmoid
from lib.data.regression import load_regression_data
from lib.optimization.minimize import minimize
from lib.optimizers import Adam
from lib.inspection.figures.base import pyplot

UNITS = (0, 1, 2, 3, 10, 50, 100)
MANY_UNITS, FEWER_ITERATIONS = 50, 1000  # BFGS keeps a matrix of (parameters)^2: a wide network's iterations are slow
GRID = np.linspace(0, 13, 500).reshape(-1, 1)
ACTIVATIONS = {"logistic": Sigmoid, "ReLU": ReLU}


# %% [markdown]
# ## Training
#
# BFGS sees the loss as a function of one long vector, all weights and biases together, and builds up an approximation
# of its second derivatives. Adam takes many cheap steps instead.


# %%
def train_once(setting):
    """Train one network from one start.

    Args:
        setting: (hidden layer sizes, activation, method, seed, greatest number of iterations).

    Returns:
        A dict with the training and test error (MSE), and the parameters.
    """
    hidden, activation, method, seed, iterations = setting
    if method == "BFGS" and sum(hidden) >= MANY_UNITS:
        iterations = min(iterations, FEWER_ITERATIONS)
    x, y, x_test, y_test = load_regression_data()
    model = MLP([1, *hidden, 1], phi=ACTIVATIONS[activation], rng=np.random.default_rng(seed))
    loss_fn = MeanSquaredError()
    if method == "BFGS":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # SciPy's line search may try steps that overflow
            minimize(model, loss_fn, x, y, method="BFGS", options={"maxiter": iterations})
    else:
        optimizer = Adam(model.parameters(), lr=0.01)
        for _ in range(iterations):
            optimizer.zero_grad()
            loss_fn(model(x), y)
            model.backward(loss_fn.backward())
            optimizer.step()
    return {"train": float(loss_fn(model(x), y)), "test": float(loss_fn(model(x_test), y_test)),
            "parameters": [parameter.data for parameter in model.parameters()]}


def rebuild(hidden, activation, run):
    """Return the network that a run ended with."""
    model = MLP([1, *hidden, 1], phi=ACTIVATIONS[activation])
    for parameter, value in zip(model.parameters(), run["parameters"]):
        parameter.data = value
    return model


def train_all(architectures, activation, method, starts, iterations, options):
    """Return {hidden sizes: its runs from all starts, best training error first}."""
    settings = [(hidden, activation, method, seed, iterations) for hidden in architectures for seed in range(starts)]
    runs = sweep(train_once, settings, options.jobs, options.scheduler)
    return {hidden: sorted(runs[i * starts:(i + 1) * starts], key=lambda run: run["train"])
            for i, hidden in enumerate(architectures)}


def spread(values):
    """Return "least / median / greatest" of some errors."""
    return " / ".join(f"{value:.4g}" for value in (min(values), float(np.median(values)), max(values)))


def table(name, trained, results):
    """Show the errors of the best start and the spread over all starts, for each architecture."""
    rows = [["-".join(map(str, hidden)) or "0", f"{runs[0]['train']:.4f}", f"{runs[0]['test']:.4f}",
             spread([run["train"] for run in runs]), spread([run["test"] for run in runs])]
            for hidden, runs in trained.items()]
    results.table(name, ["units", "train, best start", "its test", "train: least / median / greatest",
                         "test: least / median / greatest"], rows)


# %% [markdown]
# ## Pictures


# %%
def draw_data(axes):
    """Draw the training points."""
    x, y, _, _ = load_regression_data()
    axes.scatter(x, y, s=10, color="grey", alpha=0.7, label="training data")
    axes.set(xlabel="x", ylabel="y")


def draw_fits(trained, activation):
    """Return a figure with the best fit of every architecture."""
    figure, axes = pyplot().subplots(figsize=(9, 4.5), layout="constrained")
    draw_data(axes)
    for hidden, runs in trained.items():
        fit = rebuild(hidden, activation, runs[0])(GRID)
        axes.plot(GRID, fit, label=f"{'-'.join(map(str, hidden)) or '0'} units: test {runs[0]['test']:.3g}")
    axes.set_ylim(-2, 2)
    axes.set_title(f"Best of the starts, {activation} units")
    axes.legend(ncol=2, fontsize=8)
    return figure


def draw_local_minima(runs, hidden):
    """Return a figure with the fits of all starts of one architecture, coloured by training error."""
    figure, axes = pyplot().subplots(figsize=(9, 4), layout="constrained")
    draw_data(axes)
    ends = sorted({round(run["train"], 3) for run in runs})
    for i, end in enumerate(ends):
        same = [run for run in runs if round(run["train"], 3) == end]
        axes.plot(GRID, rebuild(hidden, "logistic", same[0])(GRID), color=f"C{i % 10}",
                  label=f"train {end:.3f}: {len(same)} of {len(runs)} starts")
    axes.set(ylim=(-2, 2), title=f"Where the starts end with {hidden[0]} units")
    axes.legend(fontsize=8, ncol=2)
    return figure


def draw_hidden(trained, which, activation):
    """Return a figure: the hidden units' outputs, plain (above) and scaled by their output weight (below)."""
    figure, panels = pyplot().subplots(2, len(which), figsize=(4.2 * len(which), 6), layout="constrained",
                                       squeeze=False)
    for column, hidden in enumerate(which):
        model = rebuild(hidden, activation, trained[hidden][0])
        units = model.hidden_units(GRID)
        for row, (values, label) in enumerate([(units, "unit's output"),
                                               (units * model.W[-1].data[:, 0], "output times its weight")]):
            axes = panels[row][column]
            draw_data(axes)
            axes.plot(GRID, model(GRID), color="black", label="network (left axis)")
            axes.set_ylim(-2, 2)
            twin = axes.twinx()
            twin.plot(GRID, values, linewidth=1)
            twin.set_ylabel(label)
            axes.set_title(f"{hidden[0]} {activation} units")
            axes.plot([], color="C0", linewidth=1, label="each hidden unit (in colour, right axis)")
            if row == 1:  # with it, what is drawn adds up to the network
                twin.axhline(model.b[-1].data[0], color="grey", linestyle=":")
                axes.plot([], color="grey", linestyle=":", label="bias of the output (right axis)")
    handles, labels = panels[1][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncol=len(handles), fontsize=9)
    return figure


# %%
steps = Steps("fitting_functions", __doc__)


def size(options):
    """Return how many starts, how many iterations, and which architectures there are."""
    starts, iterations = (3, 300) if options.quick else (10, 10000)
    return starts, iterations, [() if z == 0 else (z,) for z in (UNITS[:5] if options.quick else UNITS)]


@steps.add
def logistic_units(results, options):
    """Fit the sine by logistic units, by BFGS."""
    starts, iterations, architectures = size(options)
    print("\nLogistic units, BFGS")
    logistic = train_all(architectures, "logistic", "BFGS", starts, iterations, options)
    table("logistic_bfgs", logistic, results)
    results.figure("logistic_bfgs", draw_fits(logistic, "logistic"))
    results.figure("hidden_units", draw_hidden(logistic, [(2,), (3,), (10,)], "logistic"))


# %%
@steps.add
def two_units(results, options):
    """Fit it by two units from many starts."""
    starts, iterations, _ = size(options)
    print("\nTwo units, from many starts: the local minima")
    two = train_all([(2,)], "logistic", "BFGS", starts if options.quick else 50, iterations, options)
    ends = sorted({round(run["train"], 3) for run in two[(2,)]})
    print("Training errors at the ends:", ", ".join(
        f"{end:.3f} ({sum(round(run['train'], 3) == end for run in two[(2,)])}x)" for end in ends))
    results.figure("two_units_local_minima", draw_local_minima(two[(2,)], (2,)))


# %%
@steps.add
def relu_units(results, options):
    """Fit it by ReLU units."""
    starts, iterations, architectures = size(options)
    print("\nReLU units, BFGS")
    relu = train_all(architectures[1:], "ReLU", "BFGS", starts, iterations, options)
    table("relu_bfgs", relu, results)
    results.figure("relu_bfgs", draw_fits(relu, "ReLU"))
    results.figure("hidden_units_relu", draw_hidden(relu, [(2,), (3,), (10,)], "ReLU"))


# %%
@steps.add
def by_adam(results, options):
    """Fit it by Adam."""
    starts, _, architectures = size(options)
    print("\nLogistic units, Adam (learning rate 0.01)")
    adam = train_all(architectures[1:], "logistic", "Adam", starts, 300 if options.quick else 20000, options)
    table("logistic_adam", adam, results)


# %%
@steps.add
def more_layers(results, options):
    """Fit it by networks of two hidden layers."""
    starts, iterations, _ = size(options)
    print("\nMore layers, BFGS")
    deep = train_all([(5, 5), (10, 10)], "logistic", "BFGS", starts, iterations, options)
    table("more_layers", deep, results)
    results.figure("more_layers", draw_fits(deep, "logistic"))


# %%
main = steps.main

if __name__ == "__main__":
    run_command(main)
