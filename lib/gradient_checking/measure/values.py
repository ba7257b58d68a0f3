"""Comparing a gradient with numeric derivatives: small tensors entry by entry, large ones by groups first."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from lib.gradient_checking.measure.groups import GroupComparison, Suspicion
from lib.gradient_checking.measure.numeric import EPS
from lib.gradient_checking.measure.slopes import Slopes, weigh

SINGLY = 256  # tensors of up to this many entries are compared entry by entry
COARSE = 1e-9  # a noise of forward, relative to its output, as of float32: then what can be compared isn't sharp


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
    sharpness: float = 0.0  # which part of the greatest entry an error could be without being seen

    @property
    def all_zero(self) -> bool:
        return self.size == 0 and self.num_undecided == 0  # an expected value that its uncertainty swallows isn't 0

    @property
    def proves_something(self) -> bool:
        return self.size > 0 and self.num_undecided < self.num_compared


def single_entries(slopes: Slopes, index: int, upstreams: Sequence[np.ndarray],
                   positions: Sequence[int]) -> Tuple[np.ndarray, np.ndarray]:
    """Return the expected gradients' entries at the positions, and their uncertainties, each (upstreams, positions)."""
    pairs = [weigh(slopes.along_entry(index, position), upstreams) for position in positions]
    shape = (len(positions), len(upstreams))
    return (np.array([value for value, _ in pairs]).reshape(shape).T,
            np.array([uncertainty for _, uncertainty in pairs]).reshape(shape).T)


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
    group: Optional[Suspicion] = None
    if num_entries > singly:
        groups = GroupComparison(slopes, index, upstreams, got, allowed)
        group = groups.suspicion(most_groups)
        positions = group.positions
        if len(positions) == 0:
            return Comparison((), 0, group.num_undecided, num_entries, group.size, group.max_error,
                              group.max_relative_error, group.num_undecided > 0)
    expected, uncertainty = single_entries(slopes, index, upstreams, positions)
    got = got[:, positions]
    size = max(group.size if group else 0.0,
               float(np.max(np.where(uncertainty < np.abs(expected), np.abs(expected), 0), initial=0)))
    room = allowed(expected, uncertainty, size)
    error = np.abs(got - expected)
    error = np.where(np.isfinite(error), error, np.inf)
    # what its own uncertainty swallows can only be told from something much greater; what is unknown, from nothing
    swallowed = uncertainty > 0.25 * np.abs(expected)
    wrong = (error > room) & ~(swallowed & (error <= 100 * uncertainty)) & (uncertainty < 1e290)
    if not wrong.any() and group is not None and len(positions) < num_entries and \
            groups.stay_wrong(group.wrong_groups):  # these entries missed what is wrong
        return Comparison((), 1, 0, num_entries, size, group.max_error, group.max_relative_error)
    part = 0.2 if slopes.relative_noise > COARSE else 1e-3
    undecided = (room > part * np.maximum(size, 2 * np.abs(expected))) if size else room > 1e-3
    undecided = ((undecided | (error > room)) & ~wrong).any(axis=0)
    decided = np.where(undecided, 0, error)
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = np.where(decided > 0, decided / np.maximum(np.abs(expected), 1e-3 * size), 0)
    sharpness = float(np.median(room)) / size if size and room.size else 0.0
    return Comparison(_worst(wrong, error, expected, uncertainty, got, positions, shape),
                      int(wrong.any(axis=0).sum()), int(undecided.sum()), num_entries, size,
                      float(np.max(decided, initial=0)), float(np.max(relative, initial=0)),
                      bool(wrong.any() or undecided.any()), sharpness)


def _worst(wrong: np.ndarray, error: np.ndarray, expected: np.ndarray, uncertainty: np.ndarray, got: np.ndarray,
           positions: Sequence[int], shape: Tuple[int, ...]) -> Tuple[Entry, ...]:
    """Return the wrong entries with the greatest errors, each place once."""
    order = np.argsort(np.where(wrong, -error, np.inf), axis=None)[:int(wrong.sum())]
    entries: List[Entry] = []
    seen = set()
    for k, place in (np.unravel_index(i, wrong.shape) for i in order):
        if place not in seen and len(entries) < 8:
            seen.add(place)
            entries.append(Entry(tuple(int(i) for i in np.unravel_index(positions[place], shape)),
                                 float(expected[k, place]), float(uncertainty[k, place]), float(got[k, place])))
    return tuple(entries)
