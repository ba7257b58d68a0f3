"""Classes in the plane that no straight line separates, for pictures of decision boundaries: spirals, moons, circles.

Each function returns points x (N, 2) and class numbers y (N,), as many points of each class, one class after the
other; lib.data.batches shuffles them. The recipes and all constants are our own.
"""
from __future__ import annotations

from typing import Any, Callable, Optional, Sequence, Tuple

import numpy as np

from lib.validation import random_source, require_positive, require_size

Points = Tuple[np.ndarray, np.ndarray]


def make_spirals(num_points: int = 300, num_classes: int = 3, turns: float = 0.75, noise: float = 0.03,
                 rng: Optional[np.random.Generator] = None) -> Points:
    """Return arms of a spiral around the origin, one for each class: radius t at the angle 2 pi (turns * t + k / K).

    Args:
        num_points: points of all classes together.
        num_classes: the number of arms, K.
        turns: how often each arm winds around the origin.
        noise: the standard deviation of the normal noise on both coordinates.
        rng: draws the noise; NumPy's global random state when it isn't given.
    """
    def arm(k: int, n: int) -> np.ndarray:
        t = np.linspace(0.05, 1, n)  # the arms meet at the origin, so they begin a little off it
        return t[:, np.newaxis] * _on_circle(2 * np.pi * (turns * t + k / num_classes))

    return _make(arm, num_points, num_classes, noise, rng, "make_spirals")


def make_moons(num_points: int = 200, noise: float = 0.1, rng: Optional[np.random.Generator] = None) -> Points:
    """Return two half circles of radius 1, each reaching into the other.

    Args:
        num_points, noise, rng: as for make_spirals.
    """
    def moon(k: int, n: int) -> np.ndarray:
        upper = _on_circle(np.linspace(0, np.pi, n))
        return upper if k == 0 else np.array([1.0, 0.5]) - upper

    return _make(moon, num_points, 2, noise, rng, "make_moons")


def make_circles(num_points: int = 200, radii: Sequence[float] = (1.0, 0.5), noise: float = 0.05,
                 rng: Optional[np.random.Generator] = None) -> Points:
    """Return circles around the origin, one for each class.

    Args:
        radii: the radius of each class's circle.
        num_points, noise, rng: as for make_spirals.
    """
    for radius in radii:
        require_positive("each radius", radius, "make_circles")

    def circle(k: int, n: int) -> np.ndarray:
        return radii[k] * _on_circle(np.linspace(0, 2 * np.pi, n, endpoint=False))

    return _make(circle, num_points, len(radii), noise, rng, "make_circles")


def _on_circle(angle: np.ndarray) -> np.ndarray:
    """Return the points of the unit circle at these angles, (N, 2)."""
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def _make(curve: Callable[[int, int], np.ndarray], num_points: int, num_classes: int, noise: float,
          rng: Any, who: str) -> Points:
    """Return noisy points of the curves of all classes; the first classes get the points that are left over."""
    require_size("the number of classes", num_classes, who, least=2)
    require_size("num_points", num_points, who, least=num_classes)
    require_positive("noise", noise, who, zero_allowed=True)
    sizes = [num_points // num_classes + (k < num_points % num_classes) for k in range(num_classes)]
    x = np.concatenate([curve(k, n) for k, n in enumerate(sizes)])
    x += noise * random_source(rng, who).standard_normal(x.shape)
    return x, np.repeat(np.arange(num_classes), sizes)
