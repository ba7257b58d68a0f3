"""Losses of pairs, distances and distributions."""
import numpy as np

from lib.network_base import Module
from tests.mutants.independent.bank import normal, right, slip


def scores_and_labels(n, k, scale=1.0):
    """Return logits and one-hot labels."""
    return lambda rng: (scale * rng.standard_normal((n, k)), np.eye(k)[rng.integers(k, size=n)])


def two(n, k, scale=1.0):
    """Return predictions and targets of the same shape."""
    return lambda rng: (scale * rng.standard_normal((n, k)), rng.standard_normal((n, k)))


def probabilities(n):
    """Return probabilities and labels of zeros and ones, in columns."""
    return lambda rng: (rng.uniform(0.05, 0.95, (n, 1)), rng.integers(2, size=(n, 1)).astype(float))


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
slip(KlFromLogits, "self.q - self.t", "-self.t / self.q", "gradient for the probabilities", "softmax", "logit", "prob",
     "left out", "nothing stands there")


@right(lambda rng: (np.stack([rng.standard_normal((4, 2)), rng.standard_normal((4, 2))]),))
class GaussianKl(Module):
    """The term of a variational autoencoder, on stacked means and log-variances."""

    def forward(self, both):
        self.mu, self.lv = both
        return 0.5 * np.sum(np.exp(self.lv) + self.mu ** 2 - 1 - self.lv) / self.mu.shape[0]

    def backward(self, _=None):
        return np.stack([self.mu, (np.exp(self.lv) - 1) / 2]) / self.mu.shape[0]


slip(GaussianKl, "(np.exp(self.lv) - 1) / 2", "np.exp(self.lv) / 2", "the -1 missing", "missing", "term", "place",
     "held constant")
slip(GaussianKl, "(np.exp(self.lv) - 1) / 2", "(np.exp(self.lv) - 1)", "the half missing", "half", "factor", "twice")
slip(GaussianKl, "[self.mu, (np", "[2 * self.mu, (np", "half forgotten for mu", "half", "factor", "twice")


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


slip(MulticlassHinge, "self.active.sum(1, keepdims=True)", "1", "the right class gets -1 once only", "count", "sum",
     "right class", "once", "held constant", "label")
slip(MulticlassHinge, "self.active - self.y * self.active.sum(1, keepdims=True)", "self.active",
     "the right class' score held constant", "held constant", "right class", "missing", "correct")


@right(lambda rng: (rng.standard_normal((4, 1)), rng.choice([-1.0, 1.0], (4, 1))))
class LogisticPlusMinus(Module):
    def forward(self, f, y):
        self.m = y * f
        self.y = y
        return np.logaddexp(0, -self.m).mean()

    def backward(self, _=None):
        return -self.y / (1 + np.exp(self.m)) / self.y.size


slip(LogisticPlusMinus, "-self.y / (1", "-1 / (1", "label left out",
     "nothing stands there", "label", "left out", "factor", "sign")
slip(LogisticPlusMinus, "np.exp(self.m)", "np.exp(-self.m)", "sigmoid(m) for sigmoid(-m)", "sign", "1 - ", "sigmoid",
     "argument")


@right(lambda rng: (rng.standard_normal((3, 5)), rng.integers(0, 9, (3, 5))), awkward="whole numbers as targets")
class PoissonNll(Module):
    def forward(self, lograte, counts):
        self.rate, self.counts = np.exp(lograte), counts
        return np.mean(self.rate - counts * lograte)

    def backward(self, _=None):
        return (self.rate - self.counts) / self.rate.size


slip(PoissonNll, "self.rate - self.counts", "self.rate", "counts missing", "missing", "held constant", "term", "label",
     "target")


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
slip(WeightedMse, "2 * self.diff", "self.diff", "factor 2", "half", "factor")


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


slip(DiceLoss, "(2 * self.y * self.u - self.i) / self.u ** 2", "2 * self.y / self.u", "denominator held constant",
     "held constant", "denominator", "quotient")
slip(DiceLoss, "self.u ** 2", "self.u", "square of the denominator", "square", "denominator", "factor", "power",
     "divid")
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


slip(Entropy, "(np.log(self.p) + self.h)", "(np.log(self.p) + 1)", "softmax's Jacobian held diagonal", "softmax",
     "left out", "sum", "held constant", "normal")
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


slip(QuantileLoss, "np.where(self.below, 1 - self.q, -self.q)", "np.where(self.below, -self.q, 1 - self.q)",
     "branches swapped", "swap", "branch", "mask", "condition", "sign", "exchanged")
slip(QuantileLoss, "np.where(self.below, 1 - self.q, -self.q)", "np.where(self.below, self.q, -self.q)", "q for 1 - q",
     "factor", "1 -", "branch")


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


slip(InfoNce, "ds @ self.z + ds.T @ self.z", "ds @ self.z", "one of z's two places forgotten", "place", "held constant",
     "missing", "twice", "other")
slip(InfoNce, "ds @ self.z + ds.T @ self.z", "2 * ds @ self.z", "symmetric taken for granted", "transpos", "symmetric",
     r"\.T", "place", "other operand")
