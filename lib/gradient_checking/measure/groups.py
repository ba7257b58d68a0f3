"""Large tensors: groups of entries are compared at once, and only where groups are wrong, single entries.

Along a direction d that is 0 outside a group, the derivative of L must be sum_i d_i dL/dx_i. Each entry lies in two
groups, a row and a column of the entries laid out as a square. The numbers d_i are of different sizes and drawn anew
for each group, so that two exchanged entries don't hide each other.
"""
from __future__ import annotations

from typing import Callable, List, NamedTuple, Sequence

import numpy as np

from lib.gradient_checking.measure.slopes import Slopes, weigh

MOST_SINGLE_ENTRIES = 512  # of a large tensor that is wrong
VERY_LARGE = 50000
Allowed = Callable[[np.ndarray, np.ndarray, float, float], np.ndarray]  # (expected, uncertainty, size, part) -> errors


class Suspicion(NamedTuple):
    """What the comparison of groups gave."""

    positions: np.ndarray  # the entries to look at singly
    size: float  # of a typical entry
    max_error: float
    max_relative_error: float
    num_undecided: int
    wrong_groups: List[np.ndarray]  # those that are clearly wrong, whatever their single entries show


def groups_of(size: int, most: int) -> List[np.ndarray]:
    """Return the positions 0 ... size - 1 as the rows and the columns of a square, at most `most` of each."""
    rows = int(min(most, np.ceil(np.sqrt(size))))
    positions = np.arange(size)
    return [positions[positions * rows // size == row] for row in range(rows)] + \
        [positions[positions % rows == column] for column in range(rows)]


class GroupComparison:
    """The comparison of one large tensor's gradients, got (upstreams, entries), with sums of numeric derivatives."""

    def __init__(self, slopes: Slopes, index: int, upstreams: Sequence[np.ndarray], got: np.ndarray,
                 allowed: Allowed) -> None:
        self.slopes, self.index, self.upstreams, self.got, self.allowed = slopes, index, upstreams, got, allowed
        self.shape = np.shape(slopes.point.tensor(index))
        self.rng = np.random.default_rng(2)

    def along(self, group: np.ndarray) -> List[np.ndarray]:
        """Return the expected derivatives along a direction inside a group, their uncertainties, and the found ones."""
        weights = self.rng.choice([-1.0, 1.0], len(group)) * self.rng.uniform(0.5, 1.5, len(group))
        direction = np.zeros(self.got.shape[1])
        direction[group] = weights
        expected, uncertainty = weigh(self.slopes.along(self.index, direction.reshape(self.shape)), self.upstreams)
        return [expected, uncertainty, self.got[:, group] @ weights]

    def suspicion(self, most_groups: int) -> Suspicion:
        """Compare all groups, and return the entries that lie in most of the wrong ones."""
        groups = groups_of(self.got.shape[1], most_groups)
        expected, uncertainty, found = (np.array(column) for column in zip(*[self.along(group) for group in groups]))
        lengths = np.sqrt([len(group) for group in groups])[:, np.newaxis]
        size = float(np.max(np.where(uncertainty < np.abs(expected), np.abs(expected), 0) / lengths))
        error = np.abs(found - expected)
        room = self.allowed(expected, uncertainty, size, 1.0)
        clearly_wrong = [group for group, is_wrong in zip(groups, (~(error <= room)).any(axis=1)) if is_wrong]
        # one entry is a small part of a sum: so its error is, too
        wrong = (~(error <= self.allowed(expected, uncertainty, size, 1e-3))).any(axis=1)
        undecided = ((room > 1e-2 * size * lengths) if size else room > 1e-2).any(axis=1) & ~wrong
        error = np.where(np.isfinite(error), error, np.inf)
        relative = float(np.max(error / np.maximum(np.abs(expected), size or 1)))
        num_undecided = int(sum(len(group) for group, is_undecided in zip(groups, undecided) if is_undecided)) // 2
        return Suspicion(self._positions(groups, wrong), size, float(np.max(error)), relative, num_undecided,
                         clearly_wrong)

    def stay_wrong(self, groups: Sequence[np.ndarray]) -> bool:
        """Return whether a group is clearly wrong along two more directions, too."""
        for group in groups[:3]:
            again = [self.along(group) for _ in range(2)]
            if all((~(np.abs(found - expected) <= self.allowed(expected, uncertainty, 0.0, 1.0))).any()
                   for expected, uncertainty, found in again):
                return True
        return False

    def _positions(self, groups: Sequence[np.ndarray], wrong: np.ndarray) -> np.ndarray:
        hits = np.zeros(self.got.shape[1], dtype=int)
        for group, is_wrong in zip(groups, wrong):
            hits[group] += bool(is_wrong)
        suspicious = np.flatnonzero(hits == max(1, hits.max()))
        most = MOST_SINGLE_ENTRIES if self.got.shape[1] < VERY_LARGE else 64
        return np.sort(self._halved(suspicious, most) if len(suspicious) > most else suspicious)

    def _halved(self, positions: np.ndarray, most: int) -> np.ndarray:
        """Return at most `most` of the positions: again and again, the wrong one of two halves."""
        positions = self.rng.permutation(positions)
        while len(positions) > most:
            half, other = np.array_split(positions, 2)
            expected, uncertainty, found = self.along(half)
            is_right = np.all(np.abs(found - expected) <= self.allowed(expected, uncertainty, 0.0, 1e-3))
            positions = other if is_right else half
        return positions
