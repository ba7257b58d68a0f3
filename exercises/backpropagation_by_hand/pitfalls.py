# %% [markdown]
# # Three pitfalls
#
# The solution that goes round with the sheet gets the right number, because its only data point hides its mistakes.
# Written as modules, each mistake is one class, and the gradient checker names it.

# %%
"""Three mistakes in backpropagation that a single example hides, and what the gradient checker says of them."""
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np

if find_spec("lib") is None:  # started by its path, or as a notebook: the root folder is two above this one
    sys.path.append(str(Path(globals().get("__file__", "notebook")).resolve().parents[2]))

from exercises.common import read_options, run_command
from lib.layers import Linear, MeanSquaredError
from lib.network_base import is_loss


# %%
class ErrorWithoutMean(MeanSquaredError):
    """The derivative 2 (Y - T), without the 1/N of the mean: right for a single example with one output."""

    def backward(self, _=None):
        preds, difference = self.input_cache
        return 2 * difference


class LinearWithoutSum(Linear):
    """The bias gradient is left as one row for each example: a wrong shape, (N, m) instead of (m,)."""

    def backward(self, grad):
        self.W.grad += self.input_cache.T @ grad
        self.b.grad = self.b.grad + grad
        return grad @ self.W.data.T


class LinearForOneExample(Linear):
    """The weight gradient as an outer product of the one input row and the one upstream row."""

    def backward(self, grad):
        self.W.grad += np.outer(self.input_cache[0], grad[0])
        self.b.grad += grad.sum(axis=0)
        return grad @ self.W.data.T


def pitfalls():
    """Return (what, one example, five examples): what the gradient checker says of each mistake."""
    rng = np.random.default_rng(0)
    rows = []
    for module in (ErrorWithoutMean(), LinearWithoutSum(4, 6), LinearForOneExample(4, 6)):
        answers = []
        for examples in (1, 5):
            x = rng.standard_normal((examples, 4 if isinstance(module, Linear) else 1))
            args = (x, rng.standard_normal((examples, 1))) if is_loss(module) else (x,)
            try:
                module.check_gradients(args)
                answers.append("right")
            except RuntimeError as error:
                answers.append(str(error))
        rows.append((module, *answers))
    return rows


# %%
def main(arguments=None):
    """Show each mistake, and what is said of it."""
    read_options(__doc__, arguments)
    for module, one, five in pitfalls():
        print(f"\n--- {type(module).__name__}: {type(module).__doc__}")
        print(f"with 1 example: {one}\nwith 5 examples: {five}")


if __name__ == "__main__":
    run_command(main)
