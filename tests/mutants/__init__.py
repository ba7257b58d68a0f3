"""Wrong implementations as students write them, and correct situations that checkers get wrong.

`python -m tests.mutants` prints the table: what our gradient checker catches and explains, and what others do.
"""
from tests.mutants import (containers, images, linear, losses, normalization, regularizers, relu, sequences,
                           smooth_activations)
from tests.mutants.bank import BANK, Mutant

__all__ = ["BANK", "Mutant", "containers", "images", "linear", "losses", "normalization", "regularizers", "relu",
           "sequences", "smooth_activations"]
