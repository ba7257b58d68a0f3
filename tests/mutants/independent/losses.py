"""Losses written by hand: on predictions and labels, on pairs, on one input."""
import numpy as np

from lib.network_base import Module
from tests.mutants.independent.bank import given, normal, right, slip


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


slip(CrossEntropyByIndex, "return d / len(d)", "return d", "batch size forgotten", "batch", "mean", " N")
slip(CrossEntropyByIndex, "return d / len(d)", "return d / d.size", "divided by all entries", "entries", "classes", " K", "batch", "size", "factor")
slip(CrossEntropyByIndex, "d[self.rows, self.truth] -= 1\n", "pass\n", "labels not subtracted", "label", "subtract")
slip(CrossEntropyByIndex, "d[self.rows, self.truth] -= 1\n", "d[:, self.truth] -= 1\n", "labels subtracted in every row", "row", "every", "label")
slip(CrossEntropyByIndex, "d = np.exp(self.logp)", "d = self.logp.copy()", "log-probabilities for probabilities", "log", "softmax", "exp", "prob")
slip(CrossEntropyByIndex, "-= 1", "+= 1", "sign of the labels", "sign", "label")


@right(lambda rng: (np.array([[1e-6], [0.5], [1 - 1e-6]]), np.array([[1.0], [1.0], [0.0]])), awkward="tiny probabilities")
@right(probabilities(5))
class BinaryCrossEntropy(Module):
    def forward(self, p, y):
        self.p, self.y = p, y
        return float(-np.mean(y * np.log(p) + (1 - y) * np.log(1 - p)))

    def backward(self, grad=1.0):
        return grad * ((1 - self.y) / (1 - self.p) - self.y / self.p) / self.p.size


slip(BinaryCrossEntropy, "(1 - self.y) / (1 - self.p) - self.y / self.p", "-self.y / self.p", "term of the label 0 missing", "missing", "term", "held constant", "place")
slip(BinaryCrossEntropy, "(1 - self.y) / (1 - self.p) - self.y / self.p", "self.p - self.y", "the gradient for logits", "logit", "sigmoid", "p - y")
slip(BinaryCrossEntropy, "(1 - self.y) / (1 - self.p) - self", "(1 - self.y) / (1 - self.p) + self", "sign of one term", "sign")
slip(BinaryCrossEntropy, " / self.p.size", "", "mean forgotten", "mean", "batch", " N", "size")


@right(lambda rng: (np.array([[0.0, 1e-9, 1.0]]), np.array([[0.0, 1.0, 1.0]])), awkward="probabilities at the ends, epsilon inside")
@right(lambda rng: (rng.uniform(0.1, 0.9, (3, 2)), rng.integers(2, size=(3, 2)).astype(float)))
class BceWithEpsilon(Module):
    EPS = 1e-3

    def forward(self, p, y):
        self.p, self.y = p, y
        return -(y * np.log(p + self.EPS) + (1 - y) * np.log(1 - p + self.EPS)).mean()

    def backward(self, _=None):
        p, y, e = self.p, self.y, self.EPS
        return (-y / (p + e) + (1 - y) / (1 - p + e)) / p.size


slip(BceWithEpsilon, "-y / (p + e) + (1 - y) / (1 - p + e)", "-y / p + (1 - y) / (1 - p)", "epsilon forgotten in backward", "eps", r"\+ 0\.001", r"\+ 1e-0?3")


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


slip(HuberLoss, "np.clip(self.r, -self.delta, self.delta)", "self.r", "the linear part missing", "clip", "squared", "situation", "large", "linear", "branch", "held constant")
slip(HuberLoss, "np.clip(self.r, -self.delta, self.delta)", "np.clip(self.r, -1, 1)", "1 for delta", "delta", "factor", "clip", "situation", "1")
slip(HuberLoss, "np.clip(self.r, -self.delta, self.delta)", "np.sign(self.r) * self.delta", "the quadratic part missing", "quadratic", "small", "situation", "branch", "sign", "linear")
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


slip(FocalLoss, "g * (1 - pt) ** (g - 1) * np.log(pt) - (1 - pt)", "-(1 - pt)", "the weight held constant", "held constant", "missing", "product")
slip(FocalLoss, "np.log(pt) - (1 - pt) ** g", "np.log(pt) + (1 - pt) ** g", "sign", "sign")
slip(FocalLoss, "dpt * pt * (self.y - self.p)", "dpt * (self.y - self.p)", "softmax's pt left out", "left out", "factor", "softmax")
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
slip(PairLoss, "dx[1::2] = -dx[::2]", "dx[1::2] = 0", "the second of each pair held constant", "held constant", "zero", "missing", "second")


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


slip(ContrastiveLoss, "(ddist / self.dist)[:, None]", "ddist[:, None]", "1 / distance left out", "left out", "factor", "root", "norm", "1 /", "distance")
slip(ContrastiveLoss, "np.hstack([d, -d])", "np.hstack([d, d])", "sign of the second half", "sign")
slip(ContrastiveLoss, " - 2 * (1 - self.same) * self.gap", "", "the margin's term missing", "missing", "held constant", "term")
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


