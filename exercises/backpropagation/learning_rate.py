# %% [markdown]
# # XOR: the role of the learning rate
#
# The gradient says in which direction the loss falls fastest, and nothing about how far to go. Here the same thousand
# starts are trained with learning rates from 0.003 to 30: how many solve XOR, in how many steps, and what happens to
# the others.

# %%
"""XOR: share solved, steps to solve and divergence, by learning rate."""
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np

if find_spec("lib") is None:  # started by its path, or as a notebook: the root folder is two above this one
    sys.path.append(str(Path(globals().get("__file__", "notebook")).resolve().parents[2]))

from exercises.backpropagation.many_starts import share, train_starts
from exercises.backpropagation.xor_networks import activity, as_stack
from exercises.common import Results, read_options, run_command, sweep
from lib.inspection.figures.base import pyplot

RATES = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 2.0, 3.0, 5.0, 10.0, 30.0)
SMALL_LOSS = 0.1  # below, all four points are right: a wrong one alone costs at least ln(2) / 4 = 0.17


# %%
def steps_to_solve(run):
    """Return after how many steps each run's loss was first recorded below SMALL_LOSS; infinite if never."""
    below = run["losses"] < SMALL_LOSS
    return np.where(below.any(axis=0), np.array(run["epochs"])[below.argmax(axis=0)], np.inf)


def summarise(run):
    """Return one row of the table: learning rate, share solved, steps, ends, dead units, largest loss on the way."""
    n, steps, ends = len(run["ends"]), steps_to_solve(run), run["ends"]
    finished = steps[np.isfinite(steps)]
    quantiles = "/".join(f"{q:.0f}" for q in np.quantile(finished, [0.1, 0.5, 0.9])) if len(finished) else "never"
    dead = ~activity(as_stack(run["parameters"])).any(axis=1)
    worst = np.where(np.isfinite(run["losses"]), run["losses"], np.inf).max(axis=0)
    return [f"{run['lr']:g}", share(ends.count("solved"), n), quantiles, ends.count("all points confused"),
            ends.count("two points confused") + ends.count("three points confused"), ends.count("elsewhere"),
            f"{100 * dead.mean():.1f} %", share(int((worst > 10 * np.log(2)).sum()), n)]


def draw(runs):
    """Return a figure: shares by learning rate, for each number of hidden units, and the median steps to solve."""
    figure, (shares, times) = pyplot().subplots(1, 2, figsize=(10, 3.8), layout="constrained")
    for i, hidden in enumerate(sorted({run["hidden"] for run in runs})):
        mine = [run for run in runs if run["hidden"] == hidden]
        rates = [run["lr"] for run in mine]
        p = np.array([run["ends"].count("solved") / len(run["ends"]) for run in mine])
        shares.errorbar(rates, 100 * p, 100 * np.sqrt(p * (1 - p) / len(mine[0]["ends"])), marker="o", capsize=3,
                        color=f"C{i}", label=f"{hidden} hidden units")
        found = [(run["lr"], *np.quantile(steps[np.isfinite(steps)], [0.1, 0.5, 0.9])) for run in mine
                 for steps in [steps_to_solve(run)] if np.isfinite(steps).any()]
        if found:
            rates, low, middle, high = np.array(found).T
            times.plot(rates, middle, marker="o", color=f"C{i}", label=f"{hidden} hidden units: median")
            times.fill_between(rates, low, high, color=f"C{i}", alpha=0.15)
    epochs = runs[0]["epochs"][-1]
    shares.set(xscale="log", xlabel="learning rate", ylabel="share that solves XOR (%)", ylim=(-2, 102),
               title=f"Solved within {epochs} steps")
    times.set(xscale="log", yscale="log", xlabel="learning rate", ylabel="steps",
              title=f"Steps until the loss is below {SMALL_LOSS:g}")
    shares.legend()
    times.legend()
    return figure


# %%
def main(arguments=None):
    """Sweep over learning rates."""
    options = read_options(__doc__, arguments)
    results = Results("backpropagation", options)
    starts, epochs = (100, 300) if options.quick else (1000, 3000)
    sizes, rates = ((2,), (0.1, 1.0, 10.0)) if options.quick else ((2, 8), RATES)
    settings = [(hidden, "scaffold", lr, starts, epochs, 10) for hidden in sizes for lr in rates]
    runs = sweep(train_starts, settings, options.jobs, options.scheduler)
    for hidden in sizes:
        print(f"\n{hidden} hidden units, {starts} starts, {epochs} steps (ends, dead units: after the last step):")
        results.table(f"learning_rate_{hidden}_hidden",
                      ["lr", "solved", "steps to solve, 10/50/90 %", "at ln 2", "at 0.35 or 0.48", "elsewhere",
                       "dead units", "loss ever above 10 ln 2"],
                      [summarise(run) for run in runs if run["hidden"] == hidden])
    results.figure("learning_rate", draw(runs))


if __name__ == "__main__":
    run_command(main)
