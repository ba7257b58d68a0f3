# %% [markdown]
# # XOR: is that really why it is stuck?
#
# `lib.inspection.stuck.why_stuck` names a cause for a run that doesn't come to zero, and a cure: a change of one hidden
# unit, and of nothing else. A cause is worth something if changing just that helps, and another change doesn't. So each
# stuck run is trained on three times:
#
# - with the cure;
# - with a control: a random change of the other weights, as long as the cure (the root of its sum of squares);
# - as it is.
#
# A run is freed if its loss falls below its plateau by 0.05.

# %%
"""XOR: the cause of each stuck start, verified by a cure and a control."""
import sys
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np

if find_spec("lib") is None:  # started by its path, or as a notebook: the root folder is two above this one
    sys.path.append(str(Path(globals().get("__file__", "notebook")).resolve().parents[2]))

from exercises.backpropagation.many_starts import share
from exercises.backpropagation.xor_networks import LABELS, as_stack, create_model
from exercises.backpropagation.xor_questions import compute_gradient
from exercises.common import Results, read_options, run_command
from lib.dataset import X
from lib.inspection.stuck import why_stuck
from lib.layers import CrossEntropyLoss, LeakyReLU, ReLU, Sigmoid, Tanh
from lib.steps.many_networks import train_many

SETTINGS = [(ReLU, 2, "scaffold"), (ReLU, 2, "PyTorch's"), (ReLU, 2, "Xavier"), (ReLU, 2, "He"), (ReLU, 3, "scaffold"),
            (ReLU, 4, "He"), (LeakyReLU, 2, "PyTorch's"), (Sigmoid, 2, "PyTorch's"), (Sigmoid, 2, "Xavier"),
            (Tanh, 2, "PyTorch's"), (Tanh, 2, "Xavier"), (Sigmoid, 2, "scaffold"), (Tanh, 2, "scaffold")]
FREED = 0.05                    # by so much the loss falls below the plateau
WAYS = ("cure", "control", "as it is")


# %%
def stuck_runs(activation, hidden, initialization, starts, epochs, lr=1.0):
    """Train from many starts; returns those that are stuck, as a list of (model, why it is stuck)."""
    trained = train_many(partial(create_model, hidden, initialization, activation), CrossEntropyLoss(), X, LABELS,
                         epochs=epochs, seeds=starts, lr=lr, compiled=True)
    models = [trained.model(run) for run in range(starts)]
    return [(model, found) for model in models for found in [why_stuck(model, X, LABELS)] if found is not None]


def control(model, found, rng):
    """Return the parameters after a random change of those that the cure leaves alone, as long as the cure."""
    old = [parameter.data for parameter in model.parameters()]
    new = found.cure.values if found.cure else old
    change = [np.where(values == cured, rng.standard_normal(values.shape), 0) for values, cured in zip(old, new)]
    length = np.sqrt(sum(np.sum((values - cured) ** 2) for values, cured in zip(old, new)))
    scale = length / np.sqrt(sum(np.sum(values ** 2) for values in change))
    return [values + scale * step for values, step in zip(old, change)]


def lowest_losses(parameters, activation, steps, lr=1.0):
    """Train a stack of networks on; returns the lowest loss of each, (runs,)."""
    model = as_stack(parameters, activation)
    lowest = np.full(len(parameters[0]), np.inf)
    for _ in range(steps):
        lowest = np.minimum(lowest, compute_gradient(model))
        for parameter in model.parameters():
            parameter.data -= lr * parameter.grad
    return np.minimum(lowest, compute_gradient(model))


def freed(runs, activation, steps, seed=0):
    """Return which of the stuck runs come free, {way: booleans (runs,)}, for each way of training on."""
    rng = np.random.default_rng(seed)
    plateaus = np.array([found.loss for _, found in runs])
    ways = {"cure": [found.cure.values if found.cure else [parameter.data for parameter in model.parameters()]
                     for model, found in runs],
            "control": [control(model, found, rng) for model, found in runs],
            "as it is": [[parameter.data for parameter in model.parameters()] for model, _ in runs]}
    return {way: lowest_losses([np.stack(each) for each in zip(*starts)], activation, steps) < plateaus - FREED
            for way, starts in ways.items()}


def rows_of(activation, hidden, initialization, starts, epochs, steps):
    """Return the rows of the table for one kind of network: each cause, then all of them."""
    runs = stuck_runs(activation, hidden, initialization, starts, epochs)
    if not runs:
        return []
    came_free = freed(runs, activation, steps)
    causes = np.array([found.cause for _, found in runs])
    rows = []
    for cause in [*sorted(set(causes.tolist())), "all"]:
        mine = (causes == cause) | (cause == "all")
        rows.append([f"{activation.__name__}, {hidden} hidden, {initialization}", cause, int(mine.sum()),
                     *(share(int(came_free[way][mine].sum()), int(mine.sum())) for way in WAYS)])
    return rows


# %%
def main(arguments=None):
    """Find what is stuck and why, then verify it."""
    options = read_options(__doc__, arguments)
    results = Results("backpropagation", options)
    starts, epochs, steps = (40, 500, 500) if options.quick else (1600, 3000, 2000)
    rows = []
    for setting in SETTINGS[:1] if options.quick else SETTINGS:
        rows += rows_of(*setting, starts, epochs, steps)
    print(f"Of {starts} starts each, lr 1, those stuck after {epochs} steps, and the share freed within {steps} more:")
    results.table("stuck_starts", ["network", "cause", "stuck", *WAYS], rows)


if __name__ == "__main__":
    run_command(main)
