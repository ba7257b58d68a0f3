"""Functions of one number, entry by entry, in many styles."""
from __future__ import annotations

import numpy as np

from lib.network_base import Module
from tests.mutants.wild.bank import at, fixed, normal, positive, right, wrong


@right(normal(3, 4))
class Swish(Module):
    def forward(self, x):
        self.x = x
        self.s = 1 / (1 + np.exp(-x))
        return x * self.s

    def backward(self, grad):
        return grad * (self.s + self.x * self.s * (1 - self.s))


wrong(Swish, "self.s + self.x * self.s * (1 - self.s)", "self.s", "term_missing")
wrong(Swish, "self.s + self.x * self.s * (1 - self.s)", "self.x * self.s * (1 - self.s)", "term_missing")
wrong(Swish, "(1 - self.s)", "(1 + self.s)", "wrong_formula", "sign")
wrong(Swish, "self.s + self.x", "self.s - self.x", "sign", "wrong_formula")
wrong(Swish, "grad * (", "(", "upstream_ignored")


@right(positive(3, 4))
class Reciprocal(Module):
    def forward(self, x):
        self.out = 1 / x
        return self.out

    def backward(self, grad):
        return -grad * self.out ** 2


at(Reciprocal, "a small entry", fixed([[1e-5, 1.0]]))
at(Reciprocal, "a tiny entry", fixed([[1e-9, 1.0, 3.0]]))
at(Reciprocal, "a negative small entry", fixed([[-2e-6, 0.7], [2.0, -1e-4]]))
wrong(Reciprocal, "-grad", "grad", "sign")
wrong(Reciprocal, " ** 2", "", "wrong_formula", "term_missing")
wrong(Reciprocal, "self.out ** 2", "np.log(1 / self.out)", "wrong_formula")


@right(positive(2, 5, low=0.1, high=0.9))
class Logit(Module):
    def forward(self, p):
        self.p = p
        return np.log(p) - np.log1p(-p)

    def backward(self, grad):
        return grad / self.p + grad / (1 - self.p)


at(Logit, "the edge", fixed([[1e-7, 0.5], [1 - 1e-7, 0.3]]))
wrong(Logit, " + grad / (1 - self.p)", "", "term_missing")
wrong(Logit, "+ grad /", "- grad /", "sign", "wrong_formula")
wrong(Logit, "grad / self.p + grad / (1 - self.p)", "grad * self.p * (1 - self.p)", "wrong_formula")


@right(normal(2, 4, size=0.3))
class Arcsin(Module):
    def forward(self, x):
        self.x = x
        return np.arcsin(x)

    def backward(self, grad):
        return grad / np.sqrt(1 - self.x * self.x)


at(Arcsin, "the edge of its domain", fixed([[0.2, 1 - 1e-7], [-1 + 1e-7, 0.0]]))
wrong(Arcsin, "np.sqrt(1 - self.x * self.x)", "(1 - self.x * self.x)", "wrong_formula", "term_missing")
wrong(Arcsin, "1 - self", "1 + self", "sign", "wrong_formula")


@right(normal(2, 4, size=0.3))
class Arctanh(Module):
    def forward(self, x):
        self.input_cache = np.copy(x)
        return np.arctanh(x)

    def backward(self, grad):
        return grad / (1 - self.input_cache ** 2)


at(Arctanh, "the edge of its domain", fixed([[0.1, 1 - 1e-7]]))
wrong(Arctanh, "1 - self", "1 + self", "sign", "wrong_formula")


@right(normal(3, 3))
class CubeRoot(Module):
    def forward(self, x):
        self.y = np.cbrt(x)
        return self.y

    def backward(self, grad):
        return grad / (3 * self.y * self.y)


at(CubeRoot, "small numbers", fixed([[1e-6, 1.0, -2.0], [-1e-7, 8.0, 0.3]]))
wrong(CubeRoot, "3 * ", "", "factor")
wrong(CubeRoot, "self.y * self.y", "self.y", "wrong_formula", "term_missing")


@right(normal(2, 3))
class RootOfAbsolute(Module):
    def forward(self, x):
        self.x = x
        return np.abs(x) ** 0.5

    def backward(self, grad):
        return grad * 0.5 * np.sign(self.x) * np.abs(self.x) ** -0.5


at(RootOfAbsolute, "1e-8", fixed([[1e-8, 1.0, -0.5]]))
wrong(RootOfAbsolute, " * np.sign(self.x)", "", "negative_side", "term_missing", "upstream_absolute", "wrong_formula")
wrong(RootOfAbsolute, "** -0.5", "** 0.5", "wrong_formula")


@right(normal(2, 3))
class Tangent(Module):
    def forward(self, x):
        self.y = np.tan(x)
        return self.y

    def backward(self, grad):
        return grad * (1 + self.y ** 2)


