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

from exercises.common import Results, read_options, run_command
from exercises.ticket_prices.train_network import Network, build_with_lib
from lib.data.titanic import load_titanic
from lib.graph import constant, relu, topological_order, variable
from lib.graph.draw import draw
from lib.graph.draw.network import draw_network
from lib.graph.explain import explain

PASSENGERS = 5
PARAMETERS = ("W1", "b1", "W2", "b2")


# %%
def build_graph():
    """Return the loss as a graph: z1 = x W1 + b1, h = relu(z1), y_hat = h W2 + b2, L = mean of (y_hat - y)^2."""
    data, network = load_titanic(), Network()
    x = constant(data.x[:PASSENGERS], name="x")
    y = constant(data.y[:PASSENGERS], name="y")
    W1, b1, W2, b2 = (variable(getattr(network, name), name=name) for name in PARAMETERS)
    z1 = (x @ W1 + b1).named("z1")
    h = relu(z1).named("h")
    y_hat = (h @ W2 + b2).named("y_hat")
    return ((y_hat - y) ** 2).mean().named("L")


def main(arguments=None):
    """Draw the scheme and the graph, and write the derivation."""
    options = read_options(__doc__, arguments)
    results = Results("ticket_prices", options)

    print("1. The scheme: 3 inputs (class, age, survived), 4 hidden ReLU units, 1 output (fare)")
    results.svg("scheme", draw_network(build_with_lib(Network()), inputs=["class", "age", "survived"],
                                       outputs=["fare"]))

    print("\n2. The computation graph")
    loss = build_graph()
    loss.backward()
    explanation = explain(loss)
    print(explanation.intermediates())
    results.svg("graph", draw(loss))

    print("\n3. Paths, derivatives, shapes")
    for name in PARAMETERS:
        print(explanation.paths(name))
    print(explanation.matrices())
    results.text("derivation", explanation.markdown())

    network, data = Network(), load_titanic()
    network.forward(data.x[:PASSENGERS])
    nodes = {node.name: node for node in topological_order(loss)}
    print("By hand and by the graph:")
    for name, by_hand in zip(PARAMETERS, network.backward(data.y[:PASSENGERS])):
        difference = np.abs(by_hand - nodes[name].grad).max()
        assert difference < 1e-9 * np.abs(by_hand).max(), f"dL/d{name} differs by {difference}"
        print(f"dL/d{name}: shape {by_hand.shape}, greatest difference {difference:.1e}")


if __name__ == "__main__":
    run_command(main)
