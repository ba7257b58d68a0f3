# %% [markdown]
# # A product with a derivative, by broadcasting
#
# For y = W x with W of shape (m, n), the entry y_k = sum_j w_kj x_j depends on w_ij only if k = i, and then by x_j:
# dy_k/dw_ij = x_j if k = i, else 0. A row vector A of shape (1, m) picks one entry of that:
# A dy/dw_ij = sum_k A_k dy_k/dw_ij = A_i x_j. All of them together are the (m, n) matrix of products of an entry of A
# with an entry of x.

# %%
"""The matrix of A dy/dw_ij for y = W x, by broadcasting instead of loops."""
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np

if find_spec("lib") is None:  # started by its path, or as a notebook: the root folder is two above this one
    sys.path.append(str(Path(globals().get("__file__", "notebook")).resolve().parents[2]))

from exercises.common import read_options, run_command
from lib.graph import variable
from lib.validation import InputError


# %%
def vector_derivative_product(A, x):
    """Return the matrix with the entries A dy/dw_ij for y = W x.

    Args:
        A: (1, m), usually dL/dy.
        x: (n,).

    Returns:
        (m, n), the entries A_i x_j.
    """
    A, x = np.asarray(A), np.asarray(x)
    if A.ndim != 2 or A.shape[0] != 1 or x.ndim != 1:
        raise InputError(f"vector_derivative_product expects A of shape (1, m) and x of shape (n,), but got {A.shape} "
                         f"and {x.shape}.")
    # START TODO ################
    # A column (m, 1) times a row (n,): broadcasting repeats both to (m, n).
    return A.T * x
    # END TODO ##################


# %%
def main(arguments=None):
    """Show the product for small numbers, and that a graph finds the same."""
    read_options(__doc__, arguments)
    A, x = np.array([[1.0, -2.0, 3.0]]), np.array([10.0, 20.0])
    print("A =", A, " x =", x)
    print("A dy/dw_ij =\n", vector_derivative_product(A, x), sep="")
    W = variable(np.random.default_rng(0).standard_normal((3, 2)), name="W")
    (A @ (W @ x)).sum().backward()
    print("difference to the gradient that a graph computes:", np.abs(W.grad - vector_derivative_product(A, x)).max())


if __name__ == "__main__":
    run_command(main)
