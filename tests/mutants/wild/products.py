"""Products, quotients, gates and parallel paths: the product, quotient and chain rule in modules of one's own."""
from __future__ import annotations

import numpy as np

from lib.activations import Sigmoid
from lib.layers.activations import Tanh
from lib.network import Linear
from lib.network_base import Module, Parameter
from tests.mutants.wild.bank import at, fixed, normal, positive, right, wrong


@right(positive(3, 4))
class FeatureRatio(Module):
    """b / a of the two halves."""

    def forward(self, x):
        self.a, self.b = np.split(x, 2, axis=1)
        return self.b / self.a

    def backward(self, grad):
        da = -grad * self.b / self.a ** 2
        db = grad / self.a
        return np.concatenate([da, db], axis=1)


at(FeatureRatio, "a small denominator", fixed([[1e-5, 1.0]]))
wrong(FeatureRatio, " ** 2", "", "wrong_formula", "single_entries", "term_missing")
wrong(FeatureRatio, "-grad * self.b", "grad * self.b", "sign", "single_entries", "wrong_formula")
wrong(FeatureRatio, "[da, db]", "[db, da]", "single_entries", "transposed", "wrong_formula")
wrong(FeatureRatio, "da = -grad * self.b / self.a ** 2", "da = np.zeros_like(self.a)", "term_missing",
      "single_entries", "zeros")


@right(normal(3, 4))
class GatedLinearUnit(Module):
    def forward(self, x):
        a, b = x[:, :2], x[:, 2:]
        self.s = 1 / (1 + np.exp(-b))
        self.a = a
        return a * self.s

    def backward(self, grad):
        dx = np.empty((len(grad), 4))
        dx[:, :2] = grad * self.s
        dx[:, 2:] = grad * self.a * self.s * (1 - self.s)
        return dx


wrong(GatedLinearUnit, "grad * self.a * self.s", "grad * self.s", "term_missing", "single_entries", "wrong_formula")
wrong(GatedLinearUnit, " * (1 - self.s)", "", "term_missing", "single_entries", "wrong_formula")
wrong(GatedLinearUnit, "dx[:, :2] = grad * self.s", "dx[:, :2] = grad", "term_missing", "single_entries",
      "wrong_formula")


@right(normal(3, 4))
class SelfGated(Module):
    """y = x * sigmoid(l(x))."""

    def __init__(self):
        self.l, self.act = Linear(4, 4), Sigmoid()
        self.l.W.data = np.random.randn(4, 4)

    def parameters(self):
        return self.l.parameters()

    def forward(self, x):
        self.x = x
        self.g = self.act(self.l(x))
        return x * self.g

    def backward(self, grad):
        through_gate = self.l.backward(self.act.backward(grad * self.x))
        return grad * self.g + through_gate


wrong(SelfGated, " + through_gate", "", "term_missing", "skip_path_forgotten", "main_path_forgotten")
wrong(SelfGated, "grad * self.g + ", "", "term_missing", "skip_path_forgotten", "main_path_forgotten")
wrong(SelfGated, "backward(grad * self.x)", "backward(grad)", "term_missing", "wrong_formula")
wrong(SelfGated, "self.act.backward(grad * self.x)", "grad * self.x", "layer_skipped", "term_missing")


@right(normal(2, 3))
class Highway(Module):
    """t * h(x) + (1 - t) * x."""

    def __init__(self):
        self.h, self.t = Linear(3, 3), Linear(3, 3)
        for linear in (self.h, self.t):
            linear.W.data = np.random.randn(3, 3)

    def parameters(self):
        return list(self.h.parameters()) + list(self.t.parameters())

    def forward(self, x):
        self.x = x
        self.hx = np.tanh(self.h(x))
        self.tx = 1 / (1 + np.exp(-self.t(x)))
        return self.tx * self.hx + (1 - self.tx) * x

    def backward(self, grad):
        dh = grad * self.tx * (1 - self.hx ** 2)
        dt = grad * (self.hx - self.x) * self.tx * (1 - self.tx)
        return self.h.backward(dh) + self.t.backward(dt) + grad * (1 - self.tx)


wrong(Highway, "(self.hx - self.x)", "self.hx", "term_missing", "wrong_formula")
wrong(Highway, " + grad * (1 - self.tx)", "", "skip_path_forgotten", "term_missing")
wrong(Highway, " * (1 - self.hx ** 2)", "", "term_missing", "wrong_formula")
wrong(Highway, "(self.hx - self.x)", "(self.hx + self.x)", "sign", "wrong_formula")


@right(normal(3, 4))
class Bilinear(Module):
    """y_n = x_n^T A x_n: x stands in two places."""

    def __init__(self):
        self.A = Parameter(np.random.randn(4, 4), name="A")

    def parameters(self):
        return [self.A]

    def forward(self, x):
        self.x = x
        return np.einsum("ni,ij,nj->n", x, self.A.data, x)

    def backward(self, grad):
        self.A.grad += np.einsum("n,ni,nj->ij", grad, self.x, self.x)
        left = self.x @ self.A.data
        right_one = self.x @ self.A.data.T
        return grad[:, None] * (left + right_one)


wrong(Bilinear, "(left + right_one)", "left", "term_missing")
wrong(Bilinear, "(left + right_one)", "2 * left", "wrong_formula", "transposed", "term_missing")
wrong(Bilinear, "grad[:, None] * ", "", "upstream_ignored")
wrong(Bilinear, '"n,ni,nj->ij", grad, self.x', '"ni,nj->ij", self.x', "upstream_ignored")


