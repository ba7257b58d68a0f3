"""A student's lib/utilities.py of sheet 2: the one function."""
import numpy as np


def one_hot_encoding(y, num_classes):
    return np.eye(num_classes)[y]
