"""Wrong cross-entropy losses, as students write them."""
from __future__ import annotations

import numpy as np

from lib.losses import CrossEntropyLoss
from tests.mutants.bank import mutant


@mutant("missing_1_n")
class CEWithoutMean(CrossEntropyLoss):
    """softmax - labels, as it stands in the derivation for one example."""

    def backward(self, _=None):
        p, labels = self.input_cache
        return p - labels


@mutant("factor", "missing_1_nk")
class CEMeanOfAll(CrossEntropyLoss):
    """Divided by the number of all entries, N K."""

    def backward(self, _=None):
        p, labels = self.input_cache
        return (p - labels) / p.size


@mutant("factor")
class CEDividesByClasses(CrossEntropyLoss):
    """Divided by the number of classes instead of examples."""

    def backward(self, _=None):
        p, labels = self.input_cache
        return (p - labels) / p.shape[1]


@mutant("sign")
class CESign(CrossEntropyLoss):
    """labels - softmax: the direction in which to go."""

    def backward(self, _=None):
        p, labels = self.input_cache
        return (labels - p) / len(p)


@mutant("term_missing", "wrong_formula")
class CEForgetsLabels(CrossEntropyLoss):
    """The softmax alone."""

    def backward(self, _=None):
        p, labels = self.input_cache
        return p / len(p)


@mutant("term_missing", "wrong_formula")
class CEForgetsSoftmax(CrossEntropyLoss):
    """The labels alone."""

    def backward(self, _=None):
        p, labels = self.input_cache
        return -labels / len(p)


@mutant("wrong_formula", "term_missing")
class CEByProbabilities(CrossEntropyLoss):
    """The derivative by the probabilities, not by the logits."""

    def backward(self, _=None):
        p, labels = self.input_cache
        return -labels / p / len(p)


@mutant("output_for_input", "wrong_formula", "term_missing")
class CEOfLogits(CrossEntropyLoss):
    """The logits where the softmax belongs."""

    def forward(self, preds, labels):
        self.logits = preds
        return super().forward(preds, labels)

    def backward(self, _=None):
        _, labels = self.input_cache
        return (self.logits - labels) / len(labels)


@mutant("output_for_input", "wrong_formula")
class CESoftmaxTwice(CrossEntropyLoss):
    """The softmax of the softmax."""

    def backward(self, _=None):
        p, labels = self.input_cache
        e = np.exp(p)
        return (e / e.sum(axis=1, keepdims=True) - labels) / len(p)


@mutant("wrong_axis")
class CESoftmaxOverBatch(CrossEntropyLoss):
    """The softmax is taken down the columns."""

    def forward(self, preds, labels):
        self.logits = preds
        return super().forward(preds, labels)

    def backward(self, _=None):
        e = np.exp(self.logits)
        return (e / e.sum(axis=0) - self.input_cache[1]) / len(e)


@mutant("wrong_formula", "term_missing", "single_entries")
class CEOnlyTrueClass(CrossEntropyLoss):
    """Only the true class counts, as in the loss itself."""

    def backward(self, _=None):
        p, labels = self.input_cache
        return (p - labels) * labels / len(p)


@mutant("wrong_formula", "single_entries")
class CEHardPredictions(CrossEntropyLoss):
    """The predicted class minus the true one."""

    def backward(self, _=None):
        p, labels = self.input_cache
        return (np.eye(p.shape[1])[p.argmax(axis=1)] - labels) / len(p)


@mutant("stale_cache", "changes_input", "overwritten")
class CEDamagesCache(CrossEntropyLoss):
    """Right the first time; but what forward cached is changed, so a second call is wrong."""

    def backward(self, _=None):
        p, labels = self.input_cache
        p -= labels
        p /= len(p)
        return p


@mutant("wrong_formula", "term_missing", "single_entries")
class CESubtractsOneEverywhere(CrossEntropyLoss):
    """p - 1 for every class, not for the true one alone."""

    def backward(self, _=None):
        p, labels = self.input_cache
        return (p - 1) / len(p)


@mutant("wrong_shape")
class CESumsBatch(CrossEntropyLoss):
    """One gradient for the whole batch."""

    def backward(self, _=None):
        p, labels = self.input_cache
        return (p - labels).mean(axis=0)


@mutant("one_sample")
class CEFirstExample(CrossEntropyLoss):
    """The labels of the first example are subtracted from all."""

    @classmethod
    def examples(cls, rng):
        return [(cls(), (rng.normal(size=(3, 3)), np.eye(3)))]

    def backward(self, _=None):
        p, labels = self.input_cache
        return (p - labels[0]) / len(p)


@mutant("not_finite", situation=lambda cls, rng: (cls(), (1000 * rng.normal(size=(3, 4)), np.eye(4)[[0, 2, 1]])))
class CEOverflows(CrossEntropyLoss):
    """The softmax without the shift by the maximum."""

    def forward(self, preds, labels):
        self.logits = preds
        return super().forward(preds, labels)

    def backward(self, _=None):
        with np.errstate(over="ignore", invalid="ignore"):
            e = np.exp(self.logits)
            return (e / e.sum(axis=1, keepdims=True) - self.input_cache[1]) / len(e)


@mutant("unfinished", "returned_none")
class CEGap(CrossEntropyLoss):
    """The gap as it is handed out."""

    def backward(self, _=None):
        # START TODO ################
        ...
        # END TODO ##################


@mutant("wrong_formula", "output_for_input")
class CESoftmaxDerivative(CrossEntropyLoss):
    """Multiplied by softmax's own derivative, which the formula contains already."""

    def backward(self, _=None):
        p, labels = self.input_cache
        return (p - labels) * p * (1 - p) / len(p)
