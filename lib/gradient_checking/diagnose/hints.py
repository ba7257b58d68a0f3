"""How much a report tells, and in what words: first which gradient and a question, then the cause, then the formula.

A course chooses by the environment variable LIB_HINTS = 1, 2 or 3, or by check_module(..., hints=...). Everything is
shown by default.
"""
from __future__ import annotations

import os
from typing import Any, List, Optional

DEFAULT_HINTS = 3
MOST_ENTRIES = 4  # of each wrong gradient


def level_of(hints: Optional[int] = None) -> int:
    """Return how much is shown, 1 to 3: as given, else the environment's LIB_HINTS, else DEFAULT_HINTS."""
    if hints is None:
        text = os.environ.get("LIB_HINTS", "").strip()
        hints = int(text) if text in ("1", "2", "3") else DEFAULT_HINTS
    if hints not in (1, 2, 3):
        raise ValueError("hints is how much is shown: 1 (which gradient, and a question), 2 (also the cause) or 3 "
                         f"(also the formula), but got {hints!r}.")
    return hints


def as_text(report: Any) -> str:
    """Return a report as the lines that a student reads."""
    lines = [_headline(report)]
    for tensor in report.tensors:
        lines += _lines_on(tensor, report.hints)
    if report.hints > 1:
        lines += [f"  Also: {problem}" for problem in dict.fromkeys(report.problems)]
    if report.causes:
        lines += _lines_on_cause(report)
    lines += [f"  Note: {warning}" for warning in report.warnings]
    return "\n".join(lines)


def _headline(report: Any) -> str:
    words = {"ok": "all gradients are right.", "to do": "backward isn't written yet.",
             "undecidable": "not every gradient could be checked.", "wrong": "backward is wrong."}
    return f"{report.module}: {words[report.verdict]}"


def _lines_on(tensor: Any, hints: int) -> List[str]:
    of = "dL/d(input), what backward returns" if tensor.kind == "input" else f"{tensor.name}.grad"
    lines = [f"  {of}: {tensor.verdict}" + (f". {tensor.reason}" if tensor.reason and hints > 1 else "")]
    if tensor.entries and hints > 1:
        lines.append(f"    {'entry':>14} {'expected':>26} {'got':>14} {'got / expected':>15}")
        for entry in tensor.entries[:MOST_ENTRIES]:
            from lib.gradient_checking.report import ratio
            quotient = ratio(entry)
            expected = f"{entry.expected:.7g} +- {entry.uncertainty:.1g}"
            lines.append(f"    {str(list(entry.index)):>14} {expected:>26} {entry.got:>14.7g} "
                         f"{'' if quotient is None else format(quotient, '.5g'):>15}")
    return lines


def _lines_on_cause(report: Any) -> List[str]:
    first = report.causes[0]
    lines = [f"  Think about: {first.question}"]
    if report.hints >= 2:
        lines.append(f"  Likely cause: {first.sentence}")
        if first.evidence:
            lines.append(f"    Evidence: {first.evidence}")
        for other in report.causes[1:3]:
            lines.append(f"  Or: {other.sentence}")
    if report.hints >= 3 and first.formula:
        lines.append(f"  How it is right: {first.formula}")
    return lines
