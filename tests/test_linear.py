"""Linear: initial values, forward pass, shapes and messages."""
import numpy as np
import pytest

from lib.network import Linear


def test_initial_values_come_from_numpys_global_state():
    np.random.seed(5)
    linear = Linear(4, 3)
    after = np.random.rand()
    np.random.seed(5)
    expected = 0.01 * np.random.randn(4, 3)
    np.testing.assert_allclose(linear.W.data, expected)
    np.testing.assert_allclose(linear.b.data, [0.01, 0.01, 0.01])
    assert after == np.random.rand(), "Linear drew something besides W"
    assert (linear.W.name, linear.b.name) == ("W", "b")


def test_parameters():
    linear = Linear(4, 3)
    assert linear.parameters()[0] is linear.W and linear.parameters()[1] is linear.b
    assert linear.W.data.shape == (4, 3) and linear.b.data.shape == (3,)


def test_forward():
    linear = Linear(2, 3)
    linear.W.data, linear.b.data = np.arange(6.0).reshape(2, 3), np.array([1.0, 2.0, 3.0])
    np.testing.assert_allclose(linear(np.array([[1, 1], [2, 0]])), [[4, 7, 10], [1, 4, 7]])


@pytest.mark.parametrize("shape", [(2, 3, 4), (), (1, 1, 1, 4)])
def test_other_dimensions_are_refused(shape):
    with pytest.raises(AssertionError, match="."):  # in a sentence
        Linear(4, 2)(np.ones(shape))


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
