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


slip(BatchNormStepByStep, "dxmu = dxmu1 + dxmu2", "dxmu = dxmu1", "variance held constant", "held constant", "varian", "std", "spread")
slip(BatchNormStepByStep, "return dxmu + dmu / n", "return dxmu", "mean held constant", "held constant", "mean")
slip(BatchNormStepByStep, "return dxmu + dmu / n", "return dxmu + dmu", "the 1 / n of the mean missing", "n", "mean", "sum", "factor")
slip(BatchNormStepByStep, "dstd = -divar", "dstd = divar", "sign of 1 / std's derivative", "sign")
slip(BatchNormStepByStep, "-divar / self.std ** 2", "-divar / self.std", "square of the denominator", "square", "1 / ", "factor", "power", "divid")
slip(BatchNormStepByStep, "dxmu2 = 2 * self.xmu", "dxmu2 = self.xmu", "the 2 of the square missing", "factor", "2", "half", "square")
slip(BatchNormStepByStep, "0.5 / self.std * dstd", "0.5 * self.std * dstd", "root's derivative multiplied", "root", "sqrt", "divid", "1 /", "inverse")


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


slip(BatchNormCompact, "(d - d.mean(0) - self.xhat * (d * self.xhat).mean(0))", "(d - d.mean(0))", "variance held constant",
     "held constant", "varian", "std", "spread")
slip(BatchNormCompact, "(d - d.mean(0) - self.xhat", "(d - self.xhat", "mean held constant", "held constant", "mean")
slip(BatchNormCompact, "d - d.mean(0) -", "d - d.mean(1, keepdims=True) -", "mean over the wrong axis", "axis")
slip(BatchNormCompact, "(d * self.xhat).mean(0))", "(d * self.xhat).sum(0))", "sum for mean in the variance's term", "sum", "mean", "factor", "batch")
slip(BatchNormCompact, "d = grad * self.gamma.data", "d = grad", "gamma left out of dx", "gamma", "left out", "factor")
slip(BatchNormCompact, "        if not self.training:\n            return d * self.inv\n", "", "evaluation mode differentiated as training",
     "eval")
slip(BatchNormCompact, "(grad * self.xhat).sum(0)", "(grad * self.xhat).sum()", "summed over all axes", "axis", "axes", "shape", "sum")
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


slip(LayerNormNoAffine, "d = d + ds * centred / (n * s)\n", "pass\n", "std held constant", "held constant", "std", "spread")
slip(LayerNormNoAffine, "centred / (n * s)", "centred / s", "n missing in the derivative of std", "n", "mean", "factor", "sum", "5")
slip(LayerNormNoAffine, "return d - d.mean(-1, keepdims=True)", "return d", "mean held constant", "held constant", "mean")
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


slip(RmsNorm, " - x * (gg * x).sum(axis=1, keepdims=True) / (x.shape[1] * r ** 3)", "", "the norm held constant", "held constant", "norm", "root")
slip(RmsNorm, "(gg * x).sum(axis=1, keepdims=True)", "(grad * x).sum(axis=1, keepdims=True)", "g missing in the second term", "g", "left out", "factor", "scale")
slip(RmsNorm, "r ** 3)", "r ** 2)", "wrong power of r", "power", "cube", "factor", "1 /", "root", "divid")
slip(RmsNorm, "(x.shape[1] * r ** 3)", "(x.shape[0] * r ** 3)", "batch size for the number of features", "batch", "axis", "features", "shape", "mean")
slip(RmsNorm, "grad * x / r).sum", "grad * x).sum", "1 / r missing in g's gradient", "factor", "left out", "r", "normal")
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


slip(UnitRows, "(grad - self.u * np.sum(self.u * grad, axis=1, keepdims=True)) / self.n", "grad / self.n", "the norm held constant",
     "held constant", "norm")
