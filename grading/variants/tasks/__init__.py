"""The tasks, each file a group of them; a Task that stands in one of these files is found by its name."""
from __future__ import annotations

import difflib
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Dict

from grading.grade import GradingError
from grading.variants.task import Task


def all_tasks() -> Dict[str, Task]:
    """Return every task by its name, in the order of the files and in each file from top to bottom."""
    found: Dict[str, Task] = {}
    for module in sorted(iter_modules([str(Path(__file__).parent)]), key=lambda module: module.name):
        for value in vars(import_module(f"{__name__}.{module.name}")).values():
            if isinstance(value, Task):
                found[value.name] = value
    return found


def task_named(name: str) -> Task:
    """Return a task by its name.

    Raises:
        GradingError: there is none of that name; the nearest are suggested.
    """
    tasks = all_tasks()
    if name not in tasks:
        near = difflib.get_close_matches(name, tasks, n=3)
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        raise GradingError(f"There is no task called {name!r}.{hint} The tasks are {', '.join(tasks)}.")
    return tasks[name]
