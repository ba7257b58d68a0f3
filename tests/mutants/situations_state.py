"""Correct situations with unusual shapes, memory, state and randomness."""
from __future__ import annotations

import numpy as np

from lib.layers.activations import Identity, Tanh
from lib.activations import ReLU, Sigmoid, Softmax
from lib.layers.attention import MultiHeadSelfAttention, SelfAttention
from lib.convolutions import Conv2d
from lib.layers.embedding import Embedding
from lib.convolutions import Flatten
from lib.network import Linear, Sequential
from lib.layers.residual import Residual
from lib.network_base import Module
from lib.layers.normalization import BatchNorm1d, BatchNorm2d, LayerNorm
from lib.layers.pooling import AvgPool2d
from lib.regularizers import Dropout, L2Regularization
from tests.mutants.situation_bank import situation


@situation
def batch_of_one(rng):
    """One example, three classes."""
    return Sequential(Linear(4, 3, rng=rng), Sigmoid(), Linear(3, 3, rng=rng)), (rng.normal(size=(1, 4)),)


@situation
def single_vector(rng):
    """An input without a batch axis, for a module that takes one."""
    return Softmax(), (rng.normal(size=4),)


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
