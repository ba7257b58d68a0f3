"""The forward pass of ReLU."""
import numpy as np

from lib.activations import ReLU
from tests.finite_differences import assert_backward_is_right


def test_known_values():
    np.testing.assert_array_equal(ReLU()(np.array([[-1.5, -0.5, 0.0, 0.5, 2.5]])), [[0.0, 0.0, 0.0, 0.5, 2.5]])


def test_any_shape():
    for shape in [(4,), (2, 3), (2, 3, 4), (1, 1)]:
        assert ReLU()(np.ones(shape)).shape == shape
    np.testing.assert_array_equal(ReLU()(np.array([[-2, 0, 3]])), [[0, 0, 3]])


def test_backward_takes_any_shape(rng):  # beyond the sheet: convolutions have four axes
    for shape in [(4,), (2, 3, 4), (2, 3, 4, 1)]:
        assert_backward_is_right(ReLU(), (rng.uniform(-1, 1, shape),))


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
