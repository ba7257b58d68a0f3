"""Losses of all kinds, written by hand."""
from __future__ import annotations

import numpy as np

from lib.network_base import Module
from tests.mutants.wild.bank import at, fixed, right, wrong


def regression(rng):
    return rng.normal(size=(5, 2)), rng.normal(size=(5, 2))


def binary(rng):
    return rng.uniform(0.05, 0.95, (6, 1)), rng.permutation([[0.0], [1.0]] * 3)


def classes(rng):
    return rng.normal(size=(4, 3)), np.eye(3)[rng.integers(0, 3, 4)]


def one_hot_integers(rng):
    return rng.normal(size=(4, 3)), rng.integers(0, 3, 4)


@right(regression)
class Huber(Module):
    def forward(self, preds, labels):
        self.r = preds - labels
        a = np.abs(self.r)
        return np.where(a <= 1, 0.5 * self.r ** 2, a - 0.5).mean()

    def backward(self, _=None):
        return np.clip(self.r, -1, 1) / self.r.size


wrong(Huber, " / self.r.size", "", "missing_1_nk")
wrong(Huber, " / self.r.size", " / len(self.r)", "factor", "missing_1_nk")
wrong(Huber, "np.clip(self.r, -1, 1)", "self.r", "wrong_formula", "single_entries")
wrong(Huber, "np.clip(self.r, -1, 1)", "np.sign(self.r)", "wrong_formula", "single_entries")


@right(binary)
class BinaryCrossEntropyOfProbabilities(Module):
    def forward(self, p, t):
        self.p = np.clip(p, 1e-12, 1 - 1e-12)
        self.t = t
        return -np.mean(t * np.log(self.p) + (1 - t) * np.log(1 - self.p))

    def backward(self, _=None):
        return (self.p - self.t) / (self.p * (1 - self.p)) / self.p.size


at(BinaryCrossEntropyOfProbabilities, "1e-6", fixed([[1e-6], [0.4], [1 - 1e-6]], [[1.0], [0.0], [1.0]]))
wrong(BinaryCrossEntropyOfProbabilities, " / (self.p * (1 - self.p))", "", "term_missing", "wrong_formula")
wrong(BinaryCrossEntropyOfProbabilities, "(self.p - self.t) / (self.p * (1 - self.p))", "-self.t / self.p",
      "term_missing")
wrong(BinaryCrossEntropyOfProbabilities, "self.p - self.t", "self.t - self.p", "sign")
wrong(BinaryCrossEntropyOfProbabilities, " / self.p.size", "", "missing_1_n", "missing_1_nk")


@right(binary)
class LogLossWithEpsilon(Module):
    """log(p + eps) keeps the logarithm finite; its derivative has the eps, too."""

    eps = 1e-3

    def forward(self, p, t):
        self.p, self.t = p, t
        return -np.mean(t * np.log(p + self.eps) + (1 - t) * np.log(1 - p + self.eps))

    def backward(self, _=None):
        n = len(self.p)
        return (-self.t / (self.p + self.eps) + (1 - self.t) / (1 - self.p + self.eps)) / n


wrong(LogLossWithEpsilon, "(self.p + self.eps)", "self.p", "wrong_formula", "term_missing")
wrong(LogLossWithEpsilon, " + (1 - self.t) / (1 - self.p + self.eps)", "", "term_missing")


@right(binary)
class FocalLoss(Module):
    """-(1 - p)^2 log p for the class 1, mirrored for 0."""

    def forward(self, p, t):
        self.p, self.t = p, t
        self.pt = np.where(t == 1, p, 1 - p)
        return float(np.mean(-(1 - self.pt) ** 2 * np.log(self.pt)))

    def backward(self, _=None):
        d = 2 * (1 - self.pt) * np.log(self.pt) - (1 - self.pt) ** 2 / self.pt
        return d * np.where(self.t == 1, 1, -1) / len(self.p)


wrong(FocalLoss, "2 * (1 - self.pt) * np.log(self.pt) - (1 - self.pt) ** 2 / self.pt",
      "-(1 - self.pt) ** 2 / self.pt", "term_missing")
wrong(FocalLoss, " - (1 - self.pt) ** 2 / self.pt", "", "term_missing")
wrong(FocalLoss, " * np.where(self.t == 1, 1, -1)", "", "sign", "term_missing", "single_entries", "wrong_formula")


