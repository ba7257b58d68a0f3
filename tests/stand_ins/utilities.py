"""A student's lib/utilities.py of sheet 2."""
import numpy as np


def one_hot_encoding(y, num_classes):
    labels = np.zeros((len(y), num_classes))
    labels[np.arange(len(y)), y] = 1
    return labels
