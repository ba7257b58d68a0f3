"""The inverses of trigonometric and hyperbolic functions: arcsin, arctan2, arccosh and their like."""
from __future__ import annotations

import numpy as np

from lib.graph.notation import call as function
from lib.graph.operations import Operation
from lib.graph.operations.arithmetic import Arithmetic
from lib.graph.operations.elementwise import Elementwise


class Within(Elementwise):
    """Base of the functions that are defined between -1 and 1 only."""

    @classmethod
    def examples(cls, rng):
        return [(cls(), (rng.uniform(0.1, 0.9, shape) * cls.signs(rng, shape),)) for shape in ((), (3,), (2, 3))]


class Arcsin(Within):
    """out = the angle from -pi/2 to pi/2 whose sine is a; the derivative is 1 / sqrt(1 - a^2)."""

    name = "arcsin"

    def forward(self, a):
        return np.arcsin(a)

    def backward(self, i, grad, out, a):
        return grad / np.sqrt(1 - a * a)

    def derivative(self, i, out, a):
        return 1 / function("sqrt", 1 - a ** 2)


class Arccos(Within):
    """out = the angle from 0 to pi whose cosine is a; the derivative is -1 / sqrt(1 - a^2)."""

    name = "arccos"

    def forward(self, a):
        return np.arccos(a)

    def backward(self, i, grad, out, a):
        return -grad / np.sqrt(1 - a * a)

    def derivative(self, i, out, a):
        return -1 / function("sqrt", 1 - a ** 2)


class Arctan(Elementwise):
    """out = the angle from -pi/2 to pi/2 whose tangent is a; the derivative is 1 / (1 + a^2)."""

    name = "arctan"

    def forward(self, a):
        return np.arctan(a)

    def backward(self, i, grad, out, a):
        return grad / (1 + a * a)

    def derivative(self, i, out, a):
        return 1 / (1 + a ** 2)


class Arctan2(Operation):
    """out = the angle of the point (b, a); d(out)/da = b / (a^2 + b^2), d(out)/db = -a / (a^2 + b^2)."""

    name, analytic, shape_rule = "arctan2", False, Arithmetic.shape_rule
    elementwise = broadcasts = True

    @classmethod
    def examples(cls, rng):
        shapes = [((), ()), ((3,), (3,)), ((2, 3), (3,)), ((2, 1), (1, 3)), ((), (2, 2))]
        return [(cls(), (rng.uniform(0.5, 2, a) * (-1) ** k, rng.uniform(-2, 2, b))) for k, (a, b) in enumerate(shapes)]

    def forward(self, a, b):
        return np.arctan2(a, b)

    def backward(self, i, grad, out, a, b):
        squares = a * a + b * b
        return grad * b / squares if i == 0 else -grad * a / squares

    def derivative(self, i, out, a, b):
        squares = a ** 2 + b ** 2
        return b / squares if i == 0 else -a / squares


class Arcsinh(Elementwise):
    """out = log(a + sqrt(a^2 + 1)); the derivative is 1 / sqrt(a^2 + 1)."""

    name = "arcsinh"

    def forward(self, a):
        return np.arcsinh(a)

    def backward(self, i, grad, out, a):
        return grad / np.sqrt(a * a + 1)

    def derivative(self, i, out, a):
        return 1 / function("sqrt", a ** 2 + 1)


class Arccosh(Elementwise):
    """out = log(a + sqrt(a^2 - 1)) for a > 1; the derivative is 1 / sqrt(a^2 - 1)."""

    name = "arccosh"

    @classmethod
    def examples(cls, rng):
        return [(cls(), (rng.uniform(1.2, 3, shape),)) for shape in ((), (3,), (2, 3))]

    def forward(self, a):
        return np.arccosh(a)

    def backward(self, i, grad, out, a):
        return grad / np.sqrt(a * a - 1)

    def derivative(self, i, out, a):
        return 1 / function("sqrt", a ** 2 - 1)


class Arctanh(Within):
    """out = log((1 + a) / (1 - a)) / 2; the derivative is 1 / (1 - a^2)."""

    name = "arctanh"

    def forward(self, a):
        return np.arctanh(a)

    def backward(self, i, grad, out, a):
        return grad / (1 - a * a)

    def derivative(self, i, out, a):
        return 1 / (1 - a ** 2)
