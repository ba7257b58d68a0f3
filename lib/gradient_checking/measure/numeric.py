"""Numeric derivatives with an uncertainty for every number.

The derivative of y(t) at t = 0 comes from central differences D(h) = (y(h) - y(-h)) / 2h at two steps, h and h/2.
Their errors are about c h^2 and c h^2 / 4, so (4 D(h/2) - D(h)) / 3 cancels them (Richardson's extrapolation).

What can go wrong is measured, not assumed:

- D(h) and D(h/2) differ where h is too large, or where a kink lies between the points.
- A kink exactly at t = 0 is invisible to central differences, but not to S(h) = (y(h) - 2 y(0) + y(-h)) / h, the right
  derivative minus the left one: for a smooth function S falls with h, so 2 S(h/2) - S(h) is nearly 0.
- Rounding errors of y, divided by h.

The sum of the three is the uncertainty. Where it is large, smaller steps are tried, down to a small part of the number
that is moved; where rounding dominates, larger ones.

Source: L. F. Richardson, The approximate arithmetical solution by finite differences, 1911; for the estimation of
rounding errors from differences of high order: R. W. Hamming, Introduction to applied numerical analysis, 1971.
"""
from __future__ import annotations

from typing import Callable, NamedTuple, Optional

import numpy as np

# A sum of few powers of two, so that x + h is exact; not a power itself, as the period of a function may be.
ODD = 1 + 2.0 ** -3 + 2.0 ** -7 + 2.0 ** -12 + 2.0 ** -19
FIRST_STEP = ODD * 2.0 ** -10
SMALLER_STEPS = tuple(2.0 ** exponent for exponent in range(-15, -61, -5))
LARGER_STEPS = tuple(ODD * 2.0 ** exponent for exponent in (-6, -2, 2, 6, 10))
GOOD = 1e-8  # an inconsistency below this part of the derivative isn't worth a smaller step
FEW = 8  # numbers in an output
EPS = float(np.finfo(np.float64).eps)


class Derivative(NamedTuple):
    """dy/dt for every entry of y, how far it may be off, and the part of that which is due to rounding."""

    value: np.ndarray
    inconsistency: np.ndarray
    rounding: np.ndarray
    step: float
    kink: np.ndarray  # the right derivative minus the left one

    @property
    def uncertainty(self) -> np.ndarray:
        return self.inconsistency + self.rounding


def differences(y: Callable[[float], np.ndarray], y0: np.ndarray, h: float, noise: np.ndarray) -> Derivative:
    """Return the extrapolated derivative at t = 0 with steps h and h/2."""
    wide_right, wide_left, right, left = y(h), y(-h), y(h / 2), y(-h / 2)
    wide = (wide_right - wide_left) / (2 * h)
    narrow = (right - left) / h
    wide_kink = ((wide_right - y0) - (y0 - wide_left)) / h
    kink = 2 * ((right - y0) - (y0 - left)) / h
    inconsistency = np.abs(narrow - wide) + np.abs(2 * kink - wide_kink)
    rounding = 8 * noise / h
    inconsistency = np.where(inconsistency > 2 * rounding, inconsistency, 0.0)  # less is due to rounding alone
    value = (4 * narrow - wide) / 3
    bad = ~np.isfinite(value) | ~np.isfinite(inconsistency)
    if bad.any():
        value, inconsistency = np.where(bad, 0, value), np.where(bad, np.inf, inconsistency)
    return Derivative(value, inconsistency, rounding, h, kink)


def derivative(y: Callable[[float], np.ndarray], y0: np.ndarray, noise: np.ndarray, scale: float = 1.0,
               enough: Optional[float] = None) -> Derivative:
    """Return dy/dt at t = 0, with steps that fit the function.

    Args:
        y: the function; y(t) is a flat array.
        y0: y(0).
        noise: the rounding error of each entry of y.
        scale: the size of the smallest number that t is added to; 0 where zeros are moved.
        enough: an uncertainty, summed over the entries, that is small enough at any rate.
    """
    best = differences(y, y0, FIRST_STEP, noise)
    for h in SMALLER_STEPS:
        waiting = best.inconsistency > np.maximum(GOOD * np.max(np.abs(best.value), initial=0), best.rounding)
        if h < 2.0 ** -46 * scale or not waiting.any() or enough is not None and best.inconsistency.sum() <= enough:
            break
        smaller = differences(y, y0, h, noise)
        stays = np.abs(smaller.kink - best.kink) <= 1e-3 * np.abs(best.kink)
        best = _merged(best, smaller)
        if h < scale and np.all(stays[waiting]) or scale == 0 and h < 2.0 ** -24 and np.all(stays[waiting]):
            break  # a kink exactly here
    for h in LARGER_STEPS if best.step == FIRST_STEP else ():
        size = np.max(np.abs(best.value), initial=0)
        if np.max(best.rounding, initial=0) <= 1e-7 * size or h > max(0.5, 2.0 ** -6 * scale):
            break
        larger = differences(y, y0, h, noise)
        if np.any(np.abs(larger.value - best.value) > best.uncertainty + larger.uncertainty) or \
                np.max(larger.uncertainty, initial=0) > np.max(best.uncertainty, initial=0):
            break
        best = larger
    size = np.max(np.abs(best.value), initial=0)
    lost = best.inconsistency > np.maximum(0.1 * np.abs(best.value), np.maximum(10 * best.rounding, 1e-6 * size))
    return best._replace(inconsistency=np.where(lost, np.inf, best.inconsistency)) if lost.any() else best


