"""Wrong ReLUs, as students write them."""
from __future__ import annotations

import numpy as np

from lib.activations import ReLU
from lib.network import Linear, Sequential
from lib.network_base import Module
from tests.mutants.bank import mutant


@mutant("negative_side", "passed_on")
class ReLUWithoutMask(ReLU):
    """The derivative of x is 1, so the gradient passes through."""

    def backward(self, grad):
        return grad


@mutant("negative_side", "passed_on")
class ReLUAsksAny(ReLU):
    """An if for a whole array: it asks whether any entry is positive."""

    def backward(self, grad):
        if (self.input_cache > 0).any():
            return grad
        return np.zeros_like(grad)


@mutant("negative_side")
class ReLULeaks(ReLU):
    """Taken from a leaky ReLU."""

    def backward(self, grad):
        return np.where(self.input_cache > 0, grad, 0.01 * grad)


@mutant("negative_side")
class ReLUAbs(ReLU):
    """The derivative of |x| instead."""

    def backward(self, grad):
        return grad * np.sign(self.input_cache)


@mutant("mask_on_gradient")
class ReLUMasksGradient(ReLU):
    """What is negative becomes zero; but it is the gradient that is asked."""

    def backward(self, grad):
        return grad * (grad > 0)


@mutant("mask_on_gradient")
class ReLUOfGradient(ReLU):
    """The same function once more, on what comes back."""

    def backward(self, grad):
        return np.maximum(0, grad)


@mutant("mask_on_gradient")
class ReLUBothMasks(ReLU):
    """To be on the safe side, both are masked."""

    def backward(self, grad):
        grad = np.where(grad > 0, grad, 0)
        return np.where(self.input_cache > 0, grad, 0)


@mutant("mask_inverted")
class ReLUInverted(ReLU):
    """The comparison is the wrong way round."""

    def backward(self, grad):
        return grad * (self.input_cache < 0)


@mutant("mask_inverted")
class ReLUZeroesThePositive(ReLU):
    """The entries to be deleted are picked wrongly."""

    def backward(self, grad):
        grad = grad.copy()
        grad[self.input_cache > 0] = 0
        return grad


@mutant("upstream_ignored")
class ReLUOnlyDerivative(ReLU):
    """The derivative is 0 or 1, so return 0 or 1."""

    def backward(self, grad):
        return np.where(self.input_cache > 0, 1.0, 0.0)


@mutant("upstream_ignored", "wrong_formula")
class ReLUReturnsOutput(ReLU):
    """Backward does what forward does."""

    def backward(self, grad):
        return np.maximum(0, self.input_cache)


@mutant("mask_on_gradient", "wrong_formula")
class ReLUSwapsRoles(ReLU):
    """Input and gradient have changed places."""

    def backward(self, grad):
        return self.input_cache * (grad > 0)


@mutant("wrong_formula")
class ReLUTimesOutput(ReLU):
    """Multiplied by the output instead of the derivative."""

    def backward(self, grad):
        return grad * np.maximum(0, self.input_cache)


@mutant("wrong_formula")
class ReLUOffByOne(ReLU):
    """The threshold is 1, from a misread figure."""

    def backward(self, grad):
        return grad * (self.input_cache >= 1)


@mutant("changes_upstream")
class ReLUInPlace(ReLU):
    """The right numbers, but written into an array that belongs to somebody else."""

    def backward(self, grad):
        grad[self.input_cache <= 0] = 0
        return grad


@mutant("changes_input")
class ReLUForwardInPlace(ReLU):
    """forward deletes the negative entries in the input itself."""

    def forward(self, x):
        x[x < 0] = 0
        self.input_cache = x
        return x.copy()


@mutant("returned_none")
class ReLUForgetsReturn(ReLU):
    """All is computed, and nothing is returned."""

    def backward(self, grad):
        grad = grad * (self.input_cache > 0)


@mutant("unfinished")
class ReLUGap(ReLU):
    """The gap as it is handed out."""

    def backward(self, grad):
        # START TODO ################
        raise NotImplementedError
        # END TODO ##################


