"""What is said of the modules of this bank, by our checker and by other styles; printed as tables."""
from __future__ import annotations

from collections import Counter
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence

from tests.mutants.measure import SAME_CAUSE, verdict_of
from tests.mutants.other_checkers import accepts, other_styles
from tests.mutants.wild import RIGHT, WRONG
from tests.mutants.wild.bank import Right, Wrong


class Said(NamedTuple):
    """What our checker said of one module."""

    verdict: str
    cause: Optional[str]
    text: str


def said_of(entry: Any, seed: int = 0) -> Said:
    """Run our checker on a module of the bank; an exception counts as a verdict of its own."""
    try:
        found = verdict_of(*entry.situation(seed))
        return Said(found.verdict, found.cause, found.text)
    except Exception as error:
        return Said("raised", None, f"{type(error).__name__}: {error}")


def is_accused(entry: Right, said: Said) -> bool:
    """Return whether a right module is called wrong, or undecidable where it needn't be."""
    if entry.remark:
        return not (said.verdict == "remark" and said.cause == entry.remark)
    return not (said.verdict == "ok" or entry.undecidable and said.verdict == "undecidable")


def fits(entry: Wrong, cause: Optional[str]) -> bool:
    """Return whether a cause of the checker is the true one, or another that is as true."""
    return any(cause in SAME_CAUSE[key] for key in (entry.cause,) + entry.also)


def outcome(entry: Wrong, said: Said) -> str:
    """Return "missed", "named" (the first cause is right), "generic" (none is named) or "misleading"."""
    if said.verdict not in ("wrong", "to do", "remark"):
        return "missed"
    if fits(entry, said.cause):
        return "named"
    return "generic" if said.cause is None else "misleading"


def print_tables(starts: int = 1, right: Sequence[Any] = RIGHT, wrong: Sequence[Any] = WRONG,
                 accused: Callable[[Any, Said], bool] = is_accused,
                 found_of: Callable[[Any, Said], str] = outcome) -> None:
    """Print the modules of which something else is said than the truth, and the totals beside other checkers."""
    styles = other_styles()
    rows: Dict[str, List[Any]] = {"ours": [0, Counter()], **{name: [0, Counter()] for name in styles}}
    seeds: Sequence[int] = range(starts)
    for entry in right:
        for seed in seeds:
            said = said_of(entry, seed)
            if accused(entry, said):
                rows["ours"][0] += 1
                print(f"accused: {entry.name}, seed {seed}: {said.verdict}\n{said.text}\n", flush=True)
        for name, check in styles.items():
            rows[name][0] += starts * (not accepts(check, *entry.situation(0)))
    for mutant in wrong:
        for seed in seeds:
            said = said_of(mutant, seed)
            found = found_of(mutant, said)
            rows["ours"][1][found] += 1
            if found != "named":
                print(f"{found}: {mutant.name}, seed {seed}: {mutant.cause!r}, said {said.cause!r}", flush=True)
        for name, check in styles.items():
            rows[name][1]["missed" if accepts(check, *mutant.situation(0)) else "generic"] += starts
    num_right, num_wrong = len(right) * starts, len(wrong) * starts
    print(f"\n{'':28}{'right ones accused':>20}{'wrong ones caught':>20}{'cause named':>14}{'misleading':>12}")
    for name, (accused, counts) in rows.items():
        causes = (f"{100 * counts['named'] / num_wrong:>12.1f} %{100 * counts['misleading'] / num_wrong:>10.1f} %"
                  if name == "ours" else f"{'none given':>14}")
        print(f"{name:28}{accused:>12} of {num_right:<5}{num_wrong - counts['missed']:>12} of {num_wrong:<5}{causes}")
