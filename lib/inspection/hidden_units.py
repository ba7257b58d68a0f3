"""The hidden units of a network on its data: what goes into each, and how steep its activation is there."""
from __future__ import annotations

from typing import Any, List, NamedTuple, Sequence

import numpy as np

from lib.inspection.trained import steps_of
from lib.network_base import Module

FLAT = 0.06   # slopes below this share of the steepest count as flat
BENT = 0.1    # slopes that differ by less than this share count as equal
STEPS = np.linspace(-8, 8, 801).reshape(-1, 1)  # where an activation is looked at as a whole


class Unit(NamedTuple):
    """A hidden unit: h = a(z) with z = x W[:, number] + b[number], at the N points of the data.

    Attributes:
        layer, number: the linear layer and the column of its W.
        name: "unit 0", or "unit 0 of layer 2" where there are several layers.
        activation: a.
        z: its inputs, (N,).
        slope: a'(z) as a share of the steepest that a has anywhere, (N,).
        inputs: what the layer gets, (N, features).
    """

    layer: Any
    number: int
    name: str
    activation: Module
    z: np.ndarray
    slope: np.ndarray
    inputs: np.ndarray

    @property
    def flat(self) -> np.ndarray:
        """At which points no gradient gets through it, (N,)."""
        return self.slope < FLAT

    @property
    def bends(self) -> bool:
        """Whether its slope differs between the points; one that doesn't is linear there, or off."""
        return float(np.ptp(self.slope)) > BENT

    @property
    def is_off(self) -> bool:
        """Whether it is flat at all points."""
        return bool(self.flat.all())


def hidden_units(model: Module, x: np.ndarray) -> List[List[Unit]]:
    """Return the hidden units of each layer: of a linear one (with W and b) that an activation and more layers follow.
    """
    steps, inputs = list(steps_of(model)), np.asarray(x, float)
    found = []
    for k, step in enumerate(steps[:-1]):
        z = np.asarray(step(inputs), float)
        if hasattr(step, "W") and hasattr(step, "b") and z.ndim == 2 and _is_elementwise(steps[k + 1], z) and \
                any(hasattr(later, "W") for later in steps[k + 2:]):
            found.append((step, steps[k + 1], z, inputs))
        inputs = z
    return [[Unit(layer, j, f"unit {j}" + (f" of layer {k + 1}" if len(found) > 1 else ""), activation, z[:, j],
                  slopes(activation, z)[:, j], entering) for j in range(z.shape[1])]
            for k, (layer, activation, z, entering) in enumerate(found)]


def _is_elementwise(module: Module, z: np.ndarray) -> bool:
    if list(module.parameters()) or is_affine(module, z.shape):  # what is linear, such as Identity, has no units
        return False
    try:
        alone = np.asarray(module(z.reshape(-1, 1)))
        return alone.shape == (z.size, 1) and np.array_equal(alone.ravel(), np.asarray(module(z)).ravel())
    except Exception:  # a module that takes no single column isn't an activation
        return False


def is_affine(module: Module, shape: Sequence[int]) -> bool:
    """Whether a module, or a whole network, is linear (with a constant) everywhere, on inputs of this shape."""
    a, b = 9 * np.random.default_rng(0).standard_normal((2, *shape))
    try:
        return bool(np.allclose(np.asarray(module(a + b)) + module(0 * a), np.asarray(module(a)) + module(b)))
    except Exception:  # such as an embedding, which takes whole numbers alone
        return False


def slopes(activation: Module, z: np.ndarray) -> np.ndarray:
    """Return an activation's slopes as shares of its steepest; at a kink, that on the left, as in ReLU.backward."""
    def slope(at: np.ndarray) -> np.ndarray:
        step = 1e-6 * np.maximum(1, np.abs(at))
        return np.abs(np.asarray(activation(at)) - np.asarray(activation(at - step))) / step
    steepest = float(slope(STEPS).max())
    return slope(z) / steepest if steepest > 0 else np.zeros_like(z)


def has_kink(activation: Module) -> bool:
    """Whether the slope jumps at 0, as that of ReLU does."""
    return bool(np.ptp(slopes(activation, np.array([[-1e-3], [1e-3]]))) > 0.5)


def saturates(activation: Module) -> bool:
    """Whether it is flat on both sides, as sigmoid and tanh are."""
    return bool((slopes(activation, np.array([[-30.0], [30.0]])) < FLAT).all())


def in_numbers(unit: Unit, points: Any = slice(None)) -> str:
    """Return what shows a unit's state: its inputs at some points, and its slopes there."""
    z, slope = unit.z[points], unit.slope[points]
    return (f"{unit.name}'s input is {_span(z, '{:.2f}')}, its slope {_span(slope, '{:.0%}')} of the steepest")


def _span(numbers: np.ndarray, form: str) -> str:
    low, high = form.format(numbers.min()), form.format(numbers.max())
    return (low if low == high else f"{low} to {high}").replace("-0.00", "0.00")


def points_in_words(which: Sequence[int], x: np.ndarray) -> str:
    """Return points of the data by their coordinates, or their number where there are many."""
    if len(which) > 4 or x.shape[1] > 3:
        return f"{len(which)} of the {len(x)} points"
    named = [f"({', '.join(f'{each:.3g}' for each in x[n])})" for n in which]
    return named[0] if len(named) == 1 else f"{', '.join(named[:-1])} and {named[-1]}"
