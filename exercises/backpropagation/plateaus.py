# %% [markdown]
# # XOR: where the others end, and why
#
# Training that doesn't solve XOR ends at one of three losses. Each is the mean of the cross-entropies when some of the
# four points share one prediction, which is then the share of the labels among them, and the others are right. With the
# entropy H(p) = -p ln p - (1 - p) ln(1 - p):
#
# | points confused | labels among them | loss |
# | --- | --- | --- |
# | 2 of 4 | one of each class | 2/4 H(1/2) = ln(2)/2 = 0.3466 |
# | 3 of 4 | two of one class, one of the other | 3/4 H(1/3) = 0.4774 |
# | all 4 | two of each class | 4/4 H(1/2) = ln 2 = 0.6931 |
#
# Why would points share a prediction? Because the hidden units don't tell them apart. Either no unit is active at
# these points, so that all of them see the output layer's bias alone: they are dark. Or every unit is dead or active at
# all four points: then the network is linear, and the best that a linear function can do on XOR is to say 1/2 to all.
# This program counts how many runs that explains.

# %%
"""XOR: the plateaus on which training ends, explained by what the hidden units have become."""
import sys
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import numpy as np

if find_spec("lib") is None:  # started by its path, or as a notebook: the root folder is two above this one
    sys.path.append(str(Path(globals().get("__file__", "notebook")).resolve().parents[2]))

from exercises.backpropagation.many_starts import train_starts
from exercises.backpropagation.xor_networks import (PLATEAUS, activity, as_stack, dark_points, loss_of_dark_points,
                                                    probability_of_truth, unit_kinds)
from exercises.common import Results, read_options, run_command, sweep
from lib.dataset import X, y
from lib.inspection.figures.base import pyplot
from lib.inspection.figures.boundary import plot_decision_boundary

SETTINGS = ((2, "scaffold"), (4, "scaffold"), (2, "He"), (4, "He"))
KINDS = ("bent", "duplicate", "linear", "dead")
TOLERANCE = 0.01


# %%
def why(model, losses):
    """Return for each run the reason why its loss isn't lower: "linear", "dark points" or "another".

    Args:
        model: a stack of networks.
        losses: their losses, (runs,).
    """
    active = activity(model)
    linear = np.isin(unit_kinds(active), ("linear", "dead")).all(axis=1)
    dark = np.abs(losses - loss_of_dark_points(dark_points(active))) < TOLERANCE
    # a network whose units are all dead is both: its four points are dark, and it is constant, hence linear
    return np.where(dark, "dark points", np.where(linear & (np.abs(losses - np.log(2)) < TOLERANCE), "linear",
                                                  "another"))


def cluster(losses, gap=0.02):
    """Return the clusters of numbers that lie at least a gap apart: a list of (median, count), ascending."""
    ordered = np.sort(losses)
    pieces = np.split(ordered, np.flatnonzero(np.diff(ordered) > gap) + 1)
    return [(float(np.median(piece)), len(piece)) for piece in pieces]


def table_of_clusters(runs, results):
    """Show at which losses the runs end, found without knowing the plateaus."""
    rows = []
    for run in runs:
        for median, count in cluster(run["losses"][-1]):
            nearest = min(PLATEAUS.items(), key=lambda item: abs(item[1] - median))
            rows.append([run["hidden"], run["initialization"], f"{median:.4f}", count, f"{nearest[1]:.4f}",
                         nearest[0]])
    results.table("clusters", ["hidden", "initialisation", "median loss", "runs", "nearest value", "its name"], rows)


