"""Embeddings, scans along time, fixed points."""
import numpy as np

from lib.layers import Linear, Softmax, Tanh
from lib.network_base import Module, Parameter
from tests.mutants.independent.bank import given, normal, right, slip


@right(given([[1, 1, 0], [3, 1, 2]]), awkward="integers, repeated")
class MeanOfEmbeddings(Module):
    def __init__(self):
        self.table = Parameter(np.random.randn(4, 3), name="table", role="table")

    def forward(self, ids):
        self.ids = ids
        return self.table.data[ids].mean(axis=1)

    def backward(self, grad):
        n, t = self.ids.shape
        np.add.at(self.table.grad, self.ids, np.repeat(grad[:, None] / t, t, axis=1))
        return np.zeros((n, t))

    def parameters(self):
        return [self.table]


slip(MeanOfEmbeddings, "np.add.at(self.table.grad, self.ids, np.repeat(grad[:, None] / t, t, axis=1))",
     "self.table.grad[self.ids] += grad[:, None] / t", "fancy += drops repeated ids", "repeat", "add.at", "twice",
     "several")
slip(MeanOfEmbeddings, "grad[:, None] / t, t", "grad[:, None], t", "mean's 1 / t missing", "mean", "factor", "1 /",
     "sum")


@right(normal(3, 5))
class CumulativeSum(Module):
    def forward(self, x):
        return np.cumsum(x, axis=1)

    def backward(self, grad):
        return np.cumsum(grad[:, ::-1], axis=1)[:, ::-1]


slip(CumulativeSum, "np.cumsum(grad[:, ::-1], axis=1)[:, ::-1]", "np.cumsum(grad, axis=1)",
     "summed in forward's direction", "revers", "direction", "transpos", "order")
slip(CumulativeSum, "np.cumsum(grad[:, ::-1], axis=1)[:, ::-1]", "np.cumsum(grad[::-1], axis=0)[::-1]", "other axis",
     "axis")


@right(normal(2, 6))
class ExponentialAverage(Module):
    def __init__(self):
        self.a = Parameter(np.array(0.3), name="a")

    def forward(self, x):
        self.x = x
        h, out = np.zeros(len(x)), []
        for column in x.T:
            h = self.a.data * column + (1 - self.a.data) * h
            out.append(h)
        self.out = np.stack(out, axis=1)
        return self.out

    def backward(self, grad):
        a = self.a.data
        dx, dh = np.zeros_like(self.x), np.zeros(len(self.x))
        for t in range(self.x.shape[1] - 1, -1, -1):
            dh = dh + grad[:, t]
            before = self.out[:, t - 1] if t else 0
            self.a.grad += (dh * (self.x[:, t] - before)).sum()
            dx[:, t] = a * dh
            dh = (1 - a) * dh
        return dx

    def parameters(self):
        return [self.a]


slip(ExponentialAverage, "dh = (1 - a) * dh", "dh = a * dh", "a for 1 - a", "1 - a", "1 -", "factor")
slip(ExponentialAverage, "(self.x[:, t] - before)", "self.x[:, t]", "the second place of a forgotten", "place",
     "missing", "held constant")
slip(ExponentialAverage, "self.out[:, t - 1] if t else 0", "self.out[:, t]", "state after for the state before",
     "index", "shift", "state", "step", "time")
slip(ExponentialAverage, "dh = dh + grad[:, t]", "dh = grad[:, t]", "what came from later steps dropped", "later",
     "missing", "state", "step", "time", "held constant", "accumul", "only dy_i/dx_i")


@right(normal(3, 2, scale=0.5))
class FixedPoint(Module):
    """z = tanh(z W + x), iterated until it stands; backward by the implicit function theorem."""

    def __init__(self):
        self.W = Parameter(0.2 * np.random.randn(2, 2), name="W")

    def forward(self, x):
        z = np.zeros_like(x)
        for _ in range(200):
            z = np.tanh(z @ self.W.data + x)
        self.z = z
        return z

    def backward(self, grad):
        d = 1 - self.z ** 2
        u = np.zeros_like(grad)
        for _ in range(200):
            u = d * (grad + u @ self.W.data.T)
        self.W.grad += self.z.T @ u
        return u

    def parameters(self):
        return [self.W]


slip(FixedPoint, "(grad + u @ self.W.data.T)", "grad", "the fixed point's own dependence missing", "held constant",
     "missing", "recurren", "step", "iterat", "state")
slip(FixedPoint, "u @ self.W.data.T", "u @ self.W.data", "transpose forgotten", "transpos", r"\.T")


@right(normal(2, 4, 3))
class LastStep(Module):
    def __init__(self):
        self.lin = Linear(3, 2)

    def forward(self, x):
        self.shape = x.shape
        return self.lin(x[:, -1])

    def backward(self, grad):
        dx = np.zeros(self.shape)
        dx[:, -1] = self.lin.backward(grad)
        return dx

    def parameters(self):
        return self.lin.parameters()


slip(LastStep, "dx[:, -1]", "dx[:, 0]", "the first step for the last", "first", "index", "last", "permut", "position",
     "order", "shift", "other places")


@right(normal(2, 3, 4))
class AttentionPooling(Module):
    def __init__(self, d=4):
        self.query = Parameter(np.random.randn(d), name="query")
        self.softmax = Softmax()

    def forward(self, x):
        self.x = x
        self.a = self.softmax(x @ self.query.data)
        return np.einsum("nt,ntd->nd", self.a, x)

    def backward(self, grad):
        da = np.einsum("nd,ntd->nt", grad, self.x)
        ds = self.softmax.backward(da)
        self.query.grad += np.einsum("nt,ntd->d", ds, self.x)
        return self.a[..., None] * grad[:, None] + ds[..., None] * self.query.data

    def parameters(self):
        return [self.query]


slip(AttentionPooling, " + ds[..., None] * self.query.data", "", "the weights held constant", "held constant",
     "missing", "weights", "place")
slip(AttentionPooling, "self.a[..., None] * grad[:, None] + ds", "ds", "the values' place forgotten", "held constant",
     "missing", "value", "place")
slip(AttentionPooling, "ds = self.softmax.backward(da)", "ds = da", "softmax's backward left out", "softmax",
     "left out")
slip(AttentionPooling, 'np.einsum("nt,ntd->d", ds, self.x)', 'np.einsum("nt,ntd->d", self.a, self.x)',
     "a for its gradient", "upstream", "grad", "place", "softmax")


@right(normal(2, 3), awkward="the library's Tanh reused at every step")
class UnrolledShared(Module):
    def __init__(self):
        self.lin = Linear(3, 3)
        self.lin.W.data = np.random.randn(3, 3)
        self.tanh = Tanh()

    def forward(self, x):
        self.inputs = []
        for _ in range(3):
            self.inputs.append(x)
            x = self.tanh(self.lin(x))
        return x

    def backward(self, grad):
        for x in self.inputs[::-1]:
            self.tanh(self.lin(x))
            grad = self.lin.backward(self.tanh.backward(grad))
        return grad

    def parameters(self):
        return self.lin.parameters()


slip(UnrolledShared, "            self.tanh(self.lin(x))\n", "", "caches of the last call used for all", "cache",
     "last call", "recompute", "shared", "several times", "overwritten", "reused")
slip(UnrolledShared, "self.inputs[::-1]", "self.inputs[1::-1]", "one step missing", "step", "missing", "loop", "skip")
slip(UnrolledShared, "self.inputs[::-1]", "self.inputs", "order not reversed", "order", "revers")
