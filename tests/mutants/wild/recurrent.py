"""Recurrent cells and other modules that apply themselves again and again."""
from __future__ import annotations

import numpy as np

from lib.network_base import Module, Parameter
from tests.mutants.wild.bank import normal, right, wrong


def parameter(name, *shape):
    return Parameter(np.random.randn(*shape) / np.sqrt(shape[0]), name=name)


@right(normal(2, 4, 3))
class ElmanCell(Module):
    """h_t = tanh(x_t W + h_{t-1} U + b), all hidden states returned."""

    def __init__(self):
        self.W, self.U = parameter("W", 3, 2), parameter("U", 2, 2)
        self.b = Parameter(0.1 * np.random.randn(2), name="b")

    def parameters(self):
        return [self.W, self.U, self.b]

    def forward(self, x):
        self.x = x
        h = np.zeros((len(x), 2))
        self.hs = [h]
        for t in range(x.shape[1]):
            h = np.tanh(x[:, t] @ self.W.data + h @ self.U.data + self.b.data)
            self.hs.append(h)
        return np.stack(self.hs[1:], axis=1)

    def backward(self, grad):
        dx = np.zeros_like(self.x)
        dh = np.zeros_like(self.hs[0])
        for t in reversed(range(grad.shape[1])):
            dz = (grad[:, t] + dh) * (1 - self.hs[t + 1] ** 2)
            self.W.grad += self.x[:, t].T @ dz
            self.U.grad += self.hs[t].T @ dz
            self.b.grad += dz.sum(axis=0)
            dx[:, t] = dz @ self.W.data.T
            dh = dz @ self.U.data.T
        return dx


wrong(ElmanCell, "(grad[:, t] + dh)", "grad[:, t]", "term_missing")
wrong(ElmanCell, "self.hs[t].T @ dz", "self.hs[t + 1].T @ dz", "single_entries", "output_for_input", "wrong_formula")
wrong(ElmanCell, "(1 - self.hs[t + 1] ** 2)", "(1 - self.hs[t] ** 2)", "single_entries", "wrong_formula",
      "output_for_input")
wrong(ElmanCell, "dh = dz @ self.U.data.T", "dh = dz @ self.U.data", "transposed")
wrong(ElmanCell, "reversed(range(grad.shape[1]))", "range(grad.shape[1])", "forward_order", "wrong_formula")


@right(normal(3, 5))
class GRUStep(Module):
    """One step of a gated recurrent unit: the first two columns are the state, the others the input."""

    def __init__(self):
        self.Wz, self.Wr, self.Wc = parameter("Wz", 5, 2), parameter("Wr", 5, 2), parameter("Wc", 5, 2)

    def parameters(self):
        return [self.Wz, self.Wr, self.Wc]

    def forward(self, hx):
        self.hx, self.h = hx, hx[:, :2]
        self.z = 1 / (1 + np.exp(-hx @ self.Wz.data))
        self.r = 1 / (1 + np.exp(-hx @ self.Wr.data))
        self.rhx = np.concatenate([self.r * self.h, hx[:, 2:]], axis=1)
        self.c = np.tanh(self.rhx @ self.Wc.data)
        return (1 - self.z) * self.h + self.z * self.c

    def backward(self, grad):
        dc = grad * self.z * (1 - self.c ** 2)
        dz = grad * (self.c - self.h) * self.z * (1 - self.z)
        drhx = dc @ self.Wc.data.T
        dr = drhx[:, :2] * self.h * self.r * (1 - self.r)
        self.Wc.grad += self.rhx.T @ dc
        self.Wz.grad += self.hx.T @ dz
        self.Wr.grad += self.hx.T @ dr
        dhx = dz @ self.Wz.data.T + dr @ self.Wr.data.T
        dhx[:, :2] += grad * (1 - self.z) + drhx[:, :2] * self.r
        dhx[:, 2:] += drhx[:, 2:]
        return dhx


wrong(GRUStep, "(self.c - self.h)", "self.c", "term_missing", "wrong_formula")
wrong(GRUStep, " + drhx[:, :2] * self.r", "", "term_missing", "single_entries")
wrong(GRUStep, "grad * (1 - self.z) + ", "", "term_missing", "single_entries")
wrong(GRUStep, "drhx[:, :2] * self.h * self.r", "drhx[:, :2] * self.r", "term_missing", "wrong_formula")
wrong(GRUStep, " + dr @ self.Wr.data.T", "", "term_missing")
wrong(GRUStep, "dhx[:, 2:] += drhx[:, 2:]", "pass", "term_missing", "single_entries")


@right(normal(3, 5))
class LSTMStep(Module):
    """One step of a long short-term memory with a state of one unit: columns are h, c and the input."""

    def __init__(self):
        self.W = parameter("W", 4, 4)

    def parameters(self):
        return [self.W]

    def forward(self, s):
        self.hx = np.concatenate([s[:, :1], s[:, 2:]], axis=1)
        self.c0 = s[:, 1:2]
        a = self.hx @ self.W.data
        gates = 1 / (1 + np.exp(-a[:, :3]))
        self.i, self.f, self.o = gates[:, :1], gates[:, 1:2], gates[:, 2:3]
        self.g = np.tanh(a[:, 3:])
        self.c = self.f * self.c0 + self.i * self.g
        return np.concatenate([self.o * np.tanh(self.c), self.c], axis=1)

    def backward(self, grad):
        dh, tc = grad[:, :1], np.tanh(self.c)
        dc = grad[:, 1:] + dh * self.o * (1 - tc ** 2)
        di = dc * self.g * self.i * (1 - self.i)
        df = dc * self.c0 * self.f * (1 - self.f)
        do = dh * tc * self.o * (1 - self.o)
        dg = dc * self.i * (1 - self.g ** 2)
        da = np.concatenate([di, df, do, dg], axis=1)
        self.W.grad += self.hx.T @ da
        dhx = da @ self.W.data.T
        return np.concatenate([dhx[:, :1], dc * self.f, dhx[:, 1:]], axis=1)


wrong(LSTMStep, "grad[:, 1:] + ", "", "term_missing")
wrong(LSTMStep, " + dh * self.o * (1 - tc ** 2)", "", "term_missing")
wrong(LSTMStep, "dc * self.c0 * self.f", "dc * self.c * self.f", "output_for_input", "wrong_formula")
wrong(LSTMStep, "[di, df, do, dg]", "[df, di, do, dg]", "transposed", "wrong_formula", "single_entries")
wrong(LSTMStep, "(1 - tc ** 2)", "(1 - tc)", "wrong_formula")


@right(lambda rng: (rng.normal(size=(3, 3)),), undecidable=False)
class FixedPoint(Module):
    """z = tanh(z W + x), iterated: it converges for a small W only."""

    def __init__(self):
        self.W = Parameter(0.1 * np.random.randn(3, 3), name="W")

    def parameters(self):
        return [self.W]

    def forward(self, x):
        z = np.zeros_like(x)
        for _ in range(200):
            z = np.tanh(z @ self.W.data + x)
        self.z = z
        return z

    def backward(self, grad):
        d = 1 - self.z ** 2
        g = grad
        for _ in range(200):
            g = grad + (g * d) @ self.W.data.T
        self.W.grad += self.z.T @ (g * d)
        return g * d


wrong(FixedPoint, "g = grad + (g * d) @ self.W.data.T", "pass", "term_missing", "wrong_formula")
wrong(FixedPoint, "return g * d", "return g", "term_missing", "wrong_formula")
