"""Wrong losses other than the cross-entropy, as students write them."""
from __future__ import annotations

import numpy as np

from lib.layers.losses import BinaryCrossEntropyLoss, L1Loss, MeanSquaredError
from lib.losses import MSELoss
from lib.regularizers import RegularizedCrossEntropy
from tests.mutants.bank import mutant


@mutant("missing_1_n")
class MSEWithoutMean(MSELoss):
    """preds - labels, without the mean over the batch."""

    def backward(self, _=None):
        return self.input_cache[1]


@mutant("factor")
class MSETwice(MSELoss):
    """The 2 of the square, though the half has cancelled it."""

    def backward(self, _=None):
        preds, difference = self.input_cache
        return 2 * difference / len(preds)


@mutant("factor")
class MSEHalf(MSELoss):
    """The half of the loss is kept."""

    def backward(self, _=None):
        preds, difference = self.input_cache
        return 0.5 * difference / len(preds)


@mutant("sign")
class MSESign(MSELoss):
    """labels - preds."""

    def backward(self, _=None):
        preds, difference = self.input_cache
        return -difference / len(preds)


@mutant("factor", "missing_1_nk")
class MSEMeanOfAll(MSELoss):
    """The mean over the columns, too."""

    def backward(self, _=None):
        return self.input_cache[1] / self.input_cache[1].size


@mutant("wrong_formula", "term_missing", "output_for_input")
class MSEForgetsLabels(MSELoss):
    """The predictions alone."""

    def backward(self, _=None):
        preds, _ = self.input_cache
        return preds / len(preds)


@mutant("wrong_formula", "upstream_absolute")
class MSEAbsolute(MSELoss):
    """An error is positive."""

    def backward(self, _=None):
        preds, difference = self.input_cache
        return np.abs(difference) / len(preds)


@mutant("wrong_formula", "upstream_squared")
class MSENotDifferentiated(MSELoss):
    """The squares themselves."""

    def backward(self, _=None):
        preds, difference = self.input_cache
        return difference ** 2 / 2 / len(preds)


@mutant("changes_input")
class MSEInPlace(MSELoss):
    """forward subtracts in place."""

    def forward(self, preds, labels):
        n = len(preds)
        preds -= labels
        self.input_cache = (preds.copy(), preds.copy())
        return np.sum(preds ** 2) / (2 * n)


@mutant("factor")
class MeanSquaresWithoutTwo(MeanSquaredError):
    """The 2 of the square was forgotten."""

    def backward(self, _=None):
        preds, difference = self.input_cache
        return difference / difference.size


@mutant("missing_1_nk")
class MeanSquaresWithoutMean(MeanSquaredError):
    """The mean was forgotten."""

    def backward(self, _=None):
        return 2 * self.input_cache[1]


@mutant("factor")
class MeanSquaresOverBatch(MeanSquaredError):
    """The mean goes over the batch alone: 1/K is missing."""

    def backward(self, _=None):
        preds, difference = self.input_cache
        return 2 * difference / len(preds)


# ---------------------------------------------------------------------- absolute error


@mutant("sign")
class L1Sign(L1Loss):
    """The sign of labels - preds."""

    def backward(self, _=None):
        preds, labels = self.input_cache
        return np.sign(labels - preds) / len(preds)


@mutant("wrong_formula")
class L1Difference(L1Loss):
    """The derivative of the square."""

    def backward(self, _=None):
        preds, labels = self.input_cache
        return (preds - labels) / len(preds)


@mutant("missing_1_n")
class L1WithoutMean(L1Loss):
    """The mean over the batch was forgotten."""

    def backward(self, _=None):
        preds, labels = self.input_cache
        return np.sign(preds - labels)


@mutant("negative_side", "wrong_formula", "zeros")
class L1LikeReLU(L1Loss):
    """0 instead of -1 where the prediction is too low."""

    def backward(self, _=None):
        preds, labels = self.input_cache
        return (preds > labels) / len(preds)


@mutant("upstream_absolute", "wrong_formula", "negative_side")
class L1AlwaysOne(L1Loss):
    """The derivative of |x| is 1."""

    def backward(self, _=None):
        preds, _ = self.input_cache
        return np.ones(preds.shape) / len(preds)