@right(normal(3, 4))
class RowOverSum(Module):
    """x_i^2 / sum_j x_j^2."""

    def forward(self, x):
        self.x = x
        self.s = np.sum(x ** 2, axis=1, keepdims=True)
        self.y = x ** 2 / self.s
        return self.y

    def backward(self, grad):
        dot = np.sum(grad * self.y, axis=1, keepdims=True)
        return 2 * self.x * (grad - dot) / self.s


wrong(RowOverSum, "(grad - dot)", "grad", "statistics_constant", "term_missing")
wrong(RowOverSum, "(grad - dot)", "(grad + dot)", "sign", "wrong_formula")
wrong(RowOverSum, "axis=1", "axis=0", "wrong_axis")
wrong(RowOverSum, " / self.s", "", "term_missing", "factor", "wrong_formula")


@right(normal(3, 4))
class UnitRows(Module):
    """x / |x|, row by row."""

    def forward(self, x):
        self.norm = np.linalg.norm(x, axis=1, keepdims=True)
        self.y = x / self.norm
        return self.y

    def backward(self, grad):
        radial = (grad * self.y).sum(1, keepdims=True)
        return (grad - self.y * radial) / self.norm


at(UnitRows, "a tiny row", fixed([[1e-6, -2e-6, 3e-6], [0.5, 1.0, -2.0]]))
wrong(UnitRows, " - self.y * radial", "", "statistics_constant", "term_missing")
wrong(UnitRows, "grad - self", "grad + self", "sign", "wrong_formula")
wrong(UnitRows, "sum(1, keep", "sum(0, keep", "wrong_axis")
wrong(UnitRows, " / self.norm", "", "term_missing", "wrong_formula")


@right(lambda rng: (rng.normal(size=(3, 4)), rng.normal(size=(3, 4))))
class CosineSimilarity(Module):
    def forward(self, a, b):
        self.a, self.b = a, b
        self.na = np.sqrt((a * a).sum(axis=1))
        self.nb = np.sqrt((b * b).sum(axis=1))
        self.c = (a * b).sum(axis=1) / (self.na * self.nb)
        return self.c

    def backward(self, grad):
        first = self.b / (self.na * self.nb)[:, None]
        second = self.a * (self.c / self.na ** 2)[:, None]
        return grad[:, None] * (first - second)


at(CosineSimilarity,
   "a tiny row", lambda rng: (np.array([[1e-6, 2e-6], [1.0, 0.5]]), np.ones((2, 2)) + [[0, 1], [1, 0]]))
wrong(CosineSimilarity, " - second", "", "term_missing", "statistics_constant")
wrong(CosineSimilarity, "first - second", "first + second", "sign", "wrong_formula")
wrong(CosineSimilarity, "self.na ** 2", "self.na", "wrong_formula")


@right(normal(3, 2))
class TwoBranches(Module):
    """A sum of two parts with activations of their own."""

    def __init__(self):
        self.left, self.right = Linear(2, 3), Linear(2, 3)
        self.left.W.data, self.right.W.data = np.random.randn(2, 3), np.random.randn(2, 3)
        self.tanh = Tanh()

    def parameters(self):
        return [*self.left.parameters(), *self.right.parameters()]

    def forward(self, x):
        return self.tanh(self.left(x)) + self.right(x)

    def backward(self, grad):
        return self.left.backward(self.tanh.backward(grad)) + self.right.backward(grad)


wrong(TwoBranches, " + self.right.backward(grad)", "", "main_path_forgotten", "skip_path_forgotten",
      "layer_skipped", "term_missing")
wrong(TwoBranches, "self.tanh.backward(grad)", "grad", "layer_skipped", "term_missing")
wrong(TwoBranches, " + self", " - self", "sign")


@right(normal(4, 3))
class WeightNorm(Module):
    """W = g v / |v|, columns normalised."""

    def __init__(self):
        self.v, self.g = Parameter(np.random.randn(3, 2), name="v"), Parameter(np.random.rand(2) + 0.5, name="g")

    def parameters(self):
        return [self.v, self.g]

    def forward(self, x):
        self.x = x
        self.n = np.sqrt((self.v.data ** 2).sum(axis=0))
        self.W = self.g.data * self.v.data / self.n
        return x @ self.W

    def backward(self, grad):
        dW = self.x.T @ grad
        u = self.v.data / self.n
        self.g.grad += (dW * u).sum(axis=0)
        self.v.grad += self.g.data / self.n * (dW - u * (dW * u).sum(axis=0))
        return grad @ self.W.T


wrong(WeightNorm, " - u * (dW * u).sum(axis=0)", "", "statistics_constant", "term_missing")
wrong(WeightNorm, "self.g.data / self.n * (", "1 / self.n * (", "term_missing", "factor", "wrong_formula")
wrong(WeightNorm, "(dW * u).sum(axis=0)\n", "dW.sum(axis=0)\n", "term_missing", "wrong_formula")


@right(normal(3, 4))
class TiedAutoencoder(Module):
    """x W W^T: the weight is used twice."""

    def __init__(self):
        self.W = Parameter(np.random.randn(4, 2), name="W")

    def parameters(self):
        return [self.W]

    def forward(self, x):
        self.x, self.h = x, np.tanh(x @ self.W.data)
        return self.h @ self.W.data.T

    def backward(self, grad):
        self.W.grad += grad.T @ self.h
        dz = (grad @ self.W.data) * (1 - self.h ** 2)
        self.W.grad += self.x.T @ dz
        return dz @ self.W.data.T


wrong(TiedAutoencoder, "self.W.grad += grad.T @ self.h", "pass", "term_missing")
wrong(TiedAutoencoder, "self.W.grad += self.x.T @ dz", "pass", "term_missing")
wrong(TiedAutoencoder, " * (1 - self.h ** 2)", "", "term_missing", "wrong_formula")
wrong(TiedAutoencoder, "(1 - self.h ** 2)", "(1 - self.h)", "wrong_formula")
