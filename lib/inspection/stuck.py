"""Why a training run is stuck: what its hidden units do on the data, the cause in a sentence, and what would free it.

>>> from lib.dataset import X, y
>>> from lib.activations import ReLU
>>> from lib.network import Linear, Sequential
>>> model = Sequential(Linear(2, 2), ReLU(), Linear(2, 2))
>>> for parameter in model.parameters():
...     parameter.data = np.zeros_like(parameter.data)
>>> model.modules[0].W.data[:], model.modules[0].b.data[:] = [[1, -1], [1, -1]], [1, -1]
>>> found = why_stuck(model, X, np.eye(2)[y])
>>> print(found.sentence)
No hidden unit bends within the data: unit 0's input is 1.00 to 3.00, its slope 100% of the steepest; \
unit 1's input is -3.00 to -1.00, its slope 0% of the steepest. So the network is linear there. \
The loss is 0.6931 = ln 2: (0, 0), (0, 1), (1, 0) and (1, 1) are confused, all of them predicted as 0.50, 0.50.
>>> print(found.cure.sentence)
Cure: give unit 1 the weights (-2, -2) and the bias 1, which puts its fold around (0, 0) alone, \
and let the weights that leave it begin at 0 again.

`found.cured(model)` is a copy of the model with this change: trained on, its loss falls below the plateau.
exercises/backpropagation/stuck_starts.py verifies that over thousands of stuck starts, against random changes.
"""
from __future__ import annotations

import copy
from typing import Any, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from lib.inspection.cures import Cure, best_cure
from lib.inspection.hidden_units import Unit, hidden_units, in_numbers, points_in_words, saturates
from lib.inspection.recording import numpy_random_state_kept
from lib.network_base import Module
from lib.validation import InputError

SAME = 0.03  # predictions that differ by less count as one
NAMED = {"ln 2": np.log(2),  # the cost of one prediction for all points, for three of XOR's four, and for two
         "(ln 3 + 2 ln 1.5) / 4, the cost of one prediction for three of four points": np.log(6.75) / 4,
         "ln(2) / 2, the cost of one prediction for two of four points": np.log(2) / 2}


class Stuck(NamedTuple):
    """Why training is stuck.

    Attributes:
        cause: "no unit bends", "a unit is off", "same fold", "saturated", "beyond every fold" or "none found".
        sentence: the cause with the numbers that show it, and where the loss sits.
        cure: the change of one unit that would free it, or None where none was found.
        loss: the loss on the data.
        confused: the groups of points that get one prediction but have different labels, as rows of x.
    """

    cause: str
    sentence: str
    cure: Optional[Cure]
    loss: float
    confused: List[List[int]]

    def cured(self, model: Module) -> Module:
        """Return a copy of the model with the cure."""
        if self.cure is None:
            raise InputError("There is no cure: no change of a single unit was found that would help.")
        twin = copy.deepcopy(model)
        for parameter, values in zip(twin.parameters(), self.cure.values):
            parameter.data = values.copy()
        return twin


def why_stuck(model: Module, x: Any, y: Any, loss_fn: Any = None) -> Optional[Stuck]:
    """Return why a network's loss isn't lower; None if all predictions are right and no two classes are confused.

    Args:
        model: a Sequential of linear layers and activations, as training has left it; it isn't changed.
        x: the data, (N, features).
        y: one-hot labels or target numbers, (N, K).
        loss_fn: the loss; by default cross-entropy for one-hot labels, and else the mean squared error.

    Raises:
        InputError: the shapes don't fit.
    """
    x, y = np.asarray(x, float), np.asarray(y, float)
    with numpy_random_state_kept(), np.errstate(all="ignore"):
        twin = copy.deepcopy(model).eval()
        output = np.asarray(twin(x), float)
        if y.ndim != 2 or output.shape != y.shape or not len(y):
            raise InputError(f"why_stuck expects labels in the shape of the predictions, {output.shape}, and at least "
                             f"one example, but got {y.shape}.")
        predicted, labels = predictions(output, y, loss_fn)
        classes = labels.shape[1] > 1
        loss = float(loss_fn(output, y) if loss_fn is not None else
                     -np.mean(np.sum(labels * np.log(np.maximum(predicted, 1e-300)), axis=1)) if classes else
                     np.mean((output - y) ** 2))
        if not np.isfinite(output).all():
            return Stuck("none found", "The predictions aren't finite numbers: the learning rate was too large.", None,
                         loss, [])
        groups = confused_points(predicted, labels)
        right = (predicted.argmax(axis=1) == labels.argmax(axis=1)) if classes else np.abs(output - y) < SAME
        if np.all(right) and not groups:
            return None
        layers = hidden_units(twin, x)
        cause, to_blame, sentence = _cause(layers, groups[0] if groups else [], x)
        cure = best_cure(twin, to_blame, groups[0] if groups else range(len(x)), x, y)
    return Stuck(cause, f"{sentence} {_place(loss, groups, predicted, x)}", cure, loss, groups)


