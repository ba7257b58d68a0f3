"""Correct situations in which other checkers raise a false alarm: kinks, ties, precision, sizes, unusual modules.

Each function returns a right module and inputs; its docstring says what is difficult there.
"""
from __future__ import annotations

from typing import Any, Callable, List, Tuple

import numpy as np

from lib.activations import GELU, Identity, LeakyReLU, ReLU, Sigmoid, Softmax, Softplus, Tanh
from lib.attention import MultiHeadSelfAttention, SelfAttention
from lib.convolutions import Conv2d
from lib.embedding import Embedding
from lib.losses import BinaryCrossEntropyLoss, CrossEntropyLoss, L1Loss, MeanSquaredError, MSELoss
from lib.network import Flatten, Linear, Residual, Sequential
from lib.network_base import Module, Parameter
from lib.normalization import BatchNorm1d, BatchNorm2d, LayerNorm
from lib.pooling import AvgPool2d, MaxPool2d
from lib.regularizers import Dropout, L1Regularization, L2Regularization

Situation = Tuple[Module, Tuple[Any, ...]]
SITUATIONS: List[Callable[[np.random.Generator], Situation]] = []


def situation(make: Callable[[np.random.Generator], Situation]) -> Callable[[np.random.Generator], Situation]:
    """Put a function that returns (module, inputs) into the bank."""
    SITUATIONS.append(make)
    return make


def set_biases(model: Module, value: float) -> None:
    for param in model.parameters():
        if param.name == "b":
            param.data[...] = value


# ---------------------------------------------------------------------- kinks and ties


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


# ---------------------------------------------------------------------- precision and sizes


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


# ---------------------------------------------------------------------- shapes and memory


@situation
def batch_of_one(rng):
    """One example, three classes."""
    return Sequential(Linear(4, 3, rng=rng), Sigmoid(), Linear(3, 3, rng=rng)), (rng.normal(size=(1, 4)),)


@situation
def single_vector(rng):
    """An input without a batch axis."""
    return Linear(4, 3, rng=rng), (rng.normal(size=4),)


@situation
def transposed_view(rng):
    """An input that isn't contiguous, and mustn't be."""
    return Linear(4, 3, rng=rng), (rng.normal(size=(4, 6)).T,)


@situation
def every_other_row(rng):
    """A view with a stride, of a float32 array in Fortran's order."""
    return Tanh(), (np.asfortranarray(rng.normal(size=(8, 3)).astype(np.float32))[::2],)


@situation
def read_only_input(rng):
    """Data that may not be written to, as a memory-mapped file's."""
    x = rng.normal(size=(3, 4))
    x.flags.writeable = False
    return Sequential(Linear(4, 4, rng=rng), ReLU()), (x,)


@situation
def flatten_of_pictures(rng):
    """Four axes become two."""
    return Sequential(Flatten(), Linear(12, 2, rng=rng)), (rng.normal(size=(2, 3, 2, 2)),)


@situation
def convolution_of_an_empty_image(rng):
    """Zeros everywhere: behind the ReLU, all lies on the kink."""
    return Sequential(Conv2d(1, 2, 3, padding=1, rng=rng), ReLU(), AvgPool2d(2)), (np.zeros((1, 1, 4, 4)),)


@situation
def nested_networks(rng):
    """A Sequential in a Residual in a Sequential."""
    inner = Sequential(Linear(3, 3, rng=rng), ReLU(), Linear(3, 3, rng=rng))
    return Sequential(Linear(2, 3, rng=rng), Residual(inner), Tanh()), (rng.normal(size=(4, 2)),)


# ---------------------------------------------------------------------- state and randomness


@situation
def dropout_while_training(rng):
    """Another mask at each call."""
    return Dropout(0.5), (rng.normal(size=(4, 5)),)


@situation
def network_with_dropout(rng):
    """The same inside a network."""
    return Sequential(Linear(4, 6, rng=rng), Tanh(), Dropout(0.3), Linear(6, 2, rng=rng)), (rng.normal(size=(3, 4)),)


@situation
def batch_norm_of_two(rng):
    """With two examples, xhat is +-1 whatever they are: the derivative nearly vanishes."""
    return BatchNorm1d(3), (rng.normal(size=(2, 3)),)


@situation
def batch_norm_of_tiny_variance(rng):
    """A feature that hardly varies: the layer is very steep there."""
    return BatchNorm1d(3), (5 + 1e-3 * rng.normal(size=(6, 3)),)


