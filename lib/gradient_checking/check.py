"""check_module: one module, looked at in several situations."""
from __future__ import annotations

from typing import Any, List, Optional, Tuple

import numpy as np

from lib.gradient_checking.hints import level_of
from lib.gradient_checking.report import OK, WRONG, GradientReport, GradientShapeError, TensorReport
from lib.gradient_checking.state import path_of
from lib.gradient_checking.values import Slopes, compare, is_real
from lib.gradient_checking.workbench import Point, Workbench
from lib.validation import InputError


def check_module(module: Any, input_args: Tuple[Any, ...], tolerance: float = 1e-6, wrt: str = "all",
                 hints: Optional[int] = None) -> GradientReport:
    """Check a module's backward and return what was found."""
    if not isinstance(input_args, tuple):
        raise InputError(f"{type(module).__name__}.check_gradients expects the inputs as a tuple, but got a "
                         f"{type(input_args).__name__}. For one input, write check_gradients((x,)), with the comma.")
    report = GradientReport(type(module).__name__, level_of(hints))
    with np.errstate(all="ignore"), Workbench(module, input_args) as bench:
        point = bench.start
        if point.inputs and isinstance(point.inputs[0], np.ndarray) and point.inputs[0].dtype.kind in "iub":
            try:
                floats = point.with_tensor(0, point.inputs[0].astype(np.float64))
                bench.forward(floats)
                point = floats
            except Exception:
                pass
        slopes = Slopes(bench, point)
        rng = np.random.default_rng(0)
        shape = slopes.output.shape
        upstreams = [np.ones(())] if not shape else [
            rng.uniform(0.5, 1.5, shape) * rng.choice([-1, 1], shape) for _ in range(2)]
        runs = [bench.run(point, upstream) for upstream in upstreams]
        first = 0 if wrt != "params" and point.inputs and is_real(point.inputs[0]) else 1
        last = bench.num_listed if wrt != "input" else 0
        for index in range(first, last + 1):
            name = "input" if index == 0 else path_of(module, bench.parameters[index - 1])
            tensor = TensorReport(name, "input" if index == 0 else "parameter")
            report.tensors.append(tensor)
            gradients = [run.gradient(index) for run in runs]
            if np.shape(gradients[0]) != np.shape(point.tensor(index)):
                tensor.verdict, report.error_class = WRONG, GradientShapeError
                tensor.reason = f"has shape {np.shape(gradients[0])}, not {np.shape(point.tensor(index))}"
                continue
            comparison = compare(slopes, index, upstreams, gradients, tolerance)
            tensor.entries = list(comparison.wrong)
            tensor.verdict = WRONG if comparison.num_wrong else OK
    return report