def predictions(output: np.ndarray, y: np.ndarray, loss_fn: Any) -> Tuple[np.ndarray, np.ndarray]:
    """Return what a network predicts, and the labels likewise: probabilities of classes, (N, K), or else numbers.

    Of one-hot labels the outputs are logits, and for BinaryCrossEntropyLoss the one output is the logit of class 1.
    """
    if type(loss_fn).__name__ == "BinaryCrossEntropyLoss" and y.shape[1] == 1:
        output, y = np.hstack([np.zeros_like(output), output]), np.hstack([1 - y, y])
    elif not (y.shape[1] > 1 and np.isin(y, (0, 1)).all() and (y.sum(axis=1) == 1).all()):
        return output, y
    e = np.exp(output - output.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True), y


def confused_points(predicted: np.ndarray, y: np.ndarray) -> List[List[int]]:
    """Return the groups of points that get one prediction, but have different labels; the largest group first.

    A group holds at least a twentieth of the points: a few that lie near a boundary don't count.
    """
    left, groups = np.ones(len(y), bool), []
    for n in range(len(y)):
        if left[n]:
            same = left & (np.abs(predicted - predicted[n]).max(axis=1) < SAME)
            left &= ~same
            if np.sum(same) >= len(y) / 20 and np.ptp(y[same], axis=0).max() > SAME + 0.5 * np.ptp(y):
                groups.append(np.flatnonzero(same).tolist())
    return sorted(groups, key=len, reverse=True)


def _cause(layers: Sequence[Sequence[Unit]], confused: List[int], x: np.ndarray) -> Tuple[str, List[Unit], str]:
    """Return the name of the cause, the units to blame, and the sentence."""
    units = [unit for layer in layers for unit in layer]
    if not units:
        return "none found", [], "The network has no hidden units: it is linear."
    off = [unit for unit in units if unit.is_off]
    for layer in layers:
        if all(unit.is_off for unit in layer):
            return "a unit is off", list(layer), (
                f"Every hidden unit is {_off(layer[0])} at all {len(x)} points: {_shown(layer)}. So the output is the "
                "same everywhere, and no gradient gets through.")
    if not any(unit.bends for unit in units):
        return "no unit bends", units, (f"No hidden unit bends within the data: {_shown(units)}. So the network is "
                                        "linear there.")
    blind = [layer for layer in layers if confused and all(unit.flat[confused].all() for unit in layer)]
    if blind and not any(unit.is_off for unit in blind[0]):
        return _at_confused_points(blind[0], confused, x)
    if off and confused:
        names = " and ".join(unit.name for unit in off) if len(off) < 4 else f"{len(off)} of {len(units)} units"
        return "a unit is off", off, (f"{names[0].upper()}{names[1:]} {'is' if len(off) == 1 else 'are'} "
                                      f"{_off(off[0])} at all {len(x)} points: {_shown(off)}.")
    return "none found", units, ("No cause of a plateau is to be seen: units bend within the data. It may be on its "
                                 "way still: train it on.")


def _at_confused_points(layer: Sequence[Unit], confused: List[int], x: np.ndarray) -> Tuple[str, List[Unit], str]:
    """Return cause, units and sentence where every unit of a layer is flat at the confused points."""
    where, units = points_in_words(confused, x), list(layer)
    if saturates(layer[0].activation):
        return "saturated", units, (f"Every hidden unit saturates at {where}: {_shown(layer, confused)}. So the "
                                    "network hardly tells them apart, and no gradient gets through.")
    if len(layer) > 1 and len({tuple(unit.flat) for unit in layer}) == 1:
        on = points_in_words([n for n in range(len(x)) if not layer[0].flat[n]], x)
        which = "Both hidden units" if len(layer) == 2 else f"All {len(layer)} hidden units"
        return "same fold", units, (f"{which} fold between the same points, as along the same line, on at {on} and off "
                                    f"at {where}: {_shown(layer, confused)} there. So these points get the output's "
                                    "bias alone.")
    return "beyond every fold", units, (f"Every hidden unit is off at {where}: {_shown(layer, confused)} there. So "
                                        "these points get the output's bias alone, and no gradient gets through.")


def _off(unit: Unit) -> str:
    return "saturated" if saturates(unit.activation) else "off"


def _shown(units: Sequence[Unit], points: Any = slice(None)) -> str:
    return "; ".join(in_numbers(unit, points) for unit in units[:4]) + ("; and so on" if len(units) > 4 else "")


def _place(loss: float, groups: List[List[int]], predicted: np.ndarray, x: np.ndarray) -> str:
    """Return where the loss sits, and which points are confused, as a sentence."""
    near = "".join(f" = {name}" if abs(loss - value) < 5e-5 else f", near {value:.4f} = {name}"
                   for name, value in NAMED.items() if abs(loss - value) < 5e-3)
    if not groups:
        return f"The loss is {loss:.4f}{near}; no two points of different labels are confused."
    shares = predicted[groups[0]].mean(axis=0)
    given = ", ".join(f"{each:.2f}" for each in shares[:4]) + (", ..." if len(shares) > 4 else "")
    more = f"; {len(groups) - 1} more groups are, too" if len(groups) > 1 else ""
    return (f"The loss is {loss:.4f}{near}: {points_in_words(groups[0], x)} are confused, all of them predicted as "
            f"{given}{more}.")
