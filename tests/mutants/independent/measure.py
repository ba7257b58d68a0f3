"""What the checker says of this bank; printed as a list of what isn't as it should be, and totals."""
from __future__ import annotations

import re
from typing import Any, Tuple

import numpy as np

from tests.mutants.independent.bank import Wrong
from tests.mutants.measure import Verdict, verdict_of


def situation(case: Any, seed: int) -> Tuple[Any, Tuple[Any, ...]]:
    """Return (module, inputs) of a case; np.random's state is the seed's when the module is made."""
    state = np.random.get_state()
    np.random.seed(seed)
    try:
        inputs = case.inputs(np.random.default_rng(seed))
        return case.cls(*case.arguments), inputs if isinstance(inputs, tuple) else (inputs,)
    finally:
        np.random.set_state(state)


def said_of(case: Any, seed: int = 0) -> Verdict:
    """Run the checker on a case; an exception counts as a verdict of its own."""
    try:
        return verdict_of(*situation(case, seed))
    except Exception as error:
        return Verdict("raised", None, f"{type(error).__name__}: {error}")


def first_cause(said: Verdict) -> str:
    """Return what a report says of the likeliest cause, on one line; of an exception, all that is said."""
    _, found, text = said.text.partition("Likely cause:")
    text = re.split(r"\n  (?:Think about|Or|Also|Note):", text)[0] if found else said.text
    return " ".join(text.split())


def outcome(case: Wrong, said: Verdict) -> str:
    """Return "missed", "named" (the first cause holds one of the patterns), "generic" or "misleading"."""
    is_refused = said.text.startswith("InputError: ")  # parameters() isn't what it must be
    if not said.caught and not is_refused:
        return "missed"
    if said.cause is None and not is_refused:
        return "generic"
    return "named" if any(re.search(pattern, first_cause(said), re.I) for pattern in case.says) else "misleading"
