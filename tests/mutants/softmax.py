"""Wrong Softmax, as students write it."""
from __future__ import annotations

import numpy as np

from lib.activations import Softmax
from tests.mutants.bank import mutant


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
