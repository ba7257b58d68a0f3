"""Correct situations at kinks and ties, where the derivative jumps."""
from __future__ import annotations

import numpy as np

from lib.layers.activations import LeakyReLU
from lib.activations import ReLU
from lib.layers.losses import L1Loss
from lib.network import Linear, Sequential
from lib.layers.residual import Residual
from lib.network_base import Module, Parameter
from lib.layers.pooling import MaxPool2d
from lib.regularizers import L1Regularization
from tests.mutants.situation_bank import situation


def set_biases(model: Module, value: float) -> None:
    for param in model.parameters():
        if param.name == "b":
            param.data[...] = value


@situation
def xor_with_zero_biases(rng):
    """(0, 0) lies on the kinks of all hidden ReLUs, and the inputs are integers."""
    model = Sequential(Linear(2, 2, rng=rng), ReLU(), Linear(2, 2, rng=rng))
    set_biases(model, 0)
    return model, (np.array([[0, 0], [0, 1], [1, 0], [1, 1]]),)


@situation
def deep_xor_with_zero_biases(rng):
    """The same with three hidden layers: a kink behind kinks."""
    model = Sequential(Linear(2, 4, rng=rng), ReLU(), Linear(4, 4, rng=rng), ReLU(), Linear(4, 4, rng=rng), ReLU(),
                       Linear(4, 2, rng=rng))
    for param in model.parameters():
        param.data = rng.normal(size=param.data.shape)
    set_biases(model, 0)
    return model, (np.array([[0, 0], [0, 1], [1, 0], [1, 1]]),)


@situation
def integers_to_relu(rng):
    """Small integers, zero among them."""
    return ReLU(), (np.array([[-2, -1, 0], [1, 2, 3]]),)


@situation
def relu_at_zeros(rng):
    """All inputs lie on the kink."""
    return ReLU(), (np.zeros((3, 4)),)


@situation
def relu_close_to_zero(rng):
    """Inputs nearer to the kink than a usual step."""
    return ReLU(), (rng.choice([-1, 1], (3, 4)) * 10.0 ** rng.uniform(-9, -6, (3, 4)),)


@situation
def relu_with_slope_one_at_zero(rng):
    """Another convention: ReLU'(0) = 1."""

    class ReLUOne(ReLU):
        def backward(self, grad):
            return grad * (self.input_cache >= 0)

    x = rng.normal(size=(3, 4))
    x[0] = 0
    return ReLUOne(), (x,)


@situation
def relu_with_slope_half_at_zero(rng):
    """Another convention: ReLU'(0) = 1/2."""

    class ReLUHalf(ReLU):
        def backward(self, grad):
            return grad * np.heaviside(self.input_cache, 0.5)

    x = rng.normal(size=(3, 4))
    x[:, 1] = 0
    return ReLUHalf(), (x,)


@situation
def leaky_relu_at_zero(rng):
    """Zeros of both signs."""
    return LeakyReLU(0.1), (np.array([[0.0, -0.0, 1.0], [-1.0, 0.0, 2.0]]),)


@situation
def residual_around_relu_at_zero(rng):
    """A skip connection past a kink: the slopes are 1 and 2."""
    return Residual(ReLU()), (np.array([[0.0, 1.0, -1.0], [0.0, 0.0, 0.5]]),)


@situation
def dead_relus(rng):
    """No unit is on: the gradient is zero, rightly."""
    model = Sequential(Linear(3, 4, rng=rng), ReLU(), Linear(4, 2, rng=rng))
    model[0].b.data[...] = -50
    return model, (rng.uniform(-1, 1, (4, 3)),)


@situation
def negative_inputs_to_relu(rng):
    """Nothing gets through."""
    return ReLU(), (-rng.uniform(1, 2, (3, 3)),)


@situation
def equal_entries_in_max_pool(rng):
    """Integer images, in which most windows have several greatest pixels."""
    return MaxPool2d(2), (rng.integers(0, 3, (2, 2, 4, 4)),)


@situation
def constant_image_in_overlapping_max_pool(rng):
    """All pixels are equal, and windows overlap."""
    return MaxPool2d(3, stride=1), (np.ones((1, 2, 5, 5)),)


@situation
def max_pool_behind_relu(rng):
    """After ReLU, many windows hold nothing but zeros."""
    return Sequential(ReLU(), MaxPool2d(2)), (rng.normal(size=(2, 2, 4, 4)) - 1,)


@situation
def l1_loss_with_exact_hits(rng):
    """|0| has no derivative."""
    labels = rng.normal(size=(3, 2))
    preds = labels + rng.choice([0.0, 1.0], (3, 2))
    preds[0, 0] = labels[0, 0]
    return L1Loss(), (preds, labels)


@situation
def l1_penalty_at_zero_weights(rng):
    """The usual start of a bias, without any input."""
    weights = rng.normal(size=(3, 2))
    weights[1] = 0
    return L1Regularization(0.01, [Parameter(weights, name="W"), Parameter(np.zeros(2), name="b")]), ()


@situation
def clipping_at_its_bounds(rng):
    """A module of one's own with two kinks, and inputs on both."""

    class Clip(Module):
        def forward(self, x):
            self.input_cache = x
            return np.clip(x, -1, 1)

        def backward(self, grad):
            return grad * (np.abs(self.input_cache) < 1)

    return Clip(), (np.array([[-1.0, 1.0, 0.3], [1.5, -2.0, 1.0]]),)


@situation
def absolute_value_at_zero(rng):
    """The slope between -1 and 1 that sign takes is 0."""

    class Abs(Module):
        def forward(self, x):
            self.input_cache = x
            return np.abs(x)

        def backward(self, grad):
            return grad * np.sign(self.input_cache)

    return Abs(), (np.array([[0.0, 2.0], [-1.0, 0.0]]),)


@situation
def row_maximum_with_ties(rng):
    """max over a row in which the greatest number stands twice; the first one counts."""

    class RowMax(Module):
        def forward(self, x):
            self.input_cache = x
            return x.max(axis=1)

        def backward(self, grad):
            x = self.input_cache
            result = np.zeros(x.shape)
            result[np.arange(len(x)), x.argmax(axis=1)] = grad
            return result

    return RowMax(), (np.array([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0], [0.0, 1.0, -1.0]]),)
