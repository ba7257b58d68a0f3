"""Kinks and ties: what a gradient may be at a point where the function has no derivative.

ReLU at 0, the maximum of equal numbers, |x| at 0: on either side of such a point the derivative exists, but the sides
differ. Any value between them is a valid choice. The gradients of points near by, at which it was checked that they
are right, show the sides: each entry must lie between the least and the greatest of them. And where a shift of all
inputs changes the output alike on every side, as for a maximum, the entries' sum must be the one all sides agree on.

A module made of others may send a valid choice of one through another, and leave this range without a mistake: that
is undecidable from outside.
"""
from __future__ import annotations

from typing import List, NamedTuple, Sequence, Tuple

import numpy as np

from lib.gradient_checking.measure.situations import near
from lib.gradient_checking.measure.values import Entry
from lib.gradient_checking.measure.points import Point
from lib.gradient_checking.measure.workbench import Workbench

DISTANCE = 1e-5
SAMPLES = 24
MOST_OUTPUTS = 200


class TieVerdict(NamedTuple):
    """Which entries (a mask) a tie excuses, and whether the others are wrong or can't be decided."""

    excused: np.ndarray
    wrong: np.ndarray
    sum_is_wrong: bool
    sides: Tuple[np.ndarray, np.ndarray] = (np.zeros(0), np.zeros(0))  # the least and the greatest near by


def judge_tie(bench: Workbench, point: Point, index: int, upstreams: Sequence[np.ndarray],
              gradients: Sequence[np.ndarray]) -> TieVerdict:
    """Judge the gradients at a point that may be a kink by those at points near by."""
    got = np.stack([np.asarray(gradient, dtype=float) for gradient in gradients])
    sides, closer = (_gradients_near(bench, point, index, upstreams, distance, SAMPLES)
                     for distance in (DISTANCE, 1e-3 * DISTANCE))
    if not _is_kink(sides, closer):
        return TieVerdict(np.zeros(got.shape[1:], bool), np.zeros(got.shape[1:], bool), False)
    low, high = sides.min(axis=0), sides.max(axis=0)
    size = float(np.max(np.abs(sides)))
    room = 1e-3 * size + 1e-2 * (high - low)
    inside = (got >= low - room) & (got <= high + room)
    if not inside.all() and got[0].size and upstreams[0].size <= MOST_OUTPUTS:
        low, high = _sides_by_output(bench, point, index, upstreams, low, high)
        room = 1e-3 * size + 1e-2 * (high - low)
        inside = (got >= low - room) & (got <= high + room)
    at_kink = (high - low > 1e-2 * size).any(axis=0)
    sum_is_wrong = False
    for k in range(len(upstreams)):
        sums = sides[:, k].reshape(len(sides), -1).sum(axis=1)
        agreed = sums.max() - sums.min() <= 1e-3 * size
        sum_is_wrong |= bool(at_kink.any() and agreed and abs(got[k].sum() - sums[0]) > 1e-2 * size)
    return TieVerdict((inside.all(axis=0) & at_kink), ~inside.all(axis=0), sum_is_wrong, (low, high))


def _gradients_near(bench: Workbench, point: Point, index: int, upstreams: Sequence[np.ndarray], distance: float,
                    number: int) -> np.ndarray:
    """Return the gradients, for each upstream gradient, at points near by; fewer where the module fails."""
    rng = np.random.default_rng(9)
    found = []
    for _ in range(number):
        beside = near(point, rng, distance)
        try:
            found.append([np.asarray(bench.run(beside, upstream).gradient(index), dtype=float)
                          for upstream in upstreams])
        except Exception:
            continue
    return np.array(found)


def _is_kink(sides: np.ndarray, closer: np.ndarray) -> bool:
    """Return whether gradients differ as much when they are closer, as at a kink; those of a steep function don't."""
    if not len(sides) or sides.shape != closer.shape:
        return False
    ranges = [float(np.max(np.ptp(samples, axis=0), initial=0)) for samples in (sides, closer)]
    return bool(np.isfinite(ranges).all()) and ranges[0] / 3 <= ranges[1] <= 3 * ranges[0]


def stays_bounded(bench: Workbench, point: Point, index: int, upstreams: Sequence[np.ndarray]) -> bool:
    """Return whether the gradients near a point are no larger the nearer it is, as at a kink, not as at a pole."""
    sides, closer = (_gradients_near(bench, point, index, upstreams, distance, 3)
                     for distance in (DISTANCE, 1e-3 * DISTANCE))
    if not len(sides) or not len(closer):
        return False
    sizes = [float(np.max(np.abs(found), initial=0)) for found in (sides, closer)]
    return bool(np.isfinite(sizes[1])) and sizes[1] <= 2 * sizes[0]


def _sides_by_output(bench: Workbench, point: Point, index: int, upstreams: Sequence[np.ndarray], low: np.ndarray,
                     high: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
    """Return the sides once more, with those of each output by itself added up.

    An input that several outputs depend on may be chosen by any of them: few points near by show all combinations.
    """
    rng = np.random.default_rng(10)
    points = [near(point, rng, DISTANCE) for _ in range(SAMPLES)]
    for k, upstream in enumerate(upstreams):
        lows, highs = np.zeros(low[k].shape), np.zeros(low[k].shape)
        for place in np.ndindex(upstream.shape):
            single = np.zeros(upstream.shape)
            single[place] = upstream[place]
            try:
                parts = np.array([np.asarray(bench.run(beside, single).gradient(index), float) for beside in points])
            except Exception:
                return low, high
            lows, highs = lows + parts.min(axis=0), highs + parts.max(axis=0)
        low[k], high[k] = np.minimum(low[k], lows), np.maximum(high[k], highs)
    return low, high


def outside(verdict: TieVerdict, gradients: Sequence[np.ndarray]) -> List[Entry]:
    """Return the entries that lie outside of what the sides allow, with the middle of the sides as expected."""
    entries = []
    low, high = verdict.sides
    for place in np.argwhere(verdict.wrong):
        index = tuple(int(i) for i in place)
        k = int(np.argmax([max(low[(j,) + index] - g[index], g[index] - high[(j,) + index])
                           for j, g in enumerate(gradients)]))
        below, above = low[(k,) + index], high[(k,) + index]
        entries.append(Entry(index, float(below + above) / 2, float(above - below) / 2, float(gradients[k][index])))
    return sorted(entries, key=lambda entry: -entry.error)[:8]
