"""Elementwise modules, as people write them."""
from math import erf

import numpy as np

from lib.network_base import Module, Parameter
from tests.mutants.independent.bank import given, normal, right, slip, uniform


@right(given([[1e-6, -3e-6, 2.0, 40.0, -40.0]]), awkward="tiny and saturated entries beside ordinary ones")
@right(normal(3, 4))
class Swish(Module):
    def forward(self, x):
        self.x = x
        self.s = 1 / (1 + np.exp(-x))
        return x * self.s

    def backward(self, grad):
        return grad * (self.s + self.x * self.s * (1 - self.s))


slip(Swish, "self.s + self.x * self.s * (1 - self.s)", "self.s", "x's sigmoid held constant: second term missing",
     "held constant", "product rule", "missing")
slip(Swish, "self.s + self.x * self.s * (1 - self.s)", "self.x * self.s * (1 - self.s)", "first term missing",
     "held constant", "product rule", "missing")
slip(Swish, "self.s + self.x", "self.s - self.x", "a minus for a plus between the terms", "sign")
slip(Swish, "* (1 - self.s)", "* (1 - self.x)", "x taken for the sigmoid", "x for", "input", "in place of")


@right(given([[700.0, -700.0, 0.0, 1e-9]]), awkward="ends of the range of exp")
@right(normal(4, 3))
class LearnableSwish(Module):
    def __init__(self):
        self.beta = Parameter(np.array([1.3]), name="beta")

    def forward(self, x):
        self.x = x
        with np.errstate(over="ignore"):
            self.s = 1 / (1 + np.exp(-self.beta.data * x))
        return x * self.s

    def backward(self, grad):
        ds = self.s * (1 - self.s)
        self.beta.grad += np.sum(grad * self.x ** 2 * ds)
        return grad * (self.s + self.beta.data * self.x * ds)

    def parameters(self):
        return [self.beta]


slip(LearnableSwish, "self.x ** 2 * ds", "self.x * ds", "a factor x is missing in beta's gradient", "factor",
     "x is missing", "left out", "times x", "nothing stands there")
slip(LearnableSwish, "self.s + self.beta.data * self.x * ds", "self.s + self.x * ds",
     "the inner derivative beta left out", "left out", "inner derivative", "factor")


@right(uniform(-30, 30, 2, 6), awkward="large")
@right(normal(2, 5))
class Mish(Module):
    def forward(self, x):
        self._x = x
        self._sp = np.logaddexp(0, x)
        return x * np.tanh(self._sp)

    def backward(self, g):
        t = np.tanh(self._sp)
        sigmoid = 1.0 / (1.0 + np.exp(-self._x))
        return g * (t + self._x * (1 - t * t) * sigmoid)


slip(Mish, " * sigmoid)", ")", "softplus's own derivative left out", "left out", "inner derivative", "chain rule",
     "nothing stands there")
slip(Mish, "(1 - t * t)", "(1 + t * t)", "plus for minus in tanh's derivative", "sign", "1 - ", "tanh")
slip(Mish, "(1 - t * t)", "(1 - t)", "tanh's square missing", "square", "1 - ", "tanh")


@right(given([[0.0, -1e-7, 1e-7, 1.0]]), 1.0, awkward="at the kink, smooth there")
@right(normal(3, 3), 0.7)
class ELU(Module):
    def __init__(self, alpha):
        self.alpha = alpha

    def forward(self, x):
        self.out = np.where(x > 0, x, self.alpha * np.expm1(np.minimum(x, 0)))
        return self.out

    def backward(self, grad):
        return grad * np.where(self.out > 0, 1.0, self.out + self.alpha)


slip(ELU, "self.out + self.alpha", "self.out", "alpha missing below zero", "alpha", "below", "negative", "missing",
     "constant")
slip(ELU, "self.out + self.alpha)", "self.alpha)", "exp left out below zero", "left out", "negative", "below",
     "derivative of exp", "nothing stands there")
slip(ELU, "np.where(self.out > 0, 1.0,", "np.where(self.out > 0, self.alpha,", "alpha above zero, too", "positive",
     "above", "factor")


