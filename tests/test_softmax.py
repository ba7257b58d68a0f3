"""Softmax: rows of probabilities, unchanged by a shift."""
import numpy as np

from lib.activations import Softmax


def test_known_values():
    np.testing.assert_allclose(Softmax()(np.log([[1.0, 2.0, 5.0], [3.0, 3.0, 3.0]])),
                               [[0.125, 0.25, 0.625], [1 / 3, 1 / 3, 1 / 3]])


def test_rows_sum_to_one_and_a_shift_changes_nothing(rng):
    x = rng.standard_normal((5, 4))
    y = Softmax()(x)
    np.testing.assert_allclose(y.sum(axis=1), 1)
    np.testing.assert_allclose(Softmax()(x + 1e4), y, rtol=1e-10)


def test_reduces_over_all_axes_but_the_first(rng):
    y = Softmax()(rng.standard_normal((2, 3, 4)))
    np.testing.assert_allclose(y.sum(axis=(1, 2)), 1)


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
