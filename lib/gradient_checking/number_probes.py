"""Probes with other numbers: zeros, predictions that hit their labels, single precision, integers."""
from __future__ import annotations

from typing import List, Sequence

import numpy as np

from lib.gradient_checking.measure.points import Point, Run
from lib.gradient_checking.measure.situations import finite_output
from lib.gradient_checking.measure.workbench import Workbench
from lib.gradient_checking.probes import Problem, differ, is_finite, quietly
from lib.gradient_checking.sheets import takes_any_number


def zeros_and_hits(bench: Workbench, point: Point, upstream: np.ndarray, indices: Sequence[int]) -> List[Problem]:
    """Where an input is 0, or a prediction hits its label, the gradient must be a number, if the slopes there are."""
    x = point.inputs[0].copy()
    others = point.inputs[1] if len(point.inputs) > 1 and np.shape(point.inputs[1]) == x.shape else np.zeros(x.shape)
    hits = np.asarray(others, dtype=float).reshape(-1)[::3]
    in_range = takes_any_number(bench.module) or bool(np.any((hits >= x.min()) & (hits <= x.max())))
    x.reshape(-1)[::3] = hits
    there = point.with_tensor(0, x)
    output = finite_output(bench, there)
    if output is None or output.shape != upstream.shape:
        return []
    run = quietly(lambda: bench.run(there, upstream))
    concerned = tuple(i for i in indices if run is not None and run.gradient(i) is not None
                      and not is_finite(run.gradient(i)))
    if not concerned or not takes_any_number(bench.module) and not _has_slopes(bench, there, output):
        return []
    return [Problem("NaN or infinity", "where an input is 0, or a prediction is equal to its label, the gradient is "
                    "NaN or infinite" + ("." if in_range else ": it may be that no input is ever 0."), concerned,
                    is_remark=not in_range)]


def _has_slopes(bench: Workbench, point: Point, output: np.ndarray) -> bool:
    """Return whether the output has finite slopes to both sides of a point, as |x| has and sqrt|x| hasn't."""
    for sign in (-1.0, 1.0):
        slopes = []
        for step in (1e-4, 1e-6, 1e-8):
            moved = point.inputs[0].copy()
            moved.reshape(-1)[::3] += sign * step
            there = finite_output(bench, point.with_tensor(0, moved))
            if there is None or there.shape != output.shape:
                return False
            slopes.append(np.nan_to_num(there - output) / step)
        size = float(np.max(np.abs(slopes[0]), initial=0)) or 1.0
        if not all(np.all(np.abs(slope - slopes[0]) <= 1e-2 * size) for slope in slopes[1:]):
            return False
    return True


def single_precision(bench: Workbench, point: Point, upstream: np.ndarray, run: Run,
                     indices: Sequence[int]) -> List[Problem]:
    """A module given in float32 must be right in float32, too, as far as that goes."""
    given = [np.asarray(value).dtype for value in bench.given_inputs if np.asarray(value).dtype.kind == "f"]
    if all(dtype.itemsize >= 8 for dtype in [*given, *bench.given_dtypes]):
        return []
    single = quietly(lambda: bench.in_given_precision(point, upstream))
    size = float(np.max(np.abs(run.output[np.isfinite(run.output)]), initial=0)) or 1.0
    if single is None or single.output.shape != run.output.shape:
        return []
    off = float(np.max(np.abs(np.nan_to_num(single.output - run.output)), initial=0)) / size
    if off > 1e-3:
        return []  # forward itself differs: that proves nothing
    concerned = tuple(i for i in indices if differ(single.gradient(i), run.gradient(i), max(1e-2, 1000 * off)))
    return [Problem("low precision", "in float32, the precision that this module was given in, the gradient differs "
                    "from that in float64 by more than rounding.", concerned)] if concerned else []


def integer_input(bench: Workbench, given: Point, floats: Point, upstream: np.ndarray, run: Run,
                  indices: Sequence[int]) -> List[Problem]:
    """Integers as input must give the same gradients as the same numbers as floats."""
    if given is floats:
        return []
    try:
        integers = bench.run(given, upstream)
    except Exception as error:
        return [Problem("low precision", "with integers as input, backward fails, although the same numbers as floats "
                        f"work ({type(error).__name__}: {error}). An array made by zeros_like(x) takes over the "
                        "integer type of x.")]
    concerned = tuple(i for i in indices if differ(integers.gradient(i), run.gradient(i), 1e-5))
    return [Problem("low precision", "with integers as input, the gradient differs from that of the same numbers as "
                    "floats. An array made by zeros_like(x) takes over the integer type of x and cuts off decimals.",
                    concerned)] if concerned else []
