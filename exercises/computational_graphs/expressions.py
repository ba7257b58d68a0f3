# %% [markdown]
# # Derivatives, and expressions taken apart
#
# Part 1: Jacobians, in symbols and in numbers. Part 2: three expressions, each cut into single operations, drawn, and
# differentiated backwards, with the products on every edge and the sums at every node.

# %%
"""Jacobians of small functions, and three expressions decomposed, drawn and differentiated."""
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np

if find_spec("lib") is None:  # started by its path, or as a notebook: the root folder is two above this one
    sys.path.append(str(Path(globals().get("__file__", "notebook")).resolve().parents[2]))

from exercises.common import Results, read_options, run_command
from lib.graph import exp, log, sigmoid, sin, sqrt, variable
from lib.graph.draw import draw
from lib.graph.explain import explain, jacobian

# %% [markdown]
# ## Part 1: derivatives
#
# a) f(x) = (exp(x1) sin(x3), sqrt(x2 + x3)). b) a function applied to each entry: the Jacobian is diagonal. c), d) the
# same
# for the logistic function, whose derivative is sigma (1 - sigma). e) y = W x: dy/dx = W; y_k depends on w_ij only if
# k = i, and then by x_j; so A dy/dw_ij = A_i x_j (see vector_derivative_product.py). Here with m = 2, n = 3.


# %%
def variables(prefix, values):
    """Return named variables for the entries of a vector (x1, x2, ...) or a matrix (w11, w12, ...)."""
    return [variable(value, name=prefix + "".join(str(i + 1) for i in index))
            for index, value in np.ndenumerate(np.asarray(values, dtype=float))]


def vector_function(x1, x2, x3):
    """Return the entries of f(x) = (exp(x1) sin(x3), sqrt(x2 + x3))."""
    # START TODO ################
    return [exp(x1) * sin(x3), sqrt(x2 + x3)]
    # END TODO ##################


def derivatives():
    """Print the Jacobians of part 1, and what A dy/dw_ij is."""
    x = variables("x", [0.5, 1.0, 2.0])
    print("a)", jacobian(vector_function(*x), x), sep="\n")
    print("\nb) with exp as the function of each entry", jacobian([exp(entry) for entry in x], x), sep="\n")
    print("\nc)", jacobian([sigmoid(x[0])], x[:1], name="sigma"), sep="\n")
    print("\nd)", jacobian([sigmoid(entry) for entry in x], x), sep="\n")

    w, a = variables("w", [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), variables("a", [10.0, 100.0])
    y = [row[0] * x[0] + row[1] * x[1] + row[2] * x[2] for row in (w[:3], w[3:])]
    print("\ne) i) y = W x by x", jacobian(y, x, name="y"), sep="\n")
    print("\ne) ii) y = W x by the entries of W", jacobian(y, w, name="y"), sep="\n")
    print("\ne) iii) A y = sum_k a_k y_k by the entries of W", jacobian([a[0] * y[0] + a[1] * y[1]], w, name="Ay"),
          sep="\n")


# %% [markdown]
# ## Part 2: three expressions


# %%
def expression_a():
    """Return e^a / sqrt(b) * log(a + b)."""
    a, b = variable(1.0, name="a"), variable(4.0, name="b")
    # START TODO ################
    return (exp(a) / sqrt(b) * log(a + b)).named("A")
    # END TODO ##################


def expression_b():
    """Return sqrt(a + b + c^2) + log(a + b + c^2) + (a + b + c^2) / (b c^2); a + b + c^2 is computed once."""
    a, b, c = variable(1.0, name="a"), variable(4.0, name="b"), variable(2.0, name="c")
    # START TODO ################
    # Written as it stands in the sheet; explain() finds what occurs more than once.
    return (sqrt(a + b + c ** 2) + log(a + b + c ** 2) + (a + b + c ** 2) / (b * c ** 2)).named("B")
    # END TODO ##################


def expression_c():
    """Return sum_i (w0 + w1 x_i - y_i)^2 over three points."""
    w0, w1 = variable(0.5, name="w0"), variable(2.0, name="w1")
    points = [(variable(x, name=f"x{i}"), variable(y, name=f"y{i}"))
              for i, (x, y) in enumerate([(1.0, 2.0), (2.0, 5.0), (3.0, 6.0)], start=1)]
    # START TODO ################
    squares = [(w0 + w1 * x - y) ** 2 for x, y in points]
    return (squares[0] + squares[1] + squares[2]).named("C")
    # END TODO ##################


def main(arguments=None):
    """Print all derivations, and draw the graphs."""
    options = read_options(__doc__, arguments)
    results = Results("computational_graphs", options)
    derivatives()
    for name, expression in (("A", expression_a()), ("B", expression_b()), ("C", expression_c())):
        print(f"\n==== Expression {name}")
        explanation = explain(expression)
        for part in (explanation.intermediates(), explanation.edges(), explanation.sums()):
            print(part)
        results.text(f"expression_{name}", explanation.markdown())
        explanation.output.backward()
        results.svg(f"expression_{name}", draw(explanation.output))


if __name__ == "__main__":
    run_command(main)