def table_of_units(runs, results):
    """Show what the hidden units became, and which reason holds, by where the runs ended."""
    rows = []
    for run in runs:
        model, losses, ends = as_stack(run["parameters"]), run["losses"][-1], np.array(run["ends"])
        kinds, reasons = unit_kinds(activity(model)), why(model, losses)
        saturated = (probability_of_truth(model) > 0.99).sum(axis=1)
        for end in [*PLATEAUS, "elsewhere"]:
            mine = ends == end
            if mine.any():
                units, reason = Counter(kinds[mine].ravel().tolist()), Counter(reasons[mine].tolist())
                causes = ("dark points", "linear", "another")
                rows.append([run["hidden"], run["initialization"], end, int(mine.sum()),
                             *(units[kind] for kind in KINDS), f"{saturated[mine].mean():.2f}",
                             *(("", "", "") if end == "solved" else (reason[cause] for cause in causes))])
    results.table("units", ["hidden", "initialisation", "end", "runs", *(f"{kind} units" for kind in KINDS),
                            "points at P > 0.99", "dark points", "linear", "another reason"], rows)


def describe(model):
    """Print, for a stack of one network, which unit is active where, and the probability of each point's class."""
    active, truth = activity(model)[0], probability_of_truth(model)[0]
    for point, label, units, p in zip(X, y, active, truth):
        names = ", ".join(f"unit {j}" for j in np.flatnonzero(units)) or "none: dark"
        print(f"  point {point.tolist()}, class {label}: P(its class) = {p:.3f}; active: {names}")


def draw_examples(run):
    """Print and draw one example for each end: decision boundary, with each hidden unit's fold as a dashed line."""
    chosen = [(end, run["ends"].index(end)) for end in PLATEAUS if end in run["ends"]]
    figure, panels = pyplot().subplots(1, len(chosen), figsize=(4.0 * len(chosen), 3.6), squeeze=False,
                                       layout="constrained")
    for axes, (end, which) in zip(panels[0], chosen):
        stack = as_stack([values[which:which + 1] for values in run["parameters"]])
        print(f"\n{end}: seed {which}, loss {run['losses'][-1][which]:.4f}")
        describe(stack)
        model = as_stack([values[which] for values in run["parameters"]])
        plot_decision_boundary(model, X, y, axes=axes)
        draw_folds(axes, *(parameter.data for parameter in model.parameters()[:2]))
        axes.plot([], [], color="black", label="boundary: probability 1/2")
        axes.set_title(f"{end}: seed {which}, loss {run['losses'][-1][which]:.4f}", fontsize=10)
        handles, labels = axes.get_legend_handles_labels()
        axes.get_legend().remove()
    figure.legend(handles, labels, loc="outside lower center", ncol=len(handles), fontsize=9)
    return figure


def draw_folds(axes, W, b):
    """Draw where each hidden unit's input x W + b is zero, with an arrow to the side on which the unit is active."""
    limits = axes.get_xlim(), axes.get_ylim()
    for j in range(len(b)):
        length = np.hypot(*W[:, j])
        if length == 0:
            continue
        normal, foot = W[:, j] / length, 0.5 - (0.5 * W[:, j].sum() + b[j]) * W[:, j] / length ** 2
        along = np.array([-normal[1], normal[0]])
        axes.plot(*np.stack([foot - 5 * along, foot + 5 * along], axis=1), "--", color=f"C{j + 4}", linewidth=1.5,
                  label=f"unit {j}'s fold, arrow to where it is active")
        axes.annotate("", xy=foot + 0.15 * normal, xytext=foot, annotation_clip=True,
                      arrowprops={"arrowstyle": "->", "color": f"C{j + 4}"})
    axes.set(xlim=limits[0], ylim=limits[1])


# %%
def main(arguments=None):
    """Train, cluster, classify, draw."""
    options = read_options(__doc__, arguments)
    results = Results("backpropagation", options)
    starts, epochs = (100, 500) if options.quick else (1000, 3000)
    settings = [(hidden, kind, 1.0, starts, epochs, epochs) for hidden, kind in
                (SETTINGS[:1] if options.quick else SETTINGS)]
    runs = sweep(train_starts, settings, options.jobs, options.scheduler)
    print(f"Final losses of {starts} starts after {epochs} steps (lr 1), clustered:")
    table_of_clusters(runs, results)
    print("\nWhat the hidden units became (bent: active at some of the points and dark at the others):")
    table_of_units(runs, results)
    print("\nOne example of each end:")
    results.figure("plateaus", draw_examples(runs[0]))


if __name__ == "__main__":
    run_command(main)
