"""Sigmoid: values, symmetry, and no overflow."""
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lib.activations import Sigmoid


def test_known_values():
    x = np.log([[1.0, 3.0, 1 / 3]])
    np.testing.assert_allclose(Sigmoid()(x), [[0.5, 0.75, 0.25]])


@given(st.floats(-700, 700))
def test_symmetry(x):
    y = Sigmoid()(np.array([x, -x]))
    np.testing.assert_allclose(y.sum(), 1)
    assert 0 < y.min() <= y.max() <= 1


def test_small_probabilities_keep_their_digits():
    np.testing.assert_allclose(Sigmoid()(np.array([-40.0])), np.exp(-40), rtol=1e-12)


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
