# %% [markdown]
# # XOR from thousands of random starts
#
# Run the experiment again and again: does the network always end with the right predictions? Here it is run from a
# thousand starts for each number of hidden units and each way to draw the initial weights, all starts at once.

# %%
"""XOR from thousands of random starts: the share that solves it, by hidden units and initialisation."""
import sys
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np

if find_spec("lib") is None:  # started by its path, or as a notebook: the root folder is two above this one
    sys.path.append(str(Path(globals().get("__file__", "notebook")).resolve().parents[2]))

from exercises.backpropagation.xor_networks import (INITIALIZATIONS, LABELS, PLATEAUS, activity, as_stack, create_model,
                                                    create_stack, is_solved, where_it_ended)
from exercises.common import Results, read_options, run_command, sweep
from lib.dataset import X
from lib.layers import CrossEntropyLoss
from lib.steps.many_networks import train_many
from lib.inspection.figures.base import pyplot

HIDDEN = (2, 3, 4, 6, 8, 16)
COLOURS = {"solved": "C2", "two points confused": "C0", "three points confused": "C1", "all points confused": "C3",
           "elsewhere": "C7"}


# %%
def train_starts(setting):
    """Train networks from many starts.

    Args:
        setting: (hidden units, initialisation, learning rate, number of starts, epochs, how often to record the loss).

    Returns:
        A dict: hidden, initialization, lr; epochs and losses (records, runs); parameters (stacks); ends, where each
        run ended; linear, whether at the start every hidden unit of the run was active at all four points.
    """
    hidden, initialization, lr, starts, epochs, record_every = setting
    trained = train_many(partial(create_model, hidden, initialization), CrossEntropyLoss(), X, LABELS, epochs=epochs,
                         seeds=starts, lr=lr, record_every=record_every, compiled=True)
    model = as_stack(trained.parameters)
    return {"hidden": hidden, "initialization": initialization, "lr": lr, "epochs": trained.epochs,
            "losses": trained.losses, "parameters": trained.parameters,
            "ends": where_it_ended(trained.losses[-1], is_solved(model)),
            "linear": activity(create_stack(hidden, range(starts), initialization)).all(axis=(1, 2))}


def share(count, of):
    """Return "37.6 +- 1.5 %": a share with the standard error of a binomial proportion, sqrt(p (1 - p) / n)."""
    p = count / of
    return f"{100 * p:.1f} +- {100 * np.sqrt(p * (1 - p) / of):.1f} %"


def table_of_shares(runs, results):
    """Show the share that solves XOR, a row for each initialisation, a column for each number of hidden units."""
    shares = {(run["initialization"], run["hidden"]): share(run["ends"].count("solved"), len(run["ends"]))
              for run in runs}
    sizes = sorted({hidden for _, hidden in shares})
    kinds = list(dict.fromkeys(initialization for initialization, _ in shares))
    results.table("share_solved", ["initialisation", *(f"{hidden} hidden" for hidden in sizes)],
                  [[kind, *(shares[kind, hidden] for hidden in sizes)] for kind in kinds])


def table_of_ends(runs, results):
    """Show where the runs of each initialisation and size ended."""
    ends = [*PLATEAUS, "elsewhere"]
    titles = [f"{name} ({PLATEAUS[name]:.4f})" if name in PLATEAUS else name for name in ends]
    results.table("ends", ["initialisation", "hidden", *titles],
                  [[run["initialization"], run["hidden"], *(run["ends"].count(end) for end in ends)] for run in runs])


def table_of_linear_starts(runs, results):
    """Show how many runs start as a linear network, and how many of those end at ln 2."""
    rows = []
    for run in runs:
        linear, stuck = run["linear"], np.array(run["ends"]) == "all points confused"
        rows.append([run["initialization"], run["hidden"], share(int(linear.sum()), len(linear)),
                     f"{int((stuck & linear).sum())} of {int(linear.sum())}",
                     f"{int((stuck & ~linear).sum())} of {int((~linear).sum())}"])
    results.table("linear_starts", ["initialisation", "hidden", "linear at the start", "of those, end at ln 2",
                                    "of the others, end at ln 2"], rows)


