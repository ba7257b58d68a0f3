"""Randomness, views, buffers and caches."""
from collections import deque
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from lib.layers import Dropout, Linear, ReLU, Sequential
from lib.network_base import Module, Parameter
from tests.mutants.independent.bank import normal, right, slip

GENERATOR = np.random.default_rng(11)


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


slip(Inception, "sum(b.backward(g) for b, g in zip(self.branches.values(), parts))",
     "[b.backward(g) for b, g in zip(self.branches.values(), parts)][-1]", "only the last branch's part of dx",
     "branch", "missing", "path", "place", "sum", "last", "held constant")
slip(Inception, "sum(b.backward(g) for b, g in zip(self.branches.values(), parts))",
     "np.mean([b.backward(g) for b, g in zip(self.branches.values(), parts)], axis=0)", "mean for sum of the branches",
     "mean", "sum", "half", "factor")


@right(normal(3, 4), awkward="dropout with a generator of the module file")
class DropoutGlobalGenerator(Module):
    def forward(self, x):
        self.mask = (GENERATOR.random(x.shape) > 0.3) / 0.7 if self.training else 1.0
        return x * self.mask

    def backward(self, grad):
        return grad * self.mask


slip(DropoutGlobalGenerator, "return grad * self.mask", "return grad * (self.mask > 0)", "scale forgotten", "scale",
     "1 /", "factor", "0.7", "keep")
slip(DropoutGlobalGenerator, "return grad * self.mask", "return grad", "mask forgotten", "mask", "left out",
     "passed on unchanged")
slip(DropoutGlobalGenerator, "return grad * self.mask", "return grad * (GENERATOR.random(grad.shape) > 0.3) / 0.7",
     "a new mask in backward", "mask", "random", "draw", "repeat")


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


slip(NoiseHistory, "return grad * self.history[-1]", "return grad * self.history[0]", "the oldest noise for the newest",
     "noise", "cache", "old", "stale", "first", "index", "earlier", "history")


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


slip(DropoutInside, "return self.net.backward(grad)",
     "for m in self.net.modules:\n            grad = m.backward(grad) if not isinstance(m, Linear) or m is "
     "self.net.modules[-1] else grad\n        return grad", "modules not in reverse order", "order", "revers", "raised",
     "shape")


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


slip(FlatParameters, "self.x.T @ grad", "(grad.T @ self.x).reshape(3, 2)", "reshape for transpose", "transpos",
     "reshape", "order", "permut")


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


slip(AffineData, "grad * self.scale.data", "grad * self.scale.data + self.shift.data",
     "the shift added to the gradient", "shift", "constant", "linear", "zero")
slip(AffineData, "(self.memory.x * grad).sum(0)", "grad.sum(0)", "factor x left out",
     "goes through unchanged", "left out", "factor", "bias")
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
slip(ClosureStyle, "g * -x * e", "g * -e", "inner derivative x left out", "left out", "inner", "factor")


@right(normal(4, 5), awkward="computes in float32 inside")
class CastsToSingle(Module):
    def forward(self, x):
        self.y = np.tanh(x.astype(np.float32))
        return self.y

    def backward(self, grad):
        return grad * (1 - self.y ** 2)


slip(CastsToSingle, "(1 - self.y ** 2)", "(1 - self.y)", "square missing", "square", "tanh", "1 - ")
slip(CastsToSingle, "(1 - self.y ** 2)", "(1 - 1.01 * self.y ** 2)", "one per cent too much", "factor", "1.01",
     "constant")
