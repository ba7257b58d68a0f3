"""What the course says: the sheet's tasks, and how much a report may tell.

Both stand in exercises/backpropagation/sheet.json. A library without that file has no tasks, and tells everything.

The levels of hints:

    0  which gradient is wrong, its worst entries, and a question to think about
    1  also the likely cause
    2  also the evidence for it, and other causes
    3  also the formula, as it is right

The course's level is "hints" in sheet.json. The environment variable LIB_HINTS, the argument hints=... and the
command's --hints may lower it, but never raise it.
"""
from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

ROOT = Path(__file__).resolve().parents[2]
SHEET_FILE = ROOT / "exercises" / "backpropagation" / "sheet.json"
MOST_HINTS = 3


class Task(NamedTuple):
    """A gap of the sheet."""

    number: str  # such as "3.2"
    name: str  # such as "ReLU.backward"
    points: float
    file: str  # such as "lib/activations.py"
    builds_upon: Tuple[str, ...]  # numbers of other tasks
    tests: Tuple[str, ...]  # such as ("tests/test_gradient_relu.py",)


def sheet() -> Dict[str, Any]:
    """Return what sheet.json says; nothing, where there is no such file."""
    try:
        return json.loads(SHEET_FILE.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}


def coding_tasks() -> List[Task]:
    """Return the tasks that have a gap in the code, in the sheet's order."""
    return [Task(entry["number"], entry["gap"]["name"], entry["points"], entry["gap"]["file"],
                 tuple(entry.get("builds_upon", ())), tuple(entry.get("tests", ())))
            for entry in sheet().get("tasks", ()) if "gap" in entry]


def hint_level(hints: Optional[int] = None) -> int:
    """Return how much is told, 0 to 3: the least of what the course, the environment and the argument say."""
    levels = tuple(range(MOST_HINTS + 1))
    if hints is not None and hints not in levels:
        raise ValueError(f"hints is how much is told, from 0 (which gradient is wrong) to {MOST_HINTS} (also the "
                         f"formula), but got {hints!r}.")
    asked = os.environ.get("LIB_HINTS", "").strip()
    allowed = [sheet().get("hints", MOST_HINTS)] + [int(text) for text in [asked] if text in map(str, levels)]
    return min(allowed + ([] if hints is None else [hints]))
