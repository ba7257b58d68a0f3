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


def test_a_generator_leaves_the_global_state_alone():
    np.random.seed(1)
    first = Linear(2, 2, rng=np.random.default_rng(3))
    second = Linear(2, 2, rng=np.random.default_rng(3))
    drawn = np.random.rand()
    np.random.seed(1)
    assert drawn == np.random.rand()
    np.testing.assert_array_equal(first.W.data, second.W.data)


def test_parameters():
    linear = Linear(4, 3)
    assert linear.parameters()[0] is linear.W and linear.parameters()[1] is linear.b
    assert len(Linear(4, 3, bias=False).parameters()) == 1
    np.testing.assert_array_equal(linear.W.grad, np.zeros((4, 3)))


def test_forward():
    linear = Linear(2, 3)
    linear.W.data, linear.b.data = np.arange(6.0).reshape(2, 3), np.array([1.0, 2.0, 3.0])
    np.testing.assert_allclose(linear(np.array([[1, 1], [2, 0]])), [[4, 7, 10], [1, 4, 7]])


@pytest.mark.parametrize("shape", [(2, 3, 4), (), (1, 1, 1, 4)])
def test_other_dimensions_are_refused(shape):
    with pytest.raises(AssertionError, match="2 dimensions"):
        Linear(4, 2)(np.ones(shape))


def test_sizes_must_be_whole_numbers():
    for sizes in [(0, 2), (2, -1), (2.5, 2), ("2", 2)]:
        with pytest.raises(ValueError, match="Linear expects (in|out)_features to be a whole number"):
            Linear(*sizes)


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
