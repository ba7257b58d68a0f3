"""Modules on images and other arrays of many axes, and functions with several kinks."""
from __future__ import annotations

import numpy as np

from lib.network_base import Module, Parameter
from tests.mutants.wild.bank import at, fixed, normal, right, wrong


@right(normal(2, 2, 4, 4))
class MaxPoolByReshape(Module):
    def forward(self, x):
        n, c, h, w = x.shape
        self.v = x.reshape(n, c, h // 2, 2, w // 2, 2)
        self.y = self.v.max(axis=(3, 5))
        return self.y

    def backward(self, grad):
        mask = self.v == self.y[:, :, :, None, :, None]
        share = mask / mask.sum(axis=(3, 5), keepdims=True)
        d = share * grad[:, :, :, None, :, None]
        n, c, h, _, w, _ = d.shape
        return d.reshape(n, c, 2 * h, 2 * w)


at(MaxPoolByReshape, "zeros behind a ReLU", lambda rng: (np.maximum(rng.normal(size=(2, 1, 4, 4)) - 0.3, 0),))
wrong(MaxPoolByReshape, " / mask.sum(axis=(3, 5), keepdims=True)", "", "single_entries", "wrong_formula",
      inputs=lambda rng: (np.maximum(rng.normal(size=(2, 1, 4, 4)) - 0.3, 0),))
wrong(MaxPoolByReshape, "mask / mask.sum(axis=(3, 5), keepdims=True)", "0.25", "exception")


@right(normal(2, 2, 4, 4))
class GlobalAverage(Module):
    def forward(self, x):
        self.shape = x.shape
        return x.mean(axis=(2, 3))

    def backward(self, grad):
        n, c, h, w = self.shape
        return np.broadcast_to(grad[:, :, None, None] / (h * w), self.shape).copy()


wrong(GlobalAverage, " / (h * w)", "", "factor", "missing_1_nk")
wrong(GlobalAverage, "/ (h * w)", "/ h", "factor")


@right(normal(2, 2, 3, 3))
class PadOnes(Module):
    def forward(self, x):
        return np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))

    def backward(self, grad):
        return grad[:, :, 1:-1, 1:-1]


wrong(PadOnes, "1:-1, 1:-1", ":-2, :-2", "single_entries", "transposed", "wrong_formula")


@right(normal(1, 2, 4, 4))
class Convolution3x3(Module):
    def __init__(self):
        self.K = Parameter(np.random.randn(3, 2, 3, 3), name="K")

    def parameters(self):
        return [self.K]

    def forward(self, x):
        self.x = x
        out = np.zeros((len(x), 3, x.shape[2] - 2, x.shape[3] - 2))
        for i in range(out.shape[2]):
            for j in range(out.shape[3]):
                out[:, :, i, j] = np.tensordot(x[:, :, i:i + 3, j:j + 3], self.K.data, axes=([1, 2, 3], [1, 2, 3]))
        return out

    def backward(self, grad):
        dx = np.zeros_like(self.x)
        for i in range(grad.shape[2]):
            for j in range(grad.shape[3]):
                g = grad[:, :, i, j]
                dx[:, :, i:i + 3, j:j + 3] += np.tensordot(g, self.K.data, axes=1)
                self.K.grad += np.tensordot(g.T, self.x[:, :, i:i + 3, j:j + 3], axes=1)
        return dx


wrong(Convolution3x3, "j:j + 3] += np", "j:j + 3] = np", "single_entries")
wrong(Convolution3x3, "self.K.data, axes=1", "self.K.data[:, :, ::-1, ::-1], axes=1", "transposed", "wrong_formula")
wrong(Convolution3x3, "range(grad.shape[3])", "range(grad.shape[3] - 1)", "single_entries")
wrong(Convolution3x3, "self.K.grad += ", "self.K.grad = ", "overwritten", "single_entries")


@right(normal(2, 3, 2, 2))
class ChannelGate(Module):
    """Squeeze and excite: each channel times the sigmoid of its own mean."""

    def forward(self, x):
        self.x = x
        self.s = 1 / (1 + np.exp(-x.mean(axis=(2, 3), keepdims=True)))
        return x * self.s

    def backward(self, grad):
        ds = (grad * self.x).sum(axis=(2, 3), keepdims=True) * self.s * (1 - self.s)
        return grad * self.s + ds / (self.x.shape[2] * self.x.shape[3])


wrong(ChannelGate, " + ds / (self.x.shape[2] * self.x.shape[3])", "", "term_missing", "statistics_constant")
wrong(ChannelGate, " / (self.x.shape[2] * self.x.shape[3])", "", "missing_1_nk", "factor", "wrong_formula",
      "missing_1_n")
wrong(ChannelGate, " * (1 - self.s)", "", "term_missing", "wrong_formula")
wrong(ChannelGate, "(grad * self.x)", "grad", "term_missing", "wrong_formula")


@right(normal(3, 4))
class Clipped(Module):
    def forward(self, x):
        self.inside = (x > -1) & (x < 1)
        return np.clip(x, -1, 1)

    def backward(self, grad):
        return grad * self.inside


at(Clipped, "the bounds", fixed([[-1.0, 1.0, 0.0, 5.0]]))
wrong(Clipped, " * self.inside", "", "passed_on", "single_entries")
wrong(Clipped, "self.inside", "(np.abs(grad) < 1)", "mask_on_gradient", "upstream_not_linear")


@right(normal(3, 4, size=2.0))
class HardTanhOfSquare(Module):
    def forward(self, x):
        self.x = x
        return np.minimum(x * x, 2)

    def backward(self, grad):
        return np.where(self.x ** 2 < 2, 2 * self.x * grad, 0.0)


