"""Elementwise modules, as people write them."""
from functools import partial
from math import erf

import numpy as np

from lib.network_base import Module, Parameter
from tests.mutants.independent.bank import given, normal, right, single, slip, uniform


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


slip(LearnableSwish, "self.x ** 2 * ds", "self.x * ds", "a factor x is missing in beta's gradient",
     "factor", "x is missing", "left out", "times x")
slip(LearnableSwish, "self.s + self.beta.data * self.x * ds", "self.s + self.x * ds", "the inner derivative beta left out",
     "left out", "inner derivative", "factor")


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


slip(Mish, " * sigmoid)", ")", "softplus's own derivative left out", "left out", "inner derivative", "chain rule")
slip(Mish, "(1 - t * t)", "(1 + t * t)", "plus for minus in tanh's derivative", "sign", r"1 - ", "tanh")
slip(Mish, "(1 - t * t)", "(1 - t)", "tanh's square missing", "square", r"1 - ", "tanh")


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


slip(ELU, "self.out + self.alpha", "self.out", "alpha missing below zero", "alpha", "below", "negative", "missing", "constant")
slip(ELU, "self.out + self.alpha)", "self.alpha)", "exp left out below zero", "left out", "negative", "below", "derivative of exp")
slip(ELU, "np.where(self.out > 0, 1.0,", "np.where(self.out > 0, self.alpha,", "alpha above zero, too",
     "positive", "above", "factor")


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


slip(PReLU, "np.minimum(x, 0)).sum(axis=0)", "np.maximum(x, 0)).sum(axis=0)", "the slope's gradient counts positive inputs",
     "positive", "negative", "maximum", "mask", "other")
slip(PReLU, "(grad * np.minimum(x, 0)).sum(axis=0)", "(grad * np.minimum(x, 0)).mean(axis=0)", "mean for sum over the batch",
     "mean", "batch", "averag")
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


slip(Softsign, "self.d ** 2", "self.d", "|x| held constant: the denominator's square missing",
     "square", "held constant", "quotient")


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
slip(Reciprocal, "-grad * self.y ** 2", "-grad * self.y", "the square is missing", "square", r"1 / x", "factor", "power")


@right(given([[1e-9, 1e-4, 1.0, 1e4]]), awkward="near the edge of the domain")
@right(uniform(0.2, 4.0, 3, 3))
class LogSquared(Module):
    def forward(self, x):
        self.x, self.log = x, np.log(x)
        return self.log ** 2

    def backward(self, grad):
        return 2 * self.log / self.x * grad


slip(LogSquared, "2 * self.log", "self.log", "the 2 of the square is missing", "factor", "2", "half")
slip(LogSquared, " / self.x * grad", " * grad", "the logarithm's own derivative left out",
     "left out", "inner derivative", "1 / x", "chain")


@right(given([[0.5, 1e-9, 1 - 1e-7, 0.999]]), awkward="near both edges of the domain")
@right(uniform(0.1, 0.9, 2, 3))
class Logit(Module):
    def forward(self, p):
        self.p = p
        return np.log(p) - np.log1p(-p)

    def backward(self, grad):
        return grad / (self.p * (1 - self.p))


slip(Logit, "grad / (self.p * (1 - self.p))", "grad / self.p", "the term of log(1 - p) is missing",
     "missing", "term", "1 - p", "held constant", "cut", "path", "place")
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


slip(GeluTanh, "(1 + 3 * 0.044715", "(1 + 0.044715", "the 3 of the cube missing", "3", "cube", "power", "factor")
slip(GeluTanh, "(1 - self.t ** 2) * inner", "(1 - self.t ** 2)", "inner derivative left out", "left out", "inner", "chain")
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


slip(GeluLoop, "np.exp(-v * v / 2)", "np.exp(-v * v)", "the half in the exponent missing", "factor", "1 / 2", "half", "exp")
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


slip(Siren, "np.cos(a) * self.w0.data", "np.cos(a)", "w0 left out", "left out", "inner", "factor", "w0")
slip(Siren, "np.cos(a) * self.w0.data", "np.cos(x) * self.w0.data", "cosine of x, not of w0 x",
     "argument", "at x", "place", "input", "evaluated")
slip(Siren, "(grad * np.cos(a) * x).sum()", "(np.cos(a) * x).sum()", "upstream gradient forgotten for w0",
     "upstream", "grad")


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


slip(Snake, " - np.sin(a * x) ** 2 / a ** 2", "", "1 / a held constant", "held constant", "quotient", "denominator", "missing")
slip(Snake, "grad * (1 + s2)", "grad * s2", "the skip's own 1 missing", "skip", "missing", "held constant", "path", "identity")


@right(given([[-3.0, 3.0, 0.0, 2.9999999, -2.9999999]]), awkward="at the kinks and next to them")
@right(uniform(-5, 5, 4, 4))
class HardSwish(Module):
    def forward(self, x):
        self.x = x
        return x * np.clip(x + 3, 0, 6) / 6

    def backward(self, grad):
        x = self.x
        dx = np.where(x <= -3, 0, np.where(x < 3, (2 * x + 3) / 6, 1))
        return grad * dx


