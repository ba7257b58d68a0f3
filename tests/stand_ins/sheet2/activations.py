"""A student's lib/activations.py of sheet 2: forward passes alone."""
import numpy as np

from lib.network_base import Module


class Sigmoid(Module):
    def forward(self, x):
        return 1 / (1 + np.exp(-x))


class ReLU(Module):
    def forward(self, x):
        return x * (x > 0)


class Softmax(Module):
    def forward(self, x):
        axes = tuple(range(1, x.ndim))
        e = np.exp(x - x.max(axis=axes, keepdims=True))
        return e / e.sum(axis=axes, keepdims=True)
