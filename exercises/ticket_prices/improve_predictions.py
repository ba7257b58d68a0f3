# %% [markdown]
# # Ticket prices: what makes the predictions better
#
# Measured on passengers that weren't used for training (20 %, drawn anew for each seed), in pounds: the root of the
# mean squared error, and the mean absolute error. The fares are skewed, from 0 to 512 pounds, so that a few expensive
# tickets rule the first figure.

# %%
"""Predict the Titanic's fares better: scaled inputs, Adam, patience, the logarithm of the fare."""
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np

if find_spec("lib") is None:  # started by its path, or as a notebook: the root folder is two above this one
    sys.path.append(str(Path(globals().get("__file__", "notebook")).resolve().parents[2]))

from exercises.common import Steps, run_command, sweep
from exercises.ticket_prices.train_network import EPOCHS, LEARNING_RATE, Network, build_with_lib
from lib.data.batches import train_test_split
from lib.data.titanic import load_titanic
from lib.inspection.figures.base import pyplot
from lib.layers import MeanSquaredError
from lib.optimizers import Adam


# %%
def train_by_adam(x, y, epochs, seed):
    """Return a function that predicts, from a network trained by Adam on scaled inputs and a scaled target."""
    x_mean, x_std, y_mean, y_std = x.mean(axis=0), x.std(axis=0), y.mean(), y.std()
    model, loss_fn = build_with_lib(Network(seed=seed)), MeanSquaredError()
    optimizer = Adam(model.parameters(), lr=0.01)
    for _ in range(epochs):
        optimizer.zero_grad()
        loss_fn(model((x - x_mean) / x_std), (y - y_mean) / y_std)
        model.backward(loss_fn.backward())
        optimizer.step()
    return lambda x_new: model((x_new - x_mean) / x_std) * y_std + y_mean


def predictors(x, y, seed, quick):
    """Yield (name, function that predicts fares), each trained on x, y."""
    mean, median = y.mean(), np.median(y)
    yield "always the mean fare", lambda x_new: np.full((len(x_new), 1), mean)
    yield "always the median fare", lambda x_new: np.full((len(x_new), 1), median)

    def with_ones(inputs):
        return np.hstack([inputs, np.ones((len(inputs), 1))])

    weights = np.linalg.lstsq(with_ones(x), y, rcond=None)[0]
    yield "linear regression", lambda x_new: with_ones(x_new) @ weights
    network = Network(seed=seed)
    network.train(x, y, EPOCHS, LEARNING_RATE)
    yield "network, raw inputs, 10 epochs", network.forward
    yield "scaled, Adam, 10 epochs", train_by_adam(x, y, 10, seed)
    epochs = 100 if quick else 2000
    yield f"scaled, Adam, {epochs} epochs", train_by_adam(x, y, epochs, seed)
    predict_log = train_by_adam(x, np.log1p(y), epochs, seed)
    yield f"the same for log(1 + fare), {epochs} epochs", lambda x_new: np.expm1(predict_log(x_new))


def errors_of_all(setting):
    """Return {name: (root mean squared error, mean absolute error)} on held-out passengers, for one seed."""
    seed, quick = setting
    data = load_titanic()
    x_train, x_test, y_train, y_test = train_test_split(data.x, data.y, test_size=0.2, seed=seed)
    return {name: (np.sqrt(((predict(x_test) - y_test) ** 2).mean()), np.abs(predict(x_test) - y_test).mean())
            for name, predict in predictors(x_train, y_train, seed, quick)}


def improve(options, results):
    """Show the errors of each predictor over several splits, with their spread."""
    seeds = range(2 if options.quick else 20)
    runs = sweep(errors_of_all, [(seed, options.quick) for seed in seeds], options.jobs, options.scheduler)
    rows = []
    for name in runs[0]:
        errors = np.array([run[name] for run in runs])
        rows.append([name, *(f"{m:.1f} +- {s:.1f}" for m, s in zip(errors.mean(axis=0), errors.std(axis=0)))])
    results.table("held_out_errors", ["predictor", "RMSE (pounds)", "mean absolute error (pounds)"], rows)


def draw_fares(data, quick):
    """Return a figure: fares by age for each class, with what a trained network says for survivors and others."""
    predict_log = train_by_adam(data.x, np.log1p(data.y), 100 if quick else 2000, seed=0)
    figure, axes = pyplot().subplots(1, 3, figsize=(11, 3.6), sharey=True, layout="constrained")
    ages = np.linspace(0, 80, 161)
    for passenger_class, panel in zip((1, 2, 3), axes):
        mine = data.x[:, 0] == passenger_class
        for survived, colour in ((0, "C3"), (1, "C0")):
            who = mine & (data.x[:, 2] == survived)
            label = "survived" if survived else "died"
            panel.scatter(data.x[who, 1], data.y[who], s=8, alpha=0.35, color=colour, label=label)
            inputs = np.stack([np.full_like(ages, passenger_class), ages, np.full_like(ages, survived)], axis=1)
            panel.plot(ages, np.expm1(predict_log(inputs)), color=colour, label=f"network: {label}")
        panel.set(title=f"class {passenger_class}", xlabel="age (years)", yscale="symlog", ylim=(0, 700))
    axes[0].set_ylabel("fare (pounds)")
    axes[0].legend(fontsize=8, loc="lower right")
    return figure


# %%
steps = Steps("ticket_prices", __doc__)


@steps.add
def errors(results, options):
    """Show the errors of each predictor on passengers that it wasn't trained on."""
    improve(options, results)


# %%
@steps.add
def fares(results, options):
    """Draw the fares by age, with what the network predicts."""
    results.figure("fares", draw_fares(load_titanic(), options.quick))


# %%
main = steps.main

if __name__ == "__main__":
    run_command(main)
