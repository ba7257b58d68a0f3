"""What would free a training run that is stuck: a change of a single hidden unit, and of nothing else.

The unit gets another fold, and the weights that leave it begin at 0 again. Of several folds that come into question,
the one is taken after which a linear read-out of the last hidden layer fits the labels best.
"""
from __future__ import annotations

from typing import Any, Iterator, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from lib.inspection.hidden_units import Unit, has_kink, points_in_words, width
from lib.inspection.trained import steps_of
from lib.network_base import Module

SPAN = 0.85  # a smooth activation's inputs are spread over this share of its width
MOST_UNITS, MOST_FOLDS = 16, 8  # that are tried

Fold = Tuple[np.ndarray, float, str]  # a unit's weights, its bias, and where that puts its fold


class Cure(NamedTuple):
    """A change of one unit: what it is, in a sentence, and the new values of all of the model's parameters."""

    sentence: str
    values: List[np.ndarray]


def best_cure(model: Module, units: Sequence[Unit], confused: Sequence[int], turn: bool, x: np.ndarray, y: np.ndarray
              ) -> Optional[Cure]:
    """Return the best change of one of these units, or None if none comes into question.

    Args:
        model: the network; it is put back as it was.
        units: those of which one may be changed.
        confused: rows of x that the network doesn't tell apart.
        turn: whether a unit is turned towards one of these points; else its fold is moved across the data.
        x, y: the data and its labels.
    """
    tried: List[Tuple[float, float, Cure]] = []
    parameters = list(model.parameters())
    for unit in units[:MOST_UNITS]:
        changed = [unit.layer.W, unit.layer.b, *_weights_after(model, unit)]
        before = [parameter.data for parameter in changed]
        for weights, bias, sentence in _turned(unit, confused) if turn else _moved(unit):
            for parameter, values in zip(changed, before):
                parameter.data = values.copy()
            unit.layer.W.data[:, unit.number], unit.layer.b.data[unit.number] = weights, bias
            for parameter in changed[2:]:
                parameter.data[unit.number] = 0
            size = sum(float(np.sum((parameter.data - values) ** 2)) for parameter, values in zip(changed, before))
            tried.append((round(_misfit(model, x, y), 9), size,
                          Cure(sentence, [parameter.data.copy() for parameter in parameters])))
        for parameter, values in zip(changed, before):
            parameter.data = values
    return min(tried, key=lambda each: each[:2])[2] if tried else None


def _moved(unit: Unit) -> Iterator[Fold]:
    """Yield the folds between neighbouring points, in the unit's own direction; a smooth one is stretched to bend."""
    weights, bias = unit.layer.W.data[:, unit.number], float(unit.layer.b.data[unit.number])
    order = np.argsort(unit.z, kind="stable")
    gaps = np.flatnonzero(np.diff(unit.z[order]) > 1e-9 * max(1.0, float(np.abs(unit.z).max())))
    if len(gaps) > MOST_FOLDS:
        gaps = gaps[np.linspace(0, len(gaps) - 1, MOST_FOLDS).astype(int)]
    scale = SPAN * width(unit.activation) / float(np.ptp(unit.z)) if len(gaps) and not has_kink(unit.activation) else 1
    for gap in gaps:
        low, high = order[gap], order[gap + 1]
        new = scale * (bias - float(unit.z[low] + unit.z[high]) / 2)
        what = f"move the bias of {unit.name} from {bias:.3g} to {new:.3g}" if scale == 1 else \
            f"multiply the weights into {unit.name} by {scale:.3g} and set its bias to {new:.3g}"
        yield weights * scale, new, _sentence(
            what, unit, f"between {points_in_words([low], unit.inputs)} and {points_in_words([high], unit.inputs)}")


def _turned(unit: Unit, confused: Sequence[int]) -> Iterator[Fold]:
    """Yield the folds that leave a confused point alone on the side where the unit is on; z is 1 there."""
    for n in confused[:MOST_FOLDS]:
        others = np.delete(unit.inputs, n, axis=0)
        direction = unit.inputs[n] - others.mean(axis=0)
        along = others @ direction
        gap = float(unit.inputs[n] @ direction - along.max()) / 2 if len(others) else 0.0
        if gap > 1e-9:
            weights, bias = direction / gap, -float(along.max()) / gap - 1
            what = f"give {unit.name} the weights ({', '.join(f'{each:.3g}' for each in weights[:6])}" + \
                (", ...)" if len(weights) > 6 else ")") + f" and the bias {bias:.3g}"
            yield weights, bias, _sentence(what, unit, f"around {points_in_words([n], unit.inputs)} alone")


def _sentence(what: str, unit: Unit, where: str) -> str:
    return (f"Cure: {what}, which puts its {'fold' if has_kink(unit.activation) else 'steepest place'} {where}, and "
            "let the weights that leave it begin at 0 again.")


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
