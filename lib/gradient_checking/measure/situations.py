"""Situations: points near the given one and away from it, on which mistakes show that the given one hides.

A mistake may not show where all inputs are positive, where the batch has one example, where a layer's units are all
off, or in the mode the module happens to be in. So the given situation is varied; a variation counts only if the
module's forward accepts it and gives finite numbers. Values stay in the range of the given ones, unless the module is
known to take any number: a logarithm's inputs must stay positive.
"""
from __future__ import annotations

from typing import Any, Iterator, List, NamedTuple, Optional, Tuple

import numpy as np

from lib.gradient_checking.measure.slopes import is_real
from lib.gradient_checking.measure.points import Point
from lib.gradient_checking.measure.workbench import Workbench
from lib.gradient_checking.sheets import takes_any_number


LARGE, TOO_LARGE = 20.0, 1e6  # an input whose greatest number is between them is tried scaled down, too


class Situation(NamedTuple):
    """A point with the words that describe it."""

    name: str
    point: Point


def given_point(bench: Workbench) -> Point:
    """Return the given situation; integers become floats if forward takes them for numbers, not for a choice."""
    point = bench.start
    if not point.inputs or not isinstance(point.inputs[0], np.ndarray):
        return point
    if point.inputs[0].dtype.kind == "f":
        return point.with_tensor(0, point.inputs[0].astype(np.int64)) if chooses(bench, point) else point
    if point.inputs[0].dtype.kind not in "iub":
        return point
    floats = point.with_tensor(0, point.inputs[0].astype(np.float64))
    try:
        expected, output = bench.forward(point), bench.forward(floats)
    except Exception:
        return point
    if output.shape != expected.shape or not np.allclose(output, expected, rtol=1e-5, atol=1e-8, equal_nan=True):
        return point
    return point if chooses(bench, floats) else floats


def chooses(bench: Workbench, point: Point) -> bool:
    """Return whether the first input chooses something, as an embedding's: then there is no gradient by it.

    Whole numbers choose if a small part more doesn't matter or makes a jump, and no gradient comes back for them.
    """
    x: Any = point.inputs[0] if point.inputs else None
    if not is_real(x) or x.size == 0 or not np.array_equal(x, np.round(x)):
        return False

    def moved(by: float) -> np.ndarray:
        return bench.forward(point.with_tensor(0, x + by))

    try:
        output = bench.forward(point)
        returned = bench.run(point, np.ones(output.shape)).returned
        if returned is not None and np.any(returned):
            return False
        cut_off = all(np.array_equal(moved(part), output) for part in (0.25, 0.5))
        jumps = [float(np.max(np.abs(moved(part) - output), initial=0)) for part in (1e-3, 1e-6)]
    except Exception:  # numbers that aren't whole are refused
        return False
    return returned is None and cut_off or jumps[1] > 0.5 * jumps[0] > 0


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


def redrawn(point: Point, rng: np.random.Generator, any_number: bool, flip: bool = False) -> Point:
    """Return a point with other inputs and parameters; with flip, the parameters' signs are drawn, too."""
    for index in range(0 if point.inputs else 1, len(point.params) + 1):
        value = point.tensor(index)
        if is_real(value) and value.size:
            draw = _other_inputs(value, rng, any_number) if index == 0 else _other_parameters(value, rng, flip)
            point = point.with_tensor(index, draw)
    return point


def with_other_labels(point: Point) -> Point:
    """Return the point with other labels: what stands beside the first input is moved on, or 0 turned to 1.

    One-hot rows stay one-hot, class numbers stay in their range, and so do numbers.
    """
    inputs = list(point.inputs)
    for i, value in enumerate(inputs[1:], start=1):
        if not isinstance(value, np.ndarray) or value.size < 2:
            continue
        if value.ndim == 2 and value.shape[1] > 1:  # labels that were all alike then differ
            inputs[i] = np.stack([np.roll(row, 1 + number % 2) for number, row in enumerate(value)])
        elif value.ndim > 1 and value.shape[-1] > 1:
            inputs[i] = np.roll(value, 1, axis=-1)
        elif set(np.unique(value)) <= {0, 1} and value.dtype.kind in "fiu":
            inputs[i] = 1 - value
        else:
            inputs[i] = np.roll(value, 1)
    return point._replace(inputs=tuple(inputs))


