"""Wrong Softplus and GELU, as students write them."""
from __future__ import annotations

import numpy as np

from lib.layers.activations import GELU, Softplus
from lib.numerics import stable_sigmoid
from tests.mutants.bank import mutant


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


@mutant("wrong_formula")
class SoftplusInverted(Softplus):
    """1 / (1 + exp(x)): the sign in the exponent."""

    def backward(self, grad):
        return grad / (1 + np.exp(self.input_cache))


@mutant("wrong_formula")
class SoftplusLikeReLU(Softplus):
    """A smooth ReLU, with ReLU's derivative."""

    def backward(self, grad):
        return grad * (self.input_cache > 0)


@mutant("wrong_formula")
class SoftplusTimesOutput(Softplus):
    """The output instead of the derivative."""

    def backward(self, grad):
        return grad * np.log(1 + np.exp(self.input_cache))


@mutant("output_for_input")
class SoftplusOfOutput(Softplus):
    """The sigmoid of the output."""

    def forward(self, x):
        self.input_cache = np.log1p(np.exp(x))
        return self.input_cache

    def backward(self, grad):
        return grad * sigmoid(self.input_cache)


@mutant("wrong_formula")
class SoftplusSecondDerivative(Softplus):
    """Differentiated once too often: s (1 - s)."""

    def backward(self, grad):
        s = stable_sigmoid(self.input_cache)
        return grad * s * (1 - s)


@mutant("not_finite", situation=lambda cls, rng: (cls(), (np.append(rng.normal(size=(1, 4)), [[900.0]], axis=1),)))
class SoftplusOverflows(Softplus):
    """exp(x) / (1 + exp(x)) is infinity by infinity for large x."""

    def backward(self, grad):
        with np.errstate(over="ignore", invalid="ignore"):
            e = np.exp(self.input_cache)
            return grad * e / (1 + e)


# ---------------------------------------------------------------------- GELU


def pdf(x):
    return np.exp(-x ** 2 / 2) / np.sqrt(2 * np.pi)


@mutant("term_missing", "wrong_formula")
class GELUHalfProductRule(GELU):
    """The product rule's second half was forgotten: the distribution alone."""

    def backward(self, grad):
        return grad * self._normal_distribution(self.input_cache)


@mutant("term_missing", "wrong_formula")
class GELUOtherHalf(GELU):
    """The product rule's first half was forgotten."""

    def backward(self, grad):
        return grad * self.input_cache * pdf(self.input_cache)


@mutant("wrong_formula")
class GELUDensityWithoutConstant(GELU):
    """The density lacks its 1 / sqrt(2 pi)."""

    def backward(self, grad):
        x = self.input_cache
        return grad * (self._normal_distribution(x) + x * np.exp(-x ** 2 / 2))


@mutant("wrong_formula")
class GELUMinus(GELU):
    """A minus from differentiating exp(-x^2/2)."""

    def backward(self, grad):
        x = self.input_cache
        return grad * (self._normal_distribution(x) - x * pdf(x))


@mutant("wrong_formula")
class GELUApproximated(GELU):
    """The derivative of the tanh approximation for the exact function: nearly right."""

    def backward(self, grad):
        x = self.input_cache
        t, slope = self._tanh_and_slope(x)
        return grad * ((1 + t) / 2 + x * (1 - t * t) * slope / 2)


@mutant("wrong_formula", example=1)
class GELUTanhConstant(GELU):
    """0.044715 for 3 * 0.044715 in the inner derivative."""

    def backward(self, grad):
        x = self.input_cache
        t, _ = self._tanh_and_slope(x)
        slope = np.sqrt(2 / np.pi) * (1 + 0.044715 * x ** 2)
        return grad * ((1 + t) / 2 + x * (1 - t * t) * slope / 2)


@mutant("upstream_ignored")
class GELUOnlyDerivative(GELU):
    """The derivative alone."""

    def backward(self, grad):
        return self._normal_distribution(self.input_cache) + self.input_cache * pdf(self.input_cache)