def draw_loss_fans(runs):
    """Return a figure: the losses of many starts, one panel a run, coloured by where they ended, with the median."""
    figure, panels = pyplot().subplots(1, len(runs), figsize=(4.2 * len(runs), 3.8), sharey=True, squeeze=False,
                                       layout="constrained")
    for axes, run in zip(panels[0], runs):
        ends = np.array(run["ends"])
        for end, colour in COLOURS.items():
            losses = run["losses"][:, ends == end]
            if losses.size:
                axes.plot(run["epochs"], losses[:, :60], color=colour, alpha=0.15, linewidth=0.7)
                axes.plot([], color=colour, label=f"{end}: {share(losses.shape[1], len(ends))}")
        low, middle, high = np.quantile(run["losses"], [0.1, 0.5, 0.9], axis=1)
        axes.fill_between(run["epochs"], low, high, color="black", alpha=0.08, label="10 % to 90 % of all")
        axes.plot(run["epochs"], middle, color="black", linestyle="--", linewidth=1.2, label="median of all")
        axes.set(xscale="log", xlabel="steps", ylim=(0, 0.85),
                 title=f"{run['hidden']} hidden units, {run['initialization']}, lr {run['lr']:g}")
        axes.legend(fontsize=7, loc="lower left")
    panels[0][0].set_ylabel("loss")
    return figure


def draw_shares(runs):
    """Return a figure: the share that solves XOR against the number of hidden units, a line an initialisation."""
    figure, axes = pyplot().subplots(figsize=(6, 4), layout="constrained")
    for kind in dict.fromkeys(run["initialization"] for run in runs):
        mine = [run for run in runs if run["initialization"] == kind]
        p = np.array([run["ends"].count("solved") / len(run["ends"]) for run in mine])
        error = np.sqrt(p * (1 - p) / len(mine[0]["ends"]))
        axes.errorbar([run["hidden"] for run in mine], 100 * p, 100 * error, marker="o", capsize=3, label=kind)
    axes.set(xlabel="hidden units", ylabel="share that solves XOR (%)", xscale="log", ylim=(0, 103),
             title=f"{len(runs[0]['ends'])} starts each, lr {runs[0]['lr']:g}, {runs[0]['epochs'][-1]} steps")
    axes.set_xticks(HIDDEN, [str(hidden) for hidden in HIDDEN])
    axes.minorticks_off()
    axes.legend()
    return figure


# %%
def main(arguments=None):
    """Train all, and show where they end."""
    options = read_options(__doc__, arguments)
    results = Results("backpropagation", options)
    starts, epochs = (100, 500) if options.quick else (1000, 3000)
    sizes, kinds = ((2, 8), INITIALIZATIONS[:1]) if options.quick else (HIDDEN, INITIALIZATIONS)
    settings = [(hidden, kind, 1.0, starts, epochs, 20 if kind == "scaffold" else epochs)  # the fans need the way there
                for kind in kinds for hidden in sizes]
    runs = sweep(train_starts, settings, options.jobs, options.scheduler)

    print(f"Share of {starts} starts that solve XOR within {epochs} steps (lr 1):")
    table_of_shares(runs, results)
    print("\nWhere they end (in brackets the loss there):")
    table_of_ends(runs, results)
    print("\nLinear from the start: every hidden unit active at all four points")
    table_of_linear_starts(runs, results)
    results.figure("share_solved", draw_shares(runs))
    results.figure("loss_fans", draw_loss_fans([run for run in runs if run["initialization"] == "scaffold" and
                                                run["hidden"] in (2, 4, 8)]))


if __name__ == "__main__":
    run_command(main)
