"""What would free a training run that is stuck: a change of a single hidden unit, and of nothing else.

The unit is turned towards a point that is confused with others, so that it tells this point from all others, and the
weights that leave it begin at 0 again. Of the units and points that come into question, those are taken after which a
linear read-out of the last hidden layer fits the labels best.
"""
from __future__ import annotations

from typing import Any, Iterator, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from lib.inspection.hidden_units import Unit, has_kink, points_in_words
from lib.inspection.trained import steps_of
from lib.network_base import Module

MOST_UNITS, MOST_FOLDS = 16, 8  # that are tried

Fold = Tuple[np.ndarray, float, str]  # a unit's weights, its bias, and where that puts its fold


class Cure(NamedTuple):
    """A change of one unit: what it is, in a sentence, and the new values of all of the model's parameters."""

    sentence: str
    values: List[np.ndarray]


def best_cure(model: Module, units: Sequence[Unit], confused: Sequence[int], x: np.ndarray, y: np.ndarray
              ) -> Optional[Cure]:
    """Return the best change of one of these units, or None if none comes into question.

    Args:
        model: the network; it is put back as it was.
        units: those of which one may be changed.
        confused: rows of x that the network doesn't tell apart.
        x, y: the data and its labels.
    """
    tried: List[Tuple[float, float, Cure]] = []
    parameters = list(model.parameters())
    for unit in units[:MOST_UNITS]:
        changed = [unit.layer.W, unit.layer.b, *_weights_after(model, unit)]
        before = [parameter.data for parameter in changed]
        for weights, bias, place in _folds(unit, confused):
            for parameter, values in zip(changed, before):
                parameter.data = values.copy()
            unit.layer.W.data[:, unit.number], unit.layer.b.data[unit.number] = weights, bias
            for parameter in changed[2:]:
                parameter.data[unit.number] = 0
            size = sum(float(np.sum((parameter.data - values) ** 2)) for parameter, values in zip(changed, before))
            cure = Cure(_sentence(unit, weights, bias, place), [parameter.data.copy() for parameter in parameters])
            tried.append((round(_misfit(model, x, y), 9), size, cure))
        for parameter, values in zip(changed, before):
            parameter.data = values
    return min(tried, key=lambda each: each[:2])[2] if tried else None


def _folds(unit: Unit, confused: Sequence[int]) -> Iterator[Fold]:
    """Yield the folds that part one confused point from all others, z = 1 there; or one through their midst."""
    x, place = unit.inputs, "fold" if has_kink(unit.activation) else "steepest place"
    if not np.isfinite(np.vdot(x, x)):  # too large to calculate with: some SVDs don't converge
        return
    parted = False
    for n in confused[:MOST_FOLDS]:
        others = np.delete(x, n, axis=0)
        direction = x[n] - others.mean(axis=0) if len(others) else x[n]
        nearest = float(np.max(others @ direction, initial=-np.inf))
        gap = float(x[n] @ direction - nearest) / 2
        if np.isfinite(gap) and gap > 1e-9:
            parted = True
            yield direction / gap, -nearest / gap - 1, f"which puts its {place} around {points_in_words([n], x)} alone"
    if not parted and len(confused):
        middle = x[confused].mean(axis=0)
        axis = np.linalg.svd(x[confused] - middle)[2][0]
        spread = float(np.std((x[confused] - middle) @ axis))
        if spread > 0:
            yield axis / spread, -float(middle @ axis) / spread, \
                f"which puts its {place} through the midst of {points_in_words(confused, x)}"


def _sentence(unit: Unit, weights: np.ndarray, bias: float, place: str) -> str:
    given = ", ".join(f"{each:.3g}" for each in weights[:6]) + (", ..." if len(weights) > 6 else "")
    return (f"Cure: give {unit.name} the weights ({given}) and the bias {bias:.3g}, {place}, and let the weights that "
            "leave it begin at 0 again.")


def _weights_after(model: Module, unit: Unit) -> List[Any]:
    """Return the weights of the layer that a unit leads to, as a list of one; [] if there is none of that shape."""
    layers = [step for step in steps_of(model) if hasattr(step, "W")]
    after = layers[[layer is unit.layer for layer in layers].index(True) + 1]
    return [after.W] if len(after.W.data) == unit.layer.W.data.shape[1] else []


def _misfit(model: Module, x: np.ndarray, y: np.ndarray) -> float:
    """Return the squared error of the best linear read-out of what enters the last layer with weights."""
    steps = list(steps_of(model))
    h = x
    for step in steps[:max(k for k, step in enumerate(steps) if hasattr(step, "W"))]:
        h = np.asarray(step(h), float)
    features = np.hstack([h.reshape(len(x), -1), np.ones((len(x), 1))])
    return float(np.sum((features @ np.linalg.lstsq(features, y, rcond=1e-9)[0] - y) ** 2))
