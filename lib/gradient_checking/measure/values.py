"""Comparing a gradient with numeric derivatives, every entry of it.

Small tensors are compared entry by entry. Of a large one, groups of entries are compared at once: along a direction d
with d_i = +-1 inside the group and 0 outside, the derivative of L must be sum_i d_i dL/dx_i. Each entry lies in two
groups, a row and a column of the entries laid out as a square; where both are wrong, entries are looked at singly.
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from lib.gradient_checking.measure.numeric import EPS, Derivative, derivative, rounding_noise
from lib.gradient_checking.measure.workbench import Point, Workbench

SINGLY = 256  # tensors of up to this many entries are compared entry by entry
MOST_SINGLE_ENTRIES = 512  # of a large tensor that is wrong


@dataclass(frozen=True)
class Entry:
    """One entry of a gradient: where it stands, what was expected, and what came."""

    index: Tuple[int, ...]
    expected: float
    uncertainty: float
    got: float

    @property
    def error(self) -> float:
        return abs(self.got - self.expected) if np.isfinite(self.got) else float("inf")

    @property
    def ratio(self) -> Optional[float]:
        """got / expected, or None where that says nothing."""
        return self.got / self.expected if abs(self.expected) > 4 * self.uncertainty else None


class Comparison(NamedTuple):
    """The outcome of comparing one tensor's gradient at one point."""

    wrong: Tuple[Entry, ...]  # the worst first
    num_wrong: int
    num_undecided: int
    num_compared: int
    size: float  # the greatest expected entry, as an absolute value
    max_error: float
    max_relative_error: float
    has_kinks: bool = False  # some uncertainty is far beyond rounding: a kink is near

    @property
    def all_zero(self) -> bool:
        return self.size == 0

    @property
    def proves_something(self) -> bool:
        return self.size > 0 and self.num_undecided < self.num_compared


class Slopes:
    """The derivatives of a module's output at one point: y along any direction of any tensor."""

    def __init__(self, bench: Workbench, point: Point) -> None:
        self.bench, self.point = bench, point
        self.output = bench.forward(point)
        self.y0 = self.output.ravel()
        self.noise = self._measured_noise()
        self.relative_noise = float(np.max(self.noise, initial=0) / (np.max(np.abs(self.y0), initial=0) or 1))

    def along(self, index: int, direction: np.ndarray, enough: Optional[float] = None) -> Derivative:
        """Return the derivative of y (flat) along a direction of tensor number index."""
        base = self.point.tensor(index)

        def y(t: float) -> np.ndarray:
            return self._output(self.point.with_tensor(index, base + t * direction))

        return derivative(y, self.y0, self.noise, float(np.max(np.abs(base[direction != 0]), initial=0)), enough)

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
        return y if y.shape == self.y0.shape else np.full(self.y0.shape, np.nan)

    def _measured_noise(self) -> np.ndarray:
        rng = np.random.default_rng(1)
        directions = [rng.choice([-1.0, 1.0], np.shape(self.point.tensor(i))) * _unit(self.point.tensor(i))
                      for i in range(0 if self.point.inputs else 1, len(self.point.params) + 1)]

        def y(t: float) -> np.ndarray:
            point = self.point
            for i, direction in enumerate(directions, start=0 if self.point.inputs else 1):
                if is_real(point.tensor(i)):
                    point = point.with_tensor(i, point.tensor(i) + t * direction)
            return self._output(point)

        return rounding_noise(y, self.y0)


def _unit(value: Any) -> float:
    """Return 1, or the size of the numbers if they are smaller: steps should fit them."""
    return min(1.0, float(np.max(np.abs(value), initial=0)) or 1.0) if is_real(value) else 0.0


def is_real(value: object) -> bool:
    """Return whether a value is an array of floating-point numbers, which can be differentiated by."""
    return isinstance(value, np.ndarray) and value.dtype.kind == "f"


def weigh(slopes: Derivative, upstreams: Sequence[np.ndarray]) -> Tuple[np.ndarray, np.ndarray]:
    """Return sum_k upstream_k dy_k/dt and its uncertainty, for each upstream gradient."""
    weights = np.stack([upstream.ravel() for upstream in upstreams])
    value = weights @ slopes.value
    with np.errstate(invalid="ignore"):
        inconsistency = np.abs(weights) @ np.where(np.isfinite(slopes.inconsistency), slopes.inconsistency, 1e300)
    rounding = np.sqrt(np.square(weights) @ np.square(slopes.rounding))
    return value, inconsistency + rounding