slip(HardSwish, "(2 * x + 3) / 6", "(x + 3) / 6", "one of two places where x stands", "held constant", "missing", "place", "product")
slip(HardSwish, "(2 * x + 3) / 6, 1", "(2 * x + 3) / 6, 0", "0 above 3", "situation", "above", "clip", "zero", "saturat", "held constant")


@right(given([[0.5, -0.5, 0.0, 1.0]]), 0.5, awkward="on the thresholds")
@right(normal(3, 5), 0.5)
class SoftShrink(Module):
    def __init__(self, lam):
        self.lam = lam

    def forward(self, x):
        self.keep = np.abs(x) > self.lam
        return np.sign(x) * np.maximum(np.abs(x) - self.lam, 0)

    def backward(self, grad):
        return grad * self.keep


slip(SoftShrink, "grad * self.keep", "grad * np.abs(self.keep * self.lam)", "lam for 1", "factor", "0.5", "times", "lam")
slip(SoftShrink, "grad * self.keep", "grad * ~self.keep", "mask the wrong way round", "mask", "inverted", "opposite", "condition", "other", "swapped")


@right(given([[1e-12, 4.0, 9.0]]), awkward="root near zero")
@right(uniform(0.1, 5.0, 2, 3))
class Root(Module):
    def forward(self, x):
        self.root = x ** 0.5
        return self.root

    def backward(self, grad):
        return 0.5 * grad / self.root


slip(Root, "0.5 * grad / self.root", "0.5 * grad * self.root", "multiplied by the root", "divid", "inverse", "1 /", "exponent", "power")


@right(given([[1e-6, 8.0, -27.0, -1e-6]]), awkward="cube root near zero")
@right(normal(2, 3, shift=3.0))
class CubeRoot(Module):
    def forward(self, x):
        self.root = np.cbrt(x)
        return self.root

    def backward(self, grad):
        return grad / (3 * self.root ** 2)


slip(CubeRoot, "(3 * self.root ** 2)", "(3 * self.root)", "the square missing", "square", "power", "factor", "exponent")


@right(uniform(-1e3, 1e3, 2, 3), awkward="squares of thousands")
@right(normal(3, 2))
class Squareplus(Module):
    b = 4.0

    def forward(self, x):
        self.memo = dict(x=x, r=np.sqrt(x * x + self.b))
        return (x + self.memo["r"]) / 2

    def backward(self, grad):
        return grad * (1 + self.memo["x"] / self.memo["r"]) / 2


slip(Squareplus, "(1 + self.memo", "(self.memo", "the 1 of the outer x missing", "missing", "held constant", "path", "place")


@right(normal(2, 6, scale=1e-6), awkward="all small")
@right(normal(2, 6))
class Glu(Module):
    def forward(self, x):
        a, b = np.split(x, 2, axis=1)
        self.a, self.gate = a, 1 / (1 + np.exp(-b))
        return a * self.gate

    def backward(self, grad):
        return np.concatenate([grad * self.gate, grad * self.a * self.gate * (1 - self.gate)], axis=1)


slip(Glu, "[grad * self.gate, grad * self.a * self.gate * (1 - self.gate)]",
     "[grad * self.a * self.gate * (1 - self.gate), grad * self.gate]", "the halves swapped", "swap", "order", "permut", "halves")
slip(Glu, "grad * self.a * self.gate * (1 - self.gate)]", "grad * self.gate * (1 - self.gate)]", "factor a left out",
     "factor", "left out", "product", "other operand")
slip(Glu, "grad * self.a * self.gate * (1 - self.gate)]", "np.zeros_like(grad)]", "the gate held constant", "held constant", "zero", "gate")


@right(lambda rng: np.repeat(rng.standard_normal((3, 2)), 2, axis=1), 2, awkward="ties")
@right(normal(3, 6), 2)
class Maxout(Module):
    def __init__(self, pieces):
        self.pieces = pieces

    def forward(self, x):
        self.shape = x.shape
        grouped = x.reshape(x.shape[0], -1, self.pieces)
        self.best = grouped.argmax(axis=2)
        return np.take_along_axis(grouped, self.best[..., None], axis=2)[..., 0]

    def backward(self, grad):
        dx = np.zeros(grad.shape + (self.pieces,))
        np.put_along_axis(dx, self.best[..., None], grad[..., None], axis=2)
        return dx.reshape(self.shape)


slip(Maxout, "np.put_along_axis(dx, self.best[..., None], grad[..., None], axis=2)", "dx[:] = grad[..., None]",
     "every member of the group gets the gradient", "mask", "maximum", "winner", "every", "all")
slip(Maxout, "grad.shape + (self.pieces,)", "(grad.shape[0], self.pieces, grad.shape[1])", "axes swapped in the buffer",
     "axes", "order", "transpos", "permut", "raised", "shape", "exception")