slip(UnitRows, "axis=1, keepdims=True)) / self.n", "axis=1, keepdims=True))", "1 / norm left out", "left out", "norm", "factor")
slip(UnitRows, "np.sum(self.u * grad, axis=1, keepdims=True)", "np.sum(self.u * grad, axis=0, keepdims=True)", "summed over the batch",
     "axis", "batch")
slip(UnitRows, "np.sum(self.u * grad, axis=1, keepdims=True)", "np.sum(self.u * grad)", "summed over everything", "axis", "axes", "sum", "everything", "whole")


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


slip(GroupNorm, "d - d.mean(2, keepdims=True) - self.z * (d * self.z).mean(2, keepdims=True)", "d - d.mean(2, keepdims=True)",
     "variance held constant", "held constant", "var")
slip(GroupNorm, "sum(axis=(0, 2, 3), keepdims=True)", "sum(axis=(2, 3), keepdims=True)", "not summed over the batch", "batch", "shape", "axis", "sum")
slip(GroupNorm, "self.z * (d * self.z).mean(2, keepdims=True)", "self.z * (d * self.z).mean(1, keepdims=True)", "group axis for entries' axis", "axis")


@right(normal(4, 3), awkward="columns standardised without eps, ddof = 1")
class ZScore(Module):
    def forward(self, x):
        self.n = len(x)
        self.s = x.std(0, ddof=1)
        self.z = (x - x.mean(0)) / self.s
        return self.z

    def backward(self, g):
        return (g - g.mean(0) - self.z * (g * self.z).sum(0) / (self.n - 1)) / self.s


slip(ZScore, "(g * self.z).sum(0) / (self.n - 1)", "(g * self.z).mean(0)", "n for n - 1", "n - 1", "factor", "ddof", "mean")
slip(ZScore, "(g * self.z).sum(0) / (self.n - 1)", "(self.z).sum(0) / (self.n - 1)", "upstream gradient missing in a term", "upstream", "grad", "held constant", "std")


@right(normal(2, 3))
class WeightNormLinear(Module):
    def __init__(self, i=3, o=4):
        self.v = Parameter(np.random.randn(i, o), name="v")
        self.g = Parameter(np.random.uniform(0.5, 2, o), name="g")

    def forward(self, x):
        self.x = x
        self.norm = np.sqrt((self.v.data ** 2).sum(0))
        self.w = self.v.data * (self.g.data / self.norm)
        return x @ self.w

    def backward(self, grad):
        dw = self.x.T @ grad
        unit = self.v.data / self.norm
        dg = (dw * unit).sum(0)
        self.g.grad += dg
        self.v.grad += self.g.data / self.norm * (dw - dg * unit)
        return grad @ self.w.T

    def parameters(self):
        return [self.v, self.g]


slip(WeightNormLinear, "(dw - dg * unit)", "dw", "the norm held constant", "held constant", "norm")
slip(WeightNormLinear, "self.g.data / self.norm * (dw", "1 / self.norm * (dw", "g left out", "g", "left out", "factor")
slip(WeightNormLinear, "dg = (dw * unit).sum(0)", "dg = (dw * self.v.data).sum(0)", "v for v / |v|", "norm", "factor", "left out", "1 /")
slip(WeightNormLinear, "grad @ self.w.T", "grad @ self.v.data.T", "v for the normalised weights", "v", "norm", "weight", "place")


@right(lambda rng: rng.permutation(12.0 * np.arange(12)).reshape(3, 4), awkward="whole numbers")
@right(normal(3, 4))
class MinMax(Module):
    def forward(self, x):
        self.x = x
        self.lo, self.hi = x.min(1, keepdims=True), x.max(1, keepdims=True)
        return (x - self.lo) / (self.hi - self.lo)

    def backward(self, grad):
        x, span = self.x, self.hi - self.lo
        y = (x - self.lo) / span
        dx = grad / span
        dx = dx + (x == self.lo) * ((y - 1) * grad).sum(1, keepdims=True) / span
        dx = dx - (x == self.hi) * (y * grad).sum(1, keepdims=True) / span
        return dx