slip(TripletLoss, "(n - p, p - a, a - n)", "(a - p, p - a, a - n)", "the anchor's negative term missing", "missing", "held constant", "place", "term", "anchor")
slip(TripletLoss, "self.on * d", "d", "mask of the hinge missing", "mask", "hinge", "maximum", "clip", "situation", "left out", "kink")
slip(TripletLoss, "(n - p, p - a, a - n)", "(n - p, a - n, p - a)", "parts swapped", "swap", "order", "permut", "sign")


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
slip(CosineDistance, "self.cos * self.a / self.na ** 2", "self.cos * self.a / self.na", "square of the norm", "square", "norm", "factor", "power")
slip(CosineDistance, "- self.cos * self.a", "- self.cos * self.b", "b for a", "other operand", "place", "b", "swap")
slip(CosineDistance, "return -(self.b", "return (self.b", "sign", "sign")


@right(lambda rng: (rng.standard_normal((3, 4)), rng.dirichlet(np.ones(4), 3)))
class KlFromLogits(Module):
    def forward(self, z, target):
        z = z - z.max(-1, keepdims=True)
        self.q = np.exp(z) / np.exp(z).sum(-1, keepdims=True)
        self.t = target
        return (target * (np.log(target) - np.log(self.q))).sum(-1).mean()

    def backward(self, _=None):
        return (self.q - self.t) / self.t.shape[0]


slip(KlFromLogits, "self.q - self.t", "self.t - self.q", "sign", "sign")
slip(KlFromLogits, "self.q - self.t", "-self.t / self.q", "gradient for the probabilities", "softmax", "logit", "prob", "left out")


@right(lambda rng: (np.stack([rng.standard_normal((4, 2)), rng.standard_normal((4, 2))]),))
class GaussianKl(Module):
    """The term of a variational autoencoder, on stacked means and log-variances."""

    def forward(self, both):
        self.mu, self.lv = both
        return 0.5 * np.sum(np.exp(self.lv) + self.mu ** 2 - 1 - self.lv) / self.mu.shape[0]

    def backward(self, _=None):
        return np.stack([self.mu, (np.exp(self.lv) - 1) / 2]) / self.mu.shape[0]


slip(GaussianKl, "(np.exp(self.lv) - 1) / 2", "np.exp(self.lv) / 2", "the -1 missing", "missing", "term", "place", "1", "held constant")
slip(GaussianKl, "(np.exp(self.lv) - 1) / 2", "(np.exp(self.lv) - 1)", "the half missing", "half", "2", "factor", "twice")
slip(GaussianKl, "[self.mu, (np", "[2 * self.mu, (np", "half forgotten for mu", "half", "2", "factor", "twice")


@right(scores_and_labels(3, 4))
class MulticlassHinge(Module):
    def forward(self, s, y):
        self.y = y
        correct = (s * y).sum(1, keepdims=True)
        m = np.maximum(0, s - correct + 1) * (1 - y)
        self.active = (m > 0).astype(float)
        return m.sum() / len(s)

    def backward(self, _=None):
        d = self.active - self.y * self.active.sum(1, keepdims=True)
        return d / len(d)


slip(MulticlassHinge, "self.active.sum(1, keepdims=True)", "1", "the right class gets -1 once only", "count", "sum", "right class", "once", "held constant", "label")
slip(MulticlassHinge, "self.active - self.y * self.active.sum(1, keepdims=True)", "self.active", "the right class' score held constant",
     "held constant", "right class", "missing", "correct")


@right(lambda rng: (rng.standard_normal((4, 1)), rng.choice([-1.0, 1.0], (4, 1))))
class LogisticPlusMinus(Module):
    def forward(self, f, y):
        self.m = y * f
        self.y = y
        return np.logaddexp(0, -self.m).mean()

    def backward(self, _=None):
        return -self.y / (1 + np.exp(self.m)) / self.y.size


slip(LogisticPlusMinus, "-self.y / (1", "-1 / (1", "label left out", "label", "left out", "y", "factor", "sign")
slip(LogisticPlusMinus, "np.exp(self.m)", "np.exp(-self.m)", "sigmoid(m) for sigmoid(-m)", "sign", "1 - ", "sigmoid", "argument")


@right(lambda rng: (rng.standard_normal((3, 5)), rng.integers(0, 9, (3, 5))), awkward="whole numbers as targets")
class PoissonNll(Module):
    def forward(self, lograte, counts):
        self.rate, self.counts = np.exp(lograte), counts
        return np.mean(self.rate - counts * lograte)

    def backward(self, _=None):
        return (self.rate - self.counts) / self.rate.size


slip(PoissonNll, "self.rate - self.counts", "self.rate", "counts missing", "missing", "held constant", "term", "label", "target")


