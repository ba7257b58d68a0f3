"""Evidence: a wrong gradient beside the right one, in several situations, with all that hypotheses need to know."""
from __future__ import annotations

from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np

from lib.gradient_checking.examination import Examination
from lib.gradient_checking.measure.situations import (Batches, finite_output, near, other_numbers,
                                                      upstreams_for, with_batch)
from lib.gradient_checking.measure.slopes import Slopes
from lib.gradient_checking.measure.values import COARSE
from lib.gradient_checking.measure.points import Point
from lib.gradient_checking.measure.workbench import Workbench

SHARP = 2e-5
MOST_ENTRIES = 150  # of a larger tensor, as many entries are looked at; the others are NaN, that is unknown


class Trial:
    """One tensor's gradient in one situation.

    Attributes:
        x, y, upstreams: the first input (None if there is none), the output, the upstream gradients.
        got: the module's gradients, one for each upstream gradient.
        expected: the numeric ones.
    """

    def __init__(self, bench: Workbench, point: Point, index: int, ignores_upstream: bool, salt: int = 0) -> None:
        self.bench, self.point, self.index = bench, point, index
        self.slopes = Slopes(bench, point)
        # which part of the numbers a difference may be, as forward's rounding has it
        self.sharpness = SHARP if self.slopes.relative_noise < COARSE else min(0.2, 1e4 * self.slopes.relative_noise)
        self.y = self.slopes.output
        self.x: Any = np.asarray(point.inputs[0], dtype=float) if point.inputs else None
        self.value = point.tensor(index)
        rng = np.random.default_rng(11 + salt)
        self.upstreams = upstreams_for(self.y, ignores_upstream, rng)
        self.got = [np.asarray(bench.run(point, u).gradient(index), dtype=float) for u in self.upstreams]
        self.positions = np.arange(self.value.size)
        if self.value.size > MOST_ENTRIES:
            self.positions = np.sort(rng.choice(self.value.size, 80, replace=False))
        self.jacobian = self._jacobian(self.slopes)
        self.expected = [self.through(u) for u in self.upstreams]
        self.size = max([float(np.nanmax(np.abs(e), initial=0)) for e in self.expected])
        self._memory: Dict[str, Any] = {}

    def _jacobian(self, slopes: Slopes) -> np.ndarray:
        return np.array([slopes.along_entry(self.index, position, enough=1e-9 * (1 + np.abs(slopes.y0).sum())).value
                         for position in self.positions]).reshape(len(self.positions), slopes.y0.size)

    def through(self, upstream: Any, jacobian: Optional[np.ndarray] = None) -> np.ndarray:
        """Return the right gradient for any upstream gradient."""
        jacobian = self.jacobian if jacobian is None else jacobian
        result = np.full(self.value.size, np.nan)
        result[self.positions] = jacobian @ np.broadcast_to(upstream, self.y.shape).ravel()
        return result.reshape(self.value.shape)

    def elsewhere(self, name: str, point: Optional[Point], upstream: np.ndarray) -> Optional[np.ndarray]:
        """Return the right gradient at another point, such as one with the output in the input's place."""
        if name not in self._memory:
            self._memory[name] = None
            if point is not None and finite_output(self.bench, point) is not None:
                slopes = Slopes(self.bench, point)
                if slopes.output.shape == self.y.shape:
                    self._memory[name] = self._jacobian(slopes)
        jacobian = self._memory[name]
        return None if jacobian is None else self.through(upstream, jacobian)

    @property
    def num_samples(self) -> int:
        """N, the number of examples; 1 where there is no batch."""
        return len(self.x) if self.x is not None and self.x.ndim else 1

    def parameter(self, parameter: Any) -> np.ndarray:
        """Return the value that a parameter has in this situation."""
        place = next(i for i, other in enumerate(self.bench.parameters) if other is parameter)
        return self.point.params[place]

    @property
    def is_square(self) -> bool:
        """Whether input and output have one shape."""
        return self.x is not None and self.x.shape == self.y.shape and self.index == 0

    @property
    def diagonal(self) -> Optional[np.ndarray]:
        """dy_i/dx_i, where input and output have one shape."""
        if not self.is_square or len(self.positions) < self.value.size:
            return None
        return np.diag(self.jacobian).reshape(self.y.shape)

    @property
    def is_elementwise(self) -> bool:
        """Whether each output depends on its own input alone."""
        if self.diagonal is None:
            return False
        rest = self.jacobian - np.diag(np.diag(self.jacobian))
        return bool(np.max(np.abs(rest), initial=0) <= 1e-7 * np.max(np.abs(self.jacobian), initial=0))

    def matches(self, gradients: Sequence[Optional[np.ndarray]]) -> bool:
        """Return whether these gradients, one for each upstream gradient, are what the module gives."""
        return all(gradient is not None and self.matches_one(gradient, k) for k, gradient in enumerate(gradients))

    def matches_one(self, gradient: np.ndarray, k: int) -> bool:
        """Return whether this is what the module gives for upstream gradient number k."""
        return np.shape(gradient) == self.got[k].shape and close(gradient, self.got[k], self.size, self.sharpness)

    @property
    def is_linear(self) -> bool:
        """Whether twice the upstream gradient gives twice the gradient."""
        twice = np.asarray(self.bench.run(self.point, 2 * self.upstreams[0]).gradient(self.index), dtype=float)
        return len(self.upstreams) < 2 or self.matches_one(twice / 2, 0)

    @property
    def is_right(self) -> bool:
        return self.matches(list(self.expected))


def close(a: Any, b: Any, size: float, part: float = SHARP) -> bool:
    """Return whether two arrays agree wherever both are known (not NaN)."""
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    known = np.isfinite(a) & np.isfinite(b)
    if not known.any():
        return False
    room = part * max(size, float(np.max(np.abs(b[known])))) + 1e-12
    return bool(np.all(np.abs(a - b)[known] <= room))


def collect(examination: Examination, index: int) -> List[Trial]:
    """Return trials of a tensor: near the given numbers, with others, and with batches of several sizes."""
    bench, given = examination.bench, examination.given.point
    rng = np.random.default_rng(12)
    base = near(given, rng, 1e-2)
    if base.inputs and np.ndim(base.inputs[0]) and np.size(base.inputs[0]) > MOST_ENTRIES:  # fewer examples will do
        rows = max(2, MOST_ENTRIES * len(base.inputs[0]) // np.size(base.inputs[0]))
        fewer = with_batch(base, rows) if rows < len(base.inputs[0]) else None
        base = fewer if fewer is not None and finite_output(bench, fewer) is not None else base
    points: List[Tuple[int, Optional[Point]]] = [(0, base), (1, other_numbers(bench, base, rng))]
    batches = Batches(bench, base)
    n = batches.size
    sizes = (sorted({1, 2, 3} - {n})[:2 if n > 3 else 1] + [n + 2] * (n < 3) if batches.are_separate else
             [2 * n, 3 * n] if n and base.inputs[0].size <= MOST_ENTRIES else [])
    points += [(size + 1, batches.resized(size, rng)) for size in sizes]
    wrong = [found.situation.point for found in examination.found[index] if found.comparison.num_wrong]
    if wrong and not any(found.comparison.num_wrong and "given" in found.situation.name
                         for found in examination.found[index]):
        points.insert(0, (9, wrong[0]))
    trials = []
    for salt, point in points:
        if point is None or finite_output(bench, point) is None:
            continue
        try:
            trials.append(Trial(bench, point, index, examination.ignores_upstream, salt))
        except Exception:
            continue
    return [trial for trial in trials if trial.got[0].shape == trial.value.shape]