@right(lambda rng: (rng.dirichlet(np.ones(4), 3), rng.dirichlet(np.ones(4), 3)))
class KLDivergence(Module):
    """sum q log(q / p) over classes, averaged over the batch; a function of p."""

    def forward(self, p, q):
        self.p, self.q = p, q
        return np.sum(q * np.log(q / p)) / len(p)

    def backward(self, _=None):
        return -self.q / self.p / len(self.p)


wrong(KLDivergence, "-self.q", "self.q", "sign")
wrong(KLDivergence, "-self.q / self.p", "np.log(self.q / self.p)", "wrong_formula")


@right(lambda rng: (rng.dirichlet(np.ones(4), 3), rng.dirichlet(np.ones(4), 3)))
class ReverseKL(Module):
    """sum p log(p / q): p stands in two places."""

    def forward(self, p, q):
        self.p, self.q = p, q
        return (p * np.log(p / q)).sum() / len(p)

    def backward(self, _=None):
        return (np.log(self.p / self.q) + 1) / len(self.p)


wrong(ReverseKL, " + 1", "", "term_missing")


@right(classes)
class CrossEntropyByLoop(Module):
    def forward(self, logits, onehot):
        n = logits.shape[0]
        self.grads = np.zeros(logits.shape)
        loss = 0.0
        for i in range(n):
            e = np.exp(logits[i] - max(logits[i]))
            p = e / sum(e)
            loss -= np.log(p[onehot[i].argmax()])
            self.grads[i] = (p - onehot[i]) / n
        return loss / n

    def backward(self, _=None):
        return self.grads


wrong(CrossEntropyByLoop, "self.grads", "self.grads * len(self.grads)", "missing_1_n")


@right(one_hot_integers)
class CrossEntropyOfClassNumbers(Module):
    def forward(self, z, y):
        z = z - z.max(axis=1, keepdims=True)
        self.p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
        self.y = y
        return -np.log(self.p[np.arange(len(y)), y]).mean()

    def backward(self, _=None):
        d = self.p.copy()
        d[np.arange(len(self.y)), self.y] -= 1
        return d / len(self.y)


wrong(CrossEntropyOfClassNumbers, "self.p.copy()", "self.p", "changes_input", "stale_cache")
wrong(CrossEntropyOfClassNumbers, "d[np.arange(len(self.y)), self.y] -= 1", "d -= 1", "wrong_formula")
wrong(CrossEntropyOfClassNumbers, "d[np.arange(len(self.y)), self.y] -= 1", "d[self.y] -= 1", "wrong_formula",
      "single_entries")
wrong(CrossEntropyOfClassNumbers, "-= 1", "+= 1", "sign", "wrong_formula", "single_entries")


@right(lambda rng: (3 * rng.normal(size=(8, 1)), rng.choice([-1.0, 1.0], (8, 1))))
class HingeLoss(Module):
    def forward(self, score, t):
        self.m = 1 - t * score
        self.t = t
        return np.maximum(0, self.m).mean()

    def backward(self, _=None):
        return np.where(self.m > 0, -self.t, 0) / len(self.m)


wrong(HingeLoss, "self.m > 0, -self.t, 0", "self.m > 0, self.t, 0", "sign")
wrong(HingeLoss, "np.where(self.m > 0, -self.t, 0)", "-self.t", "single_entries", "wrong_formula", "term_missing")


@right(lambda rng: (rng.normal(size=(6, 3)),))
class SiameseContrastive(Module):
    """Pairs of rows are pulled together: a batch of an odd number isn't meant."""

    def forward(self, x):
        self.d = x[::2] - x[1::2]
        return (self.d ** 2).sum() / len(self.d)

    def backward(self, _=None):
        dx = np.zeros((2 * len(self.d), self.d.shape[1]))
        dx[::2] = 2 * self.d / len(self.d)
        dx[1::2] = -2 * self.d / len(self.d)
        return dx


wrong(SiameseContrastive, "-2 *", "2 *", "sign", "single_entries")
wrong(SiameseContrastive, "dx[1::2] = -2 * self.d / len(self.d)", "pass", "term_missing", "single_entries")


