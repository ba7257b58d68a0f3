# %% [markdown]
# # A network with a skip connection, by hand
#
# Three units in a row, with weights w0, w1, w2, and a skip connection of weight ws from unit 0 to unit 2; ReLU in units
# 0 and 1, no nonlinearity in unit 2, no biases; the loss is |y - y_hat|:
#
#     z0 = w0 x     h0 = relu(z0)     z1 = w1 h0     h1 = relu(z1)     y_hat = w2 h1 + ws h0     L = |y - y_hat|
#
# 1. Derive the gradients of the four weights.
# 2. What difference does the skip connection make when the error is propagated back?
# 3. Put in x = 1, y = -3, all weights 0.5; take one step with learning rate 1.
#
# Do it on paper first, and put your numbers into `YOUR_ANSWERS`: the program tells which line is the first wrong one.

# %%
"""The pen-and-paper task: gradients of a network with a skip connection, derived, checked, and compared without it."""
import sys
from importlib.util import find_spec
from pathlib import Path

if find_spec("lib") is None:  # started by its path, or as a notebook: the root folder is two above this one
    sys.path.append(str(Path(globals().get("__file__", "notebook")).resolve().parents[2]))

from exercises.common import Results, read_options, run_command
from lib.graph import topological_order
from lib.graph.answers import check_answers
from lib.graph.draw import draw
from lib.graph.draw.network import Column, Skip, draw_units
from lib.graph.explain import explain
from exercises.pen_and_paper import skip_network

LEARNING_RATE = 1
WEIGHTS = ("w0", "w1", "w2", "ws")

# START TODO ################
YOUR_ANSWERS = {
    # forward
    "z0": 1 / 2, "h0": 1 / 2, "z1": 1 / 4, "h1": 1 / 4, "y_hat": 3 / 8, "L": 27 / 8,
    # backward: y - y_hat is negative, so L = y_hat - y here
    "dL/dy_hat": 1,
    "dL/dw2": 1 / 4,  # dL/dy_hat * h1
    "dL/dws": 1 / 2,  # dL/dy_hat * h0
    "dL/dh1": 1 / 2,  # dL/dy_hat * w2
    "dL/dz1": 1 / 2,  # dL/dh1 * 1, as z1 > 0
    "dL/dw1": 1 / 4,  # dL/dz1 * h0
    "dL/dh0": 3 / 4,  # dL/dz1 * w1 + dL/dy_hat * ws: a sum, as h0 goes to two units
    "dL/dz0": 3 / 4,  # dL/dh0 * 1, as z0 > 0
    "dL/dw0": 3 / 4,  # dL/dz0 * x
    # one step
    "new w0": -1 / 4, "new w1": 1 / 4, "new w2": 1 / 4, "new ws": 0, "new L": 3,
}
# END TODO ##################


# %% [markdown]
# ## What the skip connection changes
#
# dL/dh0 is a sum over two paths: through unit 1, with the factors w2, relu'(z1) and w1, and straight, with the one
# factor ws. Each of the first three can be zero or small. So: the same network with and without the skip connection, in
# five situations.


# %%
def gradients(**weights):
    """Return dL/dw for each weight of the network at x = 1, y = -3; weights that aren't given are 0.5."""
    loss = skip_network(**weights)
    loss.backward()
    return {node.name: float(node.grad) for node in topological_order(loss) if node.name in WEIGHTS}


def with_and_without():
    """Return rows (situation, dL/dw0 with the skip connection, dL/dw0 without it)."""
    situations = [("as in the task", {}), ("w2 = 0", {"w2": 0.0}), ("w1 = 0", {"w1": 0.0}),
                  ("unit 1 dead: w1 = -0.5", {"w1": -0.5}), ("small weights: w1 = w2 = 0.01", {"w1": 0.01, "w2": 0.01})]
    return [[name, gradients(**weights)["w0"], gradients(**weights, ws=0.0)["w0"]] for name, weights in situations]


# %%
def main(arguments=None):
    """Derive, draw, check, compare."""
    options = read_options(__doc__, arguments)
    results = Results("backpropagation", options)
    loss = skip_network()
    explanation = explain(loss, learning_rate=LEARNING_RATE)

    print("1. and 3. Forward pass, backward pass, one step\n")
    for part in (explanation.intermediates(), explanation.forward(), explanation.edges(), explanation.sums(),
                 explanation.paths("w0"), explanation.step(LEARNING_RATE)):
        print(part, end="\n\n")
    results.text("pen_and_paper", explanation.markdown())
    results.svg("skip_graph", draw(loss))
    results.svg("skip_scheme", draw_units(
        [Column(["x"], "input", ["x = 1"]), Column(["0"], "unit 0", ["z0 = w0 x", "h0 = relu(z0)"], [["w0"]]),
         Column(["1"], "unit 1", ["z1 = w1 h0", "h1 = relu(z1)"], [["w1"]]),
         Column(["2"], "unit 2", ["y_hat = w2 h1 + ws h0"], [["w2"]])], skips=[Skip(1, 3, "ws")]))

    print("\nThe answers, checked\n")
    print(check_answers(loss, YOUR_ANSWERS, learning_rate=LEARNING_RATE))

    print("\n2. The gradient dL/dw0 with the skip connection, and without it (ws = 0)\n")
    results.table("skip_connection", ["situation", "dL/dw0 with ws = 0.5", "dL/dw0 with ws = 0"], with_and_without())


if __name__ == "__main__":
    run_command(main)
