"""What the gradient checker catches and explains of the bank, beside other styles of check; printed as tables."""
from __future__ import annotations

import os
import warnings
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Any, Dict, List, NamedTuple, Optional, Sequence

import numpy as np

from lib.saving.command_line import OneLineParser, whole_number
from tests.mutants import BANK, Mutant
from tests.mutants.other_checkers import accepts, other_styles
from tests.mutants.situations import SITUATIONS

# For each key of causes.py: the names of the checker's causes that mean the same.
SAME_CAUSE: Dict[str, Sequence[str]] = {
    "missing_1_n": ("missing 1/N",),
    "missing_1_nk": ("missing 1/(N K)",),
    "factor": ("constant factor",),
    "sign": ("wrong sign",),
    "no_batch_sum": ("missing sum over the batch",),
    "mean_for_sum": ("mean for sum",),
    "one_sample": ("only one sample",),
    "wrong_axis": ("wrong axis",),
    "upstream_ignored": ("upstream gradient ignored",),
    "upstream_squared": ("upstream gradient squared",),
    "upstream_absolute": ("absolute value of the upstream gradient",),
    "upstream_not_linear": ("not linear in the upstream gradient",),
    "passed_on": ("upstream gradient passed on unchanged",),
    "transposed": ("transposed",),
    "wrong_shape": ("wrong shape", "not an array"),
    "exception": ("exception in backward",),
    "returned_none": ("None returned",),
    "unfinished": ("to do",),
    "zeros": ("zeros",),
    "single_entries": ("single entries wrong", "counted several times at a tie"),
    "negative_side": ("mask missing where x < 0",),
    "mask_on_gradient": ("mask on the gradient",),
    "mask_inverted": ("mask inverted",),
    "output_for_input": ("output taken for input",),
    "softmax_diagonal": ("softmax diagonal only",),
    "statistics_constant": ("statistics taken as constants",),
    "wrong_formula": ("another formula",),
    "term_missing": ("term missing",),
    "forward_order": ("layers in forward order",),
    "same_gradient": ("same gradient for every layer",),
    "layer_skipped": ("layer skipped",),
    "skip_path_forgotten": ("skip path forgotten",),
    "main_path_forgotten": ("main path forgotten",),
    "overwritten": ("overwritten instead of accumulated",),
    "changes_upstream": ("upstream gradient changed in place",),
    "changes_input": ("input changed in place", "cache changed in place"),
    "changes_parameter": ("parameter changed in place",),
    "stale_cache": ("stale cache",),
    "changes_itself": ("changes itself", "stale cache"),
    "not_listed": ("parameter not listed",),
    "random": ("random numbers in backward", "not deterministic"),
    "not_finite": ("NaN or infinity",),
    "low_precision": ("low precision",),
}


class Verdict(NamedTuple):
    """What the checker said of one module.

    Attributes:
        verdict: "ok", "remark" (right, but), "wrong", "undecidable" or "to do".
        cause: the name of the first-ranked cause, or None.
        text: the report.
    """

    verdict: str
    cause: Optional[str]
    text: str

    @property
    def caught(self) -> bool:
        return self.verdict in ("wrong", "to do", "remark")


def verdict_of(module: Any, inputs: Any) -> Verdict:
    """Run our checker on a module."""
    from lib.gradient_checking import check_module

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is undecidable is in the report, too
        report = check_module(module, inputs)
    cause = report.first_cause
    explains = cause is not None and "no typical mistake" not in cause.evidence  # saying that nothing fits is no cause
    verdict = "remark" if report.ok and report.remarks else report.verdict
    return Verdict(verdict, cause.name if cause and explains else None, str(report))


def names_the_cause(mutant: Mutant, cause: Optional[str]) -> bool:
    """Return whether the checker's cause is the mutant's true one, or another that is as true."""
    return any(cause in SAME_CAUSE[key] for key in (mutant.cause,) + mutant.also)


