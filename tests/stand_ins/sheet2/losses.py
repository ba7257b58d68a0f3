"""A student's lib/losses.py of sheet 2: forward passes alone."""
import numpy as np

from lib.activations import Softmax
from lib.network_base import Module


class CrossEntropyLoss(Module):
    def forward(self, preds, labels):
        assert preds.ndim == 2, f"Expected predictions with 2 dimensions, got {preds.shape}"
        assert preds.shape == labels.shape, f"Expected labels of shape {preds.shape}, got {labels.shape}"
        return -np.sum(labels * np.log(Softmax()(preds))) / len(preds)


class MSELoss(Module):
    def forward(self, preds, labels):
        return np.sum((preds - labels) ** 2) / (2 * len(preds))
