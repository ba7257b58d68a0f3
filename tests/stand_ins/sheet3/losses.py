"""A student's lib/losses.py of sheet 3: CrossEntropyLoss alone, derived from Module."""
import numpy as np

from lib.network_base import Module


class CrossEntropyLoss(Module):
    def __init__(self):
        super().__init__()
        self.input_cache = None

    def forward(self, preds, labels):
        assert len(preds.shape) == 2, f"Expected predictions of shape (N, K), got {preds.shape}"
        assert preds.shape == labels.shape, f"Expected labels of shape {preds.shape}, got {labels.shape}"
        shifted = preds - np.max(preds, axis=1, keepdims=True)
        log_softmax = shifted - np.log(np.sum(np.exp(shifted), axis=1, keepdims=True))
        self.input_cache = np.exp(log_softmax), labels
        return np.mean(-np.sum(labels * log_softmax, axis=1))

    def backward(self, _=None):
        softmax, labels = self.input_cache
        return (softmax - labels) / labels.shape[0]
