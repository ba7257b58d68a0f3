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

from exercises.common import Steps, run_command
from exercises.pen_and_paper import (elementwise_jacobian, expression_a, expression_b, expression_c,
                                     linear_map_derivatives, sigmoid_derivative)
from lib.graph import exp, sigmoid, sin, sqrt, variable
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


steps = Steps("computational_graphs", __doc__)
x = variables("x", [0.5, 1.0, 2.0])


# %%
@steps.add
def two_functions(results, options):
    """a) The Jacobian of f."""
    return ["a)", jacobian(vector_function(*x), x)]


# %%
@steps.add
def elementwise_functions(results, options):
    """b) to d) One function for all entries: the Jacobian is diagonal; for any function, and for the logistic one."""
    return ["b)", elementwise_jacobian("a", 3), "c)", sigmoid_derivative(), "d)", jacobian([sigmoid(k) for k in x], x)]


# %%
@steps.add
def linear_map(results, options):
    """e) The derivatives of y = W x, and A dy/dw_ij."""
    return ["e)", linear_map_derivatives(2, 3)]


# %% [markdown]
# ## Part 2: three expressions
#
# Each is written down in `exercises/pen_and_paper.py` as it stands in the sheet; `explain` finds what occurs more than
# once.


# %%
def worked_through(name, expression, results):
    """Return an expression's intermediate variables, the products along its edges, the sums at its nodes, a drawing."""
    explanation = explain(expression)
    results.text(f"expression_{name}", explanation.markdown())
    drawing = draw(explanation)
    results.svg(f"expression_{name}", drawing)
    return [f"==== Expression {name}", explanation.intermediates(), explanation.edges(), explanation.sums()]


# %%
@steps.add
def expression_A(results, options):
    """e^a / sqrt(b) * log(a + b)."""
    return worked_through("A", expression_a(), results)


# %%
@steps.add
def expression_B(results, options):
    """sqrt(a + b + c^2) + log(a + b + c^2) + (a + b + c^2) / (b c^2)."""
    return worked_through("B", expression_b(), results)


# %%
@steps.add
def expression_C(results, options):
    """The sum of (w0 + w1 x_i - y_i)^2 over three points."""
    return worked_through("C", expression_c(), results)


# %%
main = steps.main

if __name__ == "__main__":
    run_command(main)
