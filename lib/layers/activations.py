"""Activation functions beyond the sheets'."""
from __future__ import annotations

import math
from typing import Any, List, Tuple

import numpy as np

from lib.network_base import Module
from lib.numerics import stable_sigmoid, stable_softplus
from lib.validation import (InputError, checked_elementwise, checked_upstream_of_elementwise, optional_import,
                            require_choice)


class Identity(Module):
    """y = x, dy/dx = 1."""

    takes_any_number = True

    def forward(self, x: np.ndarray) -> np.ndarray:
        x = checked_elementwise(self, x)
        self.input_cache = x
        return x.copy()

    def backward(self, grad: np.ndarray) -> np.ndarray:
        return checked_upstream_of_elementwise(self, grad).copy()


class LeakyReLU(Module):
    """y = x where x > 0, and slope * x elsewhere; dy/dx = 1 where x > 0, and slope elsewhere.

    Args:
        slope: the derivative for inputs up to 0.

    Source: A. Maas, A. Hannun, A. Ng: Rectifier nonlinearities improve neural network acoustic models, 2013.
    """

    takes_any_number = True

    def __init__(self, slope: float = 0.01) -> None:
        if not isinstance(slope, (int, float, np.number)) or isinstance(slope, bool) or not math.isfinite(slope):
            raise InputError(f"LeakyReLU expects slope to be a finite number, but got {slope!r}.")
        self.slope = float(slope)

    def forward(self, x: np.ndarray) -> np.ndarray:
        x = checked_elementwise(self, x)
        self.input_cache = x
        return np.where(x > 0, x, self.slope * x)

    def backward(self, grad: np.ndarray) -> np.ndarray:
        grad = checked_upstream_of_elementwise(self, grad)
        return np.where(self.input_cache > 0, grad, self.slope * grad)

    def __repr__(self) -> str:
        return f"LeakyReLU({self.slope})"


class Tanh(Module):
    """Hyperbolic tangent: y = tanh(x); dy/dx = 1 - y^2."""

    takes_any_number = True

    def forward(self, x: np.ndarray) -> np.ndarray:
        x = checked_elementwise(self, x)
        self.input_cache = x
        return np.tanh(x)

    def backward(self, grad: np.ndarray) -> np.ndarray:
        grad = checked_upstream_of_elementwise(self, grad)
        y = np.tanh(self.input_cache)
        return grad * (1 - y * y)


class Softplus(Module):
    """A smooth ReLU: y = log(1 + exp(x)); dy/dx = sigmoid(x)."""

    takes_any_number = True

    @np.errstate(under="ignore")
    def forward(self, x: np.ndarray) -> np.ndarray:
        x = checked_elementwise(self, x)
        self.input_cache = x
        return stable_softplus(x)

    @np.errstate(under="ignore")
    def backward(self, grad: np.ndarray) -> np.ndarray:
        grad = checked_upstream_of_elementwise(self, grad)
        return grad * stable_sigmoid(self.input_cache)


class GELU(Module):
    """Gaussian error linear unit: y = x P(x), where P is the distribution function of the standard normal.

    Exact: P(x) = (1 + erf(x / sqrt(2))) / 2, so dy/dx = P(x) + x p(x) with the density p(x) = exp(-x^2/2) / sqrt(2 pi).
    With approximate="tanh": y = x (1 + tanh(u)) / 2 with u = sqrt(2/pi) (x + 0.044715 x^3).

    Args:
        approximate: "none" (needs SciPy for erf) or "tanh" (NumPy alone).

    Source: D. Hendrycks, K. Gimpel: Gaussian error linear units, arXiv:1606.08415.
    """

    takes_any_number = True

    def __init__(self, approximate: str = "none") -> None:
        require_choice("approximate", approximate, ("none", "tanh"), self)
        self.approximate = approximate

    @classmethod
    def examples(cls, rng: np.random.Generator) -> List[Tuple[Module, Tuple[Any, ...]]]:
        x = rng.uniform(-2, 2, (2, 10))
        return [(cls(), (x,)), (cls("tanh"), (x,))]

    @staticmethod
    def _normal_distribution(x: np.ndarray) -> np.ndarray:
        erf = optional_import("scipy.special", "scipy", 'GELU() (for its erf; GELU("tanh") does without)').erf
        return (1 + erf(x / math.sqrt(2))) / 2

    @staticmethod
    def _tanh_and_slope(x: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
        """Return tanh(u) and du/dx."""
        scale = math.sqrt(2 / math.pi)
        return np.tanh(scale * (x + 0.044715 * x * x * x)), scale * (1 + 3 * 0.044715 * x * x)

    @np.errstate(under="ignore")
    def forward(self, x: np.ndarray) -> np.ndarray:
        x = checked_elementwise(self, x)
        self.input_cache = x
        if self.approximate == "tanh":
            return x * (1 + self._tanh_and_slope(x)[0]) / 2
        return x * self._normal_distribution(x)

    @np.errstate(under="ignore")
    def backward(self, grad: np.ndarray) -> np.ndarray:
        grad = checked_upstream_of_elementwise(self, grad)
        x = self.input_cache
        if self.approximate == "tanh":
            t, slope = self._tanh_and_slope(x)
            return grad * ((1 + t) / 2 + x * (1 - t * t) * slope / 2)
        density = np.exp(-x * x / 2) / math.sqrt(2 * math.pi)
        return grad * (self._normal_distribution(x) + x * density)

    def __repr__(self) -> str:
        return f"GELU({self.approximate!r})"
