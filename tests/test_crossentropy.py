"""The value of the cross-entropy loss."""
import numpy as np
import pytest

from lib.losses import CrossEntropyLoss
from lib.utilities import one_hot_encoding


def test_known_values():
    preds = np.log([[1.0, 3.0], [1.0, 1.0]])
    labels = np.array([[1, 0], [0, 1]])
    np.testing.assert_allclose(CrossEntropyLoss()(preds, labels), (np.log(4) + np.log(2)) / 2)


def test_the_loss_is_a_float_with_a_shape(rng):
    for dtype in (np.float64, np.float32):
        loss = CrossEntropyLoss()(rng.standard_normal((3, 2)).astype(dtype), np.eye(2)[[0, 1, 1]])
        assert isinstance(loss, float) and loss.shape == ()


def test_integer_labels_in_one_hot_form(rng):
    preds, y = rng.standard_normal((4, 3)), np.array([0, 2, 1, 1])
    one_hot = one_hot_encoding(y, 3)
    np.testing.assert_allclose(CrossEntropyLoss()(preds, one_hot.astype(int)), CrossEntropyLoss()(preds, one_hot))


@pytest.mark.parametrize("preds, labels", [((4, 3), (4,)), ((4, 3), (4, 1)), ((4, 3), (4, 2)), ((4, 3), (3, 4)),
                                           ((3,), (3,))])
def test_wrong_shapes(preds, labels):
    with pytest.raises(AssertionError, match="."):  # in a sentence
        CrossEntropyLoss()(np.ones(preds), np.ones(labels))


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
