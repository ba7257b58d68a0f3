"""From what an examination has found to the verdict on each gradient."""
from __future__ import annotations

from lib.gradient_checking.examination import Examination
from lib.gradient_checking.report import OK, TO_DO, WRONG, TensorReport


def report_on(examination: Examination, index: int) -> TensorReport:
    """Return the verdict on one tensor: 0 for the first input, i for parameter number i - 1."""
    tensor = TensorReport(examination.name(index), "input" if index == 0 else "parameter")
    comparisons = [found.comparison for found in examination.found[index]]
    wrong = [found for found in examination.found[index] if found.comparison.num_wrong]
    tensor.num_compared = max([c.num_compared for c in comparisons], default=0)
    tensor.max_error = max([c.max_error for c in comparisons], default=0.0)
    tensor.max_relative_error = max([c.max_relative_error for c in comparisons], default=0.0)
    if index in examination.malformed:
        kind, text = examination.malformed[index]
        tensor.verdict = TO_DO if kind == "None returned" and examination.nothing_done else WRONG
        tensor.reason = f"The gradient {text}"
    elif examination.failure is not None:
        to_do = isinstance(examination.failure.error, NotImplementedError)
        tensor.verdict = TO_DO if to_do else WRONG
        tensor.reason = "backward isn't written yet." if to_do else "backward raises an exception."
    elif wrong:
        situation, comparison = wrong[0]
        tensor.verdict, tensor.entries, tensor.num_wrong = WRONG, list(comparison.wrong), comparison.num_wrong
        tensor.num_compared = comparison.num_compared
        tensor.situation = situation.name
        tensor.reason = f"{comparison.num_wrong} of {comparison.num_compared} entries are wrong {situation.name}."
    elif any(index in problem.indices and not problem.is_remark for problem in examination.problems):
        tensor.verdict = WRONG
        tensor.reason = "The values of one call are right, but " + next(
            problem.sentence for problem in examination.problems if index in problem.indices and not problem.is_remark)
    elif not examination.deterministic:
        tensor.reason = "forward gives other values each time."
    elif any(c.proves_something for c in comparisons):
        tensor.verdict = OK
    elif any(found.comparison.all_zero and found.situation.name == "with other numbers"
             for found in examination.found[index]):
        tensor.verdict = OK
        examination.warnings.append(f"{tensor.name}: every expected gradient is zero, also with other inputs and "
                                    "parameters. The output seems not to depend on it at all.")
    elif comparisons and all(c.all_zero for c in comparisons):
        tensor.reason = ("Every expected gradient is zero, at all points that were tried: that proves nothing. Try "
                         "other inputs or parameters.")
    else:
        tensor.reason = "All points that were tried lie on a kink, or rounding hides the derivative."
    return tensor
