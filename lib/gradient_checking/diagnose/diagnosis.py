"""From evidence to causes: what most likely went wrong, without knowing the answer."""
from __future__ import annotations

from typing import Any, Callable, List, Optional, Sequence, Tuple

import numpy as np

from lib.gradient_checking.diagnose.catalogue import predictions
from lib.gradient_checking.diagnose.causes import cause
from lib.gradient_checking.diagnose.evidence import Trial, collect
from lib.gradient_checking.diagnose.exceptions import explain
from lib.gradient_checking.diagnose.formulas import HYPOTHESES
from lib.gradient_checking.diagnose.networks import diagnose_parts
from lib.gradient_checking.report import Cause
from lib.gradient_checking.diagnose.structure import low_precision, ratio_cause, region_cause, reordered

# Problems that explain wrong values, so that they stand before what the values look like; the others stand behind.
FIRST = ("random numbers in backward", "not deterministic", "upstream gradient changed in place",
         "input changed in place", "parameter changed in place", "cache changed in place", "stale cache")


def diagnose(examination: Any) -> List[Cause]:
    """Return the likely causes, the likeliest first, each once."""
    problems = [cause(problem.cause, problem.sentence) for problem in examination.problems
                if not problem.indices or set(problem.indices) & set(examination.indices)]
    found: List[Cause] = []
    if examination.failure is not None:
        parts = [c for c in diagnose_parts(examination)]
        found = parts + explain(examination.failure.error, examination.failure.situation.name)
        if isinstance(examination.failure.error, NotImplementedError):
            found = found[::-1] if not parts else parts
    elif examination.malformed:
        found, parts = _malformed(examination), diagnose_parts(examination)
        # a shape is wrong because a layer was left out, rather than the other way round
        found = parts + found if all(c.name == "wrong shape" for c in found) else found + parts
    elif examination.deterministic:
        wrong = [index for index in examination.indices
                 if any(f.comparison.num_wrong for f in examination.found[index])]
        found = _not_finite(examination, wrong) + [c for c in problems if c.name in FIRST]
        if wrong and not found:
            found += diagnose_parts(examination)
        if wrong and not [c for c in found if c.name not in FIRST]:
            by_tensor = [_explain_values(examination, index) for index in wrong]
            found += _merged(by_tensor)
    found += [c for c in problems if c not in found]
    if any(c.name != "unknown" for c in found):
        found = [c for c in found if c.name != "unknown"]
    names: List[str] = []
    return [c for c in found if not (c.name in names or names.append(c.name))] or [  # type: ignore[func-returns-value]
        cause("unknown", "no hypothesis fits")]


def _malformed(examination: Any) -> List[Cause]:
    found = []
    for index, (kind, text) in sorted(examination.malformed.items()):
        name = examination.name(index)
        if kind == "wrong shape":
            got = np.shape(examination.bad_gradients[index])
            expected = np.shape(examination.given.point.tensor(index))
            if len(got) == len(expected) and got == expected[::-1] and got != expected:
                found.append(cause("transposed", f"the gradient of {name} {text}"))
            if index > 0 and len(got) > len(expected) and got[-len(expected):] == expected and got[0] > 1:
                found.append(cause("missing sum over the batch", f"the gradient of {name} {text}"))
            found.append(cause("wrong shape", f"the gradient of {name} {text}"))
        elif kind == "low precision":
            found.append(cause("low precision", f"the gradient of {name} {text}"))
        elif kind == "None returned":
            found.append(cause("None returned", "what backward returns is None"))
        else:
            found.append(cause("wrong shape", f"the gradient of {name} {text}"))
    return found


def _not_finite(examination: Any, wrong: Sequence[int]) -> List[Cause]:
    for index in wrong:
        for situation, comparison in examination.found[index]:
            if comparison.max_error == float("inf") and comparison.num_wrong:
                where = ""
                bad = next((e for e in comparison.wrong if not np.isfinite(e.got)), None)
                if bad is not None and index == 0:
                    where = f", where the input is {float(situation.point.inputs[0][bad.index]):.4g}"
                return [cause("NaN or infinity", f"the gradient of {examination.name(index)} is not finite "
                              f"{situation.name}{where}")]
    return []


