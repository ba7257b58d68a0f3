"""Losses written by hand, on predictions and labels."""
import numpy as np

from lib.network_base import Module
from tests.mutants.independent.bank import right, slip


def scores_and_labels(n, k, scale=1.0):
    """Return logits and one-hot labels."""
    return lambda rng: (scale * rng.standard_normal((n, k)), np.eye(k)[rng.integers(k, size=n)])


def two(n, k, scale=1.0):
    """Return predictions and targets of the same shape."""
    return lambda rng: (scale * rng.standard_normal((n, k)), rng.standard_normal((n, k)))


def probabilities(n):
    """Return probabilities and labels of zeros and ones, in columns."""
    return lambda rng: (rng.uniform(0.05, 0.95, (n, 1)), rng.integers(2, size=(n, 1)).astype(float))


@right(scores_and_labels(3, 4, 300.0), awkward="saturated logits")
@right(scores_and_labels(1, 3), awkward="a batch of one")
@right(scores_and_labels(4, 3))
class CrossEntropyByIndex(Module):
    def forward(self, logits, labels):
        self.rows = np.arange(len(logits))
        self.truth = labels.argmax(axis=1)
        z = logits - logits.max(axis=1, keepdims=True)
        self.logp = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
        return -self.logp[self.rows, self.truth].mean()

    def backward(self, _=None):
        d = np.exp(self.logp)
        d[self.rows, self.truth] -= 1
        return d / len(d)


slip(CrossEntropyByIndex, "return d / len(d)", "return d", "batch size forgotten", "batch", "mean")
slip(CrossEntropyByIndex, "return d / len(d)", "return d / d.size", "divided by all entries", "entries", "classes",
     "batch", "size", "factor")
slip(CrossEntropyByIndex, "d[self.rows, self.truth] -= 1\n", "pass\n", "labels not subtracted", "label", "subtract")
slip(CrossEntropyByIndex, "d[self.rows, self.truth] -= 1\n", "d[:, self.truth] -= 1\n",
     "labels subtracted in every row", "row", "every", "label")
slip(CrossEntropyByIndex, "d = np.exp(self.logp)", "d = self.logp.copy()", "log-probabilities for probabilities", "log",
     "softmax", "exp", "prob")
slip(CrossEntropyByIndex, "-= 1", "+= 1", "sign of the labels", "sign", "label")


@right(lambda rng: (np.array([[1e-6], [0.5], [1 - 1e-6]]), np.array([[1.0], [1.0], [0.0]])),
       awkward="tiny probabilities")
@right(probabilities(5))
class BinaryCrossEntropy(Module):
    def forward(self, p, y):
        self.p, self.y = p, y
        return float(-np.mean(y * np.log(p) + (1 - y) * np.log(1 - p)))

    def backward(self, grad=1.0):
        return grad * ((1 - self.y) / (1 - self.p) - self.y / self.p) / self.p.size


slip(BinaryCrossEntropy, "(1 - self.y) / (1 - self.p) - self.y / self.p", "-self.y / self.p",
     "term of the label 0 missing", "missing", "term", "held constant", "place")
slip(BinaryCrossEntropy, "(1 - self.y) / (1 - self.p) - self.y / self.p", "self.p - self.y", "the gradient for logits",
     "logit", "sigmoid", "p - y")
slip(BinaryCrossEntropy, "(1 - self.y) / (1 - self.p) - self", "(1 - self.y) / (1 - self.p) + self", "sign of one term",
     "sign")
slip(BinaryCrossEntropy, " / self.p.size", "", "mean forgotten", "mean", "batch", "size")


@right(lambda rng: (np.array([[0.0, 1e-9, 1.0]]), np.array([[0.0, 1.0, 1.0]])),
       awkward="probabilities at the ends, epsilon inside")
