"""Normalisers of rows, weights and temperatures."""
import numpy as np

from lib.network_base import Module, Parameter
from tests.mutants.independent.bank import given, normal, right, slip


@right(normal(4, 3), awkward="columns standardised without eps, ddof = 1")
class ZScore(Module):
    def forward(self, x):
        self.n = len(x)
        self.s = x.std(0, ddof=1)
        self.z = (x - x.mean(0)) / self.s
        return self.z

    def backward(self, g):
        return (g - g.mean(0) - self.z * (g * self.z).sum(0) / (self.n - 1)) / self.s


slip(ZScore, "(g * self.z).sum(0) / (self.n - 1)", "(g * self.z).mean(0)", "n for n - 1", "n - 1", "factor", "ddof",
     "mean")
slip(ZScore, "(g * self.z).sum(0) / (self.n - 1)", "(self.z).sum(0) / (self.n - 1)",
     "upstream gradient missing in a term", "upstream", "grad", "held constant", "std")


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
slip(WeightNormLinear, "self.g.data / self.norm * (dw", "1 / self.norm * (dw", "g left out", "left out", "factor")
slip(WeightNormLinear, "dg = (dw * unit).sum(0)", "dg = (dw * self.v.data).sum(0)", "v for v / |v|", "norm", "factor",
     "left out", "1 /")
slip(WeightNormLinear, "grad @ self.w.T", "grad @ self.v.data.T", "v for the normalised weights",
     "another value", "norm", "weight",
     "place")


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


slip(MinMax, "dx = dx - (x == self.hi) * (y * grad).sum(1, keepdims=True) / span\n", "pass\n",
     "the maximum held constant", "held constant", "max")
slip(MinMax, "dx = dx + (x == self.lo) * ((y - 1) * grad).sum(1, keepdims=True) / span\n", "pass\n",
     "the minimum held constant", "held constant", "min")


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


slip(SoftmaxJacobian, "np.diag(p) - np.outer(p, p)", "np.diag(p * (1 - p))", "the diagonal of the Jacobian alone",
     "diagonal", "off-diagonal", "sigmoid", "other")
slip(SoftmaxJacobian, "np.diag(p) - np.outer(p, p)", "np.diag(p)", "the sum held constant", "held constant", "sum",
     "normal", "second term of the quotient")
slip(SoftmaxJacobian, "np.diag(p) - np.outer(p, p)", "np.eye(len(p)) - np.outer(p, p)", "identity for diag(p)", "diag",
     "identity", "factor", "left out", "logsoftmax", "log", "result once too often")


@right(given([[1000.0, 0.0, -1000.0]]), awkward="saturated")
@right(normal(2, 5))
class LogSoftmax(Module):
    def forward(self, x):
        shifted = x - x.max(1, keepdims=True)
        self.y = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
        return self.y

    def backward(self, grad):
        return grad - np.exp(self.y) * grad.sum(1, keepdims=True)


slip(LogSoftmax, "grad.sum(1, keepdims=True)", "grad", "upstream gradient not summed", "sum", "only dy_i/dx_i")
slip(LogSoftmax, "grad.sum(1, keepdims=True)", "grad.sum(0, keepdims=True)", "summed over the batch", "axis", "batch")
slip(LogSoftmax, "grad - np.exp", "grad + np.exp", "sign", "sign")
slip(LogSoftmax, "np.exp(self.y) * grad", "self.y * grad", "log-probabilities for probabilities", "exp", "log", "prob",
     "left out")


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


slip(Temperature, "self.t.data ** 2", "self.t.data", "square of the temperature", "square", "1 /", "factor",
     "denominator", "divid", "second operand")
slip(Temperature, "-(dz * self.x).sum()", "(dz * self.x).sum()", "sign", "sign")
slip(Temperature, "return dz / self.t.data", "return dz", "1 / t left out",
     "nothing stands there", "left out", "factor")
slip(Temperature, "(grad * self.p).sum(-1, keepdims=True)", "(grad * self.p).mean(-1, keepdims=True)", "mean for sum",
     "mean", "sum", "factor")
