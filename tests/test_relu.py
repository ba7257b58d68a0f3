"""The forward pass of ReLU."""
import numpy as np

from lib.activations import ReLU


def test_known_values():
    np.testing.assert_array_equal(ReLU()(np.array([[-1.5, -0.5, 0.0, 0.5, 2.5]])), [[0.0, 0.0, 0.0, 0.5, 2.5]])


def test_any_shape():
    for shape in [(4,), (2, 3), (2, 3, 4), (1, 1)]:
        assert ReLU()(np.ones(shape)).shape == shape
    np.testing.assert_array_equal(ReLU()(np.array([[-2, 0, 3]])), [[0, 0, 3]])


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
