# %% [markdown]
# # Learning rate schedules
#
# The learning rate of each epoch, as an exponential decay, in steps, and along half a cosine wave.

# %%
"""Draw the three learning rate schedules of lib.lr_schedulers."""
import sys
from importlib.util import find_spec
from pathlib import Path

if find_spec("lib") is None:  # started by its path, or as a notebook: the root folder is two above this one
    sys.path.append(str(Path(globals().get("__file__", "notebook")).resolve().parents[2]))

from exercises.common import Results, read_options, run_command
from lib.plot import plot_lr_schedules


# %%
def main(arguments=None):
    """Draw the figure."""
    Results("optimisation", read_options(__doc__, arguments)).figure("lr_schedules", plot_lr_schedules())


if __name__ == "__main__":
    run_command(main)
