# %% [markdown]
# # Ticket prices: the network's scheme, its graph and all derivatives
#
# The pen-and-paper part: the scheme with its dimensions, the computation graph with the shape of every term, the paths
# from the loss to each parameter, and the derivatives in matrix form. `lib.graph` writes all of it for five real
# passengers, a number that is none of the layers' sizes, so that no shape can be mistaken for another.

# %%
"""The ticket-price network as a scheme and as a graph, with shapes, paths and derivatives."""
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np

if find_spec("lib") is None:  # started by its path, or as a notebook: the root folder is two above this one
    sys.path.append(str(Path(globals().get("__file__", "notebook")).resolve().parents[2]))

from exercises.common import Steps, run_command
from exercises.pen_and_paper import ticket_network
from exercises.ticket_prices.train_network import Network, build_with_lib
from lib.data.titanic import load_titanic
from lib.graph import topological_order
from lib.graph.draw import draw
from lib.graph.draw.network import draw_network
from lib.graph.explain import explain

PASSENGERS = 5
PARAMETERS = ("W1", "b1", "W2", "b2")


steps = Steps("ticket_prices", __doc__)


# %%
def build_graph():
    """Return the loss as a graph, on the first passengers; its nodes are called as in the scheme."""
    data, network = load_titanic(), Network()
    parameters = [getattr(network, name) for name in PARAMETERS]
    return ticket_network(data.x[:PASSENGERS], data.y[:PASSENGERS], *parameters)


def build_scheme():
    """Return the network's scheme: 3 inputs, 4 hidden ReLU units, 1 output."""
    return draw_network(build_with_lib(Network()), inputs=["class", "age", "survived"], outputs=["fare"])


# %% [markdown]
# ## 1. The scheme: 3 inputs (class, age, survived), 4 hidden ReLU units, 1 output (fare)

# %%
@steps.add
def scheme(results, options):
    """Draw the scheme."""
    results.svg("scheme", build_scheme())


# %% [markdown]
# ## 2. The computation graph
#
# z1 = x W1 + b1 and h = relu(z1) are the hidden layer of the scheme, y_hat = h W2 + b2 is its output; e, s and L are
# the mean squared error.

# %%
@steps.add
def graph(results, options):
    """Draw the graph, with the shape of each term and its gradient, and write its variables."""
    explanation = explain(build_graph())
    results.svg("graph", draw(explanation))
    return explanation.intermediates()


# %% [markdown]
# ## 3. Paths, derivatives, shapes
#
# First in the short form; then the paths of chained partial derivatives, with the shape of each factor, reordered and
# transposed to one formula; then where the transposes come from.

# %%
@steps.add
def short_form(results, options):
    """Write the derivation as a tutor would."""
    explanation = explain(build_graph())
    results.text("derivation", explanation.markdown())
    return explanation


# %%
@steps.add
def paths(results, options):
    """Write the paths to each parameter."""
    explanation = explain(build_graph())
    return [explanation.paths(name) for name in PARAMETERS]


# %%
@steps.add
def matrices(results, options):
    """Write where the transposes come from."""
    return explain(build_graph()).matrices()


# %% [markdown]
# ## By hand and by the graph

# %%
@steps.add
def comparison(results, options):
    """Compare the graph's gradients with those of the class Network, written by hand."""
    network, data, loss = Network(), load_titanic(), build_graph()
    loss.backward()
    network.forward(data.x[:PASSENGERS])
    nodes = {node.name: node for node in topological_order(loss)}
    for name, by_hand in zip(PARAMETERS, network.backward(data.y[:PASSENGERS])):
        difference = np.abs(by_hand - nodes[name].grad).max()
        assert difference < 1e-9 * np.abs(by_hand).max(), f"dL/d{name} differs by {difference}"
        print(f"dL/d{name}: shape {by_hand.shape}, greatest difference {difference:.1e}")


# %%
main = steps.main

if __name__ == "__main__":
    run_command(main)
