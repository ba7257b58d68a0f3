"""Modules of one's own in many styles: no right one is accused, every wrong one is caught, and most are explained."""
from collections import Counter

import pytest

from tests.mutants.wild import RIGHT, WRONG
from tests.mutants.wild.measure import is_accused, outcome, said_of

SHARE_NAMED, SHARE_OF_SAMPLE, SHARE_MISLEADING = 0.8, 0.6, 0.04


def every(entries, step):
    """Return a sample of the entries, another one for each file of the bank."""
    return entries[::step]


def test_the_bank_is_large():
    assert len(RIGHT) >= 150 and len(WRONG) >= 150
    for entries in (RIGHT, WRONG):
        assert len({entry.name for entry in entries}) == len(entries)


def assert_not_accused(entries, seeds):
    accused = [f"{entry.name}, seed {seed}:\n{said.text}" for entry in entries for seed in seeds
               for said in [said_of(entry, seed)] if is_accused(entry, said)]
    assert not accused, "\n\n".join(accused)


def assert_caught(entries, seeds, share):
    counts = Counter()
    for entry in entries:
        for seed in seeds:
            said = said_of(entry, seed)
            found = outcome(entry, said)
            counts[found] += 1
            assert found != "missed", f"{entry.name}, seed {seed}: {said.text}"
    total = sum(counts.values())
    assert counts["named"] >= share * total and counts["misleading"] <= SHARE_MISLEADING * total, counts


def test_of_a_sample_of_right_ones_none_is_accused():
    assert_not_accused(every(RIGHT, 3), [0])


def test_what_passes_many_checks_is_caught():
    hidden = [entry for entry in WRONG if entry.cls.__module__.endswith((".misses", ".exceptions"))]
    assert_caught(every(hidden, 3), [0], SHARE_OF_SAMPLE)


def test_a_sample_of_wrong_ones_is_caught():
    assert_caught(every(WRONG, 15), [0], SHARE_OF_SAMPLE)


@pytest.mark.slow
def test_no_right_one_is_accused():
    assert_not_accused(RIGHT, range(6))


@pytest.mark.slow
def test_every_wrong_one_is_caught():
    assert_caught(WRONG, range(3), SHARE_NAMED)


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
