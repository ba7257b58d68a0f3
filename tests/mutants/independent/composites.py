"""Modules made of modules, tied weights, buffers, randomness, views, precision: where state is what matters."""
from collections import deque
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from lib.layers import Dropout, Linear, ReLU, Sequential, Sigmoid, Softmax, Tanh
from lib.network_base import Module, Parameter
from tests.mutants.independent.bank import given, normal, right, single, slip

GENERATOR = np.random.default_rng(11)


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


slip(TwoLayers, "self.h.T @ grad", "self.z.T @ grad", "z for h in W2's gradient", "ReLU", "maximum", "left out", "place", "negative", "input of", "before")
slip(TwoLayers, "dz = dh * (self.z > 0)", "dz = dh * (self.z < 0)", "mask inverted", "mask", "invert", "opposite", "condition", "swap", "wrong side", "negative")
slip(TwoLayers, "dz = dh * (self.z > 0)", "dz = dh", "ReLU's derivative left out", "left out", "mask", "ReLU", "maximum")
slip(TwoLayers, "self.b1.grad += dz.sum(0)", "self.b1.grad += dh.sum(0)", "ReLU's mask missing in b1", "left out", "mask", "ReLU", "maximum")
slip(TwoLayers, "self.b2.grad += grad.sum(0)", "self.b1.grad += grad.sum()", "b2's gradient goes to b1", "b2", "zero", "never", "no gradient", "missing", "held constant")
slip(TwoLayers, "[self.W1, self.b1, self.W2, self.b2]", "[self.W1, self.b1, self.W2]", "b2 is missing in parameters()", r"parameters\(\)", "b2")


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


slip(TiedAutoencoder, "grad.T @ self.h + self.x.T @ dh", "self.x.T @ dh", "the decoder's use forgotten", "place", "twice", "missing", "held constant", "tied", "use")
slip(TiedAutoencoder, "grad.T @ self.h + self.x.T @ dh", "grad.T @ self.h", "the encoder's use forgotten", "place", "twice", "missing", "held constant", "tied", "use")
slip(TiedAutoencoder, "grad @ self.W.data * (1 - self.h ** 2)", "grad @ self.W.data", "tanh's derivative left out", "tanh", "left out")


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


slip(SharedLinear, "        self.shared(self.a)\n", "", "cache of the other call", "cache", "last call", "shared", "several times", "overwritten", "reused", "twice", "input")
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


slip(HandResidual, "grad + self.body.backward(grad)", "self.body.backward(grad)", "skip forgotten", "skip", "missing", "held constant", "identity", "path", "place")
slip(HandResidual, "grad + self.body.backward(grad)", "grad * self.body.backward(grad)", "product for sum", "product", "sum", "multipl", r"\+", "add")
slip(HandResidual, "grad + self.body.backward(grad)", "grad + self.body.backward(np.ones_like(grad))", "ones for the upstream gradient", "ones", "upstream")


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


slip(Highway, "(self.H - self.x)", "self.H", "the carry's part of the gate missing", "missing", "held constant", "place", "term")
slip(Highway, "dx = grad * (1 - self.T)\n", "dx = grad * self.T\n", "T for 1 - T", "1 -", "gate", "place", "factor", "carry", "other")
slip(Highway, "self.relu.backward(grad * self.T)", "self.relu.backward(grad)", "the gate left out", "gate", "left out", "factor", "product", "T")
slip(Highway, "self.sig.backward(grad * (self.H - self.x))", "(grad * (self.H - self.x))", "sigmoid's backward left out", "igmoid", "left out")
slip(Highway, "self.h.parameters() + self.t.parameters()", "self.h.parameters()", "t's parameters missing", r"parameters\(\)")


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


slip(MixtureOfExperts, "dx = self.gate.backward(dw)", "dx = 0", "the gate held constant", "gate", "held constant", "backward", "never", "zero")
slip(MixtureOfExperts, "e.backward(grad * self.w[:, [i]])", "e.backward(grad)", "the gate's weights left out", "left out", "weight", "gate", "factor", "product")
slip(MixtureOfExperts, "dx = dx + e.backward", "dx = e.backward", "only the last expert's part", "last", "missing", "sum", "path", "place", "held constant", "overwr", "add")
slip(MixtureOfExperts, "grad * self.w[:, [i]]", "grad * self.w[:, [0]]", "the first weight for all", "index", "first", "expert", "place", "other")


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


