"""Slopes: the numeric derivatives of a module's output at one point, along any direction of any tensor."""
from __future__ import annotations

from typing import Callable, List, Optional, Sequence, Tuple

import numpy as np

from lib.gradient_checking.measure.numeric import EPS, FEW, Derivative, derivative, rounding_noise
from lib.gradient_checking.measure.points import Point
from lib.gradient_checking.measure.workbench import Workbench


class Slopes:
    """The derivatives of a module's output at one point: y along any direction of any tensor.

    An output that is infinite, as a causal mask makes it, is constant; it is taken for 0.
    """

    def __init__(self, bench: Workbench, point: Point) -> None:
        self.bench, self.point = bench, point
        self.output = bench.forward(point)
        self._given = self.output.ravel()
        self._infinite = np.isinf(self._given)
        self.y0 = np.where(self._infinite, 0.0, self._given)
        self.noise = self._noise_of_inputs()
        for seed in range(1 if self.y0.size >= FEW else 3):  # a single number may be lucky in one direction
            self.noise = np.maximum(self.noise, rounding_noise(self._along_all(seed), self.y0))
        self.relative_noise = float(np.max(self.noise, initial=0) / (np.max(np.abs(self.y0), initial=0) or 1))

    def along(self, index: int, direction: np.ndarray, enough: Optional[float] = None) -> Derivative:
        """Return the derivative of y (flat) along a direction of tensor number index."""
        base = self.point.tensor(index)

        def y(t: float) -> np.ndarray:
            return self._output(self.point.with_tensor(index, base + t * direction))

        scale = float(np.min(np.abs(base[direction != 0]), initial=np.inf))
        return derivative(y, self.y0, self.noise, scale, enough)

    def along_entry(self, index: int, position: int, enough: Optional[float] = None) -> Derivative:
        """Return the derivative of y (flat) by one entry of tensor number index."""
        base = self.point.tensor(index)

        def y(t: float) -> np.ndarray:
            moved = base.copy()
            moved.reshape(-1)[position] += t
            return self._output(self.point.with_tensor(index, moved))

        return derivative(y, self.y0, self.noise, abs(float(base.reshape(-1)[position])), enough)

    def _output(self, point: Point) -> np.ndarray:
        try:
            y = self.bench.forward(point).ravel()
        except Exception:  # outside of what the module accepts
            return np.full(self.y0.shape, np.nan)
        if y.shape != self.y0.shape:
            return np.full(self.y0.shape, np.nan)
        return np.where(self._infinite, np.where(y == self._given, 0.0, np.nan), y) if self._infinite.any() else y

    def _noise_of_inputs(self) -> np.ndarray:
        """Return by how much y moves if each number is rounded otherwise: more than eps, where large ones cancel.

        A jump, as of a floor, isn't noise.
        """
        rng = np.random.default_rng(2)
        noise = np.zeros(self.y0.shape)
        for _ in range(2):
            point = self.point
            for index in range(0 if point.inputs else 1, len(point.params) + 1):
                value = point.tensor(index)
                if is_real(value):
                    point = point.with_tensor(index, value * (1 + EPS * rng.choice([-1.0, 1.0], value.shape)))
            moved = np.abs(self._output(point) - self.y0)
            noise = np.maximum(noise, np.where(moved <= 1e-6 * np.max(np.abs(self.y0), initial=0), moved, 0.0))
        return noise

    def _along_all(self, seed: int) -> Callable[[float], np.ndarray]:
        """Return y(t), along a direction in which every number moves by a part of its own size, t."""
        rng = np.random.default_rng(1 + seed)
        first = 0 if self.point.inputs else 1
        directions: List[Tuple[int, np.ndarray]] = []
        for index in range(first, len(self.point.params) + 1):
            value = self.point.tensor(index)
            if is_real(value):
                of_zeros = min(1.0, float(np.max(np.abs(value), initial=0)) or 1.0)
                step = np.where(value == 0, of_zeros, np.clip(1.0, 2.0 ** -20 * np.abs(value), np.abs(value)))
                paces = rng.integers(4, 9, value.shape) / 8  # different ones: a difference of two must move, too
                directions.append((index, rng.choice([-1.0, 1.0], value.shape) * paces * step))

        def y(t: float) -> np.ndarray:
            point = self.point
            for index, direction in directions:
                point = point.with_tensor(index, point.tensor(index) + t * direction)
            return self._output(point)

        return y


def is_real(value: object) -> bool:
    """Return whether a value is an array of floating-point numbers, which can be differentiated by."""
    return isinstance(value, np.ndarray) and value.dtype.kind == "f"


def weigh(slopes: Derivative, upstreams: Sequence[np.ndarray]) -> Tuple[np.ndarray, np.ndarray]:
    """Return sum_k upstream_k dy_k/dt and its uncertainty, for each upstream gradient."""
    weights = np.stack([upstream.ravel() for upstream in upstreams])
    value = weights @ slopes.value
    sizes = np.abs(weights)
    with np.errstate(invalid="ignore"):
        inconsistency = sizes @ np.where(np.isfinite(slopes.inconsistency), slopes.inconsistency, 1e300)
    rounding = np.sqrt(np.square(weights) @ np.square(slopes.rounding))
    return value, inconsistency + rounding