@right(given([[0.0, -0.0, 1.0], [-1.0, 0.0, 0.0]]), awkward="on the kink")
@right(normal(4, 3))
class PReLU(Module):
    def __init__(self):
        self.slope = Parameter(np.full(3, 0.25), name="slope")

    def forward(self, x):
        self.cache = x
        return np.maximum(x, 0) + self.slope.data * np.minimum(x, 0)

    def backward(self, grad):
        x = self.cache
        self.slope.grad += (grad * np.minimum(x, 0)).sum(axis=0)
        return grad * np.where(x > 0, 1.0, self.slope.data)

    def parameters(self):
        return [self.slope]


slip(PReLU, "np.minimum(x, 0)).sum(axis=0)", "np.maximum(x, 0)).sum(axis=0)",
     "the slope's gradient counts positive inputs", "positive", "negative", "maximum", "mask", "other")
slip(PReLU, "(grad * np.minimum(x, 0)).sum(axis=0)", "(grad * np.minimum(x, 0)).mean(axis=0)",
     "mean for sum over the batch", "mean", "batch", "averag")
slip(PReLU, "self.slope.grad += ", "self.slope.grad = ", "overwrites the gradient", r"\+=", "overwr", "accumul", "add")
slip(PReLU, "np.where(x > 0, 1.0, self.slope.data)", "np.where(x > 0, self.slope.data, 1.0)", "branches swapped",
     "swapped", "condition", "branch", "other side", "mask", "positive")


@right(given([[1e-8, -1e-8, 3.0, 0.0]]), awkward="at zero")
@right(normal(3, 4))
class Softsign(Module):
    def forward(self, x):
        self.d = 1 + np.abs(x)
        return x / self.d

    def backward(self, grad):
        return grad / self.d ** 2


slip(Softsign, "self.d ** 2", "self.d", "|x| held constant: the denominator's square missing", "square",
     "held constant", "quotient")


@right(given([[1e-5, 1.0, 250.0]]), awkward="small beside ordinary")
@right(given([[-1e-3, 2e-4, 5.0, -7.0]]), awkward="small, both signs")
@right(uniform(0.5, 3.0, 2, 4))
class Reciprocal(Module):
    def forward(self, x):
        self.y = 1 / x
        return self.y

    def backward(self, grad):
        return -grad * self.y ** 2


slip(Reciprocal, "-grad * self.y ** 2", "grad * self.y ** 2", "sign", "sign")
slip(Reciprocal, "-grad * self.y ** 2", "-grad * self.y", "the square is missing", "square", "1 / x", "factor", "power")


@right(given([[1e-9, 1e-4, 1.0, 1e4]]), awkward="near the edge of the domain")
@right(uniform(0.2, 4.0, 3, 3))
class LogSquared(Module):
    def forward(self, x):
        self.x, self.log = x, np.log(x)
        return self.log ** 2

    def backward(self, grad):
        return 2 * self.log / self.x * grad


slip(LogSquared, "2 * self.log", "self.log", "the 2 of the square is missing", "factor", "half")
slip(LogSquared, " / self.x * grad", " * grad", "the logarithm's own derivative left out", "left out",
     "inner derivative", "1 / x", "chain", "nothing stands there")


@right(given([[0.5, 1e-9, 1 - 1e-7, 0.999]]), awkward="near both edges of the domain")
@right(uniform(0.1, 0.9, 2, 3))
class Logit(Module):
    def forward(self, p):
        self.p = p
        return np.log(p) - np.log1p(-p)

    def backward(self, grad):
        return grad / (self.p * (1 - self.p))


slip(Logit, "grad / (self.p * (1 - self.p))", "grad / self.p", "the term of log(1 - p) is missing", "missing", "term",
     "1 - p", "held constant", "cut", "path", "place")
slip(Logit, "grad / (self.p * (1 - self.p))", "grad * (self.p * (1 - self.p))", "multiplied where it should divide",
     "divid", "inverse", "1 /", "reciproc")


