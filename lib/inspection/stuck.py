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
from lib.inspection.hidden_units import Unit, hidden_units, in_numbers, is_affine, points_in_words, saturates
from lib.inspection.recording import numpy_random_state_kept
from lib.network_base import Module
from lib.validation import InputError, as_float

ON_ITS_WAY = " It may be on its way still: train it on."
SAME = 0.03  # predictions that differ by less count as one
NAMED = {"ln 2": np.log(2),  # the cross-entropy of one prediction for all points, for three of XOR's four, and for two
         "(ln 3 + 2 ln 1.5) / 4, the cost of one prediction for three of four points": np.log(6.75) / 4,
         "ln(2) / 2, the cost of one prediction for two of four points": np.log(2) / 2}


class Stuck(NamedTuple):
    """Why training is stuck.

    Attributes:
        cause: "no unit bends", "a unit is off", "same fold", "saturated", "beyond every fold", "no hidden units",
            "contradicting labels", or "none found", where training may be on its way still.
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
    x, y = (np.asarray(as_float(each, "why_stuck"), float) for each in (x, y))
    with numpy_random_state_kept(), np.errstate(all="ignore"):
        twin = copy.deepcopy(model).eval()
        output = np.asarray(twin(x), float)
        if y.ndim != 2 or output.shape != y.shape or not len(y):
            raise InputError(f"why_stuck expects labels in the shape of the predictions, {output.shape}, and at least "
                             f"one example, but got {y.shape}.")
        predicted, labels, kind = predictions(output, y, loss_fn)
        loss = float(loss_fn(output, y) if loss_fn is not None else _cross_entropy(predicted, labels)
                     if kind == "probabilities" else np.mean((output - y) ** 2))
        if not np.isfinite(output).all():
            return Stuck("none found", "The predictions aren't finite numbers: the learning rate was too large.", None,
                         loss, [])
        groups = confused_points(predicted, labels)
        right = np.abs(output - y) < SAME if kind == "numbers" else predicted.argmax(axis=1) == labels.argmax(axis=1)
        if np.all(right) and not groups:
            return None
        group = groups[0] if groups else []
        cause, to_blame, sentence = _contradiction(groups, predicted, labels, x) or \
            _cause(twin, group, predicted, labels, x)
        cure = best_cure(twin, to_blame, group or range(len(x)), x, y)
    return Stuck(cause, f"{sentence} {_place(loss, groups, predicted, x, kind)}", cure, loss, groups)


def predictions(output: np.ndarray, y: np.ndarray, loss_fn: Any) -> Tuple[np.ndarray, np.ndarray, str]:
    """Return what a network predicts, the labels likewise, and what that is.

    "probabilities" of classes, (N, K), where the outputs are logits; "scores", the outputs for one-hot labels under
    another loss; or "numbers". For BinaryCrossEntropyLoss, also a weighted one, the one output is the logit of class 1.
    """
    if getattr(loss_fn, "takes_logits", False) and y.shape[1] == 1:
        output, y, logits = np.hstack([np.zeros_like(output), output]), np.hstack([1 - y, y]), True
    else:
        logits = is_one_hot(y) if loss_fn is None else y.shape[1] > 1 and _takes_logits(loss_fn, y)
    if not logits:
        return output, y, "scores" if is_one_hot(y) else "numbers"
    e = np.exp(output - output.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True), y, "probabilities"


def is_one_hot(y: np.ndarray) -> bool:
    """Whether each row is 1 at its class and else 0."""
    return y.ndim == 2 and y.shape[1] > 1 and bool(np.isin(y, (0, 1)).all() and (y.sum(axis=1) == 1).all())


def _takes_logits(loss_fn: Any, y: np.ndarray) -> bool:
    """Whether a constant that is added to all outputs leaves the loss as it is, as in softmax with cross-entropy."""
    far, loss_fn = 100 * (1 + np.abs(y).max()), copy.deepcopy(loss_fn)
    losses = [float(loss_fn(np.full(y.shape, each), y)) for each in (0.0, far, -far)]
    return bool(np.ptp(losses) < 1e-9)


def _cross_entropy(predicted: np.ndarray, labels: np.ndarray) -> float:
    return float(-np.mean(np.sum(labels * np.log(np.maximum(predicted, 1e-300)), axis=1)))


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


def _contradiction(groups: List[List[int]], predicted: np.ndarray, labels: np.ndarray, x: np.ndarray
                   ) -> Optional[Tuple[str, List[Unit], str]]:
    """Return cause, units and sentence where points are confused because they are one point with different labels."""
    _, first, which = np.unique(x.reshape(len(x), -1), axis=0, return_index=True, return_inverse=True)
    which = which.ravel()  # (N, 1) in NumPy 2.0
    sums = np.zeros((len(first), labels.shape[1]))
    np.add.at(sums, which, labels)
    best = (sums / np.bincount(which)[:, np.newaxis])[which]  # that any network can predict
    if not groups or confused_points(predicted, best):
        return None
    where = points_in_words(np.unique(first[which[(best != labels).any(axis=1)]]).tolist(), x)
    near = np.abs(predicted - best).max() < 0.2
    return "contradicting labels" if near else "none found", [], (
        f"The data gives {where} more than one label, and no network can tell equal inputs apart."
        f"{'' if near else ON_ITS_WAY}")


def _cause(model: Module, confused: List[int], predicted: np.ndarray, labels: np.ndarray, x: np.ndarray
           ) -> Tuple[str, List[Unit], str]:
    """Return the name of the cause, the units to blame, and the sentence."""
    layers = hidden_units(model, x)
    units = [unit for layer in layers for unit in layer]
    linear_helps = _linear_function_helps(predicted, labels, x)
    if not units and not is_affine(model, x.shape):
        return "none found", [], ("No cause is looked for: only hidden units of a linear layer are understood, with an "
                                  "activation and more layers behind it.")
    if not units and not linear_helps:
        return "no hidden units", [], ("The network has no hidden units that could bend: it is linear, and no linear "
                                       "function tells these points apart. A hidden layer with an activation would.")
    for layer in layers:
        if all(unit.is_off for unit in layer):
            said = f"Every hidden unit is {_off(layer[0])} at all {len(x)} points: {_shown(layer)}. "
            constant = not any(np.ptp(np.asarray(unit.activation(unit.z[:, np.newaxis]))) for unit in layer)
            return "saturated" if saturates(layer[0].activation) else "a unit is off", list(layer), said + (
                "So the output is the same everywhere, and no gradient gets through." if constant else
                "So hardly any gradient gets through.")
    blind = [layer for layer in layers if confused and all(unit.flat[confused].all() for unit in layer)]
    off = [unit for unit in units if unit.is_off]
    if blind and not any(unit.is_off for unit in blind[0]):
        return _at_confused_points(blind[0], confused, x)
    if linear_helps and not blind:  # the network can learn that as it is, without a unit that bends elsewhere
        return "none found", units, f"No cause of a plateau is to be seen: a linear function does better.{ON_ITS_WAY}"
    if not any(unit.bends for unit in units):
        return "no unit bends", units, (f"No hidden unit bends within the data: {_shown(units)}. So the network is "
                                        "linear there.")
    if off and confused:
        names = " and ".join(unit.name for unit in off) if len(off) < 4 else f"{len(off)} of {len(units)} units"
        return "saturated" if saturates(off[0].activation) else "a unit is off", off, (
            f"{names[0].upper()}{names[1:]} {'is' if len(off) == 1 else 'are'} {_off(off[0])} at all {len(x)} points: "
            f"{_shown(off)}.")
    return "none found", units, f"No cause of a plateau is to be seen: units bend within the data.{ON_ITS_WAY}"


def _linear_function_helps(predicted: np.ndarray, labels: np.ndarray, x: np.ndarray) -> bool:
    """Whether the best linear fit of the labels is much nearer to them than the predictions are."""
    features = np.hstack([x.reshape(len(x), -1), np.ones((len(x), 1))])
    fit = features @ np.linalg.lstsq(features, labels, rcond=None)[0]
    return bool(np.mean((fit - labels) ** 2) < 0.9 * np.mean((predicted - labels) ** 2))


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


def _place(loss: float, groups: List[List[int]], predicted: np.ndarray, x: np.ndarray, kind: str) -> str:
    """Return where the loss sits, and which points are confused, as a sentence."""
    named = {name: value for name, value in NAMED.items() if abs(loss - value) < 5e-3 and kind == "probabilities" and
             predicted.shape[1] == 2 and (len(x) == 4 or name == "ln 2")}
    near = "".join(f" = {name}" if abs(loss - value) < 5e-5 else f", near {value:.4f} = {name}"
                   for name, value in named.items())
    if not groups:
        return f"The loss is {loss:.4f}{near}; no two points of different labels are confused."
    shares = predicted[groups[0]].mean(axis=0)
    given = ", ".join(f"{each:.2f}".replace("-0.00", "0.00") for each in shares[:4])
    given += ", ..." if len(shares) > 4 else ""
    more = f"; {len(groups) - 1} more groups are, too" if len(groups) > 1 else ""
    return (f"The loss is {loss:.4f}{near}: {points_in_words(groups[0], x)} are confused, all of them predicted as "
            f"{given}{more}.")
