"""Numeric derivatives with an uncertainty for every number.

The derivative of y(t) at t = 0 comes from central differences D(h) = (y(h) - y(-h)) / 2h at two steps, h and h/2.
Their errors are about c h^2 and c h^2 / 4, so (4 D(h/2) - D(h)) / 3 cancels them (Richardson's extrapolation).

What can go wrong is measured, not assumed:

- D(h) and D(h/2) differ where h is too large, or where a kink lies between the points.
- A kink exactly at t = 0 is invisible to central differences, but not to S(h) = (y(h) - 2 y(0) + y(-h)) / h, the right
  derivative minus the left one: for a smooth function S falls with h, so 2 S(h/2) - S(h) is nearly 0.
- Rounding errors of y, divided by h.

The sum of the three is the uncertainty. Where it is large, a smaller step is tried; where rounding dominates, a larger.

Source: L. F. Richardson, The approximate arithmetical solution by finite differences, 1911; for the estimation of
rounding errors from differences of high order: R. W. Hamming, Introduction to applied numerical analysis, 1971.
"""
from __future__ import annotations

from typing import Callable, NamedTuple, Optional

import numpy as np

STEPS = (2.0 ** -10, 2.0 ** -15, 2.0 ** -20, 2.0 ** -25)  # powers of two: x + h is then exact, or nearly so
LARGER_STEPS = (2.0 ** -6, 2.0 ** -2)
GOOD = 1e-8  # an inconsistency below this part of the derivative isn't worth a smaller step
FEW = 8  # numbers in an output
EPS = float(np.finfo(np.float64).eps)


class Derivative(NamedTuple):
    """dy/dt for every entry of y, how far it may be off, and the part of that which is due to rounding."""

    value: np.ndarray
    inconsistency: np.ndarray
    rounding: np.ndarray
    step: float

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
    return Derivative(value, inconsistency, rounding, h)


def derivative(y: Callable[[float], np.ndarray], y0: np.ndarray, noise: np.ndarray, scale: float = 1.0,
               enough: Optional[float] = None) -> Derivative:
    """Return dy/dt at t = 0, with steps that fit the function.

    Args:
        y: the function; y(t) is a flat array.
        y0: y(0).
        noise: the rounding error of each entry of y.
        scale: the size of the numbers that t is added to; if they are tiny, smaller steps are tried, too.
        enough: an uncertainty, summed over the entries, that is small enough at any rate.
    """
    best = differences(y, y0, STEPS[0], noise)
    tiny = 2.0 ** np.floor(np.log2(scale)) if 0 < scale < STEPS[1] else 0.0
    for h in STEPS[1:] + ((tiny * STEPS[0], tiny * STEPS[1]) if tiny else ()):
        worst = np.max(best.inconsistency, initial=0)
        if worst <= GOOD * np.max(np.abs(best.value), initial=0) or worst <= np.max(best.rounding, initial=0):
            break
        if enough is not None and best.inconsistency.sum() <= enough:
            break
        best = _merged(best, differences(y, y0, h, noise))
    for h in LARGER_STEPS if best.step == STEPS[0] else ():
        size = np.max(np.abs(best.value), initial=0)
        if np.max(best.rounding, initial=0) <= 1e-7 * size:
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
    return Derivative(np.where(keep, old.value, new.value), np.where(keep, old.inconsistency, new.inconsistency),
                      np.where(keep, old.rounding, new.rounding), new.step)


def rounding_noise(y: Callable[[float], np.ndarray], y0: np.ndarray) -> np.ndarray:
    """Return the size of the rounding errors in each entry of y, measured.

    A polynomial of degree 5 has no sixth difference; what remains of a smooth y(t) is rounding, times sqrt(924).
    What remains of a kink at t = 0 falls as the step does, which rounding doesn't: so the two can be told apart.
    """
    size = np.abs(y0)

    def sixth_difference(h: float) -> np.ndarray:
        values = [y(t * h) for t in (-3, -2, -1)] + [y0] + [y(t * h) for t in (1, 2, 3)]
        sixth = sum(c * value for c, value in zip((1, -6, 15, -20, 15, -6, 1), values))
        return np.where(np.isfinite(sixth), np.abs(sixth), np.inf) / np.sqrt(924)

    large, middle, small = (sixth_difference(h) for h in (2.0 ** -10, 2.0 ** -14, 2.0 ** -18))
    at_kink = (large >= 6 * middle) & (middle >= 6 * small) & (small > 100 * EPS * size)
    noise = np.where(at_kink, 0.0, 2 * np.minimum(np.minimum(large, middle), small))
    if y0.size < FEW:  # of one number, such as a loss, one difference may happen to be close to zero: take more
        half, quarter, eighth = (sixth_difference(2.0 ** -exponent) for exponent in (19, 20, 21))
        falls = (small > 1.5 * half) & (half > 1.5 * quarter) & (quarter > 1.5 * eighth)
        together = np.sqrt((small ** 2 + half ** 2 + quarter ** 2 + eighth ** 2) / 4)
        noise = np.where(at_kink | falls, noise, np.maximum(noise, 2 * together))
    noise = np.where(np.isfinite(noise), noise, 0.0)
    typical = float(np.median(noise)) / 2 if noise.size else 0.0  # a single entry may have been lucky
    return np.maximum(np.maximum(noise, typical), 4 * EPS * size)
