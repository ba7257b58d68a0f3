"""A report as the lines that a student reads: one screen, with the cause on it.

How much is told depends on the level of hints; see lib.gradient_checking.course.
"""
from __future__ import annotations

import textwrap
from typing import Any, List, Tuple

WIDTH = 110
MOST_LINES = 12  # with the board of the sheet above it, a report still fits on a screen of 24 lines
MOST_ENTRIES = 3  # of the first wrong gradient


def as_text(report: Any) -> str:
    """Return a GradientReport as text of at most MOST_LINES lines; what matters least is left out."""
    bad = [tensor for tensor in report.tensors if tensor.verdict in ("wrong", "to do")]
    undecided = [tensor for tensor in report.tensors if tensor.verdict == "undecidable"]
    shows_values = report.verdict != "to do" and not report.raised
    wrong = [_lines_on(tensor, with_entries=tensor is bad[0]) for tensor in bad] if shows_values else []
    top = [wrapped(_headline(report))] + wrong[:1]
    top += [_lines_on(tensor) for tensor in undecided[:3] if not bad]
    below = _on_the_cause(report)
    told = " ".join(line.strip() for part in top + below for line in part)  # a sentence goes on in the next line
    if report.hints >= 2:
        below += [wrapped(f"  Also: {problem}") for problem in dict.fromkeys(report.problems) if problem not in told]
        below += [wrapped(f"  Also: {remark}") for remark in report.remarks[report.verdict == "ok":]]
    below += [wrapped(f"  Note: {warning}") for warning in report.warnings]
    room = MOST_LINES - sum(len(part) for part in top)
    below, room = _fitting(below, room - (len(wrong) > 1))  # a line says how many gradients are wrong besides
    more, _ = _fitting(wrong[1:4], room)
    left = len(wrong) - 1 - len(more)
    counted = [[f"  {left} more gradient{'s are' if left > 1 else ' is'} wrong."]] if left > 0 else []
    return "\n".join(line for part in top + more + counted + below for line in part)


def _fitting(parts: List[List[str]], room: int) -> Tuple[List[List[str]], int]:
    """Return the parts that there is room for, the first ones first, and the lines that are left."""
    kept = []
    for part in parts:
        if len(part) <= room:
            kept.append(part)
            room -= len(part)
    return kept, room


def _headline(report: Any) -> str:
    words = {"ok": "all gradients are right", "to do": "backward isn't written yet",
             "undecidable": "not every gradient could be checked",
             "wrong": "backward raises an exception" if report.raised else "backward is wrong"}
    if report.remarks and report.verdict == "ok":
        return f"{report.module}: right, but {report.remarks[0]}"
    is_placed = report.place and report.verdict in ("wrong", "to do") and not report.raised  # below, by its own line
    place = f" ({report.place})" if is_placed else ""
    return f"{report.module}: {words[report.verdict]}{place}."


def _lines_on(tensor: Any, with_entries: bool = False) -> List[str]:
    of = "dL/d(input), what backward returns" if tensor.kind == "input" else f"{tensor.name}.grad"
    lines = wrapped(f"  {of}: {tensor.verdict}" + (f". {tensor.reason}" if tensor.reason else ""))
    if tensor.entries and with_entries:
        lines.append(f"    {'entry':>14} {'expected':>26} {'got':>14} {'got / expected':>15}")
        for entry in tensor.entries[:MOST_ENTRIES]:
            quotient = entry.ratio
            expected = f"{entry.expected:.7g} +- {entry.uncertainty:.1g}"
            lines.append(f"    {str(list(entry.index)):>14} {expected:>26} {entry.got:>14.7g} "
                         f"{'' if quotient is None else format(quotient, '.5g'):>15}")
    return lines


def _on_the_cause(report: Any) -> List[List[str]]:
    """Return what is said about the likely causes, the most important part first."""
    if not report.causes:
        return []
    first, *others = report.causes
    cause = [wrapped(f"  Likely cause: {first.sentence}")]
    evidence = [wrapped(f"    Evidence: {first.evidence}")] if first.evidence else []
    think = [wrapped(f"  Think about: {first.question}")] if first.question else []
    if report.verdict == "to do":
        parts = think
    elif report.raised:  # where and what it is, Python itself says; before that, what in the order of calls leads to it
        raising = next((each for each in report.causes if "\n" in each.evidence), first)
        before = (cause if report.hints >= 1 else []) + (evidence if report.hints >= 2 else [])
        parts = (before if raising is not first else []) + [exception_lines(raising)]
    else:
        parts = (cause if report.hints >= 1 else []) + (evidence if report.hints >= 2 else []) + think
    if report.hints >= 3 and first.formula:
        parts.append(wrapped(f"  How it is right: {first.formula}"))
    if report.hints >= 2 and not report.raised:
        parts += [wrapped(f"  Or: {other.sentence}") for other in others[:2]]
    return parts


def exception_lines(cause: Any) -> List[str]:
    """Return where the student's code raised, its own line, and what that means."""
    code, _, message = cause.evidence.rpartition("\n")
    own_line = [f"      {line}" for line in code.splitlines()]
    said = cause.sentence.rpartition(": ")[2] if cause.name == "exception in backward" else cause.sentence
    return wrapped(f"  {said}") + own_line + wrapped(f"    {message}")


def wrapped(text: str) -> List[str]:
    """Return a text as lines of at most WIDTH characters, of which the later ones are further in."""
    indent = " " * (len(text) - len(text.lstrip()) + 2)
    return textwrap.wrap(text, WIDTH, subsequent_indent=indent, break_on_hyphens=False) or [""]
