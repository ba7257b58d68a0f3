"""Normalisers written by hand: batch, layer, group, instance and RMS normalisation, z-scores, softmaxes."""
from __future__ import annotations

import numpy as np

from lib.network_base import Module, Parameter
from tests.mutants.wild.bank import at, fixed, normal, right, wrong


@right(normal(5, 3))
class BatchNormByHand(Module):
    """The staircase of intermediate results, as in the well-known blog posts."""

    def __init__(self):
        self.gamma, self.beta = Parameter(np.ones(3), name="gamma"), Parameter(np.zeros(3), name="beta")

    def parameters(self):
        return [self.gamma, self.beta]

    def forward(self, x):
        self.mu = x.mean(axis=0)
        self.xmu = x - self.mu
        self.var = (self.xmu ** 2).mean(axis=0)
        self.ivar = 1 / np.sqrt(self.var + 1e-5)
        self.xhat = self.xmu * self.ivar
        return self.gamma.data * self.xhat + self.beta.data

    def backward(self, dout):
        N = dout.shape[0]
        self.beta.grad += dout.sum(axis=0)
        self.gamma.grad += (dout * self.xhat).sum(axis=0)
        dxhat = dout * self.gamma.data
        dvar = (dxhat * self.xmu).sum(axis=0) * -0.5 * self.ivar ** 3
        dmu = -(dxhat * self.ivar).sum(axis=0)
        return dxhat * self.ivar + dvar * 2 * self.xmu / N + dmu / N


wrong(BatchNormByHand, " + dvar * 2 * self.xmu / N + dmu / N", "", "statistics_constant", "term_missing")
wrong(BatchNormByHand, " + dmu / N", "", "statistics_constant", "term_missing")
wrong(BatchNormByHand, " + dvar * 2 * self.xmu / N", "", "statistics_constant", "term_missing")
wrong(BatchNormByHand, "-0.5 * self.ivar ** 3", "-0.5 * self.ivar ** 2", "wrong_formula")
wrong(BatchNormByHand, "dmu / N", "dmu", "missing_1_n", "wrong_formula")
wrong(BatchNormByHand, "* 2 * self.xmu", "* self.xmu", "factor", "wrong_formula")
wrong(BatchNormByHand, "dxhat = dout * self.gamma.data", "dxhat = dout", "term_missing", "factor", "wrong_formula",
      inputs=None)
wrong(BatchNormByHand, "(dout * self.xhat).sum(axis=0)", "dout.sum(axis=0)", "term_missing", "wrong_formula")
wrong(BatchNormByHand, "-0.5 *", "0.5 *", "sign", "wrong_formula")


@right(normal(3, 5))
class LayerNormByHand(Module):
    def forward(self, x):
        self.m = x.mean(-1, keepdims=True)
        self.sd = np.sqrt(x.var(-1, keepdims=True) + 1e-6)
        self.z = (x - self.m) / self.sd
        return self.z

    def backward(self, g):
        return (g - g.mean(-1, keepdims=True) - self.z * (g * self.z).mean(-1, keepdims=True)) / self.sd


at(LayerNormByHand, "an offset of a million", lambda rng: (1e6 + rng.normal(size=(3, 5)),))
at(LayerNormByHand, "an offset of 1e10", lambda rng: (1e10 + rng.normal(size=(3, 5)),), undecidable=True)
wrong(LayerNormByHand, " - g.mean(-1, keepdims=True)", "", "statistics_constant", "term_missing")
wrong(LayerNormByHand, " - self.z * (g * self.z).mean(-1, keepdims=True)", "", "statistics_constant", "term_missing")
wrong(LayerNormByHand, "g - g.mean(-1, keepdims=True) - self.z * (g * self.z).mean(-1, keepdims=True)", "g",
      "statistics_constant", "term_missing")
wrong(LayerNormByHand, "g.mean(-1", "g.mean(0", "wrong_axis")
wrong(LayerNormByHand, " / self.sd", "", "term_missing", "wrong_formula")
wrong(LayerNormByHand, "- self.z * (g", "+ self.z * (g", "sign", "wrong_formula")