slip(LowRankAdaptor, "d = 0.5 * grad", "d = grad", "scale left out", "0.5", "half", "factor", "twice", "scale", "2")
slip(LowRankAdaptor, "grad @ self.base.data.T + d", "d", "the frozen path held constant", "missing", "held constant", "path", "place", "term")


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


slip(HyperScale, "grad * self.s + self.make", "self.make", "x's own place forgotten", "missing", "held constant", "place", "product", "path")
slip(HyperScale, "grad * self.x * self.s", "grad * self.x", "exp's derivative left out", "left out", "exp", "inner", "factor")


@right(normal(3, 4), awkward="modules side by side, concatenated")
class Inception(Module):
    def __init__(self):
        self.branches = {"narrow": Linear(4, 1), "wide": Sequential(Linear(4, 3), ReLU())}

    def forward(self, x):
        outs = [b(x) for b in self.branches.values()]
        self.cuts = np.cumsum([o.shape[1] for o in outs])[:-1]
        return np.concatenate(outs, axis=1)

    def backward(self, grad):
        parts = np.split(grad, self.cuts, axis=1)
        return sum(b.backward(g) for b, g in zip(self.branches.values(), parts))

    def parameters(self):
        return tuple(p for b in self.branches.values() for p in b.parameters())


slip(Inception, "sum(b.backward(g) for b, g in zip(self.branches.values(), parts))", "[b.backward(g) for b, g in zip(self.branches.values(), parts)][-1]",
     "only the last branch's part of dx", "branch", "missing", "path", "place", "sum", "last", "held constant")
slip(Inception, "sum(b.backward(g) for b, g in zip(self.branches.values(), parts))", "np.mean([b.backward(g) for b, g in zip(self.branches.values(), parts)], axis=0)",
     "mean for sum of the branches", "mean", "sum", "half", "factor", "2")


@right(normal(3, 4), awkward="dropout with a generator of the module file")
class DropoutGlobalGenerator(Module):
    def forward(self, x):
        self.mask = (GENERATOR.random(x.shape) > 0.3) / 0.7 if self.training else 1.0
        return x * self.mask

    def backward(self, grad):
        return grad * self.mask


slip(DropoutGlobalGenerator, "return grad * self.mask", "return grad * (self.mask > 0)", "scale forgotten", "scale", "1 /", "factor", "0.7", "keep")
slip(DropoutGlobalGenerator, "return grad * self.mask", "return grad", "mask forgotten", "mask", "left out")
slip(DropoutGlobalGenerator, "return grad * self.mask", "return grad * (GENERATOR.random(grad.shape) > 0.3) / 0.7", "a new mask in backward", "mask", "random", "draw", "repeat")


@right(normal(3, 4), awkward="noise from a partial of a bound method")
class NoisyScale(Module):
    draw = partial(np.random.default_rng(5).normal, 1.0, 0.1)

    def forward(self, x):
        self.noise = type(self).draw(size=x.shape)
        return x * self.noise

    def backward(self, grad):
        return grad * self.noise


@right(normal(3, 4), awkward="multiplicative noise of the global state, in a deque")
class NoiseHistory(Module):
    def __init__(self):
        self.history = deque(maxlen=3)

    def forward(self, x):
        self.history.append(1 + np.random.rand(*x.shape))
        return x * self.history[-1]

    def backward(self, grad):
        return grad * self.history[-1]


slip(NoiseHistory, "return grad * self.history[-1]", "return grad * self.history[0]", "the oldest noise for the newest", "noise", "cache", "old", "stale", "first", "index", "earlier", "history")


