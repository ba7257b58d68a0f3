"""Normalisers written by hand."""
import numpy as np

from lib.network_base import Module, Parameter
from tests.mutants.independent.bank import given, normal, right, single, slip


@right(normal(1, 4), awkward="a batch of one")
@right(normal(4, 4), awkward="square")
@right(normal(6, 4, scale=1e-4), awkward="a spread near eps")
@right(normal(6, 3))
class BatchNormStepByStep(Module):
    def __init__(self):
        self.eps = 1e-5

    def forward(self, x):
        self.mu = x.mean(axis=0)
        self.xmu = x - self.mu
        self.var = (self.xmu ** 2).mean(axis=0)
        self.std = np.sqrt(self.var + self.eps)
        self.ivar = 1 / self.std
        return self.xmu * self.ivar

    def backward(self, dout):
        n = dout.shape[0]
        divar = np.sum(dout * self.xmu, axis=0)
        dxmu1 = dout * self.ivar
        dstd = -divar / self.std ** 2
        dvar = 0.5 / self.std * dstd
        dxmu2 = 2 * self.xmu * dvar / n
        dxmu = dxmu1 + dxmu2
        dmu = -dxmu.sum(axis=0)
        return dxmu + dmu / n


slip(BatchNormStepByStep, "dxmu = dxmu1 + dxmu2", "dxmu = dxmu1", "variance held constant", "held constant", "varian",
     "std", "spread")
slip(BatchNormStepByStep, "return dxmu + dmu / n", "return dxmu", "mean held constant", "held constant", "mean")
slip(BatchNormStepByStep, "return dxmu + dmu / n", "return dxmu + dmu", "the 1 / n of the mean missing", "mean", "sum",
     "factor")
slip(BatchNormStepByStep, "dstd = -divar", "dstd = divar", "sign of 1 / std's derivative", "sign")
slip(BatchNormStepByStep, "-divar / self.std ** 2", "-divar / self.std", "square of the denominator", "square", "1 / ",
     "factor", "power", "divid")
slip(BatchNormStepByStep, "dxmu2 = 2 * self.xmu", "dxmu2 = self.xmu", "the 2 of the square missing", "factor", "half",
     "square")
slip(BatchNormStepByStep, "0.5 / self.std * dstd", "0.5 * self.std * dstd", "root's derivative multiplied", "root",
     "sqrt", "divid", "1 /", "inverse")


@right(single(normal(8, 3)), 3, awkward="float32 input")
@right(normal(5, 3, shift=1e3), 3, awkward="far from zero")
@right(normal(5, 3), 3)
class BatchNormCompact(Module):
    def __init__(self, n):
        self.gamma = Parameter(np.ones(n), name="gamma")
        self.beta = Parameter(np.zeros(n), name="beta")
        self.running = np.zeros(n), np.ones(n)

    def forward(self, x):
        if self.training:
            m, v = x.mean(0), x.var(0)
            self.running = tuple(0.9 * r + 0.1 * new for r, new in zip(self.running, (m, v)))
        else:
            m, v = self.running
        self.inv = 1 / np.sqrt(v + 1e-5)
        self.xhat = (x - m) * self.inv
        return self.gamma.data * self.xhat + self.beta.data

    def backward(self, grad):
        self.gamma.grad += (grad * self.xhat).sum(0)
        self.beta.grad += grad.sum(0)
        d = grad * self.gamma.data
        if not self.training:
            return d * self.inv
        return self.inv * (d - d.mean(0) - self.xhat * (d * self.xhat).mean(0))

    def parameters(self):
        return [self.gamma, self.beta]


slip(BatchNormCompact, "(d - d.mean(0) - self.xhat * (d * self.xhat).mean(0))", "(d - d.mean(0))",
     "variance held constant", "held constant", "varian", "std", "spread")
slip(BatchNormCompact, "(d - d.mean(0) - self.xhat", "(d - self.xhat", "mean held constant", "held constant", "mean")
slip(BatchNormCompact, "d - d.mean(0) -", "d - d.mean(1, keepdims=True) -", "mean over the wrong axis", "axis")
slip(BatchNormCompact, "(d * self.xhat).mean(0))", "(d * self.xhat).sum(0))", "sum for mean in the variance's term",
     "sum", "mean", "factor", "batch")
slip(BatchNormCompact, "d = grad * self.gamma.data", "d = grad", "gamma left out of dx", "gamma", "left out", "factor")
slip(BatchNormCompact, "        if not self.training:\n            return d * self.inv\n", "",
     "evaluation mode differentiated as training", "eval")
slip(BatchNormCompact, "(grad * self.xhat).sum(0)", "(grad * self.xhat).sum()", "summed over all axes", "axis", "axes",
     "shape", "sum")
slip(BatchNormCompact, "return self.inv * (d -", "return (d -", "1 / std left out", "left out", "factor", "std", "1 /")


@right(normal(3, 2), awkward="rows of two: the output is almost a sign")
@right(normal(3, 5, shift=1e4), awkward="an offset of ten thousand")
@right(normal(3, 5))
class LayerNormNoAffine(Module):
    def forward(self, x):
        mean = x.mean(axis=-1, keepdims=True)
        std = x.std(axis=-1, keepdims=True) + 1e-6
        self.cache = (x - mean, std, x.std(axis=-1, keepdims=True))
        return (x - mean) / std

    def backward(self, g):
        centred, std, s = self.cache
        n = g.shape[-1]
        d = g / std
        ds = -(g * centred).sum(-1, keepdims=True) / std ** 2
        d = d + ds * centred / (n * s)
        return d - d.mean(-1, keepdims=True)


