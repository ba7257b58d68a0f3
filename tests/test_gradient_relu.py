"""The backward pass of ReLU."""
import numpy as np

from lib.activations import ReLU
from tests.finite_differences import assert_backward_is_right


def test_known_values():
    relu = ReLU()
    relu(np.array([[-2.0, -0.5, 0.5, 3.0]]))
    grad = np.array([[5.0, -6.0, 7.0, -8.0]])
    np.testing.assert_array_equal(relu.backward(grad), [[0.0, 0.0, 7.0, -8.0]])


def test_the_derivative_at_zero_is_zero():
    relu = ReLU()
    relu(np.array([[0.0, -0.0, 1e-300]]))
    grad = relu.backward(np.array([[3.0, 3.0, 3.0]]))
    assert np.isfinite(grad).all(), "at an input of 0, backward gives NaN or infinity: does it divide by the input?"
    np.testing.assert_array_equal(grad, [[0.0, 0.0, 3.0]], "at an input of 0, the sheet takes the derivative 0")


def test_finite_differences(rng):
    for shape in [(4, 5), (1, 3), (3, 3), (6,), (2, 3, 4)]:
        assert_backward_is_right(ReLU(), (rng.uniform(-1, 1, shape),))


def test_check_gradients(rng):
    ReLU().check_gradients((rng.uniform(-1, 1, (2, 10)),))


def test_arguments_stay_unchanged(rng):
    x, grad = rng.standard_normal((3, 4)), rng.standard_normal((3, 4))
    x_before, grad_before = x.copy(), grad.copy()
    relu = ReLU()
    relu(x)
    relu.backward(grad)
    np.testing.assert_array_equal(x, x_before)
    np.testing.assert_array_equal(grad, grad_before)


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
