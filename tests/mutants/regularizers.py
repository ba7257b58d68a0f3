"""Wrong dropout and penalties, as students write them."""
from __future__ import annotations

import numpy as np

from lib.regularizers import RegularizedCrossEntropy
from lib.regularizers import Dropout, L1Regularization, L2Regularization
from tests.mutants.bank import mutant


@mutant("factor")
class DropoutForgetsScale(Dropout):
    """The mask is there, the division by 1 - p isn't."""

    def backward(self, grad):
        return grad * (self.mask > 0)


@mutant("passed_on", "wrong_formula")
class DropoutForgetsMask(Dropout):
    """The gradient is handed on as it came."""

    def backward(self, grad):
        return grad.copy()


@mutant("mask_inverted")
class DropoutInvertsMask(Dropout):
    """The deleted inputs get the gradient."""

    def backward(self, grad):
        return grad * (self.mask == 0) * 2


@mutant("random")
class DropoutDrawsAgain(Dropout):
    """Another mask is drawn in backward."""

    def backward(self, grad):
        return grad * (np.random.random_sample(grad.shape) >= self.p_delete) / (1 - self.p_delete)


@mutant("wrong_formula", "output_for_input")
class L1Absolute(L1Regularization):
    """The derivative of |w| is taken for |w|."""

    def backward(self, _=None):
        for param in self.params:
            param.grad += self.lambd * np.abs(param.data)


@mutant("upstream_ignored", "wrong_formula")
class DropoutReturnsMask(Dropout):
    """The mask itself, which is dy/dx, without the upstream gradient."""

    def backward(self, grad):
        return self.mask.copy()


@mutant("sign")
class L1Subtracts(L1Regularization):
    """The penalty makes weights smaller, so its gradient is subtracted."""

    def backward(self, _=None):
        for param in self.params:
            param.grad -= self.lambd * np.sign(param.data)


@mutant("upstream_absolute", "negative_side", "wrong_formula")
class L1AlwaysPositive(L1Regularization):
    """The sign is forgotten: lambda for each weight."""

    def backward(self, _=None):
        for param in self.params:
            param.grad += self.lambd


@mutant("factor")
class L2ForgetsLambda(L2Regularization):
    """The weight of the penalty is missing."""

    def backward(self, _=None):
        for param in self.params:
            param.grad += param.data


@mutant("changes_parameter")
class L2DecaysAtOnce(L2Regularization):
    """The weights are shrunk here and now."""

    def backward(self, _=None):
        super().backward()
        for param in self.params:
            param.data *= 1 - 0.1 * self.lambd


@mutant("factor")
class L2ForgetsHalf(L2Regularization):
    """2 w, as if the penalty had no half."""

    def backward(self, _=None):
        for param in self.params:
            param.grad += 2 * self.lambd * param.data


@mutant("overwritten")
class L2Overwrites(L2Regularization):
    """Assigned, not added: the gradient of the loss itself is lost."""

    def backward(self, _=None):
        for param in self.params:
            param.grad = self.lambd * param.data


@mutant("zeros")
class L2OfTheFirst(L2Regularization):
    """Only the first parameter is penalised."""

    def backward(self, _=None):
        self.params[0].grad += self.lambd * self.params[0].data


@mutant("missing_1_n", "factor")
class RegularizedForgetsMean(RegularizedCrossEntropy):
    """The factor 1/N is missing."""

    def backward(self, _=None):
        grad = super().backward()
        return grad * len(grad)
