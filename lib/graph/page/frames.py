"""What a replay shows of each run, frame by frame: weights, gradients, predictions over the plane, the units' lines.

A page is kept below a megabyte: the more there is to show, the fewer frames, and the coarser the picture of the plane.
"""
from __future__ import annotations

from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np

from lib.inspection.hidden_units import has_kink, hidden_units
from lib.inspection.stuck import predictions
from lib.network_base import Module

MOST_FRAMES, FEWEST_FRAMES = 140, 20
MOST_NUMBERS = 40_000       # of weights and gradients, in all frames together
MOST_CELLS = 330_000        # of the pictures of the plane, in all frames together
MOST_LOSSES = 250           # points of a curve
MOST_PREDICTIONS = 16       # examples whose predictions are listed
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"  # a cell is one letter, from 0 to 63
LEVELS = len(ALPHABET) - 1
CLASSES = 9                 # with more than two classes, a letter is class * 7 + strength


def choose_frames(length: int, numbers: int) -> List[int]:
    """Return the epochs that are shown: all at first, then ever fewer, as learning slows down, and always the last.

    Args:
        length: how many epochs there are, the start included.
        numbers: how many numbers a frame holds.
    """
    most = min(length, max(FEWEST_FRAMES, min(MOST_FRAMES, MOST_NUMBERS // max(numbers, 1))))
    if most >= length:
        return list(range(length))
    low, high = 1.0, float(length)  # the number of frames grows with `even`, up to which epochs are shown one by one
    for _ in range(40):
        even = (low + high) / 2
        found = np.unique(np.round(np.concatenate([np.arange(0, even), np.geomspace(even, length - 1, most)])))
        low, high = (even, high) if len(found) <= most else (low, even)
    even = max(2, int(low))
    rest = np.geomspace(even, length - 1, max(2, most - even))
    return [int(each) for each in np.unique(np.round(np.concatenate([np.arange(even), rest])))]


def thinned(values: Sequence[float]) -> List[List[Any]]:
    """Return a curve as [epoch, value] pairs, at most MOST_LOSSES of them; see `rounded`."""
    which = np.unique(np.linspace(0, len(values) - 1, min(len(values), MOST_LOSSES)).round().astype(int))
    return [[int(k), number] for k, number in zip(which, rounded([values[k] for k in which]))]


def rounded(values: Any) -> List[Any]:
    """Return numbers with six digits; what JSON has no number for as its name."""
    return [float(f"{each:.6g}") if np.isfinite(each) else str(float(each))
            for each in np.ravel(np.asarray(values, float)).tolist()]


def flat(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """Return several arrays as one row of numbers."""
    return np.concatenate([np.ravel(array) for array in arrays])


def numbered(names: Sequence[str], gap: str = "") -> List[str]:
    """Return names of which each that occurs several times has its number behind it."""
    return [name if names.count(name) == 1 else f"{name}{gap}{names[:k + 1].count(name)}"
            for k, name in enumerate(names)]


def tensors(recording: Any, epochs: Sequence[int], every_entry: bool) -> Dict[str, Any]:
    """Return names and shapes of the parameters, and their values and gradients in each frame.

    Args:
        recording: a Recording.
        epochs: that of each frame.
        every_entry: False keeps of each tensor just its root mean square.
    """
    names = numbered([str(parameter.name or "parameter") for parameter in recording.model.parameters()])
    shapes = [list(array.shape) for array in recording.state(0)[0]]
    states = [recording.state(epoch) for epoch in epochs]

    def shown(arrays: Sequence[np.ndarray]) -> List[Any]:
        return rounded(flat(arrays) if every_entry else [np.sqrt(np.mean(np.square(array))) for array in arrays])

    return {"parameters": [{"name": name, "shape": shape if every_entry else [], "full": shape}
                           for name, shape in zip(names, shapes)],
            "every": every_entry, "epochs": list(epochs), "losses": rounded([recording.losses[k] for k in epochs]),
            "weights": [shown(weights) for weights, _ in states], "gradients": [shown(grads) for _, grads in states]}


# ---------------------------------------------------------------------- the plane

def plane_of(recording: Any, frames: int) -> Optional[Dict[str, Any]]:
    """Return the window of the plane, its resolution, and the points with their classes, or the numbers they have.

    There is none for numbers so large that the width of the window isn't one.
    """
    x = recording.x
    low, high = x.min(axis=0), x.max(axis=0)
    if np.abs(x).max() > 1e100:
        return None
    margin = 0.3 * np.maximum(high - low, 1e-3)
    labels, classes = _labels(recording)
    which = np.unique(np.linspace(0, len(x) - 1, min(len(x), 300)).astype(int))
    return {"low": rounded(low - margin), "high": rounded(high + margin), "points": [rounded(x[k]) for k in which],
            "labels": rounded(labels[which]), "of": len(x), "classes": classes,
            "range": rounded([labels.min(), labels.max()]),
            "resolution": int(np.clip(np.sqrt(MOST_CELLS / max(frames, 1)), 9, 28)),
            "listed": len(x) <= MOST_PREDICTIONS}


def _labels(recording: Any) -> Tuple[np.ndarray, int]:
    """Return each example's class, or its (first) number, and how many classes there are; 0 for numbers."""
    y = recording.y.reshape(len(recording.y), -1)
    _, labels, kind = predictions(y, y, recording.loss_fn)
    if kind != "numbers":
        return labels.argmax(axis=1), labels.shape[1]
    return y[:, 0], 2 if y.shape[1] == 1 and np.isin(y, (0, 1)).all() else 0


def over_the_plane(recording: Any, epochs: Sequence[int], plane: Dict[str, Any]) -> Dict[str, Any]:
    """Return for each frame the predictions over the plane, a letter a cell row by row, and those for the points."""
    sides = [np.linspace(plane["low"][axis], plane["high"][axis], plane["resolution"]) for axis in (0, 1)]
    grid = np.stack(np.meshgrid(*sides), axis=-1).reshape(-1, 2)
    cells, scales, listed, wrong, missed, labels = [], [], [], [], [], _labels(recording)[0]
    for epoch in epochs:
        model = recording.at(epoch).eval()
        with np.errstate(all="ignore"):
            picture = _seen(model(grid), recording, plane)
            seen = _seen(model(recording.x), recording, plane)
            levels, scale = _levels(picture, plane)
        cells.append("".join(ALPHABET[int(each)] for each in levels))
        scales.append(float(f"{scale:.6g}"))
        undefined = np.isnan(seen).any(axis=1)  # argmax takes nan for the greatest
        misses = (seen.argmax(axis=1) != labels) | undefined
        wrong.append(int(misses.sum()))
        if plane["listed"]:
            missed.append("".join("01"[int(miss)] for miss in misses))
            listed.append(rounded(seen[:, 1] if plane["classes"] == 2 else seen.max(axis=1)))
    return {"cells": cells, "scales": scales, "predictions": listed,
            **({"wrong": wrong, "missed": missed} if plane["classes"] else {"wrong": None})}


def _seen(output: Any, recording: Any, plane: Dict[str, Any]) -> np.ndarray:
    """Return the probabilities or scores of the classes, (n, classes), or numbers, (n, 1)."""
    output = np.asarray(output, float).reshape(len(output), -1)
    labels = recording.y.reshape(len(recording.y), -1)[:1]
    seen, _, _ = predictions(output, np.repeat(labels, len(output), axis=0), recording.loss_fn)
    if plane["classes"] and seen.shape[1] == 1:  # the number itself is the prediction, such as 0.8 for class 1
        return np.hstack([1 - seen, seen])
    return seen[:, :plane["classes"] or 1]


def _levels(seen: np.ndarray, plane: Dict[str, Any]) -> Tuple[np.ndarray, float]:
    """Return the level of each cell, 0 to LEVELS, and by what the levels of two classes or of numbers are scaled."""
    seen = np.nan_to_num(seen, nan=0.5)
    if plane["classes"] <= 2:
        low, high = plane["range"]
        values = seen[:, 1] - seen[:, 0] if plane["classes"] else 2 * (seen[:, 0] - low) / max(high - low, 1e-12) - 1
        scale = float(np.clip(np.abs(values).max(), 1e-300, 1))  # where all are near a guess, they still differ
        return _fine(values / scale), scale
    least = 1 / plane["classes"]
    strength = np.clip(np.round(6 * (seen.max(axis=1) - least) / (1 - least)), 0, 6)
    return seen.argmax(axis=1) % CLASSES * 7 + strength, 1.0


def _fine(values: np.ndarray) -> np.ndarray:
    """Return levels for numbers from -1 to 1, finer near 0, where the prediction changes."""
    return np.clip(np.round(LEVELS / 2 * (1 + np.sign(values) * np.sqrt(np.abs(values)))), 0, LEVELS)


def folds(model: Module, x: np.ndarray) -> Any:
    """Return which parameters, by number, hold the lines z = 0 of the first layer's units: [W, b, has a kink]."""
    layers = hidden_units(model, x)
    parameters = list(model.parameters())
    if not layers or layers[0][0].inputs.shape != x.shape or not np.array_equal(layers[0][0].inputs, x):
        return None
    place = [k for wanted in (layers[0][0].layer.W, layers[0][0].layer.b) for k, parameter in enumerate(parameters)
             if parameter is wanted]
    return [*place, has_kink(layers[0][0].activation)] if len(place) == 2 else None
