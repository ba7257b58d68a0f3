# %% [markdown]
# # XOR: what one step does, and what many steps do
#
# The experiment: a network with two inputs, two hidden ReLU units and two outputs, softmax and cross-entropy, gradient
# descent on the four points of XOR. This program answers the first two questions about it with measurements:
#
# 1. What does one step of gradient descent change?
# 2. What do many steps do, and does the loss always fall? When it rises, why?
#
# `many_starts.py`, `plateaus.py` and `learning_rate.py` answer the other two.

# %%
"""XOR: what one step of gradient descent changes, and whether the loss falls in every one of many steps."""
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np

if find_spec("lib") is None:  # started by its path, or as a notebook: the root folder is two above this one
    sys.path.append(str(Path(globals().get("__file__", "notebook")).resolve().parents[2]))

from exercises.backpropagation.xor_networks import LABELS, activity, as_stack, create_model, create_stack, losses_of
from exercises.common import Steps, run_command
from lib.dataset import X
from lib.gradient_utilities import zero_grad
from lib.layers import CrossEntropyLoss
from lib.inspection.figures.base import pyplot

SEED = 3                        # the start whose first step is shown in full
RATES = (0.01, 0.1, 0.3, 1.0, 3.0, 10.0)
RISE = 1e-9                     # smaller rises may be rounding
TINY_STEP = 1e-3                # as a part of a whole step


# %% [markdown]
# ## Gradients
#
# Of a whole stack of networks at once: the modules of lib compute it as they do for one.


# %%
def compute_gradient(model):
    """Return the loss of each network of a stack, (runs,); the gradients are left in the parameters."""
    logits, loss_fn = model(X), CrossEntropyLoss()
    runs = len(logits)
    zero_grad(model.parameters())
    loss_fn(logits.reshape(-1, 2), np.tile(LABELS, (runs, 1)))
    # that loss is a mean over all runs, too: each run's own gradient is so many times as large
    model.backward(runs * loss_fn.backward().reshape(logits.shape))
    return losses_of(logits)


def flat(arrays):
    """Return stacks of arrays, each (runs, ...), as one array (runs, numbers)."""
    return np.concatenate([array.reshape(len(array), -1) for array in arrays], axis=1)


def moved(model, fraction):
    """Return a stack of networks whose parameters have moved by fraction * gradient."""
    return as_stack([parameter.data + fraction * parameter.grad for parameter in model.parameters()])


# %% [markdown]
# ## Question 1: one step
#
# For a small step, the loss falls by the learning rate times the squared length of the gradient.


# %%
def show_one_step(results, lr):
    """Show every parameter of one network, its gradient and its value after one step."""
    np.random.seed(SEED)
    model = create_model(hidden=2)
    loss_fn = CrossEntropyLoss()
    zero_grad(model.parameters())
    before = loss_fn(model(X), LABELS)
    old = [parameter.data.copy() for parameter in model.parameters()]
    model.backward(loss_fn.backward())
    for parameter in model.parameters():
        parameter.data = parameter.data - lr * parameter.grad
    after = loss_fn(model(X), LABELS)
    rows = []
    for (path, parameter), values in zip(model.named_parameters(), old):
        for place in np.ndindex(*values.shape):
            rows.append([f"{path}{list(place)}", f"{values[place]:+.6f}", f"{parameter.grad[place]:+.1e}",
                         f"{parameter.data[place]:+.6f}"])
    results.table("one_step", ["parameter", "before", "gradient", "after"], rows)
    squared = sum(float((parameter.grad ** 2).sum()) for parameter in model.parameters())
    print(f"Loss before: {before:.8f}, after: {after:.8f}; change {after - before:+.2e}; "
          f"-lr * |gradient|^2 = {-lr * squared:+.2e}.")


def one_step_of_many(starts, lr, results):
    """Show, over many starts, by how much one step changes the loss, and which gradients are large."""
    model = create_stack(2, range(starts))
    before = compute_gradient(model)
    sizes = [np.sqrt((flat([parameter.grad]) ** 2).mean(axis=1)) for parameter in model.parameters()]
    after = compute_gradient(moved(model, -lr))
    change = after - before
    rows = [[name, f"{np.median(size):.1e}", f"{size.max():.1e}"]
            for name, size in zip(("W1", "b1", "W2", "b2"), sizes)]
    results.table("gradients_at_the_start", ["parameters", "median gradient (root mean square)", "greatest"], rows)
    print(f"{starts} starts, one step with lr {lr:g}: the loss falls in {(change < 0).sum()} of them; loss before "
          f"{before.min():.6f} to {before.max():.6f} (ln 2 = {np.log(2):.6f}), median change {np.median(change):+.1e}.")


