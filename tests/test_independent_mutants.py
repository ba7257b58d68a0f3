"""The bank that was written before its author had read the checker: nobody accused, all caught, most explained."""
from collections import Counter

import pytest

from tests.mutants.independent import RIGHT, WRONG
from tests.mutants.independent.measure import outcome, said_of

SHARE_NAMED, SHARE_MISLEADING = 0.8, 0.02


def assert_not_accused(cases, seeds):
    for case in cases:
        for seed in seeds:
            said = said_of(case, seed)
            assert said.verdict == "ok", f"{case.cls.__name__}, {case.awkward or 'ordinary'}, seed {seed}:\n{said.text}"


def assert_caught(cases, seeds):
    """Assert that each is caught, and return the shares that are named and misleading."""
    counts = Counter()
    for case in cases:
        for seed in seeds:
            found = outcome(case, said_of(case, seed))
            counts[found] += 1
            assert found != "missed", f"{case.cls.__name__}, seed {seed}: {case.cause}"
    return counts["named"] / len(cases) / len(seeds), counts["misleading"] / len(cases) / len(seeds)


def test_the_bank_is_large():
    assert len(RIGHT) >= 150 and 2 * sum(bool(case.awkward) for case in RIGHT) >= len(RIGHT) and len(WRONG) >= 150


def test_of_a_sample_no_right_one_is_accused_and_the_wrong_ones_are_caught():
    assert_not_accused(RIGHT[::20], [0])
    assert_caught(WRONG[::35], [0])


@pytest.mark.slow
def test_no_right_one_is_accused():
    assert_not_accused(RIGHT, range(3))


@pytest.mark.slow
def test_every_wrong_one_is_caught_and_most_are_explained():
    named, misleading = assert_caught(WRONG, [0])
    assert named >= SHARE_NAMED and misleading <= SHARE_MISLEADING
    assert_caught(WRONG[::3], [1, 2])


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