def _explain_values(examination: Any, index: int) -> List[Cause]:
    """Return causes for the wrong values of one tensor."""
    name = examination.name(index)
    trials = collect(examination, index)
    trials = [trial for trial in trials if all(np.all(np.isfinite(got)) for got in trial.got)]
    if not trials or all(trial.is_right for trial in trials):
        return [cause("unknown", f"{name}: wrong only in a special situation")]
    found = _catalogued(trials)
    rounded = low_precision(trials)
    if rounded is not None:
        return [rounded._replace(evidence=f"{name}: {rounded.evidence}")]
    ratio = ratio_cause(trials)
    if ratio is not None:
        found.insert(0, ratio)
    found = _fitting(trials, [(h.cause, h.evidence, h.predict) for h in HYPOTHESES[:1]]) + found
    found = found or _fitting(trials, [(h.cause, h.evidence, h.predict) for h in HYPOTHESES[1:]])
    if not found:
        moved = reordered(trials)
        found += [moved] if moved else []
    if not found:
        found += _one_sided(examination, index, trials) + region_cause(trials)
    found += [cause("another formula", "no typical mistake gives these numbers")] if not found else []
    return [c._replace(evidence=f"{name}: {c.evidence}") for c in found]


def _one_sided(examination: Any, index: int, trials: Sequence[Trial]) -> List[Cause]:
    """Return causes that other probes point to."""
    found = []
    if all(len(t.got) > 1 and np.allclose(t.got[0], t.got[1], atol=1e-9) for t in trials):
        found.append(cause("upstream gradient ignored", "two different upstream gradients give the same gradient"))
    elif any(p.cause == "not linear in the upstream gradient" and index in p.indices for p in examination.problems):
        found.append(cause("not linear in the upstream gradient",
                           "a multiple of the upstream gradient doesn't give that multiple of the gradient"))
    return found


def _catalogued(trials: Sequence[Trial]) -> List[Cause]:
    return _fitting(trials, predictions(trials[0]))


def _fitting(trials: Sequence[Trial], candidates: Sequence[Tuple[str, str, Callable[[Any, int], Any]]]) -> List[Cause]:
    """Return the causes whose predictions are what the module gives in every trial in which they can be made."""
    found = []
    for name, evidence, predict in candidates:
        outcomes = []
        for trial in trials:
            outcome = _outcome(trial, predict)
            if outcome is False:
                break
            outcomes += [] if outcome is None else [outcome]
        else:
            explains = any(not trial.is_right for trial in trials if _outcome(trial, predict))
            if len(outcomes) >= min(2, len(trials)) and explains:
                found.append(cause(name, evidence))
    return found


def _outcome(trial: Trial, predict: Callable[[Any, int], Any]) -> Optional[bool]:
    """Return whether a hypothesis predicts what came, or None if it makes no prediction here."""
    try:
        predicted = [predict(trial, k) for k in range(len(trial.upstreams))]
    except Exception:  # the formula doesn't apply to this module
        return None
    if any(p is None for p in predicted):
        return None
    return trial.matches([np.asarray(p, dtype=float) for p in predicted])


def _merged(by_tensor: Sequence[List[Cause]]) -> List[Cause]:
    """Rank the causes of several tensors: first those that explain most of them."""
    names = [[c.name for c in causes] for causes in by_tensor]
    flat = [c for causes in by_tensor for c in causes]

    def rank(c: Cause) -> Tuple[int, int, int]:
        firsts = sum(bool(n) and n[0] == c.name for n in names)
        return ("no typical mistake" in c.evidence, -firsts, min(n.index(c.name) for n in names if c.name in n))

    return sorted(flat, key=rank)
