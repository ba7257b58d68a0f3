"""Precision, modes, scalars and several inputs."""
import numpy as np

from lib.layers import Linear
from lib.network_base import Module, Parameter
from tests.mutants.independent.bank import given, normal, right, slip


@right(normal(3, 4), awkward="fills a float32 buffer in a loop")
class FillsSingle(Module):
    def forward(self, x):
        out = np.zeros(x.shape, dtype=np.float32)
        for i, row in enumerate(x):
            out[i] = row - row.mean()
        return out

    def backward(self, grad):
        return grad - grad.mean(axis=1, keepdims=True)


slip(FillsSingle, "grad - grad.mean(axis=1, keepdims=True)", "grad", "mean held constant", "mean", "held constant",
     "passed on unchanged")


@right(normal(3, 4), awkward="half precision")
class HalfPrecision(Module):
    def forward(self, x):
        self.x = x
        return (x.astype(np.float16) * np.float16(1.5)).astype(float)

    def backward(self, grad):
        return 1.5 * grad


slip(HalfPrecision, "1.5 * grad", "2.5 * grad", "2.5 for 1.5", "factor", "times", "constant", "1.67", "5 / 3")


@right(normal(3, 4), awkward="rounds to six places")
class Rounds(Module):
    def forward(self, x):
        self.y = np.round(np.sin(x), 6)
        self.x = x
        return self.y

    def backward(self, grad):
        return grad * np.cos(self.x)


@right(normal(2, 3), awkward="outputs of 1e10 beside 1e-3")
class OffsetOutput(Module):
    def forward(self, x):
        self.x = x
        return np.hstack([1e10 + x, 1e-3 * x ** 2])

    def backward(self, grad):
        k = self.x.shape[1]
        return grad[:, :k] + 2e-3 * self.x * grad[:, k:]


@right(normal(3, 2), awkward="running statistics that forward changes")
class RunningScale(Module):
    def __init__(self):
        self.seen = np.ones(2)

    def forward(self, x):
        if self.training:
            self.seen = 0.9 * self.seen + 0.1 * np.abs(x).mean(0)
        self.used = self.seen
        self.k = 0.1 / len(x) * np.sign(x) if self.training else 0 * x
        self.x = x
        return x / self.used

    def backward(self, grad):
        dused = -(grad * self.x).sum(0) / self.used ** 2
        return grad / self.used + dused * self.k

    def buffers(self):
        return {"seen": self.seen}


slip(RunningScale, " + dused * self.k", "", "the running scale held constant", "held constant", "missing", "mean",
     "seen", "place")


@right(normal(4, 3), awkward="evaluation mode differs")
class StochasticDepth(Module):
    def __init__(self):
        self.inner = Linear(3, 3)

    def forward(self, x):
        self.on = np.random.rand() < 0.5 if self.training else 0.5
        return x + self.on * self.inner(x)

    def backward(self, grad):
        return grad + self.inner.backward(self.on * grad)

    def parameters(self):
        return self.inner.parameters()


slip(StochasticDepth, "grad + self.inner.backward(self.on * grad)", "grad + self.inner.backward(grad)",
     "the coin left out",
     "nothing stands there", "left out", "factor", "mask", "random", "coin")
slip(StochasticDepth, "grad + self.inner.backward(self.on * grad)", "grad + self.on * self.inner.backward(grad)",
     "the coin left out of the parameters' gradients",
     "nothing stands there", "left out", "factor", "mask", "random", "coin")


@right(normal(3, 3), awkward="frees its cache after backward")
class FreesCache(Module):
    def __init__(self):
        self.W = Parameter(np.random.randn(3, 2), name="W")
        self.stack = []

    def forward(self, x):
        self.stack.append(x)
        return np.sin(x @ self.W.data)

    def backward(self, grad):
        x = self.stack.pop()
        da = grad * np.cos(x @ self.W.data)
        self.W.grad += x.T @ da
        return da @ self.W.data.T

    def parameters(self):
        return [self.W]


slip(FreesCache, "self.stack.pop()", "self.stack.pop(0) if len(self.stack) > 1 else self.stack[0]",
     "an old input stays in the cache", "cache", "old", "stale", "earlier", "first", "second")
slip(FreesCache, "da = grad * np.cos(x @ self.W.data)", "da = grad * np.cos(x @ self.W.data) ** 2", "cosine squared",
     "square", "power", "factor", "twice", "cos")
slip(FreesCache, "self.W.grad += x.T @ da", "self.W.data += x.T @ da", "adds to the values, not to the gradient",
     "value", "data", "changes", "parameter")


@right(given([[1.0, np.e, 5.0]]), awkward="integers would be wrong, floats given")
@right(given([[1, 2, 5]]), awkward="integers as input")
@right(lambda rng: rng.uniform(1, 5, (2, 3)))
class LogOfInteger(Module):
    def forward(self, x):
        self.x = np.asarray(x, dtype=float)
        return np.log(self.x) * self.x

    def backward(self, grad):
        return grad * (np.log(self.x) + 1)


slip(LogOfInteger, "(np.log(self.x) + 1)", "np.log(self.x)", "second term of the product missing", "missing", "product",
     "held constant", "term", "place")


@right(normal(2, 3), awkward="a scalar output that is no loss")
class SumOfSquares(Module):
    def forward(self, x):
        self.x = x
        return np.sum(x ** 2)

    def backward(self, grad):
        return 2 * grad * self.x


slip(SumOfSquares, "2 * grad * self.x", "2 * self.x", "upstream gradient ignored", "upstream", "argument", "ignored",
     "grad")
slip(SumOfSquares, "2 * grad * self.x", "2 * grad ** 2 * self.x", "upstream gradient squared", "upstream", "linear",
     "square")


@right(lambda rng: (rng.standard_normal((2, 3)), rng.standard_normal((2, 3))),
       awkward="two inputs, the first's gradient is what is returned")
class GatedByOther(Module):
    def forward(self, x, gate):
        self.x, self.g = x, 1 / (1 + np.exp(-gate))
        return x * self.g

    def backward(self, grad):
        return grad * self.g


slip(GatedByOther, "grad * self.g", "grad * self.x", "x for the gate", "other operand", "place", "itself")
slip(GatedByOther, "grad * self.g", "grad * self.g * (1 - self.g)", "sigmoid's derivative where its value belongs",
     "igmoid", "derivative", "value", "factor")


@right(normal(3, 2), awkward="a parameter of ones")
class PolarParameter(Module):
    def __init__(self):
        self.gamma = Parameter(np.ones(2), name="gamma")

    def forward(self, x):
        self.x = x
        return np.abs(self.gamma.data) * x

    def backward(self, grad):
        self.gamma.grad += (grad * self.x * np.sign(self.gamma.data)).sum(0)
        return grad * np.abs(self.gamma.data)

    def parameters(self):
        return [self.gamma]


slip(PolarParameter, " * np.sign(self.gamma.data)).sum(0)", ").sum(0)", "sign of gamma left out", "left out", "sign",
     "abs", "negative")
slip(PolarParameter, "grad * np.abs(self.gamma.data)", "grad * self.gamma.data", "gamma for |gamma|", "abs", "negative",
     "sign", "left out", "situation")
