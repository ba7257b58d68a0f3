"""Right answers in any form keep all of their points."""
from __future__ import annotations

import pytest

from grading import isolation
from grading.isolation import Limits
from grading.judge import Setting, grade_task
from tests.innocent import INNOCENT, made
from tests.planting import SHEET, on_posix

pytestmark = on_posix

EVERYDAY = ("ReLU in float32", "ReLU with a helper in a given file", "an unused import of what is not here",
            "a step that resets afterwards", "a loss whose backward takes nothing",
            "a check of a network that is made at import")


def check(name):
    for number in INNOCENT[name][0]:
        setting = Setting(SHEET, made(name), isolation.strongest(), Limits(), b"a key of the tests")
        result = grade_task(setting, SHEET.task(number), {})
        assert result.status == "right" and result.points == SHEET.task(number).points, result


@pytest.mark.parametrize("name", EVERYDAY)
def test_some_variants(name):
    check(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(INNOCENT) - set(EVERYDAY)))
def test_every_variant(name):
    check(name)


def test_there_are_many():
    assert len(INNOCENT) >= 50


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
