"""The smooth elementwise functions of one input: exp, log, sqrt, sin, cos, tan, cosh, tanh, sigmoid, erf."""
from __future__ import annotations

from typing import Any, List, Tuple

import numpy as np

from lib.numerics import stable_sigmoid
from lib.graph.notation import call as function
from lib.graph.notation import name
from lib.graph.operations import Operation
from lib.validation import optional_import


class Elementwise(Operation):
    """Base of the functions of one input that work entry by entry: out_i = f(a_i)."""

    elementwise = True
    shape_rule = "the shape of the input"

    @classmethod
    def examples(cls, rng: np.random.Generator) -> List[Tuple[Operation, Tuple[Any, ...]]]:
        return [(cls(), (rng.uniform(0.3, 2, shape) * cls.signs(rng, shape),)) for shape in ((), (3,), (2, 3))]

    @classmethod
    def signs(cls, rng: np.random.Generator, shape: Tuple[int, ...]) -> Any:
        """Return the signs of the examples' inputs: both, where the function is defined for both."""
        return rng.choice([-1.0, 1.0], shape)


class PositiveOnly(Elementwise):
    """Base of the functions that are defined for positive inputs only."""

    @classmethod
    def signs(cls, rng, shape):
        return 1.0


class Exp(Elementwise):
    """out = e^a; the derivative is out itself."""

    name = "exp"

    def forward(self, a):
        return np.exp(a)

    def backward(self, i, grad, out, a):
        return grad * out

    def derivative(self, i, out, a):
        return out


class Log(PositiveOnly):
    """out = log(a), the natural logarithm; the derivative is 1/a."""

    name = "log"

    def forward(self, a):
        return np.log(a)

    def backward(self, i, grad, out, a):
        return grad / a

    def derivative(self, i, out, a):
        return 1 / a


class Log1p(PositiveOnly):
    """out = log(1 + a), exact also for tiny a, where 1 + a would be rounded to 1; the derivative is 1 / (1 + a)."""

    name = "log1p"

    def forward(self, a):
        return np.log1p(a)

    def backward(self, i, grad, out, a):
        return grad / (a + 1)

    def derivative(self, i, out, a):
        return 1 / (1 + a)


class Sqrt(PositiveOnly):
    """out = sqrt(a); the derivative is 1 / (2 sqrt(a)) = 1 / (2 out)."""

    name = "sqrt"

    def forward(self, a):
        return np.sqrt(a)

    def backward(self, i, grad, out, a):
        return grad / (out * 2)

    def derivative(self, i, out, a):
        return 1 / (2 * out)


class Sin(Elementwise):
    """out = sin(a); the derivative is cos(a)."""

    name = "sin"

    def forward(self, a):
        return np.sin(a)

    def backward(self, i, grad, out, a):
        return grad * np.cos(a)

    def derivative(self, i, out, a):
        return function("cos", a)


class Cos(Elementwise):
    """out = cos(a); the derivative is -sin(a)."""

    name = "cos"

    def forward(self, a):
        return np.cos(a)

    def backward(self, i, grad, out, a):
        return -grad * np.sin(a)

    def derivative(self, i, out, a):
        return -function("sin", a)


class Tan(Elementwise):
    """out = tan(a); the derivative is 1 + out^2."""

    name = "tan"

    @classmethod
    def examples(cls, rng):
        return [(cls(), (rng.uniform(-1, 1, shape),)) for shape in ((), (2, 3))]  # within one branch

    def forward(self, a):
        return np.tan(a)

    def backward(self, i, grad, out, a):
        return grad * (1 + out * out)

    def derivative(self, i, out, a):
        return 1 + out ** 2


class Cosh(Elementwise):
    """out = cosh(a) = (e^a + e^-a) / 2; the derivative is sinh(a)."""

    name = "cosh"

    def forward(self, a):
        return np.cosh(a)

    def backward(self, i, grad, out, a):
        return grad * np.sinh(a)

    def derivative(self, i, out, a):
        return function("sinh", a)


class Tanh(Elementwise):
    """out = tanh(a); the derivative is 1 - out^2."""

    name = "tanh"

    def forward(self, a):
        return np.tanh(a)

    def backward(self, i, grad, out, a):
        return grad * (1 - out * out)

    def derivative(self, i, out, a):
        return 1 - out ** 2


class Sigmoid(Elementwise):
    """out = 1 / (1 + e^-a), computed without overflow; the derivative is out (1 - out)."""

    name, analytic = "sigmoid", False

    def forward(self, a):
        return stable_sigmoid(a)

    def backward(self, i, grad, out, a):
        return grad * (out * (1 - out))

    def derivative(self, i, out, a):
        return out * (1 - out)


class Erf(Elementwise):
    """The error function: out = 2 / sqrt(pi) * (integral of e^(-t^2) from 0 to a); needs SciPy.

    The derivative is 2 / sqrt(pi) * e^(-a^2).
    """

    name, analytic = "erf", False

    def forward(self, a):
        return optional_import("scipy.special", "scipy", "The operation erf").erf(a)

    def backward(self, i, grad, out, a):
        return grad * np.exp(-(a * a)) * float(2 / np.sqrt(np.pi))

    def derivative(self, i, out, a):
        return 2 / function("sqrt", name("pi")) * function("exp", -a ** 2)