# %% [markdown]
# ## Question 2: many steps
#
# The loss after a part s of a step of gradient descent has the slope -lr |g|^2 at s = 0, and the slope rises with the
# curvature on the way:
#
#     second derivative by s = lr^2 g^T H g = lr |g|^2 q,    q = lr (g^T H g) / |g|^2
#
# where H is the matrix of second derivatives. If q stays below 2 all the way to s = 1, the loss is lower there: a step
# can only fail if it overshoots, with q > 2 somewhere. H g is measured as a difference of two gradients, a small way
# apart, at eleven places of the step; q is the greatest of these.
#
# That holds where the loss is smooth. A ReLU network's loss has folds: it changes its formula where a hidden unit is
# switched on or off at one of the points. Behind a fold, the gradient is another one, and a step along the old one may
# lead uphill however gentle the curvature. So two things are measured at each rise: q, and whether the step has
# switched a unit at some point.


# %%
def step_curvature(model, lr):
    """Return the greatest q = lr g^T H g / |g|^2 on the way of each network's step, (runs,).

    Args:
        model: a stack of networks, with the gradients g in its parameters.
        lr: the learning rate of the step.
    """
    g = flat([parameter.grad for parameter in model.parameters()])
    squared = (g ** 2).sum(axis=1)
    apart = 1e-6 / np.maximum(np.sqrt(squared.max()), 1e-12)  # in units of g: no network moves by more than 1e-6

    def gradient_after(way):
        there = moved(model, -way)
        compute_gradient(there)
        return flat([parameter.grad for parameter in there.parameters()])

    q = [lr * (g * (gradient_after(s * lr) - gradient_after(s * lr + apart))).sum(axis=1) / apart / squared
         for s in np.linspace(0, 1, 11)]
    return np.max(q, axis=0)


def follow(starts, lr, steps, hidden=2):
    """Train many networks and look at every rise of the loss.

    Returns:
        A dict: lr; losses (steps + 1, starts); rises, a list of dicts with run, step, rise, switched (whether a unit
        was switched on or off at a point), q (see above), and falls_if_tiny (whether a thousandth of the step lowers
        the loss).
    """
    model = create_stack(hidden, range(starts))
    losses, rises = [compute_gradient(model)], []
    for step in range(steps):
        new = moved(model, -lr)
        new_losses = compute_gradient(new)
        rise = new_losses - losses[-1]
        runs = np.flatnonzero(rise > RISE)
        if len(runs):
            rising = as_stack([parameter.data[runs] for parameter in model.parameters()])
            old_losses = compute_gradient(rising)
            switched = (activity(rising) != activity(moved(rising, -lr))).any(axis=(1, 2))
            q = step_curvature(rising, lr)
            falls = compute_gradient(moved(rising, -TINY_STEP * lr)) < old_losses
            rises += [{"run": int(run), "step": step, "rise": rise[run], "switched": switched[i], "q": q[i],
                       "falls_if_tiny": falls[i]} for i, run in enumerate(runs)]
        losses.append(new_losses)
        model = new
    return {"lr": lr, "losses": np.array(losses), "rises": rises}


def table_of_rises(runs, results):
    """Show, by learning rate, how many runs rise at all, how often and how far, and for which reason."""
    rows = []
    for run in runs:
        rises, losses = run["rises"], run["losses"]
        starts, q = losses.shape[1], np.array([each["q"] for each in rises])
        switched = np.array([each["switched"] for each in rises], dtype=bool)
        tiny = np.array([each["falls_if_tiny"] for each in rises], dtype=bool)
        rows.append([f"{run['lr']:g}", f"{len({each['run'] for each in rises})} of {starts}",
                     f"{100 * len(rises) / (starts * (len(losses) - 1)):.2f} %",
                     f"{max([each['rise'] for each in rises], default=0):.2g}",
                     *(f"{100 * kind.mean() if rises else 0:.1f} %" for kind in
                       (switched & (q <= 2), switched & (q > 2), ~switched & (q > 2), ~switched & (q <= 2), tiny))])
    results.table("rises", ["lr", "runs that ever rise", "rising steps", "greatest rise", "unit switched, q <= 2",
                            "unit switched, q > 2", "none switched, q > 2", "none switched, q <= 2",
                            "1000th of the step falls"], rows)


