"""An examination: one module, looked at in several situations, until there is a verdict on each gradient."""
from __future__ import annotations

from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from lib.gradient_checking import number_probes, probes
from lib.gradient_checking.gaps import gap_of
from lib.gradient_checking.measure.kinks import MOST_OUTPUTS, judge_tie, outside, stays_bounded
from lib.gradient_checking.probes import Problem
from lib.gradient_checking.measure.situations import (Situation, finite_output, given_point, upstreams_for,
                                                      variations)
from lib.gradient_checking.measure.state import path_of
from lib.gradient_checking.measure.slopes import Slopes, is_real
from lib.gradient_checking.measure.values import COARSE, SINGLY, Comparison, Entry, compare
from lib.gradient_checking.measure.points import Run
from lib.gradient_checking.measure.workbench import Workbench
from lib.network_base import is_loss


class Found(NamedTuple):
    """The comparison of one tensor in one situation."""

    situation: Situation
    comparison: Comparison


class Failure(NamedTuple):
    """An exception that backward raised, and where."""

    situation: Situation
    error: BaseException
    upstream_shape: Tuple[int, ...]


class Examination:
    """A check in progress: what has been found so far, on which the diagnosis builds.

    Attributes:
        indices: the tensors that are checked: 0 for the first input, i for parameter number i - 1.
        found: for each of them, the comparisons with numeric derivatives.
        malformed: for each of them, a sentence on a gradient that isn't an array of the right shape.
        problems, failure: what else is wrong.
    """

    def __init__(self, bench: Workbench, tolerance: float, wrt: str) -> None:
        self.bench, self.tolerance = bench, tolerance
        self.given = Situation("at the given numbers", given_point(bench))
        point = self.given.point
        self.has_input = bool(point.inputs) and is_real(point.inputs[0]) and point.inputs[0].size > 0
        first = 0 if wrt != "params" and self.has_input else 1
        constants = set(bench.constants())
        self.indices = [index for index in range(first, 1 + (bench.num_listed if wrt != "input" else 0))
                        if index not in constants]
        self.checks_all = wrt == "all"
        self.found: Dict[int, List[Found]] = {index: [] for index in self.indices}
        self.malformed: Dict[int, Tuple[str, str]] = {}
        self.blunt = 0.0  # the part of a gradient up to which errors can't be seen, where forward rounds coarsely
        self.bad_gradients: Dict[int, Any] = {}
        self.problems: List[Problem] = []
        self.warnings: List[str] = []
        self.failure: Optional[Failure] = None
        self.deterministic = True
        if constants:
            names = ", ".join(self.name(index) for index in sorted(constants))
            self.warnings.append(f"Marked constant, so not trained and not checked: {names}.")

    def name(self, index: int) -> str:
        """Return how the report calls a tensor."""
        return "input" if index == 0 else path_of(self.bench.module, self.bench.parameters[index - 1])

    # ------------------------------------------------------------------ the course of the check

    def examine(self) -> None:
        """Look at the given situation closely, and at its variations more quickly."""
        point = self.given.point
        output = self.bench.forward(point)  # if forward refuses its inputs, its own error says why
        self.ignores_upstream = is_loss(self.bench.module) or output.ndim == 0 and self._is_loss_by_use()
        self.bench.draw_again_only_if_needed(point)
        if not probes.is_deterministic(self.bench, point):
            self.deterministic = False
            self.warnings.append("forward gives different values for the same input: it draws random numbers that "
                                 "can't be put back, so no derivative can be compared. Let it draw them "
                                 "from np.random, or from a generator that it keeps, such as self.rng = "
                                 "np.random.default_rng().")
            return
        if finite_output(self.bench, point) is None:
            self.warnings.append("forward gives NaN, infinity or nothing for this input, so there is no derivative.")
        elif not self._look_at(self.given, closely=True):
            return
        for situation in variations(self.bench, point, few=self._is_large()):
            if not self._look_at(situation) and (self.failure is not None or self.malformed):
                return
        if finite_output(self.bench, point) is not None:
            self._probe()
        if self.blunt:
            self.warnings.append(f"forward rounds its results coarsely, as float32 does: errors of less than about "
                                 f"{self.blunt:.0e} of the greatest gradient can't be seen.")

    def _is_loss_by_use(self) -> bool:
        """Return whether a function of predictions and labels gives one number, and no upstream gradient matters."""
        if len(self.given.point.inputs) < 2 and self.bench.wants_upstream():
            return False
        try:
            runs = [self.bench.run(self.given.point, np.array(upstream)) for upstream in (1.0, 2.0)]
            return all(np.array_equal(runs[0].gradient(i), runs[1].gradient(i)) for i in self.indices)
        except Exception:
            return True

    def _look_at(self, situation: Situation, closely: bool = False) -> bool:
        """Compare all gradients in one situation; return whether the check can go on."""
        bench, point = self.bench, situation.point
        output = bench.forward(point)
        upstreams = upstreams_for(output, self.ignores_upstream, np.random.default_rng(4))
        runs = self._runs(situation, upstreams)
        if runs is None:
            return False
        well_formed = self._well_formed(situation, runs)
        if not well_formed and not closely:
            return False
        if closely:
            self.problems += probes.in_place_damage(runs)
            self.upstreams, self.runs = upstreams, runs
            gap = gap_of(type(bench.module).backward)
            self.nothing_done = runs[0].returned is None and (gap is None or gap.is_empty) and not any(
                np.any(grad) for grad in runs[0].grads if isinstance(grad, np.ndarray))
        slopes = Slopes(bench, point)
        if closely:
            self.same = max(probes.SAME, 1000 * slopes.relative_noise)
        for index in self.indices:
            gradients = [run.gradient(index) for run in runs]
            if index in self.malformed or any(gradient is None for gradient in gradients):
                continue
            comparison = compare(slopes, index, upstreams, gradients, self.tolerance, *self._effort(closely))
            if not np.all(np.isfinite(np.stack([np.asarray(g, dtype=float) for g in gradients]))):
                comparison = self._not_finite(situation, index, upstreams, gradients, comparison)
            elif closely and comparison.has_kinks:
                comparison = self._at_a_tie(index, upstreams, gradients, comparison)
            self.found[index].append(Found(situation, comparison))
            if closely and slopes.relative_noise > COARSE and not comparison.num_wrong:
                self.blunt = max(self.blunt, comparison.sharpness)
        if closely and self.checks_all:
            self.problems += probes.forgotten_parameters(bench, slopes, upstreams)
        return well_formed

    def _effort(self, closely: bool) -> Tuple[int, int]:
        """Return into how many groups a large tensor is cut, and up to what size entries are looked at singly."""
        if self._is_large():
            return (8, 64) if closely else (2, 2)
        return (64, SINGLY) if closely else (4, 8)

    def _is_large(self) -> bool:
        """Return whether a forward pass takes milliseconds."""
        return sum(np.size(value) for value in self.given.point.inputs + self.given.point.params) > 50000

    def _runs(self, situation: Situation, upstreams: Sequence[np.ndarray]) -> Optional[List[Run]]:
        try:
            if situation.point.training is not None:  # what the usual mode cached must not count here
                usual = situation.point._replace(training=not situation.point.training)
                runs = [self.bench.run_after(usual, situation.point, upstream, backward=True)
                        for upstream in upstreams]
                if np.array_equal(runs[0].output, self.bench.forward(situation.point)):  # no averages have moved
                    return runs
            return [self.bench.run(situation.point, upstream) for upstream in upstreams]
        except Exception as error:
            # A backward may refuse the other mode; and what is wrong at the given numbers is told first.
            if situation.point.training is None and not self._has_wrong_values():
                self.failure = Failure(situation, error, upstreams[0].shape)
            return None

    def _well_formed(self, situation: Situation, runs: Sequence[Run]) -> bool:
        """Note gradients that aren't arrays of real numbers of the right shape; return whether all are."""
        for index in self.indices:
            expected = np.shape(situation.point.tensor(index))
            for gradient in (run.gradient(index) for run in runs):
                if gradient is None:
                    self.malformed[index] = ("None returned" if index == 0 else "no gradient", "is None.")
                    continue
                array = gradient if isinstance(gradient, np.ndarray) else _as_array(gradient)
                if isinstance(gradient, tuple):
                    self.malformed[index] = ("not an array of numbers", f"is a tuple of {len(gradient)}: backward "
                                             "returns one array, the gradient of the first input alone.")
                elif array.dtype.kind not in "fiub":
                    self.malformed[index] = ("not an array of numbers", "is " + (
                        f"an array of {array.dtype}, not of real numbers." if array is gradient else
                        f"a {type(gradient).__name__}, not an array of real numbers."))
                elif array.shape != expected:
                    self.bad_gradients[index] = array
                    where = "" if situation is self.given else f" {situation.name}"
                    self.malformed[index] = ("wrong shape", f"has shape {array.shape}, but must have that of what it "
                                             f"is the gradient of, {expected}{where}.")
                elif array.dtype.itemsize < runs[0].dtype.itemsize and array.dtype.kind == "f":
                    self.malformed[index] = ("low precision", f"is in {array.dtype}, although the output is in "
                                             f"{runs[0].dtype}: decimals are lost.")
        if situation is not self.given and self._has_wrong_values():
            self.malformed.clear()  # what is wrong at the given numbers is told first
            return False
        return not self.malformed

    def _has_wrong_values(self) -> bool:
        return any(found.comparison.num_wrong for comparisons in self.found.values() for found in comparisons)

    def _not_finite(self, situation: Situation, index: int, upstreams: Sequence[np.ndarray], gradients: Sequence[Any],
                    comparison: Comparison) -> Comparison:
        """Return the comparison with the entries that are NaN or infinite though the derivative near by is not."""
        if comparison.num_wrong or not stays_bounded(self.bench, situation.point, index, upstreams):
            return comparison
        bad = [(tuple(int(i) for i in place), np.asarray(gradient, dtype=float)) for gradient in gradients
               for place in np.argwhere(~np.isfinite(np.asarray(gradient, dtype=float)))]
        places = dict(bad)
        entries = tuple(Entry(place, float("nan"), float("inf"), float(gradient[place]))
                        for place, gradient in places.items())
        return comparison._replace(wrong=entries[:8], num_wrong=len(places), max_error=float("inf"))

    def _at_a_tie(self, index: int, upstreams: Sequence[np.ndarray], gradients: Sequence[Any],
                  comparison: Comparison) -> Comparison:
        """Return the comparison with what a kink excuses taken out, and with what it doesn't excuse put in."""
        verdict = judge_tie(self.bench, self.given.point, index, upstreams, gradients)
        is_leaf = not self.bench.module.children()
        if verdict.sum_is_wrong and is_leaf:
            self.problems.append(Problem("counted several times at a tie", "where several inputs tie for the maximum, "
                                         "the gradient is handed out several times: the shares must sum to one.",
                                         (index,)))
        excused = verdict.excused if is_leaf else verdict.excused | verdict.wrong
        wrong = tuple(entry for entry in comparison.wrong if not excused[entry.index])
        num_wrong = max(len(wrong), comparison.num_wrong - int(excused.sum())) if wrong else 0
        if is_leaf and not wrong and verdict.wrong.any() and gradients[0].size and \
                upstreams[0].size <= MOST_OUTPUTS:
            wrong = tuple(outside(verdict, gradients))
            num_wrong = int(verdict.wrong.sum())
        undecided = max(0, comparison.num_undecided + comparison.num_wrong - num_wrong)
        comparison = comparison._replace(wrong=wrong, num_wrong=num_wrong, num_undecided=undecided)
        return comparison if wrong else comparison._replace(max_error=0.0, max_relative_error=0.0)

    def _probe(self) -> None:
        """Try what values at one point can't show."""
        bench, point, upstream, run = self.bench, self.given.point, self.upstreams[0], self.runs[0]
        healthy = [index for index in self.indices if run.gradient(index) is not None]
        self.problems += probes.randomness(bench, point, upstream, run, healthy, self.same)
        self.problems += probes.accumulation(bench, point, upstream, run, healthy, self.same)
        if not self.ignores_upstream:
            self.problems += probes.linearity(bench, point, self.upstreams, self.runs, healthy, self.same)
        overwritten = {index for problem in self.problems for index in problem.indices}
        if self.has_input:
            self.problems += number_probes.zeros_and_hits(bench, point, upstream, healthy)
        others = [index for index in healthy if index not in overwritten]
        self.problems += probes.memory_order(bench, point, upstream, run, others, self.same)
        self.problems += probes.cache(bench, point, upstream, run, others, self.same)
        self.problems += number_probes.integer_input(bench, bench.start, point, upstream, run, healthy)
        self.problems += number_probes.single_precision(bench, point, upstream, run, healthy)


def _as_array(value: Any) -> np.ndarray:
    try:
        return np.asarray(value)
    except ValueError:
        return np.asarray(None)
