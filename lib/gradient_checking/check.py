"""check_module: the function behind Module.check_gradients."""
from __future__ import annotations

import warnings
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Iterator, List, Optional, Tuple

import numpy as np

from lib.gradient_checking.course import hint_level
from lib.gradient_checking.diagnose.diagnosis import diagnose
from lib.gradient_checking.diagnose.networks import wrong_at_ties
from lib.gradient_checking.examination import Examination
from lib.gradient_checking.gaps import gap_of
from lib.gradient_checking.report import UNDECIDABLE, GradientReport, GradientShapeError
from lib.gradient_checking.measure.workbench import Workbench
from lib.gradient_checking.verdicts import report_on
from lib.network_base import Module
from lib.validation import InputError


class UndecidableWarning(UserWarning):
    """A gradient could neither be confirmed nor refuted."""


# Inside of `with one_check()`: the (module, inputs, report) of the checks so far; outside, None.
_SHARED: ContextVar[Optional[List[Tuple[Any, Any, GradientReport]]]] = ContextVar("shared", default=None)


@contextmanager
def one_check() -> Iterator[None]:
    """Let the checks inside the block that are of the same module and inputs, and differ in wrt only, share one run."""
    token = _SHARED.set([])
    try:
        yield
    finally:
        _SHARED.reset(token)


def check_module(module: Any, input_args: Tuple[Any, ...], tolerance: float = 1e-6, wrt: str = "all",
                 hints: Optional[int] = None) -> GradientReport:
    """Compare a module's backward with numeric derivatives, and probe what else it must do.

    The module, its parameters and their gradients, its caches and all random states are afterwards as they were.

    Args:
        module: the module.
        input_args: the inputs of its forward, as a tuple; () if it takes none.
        tolerance: the relative error of an entry that is allowed beyond the uncertainty of its numeric derivative.
        wrt: "input" (the gradient that backward returns), "params" (those it adds to the parameters), or "all".
        hints: how much the report tells, 0 to 3; see lib.gradient_checking.course.

    Raises:
        InputError: input_args isn't a tuple, or holds NaN or an empty array.
        Exception: whatever forward raises, if it doesn't accept the inputs.
    """
    if not isinstance(input_args, tuple):
        raise InputError(f"{type(module).__name__}.check_gradients expects the inputs as a tuple, but got the type "
                         f"{type(input_args).__name__}. For one input, write check_gradients((x,)), with the comma.")
    shared = _SHARED.get()
    if shared is not None:
        for known, known_args, report in shared:
            if known is module and known_args is input_args:
                return report.on(wrt)
        _SHARED.set(None)
        try:
            report = check_module(module, input_args, tolerance, "all", hints)
        finally:
            _SHARED.set(shared)
        shared.append((module, input_args, report))
        return report.on(wrt)
    if wrt not in ("all", "input", "params"):
        raise InputError(f'check_module expects wrt to be "all", "input" or "params", but got {wrt!r}.')
    _refuse_what_proves_nothing(module, input_args)
    report = GradientReport(type(module).__name__, hint_level(hints))
    report.checked = (module, input_args)
    with warnings.catch_warnings(), np.errstate(all="ignore"), Workbench(module, input_args) as bench:
        warnings.simplefilter("ignore")
        examination = Examination(bench, tolerance, wrt)
        examination.examine()
        report.tensors = [report_on(examination, index) for index in examination.indices]
        _conclude(examination, report)
    for tensor in report.tensors if report.ok else ():
        if tensor.verdict == UNDECIDABLE:
            warnings.warn(f"{report.module}, {tensor.name}: the gradient is undecidable. {tensor.reason}",
                          UndecidableWarning, stacklevel=3)
    return report


def _conclude(examination: Examination, report: GradientReport) -> None:
    """Fill in the report's problems, remarks, warnings and causes."""
    for problem in examination.problems:
        if not problem.indices or set(problem.indices) & set(examination.indices):
            (report.remarks if problem.is_remark else report.problems).append(problem.sentence)
    report.warnings += examination.warnings
    if any(kind == "wrong shape" for kind, _ in examination.malformed.values()):
        report.error_class = GradientShapeError
    if report.ok and examination.deterministic:
        report.causes = wrong_at_ties(examination, check_module)
        report.problems += [each.sentence for each in report.causes[:1]]
    if not report.causes and (not report.ok or report.remarks):
        report.causes = diagnose(examination, check_module)
        failure, backward = examination.failure, type(examination.bench.module).backward
        gap = gap_of(backward) if backward is not Module.backward else None  # which is no place to write in
        report.raised = failure is not None and not isinstance(failure.error, NotImplementedError)
        report.place = gap.place if gap is not None else ""


def _refuse_what_proves_nothing(module: Any, inputs: Tuple[Any, ...]) -> None:
    """Raise a sentence for inputs at which no derivative can be compared."""
    name = type(module).__name__
    for i, value in enumerate(inputs):
        try:
            array = np.asarray(value)
        except ValueError:
            continue  # forward says what it thinks of rows of different lengths
        if array.dtype.kind == "c":
            raise InputError(f"{name}.check_gradients can't check complex numbers (input number {i + 1}): check the "
                             "real and the imaginary part.")
        if array.dtype.kind == "f" and np.isnan(array).any():
            raise InputError(f"{name}.check_gradients got NaN in input number {i + 1} (at "
                             f"{[int(k) for k in np.argwhere(np.isnan(array))[0]]}): there is no derivative. Give "
                             "finite numbers.")
        if isinstance(value, (np.ndarray, list)) and array.size == 0:
            raise InputError(f"{name}.check_gradients got an empty input number {i + 1}, of shape {array.shape}: that "
                             "proves nothing. Give at least one example.")