# %% [markdown]
# ## Pictures: the loss along a step
#
# One rise of each kind, with the step drawn out: the loss after a part t of the step, from 0 (before) to 1 (after).


# %%
def along_the_step(rise, lr, hidden=2):
    """Return fractions t, the loss after t steps in the direction of a rising step, and whether a unit is switched."""
    model = create_stack(hidden, [rise["run"]])
    compute_gradient(model)
    for _ in range(rise["step"]):
        model = moved(model, -lr)
        compute_gradient(model)
    t = np.linspace(0, 1.2, 241)
    here = [np.repeat(parameter.data, len(t), axis=0) for parameter in model.parameters()]
    line = as_stack([values - (lr * t).reshape(-1, *[1] * (values.ndim - 1)) * parameter.grad
                     for values, parameter in zip(here, model.parameters())])
    active = activity(line)
    return t, compute_gradient(line), (active != active[:1]).any(axis=(1, 2))


def draw_rises(runs):
    """Return a figure: losses of some runs with a rise, and the loss along a rising step of either kind.

    Args:
        runs: what follow returned, for lr = 1 and for a large learning rate.
    """
    figure, (curves, *panels) = pyplot().subplots(1, 3, figsize=(12.5, 3.8), layout="constrained")
    with_rise = sorted({each["run"] for each in runs[0]["rises"] if each["rise"] > 1e-3})[:6]
    for i, which in enumerate(with_rise):
        losses = runs[0]["losses"][:, which]
        up = np.flatnonzero(np.diff(losses) > 1e-3)
        curves.plot(losses, color=f"C{i}", linewidth=1, label=f"seed {which}")
        curves.plot(up, losses[up], ".", color=f"C{i}")
    curves.set(xlabel="step", ylabel="loss", xlim=(0, 150), title=f"Runs with rises (dots), lr {runs[0]['lr']:g}")
    curves.legend(fontsize=8)
    folds = [each for each in runs[0]["rises"] if each["switched"] and each["q"] <= 2]
    overshoots = [each for each in runs[1]["rises"] if not each["switched"] and each["q"] > 2]
    for axes, run, rises, title in ((panels[0], runs[0], folds, "a hidden unit switches: a fold"),
                                    (panels[1], runs[1], overshoots, "none switches: too long a step")):
        axes.set(xlabel="part of the step", ylabel="loss", title=f"{title}, lr {run['lr']:g}")
        if rises:
            greatest = max(rises, key=lambda each: each["rise"])
            t, losses, switched = along_the_step(greatest, run["lr"])
            axes.plot(t, losses, label=f"loss on the way: seed {greatest['run']}, step {greatest['step']},\n"
                      f"q = {greatest['q']:.2f}: lr times the curvature on it")
            if switched.any():
                axes.axvspan(t[switched.argmax()], t[-1], color="C1", alpha=0.15, label="other units are active")
            axes.plot([0, 1], np.interp([0, 1], t, losses), "ko", label="before and after the step")
            axes.legend(fontsize=8)
    return figure


# %%
steps = Steps("backpropagation", __doc__)


@steps.add
def what_one_step_changes(results, options):
    """Answer the first question."""
    print("Question 1: what does one step change?\n")
    show_one_step(results, lr=1.0)
    print()
    one_step_of_many(50 if options.quick else 1000, 1.0, results)


# %%
@steps.add
def whether_the_loss_always_falls(results, options):
    """Answer the second question."""
    starts, count = (50, 150) if options.quick else (1000, 1000)
    print(f"\nQuestion 2: does the loss always fall? {starts} starts, {count} steps, rises of more than {RISE:g}\n")
    runs = [follow(starts, lr, count) for lr in ((1.0, 10.0) if options.quick else RATES)]
    table_of_rises(runs, results)
    results.figure("rises", draw_rises([run for run in runs if run["lr"] in (1.0, 10.0)]))


# %%
main = steps.main

if __name__ == "__main__":
    run_command(main)