@mutant("upstream_absolute")
class ReLUAbsoluteUpstream(ReLU):
    """A gradient should be positive where the unit is on."""

    def backward(self, grad):
        return np.abs(grad) * (self.input_cache > 0)


@mutant("upstream_squared")
class ReLUSquaredUpstream(ReLU):
    """The gradient comes in twice: once too often multiplied."""

    def backward(self, grad):
        grad = grad * grad
        return grad * (self.input_cache > 0)


@mutant("upstream_not_linear")
class ReLUClips(ReLU):
    """Gradient clipping, in the wrong place."""

    def backward(self, grad):
        return np.clip(grad, -0.5, 0.5) * (self.input_cache > 0)


@mutant("upstream_not_linear", "upstream_absolute")
class ReLUWeakensNegative(ReLU):
    """Wrong for negative upstream gradients alone."""

    def backward(self, grad):
        return np.where(grad < 0, 0.9 * grad, grad) * (self.input_cache > 0)


@mutant("one_sample")
class ReLUFirstRow(ReLU):
    """The mask of the first example is used for all."""

    def backward(self, grad):
        return grad * (self.input_cache[0] > 0)


@mutant("stale_cache")
class ReLUCachesOnce(ReLU):
    """The cache is only filled when it is empty."""

    def forward(self, x):
        if self.input_cache is None:
            self.input_cache = x
        return np.maximum(x, 0)


@mutant("factor")
class ReLUSlightlyTooSmall(ReLU):
    """Off by one part in ten thousand."""

    def backward(self, grad):
        return 0.9999 * grad * (self.input_cache > 0)


@mutant("upstream_not_linear", "low_precision", "zeros")
class ReLUOfIntegers(ReLU):
    """The result is put into an array of integers."""

    def backward(self, grad):
        result = np.zeros(grad.shape, dtype=int)
        result[self.input_cache > 0] = grad[self.input_cache > 0]
        return result


@mutant("low_precision")
class ReLUFloat32(ReLU):
    """Computed in float32 to save memory, though the input is float64."""

    def backward(self, grad):
        return (grad * (self.input_cache > 0)).astype(np.float32)


def with_zeros(cls, rng):
    """Return a situation in which some inputs lie exactly at the kink."""
    x = rng.uniform(-2, 2, (3, 4))
    x[0, 1] = x[2, 3] = 0
    return cls(), (x,)


@mutant("not_finite", situation=with_zeros)
class ReLUByQuotient(ReLU):
    """(1 + z / |z|) / 2 is the mask, except at 0."""

    def backward(self, grad):
        with np.errstate(invalid="ignore"):
            return grad * (1 + self.input_cache / np.abs(self.input_cache)) / 2


class SharedCacheReLU(ReLU):
    """The cache is kept in the class, so that all ReLUs of a network share one."""

    def forward(self, x):
        SharedCacheReLU.last_input = x
        return np.maximum(x, 0)

    def backward(self, grad):
        return grad * (SharedCacheReLU.last_input > 0)


@mutant("stale_cache", of="ReLU", situation=lambda cls, rng: (
    cls(Linear(3, 4, rng=rng), SharedCacheReLU(), Linear(4, 4, rng=rng), SharedCacheReLU()),
    (rng.normal(size=(5, 3)),)))
class NetOfSharedReLUs(Sequential):
    """Two ReLUs that share one cache."""


@mutant("returned_none", "unfinished", of="ReLU")
class MyReLU(Module):
    """A module of one's own, with the gap still in it."""

    def forward(self, x):
        self.input_cache = x
        return x * (x > 0)

    def backward(self, grad):
        pass


@mutant("mask_on_gradient", of="ReLU")
class RectifierOfMyOwn(Module):
    """Caches the output, which would do, and then asks the gradient."""

    def forward(self, x):
        self.out = np.where(x > 0, x, 0)
        return self.out

    def backward(self, grad):
        return np.where(grad <= 0, 0, grad)
