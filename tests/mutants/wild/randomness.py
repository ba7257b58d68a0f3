"""Modules that draw random numbers, from generators kept in all kinds of places."""
from __future__ import annotations

import functools

import numpy as np
from numpy.random import default_rng

from lib.activations import ReLU
from lib.network import Linear, Sequential
from lib.network_base import Module
from lib.regularizers import Dropout
from tests.mutants.wild.bank import normal, right, wrong

GENERATOR = np.random.default_rng(5)
LEGACY = np.random.RandomState(3)


@right(normal(4, 5))
class GlobalGenerator(Module):
    """The generator is a global of the file."""

    def forward(self, x):
        self.mask = (GENERATOR.random(x.shape) > 0.3) / 0.7
        return x * self.mask

    def backward(self, grad):
        return grad * self.mask


wrong(GlobalGenerator, " * self.mask", "", "passed_on")
wrong(GlobalGenerator, "self.mask", "(self.mask > 0)", "factor", "wrong_formula")


@right(normal(4, 5))
class LegacyGenerator(Module):
    def forward(self, x):
        self.noise = LEGACY.uniform(0.5, 1.5, x.shape)
        return x * self.noise

    def backward(self, grad):
        return grad * self.noise


@right(normal(4, 5))
class ClassGenerator(Module):
    """The generator is an attribute of the class."""

    rng = np.random.default_rng(11)

    def forward(self, x):
        self.keep = self.rng.random(x.shape) < 0.8
        return np.where(self.keep, x / 0.8, 0)

    def backward(self, grad):
        return np.where(self.keep, grad / 0.8, 0)


wrong(ClassGenerator, "grad / 0.8", "grad", "factor")


@right(normal(4, 5))
class DefaultArgument(Module):
    def forward(self, x, rng=np.random.default_rng(2)):
        self.mask = rng.integers(0, 2, x.shape)
        return x * self.mask

    def backward(self, grad):
        return grad * self.mask


@right(normal(4, 5))
class InsidePartial(Module):
    def __init__(self):
        self.draw = functools.partial(np.random.default_rng(9).normal, 0.0, 0.1)

    def forward(self, x):
        return x + self.draw(x.shape)

    def backward(self, grad):
        return grad


@right(normal(4, 5), undecidable=True)
class ImportedDefaultRng(Module):
    """A new generator for each pass, without a seed."""

    def forward(self, x):
        self.mask = default_rng().random(x.shape) < 0.5
        return x * self.mask

    def backward(self, grad):
        return grad * self.mask


@right(normal(4, 5), undecidable=True)
class HiddenInAClosure(Module):
    """Drawn by the operating system: nothing can be put back."""

    def forward(self, x):
        self.mask = np.random.Generator(np.random.PCG64()).random(x.shape) < 0.5
        return x * self.mask

    def backward(self, grad):
        return grad * self.mask


@right(normal(4, 5))
class BoundMethodOfGenerator(Module):
    def __init__(self):
        self.draw = np.random.default_rng(4).random

    def forward(self, x):
        self.mask = self.draw(x.shape) < 0.5
        return x * self.mask

    def backward(self, grad):
        return grad * self.mask


@right(normal(4, 3))
class DropoutInside(Module):
    def __init__(self):
        self.net = Sequential(Linear(3, 4), Dropout(0.5), ReLU(), Linear(4, 2))
        for parameter in self.net.parameters():
            parameter.data = np.random.randn(*parameter.data.shape)

    def parameters(self):
        return self.net.parameters()

    def forward(self, x):
        return self.net(x)

    def backward(self, grad):
        return self.net.backward(grad)


@right(normal(4, 3))
class GaussianNoise(Module):
    def forward(self, x):
        if self.training:
            return x + 0.1 * np.random.standard_normal(x.shape)
        return x

    def backward(self, grad):
        return grad