@situation
def batch_norm_of_a_constant(rng):
    """A feature that doesn't vary at all."""
    x = rng.normal(size=(5, 3))
    x[:, 1] = 2
    return BatchNorm1d(3), (x,)


@situation
def batch_norm_of_pictures_evaluating(rng):
    """With running averages, which forward must not move."""
    return BatchNorm2d(2).eval(), (rng.normal(size=(2, 2, 3, 3)),)


@situation
def layer_norm_of_equal_features(rng):
    """A variance of zero, divided by the root of eps."""
    x = rng.normal(size=(3, 4))
    x[1] = 1
    return LayerNorm(4), (x,)


@situation
def sigmoid_that_caches_its_output(rng):
    """What is cached isn't the input, and input_cache stays None."""

    class OutputSigmoid(Module):
        def forward(self, x):
            self.y = 1 / (1 + np.exp(-x))
            return self.y

        def backward(self, grad):
            return grad * self.y * (1 - self.y)

    return OutputSigmoid(), (rng.normal(size=(3, 4)),)


@situation
def module_holding_functions(rng):
    """Lambdas, which pickle and some copies refuse."""

    class Elementwise(Module):
        def __init__(self, f, derivative):
            self.f, self.derivative = f, derivative

        def forward(self, x):
            self.input_cache = x
            return self.f(x)

        def backward(self, grad):
            return grad * self.derivative(self.input_cache)

    return Elementwise(lambda x: x ** 3, lambda x: 3 * x ** 2), (rng.normal(size=(3, 4)),)


@situation
def module_that_counts_its_calls(rng):
    """State that changes at each call, and doesn't matter."""

    class Counting(Linear):
        calls = 0

        def forward(self, x):
            self.calls += 1
            self.history = getattr(self, "history", []) + [x.mean()]
            return super().forward(x)

    return Counting(3, 2, rng=rng), (rng.normal(size=(4, 3)),)


@situation
def backward_that_returns_its_argument(rng):
    """No copy is made, which is allowed."""

    class Pass(Identity):
        def backward(self, grad):
            return grad

    return Sequential(Linear(3, 3, rng=rng), Pass()), (rng.normal(size=(2, 3)),)


@situation
def gradients_that_are_none(rng):
    """As in a scaffold whose parameters have no gradient until zero_grad."""
    linear = Linear(3, 2, rng=rng)
    linear.W.grad = linear.b.grad = None
    return linear, (rng.normal(size=(4, 3)),)


@situation
def gradients_left_over(rng):
    """What an earlier pass has left in the gradients."""
    model = Sequential(Linear(3, 4, rng=rng), Tanh(), Linear(4, 2, rng=rng))
    model.backward(np.ones(model(rng.normal(size=(5, 3))).shape))
    return model, (rng.normal(size=(4, 3)),)


@situation
def weights_that_are_shared(rng):
    """One parameter in two layers: it receives the sum."""
    first, second = Linear(3, 3, rng=rng), Linear(3, 3, rng=rng)
    second.W = first.W
    return Sequential(first, Tanh(), second), (rng.normal(size=(4, 3)),)


@situation
def all_weights_zero(rng):
    """A network in which most gradients are zero."""
    model = Sequential(Linear(3, 4, rng=rng), Tanh(), Linear(4, 2, rng=rng))
    for param in model.parameters():
        param.data[...] = 0
    return model, (rng.normal(size=(4, 3)),)


@situation
def embedding_with_repeats(rng):
    """Indices have no derivative, and some rows are used several times."""
    return Embedding(6, 3, rng=rng), (np.array([[1, 1, 5], [0, 1, 5]]),)


@situation
def l2_penalty_without_input(rng):
    """A module that is called with nothing."""
    return L2Regularization(0.5, Linear(3, 2, rng=rng).parameters()), ()


@situation
def sum_to_a_number(rng):
    """A module that isn't a loss and gives a single number: its upstream gradient counts."""

    class Sum(Module):
        def forward(self, x):
            self.input_cache = x
            return np.sum(x ** 2)

        def backward(self, grad=1.0):
            return grad * 2 * self.input_cache

    return Sum(), (rng.normal(size=(3, 4)),)


@situation
def causal_attention(rng):
    """Scores of minus infinity."""
    return SelfAttention(3, causal=True, rng=rng), (rng.normal(size=(2, 4, 3)),)


@situation
def attention_with_heads(rng):
    """Many matrices, one of them used three ways."""
    return MultiHeadSelfAttention(4, 2, rng=rng), (rng.normal(size=(2, 3, 4)),)
