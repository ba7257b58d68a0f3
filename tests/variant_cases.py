"""The pen-and-paper tasks, and their numbers by seed, drawn once for all tests."""
from __future__ import annotations

from functools import lru_cache

import pytest

from grading.variants.draws import case_of
from grading.variants.tasks import all_tasks

TASKS = all_tasks()
SOME = ("skip_chain", "mlp_regression", "adam_step")  # single numbers, arrays, and a step of an optimiser


@lru_cache(maxsize=None)
def case(name, seed=0):
    """Return a task with the numbers of a seed."""
    return case_of(TASKS[name], seed)


def some_quick(names=tuple(TASKS)):
    """Return all names for parametrize, those but some marked slow."""
    return [name if name in SOME else pytest.param(name, marks=pytest.mark.slow) for name in names]