@right(normal(3, 4), awkward="inside dropout: the library's")
class DropoutInside(Module):
    def __init__(self):
        self.net = Sequential(Linear(4, 6), ReLU(), Dropout(0.4), Linear(6, 2))

    def forward(self, x):
        return self.net(x)

    def backward(self, grad):
        return self.net.backward(grad)

    def parameters(self):
        return self.net.parameters()


slip(DropoutInside, "return self.net.backward(grad)", "for m in self.net.modules:\n            grad = m.backward(grad) if not isinstance(m, Linear) or m is self.net.modules[-1] else grad\n        return grad",
     "modules not in reverse order", "order", "revers", "raised", "shape")


@right(normal(2, 3), awkward="parameters are views of one flat vector")
class FlatParameters(Module):
    def __init__(self):
        flat, grads = np.random.randn(8), np.zeros(8)
        self.W = Parameter(flat[:6].reshape(3, 2), grad=grads[:6].reshape(3, 2), name="W")
        self.b = Parameter(flat[6:], grad=grads[6:], name="b")

    def forward(self, x):
        self.x = x
        return x @ self.W.data + self.b.data

    def backward(self, grad):
        self.W.grad += self.x.T @ grad
        self.b.grad += grad.sum(axis=0)
        return grad @ self.W.data.T

    def parameters(self):
        return [self.W, self.b]


slip(FlatParameters, "self.x.T @ grad", "(grad.T @ self.x).reshape(3, 2)", "reshape for transpose", "transpos", "reshape", "order", "permut")


@right(normal(2, 3), awkward="an array held twice")
class HeldTwice(Module):
    def __init__(self):
        self.W = Parameter(np.random.randn(3, 3), name="W")
        self.w = self.W.data

    def forward(self, x):
        self.x = x
        return np.tanh(x @ self.w)

    def backward(self, grad):
        da = grad * (1 - np.tanh(self.x @ self.w) ** 2)
        self.W.grad += self.x.T @ da
        return da @ self.w.T

    def parameters(self):
        return [self.W]


slip(HeldTwice, "da @ self.w.T", "grad @ self.w.T", "tanh's derivative left out in dx", "tanh", "left out")


@right(normal(2, 3), awkward="the module is a dataclass")
class AffineData(Module):
    @dataclass
    class Memory:
        x: Any = None
        calls: int = 0

    def __init__(self):
        self.scale, self.shift = Parameter(np.random.randn(3), name="scale"), Parameter(np.zeros(3), name="shift")
        self.memory = self.Memory()

    def forward(self, x):
        self.memory = self.Memory(x, self.memory.calls + 1)
        return x * self.scale.data + self.shift.data

    def backward(self, grad):
        self.scale.grad += (self.memory.x * grad).sum(0)
        self.shift.grad += grad.sum(0)
        return grad * self.scale.data

    def parameters(self):
        return [self.scale, self.shift]


slip(AffineData, "grad * self.scale.data", "grad * self.scale.data + self.shift.data", "the shift added to the gradient", "shift", "constant", "linear", "zero")
slip(AffineData, "(self.memory.x * grad).sum(0)", "grad.sum(0)", "factor x left out", "left out", "factor", "x", "bias")
slip(AffineData, "self.shift.grad += grad.sum(0)", "self.shift.grad -= grad.sum(0)", "sign", "sign")


@right(normal(3, 3), awkward="closures instead of a cache")
class ClosureStyle(Module):
    def forward(self, x):
        e = np.exp(-x ** 2 / 2)
        self.pull = lambda g: g * -x * e
        return e

    def backward(self, grad):
        return self.pull(grad)


slip(ClosureStyle, "g * -x * e", "g * x * e", "sign", "sign")
slip(ClosureStyle, "g * -x * e", "g * -e", "inner derivative x left out", "left out", "inner", "factor", "x")


@right(normal(4, 5), awkward="computes in float32 inside")
class CastsToSingle(Module):
    def forward(self, x):
        self.y = np.tanh(x.astype(np.float32))
        return self.y

    def backward(self, grad):
        return grad * (1 - self.y ** 2)