@right(normal(3, 4))
class RMSNorm(Module):
    def __init__(self):
        self.scale = Parameter(1 + 0.1 * np.random.randn(4), name="scale")

    def parameters(self):
        return [self.scale]

    def forward(self, x):
        self.x = x
        self.r = np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + 1e-8)
        return x / self.r * self.scale.data

    def backward(self, grad):
        n = self.x.shape[-1]
        self.scale.grad += (grad * self.x / self.r).sum(axis=0)
        g = grad * self.scale.data
        inner = (g * self.x).sum(axis=-1, keepdims=True)
        return g / self.r - self.x * inner / (n * self.r ** 3)


wrong(RMSNorm, " - self.x * inner / (n * self.r ** 3)", "", "statistics_constant", "term_missing")
wrong(RMSNorm, "(n * self.r ** 3)", "self.r ** 3", "missing_1_n", "factor", "wrong_formula")
wrong(RMSNorm, "self.r ** 3", "self.r ** 2", "wrong_formula")
wrong(RMSNorm, "g = grad * self.scale.data", "g = grad", "term_missing", "factor", "wrong_formula")


@right(normal(2, 6))
class GroupNorm(Module):
    """Two groups of three features."""

    def forward(self, x):
        v = x.reshape(len(x), 2, 3)
        centred = v - v.mean(axis=2, keepdims=True)
        self.s = np.sqrt((centred ** 2).mean(axis=2, keepdims=True) + 1e-5)
        self.xhat = centred / self.s
        return self.xhat.reshape(x.shape)

    def backward(self, grad):
        g = grad.reshape(self.xhat.shape)
        mean = g.mean(axis=2, keepdims=True)
        corr = (g * self.xhat).mean(axis=2, keepdims=True)
        return ((g - mean - self.xhat * corr) / self.s).reshape(grad.shape)


wrong(GroupNorm, "g - mean - self.xhat * corr", "g - mean", "statistics_constant", "term_missing")
wrong(GroupNorm, "g - mean - ", "g - ", "statistics_constant", "term_missing")
wrong(GroupNorm, "axis=2", "axis=1", "wrong_axis", "wrong_formula")


@right(normal(2, 2, 3, 3))
class InstanceNorm(Module):
    """Each channel of each image by itself."""

    def forward(self, x):
        self.mu = x.mean(axis=(2, 3), keepdims=True)
        self.std = np.sqrt(x.var(axis=(2, 3), keepdims=True) + 1e-5)
        self.xhat = (x - self.mu) / self.std
        return self.xhat

    def backward(self, grad):
        a = grad - grad.mean(axis=(2, 3), keepdims=True)
        b = self.xhat * np.mean(grad * self.xhat, axis=(2, 3), keepdims=True)
        return (a - b) / self.std


wrong(InstanceNorm, "(a - b)", "a", "statistics_constant", "term_missing")
wrong(InstanceNorm, "(2, 3)", "(0, 2, 3)", "wrong_axis")
wrong(InstanceNorm, "a - b", "a + b", "sign", "wrong_formula")


@right(normal(5, 2))
class ZScore(Module):
    """Columns standardised with n - 1 in the deviation."""

    def forward(self, x):
        n = len(x)
        self.d = x - x.sum(axis=0) / n
        self.s = np.sqrt((self.d ** 2).sum(axis=0) / (n - 1))
        return self.d / self.s

    def backward(self, grad):
        n = len(grad)
        z = self.d / self.s
        return (grad - grad.sum(axis=0) / n - z * (grad * z).sum(axis=0) / (n - 1)) / self.s


wrong(ZScore, " - grad.sum(axis=0) / n", "", "statistics_constant", "term_missing")
wrong(ZScore, " - z * (grad * z).sum(axis=0) / (n - 1)", "", "statistics_constant", "term_missing")
wrong(ZScore, "/ (n - 1)", "/ n", "factor", "wrong_formula")


@right(normal(3, 4))
class Centre(Module):
    def forward(self, x):
        return x - x.mean(axis=1, keepdims=True)

    def backward(self, grad):
        return grad - grad.mean(axis=1, keepdims=True)


wrong(Centre, " - grad.mean(axis=1, keepdims=True)", "", "statistics_constant", "term_missing", "passed_on")
wrong(Centre, "axis=1", "axis=0", "wrong_axis")
wrong(Centre, "- grad.mean", "+ grad.mean", "sign", "wrong_formula")


