# %% [markdown]
# # Optimisers compared on handwritten digits
#
# The same network, 784-30-10 with ReLU, is trained by gradient descent, by gradient descent with momentum, and by Adam.

# %%
"""Train MNIST's network by three optimisers, and save their learning curves for plot_trained_models."""
import sys
from importlib.util import find_spec
from pathlib import Path

if find_spec("lib") is None:  # started by its path, or as a notebook: the root folder is two above this one
    sys.path.append(str(Path(globals().get("__file__", "notebook")).resolve().parents[2]))

from exercises.common import read_options, run_command
from lib.training import compare_optimizers


# %%
def main(arguments=None):
    """Train, and print how each run ends."""
    read_options(__doc__, arguments)
    for name, (costs, _, _, val_accuracies) in compare_optimizers().items():
        print(f"{name:>12}: training cost {costs[-1]:.4f}, validation accuracy {val_accuracies[-1]:.4f}")


if __name__ == "__main__":
    run_command(main)
