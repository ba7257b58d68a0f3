"""Modules made of modules, tied weights and shared layers."""
import numpy as np

from lib.layers import Linear, ReLU, Sequential, Sigmoid, Softmax, Tanh
from lib.network_base import Module, Parameter
from tests.mutants.independent.bank import given, normal, right, single, slip


@right(given([[0.0, 0.0, 0.0]]), awkward="zeros: every unit of the second layer on its bias")
@right(normal(1, 3), awkward="a batch of one")
@right(normal(4, 3))
class TwoLayers(Module):
    def __init__(self, i=3, h=4, o=2):
        self.W1, self.b1 = Parameter(np.random.randn(i, h), name="W1"), Parameter(np.random.randn(h), name="b1")
        self.W2, self.b2 = Parameter(np.random.randn(h, o), name="W2"), Parameter(np.random.randn(o), name="b2")

    def forward(self, x):
        self.x = x
        self.z = x @ self.W1.data + self.b1.data
        self.h = np.maximum(self.z, 0)
        return self.h @ self.W2.data + self.b2.data

    def backward(self, grad):
        self.W2.grad += self.h.T @ grad
        self.b2.grad += grad.sum(0)
        dh = grad @ self.W2.data.T
        dz = dh * (self.z > 0)
        self.W1.grad += self.x.T @ dz
        self.b1.grad += dz.sum(0)
        return dz @ self.W1.data.T

    def parameters(self):
        return [self.W1, self.b1, self.W2, self.b2]


slip(TwoLayers, "self.h.T @ grad", "self.z.T @ grad", "z for h in W2's gradient", "ReLU", "maximum", "left out",
     "place", "negative", "input of", "before", "another value")
slip(TwoLayers, "dz = dh * (self.z > 0)", "dz = dh * (self.z < 0)", "mask inverted", "mask", "invert", "opposite",
     "condition", "swap", "wrong side", "negative")
slip(TwoLayers, "dz = dh * (self.z > 0)", "dz = dh", "ReLU's derivative left out", "left out", "mask", "ReLU",
     "maximum")
slip(TwoLayers, "self.b1.grad += dz.sum(0)", "self.b1.grad += dh.sum(0)", "ReLU's mask missing in b1", "left out",
     "mask", "ReLU", "maximum")
slip(TwoLayers, "self.b2.grad += grad.sum(0)", "self.b1.grad += grad.sum()", "b2's gradient goes to b1", "zero",
     "never", "no gradient", "missing", "held constant")
slip(TwoLayers, "[self.W1, self.b1, self.W2, self.b2]", "[self.W1, self.b1, self.W2]", "b2 is missing in parameters()",
     r"parameters\(\)")


@right(normal(3, 4), awkward="a weight used twice, once transposed")
class TiedAutoencoder(Module):
    def __init__(self, i=4, h=2):
        self.W = Parameter(np.random.randn(i, h), name="W")

    def forward(self, x):
        self.x = x
        self.h = np.tanh(x @ self.W.data)
        return self.h @ self.W.data.T

    def backward(self, grad):
        dh = grad @ self.W.data * (1 - self.h ** 2)
        self.W.grad += grad.T @ self.h + self.x.T @ dh
        return dh @ self.W.data.T

    def parameters(self):
        return [self.W]


slip(TiedAutoencoder, "grad.T @ self.h + self.x.T @ dh", "self.x.T @ dh", "the decoder's use forgotten", "place",
     "twice", "missing", "held constant", "tied", "use")
slip(TiedAutoencoder, "grad.T @ self.h + self.x.T @ dh", "grad.T @ self.h", "the encoder's use forgotten", "place",
     "twice", "missing", "held constant", "tied", "use")
slip(TiedAutoencoder, "grad @ self.W.data * (1 - self.h ** 2)", "grad @ self.W.data", "tanh's derivative left out",
     "tanh", "left out")


@right(normal(2, 3), awkward="one Linear used twice, its input put back")
class SharedLinear(Module):
    def __init__(self):
        self.shared = Linear(3, 3)
        self.shared.W.data = np.random.randn(3, 3) / 2

    def forward(self, x):
        self.a = x
        self.b = self.shared(x)
        return self.shared(np.sin(self.b))

    def backward(self, grad):
        self.shared(np.sin(self.b))
        d = self.shared.backward(grad)
        self.shared(self.a)
        return self.shared.backward(d * np.cos(self.b))

    def parameters(self):
        return self.shared.parameters()


slip(SharedLinear, "        self.shared(self.a)\n", "", "cache of the other call", "cache", "last call", "shared",
     "several times", "overwritten", "reused", "twice", "input")
slip(SharedLinear, " * np.cos(self.b)", "", "sine's derivative left out", "left out", "sin", "cos")


@right(normal(4, 3), awkward="a residual by hand with Sequential")
@right(single(normal(4, 3)), awkward="float32 input to a float64 model")
class HandResidual(Module):
    def __init__(self):
        self.body = Sequential(Linear(3, 5), Tanh(), Linear(5, 3))

    def forward(self, x):
        return x + self.body(x)

    def backward(self, grad):
        return grad + self.body.backward(grad)

    def parameters(self):
        return self.body.parameters()


slip(HandResidual, "grad + self.body.backward(grad)", "self.body.backward(grad)", "skip forgotten", "skip", "missing",
     "held constant", "identity", "path", "place")
