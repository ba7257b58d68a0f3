"""Wrong implementations as students write them, and correct situations that checkers get wrong.

`python -m tests.mutants` prints the table: what our gradient checker catches and explains, and what others do.
"""
from tests.mutants import (convolutions, cross_entropy, leaky_relu, linear, linear_state, losses, normalization,
                           pooling, regularizers, relu, residual_flatten, sequences, sequential, sigmoid_tanh,
                           softmax, softplus_gelu)
from tests.mutants.bank import BANK, Mutant

__all__ = ["BANK", "Mutant", "convolutions", "cross_entropy", "leaky_relu", "linear", "linear_state", "losses",
           "normalization", "pooling", "regularizers", "relu", "residual_flatten", "sequences", "sequential",
           "sigmoid_tanh", "softmax", "softplus_gelu"]