@right(lambda rng: (rng.uniform(0.1, 0.9, (3, 2)), rng.integers(2, size=(3, 2)).astype(float)))
class BceWithEpsilon(Module):
    EPS = 1e-3

    def forward(self, p, y):
        self.p, self.y = p, y
        return -(y * np.log(p + self.EPS) + (1 - y) * np.log(1 - p + self.EPS)).mean()

    def backward(self, _=None):
        p, y, e = self.p, self.y, self.EPS
        return (-y / (p + e) + (1 - y) / (1 - p + e)) / p.size


slip(BceWithEpsilon, "-y / (p + e) + (1 - y) / (1 - p + e)", "-y / p + (1 - y) / (1 - p)",
     "epsilon forgotten in backward", "eps", r"\+ 0\.001", r"\+ 1e-0?3")


@right(two(3, 3), 1.0, awkward="far and near")
@right(lambda rng: (np.array([[1.0, 2.0, 0.0]]), np.zeros((1, 3))), 1.0, awkward="on the seam of the parts")
@right(two(4, 2), 0.8)
class HuberLoss(Module):
    def __init__(self, delta):
        self.delta = delta

    def forward(self, preds, target):
        self.r = preds - target
        small = np.abs(self.r) <= self.delta
        return np.where(small, self.r ** 2 / 2, self.delta * (np.abs(self.r) - self.delta / 2)).mean()

    def backward(self, _=None):
        return np.clip(self.r, -self.delta, self.delta) / self.r.size


slip(HuberLoss, "np.clip(self.r, -self.delta, self.delta)", "self.r", "the linear part missing", "clip", "squared",
     "situation", "large", "linear", "branch", "held constant", "one side")
slip(HuberLoss, "np.clip(self.r, -self.delta, self.delta)", "np.clip(self.r, -1, 1)", "1 for delta", "delta", "factor",
     "clip", "situation")
slip(HuberLoss, "np.clip(self.r, -self.delta, self.delta)", "np.sign(self.r) * self.delta",
     "the quadratic part missing", "quadratic", "small", "situation", "branch", "sign", "linear")
slip(HuberLoss, "/ self.r.size", "/ len(self.r)", "batch for all entries", "mean", "entries", "size", "batch", "factor")


@right(scores_and_labels(4, 3))
class FocalLoss(Module):
    gamma = 2.0

    def forward(self, logits, labels):
        e = np.exp(logits - logits.max(1, keepdims=True))
        self.p = e / e.sum(1, keepdims=True)
        self.y = labels
        self.pt = (self.p * labels).sum(1, keepdims=True)
        return np.mean(-(1 - self.pt) ** self.gamma * np.log(self.pt))

    def backward(self, _=None):
        pt, g = self.pt, self.gamma
        dpt = g * (1 - pt) ** (g - 1) * np.log(pt) - (1 - pt) ** g / pt
        return dpt * pt * (self.y - self.p) / len(self.y)


slip(FocalLoss, "g * (1 - pt) ** (g - 1) * np.log(pt) - (1 - pt)", "-(1 - pt)", "the weight held constant",
     "held constant", "missing", "product")
slip(FocalLoss, "np.log(pt) - (1 - pt) ** g", "np.log(pt) + (1 - pt) ** g", "sign", "sign")
slip(FocalLoss, "dpt * pt * (self.y - self.p)", "dpt * (self.y - self.p)", "softmax's pt left out", "left out",
     "factor", "softmax")
slip(FocalLoss, "(g - 1)", "g", "exponent not lowered", "exponent", "power", "factor")


@right(lambda rng: (rng.standard_normal((6, 3)),), awkward="pairs of neighbouring rows")
class PairLoss(Module):
    def forward(self, x):
        self.d = x[::2] - x[1::2]
        return 0.5 * np.sum(self.d ** 2) / len(self.d)

    def backward(self, _=None):
        dx = np.empty((2 * len(self.d), self.d.shape[1]))
        dx[::2] = self.d / len(self.d)
        dx[1::2] = -dx[::2]
        return dx


slip(PairLoss, "dx[1::2] = -dx[::2]", "dx[1::2] = dx[::2]", "sign for the second of each pair", "sign")
slip(PairLoss, "dx[1::2] = -dx[::2]", "dx[1::2] = 0", "the second of each pair held constant", "held constant", "zero",
     "missing", "second")