def _other_inputs(x: np.ndarray, rng: np.random.Generator, any_number: bool) -> np.ndarray:
    low, high = float(np.min(x)), float(np.max(x))
    if any_number:
        return 1.3 * rng.standard_normal(x.shape)
    if low < high:
        return rng.uniform(low, high, x.shape)
    return x * rng.uniform(0.6, 1, x.shape)


def _other_parameters(value: np.ndarray, rng: np.random.Generator, flip: bool) -> np.ndarray:
    """Return numbers of the sizes that are there, with other signs: a larger weight may be more than is meant."""
    if np.all(value == 0):
        return 0.3 * rng.standard_normal(value.shape)
    sizes = rng.permutation(np.abs(value).ravel()).reshape(value.shape) * rng.uniform(0.6, 1.0, value.shape)
    return sizes * (rng.choice([-1.0, 1.0], value.shape) if flip else np.where(value < 0, -1.0, 1.0))


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
    """Return forward's output at a point, or None if the module doesn't accept it or gives no finite numbers.

    Single infinite entries, as a causal mask makes them, are no obstacle.
    """
    try:
        output = bench.forward(point)
    except Exception:
        return None
    return output if np.any(np.isfinite(output)) and not np.any(np.isnan(output)) and (
        output.ndim or np.isfinite(output)) else None


def other_numbers(bench: Workbench, point: Point, rng: np.random.Generator) -> Optional[Point]:
    """Return a point with other inputs and parameters that forward accepts; None if none was found."""
    any_number = takes_any_number(bench.module)
    given = finite_output(bench, point)
    for flip in (True, False, False):
        drawn = redrawn(point, rng, any_number, flip)
        drawn = with_other_labels(drawn) if flip else drawn
        output = finite_output(bench, drawn)
        if output is not None and (given is None or np.array_equal(np.isfinite(output), np.isfinite(given))):
            return drawn
    return None