slip(MinMax, "dx = dx - (x == self.hi) * (y * grad).sum(1, keepdims=True) / span\n", "pass\n", "the maximum held constant", "held constant", "max")
slip(MinMax, "dx = dx + (x == self.lo) * ((y - 1) * grad).sum(1, keepdims=True) / span\n", "pass\n", "the minimum held constant", "held constant", "min")


@right(given(np.log([[0.1, 0.2, 0.7], [1e-9, 0.5, 0.5]])), awkward="tiny probabilities")
@right(given([[1000.0, 0.0, -1000.0]]), awkward="saturated")
@right(normal(3, 4))
class SoftmaxJacobian(Module):
    def forward(self, x):
        e = np.exp(x - x.max(1, keepdims=True))
        self.p = e / e.sum(1, keepdims=True)
        return self.p

    def backward(self, grad):
        rows = []
        for p, g in zip(self.p, grad):
            jacobian = np.diag(p) - np.outer(p, p)
            rows.append(jacobian @ g)
        return np.array(rows)


slip(SoftmaxJacobian, "np.diag(p) - np.outer(p, p)", "np.diag(p * (1 - p))", "the diagonal of the Jacobian alone", "diagonal", "off-diagonal", "sigmoid", "other")
slip(SoftmaxJacobian, "np.diag(p) - np.outer(p, p)", "np.diag(p)", "the sum held constant", "held constant", "sum", "normal")
slip(SoftmaxJacobian, "np.diag(p) - np.outer(p, p)", "np.eye(len(p)) - np.outer(p, p)", "identity for diag(p)", "diag", "identity", "factor", "left out", "logsoftmax", "log")


@right(given([[1000.0, 0.0, -1000.0]]), awkward="saturated")
@right(normal(2, 5))
class LogSoftmax(Module):
    def forward(self, x):
        shifted = x - x.max(1, keepdims=True)
        self.y = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
        return self.y

    def backward(self, grad):
        return grad - np.exp(self.y) * grad.sum(1, keepdims=True)


slip(LogSoftmax, "grad.sum(1, keepdims=True)", "grad", "upstream gradient not summed", "sum")
slip(LogSoftmax, "grad.sum(1, keepdims=True)", "grad.sum(0, keepdims=True)", "summed over the batch", "axis", "batch")
slip(LogSoftmax, "grad - np.exp", "grad + np.exp", "sign", "sign")
slip(LogSoftmax, "np.exp(self.y) * grad", "self.y * grad", "log-probabilities for probabilities", "exp", "log", "prob", "left out")


@right(normal(3, 4), 0.5, awkward="temperature learnt")
class Temperature(Module):
    def __init__(self, t):
        self.t = Parameter([t], name="t")

    def forward(self, x):
        self.x = x
        z = x / self.t.data
        e = np.exp(z - z.max(-1, keepdims=True))
        self.p = e / e.sum(-1, keepdims=True)
        return self.p

    def backward(self, grad):
        dz = self.p * (grad - (grad * self.p).sum(-1, keepdims=True))
        self.t.grad += -(dz * self.x).sum() / self.t.data ** 2
        return dz / self.t.data

    def parameters(self):
        return [self.t]


slip(Temperature, "self.t.data ** 2", "self.t.data", "square of the temperature", "square", "1 /", "factor", "denominator", "divid")
slip(Temperature, "-(dz * self.x).sum()", "(dz * self.x).sum()", "sign", "sign")
slip(Temperature, "return dz / self.t.data", "return dz", "1 / t left out", "left out", "factor", "t")
slip(Temperature, "(grad * self.p).sum(-1, keepdims=True)", "(grad * self.p).mean(-1, keepdims=True)", "mean for sum", "mean", "sum", "factor")