slip(HandResidual, "grad + self.body.backward(grad)", "grad * self.body.backward(grad)", "product for sum", "product",
     "sum", "multipl", "add")
slip(HandResidual, "grad + self.body.backward(grad)", "grad + self.body.backward(np.ones_like(grad))",
     "ones for the upstream gradient", "ones", "upstream")


@right(normal(4, 3))
class Highway(Module):
    def __init__(self, d=3):
        self.h, self.t = Linear(d, d), Linear(d, d)
        self.h.W.data, self.t.W.data = np.random.randn(2, d, d)
        self.sig, self.relu = Sigmoid(), ReLU()

    def forward(self, x):
        self.x = x
        self.H, self.T = self.relu(self.h(x)), self.sig(self.t(x))
        return self.H * self.T + x * (1 - self.T)

    def backward(self, grad):
        dx = grad * (1 - self.T)
        dx = dx + self.h.backward(self.relu.backward(grad * self.T))
        dx = dx + self.t.backward(self.sig.backward(grad * (self.H - self.x)))
        return dx

    def parameters(self):
        return self.h.parameters() + self.t.parameters()


slip(Highway, "(self.H - self.x)", "self.H", "the carry's part of the gate missing", "missing", "held constant",
     "place", "term")
slip(Highway, "dx = grad * (1 - self.T)\n", "dx = grad * self.T\n", "T for 1 - T", "1 -", "gate", "place", "factor",
     "carry", "other")
slip(Highway, "self.relu.backward(grad * self.T)", "self.relu.backward(grad)", "the gate left out", "gate", "left out",
     "factor", "product")
slip(Highway, "self.sig.backward(grad * (self.H - self.x))", "(grad * (self.H - self.x))",
     "sigmoid's backward left out", "igmoid", "left out", "nothing stands there")
slip(Highway, "self.h.parameters() + self.t.parameters()", "self.h.parameters()", "t's parameters missing",
     r"parameters\(\)")


@right(normal(3, 4))
class MixtureOfExperts(Module):
    def __init__(self, n=3):
        self.gate = Sequential(Linear(4, n), Softmax())
        self.experts = [Linear(4, 2) for _ in range(n)]

    def forward(self, x):
        self.w = self.gate(x)
        self.outs = [e(x) for e in self.experts]
        return sum(self.w[:, i:i + 1] * o for i, o in enumerate(self.outs))

    def backward(self, grad):
        dw = np.stack([(grad * o).sum(1) for o in self.outs], axis=1)
        dx = self.gate.backward(dw)
        for i, e in enumerate(self.experts):
            dx = dx + e.backward(grad * self.w[:, [i]])
        return dx

    def parameters(self):
        return [p for m in (self.gate, *self.experts) for p in m.parameters()]


slip(MixtureOfExperts, "dx = self.gate.backward(dw)", "dx = 0", "the gate held constant", "gate", "held constant",
     "backward", "never", "zero")
slip(MixtureOfExperts, "e.backward(grad * self.w[:, [i]])", "e.backward(grad)", "the gate's weights left out",
     "left out", "weight", "gate", "factor", "product")
slip(MixtureOfExperts, "dx = dx + e.backward", "dx = e.backward", "only the last expert's part", "last", "missing",
     "sum", "path", "place", "held constant", "overwr", "add")
slip(MixtureOfExperts, "grad * self.w[:, [i]]", "grad * self.w[:, [0]]", "the first weight for all", "index", "first",
     "expert", "place", "other")


@right(normal(2, 3))
class LowRankAdaptor(Module):
    def __init__(self, i=3, o=4, r=2):
        self.base = Parameter(np.random.randn(i, o), name="base", constant=True)
        self.A, self.B = Parameter(np.random.randn(i, r), name="A"), Parameter(np.random.randn(r, o), name="B")

    def forward(self, x):
        self.x, self.xa = x, x @ self.A.data
        return x @ self.base.data + 0.5 * self.xa @ self.B.data

    def backward(self, grad):
        self.B.grad += 0.5 * self.xa.T @ grad
        d = 0.5 * grad @ self.B.data.T
        self.A.grad += self.x.T @ d
        return grad @ self.base.data.T + d @ self.A.data.T

    def parameters(self):
        return [self.A, self.B]


slip(LowRankAdaptor, "d = 0.5 * grad", "d = grad", "scale left out", "0.5", "half", "factor", "twice", "scale")
slip(LowRankAdaptor, "grad @ self.base.data.T + d", "d", "the frozen path held constant", "missing", "held constant",
     "path", "place", "term")


@right(normal(2, 3), awkward="weights made by a network of x: a hypernetwork")
class HyperScale(Module):
    def __init__(self):
        self.make = Linear(3, 3)

    def forward(self, x):
        self.x, self.s = x, np.exp(self.make(x))
        return self.s * x

    def backward(self, grad):
        return grad * self.s + self.make.backward(grad * self.x * self.s)

    def parameters(self):
        return self.make.parameters()


slip(HyperScale, "grad * self.s + self.make", "self.make", "x's own place forgotten", "missing", "held constant",
     "place", "product", "path")
slip(HyperScale, "grad * self.x * self.s", "grad * self.x", "exp's derivative left out", "left out", "exp", "inner",
     "factor")