@right(given([[2.0, 0.0, 1e-3]]), awkward="power of zero base")
@right(uniform(0.2, 2.0, 4, 3))
class LearnablePower(Module):
    def __init__(self):
        self.p = Parameter(np.array([1.5, 2.0, 3.0]), name="p")

    def forward(self, x):
        self.x = x
        return np.power(x, self.p.data)

    def backward(self, grad):
        x, p = self.x, self.p.data
        logs = np.log(np.where(x > 0, x, 1))
        self.p.grad += (grad * np.power(x, p) * logs).sum(0)
        return grad * p * np.power(x, p - 1)

    def parameters(self):
        return (self.p,)


slip(LearnablePower, "np.power(x, p - 1)", "np.power(x, p)", "exponent not lowered", "exponent", "power", "factor", r"1 / x")
slip(LearnablePower, "np.power(x, p) * logs", "np.power(x, p)", "the logarithm missing", "log", "left out", "factor")


@right(single(normal(3, 4)), awkward="float32 input")
@right(normal(3, 4))
class LogSigmoidPartial(Module):
    f = partial(np.logaddexp, 0)

    def forward(self, x):
        self.x = x
        return -np.logaddexp(0, -x)

    def backward(self, grad):
        return grad * np.exp(-np.logaddexp(0, self.x))


slip(LogSigmoidPartial, "np.logaddexp(0, self.x)", "np.logaddexp(0, -self.x)", "sigmoid(x) for sigmoid(-x)",
     "1 - ", "sign", r"-x", "sigmoid", "argument")


@right(given([[1.0, -1.0, 0.3, 1e-16]]), awkward="at the clip's ends")
@right(uniform(-2, 2, 3, 3))
class ClippedSquare(Module):
    def forward(self, x):
        self.c = np.clip(x, -1, 1)
        self.inside = (x > -1) & (x < 1)
        return self.c ** 2

    def backward(self, grad):
        return grad * 2 * self.c * self.inside


slip(ClippedSquare, " * self.inside", "", "the clip's own derivative left out", "clip", "left out", "mask")
slip(ClippedSquare, "(x > -1) & (x < 1)", "(x > 0) & (x < 1)", "lower bound of the mask wrong", "mask", "situation", "clip", "negative", "bound")


@right(given([[0.0, 50.0, -50.0]]), awkward="overflow guarded")
@right(normal(2, 3))
class StableSigmoid(Module):
    def forward(self, x):
        y = np.empty_like(x, dtype=float)
        positive = x >= 0
        y[positive] = 1 / (1 + np.exp(-x[positive]))
        e = np.exp(x[~positive])
        y[~positive] = e / (1 + e)
        self.y = y
        return y

    def backward(self, grad):
        grad = grad.copy()
        grad *= self.y
        grad *= 1 - self.y
        return grad


slip(StableSigmoid, "grad *= 1 - self.y", "grad *= 1 - self.y ** 2", "tanh's formula", "tanh", "1 - y", "square", "sigmoid")
slip(StableSigmoid, "grad = grad.copy()", "grad = np.asarray(grad)", "changes its argument", "argument", "in place", "changes", "overwr")
slip(StableSigmoid, "grad *= self.y\n", "grad *= 1 + self.y\n", "1 + y for y", "factor", "sigmoid", "1 - y", "sign", "constant")


@right(normal(2, 3), awkward="a constant output")
class SignPlusRound(Module):
    def forward(self, x):
        return np.sign(x) + np.floor(x)

    def backward(self, grad):
        return np.zeros_like(grad)


@right(normal(3, 3), awkward="straight through is not its derivative, but identity plus stop-gradient is")
class MinusMean(Module):
    def forward(self, x):
        return x - x.mean(axis=0)

    def backward(self, grad):
        return grad - grad.mean(axis=0)


slip(MinusMean, "grad - grad.mean(axis=0)", "grad", "the mean held constant", "held constant", "mean", "missing")
slip(MinusMean, "grad - grad.mean(axis=0)", "grad - grad.mean(axis=1, keepdims=True)", "mean over the wrong axis", "axis")
slip(MinusMean, "grad - grad.mean(axis=0)", "grad - grad.sum(axis=0)", "sum for mean", "sum", "mean", "factor", "batch")
slip(MinusMean, "grad - grad.mean(axis=0)", "grad + grad.mean(axis=0)", "sign of the mean's term", "sign")


@right(normal(2, 2), awkward="arctan2 of two columns, a style with unpacked columns")
class Angle(Module):
    def forward(self, xy):
        self.xy = xy
        x, y = xy.T
        return np.arctan2(y, x)[:, None]

    def backward(self, grad):
        x, y = self.xy.T
        r2 = x * x + y * y
        return grad * np.stack([-y / r2, x / r2], axis=1)


slip(Angle, "[-y / r2, x / r2]", "[y / r2, -x / r2]", "sign", "sign")
slip(Angle, "[-y / r2, x / r2]", "[-y / r2, y / r2]", "y for x", "place", "other operand", "x", "column")
slip(Angle, "r2 = x * x + y * y", "r2 = np.sqrt(x * x + y * y)", "r for r squared", "square", "factor", "norm")
