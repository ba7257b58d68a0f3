"""The backward pass of CrossEntropyLoss."""
import numpy as np
import pytest

from lib.losses import CrossEntropyLoss
from lib.utilities import one_hot_encoding
from tests.finite_differences import assert_backward_is_right


def test_check_gradients(rng):
    labels = one_hot_encoding(rng.integers(0, 10, 4), 10)
    CrossEntropyLoss().check_gradients((rng.standard_normal((4, 10)), labels))


def test_known_values():
    loss_fn = CrossEntropyLoss()
    loss_fn(np.log([[1.0, 3.0], [1.0, 1.0]]), np.array([[1, 0], [0, 1]]))
    np.testing.assert_allclose(loss_fn.backward(), [[-0.375, 0.375], [0.25, -0.25]])


@pytest.mark.parametrize("batch, classes", [(4, 3), (1, 3), (3, 3), (5, 1), (1, 2)])
def test_finite_differences(rng, batch, classes):
    labels = one_hot_encoding(rng.integers(0, classes, batch), classes)
    assert_backward_is_right(CrossEntropyLoss(), (rng.standard_normal((batch, classes)), labels))


def test_the_argument_is_ignored(rng):
    loss_fn, preds, labels = CrossEntropyLoss(), rng.standard_normal((2, 3)), np.eye(3)[:2]

    def backward(*arguments):
        loss_fn(preds, labels)  # one forward for each backward, which may reuse the cache
        return np.array(loss_fn.backward(*arguments))

    np.testing.assert_allclose(backward(), backward(None))
    np.testing.assert_allclose(backward(), backward(np.float64(1)))


def test_each_row_sums_to_zero(rng):
    loss_fn = CrossEntropyLoss()
    loss_fn(100 * rng.standard_normal((6, 4)), np.eye(4)[rng.integers(0, 4, 6)])
    np.testing.assert_allclose(loss_fn.backward().sum(axis=1), 0, atol=1e-12)


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
