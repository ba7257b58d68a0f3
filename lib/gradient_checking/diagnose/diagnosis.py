"""From evidence to causes: what most likely went wrong, without knowing the answer."""
from __future__ import annotations

from typing import Dict, List, Optional, Sequence, Tuple

import numpy as np

from lib.gradient_checking.diagnose.catalogue import wrong_formulas
from lib.gradient_checking.diagnose.causes import cause
from lib.gradient_checking.diagnose.evidence import SHARP, Trial, collect
from lib.gradient_checking.diagnose.exceptions import explain
from lib.gradient_checking.diagnose.forward_graph import graphs_of
from lib.gradient_checking.diagnose.formulas import HYPOTHESES
from lib.gradient_checking.diagnose.labels import GUESSES
from lib.gradient_checking.diagnose.hypotheses import Hypothesis
from lib.gradient_checking.diagnose.networks import Check, diagnose_parts
from lib.gradient_checking.diagnose.slips import slips_of
from lib.gradient_checking.diagnose.structure import low_precision, ratio_cause, region_cause, reordered, uneven_ratio
from lib.gradient_checking.examination import Examination
from lib.gradient_checking.report import Cause

# Problems that explain wrong values, so that they stand before what the values look like; the others stand behind.
FIRST = ("random numbers in backward", "not deterministic", "upstream gradient changed in place",
         "input changed in place", "parameter changed in place", "cache changed in place", "stale cache",
         "overwritten instead of accumulated")
ZEROS, *OTHER_HYPOTHESES = HYPOTHESES
NO_TYPICAL = "no typical mistake"


def diagnose(examination: Examination, check: Check) -> List[Cause]:
    """Return the likely causes, the likeliest first, each once.

    Args:
        examination: what was found.
        check: checks another module, such as a part of the one examined.
    """
    problems = [cause(problem.cause, problem.sentence) for problem in examination.problems
                if not problem.indices or set(problem.indices) & set(examination.indices)]
    found: List[Cause] = []
    if examination.failure is not None:
        found = _of_the_exception(examination, check)
    elif examination.malformed:
        found = _of_malformed_gradients(examination, check)
    elif examination.deterministic:
        found = _of_wrong_values(examination, check, [problem for problem in problems if problem.name in FIRST])
    if found and is_generic(found[0]):  # what a probe found says more
        found, problems = [], problems + found
    by_name: Dict[str, Cause] = {}
    for candidate in found + problems:
        by_name.setdefault(candidate.name, candidate)
    if len(by_name) > 1:
        by_name.pop("unknown", None)
    return list(by_name.values()) or [cause("unknown", "no hypothesis fits")]


def _of_the_exception(examination: Examination, check: Check) -> List[Cause]:
    assert examination.failure is not None
    parts = diagnose_parts(examination, check)
    explained = explain(examination.failure.error, examination.failure.situation.name)
    if isinstance(examination.failure.error, NotImplementedError):
        return parts or explained
    return parts + explained


def _of_malformed_gradients(examination: Examination, check: Check) -> List[Cause]:
    found = [each for index, (kind, text) in sorted(examination.malformed.items())
             for each in _malformed(examination, index, kind, text)]
    if found[0].name == "None returned":  # that is sure, and whatever else looks wrong may come of it
        return found
    parts = diagnose_parts(examination, check)
    # a shape is wrong because a layer was left out, rather than the other way round
    is_of_form = all(each.name in ("wrong shape", "not an array") for each in found)
    return parts + found if is_of_form else found + parts


def _malformed(examination: Examination, index: int, kind: str, text: str) -> List[Cause]:
    """Return causes for one gradient that isn't an array of real numbers of the right shape."""
    evidence = f"the gradient of {examination.name(index)} {text}"
    if kind == "None returned":
        return [cause(kind, "what backward returns is None")]
    if kind != "wrong shape":
        return [cause("low precision" if kind == "low precision" else "not an array", evidence)]
    found = []
    got, expected = np.shape(examination.bad_gradients[index]), np.shape(examination.given.point.tensor(index))
    if got == expected[::-1] and got != expected:
        found.append(cause("transposed", evidence))
    if index > 0 and len(got) > len(expected) and got[-len(expected):] == expected and got[0] > 1:
        found.append(cause("missing sum over the batch", evidence))
    return found + [cause("wrong shape", evidence)]


