"""Wrong LeakyReLU and Identity, as students write them."""
from __future__ import annotations

import numpy as np

from lib.layers.activations import Identity, LeakyReLU
from tests.mutants.bank import mutant


@mutant("negative_side")
class LeakyLikeReLU(LeakyReLU):
    """The slope was forgotten: ReLU's derivative."""

    def backward(self, grad):
        return grad * (self.input_cache > 0)


@mutant("mask_inverted")
class LeakyInverted(LeakyReLU):
    """The slope stands on the wrong side."""

    def backward(self, grad):
        return np.where(self.input_cache > 0, self.slope * grad, grad)


@mutant("mask_on_gradient")
class LeakyMasksGradient(LeakyReLU):
    """Asks the gradient on which side it is."""

    def backward(self, grad):
        return np.where(grad > 0, grad, self.slope * grad)


@mutant("upstream_ignored")
class LeakyOnlyDerivative(LeakyReLU):
    """The derivative alone, without the chain rule."""

    def backward(self, grad):
        return np.where(self.input_cache > 0, 1, self.slope)


@mutant("negative_side", situation=lambda cls, rng: (cls(0.2), (rng.uniform(-2, 2, (3, 5)),)))
class LeakyFixedSlope(LeakyReLU):
    """The usual slope instead of its own."""

    def backward(self, grad):
        dx = np.ones_like(self.input_cache)
        dx[self.input_cache < 0] = 0.01
        return grad * dx


@mutant("negative_side")
class LeakySignOfSlope(LeakyReLU):
    """A minus too many on the negative side."""

    def backward(self, grad):
        return np.where(self.input_cache > 0, grad, -self.slope * grad)


@mutant("random")
class LeakyRandom(LeakyReLU):
    """A random slope at each call, which backward draws anew."""

    def forward(self, x):
        self.input_cache = x
        return np.where(x > 0, x, np.random.uniform(0.1, 0.4, x.shape) * x)

    def backward(self, grad):
        x = self.input_cache
        return np.where(x > 0, grad, np.random.uniform(0.1, 0.4, x.shape) * grad)


# ---------------------------------------------------------------------- Identity


@mutant("upstream_ignored")
class IdentityOnes(Identity):
    """The derivative of x is 1."""

    def backward(self, grad):
        return np.ones_like(self.input_cache)


@mutant("wrong_formula")
class IdentityTimesInput(Identity):
    """Multiplied by the input, as nothing else was at hand."""

    def backward(self, grad):
        return grad * self.input_cache


@mutant("zeros")
class IdentityZeros(Identity):
    """Nothing is learnt here, so nothing is to be done."""

    def backward(self, grad):
        return np.zeros_like(grad)


@mutant("wrong_shape", "no_batch_sum")
class IdentityFlat(Identity):
    """The right numbers in another shape."""

    def backward(self, grad):
        return grad.ravel()


@mutant("sign")
class IdentityNegative(Identity):
    """The step of gradient descent put into backward."""

    def backward(self, grad):
        return -grad


@mutant("mean_for_sum", "factor")
class IdentityMean(Identity):
    """Averages over the batch once more."""

    def backward(self, grad):
        return grad / len(grad)
