"""How much a report tells: first which tensor and a question, then the cause, then the formula."""
from __future__ import annotations

import os
from typing import Any, List, Optional

DEFAULT_HINTS = 3


def level_of(hints: Optional[int] = None) -> int:
    """Return how much is shown, 1 to 3: as given, else the environment's LIB_HINTS, else everything."""
    if hints is None:
        text = os.environ.get("LIB_HINTS", "")
        hints = int(text) if text.strip() in ("1", "2", "3") else DEFAULT_HINTS
    if hints not in (1, 2, 3):
        raise ValueError(f"hints is how much is shown: 1 (which gradient, and a question), 2 (the cause) or 3 (the "
                         f"formula, too), but got {hints!r}.")
    return hints


def as_text(report: Any) -> str:
    """Return a report as the lines that a student reads."""
    lines: List[str] = [f"{report.module}: {report.verdict}"]
    for tensor in report.tensors:
        lines.append(f"  {tensor.name}: {tensor.verdict} {tensor.reason}")
        for entry in tensor.entries[:3]:
            lines.append(f"    {list(entry.index)}: expected {entry.expected:.6g} +- {entry.uncertainty:.1g}, "
                         f"got {entry.got:.6g}")
    lines += ["  " + problem for problem in report.problems]
    return "\n".join(lines)