@right(two(3, 2))
class WeightedMse(Module):
    def __init__(self, weights=(0.2, 3.0)):
        self.w = np.array(weights)

    def forward(self, preds, labels):
        self.diff = preds - labels
        return np.einsum("nk,nk,k->", self.diff, self.diff, self.w) / len(preds)

    def backward(self, _=None):
        return 2 * self.diff * self.w / len(self.diff)


slip(WeightedMse, "self.diff * self.w", "self.diff", "weights left out", "weight", "left out", "factor", "column")
slip(WeightedMse, "2 * self.diff", "self.diff", "factor 2", "2", "half", "factor")


@right(two(6, 1), awkward="correlation as a loss")
class NegativeCorrelation(Module):
    def forward(self, p, t):
        self.a, self.b = p - p.mean(), t - t.mean()
        self.na, self.nb = (np.sqrt((v * v).sum()) for v in (self.a, self.b))
        self.r = (self.a * self.b).sum() / (self.na * self.nb)
        return -self.r

    def backward(self, _=None):
        return -(self.b / self.nb - self.r * self.a / self.na) / self.na


slip(NegativeCorrelation, " - self.r * self.a / self.na)", ")", "norm held constant", "held constant", "norm")
slip(NegativeCorrelation, ") / self.na", ")", "1 / norm left out", "left out", "norm", "factor", "1 /")


@right(lambda rng: (rng.uniform(0.1, 0.9, (2, 8)), rng.integers(2, size=(2, 8)).astype(float)))
class DiceLoss(Module):
    def forward(self, p, y):
        self.y = y
        self.i = 2 * (p * y).sum(1, keepdims=True) + 1
        self.u = (p + y).sum(1, keepdims=True) + 1
        return float(np.mean(1 - self.i / self.u))

    def backward(self, _=None):
        return -(2 * self.y * self.u - self.i) / self.u ** 2 / len(self.y)


slip(DiceLoss, "(2 * self.y * self.u - self.i) / self.u ** 2", "2 * self.y / self.u", "denominator held constant", "held constant", "denominator", "quotient")
slip(DiceLoss, "self.u ** 2", "self.u", "square of the denominator", "square", "denominator", "factor", "power", "divid")
slip(DiceLoss, "* self.u - self.i", "* self.u + self.i", "plus for minus", "sign")


@right(normal(3, 4), awkward="a penalty on activations: entropy of a softmax")
class Entropy(Module):
    def forward(self, z):
        e = np.exp(z - z.max(1, keepdims=True))
        self.p = e / e.sum(1, keepdims=True)
        self.h = -(self.p * np.log(self.p)).sum(1, keepdims=True)
        return self.h.mean()

    def backward(self, _=None):
        return -self.p * (np.log(self.p) + self.h) / len(self.p)


slip(Entropy, "(np.log(self.p) + self.h)", "(np.log(self.p) + 1)", "softmax's Jacobian held diagonal", "softmax", "left out", "sum", "held constant", "normal")
slip(Entropy, "+ self.h)", "- self.h)", "sign", "sign")


@right(two(4, 3), 0.9)
class QuantileLoss(Module):
    def __init__(self, q):
        self.q = q

    def forward(self, preds, y):
        e = y - preds
        self.below = e < 0
        return np.mean(np.maximum(self.q * e, (self.q - 1) * e))

    def backward(self, _=None):
        return np.where(self.below, 1 - self.q, -self.q) / self.below.size


slip(QuantileLoss, "np.where(self.below, 1 - self.q, -self.q)", "np.where(self.below, -self.q, 1 - self.q)", "branches swapped", "swap", "branch", "mask", "condition", "sign")
slip(QuantileLoss, "np.where(self.below, 1 - self.q, -self.q)", "np.where(self.below, self.q, -self.q)", "q for 1 - q", "q", "factor", "1 -", "branch")


@right(lambda rng: (rng.standard_normal((4, 5)),), awkward="InfoNCE of a similarity matrix in the batch")
@right(lambda rng: (rng.standard_normal((3, 3)),))
class InfoNce(Module):
    def forward(self, z):
        self.z = z
        sim = z @ z.T
        sim = sim - sim.max(1, keepdims=True)
        e = np.exp(sim)
        self.p = e / e.sum(1, keepdims=True)
        return -np.log(np.diag(self.p)).mean()

    def backward(self, _=None):
        ds = (self.p - np.eye(len(self.p))) / len(self.p)
        return ds @ self.z + ds.T @ self.z


slip(InfoNce, "ds @ self.z + ds.T @ self.z", "ds @ self.z", "one of z's two places forgotten", "place", "held constant", "missing", "twice", "other")
slip(InfoNce, "ds @ self.z + ds.T @ self.z", "2 * ds @ self.z", "symmetric taken for granted", "transpos", "symmetric", r"\.T", "place", "other operand")