slip(CastsToSingle, "(1 - self.y ** 2)", "(1 - self.y)", "square missing", "square", "tanh", "1 - ")
slip(CastsToSingle, "(1 - self.y ** 2)", "(1 - 1.01 * self.y ** 2)", "one per cent too much", "factor", "1.01", "%", "constant")


@right(normal(3, 4), awkward="fills a float32 buffer in a loop")
class FillsSingle(Module):
    def forward(self, x):
        out = np.zeros(x.shape, dtype=np.float32)
        for i, row in enumerate(x):
            out[i] = row - row.mean()
        return out

    def backward(self, grad):
        return grad - grad.mean(axis=1, keepdims=True)


slip(FillsSingle, "grad - grad.mean(axis=1, keepdims=True)", "grad", "mean held constant", "mean", "held constant")


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


slip(RunningScale, " + dused * self.k", "", "the running scale held constant", "held constant", "missing", "mean", "seen", "place")


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


slip(StochasticDepth, "grad + self.inner.backward(self.on * grad)", "grad + self.inner.backward(grad)", "the coin left out", "left out", "factor", "on", "mask", "random", "coin")
slip(StochasticDepth, "grad + self.inner.backward(self.on * grad)", "grad + self.on * self.inner.backward(grad)", "the coin left out of the parameters' gradients",
     "left out", "factor", "on", "mask", "random", "coin")


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


slip(FreesCache, "self.stack.pop()", "self.stack.pop(0) if len(self.stack) > 1 else self.stack[0]", "an old input stays in the cache", "cache", "old", "stale", "earlier", "first", "second")
slip(FreesCache, "da = grad * np.cos(x @ self.W.data)", "da = grad * np.cos(x @ self.W.data) ** 2", "cosine squared", "square", "power", "factor", "twice", "cos")
slip(FreesCache, "self.W.grad += x.T @ da", "self.W.data += x.T @ da", "adds to the values, not to the gradient", "value", "data", "changes", "parameter")


@right(given([[1.0, np.e, 5.0]]), awkward="integers would be wrong, floats given")
@right(given([[1, 2, 5]]), awkward="integers as input")
@right(lambda rng: rng.uniform(1, 5, (2, 3)))
class LogOfInteger(Module):
    def forward(self, x):
        self.x = np.asarray(x, dtype=float)
        return np.log(self.x) * self.x

    def backward(self, grad):
        return grad * (np.log(self.x) + 1)


slip(LogOfInteger, "(np.log(self.x) + 1)", "np.log(self.x)", "second term of the product missing", "missing", "product", "held constant", "term", "place")


@right(normal(2, 3), awkward="a scalar output that is no loss")
class SumOfSquares(Module):
    def forward(self, x):
        self.x = x
        return np.sum(x ** 2)

    def backward(self, grad):
        return 2 * grad * self.x


slip(SumOfSquares, "2 * grad * self.x", "2 * self.x", "upstream gradient ignored", "upstream", "argument", "ignored", "grad")
slip(SumOfSquares, "2 * grad * self.x", "2 * grad ** 2 * self.x", "upstream gradient squared", "upstream", "linear", "square")


@right(lambda rng: (rng.standard_normal((2, 3)), rng.standard_normal((2, 3))), awkward="two inputs, the first's gradient is what is returned")
class GatedByOther(Module):
    def forward(self, x, gate):
        self.x, self.g = x, 1 / (1 + np.exp(-gate))
        return x * self.g

    def backward(self, grad):
        return grad * self.g


slip(GatedByOther, "grad * self.g", "grad * self.x", "x for the gate", "other operand", "x", "place", "itself")
slip(GatedByOther, "grad * self.g", "grad * self.g * (1 - self.g)", "sigmoid's derivative where its value belongs", "igmoid", "derivative", "value", "factor")


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


slip(PolarParameter, " * np.sign(self.gamma.data)).sum(0)", ").sum(0)", "sign of gamma left out", "left out", "sign", "abs", "negative")
slip(PolarParameter, "grad * np.abs(self.gamma.data)", "grad * self.gamma.data", "gamma for |gamma|", "abs", "negative", "sign", "left out", "situation")
