"""Wrong Sigmoid, Tanh, Softplus, GELU and Softmax, as students write them."""
from __future__ import annotations

import numpy as np

from lib.activations import GELU, Sigmoid, Softmax, Softplus, Tanh, stable_sigmoid
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


# ---------------------------------------------------------------------- Softplus


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


# ---------------------------------------------------------------------- Softmax


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


@mutant("softmax_diagonal")
class SoftmaxDiagonal(Softmax):
    """As if each output depended on its own input alone."""

    def backward(self, grad):
        y = softmax(self.input_cache)
        return grad * y * (1 - y)


@mutant("softmax_diagonal")
class SoftmaxWithoutSum(Softmax):
    """The sum over the classes was forgotten, which leaves the diagonal."""

    def backward(self, grad):
        y = softmax(self.input_cache)
        return y * (grad - grad * y)


@mutant("term_missing", "wrong_formula", "softmax_diagonal")
class SoftmaxOnlyFirstTerm(Softmax):
    """The second term of the quotient rule was forgotten."""

    def backward(self, grad):
        return grad * softmax(self.input_cache)


@mutant("term_missing", "wrong_formula", "factor")
class SoftmaxWithoutDiagonal(Softmax):
    """Only the second term."""

    def backward(self, grad):
        y = softmax(self.input_cache)
        return -y * (grad * y).sum(axis=1, keepdims=True)


@mutant("wrong_axis")
class SoftmaxSumsBatch(Softmax):
    """The sum goes over the batch, not over the classes."""

    def backward(self, grad):
        y = softmax(self.input_cache)
        return y * (grad - (grad * y).sum(axis=0, keepdims=True))


@mutant("wrong_axis")
class SoftmaxSumsAll(Softmax):
    """The sum goes over everything."""

    def backward(self, grad):
        y = softmax(self.input_cache)
        return y * (grad - np.sum(grad * y))


@mutant("exception", "wrong_axis")
class SoftmaxWithoutKeepdims(Softmax):
    """keepdims was forgotten: (2, 10) minus (2,)."""

    def backward(self, grad):
        y = softmax(self.input_cache)
        return y * (grad - (grad * y).sum(axis=1))


@mutant("wrong_axis", "transposed", situation=lambda cls, rng: (cls(), (rng.normal(size=(4, 4)),)))
class SoftmaxSquareWithoutKeepdims(Softmax):
    """The same for as many examples as classes, where NumPy doesn't complain."""

    def backward(self, grad):
        y = softmax(self.input_cache)
        return y * (grad - (grad * y).sum(axis=1))


@mutant("wrong_formula", "upstream_not_linear")
class SoftmaxAsInCrossEntropy(Softmax):
    """The formula of softmax and cross-entropy in one, with the gradient for the labels."""

    def backward(self, grad):
        return softmax(self.input_cache) - grad


@mutant("upstream_ignored")
class SoftmaxOnlyDerivative(Softmax):
    """y (1 - y), and no chain rule."""

    def backward(self, grad):
        y = softmax(self.input_cache)
        return y * (1 - y)


@mutant("one_sample", situation=lambda cls, rng: (cls(), (rng.normal(size=(3, 4)),)))
class SoftmaxFirstJacobian(Softmax):
    """The Jacobian of the first example is used for all."""

    def backward(self, grad):
        y = softmax(self.input_cache)[0]
        return grad @ (np.diag(y) - np.outer(y, y))


@mutant("output_for_input")
class SoftmaxOfSoftmax(Softmax):
    """Softmax is taken of the output once more."""

    def forward(self, x):
        self.input_cache = softmax(x)
        return self.input_cache

    def backward(self, grad):
        y = softmax(self.input_cache)
        return y * (grad - (grad * y).sum(axis=1, keepdims=True))


@mutant("passed_on", "wrong_formula")
class SoftmaxPassesOn(Softmax):
    """The loss has taken care of it."""

    def backward(self, grad):
        return grad


@mutant("sign")
class SoftmaxSign(Softmax):
    """i = j and i != j exchanged: y (sum - grad)."""

    def backward(self, grad):
        y = softmax(self.input_cache)
        return y * ((grad * y).sum(axis=1, keepdims=True) - grad)