class Batches:
    """How a module takes batches: whether each example stands for itself, and so any number of them is meant."""

    def __init__(self, bench: Workbench, given: Point) -> None:
        self.bench, self.given = bench, given
        x = given.inputs[0] if given.inputs else None
        self.size = len(x) if isinstance(x, np.ndarray) and x.ndim and x.size else 0
        self.output = finite_output(bench, given)
        self.are_separate = self.size > 0 and self.output is not None and self._separate()

    def _separate(self) -> bool:
        """Return whether examples alone give their rows of the output, or the mean or the sum of all is the output."""
        assert self.output is not None
        places = range(self.size) if self.output.ndim == 0 else sorted({0, self.size // 2, self.size - 1})
        if len(places) > 64 or self.output.ndim and len(self.output) != self.size:
            return False
        alone: List[Any] = [finite_output(self.bench, self._rows([place])) for place in places]
        if any(output is None for output in alone):
            return False
        if self.output.ndim == 0:
            total = float(np.sum(alone))
            return any(np.isclose(self.output, value, rtol=1e-5) for value in (total / self.size, total))
        return all(output.shape == (1,) + self.output.shape[1:]
                   and np.allclose(output[0], self.output[place], rtol=1e-4, atol=1e-6)
                   for output, place in zip(alone, places))

    def _rows(self, rows: Any) -> Point:
        def chosen(value: Any) -> Any:
            if isinstance(value, np.ndarray) and value.ndim and len(value) == self.size:
                return value[np.asarray(rows)]
            return value
        return self.given._replace(inputs=tuple(chosen(value) for value in self.given.inputs))

    def resized(self, size: int, rng: np.random.Generator) -> Optional[Point]:
        """Return a point with `size` examples and other numbers, if forward takes it for that many examples."""
        point = other_numbers(self.bench, self._rows(np.arange(size) % self.size), rng)
        if point is None:
            return None
        point = near(point, rng, 1e-3)
        output = finite_output(self.bench, point)
        if output is None or self.output is None:
            return None
        if size > self.size and self._ignores_the_rest(point, output):
            return None
        scalar = output.ndim == 0 and self.output.ndim == 0
        per_example = bool(output.ndim) and len(output) * self.size == len(self.output) * size and \
            output.shape[1:] == self.output.shape[1:]
        return point if scalar or per_example or output.shape == self.output.shape else None

    def _ignores_the_rest(self, point: Point, output: np.ndarray) -> bool:
        """Return whether forward goes by the number of examples that was given, and takes no more of them."""
        if point.inputs[0].dtype.kind != "f":
            return False
        others = point.inputs[0].copy()
        others[self.size:] *= 0.5
        there = finite_output(self.bench, point.with_tensor(0, others))
        return there is not None and np.array_equal(there, output)

    def sizes(self) -> List[int]:
        """Return other numbers of examples that the module is meant for: of pairs, twice as many are as well pairs."""
        if self.size == 0:
            return []
        if self.are_separate:
            return [size for size in (1, 2 if self.size > 4 else self.size + 1) if size != self.size]
        return [2 * self.size] if self.given.inputs[0].size <= 5000 else []


def variations(bench: Workbench, given: Point, few: bool = False) -> Iterator[Situation]:
    """Yield situations made of the given one that forward accepts, the nearest first; few if passes are slow."""
    rng = np.random.default_rng(5)
    point = near(given, rng, 1e-2)
    if finite_output(bench, point) is not None:
        yield Situation("near the given numbers", point)
    if hasattr(bench.module, "train") and hasattr(bench.module, "training"):
        yield from _other_mode(bench, near(given, rng, 1e-2))
    other = other_numbers(bench, given, rng)
    if other is not None:
        yield Situation("with other numbers", other)
    if few:
        return
    smaller = _smaller(near(given, rng, 1e-2))
    if smaller is not None and finite_output(bench, smaller) is not None:
        yield Situation("with smaller numbers", smaller)
    batches = Batches(bench, given)
    for size in batches.sizes():
        varied = batches.resized(size, rng)
        if varied is not None:
            yield Situation(f"with a batch of {size}", varied)


def _smaller(point: Point) -> Optional[Point]:
    """Return a point with the input scaled down to ordinary numbers, where exponentials aren't all 0 or 1."""
    x = point.inputs[0] if point.inputs else None
    if not isinstance(x, np.ndarray) or x.dtype.kind != "f" or not np.isfinite(x).all():
        return None
    size = float(np.max(np.abs(x), initial=0))
    return point.with_tensor(0, x * (2 / size)) if LARGE < size < TOO_LARGE else None


def _other_mode(bench: Workbench, point: Point) -> Iterator[Situation]:
    mode = not bench.module.training
    point = point._replace(training=mode)
    output, usual = finite_output(bench, point), finite_output(bench, point._replace(training=None))
    if output is not None and (usual is None or not np.array_equal(output, usual)):
        yield Situation("in training mode" if mode else "in evaluation mode", point)


Upstreams = Tuple[np.ndarray, ...]


def upstreams_for(output: np.ndarray, ignores_upstream: bool, rng: np.random.Generator) -> Upstreams:
    """Return two signed random upstream gradients, the second with a row of zeros; ones where backward takes none.

    For an output that is infinite, and so constant, they are 0.
    """
    if ignores_upstream:
        return (np.where(np.isfinite(output), 1.0, 0.0),)
    first, second = (rng.uniform(0.5, 1.5, output.shape) * rng.choice([-1.0, 1.0], output.shape) for _ in range(2))
    if output.ndim and len(second) > 1:
        second[rng.integers(len(second))] = 0
    return np.where(np.isfinite(output), first, 0.0), np.where(np.isfinite(output), second, 0.0)