def _of_wrong_values(examination: Examination, check: Check, first: List[Cause]) -> List[Cause]:
    wrong = [index for index in examination.indices
             if any(found.comparison.num_wrong for found in examination.found[index])]
    found = _not_finite(examination, wrong) + first
    if not wrong:
        return found
    if not found:
        found = diagnose_parts(examination, check)
    if all(each.name in FIRST for each in found):
        found += _merged([_explain_values(examination, index) for index in wrong])
    return found


def _not_finite(examination: Examination, wrong: Sequence[int]) -> List[Cause]:
    for index in wrong:
        for situation, comparison in examination.found[index]:
            bad = next((entry for entry in comparison.wrong if not np.isfinite(entry.got)), None)
            if bad is not None or comparison.max_error == float("inf") and comparison.num_wrong:
                where = ""
                if bad is not None and index == 0:
                    where = f", where the input is {float(situation.point.inputs[0][bad.index]):.4g}"
                return [cause("NaN or infinity", f"the gradient of {examination.name(index)} is not finite "
                              f"{situation.name}{where}")]
    return []


def _explain_values(examination: Examination, index: int) -> List[Cause]:
    """Return causes for the wrong values of one tensor."""
    name = examination.name(index)
    trials = [trial for trial in collect(examination, index) if all(np.all(np.isfinite(got)) for got in trial.got)]
    _sharpen(trials)
    if not trials or all(trial.is_right for trial in trials):
        return [_of_a_special_situation(examination, index, max([trial.sharpness for trial in trials], default=SHARP))]
    unused = _unused(examination, index, trials)
    if unused is not None:
        return [unused]
    wrong = [trial for trial in trials if not trial.is_right]
    wrong_as_given = any(found.comparison.num_wrong for found in examination.found[index]
                         if found.situation.point.training is None)
    if len(wrong) == 1 < len(trials) and wrong[0].point.training is not None and not wrong_as_given:
        mode, other = ("training", "evaluation") if wrong[0].point.training else ("evaluation", "training")
        return [cause("another formula", f"{name}: wrong in {mode} mode only: there the derivative is another one than "
                      f"in {other} mode, in which it is right")]
    found = _from_numbers(examination, index, trials) or [cause("another formula", _one_entry(trials))]
    return [each._replace(evidence=f"{name}: {each.evidence}") for each in found]


def _unused(examination: Examination, index: int, trials: Sequence[Trial]) -> Optional[Cause]:
    """Return a cause for a parameter that no output depends on, as another array holds a copy of its numbers."""
    if index == 0 or any(np.any(np.nan_to_num(trial.expected[k])) for trial in trials for k in range(len(trial.got))):
        return None
    name, data = examination.name(index), examination.given.point.tensor(index)
    twins = [f"{path}.{attribute}" for path, module in examination.bench.module.named_modules()
             for attribute, value in vars(module).items() if isinstance(value, np.ndarray)
             and value.size == data.size > 1 and np.array_equal(value.ravel(), data.ravel())]
    return cause("parameter not used", f"no output changes if {name} does, but {twins[0]} holds a copy of its numbers. "
                 "A Parameter copies an array of its own size that it is given: make the other one a view of the "
                 "parameter's data, as by self.flat = self.W.data.ravel()") if twins else None


def _of_a_special_situation(examination: Examination, index: int, sharpness: float) -> Cause:
    """Return a cause for values that are wrong in one situation, and right at other numbers up to the sharpness."""
    found = next(found for found in examination.found[index] if found.comparison.num_wrong)
    name, where = examination.name(index), found.situation.name
    if found.situation.point.training is not None:
        return cause("stale cache", f"{name}: after a pass in the other mode, the gradient is wrong {where}, as if it "
                     "were that of the other mode")
    if found.comparison.max_error <= sharpness * found.comparison.size:  # at other numbers, that wouldn't be seen
        return cause("unknown", f"{name}: wrong {where}, but only by {found.comparison.max_error:.1g}. Does backward "
                     "add or round something small, such as an epsilon, that forward doesn't, or elsewhere?")
    if found.comparison.num_wrong < 0.5 * found.comparison.num_compared:
        return cause("single entries wrong", f"{name}: {found.comparison.num_wrong} or more of "
                     f"{found.comparison.num_compared} entries are wrong {where}, and right at other numbers")
    return cause("unknown", f"{name}: wrong {where}, and right at all other numbers that were tried")


def is_generic(found: Cause) -> bool:
    """Return whether a cause only says that no typical mistake fits."""
    return NO_TYPICAL in found.evidence


