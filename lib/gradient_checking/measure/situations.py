"""Situations: points near the given one and away from it, on which mistakes show that the given one hides.

A mistake may not show where all inputs are positive, where the batch has one example, where a layer's units are all
off, or in the mode the module happens to be in. So the given situation is varied; a variation counts only if the
module's forward accepts it and gives finite numbers. Values stay in the range of the given ones, unless the module is
known to take any number: a logarithm's inputs must stay positive.
"""
from __future__ import annotations

from typing import Any, Iterator, List, NamedTuple, Optional, Tuple

import numpy as np

from lib.gradient_checking.measure.values import is_real
from lib.gradient_checking.measure.workbench import Point, Workbench
from lib.gradient_checking.sheets import takes_any_number


class Situation(NamedTuple):
    """A point with the words that describe it."""

    name: str
    point: Point


def given_point(bench: Workbench) -> Point:
    """Return the given situation; integers become floats if forward then gives the same."""
    point = bench.start
    if point.inputs and isinstance(point.inputs[0], np.ndarray) and point.inputs[0].dtype.kind in "iub":
        floats = point.with_tensor(0, point.inputs[0].astype(np.float64))
        try:
            expected, output = bench.forward(point), bench.forward(floats)
        except Exception:
            return point
        if output.shape == expected.shape and np.allclose(output, expected, rtol=1e-5, atol=1e-8, equal_nan=True):
            return point if _is_index(bench, point, floats) else floats
    return point


def _is_index(bench: Workbench, point: Point, floats: Point) -> bool:
    """Return whether integers choose something, as those of an embedding: decimals are cut off, no gradient comes."""
    try:
        output = bench.forward(floats)
        return all(np.array_equal(bench.forward(floats.with_tensor(0, floats.inputs[0] + part)), output)
                   for part in (0.25, 0.5)) and bench.run(point, np.ones(output.shape)).returned is None
    except Exception:
        return False


def near(point: Point, rng: np.random.Generator, distance: float) -> Point:
    """Return a point near by, off all ties: every number is moved by about distance times its size or its tensor's."""
    for index in range(0 if point.inputs else 1, len(point.params) + 1):
        value = point.tensor(index)
        if is_real(value) and value.size:
            zero = value == 0
            scale = np.where(zero, min(float(np.max(np.abs(value))) or 1.0, 1.0), np.abs(value))
            sign = rng.choice([-1.0, 1.0], value.shape)
            point = point.with_tensor(index, value + distance * scale * sign * rng.uniform(0.5, 1.0, value.shape))
    return point


def redrawn(point: Point, rng: np.random.Generator, any_number: bool) -> Point:
    """Return a point with other inputs and parameters."""
    for index in range(0 if point.inputs else 1, len(point.params) + 1):
        value = point.tensor(index)
        if is_real(value) and value.size:
            draw = _other_inputs(value, rng, any_number) if index == 0 else _other_parameters(value, rng)
            point = point.with_tensor(index, draw)
    return point


def _other_inputs(x: np.ndarray, rng: np.random.Generator, any_number: bool) -> np.ndarray:
    low, high = float(np.min(x)), float(np.max(x))
    if any_number or low < 0 < high:
        draw = 1.3 * rng.standard_normal(x.shape)
        return draw if any_number or max(-low, high) > 1 else np.clip(draw, low, high) * rng.uniform(0.5, 1, x.shape)
    if low < high:
        return rng.uniform(low, high, x.shape)
    return x * rng.uniform(0.6, 1, x.shape)


def _other_parameters(value: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    if np.all(value == 0):
        return 0.3 * rng.standard_normal(value.shape)
    if np.all(value >= 0) or np.all(value <= 0):  # perhaps it must be: a slope, a scale
        return value * rng.uniform(0.5, 1.5, value.shape)
    size = float(np.sqrt(np.mean(np.square(value))))
    return min(max(size, 0.5), 2.0) * rng.standard_normal(value.shape)


def with_batch(point: Point, size: int) -> Optional[Point]:
    """Return the point with another number of examples, cut off or repeated along the first axis of each input."""
    if not point.inputs or np.ndim(point.inputs[0]) < 1 or not isinstance(point.inputs[0], np.ndarray):
        return None
    given = len(point.inputs[0])
    if given == 0 or given == size:
        return None

    def resized(value: Any) -> Any:
        if isinstance(value, np.ndarray) and value.ndim and len(value) == given:
            return value[np.arange(size) % given]
        return value

    return point._replace(inputs=tuple(resized(value) for value in point.inputs))


def finite_output(bench: Workbench, point: Point) -> Optional[np.ndarray]:
    """Return forward's output at a point, or None if the module doesn't accept it or gives NaN or infinity."""
    try:
        output = bench.forward(point)
    except Exception:
        return None
    return output if output.size and np.all(np.isfinite(output)) else None


def batch_variation(bench: Workbench, given: Point, size: int, rng: np.random.Generator,
                    any_number: bool) -> Optional[Point]:
    """Return a point with `size` examples if forward treats it as that many examples."""
    point = with_batch(given, size)
    if point is None:
        return None
    point = near(redrawn(point, rng, any_number), rng, 1e-3)
    output = finite_output(bench, point)
    given_output = finite_output(bench, given)
    if output is None or given_output is None:
        return None
    scalar = output.ndim == 0 and given_output.ndim == 0
    return point if scalar or (output.ndim and output.shape == (size,) + given_output.shape[1:]) else None


def variations(bench: Workbench, given: Point) -> Iterator[Situation]:
    """Yield situations made of the given one that forward accepts, the nearest first."""
    rng = np.random.default_rng(5)
    any_number = takes_any_number(bench.module)
    point = near(given, rng, 1e-2)
    if finite_output(bench, point) is not None:
        yield Situation("near the given numbers", point)
    for _ in range(3):
        point = redrawn(given, rng, any_number)
        if finite_output(bench, point) is not None:
            yield Situation("with other numbers", point)
            break
    for size in _batch_sizes(given):
        varied = batch_variation(bench, given, size, rng, any_number)
        if varied is not None:
            yield Situation(f"with a batch of {size}", varied)
    if hasattr(bench.module, "train") and hasattr(bench.module, "training"):
        mode = not bench.module.training
        point = near(given, rng, 1e-2)._replace(training=mode)
        output = finite_output(bench, point)
        usual = finite_output(bench, point._replace(training=None))
        if output is not None and (usual is None or not np.array_equal(output, usual)):
            yield Situation("in training mode" if mode else "in evaluation mode", point)


def _batch_sizes(given: Point) -> List[int]:
    if not given.inputs or np.ndim(given.inputs[0]) < 1:
        return []
    n = len(np.asarray(given.inputs[0]))
    return [1, 2 if n > 4 else n + 1]


Upstreams = Tuple[np.ndarray, ...]


def upstreams_for(output: np.ndarray, ignores_upstream: bool, rng: np.random.Generator) -> Upstreams:
    """Return two signed random upstream gradients, the second with a row of zeros; ones where backward takes none."""
    if output.ndim == 0 or ignores_upstream:
        return (np.ones(output.shape),)
    first, second = (rng.uniform(0.5, 1.5, output.shape) * rng.choice([-1.0, 1.0], output.shape) for _ in range(2))
    if len(second) > 1:
        second[rng.integers(len(second))] = 0
    return first, second
