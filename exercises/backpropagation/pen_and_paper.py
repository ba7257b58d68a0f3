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

from exercises.common import Steps, run_command, show
from lib.graph import topological_order
from lib.graph.answers import check_answers
from lib.graph.draw import draw
from lib.graph.explain import explain
from exercises.pen_and_paper import skip_network, skip_scheme

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


# %% [markdown]
# ## 1. and 3. Forward pass, backward pass, one step

# %%
steps = Steps("backpropagation", __doc__)


@steps.add
def drawings(results, options):
    """Draw the network's scheme and its graph."""
    results.svg("skip_scheme", skip_scheme())
    results.svg("skip_graph", draw(explain(skip_network())))


# %%
@steps.add
def short_form(results, options):
    """Write the derivation as a tutor would, with one step of gradient descent."""
    explanation = explain(skip_network(), learning_rate=LEARNING_RATE)
    results.text("pen_and_paper", explanation.markdown())
    return explanation


# %%
@steps.add
def every_edge(results, options):
    """Write what each node sends along each of its edges."""
    return explain(skip_network()).edges()


# %% [markdown]
# ## The answers, checked

# %%
@steps.add
def checked(results, options):
    """Check the answers above."""
    return check_answers(skip_network(), YOUR_ANSWERS, learning_rate=LEARNING_RATE)


# %% [markdown]
# ## 2. The gradient dL/dw0 with the skip connection, and without it (ws = 0)

# %%
@steps.add
def what_the_skip_connection_changes(results, options):
    """Write the paths to w0, and compare its gradient with and without the skip connection."""
    show(explain(skip_network()).paths("w0"))
    results.table("skip_connection", ["situation", "dL/dw0 with ws = 0.5", "dL/dw0 with ws = 0"], with_and_without())


# %%
main = steps.main

if __name__ == "__main__":
    run_command(main)