def _one_entry(trials: Sequence[Trial]) -> str:
    """Say what one entry should be and is, where no typical mistake explains it."""
    trial = next(trial for trial in trials if not trial.is_right)
    error = np.where(np.isfinite(trial.expected[0]), np.abs(trial.got[0] - trial.expected[0]), -1.0)
    place = tuple(int(i) for i in np.unravel_index(int(np.argmax(error)), error.shape)) if error.ndim else ()
    text = (f"{NO_TYPICAL} gives these numbers. For example, entry {list(place)} should be "
            f"{trial.expected[0][place]:.5g}, but is {trial.got[0][place]:.5g}, where the number itself is "
            f"{float(trial.value[place]):.5g}")
    upstream = trial.upstreams[0]
    if trial.is_elementwise and upstream[place]:
        text += (f"; so dy/dx there is {trial.expected[0][place] / upstream[place]:.5g}, and your code has "
                 f"{trial.got[0][place] / upstream[place]:.5g}")
    return text


def _sharpen(trials: Sequence[Trial]) -> None:
    """Where forward rounds coarsely, take what its graph gives for the right gradients: that isn't rounded so."""
    for trial in trials:
        graphs = graphs_of(trial) if trial.sharpness > SHARP else None
        if graphs is not None:
            trial.expected, trial.sharpness = [graph.gradient for graph in graphs], SHARP


def _from_numbers(examination: Examination, index: int, trials: List[Trial]) -> List[Cause]:
    """Return causes from the most telling evidence that there is, the surest kind first."""
    rounded = low_precision(trials)
    if rounded is not None:
        return [rounded]
    ratio = ratio_cause(trials)
    found = (_fitting(trials, [ZEROS]) + ([] if ratio is None else [ratio])
             + _fitting(trials, wrong_formulas(trials)))
    if found:
        return found
    for hypotheses in (OTHER_HYPOTHESES, slips_of(trials, examination.name(index))):
        found = _fitting(trials, hypotheses)
        if found:
            return found
    found = uneven_ratio(trials) or _fitting(trials, GUESSES)
    if found:
        return found
    moved = reordered(trials)
    if moved is not None:
        return [moved]
    return _from_the_probes(examination, index, trials) + region_cause(trials)


def _from_the_probes(examination: Examination, index: int, trials: Sequence[Trial]) -> List[Cause]:
    """Return causes that follow from how the gradient depends on the upstream gradient."""
    if all(len(trial.got) > 1 and np.allclose(trial.got[0], trial.got[1], atol=1e-9) for trial in trials):
        return [cause("upstream gradient ignored", "two different upstream gradients give the same gradient")]
    if any(problem.cause == "not linear in the upstream gradient" and index in problem.indices
           for problem in examination.problems) or any(not trial.is_linear for trial in trials):
        compared = [each for each in examination.problems if each.cause == "not an array"]
        return [cause(each.cause, each.sentence) for each in compared] or [
            cause("not linear in the upstream gradient",
                  "a multiple of the upstream gradient doesn't give that multiple of the gradient")]
    return []


def _fitting(trials: Sequence[Trial], hypotheses: Sequence[Hypothesis]) -> List[Cause]:
    """Return the causes whose gradients are what the module gives in every trial in which they can be made."""
    return [cause(hypothesis.cause, hypothesis.evidence) for hypothesis in hypotheses if _fits(trials, hypothesis)]


def _fits(trials: Sequence[Trial], hypothesis: Hypothesis) -> bool:
    num_fitting, explains = 0, False
    for trial in trials:
        fits = _fits_trial(trial, hypothesis)
        if fits is False:
            return False
        if fits:
            num_fitting += 1
            explains = explains or not trial.is_right
    return explains and num_fitting >= min(2, len(trials))


def _fits_trial(trial: Trial, hypothesis: Hypothesis) -> Optional[bool]:
    """Return whether a hypothesis leads to what came, or None if it says nothing here."""
    try:
        gradients = [hypothesis.gradient(trial, k) for k in range(len(trial.upstreams))]
    except Exception:  # the formula doesn't apply to this module
        return None
    if any(gradient is None for gradient in gradients):
        return None
    return trial.matches([np.asarray(gradient, dtype=float) for gradient in gradients])


def _merged(by_tensor: Sequence[List[Cause]]) -> List[Cause]:
    """Rank the causes of several tensors: first those that explain most of them."""
    names = [[each.name for each in causes] for causes in by_tensor]
    flat = [each for causes in by_tensor for each in causes]

    def rank(each: Cause) -> Tuple[bool, int, int]:
        firsts = sum(bool(own) and own[0] == each.name for own in names)
        return (is_generic(each), -firsts,
                min(own.index(each.name) for own in names if each.name in own))

    return sorted(flat, key=rank)
