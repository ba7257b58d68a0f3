"""Wrong Sigmoid and Tanh, as students write them."""
from __future__ import annotations

import numpy as np

from lib.activations import Sigmoid
from lib.layers.activations import Tanh
from lib.network_base import Module
from tests.mutants.bank import mutant


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


@mutant("output_for_input")
class SigmoidOfSigmoid(Sigmoid):
    """Caches the output, and takes it for the input."""

    def forward(self, x):
        self.input_cache = sigmoid(x)
        return self.input_cache

    def backward(self, grad):
        y = sigmoid(self.input_cache)
        return grad * y * (1 - y)


@mutant("output_for_input", "wrong_formula")
class SigmoidOfInput(Sigmoid):
    """x (1 - x), with the input where the output belongs."""

    def backward(self, grad):
        return grad * self.input_cache * (1 - self.input_cache)


@mutant("wrong_formula", "output_for_input")
class SigmoidMixed(Sigmoid):
    """y (1 - x): half of it looks at the input."""

    def backward(self, grad):
        return grad * sigmoid(self.input_cache) * (1 - self.input_cache)


@mutant("wrong_formula", "term_missing")
class SigmoidWithoutOneMinus(Sigmoid):
    """The factor 1 - y was forgotten."""

    def backward(self, grad):
        return grad * sigmoid(self.input_cache)


@mutant("wrong_formula", "term_missing")
class SigmoidOnlyOneMinus(Sigmoid):
    """The factor y was forgotten."""

    def backward(self, grad):
        return grad * (1 - sigmoid(self.input_cache))


@mutant("wrong_formula")
class SigmoidLikeTanh(Sigmoid):
    """The derivative of tanh."""

    def backward(self, grad):
        return grad * (1 - sigmoid(self.input_cache) ** 2)


@mutant("upstream_ignored")
class SigmoidOnlyDerivative(Sigmoid):
    """The derivative alone, without the chain rule."""

    def backward(self, grad):
        y = sigmoid(self.input_cache)
        return y * (1 - y)


@mutant("sign")
class SigmoidSign(Sigmoid):
    """y - 1 for 1 - y."""

    def backward(self, grad):
        y = sigmoid(self.input_cache)
        return grad * y * (y - 1)


@mutant("zeros")
class SigmoidOfIntegers(Sigmoid):
    """The activation is rounded to a class first."""

    def backward(self, grad):
        y = sigmoid(self.input_cache).astype(int)
        return grad * y * (1 - y)


@mutant("exception")
class SigmoidByDot(Sigmoid):
    """A matrix product, where the product goes entry by entry."""

    def backward(self, grad):
        y = sigmoid(self.input_cache)
        return np.dot(grad, y * (1 - y))


@mutant("upstream_absolute")
class SigmoidAbsoluteUpstream(Sigmoid):
    """The slope of a sigmoid is positive, so the result should be."""

    def backward(self, grad):
        y = sigmoid(self.input_cache)
        return np.abs(grad * y * (1 - y))


@mutant("upstream_squared")
class SigmoidSquaredUpstream(Sigmoid):
    """*= on a copy that has been multiplied already."""

    def backward(self, grad):
        y = sigmoid(self.input_cache)
        result = grad * y * (1 - y)
        result *= grad
        return result


@mutant("passed_on", "wrong_formula")
class SigmoidPassesOn(Sigmoid):
    """The sigmoid is part of the loss anyway."""

    def backward(self, grad):
        return grad


@mutant("wrong_formula", "single_entries", situation=lambda cls, rng: (cls(), (rng.uniform(-12, 12, (4, 5)),)))
class SigmoidClipped(Sigmoid):
    """backward clamps the input, forward doesn't: wrong only where |x| is large."""

    def backward(self, grad):
        y = sigmoid(np.clip(self.input_cache, -3, 3))
        return grad * y * (1 - y)


@mutant("mean_for_sum", "factor", of="Sigmoid")
class LogisticUnit(Module):
    """A module of one's own that averages over the batch."""

    def forward(self, x):
        self.y = sigmoid(x)
        return self.y

    def backward(self, grad):
        return grad * self.y * (1 - self.y) / len(grad)


# ---------------------------------------------------------------------- Tanh


@mutant("wrong_formula")
class TanhWithoutSquare(Tanh):
    """1 - y: the square was forgotten."""

    def backward(self, grad):
        return grad * (1 - np.tanh(self.input_cache))


@mutant("output_for_input", "wrong_formula")
class TanhOfInput(Tanh):
    """1 - x^2, with the input where the output belongs."""

    def backward(self, grad):
        return grad * (1 - self.input_cache ** 2)


@mutant("output_for_input")
class TanhOfTanh(Tanh):
    """tanh is taken of the output once more."""

    def forward(self, x):
        self.input_cache = np.tanh(x)
        return self.input_cache

    def backward(self, grad):
        return grad * (1 - np.tanh(self.input_cache) ** 2)


@mutant("wrong_formula")
class TanhPlus(Tanh):
    """1 + y^2, as for the tangent."""

    def backward(self, grad):
        return grad * (1 + np.tanh(self.input_cache) ** 2)


@mutant("sign")
class TanhSign(Tanh):
    """y^2 - 1."""

    def backward(self, grad):
        return grad * (np.tanh(self.input_cache) ** 2 - 1)


@mutant("wrong_formula")
class TanhCosh(Tanh):
    """1 / cosh, without the square."""

    def backward(self, grad):
        return grad / np.cosh(self.input_cache)


@mutant("wrong_formula")
class TanhLikeSigmoid(Tanh):
    """The formula of the sigmoid, y (1 - y)."""

    def backward(self, grad):
        y = np.tanh(self.input_cache)
        return grad * y * (1 - y)


@mutant("upstream_ignored")
class TanhOnlyDerivative(Tanh):
    """The derivative alone."""

    def backward(self, grad):
        return 1 - np.tanh(self.input_cache) ** 2


@mutant("upstream_not_linear", "upstream_squared", "wrong_formula")
class TanhSquaresWrongThing(Tanh):
    """A parenthesis too far: 1 - (grad y)^2."""

    def backward(self, grad):
        return grad * (1 - (grad * np.tanh(self.input_cache)) ** 2)