class Count(NamedTuple):
    """How often a mutant was caught and rightly explained; `said` are the other first causes that were named."""

    mutant: Mutant
    starts: int
    caught: int
    explained: int
    said: List[Optional[str]]


def count(mutant: Mutant, starts: int, first: int = 0) -> Count:
    """Check a mutant on random starts; the seeds count up from `first`."""
    verdicts = [verdict_of(*mutant.situation(np.random.default_rng(seed))) for seed in range(first, first + starts)]
    explained = [verdict.caught and names_the_cause(mutant, verdict.cause) for verdict in verdicts]
    said = [verdict.cause for verdict, right in zip(verdicts, explained) if not right]
    return Count(mutant, starts, sum(verdict.caught for verdict in verdicts), sum(explained), said)


def _count_number(index: int, starts: int) -> Count:
    return count(BANK[index], starts)._replace(mutant=index)  # a mutant's functions can't be sent between processes


def count_all(starts: int) -> List[Count]:
    """Check every mutant of the bank, on all processors."""
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        counts = pool.map(partial(_count_number, starts=starts), range(len(BANK)), chunksize=4)
        return [found._replace(mutant=BANK[found.mutant]) for found in counts]


def print_tables(starts: int = 20) -> None:
    """Print three tables: the mutants, the correct situations, and the totals beside those of other checkers."""
    styles = other_styles()
    caught = {name: 0 for name in styles}
    mark = {True: "caught", False: "-"}
    print(f"Wrong implementations, {starts} random starts each; the other checkers, one start each\n")
    print(f"{'module':26}{'mutant':36}{'caught':>8}{'cause':>8}   {'   '.join(styles)}")
    counts = count_all(starts)
    for found in counts:
        found_by = {name: not accepts(check, *found.mutant.situation(np.random.default_rng(0)))
                    for name, check in styles.items()}
        for name in styles:
            caught[name] += found_by[name]
        print(f"{found.mutant.module:26}{found.mutant.name:36}{found.caught:5}/{starts}{found.explained:5}/{starts}   "
              + "   ".join(f"{mark[found_by[name]]:{len(name)}}" for name in styles), flush=True)

    print("\nCorrect situations, one start each\n")
    print(f"{'situation':44}{'ours':>12}   {'   '.join(styles)}")
    alarms = {name: 0 for name in styles}
    ours = 0
    for make in SITUATIONS:
        verdict = verdict_of(*make(np.random.default_rng(0)))
        ours += verdict.caught
        rejected = {name: not accepts(check, *make(np.random.default_rng(0))) for name, check in styles.items()}
        for name in styles:
            alarms[name] += rejected[name]
        print(f"{make.__name__:44}{verdict.verdict:>12}   "
              + "   ".join(f"{'false alarm' if rejected[name] else 'ok':{len(name)}}" for name in styles), flush=True)

    total, every = len(BANK), len(BANK) * starts
    explained = sum(found.explained for found in counts)
    print(f"\n{'':28}{'wrong ones caught':>20}{'false alarms':>16}{'first cause right':>26}")
    print(f"{'ours':28}{sum(found.caught == starts for found in counts):>13} of {total}{ours:>10} of {len(SITUATIONS)}"
          f"{explained:>13} of {every} ({100 * explained / every:.1f} %)")
    for name in styles:
        print(f"{name:28}{caught[name]:>13} of {total}{alarms[name]:>10} of {len(SITUATIONS)}{'none given':>26}")
    for found in counts:
        if found.explained < starts:
            said = sorted(set(map(str, found.said)))
            print(f"  {found.mutant}: {found.mutant.cause!r}, but {len(found.said)} times {', '.join(said)}")


def starts_asked_for(name: str, default: int) -> int:
    """Return the number of starts that this command was given, or its default."""
    parser = OneLineParser(prog=f"python -m {name}", description="Prints what each checker says of this bank.")
    parser.add_argument("starts", nargs="?", type=whole_number(1), default=default,
                        help=f"draws of random numbers to count over ({default})")
    return int(parser.parse_args().starts)
