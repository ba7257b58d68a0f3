"""What the checker says of this bank: whether it is the truth, judged by patterns that its author put down."""
from __future__ import annotations

import re

from tests.mutants.independent.bank import Right, Wrong
from tests.mutants.wild.measure import Said, said_of

__all__ = ["first_cause", "is_accused", "outcome", "said_of"]


def is_accused(case: Right, said: Said) -> bool:
    """Return whether a right module isn't called right: nothing in this bank is undecidable."""
    return said.verdict != "ok"


def first_cause(said: Said) -> str:
    """Return what a report says of the likeliest cause, on one line; of an exception, all that is said."""
    _, found, text = said.text.partition("Likely cause:")
    text = re.split(r"\n  (?:Think about|Or|Also|Note):", text)[0] if found else said.text
    return " ".join(text.split())


def outcome(case: Wrong, said: Said) -> str:
    """Return "missed", "named" (the first cause holds one of the patterns), "generic" or "misleading"."""
    is_refused = said.text.startswith("InputError: ")  # parameters() isn't what it must be
    if said.verdict not in ("wrong", "to do", "remark") and not is_refused:
        return "missed"
    if said.cause is None and not is_refused:
        return "generic"
    return "named" if any(re.search(pattern, first_cause(said), re.I) for pattern in case.says) else "misleading"
