"""What the checker says of this bank; printed as a list of what isn't as it should be, and totals."""
from __future__ import annotations

import re
from collections import Counter
from typing import Any, Dict, Sequence, Tuple

import numpy as np

from tests.mutants.independent import RIGHT, WRONG
from tests.mutants.independent.bank import Right, Wrong
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


def outcome(case: Wrong, said: Verdict) -> str:
    """Return "missed", "named" (the first cause holds one of the patterns), "generic" or "misleading"."""
    if not said.caught:
        return "missed"
    if said.cause is None:
        return "generic"
    return "named" if any(re.search(pattern, said.text, re.I) for pattern in case.says) else "misleading"
