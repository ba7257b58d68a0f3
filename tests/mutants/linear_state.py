"""More wrong Linear layers: what they change, cache, round or forget; and linear layers of one's own."""
from __future__ import annotations

import numpy as np

from lib.network import Linear
from lib.network_base import Module, Parameter
from tests.mutants.bank import mutant
from tests.mutants.linear import batch_of_four, square


@mutant("changes_parameter")
class LinearLearnsAtOnce(Linear):
    """The step of gradient descent is done here and now."""

    def backward(self, grad):
        dx = grad @ self.W.data.T
        self.W.grad += self.input_cache.T @ grad
        self.b.grad += grad.sum(axis=0)
        self.W.data -= 0.1 * self.W.grad
        self.b.data -= 0.1 * self.b.grad
        return dx


@mutant("changes_input")
class LinearCentresInput(Linear):
    """The inputs are centred in place, in backward."""

    def backward(self, grad):
        self.W.grad += self.input_cache.T @ grad
        self.b.grad += grad.sum(axis=0)
        self.input_cache -= self.input_cache.mean(axis=0)
        return grad @ self.W.data.T


@mutant("upstream_not_linear", "wrong_formula")
class LinearAddsBiasBack(Linear):
    """backward as a linear layer of its own, bias included."""

    def backward(self, grad):
        self.W.grad += self.input_cache.T @ grad
        self.b.grad += grad.sum(axis=0)
        return grad @ self.W.data.T + self.b.data.mean()


@mutant("output_for_input", "wrong_formula", situation=square)
class LinearCachesOutput(Linear):
    """Caches z instead of x."""

    def forward(self, x):
        self.input_cache = x @ self.W.data + self.b.data
        return self.input_cache

    def backward(self, grad):
        self.W.grad += self.input_cache.T @ grad
        self.b.grad += grad.sum(axis=0)
        return grad @ self.W.data.T


@mutant("upstream_squared")
class LinearBiasSquared(Linear):
    """The bias gradient is a sum of squares."""

    def backward(self, grad):
        self.W.grad += self.input_cache.T @ grad
        self.b.grad += (grad * grad).sum(axis=0)
        return grad @ self.W.data.T


@mutant("upstream_absolute")
class LinearBiasAbsolute(Linear):
    """The bias gradient is a sum of absolute values."""

    def backward(self, grad):
        self.W.grad += self.input_cache.T @ grad
        self.b.grad += np.abs(grad).sum(axis=0)
        return grad @ self.W.data.T


@mutant("single_entries", "zeros")
class LinearLastColumn(Linear):
    """A loop over the outputs that ends one too early."""

    def backward(self, grad):
        for j in range(self.out_features - 1):
            self.W.grad[:, j] += self.input_cache.T @ grad[:, j]
        self.b.grad += grad.sum(axis=0)
        return grad @ self.W.data.T


@mutant("single_entries", "factor")
class LinearOneEntry(Linear):
    """A single entry is off by one percent."""

    def backward(self, grad):
        dx = super().backward(grad)
        dx[-1, 3] *= 1.01
        return dx


@mutant("exception", example=2)
class LinearSqueezes(Linear):
    """np.squeeze makes vectors of a batch of one."""

    def backward(self, grad):
        x, grad = np.squeeze(self.input_cache), np.squeeze(grad)
        self.W.grad += x.T @ grad
        self.b.grad += grad.sum(axis=0)
        return grad @ self.W.data.T


@mutant("exception", situation=batch_of_four)
class LinearSqueezesBatch(LinearSqueezes):
    """The same, checked on a larger batch, on which it is right."""


@mutant("zeros", "one_sample", situation=batch_of_four)
class LinearBatchOfOne(Linear):
    """Takes a batch of one for no batch at all, and leaves the parameters as they are."""

    def backward(self, grad):
        if grad.shape[0] > 1:
            self.W.grad += self.input_cache.T @ grad
            self.b.grad += grad.sum(axis=0)
        return grad @ self.W.data.T


@mutant("unfinished", "returned_none")
class LinearGap(Linear):
    """The gap as it is handed out: the result is None."""

    def backward(self, grad):
        grad_input = None
        # START TODO ################

        # END TODO ##################
        return grad_input


@mutant("unfinished")
class LinearGapRaises(Linear):
    """Half done: the parameters are there, the rest is to do."""

    def backward(self, grad):
        self.W.grad += self.input_cache.T @ grad
        raise NotImplementedError("TODO: b and the input")


@mutant("low_precision")
class LinearHalfPrecision(Linear):
    """The weights' gradient passes through float16."""

    def backward(self, grad):
        self.W.grad += (self.input_cache.T @ grad).astype(np.float16)
        self.b.grad += grad.sum(axis=0)
        return grad @ self.W.data.T


@mutant("wrong_formula", "term_missing", situation=batch_of_four)
class LinearSignOfWeights(Linear):
    """Only the direction of each weight counts."""

    def backward(self, grad):
        self.W.grad += self.input_cache.T @ grad
        self.b.grad += grad.sum(axis=0)
        return grad @ np.sign(self.W.data).T


@mutant("stale_cache")
class LinearCachesOnce(Linear):
    """hasattr is asked before the input is cached: the first one stays for ever."""

    def forward(self, x):
        if not hasattr(self, "first_x"):
            self.first_x = x.copy()
        return x @ self.W.data + self.b.data

    def backward(self, grad):
        self.W.grad += self.first_x.T @ grad
        self.b.grad += grad.sum(axis=0)
        return grad @ self.W.data.T


@mutant("mean_for_sum", of="Linear")
class Dense(Module):
    """A module of one's own, with other names, that averages the weights' gradient."""

    def __init__(self, inputs, outputs, rng):
        self.weights = Parameter(rng.normal(size=(inputs, outputs)), name="weights")
        self.bias = Parameter(rng.normal(size=outputs), name="bias")

    @classmethod
    def examples(cls, rng):
        return [(cls(3, 5, rng), (rng.normal(size=(6, 3)),))]

    def parameters(self):
        return [self.weights, self.bias]

    def forward(self, x):
        self.x = x
        return np.dot(x, self.weights.data) + self.bias.data

    def backward(self, grad):
        self.weights.grad += np.dot(self.x.T, grad) / self.x.shape[0]
        self.bias.grad += np.sum(grad, axis=0)
        return np.dot(grad, self.weights.data.T)


@mutant("no_batch_sum", "wrong_shape", of="Linear")
class AffineByBroadcast(Dense):
    """np.add with a result that grows."""

    def backward(self, grad):
        self.weights.grad += np.dot(self.x.T, grad)
        self.bias.grad = np.add(self.bias.grad, grad)
        return np.dot(grad, self.weights.data.T)