slip(LayerNormNoAffine, "d = d + ds * centred / (n * s)\n", "pass\n", "std held constant", "held constant", "std",
     "spread")
slip(LayerNormNoAffine, "centred / (n * s)", "centred / s", "n missing in the derivative of std", "mean", "factor",
     "sum")
slip(LayerNormNoAffine, "return d - d.mean(-1, keepdims=True)", "return d", "mean held constant", "held constant",
     "mean")
slip(LayerNormNoAffine, "d.mean(-1, keepdims=True)", "d.mean(0, keepdims=True)", "mean over the batch", "axis", "batch")


@right(given([[0.0, 0.0, 0.0], [1.0, 2.0, 3.0]]), awkward="a row of zeros, kept finite by eps")
@right(normal(4, 3, scale=1e-3), awkward="small")
@right(normal(4, 3))
class RmsNorm(Module):
    def __init__(self, d=3):
        self.g = Parameter(np.random.uniform(0.5, 1.5, d), name="g")

    def forward(self, x):
        self.x = x
        self.r = np.sqrt(np.mean(x * x, axis=1, keepdims=True) + 1e-6)
        return x / self.r * self.g.data

    def backward(self, grad):
        x, r = self.x, self.r
        self.g.grad += (grad * x / r).sum(axis=0)
        gg = grad * self.g.data
        return gg / r - x * (gg * x).sum(axis=1, keepdims=True) / (x.shape[1] * r ** 3)

    def parameters(self):
        return [self.g]


slip(RmsNorm, " - x * (gg * x).sum(axis=1, keepdims=True) / (x.shape[1] * r ** 3)", "", "the norm held constant",
     "held constant", "norm", "root")
slip(RmsNorm, "(gg * x).sum(axis=1, keepdims=True)", "(grad * x).sum(axis=1, keepdims=True)",
     "g missing in the second term", "left out", "factor", "scale")
slip(RmsNorm, "r ** 3)", "r ** 2)", "wrong power of r", "power", "cube", "factor", "1 /", "root", "divid")
slip(RmsNorm, "(x.shape[1] * r ** 3)", "(x.shape[0] * r ** 3)", "batch size for the number of features", "batch",
     "axis", "features", "shape", "mean")
slip(RmsNorm, "grad * x / r).sum", "grad * x).sum", "1 / r missing in g's gradient", "factor", "left out", "normal")
slip(RmsNorm, "gg / r - x", "gg / r + x", "sign of the second term", "sign")


@right(given([[1e-6, 2e-6], [1.0, 1.0]]), awkward="one tiny row")
@right(normal(3, 4))
class UnitRows(Module):
    def forward(self, v):
        self.n = np.linalg.norm(v, axis=1, keepdims=True)
        self.u = v / self.n
        return self.u

    def backward(self, grad):
        return (grad - self.u * np.sum(self.u * grad, axis=1, keepdims=True)) / self.n


slip(UnitRows, "(grad - self.u * np.sum(self.u * grad, axis=1, keepdims=True)) / self.n", "grad / self.n",
     "the norm held constant", "held constant", "norm")
slip(UnitRows, "axis=1, keepdims=True)) / self.n", "axis=1, keepdims=True))", "1 / norm left out", "left out", "norm",
     "factor")
slip(UnitRows, "np.sum(self.u * grad, axis=1, keepdims=True)", "np.sum(self.u * grad, axis=0, keepdims=True)",
     "summed over the batch", "axis", "batch")
slip(UnitRows, "np.sum(self.u * grad, axis=1, keepdims=True)", "np.sum(self.u * grad)", "summed over everything",
     "axis", "axes", "sum", "everything", "whole")


@right(normal(2, 4, 3, 3))
class GroupNorm(Module):
    def __init__(self, groups=2, channels=4):
        self.groups = groups
        self.w = Parameter(np.random.randn(1, channels, 1, 1), name="w")

    def forward(self, x):
        n, c, h, w = x.shape
        z = x.reshape(n, self.groups, -1)
        self.inv = 1 / np.sqrt(z.var(2, keepdims=True) + 1e-5)
        self.z = (z - z.mean(2, keepdims=True)) * self.inv
        self.hat = self.z.reshape(x.shape)
        return self.hat * self.w.data

    def backward(self, grad):
        self.w.grad += (grad * self.hat).sum(axis=(0, 2, 3), keepdims=True)
        d = (grad * self.w.data).reshape(self.z.shape)
        dz = (d - d.mean(2, keepdims=True) - self.z * (d * self.z).mean(2, keepdims=True)) * self.inv
        return dz.reshape(grad.shape)

    def parameters(self):
        return [self.w]


slip(GroupNorm, "d - d.mean(2, keepdims=True) - self.z * (d * self.z).mean(2, keepdims=True)",
     "d - d.mean(2, keepdims=True)", "variance held constant", "held constant", "var")
slip(GroupNorm, "sum(axis=(0, 2, 3), keepdims=True)", "sum(axis=(2, 3), keepdims=True)", "not summed over the batch",
     "batch", "shape", "axis", "sum")
slip(GroupNorm, "self.z * (d * self.z).mean(2, keepdims=True)", "self.z * (d * self.z).mean(1, keepdims=True)",
     "group axis for entries' axis", "axis")
