"""The backward pass of ReLU."""
import numpy as np

from lib.activations import ReLU
from tests.finite_differences import assert_backward_is_right


def test_check_gradients(rng):
    ReLU().check_gradients((rng.uniform(-1, 1, (2, 10)),))


def test_known_values():
    relu = ReLU()
    relu(np.array([[-2.0, -0.5, 0.5, 3.0]]))
    grad = np.array([[5.0, -6.0, 7.0, -8.0]])
    np.testing.assert_array_equal(relu.backward(grad), [[0.0, 0.0, 7.0, -8.0]])


def test_the_derivative_at_the_kink_is_between_those_beside_it():
    relu = ReLU()
    relu(np.array([[0.0, -0.0, 1e-300]]))
    grad = np.asarray(relu.backward(np.array([[3.0, 3.0, 3.0]])))
    assert np.isfinite(grad).all(), "at an input of 0, backward gives NaN or infinity: does it divide by the input?"
    assert ((0 <= grad) & (grad <= 3)).all(), "at an input of 0, any derivative from 0 to 1 is right, but no other"


def test_finite_differences(rng):
    for shape in [(4, 5), (1, 3), (3, 3), (6, 1)]:  # rows, as the sheet has them: a loop over both axes is right
        assert_backward_is_right(ReLU(), (rng.uniform(-1, 1, shape),))


def test_the_input_stays_unchanged(rng):
    x = rng.standard_normal((3, 4))
    before = x.copy()
    relu = ReLU()
    relu(x)
    relu.backward(rng.standard_normal((3, 4)))
    np.testing.assert_array_equal(x, before)


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
