# %% [markdown]
# # Linear regression, three times
#
# A straight line y = w0 + w1 x through 100 points: by gradient descent with derivatives worked out by hand, by gradient
# descent with the Educational Framework (EDF), and in closed form.
#
# The loss L = 1/N sum_i (w0 + w1 x_i - y_i)^2 has the derivatives
#
# $$\frac{\partial L}{\partial w_0} = \frac{2}{N} \sum_i (w_0 + w_1 x_i - y_i), \qquad
#   \frac{\partial L}{\partial w_1} = \frac{2}{N} \sum_i (w_0 + w_1 x_i - y_i) x_i.$$
#
# The course's points are not ours to ship. Ours: x from 0 to 10, y = 7 x + 50 with noise of standard deviation 8. Start
# (slope 4, offset 1), learning rate (1e-4) and the number of steps (100,000) are the sheet's.

# %%
"""Fit a line by gradient descent: by hand, by EDF, and in closed form."""
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np

if find_spec("lib") is None:  # started by its path, or as a notebook: the root folder is two above this one
    sys.path.append(str(Path(globals().get("__file__", "notebook")).resolve().parents[2]))

from exercises.common import Steps, run_command
from lib.graph import constant, edf, variable
from lib.inspection.figures.base import pyplot

START_SLOPE, START_OFFSET = 4.0, 1.0
LEARNING_RATE = 1e-4


# %%
def load_points(seed=0):
    """Return x and y, (100,) each: y = 7 x + 50 + 8 N(0, 1)."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(0, 10, 100)
    return x, 7 * x + 50 + 8 * rng.standard_normal(100)


def compute_derivatives(x, y, slope, offset_y):
    """Return (dL/dslope, dL/doffset) of the mean squared error, as floats."""
    # START TODO ################
    error = offset_y + slope * x - y
    return float(2 * np.mean(error * x)), float(2 * np.mean(error))
    # END TODO ##################


def train_by_hand(x, y, steps):
    """Return slope and offset after gradient descent with the derivatives from above."""
    slope, offset_y = START_SLOPE, START_OFFSET
    for _ in range(steps):
        slope_derivative, offset_derivative = compute_derivatives(x, y, slope, offset_y)
        slope -= LEARNING_RATE * slope_derivative
        offset_y -= LEARNING_RATE * offset_derivative
    return slope, offset_y


def train_by_edf(x, y, steps):
    """Return slope and offset after gradient descent by EDF, whose numbers are float32.

    L2Loss, the node that the sheet asks for, stands in lib/graph/edf/sheet.py. The mean over the points is
    taken by edf.Backward.
    """
    edf.learning_rate = LEARNING_RATE
    # START TODO ################
    edf.clear_compgraph()
    x_node, y_node = edf.Input(), edf.Input()
    params = edf.AffineParams(1, 1)
    loss = edf.L2Loss(y_node, edf.Affine(params, x_node))
    # END TODO ##################
    params.A.value[...], params.b.value[...] = START_SLOPE, START_OFFSET
    x_node.value, y_node.value = x.reshape(-1, 1).astype(edf.DT), y.reshape(-1, 1).astype(edf.DT)
    for _ in range(steps):
        edf.Forward()
        edf.Backward(loss)
        edf.UpdateParameters()
    return float(np.ravel(params.A.value)[0]), float(np.ravel(params.b.value)[0])


def closed_form(x, y):
    """Return the slope and offset at which both derivatives are zero."""
    slope = np.mean((x - x.mean()) * (y - y.mean())) / np.mean((x - x.mean()) ** 2)
    return float(slope), float(y.mean() - slope * x.mean())


# %%
def draw(x, y, lines):
    """Return a figure with the points and the fitted lines."""
    figure, axes = pyplot().subplots(figsize=(6, 4), layout="constrained")
    axes.scatter(x, y, s=12, color="grey", label="points")
    ends = np.array([0, 10])
    for (name, (slope, offset_y)), style in zip(lines.items(), (":", "-", "--", "-.")):
        axes.plot(ends, offset_y + slope * ends, style, label=name)
    axes.set(xlabel="x", ylabel="y")
    axes.legend()
    return figure


# %%
steps = Steps("computational_graphs", __doc__)


@steps.add
def derivation(results, options):
    """Derive the two derivatives, in the numbers of the start and the first three points."""
    x, y = (constant(each[:3], name=name) for each, name in zip(load_points(), "xy"))
    w0, w1 = variable(START_OFFSET, name="w0"), variable(START_SLOPE, name="w1")
    from lib.graph.explain import explain  # the students' version comes without it
    return explain((((w0 + w1 * x).named("y_hat") - y) ** 2).mean().named("L"))


# %%
@steps.add
def fitted(results, options):
    """Fit the line all ways, and compare."""
    count = 2000 if options.quick else 100000
    x, y = load_points()
    lines = {"start": (START_SLOPE, START_OFFSET), f"by hand, {count} steps": train_by_hand(x, y, count),
             f"EDF, {count} steps": train_by_edf(x, y, count), "closed form": closed_form(x, y)}
    rows = [[name, f"{slope:.4f}", f"{offset_y:.4f}", f"{np.mean((offset_y + slope * x - y) ** 2):.4f}"]
            for name, (slope, offset_y) in lines.items()]
    results.table("linear_regression", ["line", "slope", "offset", "mean squared error"], rows)
    results.figure("linear_regression", draw(x, y, lines))


# %%
main = steps.main

if __name__ == "__main__":
    run_command(main)