@mutant("not_finite", situation=lambda cls, rng: (cls(), (np.array([[1.0, 2.0], [3.0, -1.0]]),
                                                          np.array([[1.0, 0.5], [4.0, -1.0]]))))
class L1Quotient(L1Loss):
    """d / |d| is 0 / 0 where the prediction hits the label."""

    def backward(self, _=None):
        preds, labels = self.input_cache
        d = preds - labels
        with np.errstate(invalid="ignore"):
            return d / np.abs(d) / len(preds)


# ---------------------------------------------------------------------- binary cross-entropy


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


@mutant("missing_1_n")
class BCEWithoutMean(BinaryCrossEntropyLoss):
    """The mean over the batch was forgotten."""

    def backward(self, _=None):
        z, y = self.input_cache
        return sigmoid(z) - y


@mutant("wrong_formula", "term_missing")
class BCEByProbability(BinaryCrossEntropyLoss):
    """The derivative by p; that of the sigmoid is missing."""

    def backward(self, _=None):
        z, y = self.input_cache
        p = sigmoid(z)
        return (p - y) / (p * (1 - p)) / len(z)


@mutant("sign")
class BCESign(BinaryCrossEntropyLoss):
    """y - p."""

    def backward(self, _=None):
        z, y = self.input_cache
        return (y - sigmoid(z)) / len(z)


@mutant("wrong_formula", "output_for_input", "term_missing")
class BCEWithoutSigmoid(BinaryCrossEntropyLoss):
    """The logits are taken for probabilities."""

    def backward(self, _=None):
        z, y = self.input_cache
        return (z - y) / len(z)


@mutant("output_for_input", "wrong_formula")
class BCESigmoidTwice(BinaryCrossEntropyLoss):
    """The sigmoid of the sigmoid."""

    def backward(self, _=None):
        z, y = self.input_cache
        return (sigmoid(sigmoid(z)) - y) / len(z)


@mutant("term_missing", "wrong_formula", "single_entries")
class BCEOnlyPositives(BinaryCrossEntropyLoss):
    """Only y log p was differentiated; (1 - y) log(1 - p) was forgotten."""

    def backward(self, _=None):
        z, y = self.input_cache
        return y * (sigmoid(z) - 1) / len(z)


@mutant("wrong_formula")
class BCETimesSigmoidSlope(BinaryCrossEntropyLoss):
    """Multiplied by the sigmoid's derivative once more."""

    def backward(self, _=None):
        z, y = self.input_cache
        p = sigmoid(z)
        return (p - y) * p * (1 - p) / len(z)


@mutant("factor", "missing_1_nk")
class BCEMeanOfAll(BinaryCrossEntropyLoss):
    """The mean over all entries, though the columns are summed."""

    def backward(self, _=None):
        z, y = self.input_cache
        return (sigmoid(z) - y) / z.size


# ---------------------------------------------------------------------- cross-entropy with a penalty


@mutant("zeros", "term_missing", "layer_skipped")
class RegularizedForgetsPenalty(RegularizedCrossEntropy):
    """The penalty is in the loss, and not in the gradient."""

    def backward(self, _=None):
        return self.ce_loss.backward()


@mutant("factor")
class RegularizedPenaltyTwice(RegularizedCrossEntropy):
    """The penalty's backward is called twice."""

    def backward(self, _=None):
        self.reg_loss.backward()
        grad = self.ce_loss.backward()
        self.reg_loss.backward(grad)
        return grad


@mutant("zeros", "term_missing", "layer_skipped")
class RegularizedForgetsCrossEntropy(RegularizedCrossEntropy):
    """Returns zeros in the shape of the predictions, after the penalty's backward."""

    def backward(self, _=None):
        self.reg_loss.backward()
        return np.zeros_like(self.ce_loss.input_cache[0])


@mutant("returned_none")
class RegularizedReturnsPenalty(RegularizedCrossEntropy):
    """Returns what the penalty's backward returns: nothing."""

    def backward(self, _=None):
        self.ce_loss.backward()
        return self.reg_loss.backward()