@right(given([[0.0, 1e-7, -2.5, 5.0]]), awkward="at zero and large")
@right(normal(2, 3))
class GeluTanh(Module):
    C = np.sqrt(2 / np.pi)

    def forward(self, x):
        self.x = x
        self.t = np.tanh(self.C * (x + 0.044715 * x ** 3))
        return 0.5 * x * (1 + self.t)

    def backward(self, grad):
        inner = self.C * (1 + 3 * 0.044715 * self.x ** 2)
        return grad * (0.5 * (1 + self.t) + 0.5 * self.x * (1 - self.t ** 2) * inner)


slip(GeluTanh, "(1 + 3 * 0.044715", "(1 + 0.044715", "the 3 of the cube missing", "cube", "power", "factor")
slip(GeluTanh, "(1 - self.t ** 2) * inner", "(1 - self.t ** 2)", "inner derivative left out", "left out", "inner",
     "chain", "nothing stands there")
slip(GeluTanh, "0.5 * (1 + self.t) + ", "", "the first term missing", "missing", "held constant", "product")


@right(normal(3, 2), awkward="loops and math.erf")
class GeluLoop(Module):
    def forward(self, x):
        self.x = x
        y = np.empty_like(x)
        for i, v in np.ndenumerate(x):
            y[i] = 0.5 * v * (1 + erf(v / 2 ** 0.5))
        return y

    def backward(self, grad):
        dx = np.empty_like(grad)
        for i, v in np.ndenumerate(self.x):
            phi = np.exp(-v * v / 2) / np.sqrt(2 * np.pi)
            dx[i] = grad[i] * (0.5 * (1 + erf(v / 2 ** 0.5)) + v * phi)
        return dx


slip(GeluLoop, "np.exp(-v * v / 2)", "np.exp(-v * v)", "the half in the exponent missing", "factor", "1 / 2", "half",
     "exp")
slip(GeluLoop, " + v * phi)", ")", "x * density missing", "missing", "held constant", "product")


@right(uniform(-40, 40, 2, 5), awkward="many periods")
@right(normal(3, 4))
class Siren(Module):
    def __init__(self):
        self.w0 = Parameter(np.array(3.0), name="w0")

    def forward(self, x):
        self.inputs = (x, self.w0.data * x)
        return np.sin(self.inputs[1])

    def backward(self, grad):
        x, a = self.inputs
        self.w0.grad = self.w0.grad + (grad * np.cos(a) * x).sum()
        return grad * np.cos(a) * self.w0.data

    def parameters(self):
        return [self.w0]


slip(Siren, "np.cos(a) * self.w0.data", "np.cos(a)", "w0 left out", "left out", "inner", "factor")
slip(Siren, "np.cos(a) * self.w0.data", "np.cos(x) * self.w0.data", "cosine of x, not of w0 x", "argument", "at x",
     "place", "input", "evaluated")
slip(Siren, "(grad * np.cos(a) * x).sum()", "(np.cos(a) * x).sum()", "upstream gradient forgotten for w0", "upstream",
     "grad")


@right(given([[0.0, 1e-10, -1e-10, 1.0]]), awkward="at zero")
@right(normal(2, 4))
class Snake(Module):
    def __init__(self):
        self.a = Parameter(np.full(4, 0.7), name="a")

    def forward(self, x):
        self.x = x
        return x + np.sin(self.a.data * x) ** 2 / self.a.data

    def backward(self, grad):
        a, x = self.a.data, self.x
        s2 = np.sin(2 * a * x)
        self.a.grad += np.sum(grad * (x * s2 / a - np.sin(a * x) ** 2 / a ** 2), axis=0)
        return grad * (1 + s2)

    def parameters(self):
        return [self.a]


slip(Snake, " - np.sin(a * x) ** 2 / a ** 2", "", "1 / a held constant", "held constant", "quotient", "denominator",
     "missing")
slip(Snake, "grad * (1 + s2)", "grad * s2", "the skip's own 1 missing", "skip", "missing", "held constant", "path",
     "identity")