def _merged(old: Derivative, new: Derivative) -> Derivative:
    """Return, entry by entry, what the smaller step says, unless the larger one was as consistent and rounds less."""
    sure = old.inconsistency <= 1e-3 * np.max(np.abs(old.value), initial=0)
    agree = np.abs(old.value - new.value) <= old.uncertainty + new.uncertainty
    keep = sure & agree & (old.uncertainty <= new.uncertainty)
    apart = np.abs(old.value - new.value)
    kept = np.where(apart > 2 * new.rounding, np.maximum(old.inconsistency, apart), old.inconsistency)
    return Derivative(np.where(keep, old.value, new.value), np.where(keep, kept, new.inconsistency),
                      np.where(keep, old.rounding, new.rounding), new.step, np.where(keep, old.kink, new.kink))


def rounding_noise(y: Callable[[float], np.ndarray], y0: np.ndarray) -> np.ndarray:
    """Return the size of the rounding errors in each entry of y, measured.

    A polynomial of degree 5 has no sixth difference; what remains of a smooth y(t) is rounding, times sqrt(924).
    Where more remains than float64 explains, finer steps tell what it is: of a steep function or of kinks near by less
    remains, of a kink at t = 0 a part in proportion to the step, of rounding as much. Where the finest steps don't
    change y at all, its numbers are coarse, as those of float32 are: there larger steps show their noise.
    """
    size = np.abs(y0)
    seen = [y0]

    def sixth_difference(exponent: float) -> np.ndarray:
        h = ODD * 2.0 ** exponent
        values = [y(t * h) for t in (-3, -2, -1)] + [y0] + [y(t * h) for t in (1, 2, 3)]
        seen.extend(values)
        sixth = sum(c * value for c, value in zip((1, -6, 15, -20, 15, -6, 1), values))
        return np.where(np.isfinite(sixth), np.abs(sixth), np.inf) / np.sqrt(924)

    large, middle, small = (sixth_difference(exponent) for exponent in (-10, -14, -18))
    noise = np.minimum(np.minimum(large, middle), small)
    if np.any(np.maximum(noise, small) > 64 * EPS * size):
        before = len(seen)
        exponents = (-26, -29) if y0.size >= FEW else (-26, -27, -28, -29)
        fine = [sixth_difference(exponent) for exponent in exponents]
        at_small = np.stack(seen[before - 7:before]) != y0
        is_coarse = np.all(np.stack(seen[before:]) == y0, axis=0) & at_small[:3].any(axis=0) & at_small[4:].any(axis=0)
        in_proportion = [np.abs(each - fine[0] * 2.0 ** (exponent + 26)) <= 0.01 * each
                         for each, exponent in zip(fine, exponents)]
        at_kink = np.all(in_proportion, axis=0) & (fine[0] > 100 * EPS * size)
        of_coarse = np.maximum(noise, np.where(np.isfinite(small), small, 0.0))
        of_coarse = np.maximum(of_coarse, np.where(4 * middle > large, np.minimum(large, middle), 0.0))
        noise = np.where(is_coarse, of_coarse, np.where(at_kink, 0.0, np.max(fine, axis=0)))
    noise = 2 * np.where(np.isfinite(noise), noise, 0.0)
    noise = np.maximum(noise, quantum(np.stack(seen), y0))
    typical = float(np.median(noise)) / 2 if noise.size else 0.0  # a single entry may have been lucky
    return np.maximum(np.maximum(noise, np.minimum(typical, 1e-3 * np.max(size, initial=0))),
                      np.maximum(4 * EPS * size, coarseness(np.stack(seen))))


def quantum(values: np.ndarray, y0: np.ndarray) -> np.ndarray:
    """Return the unit in which y changes where that is far more than its own rounding, as of log(1 + exp(-30)); else 0.

    Args:
        values: y at several points, one a row.
    """
    apart = np.abs(values - y0)
    changed = apart > 0
    unit = np.min(np.where(changed, apart, np.inf), axis=0, initial=np.inf)
    with np.errstate(invalid="ignore"):
        counts = np.where(changed, apart / unit, 0.0)
    is_whole = np.all(np.abs(counts - np.round(counts)) <= 1e-3, axis=0) & (changed.sum(axis=0) >= 3)
    return np.where(is_whole & (unit > 64 * EPS * np.abs(y0)) & (unit < 1e-12), unit, 0.0)


def coarseness(values: np.ndarray) -> np.ndarray:
    """Return half the distance between numbers that y can be, for each entry: of float32, float16 or few decimals.

    Args:
        values: y at several points, one a row.
    """
    values = np.where(np.isfinite(values), values, 0.0)
    size = np.max(np.abs(values), axis=0, initial=0)
    changing = (values != values[0]).any(axis=0)  # an entry that doesn't change says nothing
    told = values[:, changing]
    if told.size == 0:
        return np.zeros(values.shape[1])
    for kind in (np.float16, np.float32):
        with np.errstate(over="ignore"):
            if np.array_equal(told.astype(kind), told) and len(np.unique(told)) > 4:
                return float(np.finfo(kind).eps) / 2 * size
    for decimals in range(2, 12):
        scaled = told * 10.0 ** decimals
        if np.all(np.abs(scaled - np.round(scaled)) <= 8 * EPS * np.maximum(np.abs(scaled), 1)) and \
                len(np.unique(told)) > 4:
            return np.where(size > 0, 0.5 * 10.0 ** -decimals, 0.0)
    return np.zeros(values.shape[1])
