"""Further elementwise modules: gates, kinks, clips, domains."""
from functools import partial

import numpy as np

from lib.network_base import Module, Parameter
from tests.mutants.independent.bank import given, normal, right, single, slip, uniform


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


slip(HardSwish, "(2 * x + 3) / 6", "(x + 3) / 6", "one of two places where x stands", "held constant", "missing",
     "place", "product")
slip(HardSwish, "(2 * x + 3) / 6, 1", "(2 * x + 3) / 6, 0", "0 above 3", "situation", "above", "clip", "zero",
     "saturat", "held constant")


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


slip(SoftShrink, "grad * self.keep", "grad * np.abs(self.keep * self.lam)", "lam for 1", "factor", "0.5", "times",
     "lam")
slip(SoftShrink, "grad * self.keep", "grad * ~self.keep", "mask the wrong way round", "mask", "inverted", "opposite",
     "condition", "other", "swapped")


@right(given([[1e-12, 4.0, 9.0]]), awkward="root near zero")
@right(uniform(0.1, 5.0, 2, 3))
class Root(Module):
    def forward(self, x):
        self.root = x ** 0.5
        return self.root

    def backward(self, grad):
        return 0.5 * grad / self.root


slip(Root, "0.5 * grad / self.root", "0.5 * grad * self.root", "multiplied by the root", "divid", "inverse", "1 /",
     "exponent", "power")


@right(given([[1e-6, 8.0, -27.0, -1e-6]]), awkward="cube root near zero")
@right(normal(2, 3, shift=3.0))
class CubeRoot(Module):
    def forward(self, x):
        self.root = np.cbrt(x)
        return self.root

    def backward(self, grad):
        return grad / (3 * self.root ** 2)


slip(CubeRoot, "(3 * self.root ** 2)", "(3 * self.root)", "the square missing", "square", "power", "factor", "exponent",
     "output once too often")


@right(uniform(-1e3, 1e3, 2, 3), awkward="squares of thousands")
@right(normal(3, 2))
class Squareplus(Module):
    b = 4.0

    def forward(self, x):
        self.memo = dict(x=x, r=np.sqrt(x * x + self.b))
        return (x + self.memo["r"]) / 2

    def backward(self, grad):
        return grad * (1 + self.memo["x"] / self.memo["r"]) / 2


slip(Squareplus, "(1 + self.memo", "(self.memo", "the 1 of the outer x missing", "missing", "held constant", "path",
     "place")


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
     "[grad * self.a * self.gate * (1 - self.gate), grad * self.gate]", "the halves swapped", "swap", "order", "permut",
     "halves", "exchanged")
slip(Glu, "grad * self.a * self.gate * (1 - self.gate)]", "grad * self.gate * (1 - self.gate)]", "factor a left out",
     "factor", "left out", "product", "other operand")
slip(Glu, "grad * self.a * self.gate * (1 - self.gate)]", "np.zeros_like(grad)]", "the gate held constant",
     "held constant", "zero", "gate")


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


slip(LearnablePower, "np.power(x, p - 1)", "np.power(x, p)", "exponent not lowered", "exponent", "power", "factor",
     "1 / x")
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


slip(LogSigmoidPartial, "np.logaddexp(0, self.x)", "np.logaddexp(0, -self.x)", "sigmoid(x) for sigmoid(-x)", "1 - ",
     "sign", "sigmoid", "argument")


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
slip(ClippedSquare, "(x > -1) & (x < 1)", "(x > 0) & (x < 1)", "lower bound of the mask wrong", "mask", "situation",
     "clip", "negative", "bound")


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


slip(StableSigmoid, "grad *= 1 - self.y", "grad *= 1 - self.y ** 2", "tanh's formula", "tanh", "1 - y", "square",
     "sigmoid")
slip(StableSigmoid, "grad = grad.copy()", "grad = np.asarray(grad)", "changes its argument", "argument", "in place",
     "changes", "overwr")
slip(StableSigmoid, "grad *= self.y\n", "grad *= 1 + self.y\n", "1 + y for y", "factor", "sigmoid", "1 - y", "sign",
     "constant")


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
slip(MinusMean, "grad - grad.mean(axis=0)", "grad - grad.mean(axis=1, keepdims=True)", "mean over the wrong axis",
     "axis")
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
slip(Angle, "[-y / r2, x / r2]", "[-y / r2, y / r2]", "y for x", "place", "other operand", "column")
slip(Angle, "r2 = x * x + y * y", "r2 = np.sqrt(x * x + y * y)", "r for r squared", "square", "factor", "norm")