@right(lambda rng: (rng.normal(size=(4, 3)), rng.normal(size=(4, 3)), rng.normal(size=(4, 3))))
class TripletLoss(Module):
    def forward(self, anchor, positive, negative):
        self.p, self.n = anchor - positive, anchor - negative
        self.active = (self.p ** 2).sum(axis=1) - (self.n ** 2).sum(axis=1) + 1 > 0
        return np.maximum((self.p ** 2).sum(axis=1) - (self.n ** 2).sum(axis=1) + 1, 0).sum() / len(anchor)

    def backward(self, _=None):
        return 2 * (self.p - self.n) * self.active[:, None] / len(self.p)


wrong(TripletLoss, "(self.p - self.n)", "self.p", "term_missing")
wrong(TripletLoss, "self.p - self.n", "self.p + self.n", "sign", "wrong_formula")
wrong(TripletLoss, "2 * (", "(", "factor")


@right(regression)
class LogCosh(Module):
    def forward(self, y, t):
        self.e = y - t
        return np.logaddexp(self.e, -self.e).mean() - np.log(2)

    def backward(self, _=None):
        return np.tanh(self.e) / self.e.size


wrong(LogCosh, "np.tanh(self.e)", "self.e", "output_for_input", "wrong_formula", "term_missing")
wrong(LogCosh, "np.tanh", "np.sinh", "wrong_formula")


@right(regression)
class RootMeanSquare(Module):
    def forward(self, y, t):
        self.d = y - t
        self.rmse = np.sqrt(np.mean(self.d ** 2))
        return self.rmse

    def backward(self, _=None):
        return self.d / (self.rmse * self.d.size)


wrong(RootMeanSquare, "(self.rmse * self.d.size)", "self.d.size", "term_missing", "factor", "wrong_formula")
wrong(RootMeanSquare, "self.d / (", "2 * self.d / (", "factor")


@right(lambda rng: (rng.uniform(0.1, 0.9, (2, 4)), rng.integers(0, 2, (2, 4)).astype(float)))
class DiceLoss(Module):
    def forward(self, p, t):
        self.t = t
        self.num = 2 * (p * t).sum() + 1
        self.den = p.sum() + t.sum() + 1
        return 1 - self.num / self.den

    def backward(self, _=None):
        return -(2 * self.t * self.den - self.num) / self.den ** 2


wrong(DiceLoss, " - self.num", "", "term_missing", "statistics_constant")
wrong(DiceLoss, "- self.num", "+ self.num", "sign", "wrong_formula")
wrong(DiceLoss, "self.den ** 2", "self.den", "wrong_formula", "factor", "term_missing")


@right(lambda rng: (rng.uniform(0.5, 3, (5, 1)), rng.poisson(2, (5, 1)).astype(float)))
class PoissonLoss(Module):
    def forward(self, rate, count):
        self.rate, self.count = rate, count
        return np.mean(rate - count * np.log(rate))

    def backward(self, _=None):
        return (1 - self.count / self.rate) / self.rate.size


wrong(PoissonLoss, "1 - self.count / self.rate", "-self.count / self.rate", "term_missing")


@right(lambda rng: (rng.normal(size=(5, 1)), rng.normal(size=(5, 1))))
class PinballLoss(Module):
    def forward(self, y, t):
        self.d = t - y
        return np.maximum(0.9 * self.d, -0.1 * self.d).mean()

    def backward(self, grad=1.0):
        return grad * np.where(self.d > 0, -0.9, 0.1) / len(self.d)


wrong(PinballLoss, "-0.9, 0.1", "0.9, 0.1", "sign", "single_entries", "wrong_formula")


@right(lambda rng: (rng.normal(size=(4, 2)), rng.uniform(0.1, 2, (4, 2)), rng.normal(size=(4, 2))))
class WeightedSquares(Module):
    def forward(self, y, weights, t):
        self.w, self.d = weights, y - t
        self.total = weights.sum()
        return (weights * self.d ** 2).sum() / self.total

    def backward(self, _=None):
        return 2 * self.w * self.d / self.total


wrong(WeightedSquares, " * self.w", "", "term_missing", "wrong_formula")
wrong(WeightedSquares, "self.total", "len(self.d)", "factor")