wrong(HardTanhOfSquare, "self.x ** 2 < 2", "self.x < 2", "single_entries", "wrong_formula")
wrong(HardTanhOfSquare, "np.where(self.x ** 2 < 2, 2 * self.x * grad, 0.0)", "2 * self.x * grad", "single_entries",
      "wrong_formula", "term_missing")


@right(normal(4, 6))
class Maxout(Module):
    """The greater of two halves."""

    def forward(self, x):
        a, b = x[:, :3], x[:, 3:]
        self.first = a >= b
        return np.maximum(a, b)

    def backward(self, grad):
        return np.hstack([grad * self.first, grad * ~self.first])


at(Maxout, "ties", fixed([[1.0, 2.0, 3.0, 1.0, 2.0, 4.0]]))
wrong(Maxout, "grad * self.first, grad * ~self.first", "grad * ~self.first, grad * self.first", "mask_inverted",
      "transposed",
      "wrong_formula", "single_entries")
wrong(Maxout, "grad * ~self.first", "grad", "single_entries", "passed_on", "wrong_formula", "term_missing")


@right(normal(3, 5))
class TopTwo(Module):
    """The two greatest numbers of each row, the others zero."""

    def forward(self, x):
        threshold = np.sort(x, axis=1)[:, -2:-1]
        self.keep = x >= threshold
        return np.where(self.keep, x, 0)

    def backward(self, grad):
        return np.where(self.keep, grad, 0)


wrong(TopTwo, "np.where(self.keep, grad, 0)", "grad", "passed_on", "single_entries")


@right(normal(2, 3))
class OuterProduct(Module):
    def forward(self, x):
        self.x = x
        return x[:, :, None] * x[:, None, :]

    def backward(self, grad):
        return (grad * self.x[:, None, :]).sum(axis=2) + (grad * self.x[:, :, None]).sum(axis=1)


wrong(OuterProduct, " + (grad * self.x[:, :, None]).sum(axis=1)", "", "term_missing")
wrong(OuterProduct, "self.x[:, :, None]).sum(axis=1)", "self.x[:, :, None]).sum(axis=2)", "wrong_axis", "wrong_formula")


@right(normal(4, 3))
class PairwiseDistances(Module):
    """|x_i - x_j|^2 of all rows."""

    def forward(self, x):
        self.d = x[:, None, :] - x[None, :, :]
        return (self.d ** 2).sum(axis=2)

    def backward(self, grad):
        g = 2 * grad[:, :, None] * self.d
        return g.sum(axis=1) - g.sum(axis=0)


wrong(PairwiseDistances, " - g.sum(axis=0)", "", "term_missing")
wrong(PairwiseDistances, "- g", "+ g", "sign", "wrong_formula")
wrong(PairwiseDistances, "2 * ", "", "factor")


@right(normal(3, 4))
class LogSumExp(Module):
    def forward(self, x):
        m = x.max(axis=1, keepdims=True)
        e = np.exp(x - m)
        self.p = e / e.sum(axis=1, keepdims=True)
        return (m + np.log(e.sum(axis=1, keepdims=True)))[:, 0]

    def backward(self, grad):
        return self.p * grad[:, None]


at(LogSumExp, "numbers of a thousand", lambda rng: (1000 + rng.normal(size=(3, 4)),))
wrong(LogSumExp, " * grad[:, None]", "", "upstream_ignored")
wrong(LogSumExp, "self.p * grad[:, None]", "grad[:, None] * np.ones_like(self.p)", "term_missing", "wrong_formula",
      "passed_on")


@right(normal(3, 4))
class Variance(Module):
    """The variance of each column."""

    def forward(self, x):
        self.x = x
        return x.var(axis=0)

    def backward(self, grad):
        return 2 * (self.x - self.x.mean(axis=0)) * grad / len(self.x)


wrong(Variance, "(self.x - self.x.mean(axis=0))", "self.x", "term_missing", "statistics_constant", "wrong_formula")
wrong(Variance, " / len(self.x)", "", "missing_1_n", "factor")


@right(normal(3, 4))
class Polynomial(Module):
    """a + b x + c x^2, with learnt a, b, c."""

    def __init__(self):
        self.c = Parameter(np.random.randn(3), name="c")

    def parameters(self):
        return [self.c]

    def forward(self, x):
        self.x = x
        return sum(c * x ** k for k, c in enumerate(self.c.data))

    def backward(self, grad):
        for k in range(3):
            self.c.grad[k] += (grad * self.x ** k).sum()
        return grad * (self.c.data[1] + 2 * self.c.data[2] * self.x)


wrong(Polynomial, "2 * self.c.data[2] * self.x", "self.c.data[2] * self.x", "factor", "wrong_formula", "term_missing")
wrong(Polynomial, "self.c.data[1] + ", "", "term_missing")
wrong(Polynomial, "range(3)", "range(2)", "single_entries", "term_missing")


@right(normal(2, 3))
class RadialBasis(Module):
    """exp(-|x - centre|^2) for two learnt centres."""

    def __init__(self):
        self.centres = Parameter(np.random.randn(2, 3), name="centres")

    def parameters(self):
        return [self.centres]

    def forward(self, x):
        self.d = x[:, None, :] - self.centres.data[None]
        self.y = np.exp(-(self.d ** 2).sum(axis=2))
        return self.y

    def backward(self, grad):
        g = -2 * (grad * self.y)[:, :, None] * self.d
        self.centres.grad -= g.sum(axis=0)
        return g.sum(axis=1)


wrong(RadialBasis, "self.centres.grad -= ", "self.centres.grad += ", "sign")
wrong(RadialBasis, "(grad * self.y)", "grad", "term_missing", "wrong_formula")
wrong(RadialBasis, "return g.sum(axis=1)", "return g.mean(axis=1)", "factor", "mean_for_sum")