at(Tangent, "its pole", fixed([[np.pi / 2 - 1e-5, 0.3]]))
wrong(Tangent, "1 + self", "1 - self", "sign", "wrong_formula")


@right(normal(3, 4))
class ELU(Module):
    alpha = 1.5

    def forward(self, x):
        self.x = x
        return np.where(x > 0, x, self.alpha * (np.exp(np.minimum(x, 0)) - 1))

    def backward(self, grad):
        dx = np.ones_like(self.x)
        neg = self.x <= 0
        dx[neg] = self.alpha * np.exp(self.x[neg])
        return dx * grad


wrong(ELU, "self.alpha * np.exp", "np.exp", "negative_side", "factor", "term_missing")
wrong(ELU, "np.exp(self.x[neg])", "(np.exp(self.x[neg]) - 1)", "negative_side", "wrong_formula")
wrong(ELU, "<= 0", "> 0", "mask_inverted", "wrong_formula")


@right(normal(4, 3))
class HardSwish(Module):
    def forward(self, x):
        self.cache = x
        return x * np.clip(x + 3, 0, 6) / 6

    def backward(self, g):
        x = self.cache
        d = np.clip(x + 3, 0, 6) / 6
        d = d + x / 6 * ((x > -3) & (x < 3))
        return g * d


wrong(HardSwish, "d = d + x / 6 * ((x > -3) & (x < 3))", "pass", "term_missing")
wrong(HardSwish, "d + x / 6", "d - x / 6", "sign", "wrong_formula")


@right(normal(2, 6))
class Mish(Module):
    def forward(self, x):
        self.x, self.t = x, np.tanh(np.log1p(np.exp(x)))
        return x * self.t

    def backward(self, grad):
        sig = 1 / (1 + np.exp(-self.x))
        return grad * (self.t + self.x * (1 - self.t ** 2) * sig)


wrong(Mish, " * sig", "", "term_missing", "wrong_formula")
wrong(Mish, "self.t + ", "", "term_missing")
wrong(Mish, " + self.x * (1 - self.t ** 2) * sig", "", "term_missing")


@right(normal(3, 3))
class Softsign(Module):
    def forward(self, x):
        self.d = 1 + abs(x)
        return x / self.d

    def backward(self, grad):
        return grad / self.d ** 2


wrong(Softsign, " ** 2", "", "wrong_formula", "term_missing")


@right(normal(3, 3))
class Gaussian(Module):
    def forward(self, x):
        self.x, self.y = x, np.exp(-x * x)
        return self.y

    def backward(self, grad):
        return grad * -2 * self.x * self.y


wrong(Gaussian, " * self.y", "", "term_missing", "wrong_formula")
wrong(Gaussian, "-2", "2", "sign")
wrong(Gaussian, " * -2 * self.x", "", "term_missing", "wrong_formula")


@right(positive(3, 4))
class XLogX(Module):
    def forward(self, x):
        self.x = x
        return x * np.log(x)

    def backward(self, grad):
        return grad * (np.log(self.x) + 1)


wrong(XLogX, " + 1", "", "term_missing")
wrong(XLogX, "np.log(self.x) + 1", "1", "term_missing", "passed_on")


@right(normal(2, 3))
class Cube(Module):
    def forward(self, x):
        self.x = x
        return x ** 3

    def backward(self, grad):
        return 3 * self.x ** 2 * grad


wrong(Cube, "3 * ", "", "factor")
wrong(Cube, "** 2", "", "wrong_formula")
at(Cube, "zeros and tiny numbers", fixed([[0.0, 1e-12, 2.0]]))


@right(normal(2, 3))
class SinOfPeriod(Module):
    def forward(self, x):
        self.x = x
        return np.sin(2 * np.pi * x)

    def backward(self, grad):
        return grad * 2 * np.pi * np.cos(2 * np.pi * self.x)


wrong(SinOfPeriod, "grad * 2 * np.pi", "grad", "factor", "term_missing")


@right(normal(2, 3))
class FastSine(Module):
    """A period of 2^-10."""

    def forward(self, x):
        self.x = x
        return np.sin(2 * np.pi * 1024 * x)

    def backward(self, grad):
        return grad * 2048 * np.pi * np.cos(2048 * np.pi * self.x)


@right(normal(2, 4))
class Scaled(Module):
    def forward(self, x):
        return 2.5 * x - 1

    def backward(self, grad):
        return 2.5 * grad


wrong(Scaled, "2.5 * grad", "grad", "passed_on", "factor")


@right(normal(3, 3))
class SquareReLU(Module):
    def forward(self, x):
        self.r = np.maximum(0, x)
        return self.r ** 2

    def backward(self, grad):
        return grad * 2 * self.r


wrong(SquareReLU, "2 * self.r", "(self.r > 0)", "wrong_formula", "term_missing")
