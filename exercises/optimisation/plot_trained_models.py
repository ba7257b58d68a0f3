# %% [markdown]
# # Learning curves of the compared optimisers
#
# Training cost and validation accuracy after each epoch, of the runs that train_models has saved.

# %%
"""Draw the learning curves that train_models has saved."""
import sys
from importlib.util import find_spec
from pathlib import Path

if find_spec("lib") is None:  # started by its path, or as a notebook: the root folder is two above this one
    sys.path.append(str(Path(globals().get("__file__", "notebook")).resolve().parents[2]))

from exercises.common import Results, read_options, run_command
from lib.plot import plot_learning_curves


# %%
def main(arguments=None):
    """Draw the figure."""
    Results("optimisation", read_options(__doc__, arguments)).figure("learning_curves", plot_learning_curves())


if __name__ == "__main__":
    run_command(main)
