"""Correct situations with float32, large layers, huge and tiny numbers, and saturated units."""
from __future__ import annotations

import numpy as np

from lib.layers.activations import GELU, Softplus, Tanh
from lib.activations import ReLU, Sigmoid, Softmax
from lib.layers.losses import BinaryCrossEntropyLoss, MeanSquaredError
from lib.losses import CrossEntropyLoss, MSELoss
from lib.network import Linear, Sequential
from lib.network_base import Module
from lib.layers.normalization import BatchNorm1d
from tests.mutants.situation_bank import situation


@situation
def float32_network(rng):
    """Seven digits are all there is."""
    model = Sequential(Linear(5, 6, rng=rng), Tanh(), Linear(6, 3, rng=rng)).astype(np.float32)
    return model, (rng.normal(size=(4, 5)).astype(np.float32),)


@situation
def float32_cross_entropy(rng):
    """Logits in float32, labels in integers."""
    return CrossEntropyLoss(), (rng.normal(size=(6, 4)).astype(np.float32), np.eye(4, dtype=int)[[0, 1, 2, 3, 1, 2]])


@situation
def float32_relu_with_zeros(rng):
    """Kinks in float32."""
    x = rng.normal(size=(4, 5)).astype(np.float32)
    x[x < 0.3] = 0
    return ReLU(), (x,)


@situation
def float32_batch_norm(rng):
    """A division by a standard deviation, in float32."""
    return BatchNorm1d(3).astype(np.float32), (rng.normal(5, 0.1, size=(8, 3)).astype(np.float32),)


@situation
def loss_around_a_million(rng):
    """A small step changes the loss in its last digits only."""
    return MSELoss(), (1000 * rng.normal(1, 0.3, (4, 3)), np.zeros((4, 3)))


@situation
def loss_around_a_millionth(rng):
    """Gradients smaller than many a tolerance."""
    labels = rng.normal(size=(4, 3))
    return MSELoss(), (labels + 1e-3 * rng.normal(size=(4, 3)), labels)


@situation
def confident_cross_entropy(rng):
    """A loss of 1e-6: nearly everything is known."""
    labels = np.eye(3)[[0, 2, 1, 1]]
    return CrossEntropyLoss(), (14 * labels + 0.1 * rng.normal(size=(4, 3)), labels)


@situation
def mean_squared_error_of_house_prices(rng):
    """Predictions in the hundred thousands."""
    return MeanSquaredError(), (rng.uniform(1e5, 9e5, (6, 1)), rng.uniform(1e5, 9e5, (6, 1)))


@situation
def wide_layer(rng):
    """Sums over many entries, whose rounding errors add up."""
    return Linear(300, 60, rng=rng), (rng.normal(size=(3, 300)),)


@situation
def wide_network_on_pictures(rng):
    """196-20-10 with ReLU, where most pixels are 0."""
    x = rng.uniform(0, 1, (6, 196)) * (rng.uniform(size=(6, 196)) < 0.2)
    return Sequential(Linear(196, 20, rng=rng), ReLU(), Linear(20, 10, rng=rng)), (x,)


@situation
def tiny_inputs(rng):
    """Inputs far below any fixed step."""
    return Tanh(), (1e-8 * rng.normal(size=(3, 4)),)


@situation
def tiny_inputs_to_a_network(rng):
    """The same, in a network."""
    return Sequential(Linear(4, 5, rng=rng), Sigmoid(), Linear(5, 2, rng=rng)), (1e-9 * rng.normal(size=(3, 4)),)


@situation
def huge_inputs_to_linear(rng):
    """A step of 1e-6 is lost in the rounding of 1e8."""
    return Linear(4, 3, rng=rng), (1e8 * rng.normal(size=(3, 4)),)


@situation
def huge_inputs_to_relu(rng):
    """Inputs around 1e12."""
    return ReLU(), (1e12 * rng.normal(size=(3, 4)),)


@situation
def columns_of_different_sizes(rng):
    """Features from 1e-4 to 1e4, not normalised."""
    return Sequential(Linear(4, 3, rng=rng), Tanh()), (rng.normal(size=(5, 4)) * np.array([1e-4, 1.0, 1e2, 1e4]),)


@situation
def logarithm_close_to_zero(rng):
    """A step that isn't scaled to the value leaves the domain."""

    class Log(Module):
        def forward(self, x):
            self.input_cache = x
            return np.log(x)

        def backward(self, grad):
            return grad / self.input_cache

    return Log(), (10.0 ** rng.uniform(-5, 0, (3, 4)),)


@situation
def steep_exponential(rng):
    """Outputs from 1e-13 to 1e13, side by side."""

    class Exp(Module):
        def forward(self, x):
            self.output = np.exp(x)
            return self.output

        def backward(self, grad):
            return grad * self.output

    return Exp(), (rng.uniform(-30, 30, (3, 4)),)


@situation
def fast_oscillation(rng):
    """sin(100 x): differences with large steps see nothing of it."""

    class Sine(Module):
        def forward(self, x):
            self.input_cache = x
            return np.sin(100 * x)

        def backward(self, grad):
            return 100 * grad * np.cos(100 * self.input_cache)

    return Sine(), (rng.uniform(-1, 1, (3, 4)),)


# ---------------------------------------------------------------------- saturation


@situation
def saturated_sigmoid(rng):
    """Slopes of exp(-50)."""
    return Sigmoid(), (np.array([[-50.0, 50.0, 0.0], [30.0, -30.0, 1000.0]]),)


@situation
def saturated_softmax(rng):
    """Logits of +-50: one class has it all."""
    return Softmax(), (rng.choice([-50.0, 50.0], (3, 4)) + rng.normal(size=(3, 4)),)


@situation
def big_logits_in_cross_entropy(rng):
    """Logits of +-1000, right and wrong predictions among them."""
    logits = rng.choice([-1000.0, 1000.0], (4, 3)) + rng.normal(size=(4, 3))
    return CrossEntropyLoss(), (logits, np.eye(3)[[0, 1, 2, 0]])


@situation
def tie_of_big_logits(rng):
    """Equal logits in the maximum that shifts the softmax."""
    return CrossEntropyLoss(), (np.full((2, 3), 500.0), np.eye(3)[[0, 1]])


@situation
def big_logits_in_binary_cross_entropy(rng):
    """Logits of +-60."""
    logits = np.array([[60.0], [-60.0], [0.0], [60.0]])
    return BinaryCrossEntropyLoss(), (logits, np.array([[1.0], [1.0], [0.0], [0.0]]))


@situation
def softplus_far_out(rng):
    """exp(800) isn't a number any more."""
    return Softplus(), (np.array([[800.0, -800.0, 0.0, 20.0]]),)


@situation
def gelu_far_out(rng):
    """Zero on one side, the identity on the other."""
    return GELU("tanh"), (np.array([[40.0, -40.0, 0.0, 3.0], [1e-3, -6.0, 6.0, -1.0]]),)
