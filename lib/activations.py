"""Activation functions: elementwise nonlinearities, and Softmax, which couples the entries of a row.

Elementwise, y = a(x) has a diagonal Jacobian: backward multiplies the upstream gradient by a'(x), entry by entry.
"""
from __future__ import annotations

from typing import Tuple

import numpy as np

from lib.network_base import Module
from lib.numerics import note_probabilities, stable_sigmoid
from lib.validation import checked_elementwise, checked_upstream_of_elementwise


class ReLU(Module):
    """Rectified linear unit: y = max(0, x); dy/dx = 1 where x > 0, and 0 elsewhere (at the kink x = 0, too)."""

    def forward(self, x: np.ndarray) -> np.ndarray:
        x = checked_elementwise(self, x)
        self.input_cache = x
        return np.maximum(x, 0.0)

    def backward(self, grad: np.ndarray) -> np.ndarray:
        grad = checked_upstream_of_elementwise(self, grad)
        # START TODO ################
        # Each output depends on its own input alone, so the chain rule is a product, entry by entry:
        # dL/dx = dL/dy * dy/dx, with dy/dx = 1 where the input was positive and 0 where it was not.
        # The mask looks at the input x of the forward pass, never at the gradient.
        return grad * (self.input_cache > 0)
        # END TODO ##################


Relu = ReLU  # the exercise sheet's text writes it so


class Sigmoid(Module):
    """Logistic function: y = 1 / (1 + exp(-x)); dy/dx = y (1 - y)."""

    @np.errstate(under="ignore")  # exp(-1000) is 0 to the last digit: that is the right result, not an error
    def forward(self, x: np.ndarray) -> np.ndarray:
        x = checked_elementwise(self, x)
        self.input_cache = x
        return note_probabilities(self, stable_sigmoid(x))

    @np.errstate(under="ignore")
    def backward(self, grad: np.ndarray) -> np.ndarray:
        grad = checked_upstream_of_elementwise(self, grad)
        y = stable_sigmoid(self.input_cache)
        return grad * y * (1 - y)


class Softmax(Module):
    """Probabilities from logits: y_i = exp(x_i) / sum_j exp(x_j), over all axes but the first (the batch).

    dy_i/dx_j = y_i (1[i = j] - y_j), so dL/dx_j = y_j (dL/dy_j - sum_i dL/dy_i y_i): every output depends on
    every input of its example. A vector counts as one example.
    """

    @staticmethod
    def _axes(x: np.ndarray) -> Tuple[int, ...]:
        return tuple(range(1, x.ndim)) or tuple(range(x.ndim))

    @np.errstate(under="ignore")
    def _probabilities(self, x: np.ndarray) -> np.ndarray:
        axes = self._axes(x)
        e = np.exp(x - x.max(axis=axes, keepdims=True))  # the shift cancels in the quotient and prevents overflow
        return e / e.sum(axis=axes, keepdims=True)

    def forward(self, x: np.ndarray) -> np.ndarray:
        x = checked_elementwise(self, x)
        self.input_cache = x
        return note_probabilities(self, self._probabilities(x))

    @np.errstate(under="ignore")
    def backward(self, grad: np.ndarray) -> np.ndarray:
        grad = checked_upstream_of_elementwise(self, grad)
        y = self._probabilities(self.input_cache)
        return y * (grad - (grad * y).sum(axis=self._axes(y), keepdims=True))
