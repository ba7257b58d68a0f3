# %% [markdown]
# # Backpropagation through a network with 50 hidden units, quantity by quantity
#
# For one test point x and its target y, with column vectors as the sheet has them:
#
# | forward | shape | | backward: delta_v = dl/dv | shape |
# | --- | --- | --- | --- | --- |
# | $z_1 = W_1^T x$ | (50,) | | $\delta_l = 1$ | () |
# | $z_2 = z_1 + b_1$ | (50,) | | $\delta_{\hat y} = -2 (y - \hat y)$ | (1,) |
# | $z_3 = \sigma(z_2)$ | (50,) | | $\delta_y = 2 (y - \hat y)$ | (1,) |
# | $z_4 = W_2^T z_3$ | (1,) | | $\delta_{b_2} = \delta_{z_4} = \delta_{\hat y}$ | (1,) |
# | $\hat y = z_4 + b_2$ | (1,) | | $\delta_{W_2} = z_3 \delta_{z_4}^T$ | (50, 1) |
# | $l = (y - \hat y)^2$ | () | | $\delta_{z_3} = W_2 \delta_{z_4}$ | (50,) |
# | | | | $\delta_{z_2} = \delta_{z_3} \odot z_3 \odot (1 - z_3)$ | (50,) |
# | | | | $\delta_{b_1} = \delta_{z_1} = \delta_{z_2}$ | (50,) |
# | | | | $\delta_{W_1} = x \delta_{z_1}^T$ | (1, 50) |
# | | | | $\delta_x = W_1 \delta_{z_1}$ | (1,) |
#
# Where they come from: each node of the backward graph multiplies what arrives by the derivative of its operation. An
# addition hands it on unchanged, so b and z share theirs. Of z4 = sum_k W2_k z3_k, the derivative by W2_k is z3_k, and
# the one by z3_k is W2_k. The logistic function acts entry by entry; its derivative is sigma (1 - sigma).

# %%
"""All forward and backward quantities of a network with 50 hidden units at one point, by hand and by the graph."""
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np

if find_spec("lib") is None:  # started by its path, or as a notebook: the root folder is two above this one
    sys.path.append(str(Path(globals().get("__file__", "notebook")).resolve().parents[2]))

from exercises.common import Steps, run_command
from exercises.fitting_functions.fit_sine import rebuild, train_once
from exercises.pen_and_paper import mlp_regression
from lib.data.regression import load_regression_data
from lib.graph import topological_order
from lib.graph.draw import draw_forward_and_backward
from lib.graph.explain import explain

HIDDEN = 50
TEST_POINT = 42  # which of the 123 test points: any will do


# %%
def forward_by_hand(x, y, W1, b1, W2, b2):
    """Return the quantities of the forward pass, in order."""
    # START TODO ################
    z1 = W1.T @ x
    z2 = z1 + b1
    z3 = 1 / (1 + np.exp(-z2))
    z4 = W2.T @ z3
    y_hat = z4 + b2
    return {"z1": z1, "z2": z2, "z3": z3, "z4": z4, "y_hat": y_hat, "l": ((y - y_hat) ** 2)[0]}
    # END TODO ##################


def backward_by_hand(x, y, W1, W2, z):
    """Return dl/dv for every quantity v, in the order of the backward pass; z is what the forward pass returned."""
    # START TODO ################
    delta = {"l": np.ones(())}
    delta["y_hat"] = delta["l"] * -2 * (y - z["y_hat"])
    delta["y"] = delta["l"] * 2 * (y - z["y_hat"])
    delta["b2"] = delta["y_hat"]
    delta["z4"] = delta["y_hat"]
    delta["W2"] = np.outer(z["z3"], delta["z4"])
    delta["z3"] = W2 @ delta["z4"]
    delta["z2"] = delta["z3"] * z["z3"] * (1 - z["z3"])
    delta["b1"] = delta["z2"]
    delta["z1"] = delta["z2"]
    delta["W1"] = np.outer(x, delta["z1"])
    delta["x"] = W1 @ delta["z1"]
    return delta
    # END TODO ##################


def by_graph(x, y, W1, b1, W2, b2):
    """Return the graph's nodes by name, after backward."""
    loss = mlp_regression(x, y, W1, b1, W2, b2)
    loss.backward()
    return {node.name: node for node in topological_order(loss) if node.name}


# %%
steps = Steps("fitting_functions", __doc__)
point = {}  # the trained parameters and the test point


@steps.add
def the_point(results, options):
    """Train the network, and take a test point."""
    run = train_once(((HIDDEN,), "logistic", "BFGS", 0, 100 if options.quick else 10000))
    point.update({name: parameter.data for name, parameter in zip(
        ("W1", "b1", "W2", "b2"), rebuild((HIDDEN,), "logistic", run).parameters())})
    _, _, x_test, y_test = load_regression_data()
    point.update(x=x_test[TEST_POINT], y=y_test[TEST_POINT])
    return f"x = {point['x'][0]:.4f}, y = {point['y'][0]:.4f}"


# %%
@steps.add
def both_ways(results, options):
    """Compute everything by hand and by the graph, and compare."""
    forward = forward_by_hand(**point)
    backward = backward_by_hand(point["x"], point["y"], point["W1"], point["W2"], forward)
    nodes = by_graph(**point)

    def row(name, mine, graphs):
        difference = np.max(np.abs(mine - graphs))
        assert difference <= 1e-12 * max(1.0, float(np.max(np.abs(graphs)))), f"{name} differs by {difference}"
        first = np.ravel(mine)[0]
        return [name, str(np.shape(mine)), f"{first:.6g}", f"{difference:.1e}"]

    rows = [row(name, value, nodes[name].value) for name, value in forward.items()]
    rows += [row(f"delta {name}", value, nodes[name].grad) for name, value in backward.items()]
    results.table("backward_quantities", ["quantity", "shape", "first entry", "difference to the graph's"], rows)


# %%
@steps.add
def derived(results, options):
    """Write the derivation, as the graph has it."""
    return explain(mlp_regression(**point))


# %%
@steps.add
def drawn(results, options):
    """Draw the forward and the backward graph."""
    results.svg("forward_and_backward_graph", draw_forward_and_backward(mlp_regression(**point)))


# %%
main = steps.main

if __name__ == "__main__":
    run_command(main)