@right(lambda rng: (rng.standard_normal((3, 4)), np.array([1.0, 0.0, 1.0])), awkward="a Siamese distance with labels")
@right(lambda rng: (1e-6 * np.ones((2, 4)) * [[1.0], [1e6]], np.array([1.0, 0.0])), awkward="rows at tiny distances")
@right(lambda rng: (rng.standard_normal((5, 4)), np.array([1.0, 0.0, 1.0, 0.0, 0.0])))
class ContrastiveLoss(Module):
    margin = 3.0

    def forward(self, both, same):
        a, b = both[:, :2], both[:, 2:]
        self.diff = a - b + 0.1
        self.dist = np.sqrt((self.diff ** 2).sum(1))
        self.gap = np.maximum(self.margin - self.dist, 0)
        self.same = same
        return np.mean(same * self.dist ** 2 + (1 - same) * self.gap ** 2)

    def backward(self, _=None):
        ddist = 2 * self.same * self.dist - 2 * (1 - self.same) * self.gap
        d = (ddist / self.dist)[:, None] * self.diff / len(self.same)
        return np.hstack([d, -d])


slip(ContrastiveLoss, "(ddist / self.dist)[:, None]", "ddist[:, None]", "1 / distance left out", "left out", "factor",
     "root", "norm", "1 /", "distance")
slip(ContrastiveLoss, "np.hstack([d, -d])", "np.hstack([d, d])", "sign of the second half", "sign")
slip(ContrastiveLoss, " - 2 * (1 - self.same) * self.gap", "", "the margin's term missing", "missing", "held constant",
     "term")
slip(ContrastiveLoss, "- 2 * (1 - self.same)", "+ 2 * (1 - self.same)", "sign of the margin's term", "sign")


@right(lambda rng: (rng.standard_normal((4, 6)),))
class TripletLoss(Module):
    def forward(self, triples):
        a, p, n = np.split(triples, 3, axis=1)
        self.parts = a, p, n
        v = ((a - p) ** 2).sum(1) - ((a - n) ** 2).sum(1) + 1
        self.on = (v > 0)[:, None]
        return np.maximum(v, 0).mean()

    def backward(self, _=None):
        a, p, n = self.parts
        d = np.concatenate((n - p, p - a, a - n), axis=1)
        return 2 * self.on * d / len(a)


slip(TripletLoss, "(n - p, p - a, a - n)", "(a - p, p - a, a - n)", "the anchor's negative term missing", "missing",
     "held constant", "place", "term", "anchor")
slip(TripletLoss, "self.on * d", "d", "mask of the hinge missing", "mask", "hinge", "maximum", "clip", "situation",
     "left out", "kink")
slip(TripletLoss, "(n - p, p - a, a - n)", "(n - p, a - n, p - a)", "parts swapped", "swap", "order", "permut", "sign",
     "exchanged")


@right(two(3, 4, 1e-6), awkward="one vector tiny")
@right(two(3, 4))
class CosineDistance(Module):
    def forward(self, a, b):
        self.a, self.b = a, b
        self.na = np.linalg.norm(a, axis=1, keepdims=True)
        self.nb = np.linalg.norm(b, axis=1, keepdims=True)
        self.cos = (a * b).sum(1, keepdims=True) / (self.na * self.nb)
        return np.mean(1 - self.cos)

    def backward(self, _=None):
        return -(self.b / (self.na * self.nb) - self.cos * self.a / self.na ** 2) / len(self.a)


slip(CosineDistance, " - self.cos * self.a / self.na ** 2", "", "norm held constant", "held constant", "norm")
slip(CosineDistance, "self.cos * self.a / self.na ** 2", "self.cos * self.a / self.na", "square of the norm", "square",
     "norm", "factor", "power")
slip(CosineDistance, "- self.cos * self.a", "- self.cos * self.b", "b for a",
     "another value", "other operand", "place", "swap")
slip(CosineDistance, "return -(self.b", "return (self.b", "sign", "sign")
