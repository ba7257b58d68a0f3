"""Mini-batches: every sample once, shuffled one by one, a last partial batch; and the split into two parts."""
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.data.batches import Batches, train_test_split


@settings(max_examples=40, deadline=None)
@given(n=st.integers(1, 50), batch_size=st.integers(1, 60), shuffle=st.booleans())
def test_every_sample_comes_once_with_its_own_label(n, batch_size, shuffle):
    x = np.arange(2 * n).reshape(n, 2)
    batches = Batches(x, x[:, 0] // 2, batch_size, shuffle=shuffle, rng=np.random.default_rng(0))
    found = list(batches)
    assert len(found) == len(batches)
    assert all(len(x_batch) == batch_size for x_batch, _ in found[:-1]) and 1 <= len(found[-1][0]) <= batch_size
    labels = np.concatenate([y_batch for _, y_batch in found])
    assert np.array_equal(np.concatenate([x_batch for x_batch, _ in found]), x[labels])
    assert np.array_equal(np.sort(labels), np.arange(n))
    assert shuffle or np.array_equal(labels, np.arange(n))


def test_samples_are_shuffled_not_batches():
    x = np.arange(100)
    first = next(iter(Batches(x, x, 10, rng=np.random.default_rng(0))))[0]
    assert len(set((first // 10).tolist())) > 3 and not np.array_equal(first, np.sort(first))


def test_each_pass_has_an_order_of_its_own():
    batches = Batches(np.arange(50), np.arange(50), 50, rng=np.random.default_rng(0))
    (first, _), (second, _) = next(iter(batches)), next(iter(batches))
    assert not np.array_equal(first, second)


def test_global_random_state_or_a_generator_repeat_the_order():
    def order(rng=None):
        return next(iter(Batches(np.arange(50), np.arange(50), 50, rng=rng)))[0].tolist()

    np.random.seed(1)
    first = order()
    np.random.seed(1)
    assert order() == first != order()
    np.random.seed(1)
    assert order(np.random.default_rng(7)) == order(np.random.default_rng(7))
    assert order() == first  # a generator of one's own leaves the global state alone


def test_without_shuffling_no_random_number_is_drawn():
    np.random.seed(1)
    expected = np.random.rand()
    np.random.seed(1)
    list(Batches(np.arange(5), np.arange(5), 2, shuffle=False))
    assert np.random.rand() == expected


def test_bytes_become_floats_when_they_are_used():
    x = np.full((6, 2), 51, dtype=np.uint8)
    batches = Batches(x, np.arange(6), 4, transform=lambda batch: batch / 255)
    assert batches.x.dtype == np.uint8
    assert [x_batch.tolist() for x_batch, _ in batches] == [[[0.2, 0.2]] * 4, [[0.2, 0.2]] * 2]


def test_split_is_complete_and_pairs_stay_together():
    x = np.arange(40).reshape(20, 2)
    x_train, x_test, y_train, y_test = train_test_split(x, x[:, 0], test_size=0.25, seed=3)
    assert len(x_train) == 15 and len(x_test) == 5
    assert np.array_equal(x_train[:, 0], y_train) and np.array_equal(x_test[:, 0], y_test)
    assert sorted(y_train.tolist() + y_test.tolist()) == x[:, 0].tolist()


def test_split_depends_on_the_seed_alone():
    x = np.arange(30)
    np.random.seed(0)
    first = train_test_split(x, seed=4)[1].tolist()
    np.random.seed(1)
    assert train_test_split(x, seed=4)[1].tolist() == first != train_test_split(x, seed=5)[1].tolist()


@pytest.mark.parametrize("call, message", [
    (lambda: Batches(np.ones((4, 2)), np.ones(3), 2), r"\(4, 2\), \(3,\)"),
    (lambda: Batches(np.ones((0, 2)), np.ones(0), 2), "at least one"),
    (lambda: Batches(np.ones(4), np.ones(4), 0), "batch_size"),
    (lambda: Batches(np.ones(4), np.ones(4), 1.5), "batch_size"),
    (lambda: train_test_split(np.ones(4), np.ones(5)), "same number of rows"),
    (lambda: train_test_split(np.ones(4), test_size=1.0), "test_size"),
    (lambda: train_test_split(), "no array"),
])
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
