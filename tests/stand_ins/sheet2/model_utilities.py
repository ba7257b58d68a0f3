"""A student's lib/model_utilities.py of sheet 2."""
import numpy as np


def extract_hidden(full_model, x):
    linear, relu = full_model.modules[0], full_model.modules[1]
    linear.W.data = np.ones_like(linear.W.data)
    linear.b.data = np.array([0.0, -1.0])
    return relu(linear(x))