def single_entries(slopes: Slopes, index: int, upstreams: Sequence[np.ndarray],
                   positions: Sequence[int]) -> Tuple[np.ndarray, np.ndarray]:
    """Return the expected gradients' entries at the positions, and their uncertainties, each (upstreams, positions)."""
    pairs = [weigh(slopes.along_entry(index, position), upstreams) for position in positions]
    shape = (len(positions), len(upstreams))
    return (np.array([value for value, _ in pairs]).reshape(shape).T,
            np.array([uncertainty for _, uncertainty in pairs]).reshape(shape).T)


def groups_of(size: int, most: int) -> List[np.ndarray]:
    """Return the positions 0 ... size - 1 as the rows and the columns of a square, at most `most` of each."""
    rows = int(min(most, np.ceil(np.sqrt(size))))
    positions = np.arange(size)
    return [positions[positions * rows // size == row] for row in range(rows)] + \
        [positions[positions % rows == column] for column in range(rows)]


def allowed_error(expected: np.ndarray, uncertainty: np.ndarray, size: float, tolerance: float, slopes: Slopes,
                  upstreams: Sequence[np.ndarray], dtype: np.dtype) -> np.ndarray:
    """Return by how much a gradient may differ: the uncertainty, and the rounding errors of a right backward."""
    weight = max([1.0] + [float(np.max(np.abs(upstream), initial=0)) for upstream in upstreams])
    rounding = max(100 * slopes.relative_noise, 1e-3 * tolerance) * size + 1000 * EPS * weight
    if dtype.itemsize < 8:  # a gradient in single precision (or half)
        rounding += 100 * float(np.finfo(dtype).eps) * size if dtype.kind == "f" else 0
    return tolerance * np.abs(expected) + 4 * uncertainty + rounding


def compare(slopes: Slopes, index: int, upstreams: Sequence[np.ndarray], gradients: Sequence[np.ndarray],
            tolerance: float, most_groups: int = 64, singly: int = SINGLY) -> Comparison:
    """Compare gradients, one for each upstream, with numeric derivatives of tensor number index."""
    shape = np.shape(slopes.point.tensor(index))
    got = np.stack([np.asarray(gradient, dtype=np.float64).ravel() for gradient in gradients])
    dtype = np.result_type(*[np.asarray(gradient).dtype for gradient in gradients])
    num_entries = got.shape[1]

    def allowed(expected: np.ndarray, uncertainty: np.ndarray, size: float, part: float = 1.0) -> np.ndarray:
        return allowed_error(expected, uncertainty, size, part * tolerance, slopes, upstreams, dtype)

    positions: Any = range(num_entries)
    group_size, num_wrong_at_most = 0.0, 0
    if num_entries > singly:
        positions, group_size, worst_group, undecided, num_wrong_at_most = _suspicious(
            slopes, index, upstreams, got, most_groups, allowed)
        if len(positions) == 0:
            return Comparison((), 0, undecided, num_entries, group_size, *worst_group, undecided > 0)
    expected, uncertainty = single_entries(slopes, index, upstreams, positions)
    got = got[:, positions]
    size = max(group_size, float(np.max(np.where(uncertainty < np.abs(expected), np.abs(expected), 0), initial=0)))
    room = allowed(expected, uncertainty, size)
    error = np.abs(got - expected)
    wrong = ~(error <= room)
    if not wrong.any() and group_size and 64 <= len(positions) < num_wrong_at_most:  # wrong, but these missed it
        return Comparison((), 1, 0, num_entries, size, *worst_group)
    error = np.where(np.isfinite(error), error, np.inf)
    undecided_entries = (room > np.maximum(1e-3 * size, 2e-3 * np.abs(expected))) if size else room > 1e-3
    undecided_entries = (undecided_entries & ~wrong).any(axis=0)
    order = np.argsort(np.where(wrong, -error, np.inf), axis=None)[:int(wrong.sum())]
    entries = []
    for k, place in (np.unravel_index(i, wrong.shape) for i in order):
        entries.append(Entry(tuple(int(i) for i in np.unravel_index(positions[place], shape)),
                             float(expected[k, place]), float(uncertainty[k, place]), float(got[k, place])))
    seen = set()
    worst = [entry for entry in entries if not (entry.index in seen or seen.add(entry.index))]  # type: ignore
    decided = np.where(undecided_entries, 0, error)
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = np.where(decided > 0, decided / np.maximum(np.abs(expected), 1e-3 * size), 0)
    return Comparison(tuple(worst[:8]), int(wrong.any(axis=0).sum()), int(undecided_entries.sum()), num_entries, size,
                      float(np.max(decided, initial=0)), float(np.max(relative, initial=0)),
                      bool(wrong.any() or undecided_entries.any()))


def _halved(slopes: Slopes, index: int, upstreams: Sequence[np.ndarray], got: np.ndarray, positions: np.ndarray,
            most: int, allowed: Callable[..., np.ndarray]) -> np.ndarray:
    """Return at most `most` of the positions: again and again, the wrong one of two halves (the first, if both are)."""
    shape = np.shape(slopes.point.tensor(index))
    rng = np.random.default_rng(3)
    positions = rng.permutation(positions)
    while len(positions) > most:
        half, other = np.array_split(positions, 2)
        direction = np.zeros(got.shape[1])
        direction[half] = rng.choice([-1.0, 1.0], len(half))
        value, uncertainty = weigh(slopes.along(index, direction.reshape(shape)), upstreams)
        found = got @ direction
        positions = other if np.all(np.abs(found - value) <= allowed(value, uncertainty, 0.0, 1e-3)) else half
    return positions


def _suspicious(slopes: Slopes, index: int, upstreams: Sequence[np.ndarray], got: np.ndarray, most_groups: int,
                allowed: Callable[..., np.ndarray]
                ) -> Tuple[np.ndarray, float, Tuple[float, float], int, int]:
    """Return the positions inside groups that are wrong, the size of an entry, the greatest errors, the undecided."""
    shape = np.shape(slopes.point.tensor(index))
    groups = groups_of(got.shape[1], most_groups)
    signs = np.random.default_rng(2).choice([-1.0, 1.0], got.shape[1])
    rows = []
    for group in groups:
        direction = np.zeros(got.shape[1])
        direction[group] = signs[group]
        value, uncertainty = weigh(slopes.along(index, direction.reshape(shape)), upstreams)
        rows.append((value, uncertainty, got[:, group] @ signs[group], np.abs(got[:, group]).max(), len(group)))
    expected, uncertainty, found = (np.array([row[k] for row in rows]) for k in range(3))
    lengths = np.sqrt([row[4] for row in rows])
    size = float(np.max(np.where(uncertainty < np.abs(expected), np.abs(expected), 0) / lengths[:, np.newaxis]))
    error = np.abs(found - expected)
    room = allowed(expected, uncertainty, size)
    clearly_wrong = bool((~(error <= room)).any())
    wrong = (~(error <= allowed(expected, uncertainty, size, 1e-3))).any(axis=1)  # one entry is a small part of a sum
    undecided = ((room > 1e-2 * size * lengths[:, np.newaxis]) if size else room > 1e-2).any(axis=1) & ~wrong
    error = np.where(np.isfinite(error), error, np.inf)
    relative = float(np.max(error / np.maximum(np.abs(expected), size or 1)))
    hits = np.zeros(got.shape[1], dtype=int)
    for group, is_wrong in zip(groups, wrong):
        hits[group] += bool(is_wrong)
    by_hits = np.argsort(-hits, kind="stable")
    suspicious = by_hits[hits[by_hits] == max(1, hits.max())]
    num_suspicious = len(suspicious) if clearly_wrong else 0
    most = MOST_SINGLE_ENTRIES if got.shape[1] < 50000 else 64
    if len(suspicious) > most:
        suspicious = _halved(slopes, index, upstreams, got, suspicious, most, allowed)
    num_undecided = int(sum(len(group) for group, is_undecided in zip(groups, undecided) if is_undecided)) // 2
    return np.sort(suspicious), size, (float(np.max(error)), relative), num_undecided, num_suspicious