@right(normal(4, 3))
class RangeScaled(Module):
    """(x - min) / (max - min) of each column."""

    def forward(self, x):
        self.lo, self.hi = x.argmin(axis=0), x.argmax(axis=0)
        cols = np.arange(x.shape[1])
        self.r = x[self.hi, cols] - x[self.lo, cols]
        self.y = (x - x[self.lo, cols]) / self.r
        return self.y

    def backward(self, grad):
        dx = grad / self.r
        cols = np.arange(grad.shape[1])
        total = (grad * self.y).sum(axis=0) / self.r
        dx[self.lo, cols] += total - grad.sum(axis=0) / self.r
        dx[self.hi, cols] -= total
        return dx


wrong(RangeScaled, "dx[self.hi, cols] -= total", "pass", "statistics_constant", "term_missing", "single_entries")
wrong(RangeScaled, "total - grad.sum(axis=0) / self.r", "total", "term_missing", "single_entries",
      "statistics_constant")


@right(normal(3, 4))
class SoftmaxByLoop(Module):
    """Softmax with the Jacobian written out, example by example."""

    def forward(self, x):
        e = np.exp(x - x.max(axis=1, keepdims=True))
        self.y = e / e.sum(axis=1, keepdims=True)
        return self.y

    def backward(self, grad):
        dx = np.zeros_like(grad)
        for n in range(len(grad)):
            y = self.y[n].reshape(-1, 1)
            jacobian = np.diagflat(y) - y @ y.T
            dx[n] = jacobian @ grad[n]
        return dx


wrong(SoftmaxByLoop, " - y @ y.T", "", "term_missing", "statistics_constant", "softmax_diagonal")
wrong(SoftmaxByLoop, "np.diagflat(y) - y @ y.T", "np.diagflat(y) + y @ y.T", "sign", "wrong_formula")
wrong(SoftmaxByLoop, "self.y[n]", "self.y[0]", "one_sample")
wrong(SoftmaxByLoop, "range(len(grad))", "range(len(grad) - 1)", "one_sample", "single_entries")


@right(normal(3, 4))
class LogSoftmax(Module):
    def forward(self, x):
        m = x.max(axis=1, keepdims=True)
        self.logp = x - m - np.log(np.exp(x - m).sum(axis=1, keepdims=True))
        return self.logp

    def backward(self, grad):
        return grad - np.exp(self.logp) * grad.sum(axis=1, keepdims=True)


at(LogSoftmax, "logits of a thousand", lambda rng: (1000 * rng.normal(size=(3, 4)),))
wrong(LogSoftmax, " - np.exp(self.logp) * grad.sum(axis=1, keepdims=True)", "", "term_missing",
      "statistics_constant", "passed_on")
wrong(LogSoftmax, " * grad.sum(axis=1, keepdims=True)", "", "upstream_ignored", "term_missing", "wrong_formula")
wrong(LogSoftmax, "grad.sum(axis=1", "grad.sum(axis=0", "wrong_axis")
wrong(LogSoftmax, "np.exp(self.logp)", "self.logp", "output_for_input", "wrong_formula")


@right(normal(3, 4))
class Temperature(Module):
    """Softmax of t x with a learnt t."""

    def __init__(self):
        self.t = Parameter(np.array(1.7), name="t")

    def parameters(self):
        return [self.t]

    def forward(self, x):
        self.x = x
        z = self.t.data * x
        z = z - z.max(axis=1, keepdims=True)
        p = np.exp(z)
        p /= p.sum(axis=1, keepdims=True)
        self.p = p
        return p

    def backward(self, grad):
        dz = self.p * (grad - (grad * self.p).sum(axis=1, keepdims=True))
        self.t.grad += (dz * self.x).sum()
        return dz * self.t.data


wrong(Temperature, "return dz * self.t.data", "return dz", "term_missing", "factor")
wrong(Temperature, "(dz * self.x).sum()", "dz.sum()", "term_missing", "wrong_formula", "zeros")
at(Temperature, "an input of zeros", fixed(np.zeros((2, 3))))
