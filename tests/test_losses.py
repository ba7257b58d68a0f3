"""The losses of predictions and labels of one shape: values by hand, sentences, precision, kinks and extremes."""
import warnings

import numpy as np
import pytest

from lib.gradient_checking.discovery import subclasses
from lib.layers.losses import BinaryCrossEntropyLoss, L1Loss, Loss, MeanSquaredError
from lib.losses import CrossEntropyLoss, MSELoss
from lib.network_base import is_loss

LOSSES = [MSELoss] + [cls for cls in subclasses(Loss) if cls.__module__ == "lib.layers.losses"]


def test_known_values():
    preds, labels = np.array([[1.0, 2.0], [3.0, 5.0]]), np.array([[0.0, 2.0], [1.0, 8.0]])
    np.testing.assert_allclose(MSELoss()(preds, labels), (1 + 4 + 9) / 2 / 2)
    np.testing.assert_allclose(MeanSquaredError()(preds, labels), (1 + 4 + 9) / 4)
    np.testing.assert_allclose(L1Loss()(preds, labels), (1 + 2 + 3) / 2)
    logits, yes = np.log([1.0, 3.0]), np.array([1.0, 0.0])
    np.testing.assert_allclose(BinaryCrossEntropyLoss()(logits, yes), (np.log(2) + np.log(4)) / 2)


def test_the_pen_and_paper_loss():
    loss_fn = L1Loss()
    np.testing.assert_allclose(loss_fn(np.array([[0.375]]), np.array([[-3.0]])), 3.375)
    np.testing.assert_allclose(loss_fn.backward(), [[1.0]])


@pytest.mark.parametrize("loss", LOSSES)
def test_a_column_is_not_a_vector(loss):
    with pytest.raises(ValueError, match=r"\(4, 1\).*\(4,\).*reshape\(4, 1\)"):
        loss()(np.ones((4, 1)), np.ones(4))
    with pytest.raises(AssertionError, match=r"\(4, 2\).*\(4, 3\)"):
        loss()(np.ones((4, 2)), np.ones((4, 3)))


@pytest.mark.parametrize("loss", LOSSES)
def test_the_other_sentences(loss):
    with pytest.raises(ValueError, match="empty"):
        loss()(np.ones((0, 2)), np.ones((0, 2)))
    with pytest.raises(ValueError, match="batch axis"):
        loss()(1.0, 1.0)
    with pytest.raises(RuntimeError, match="before forward"):
        loss().backward()


@pytest.mark.parametrize("loss", LOSSES)
def test_precision(rng, loss):
    loss_fn = loss()
    value = loss_fn(rng.uniform(0, 1, (3, 2)).astype(np.float32), np.ones((3, 2), dtype=int))
    assert isinstance(value, float) and value.shape == (), "a loss is a float64: .sum(dtype=np.float64)"
    assert loss_fn.backward().dtype == np.float32 and loss_fn.backward().shape == (3, 2)


def test_l1_takes_the_left_derivative_at_the_kink():
    loss_fn = L1Loss()
    loss_fn(np.array([1.0, 2.0]), np.array([1.0, 1.0]))
    np.testing.assert_allclose(loss_fn.backward(), [-0.5, 0.5])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_logits_of_a_thousand(dtype):
    logits, labels = np.array([[1000.0], [-1000.0]], dtype=dtype), np.array([[0.0], [1.0]])
    with warnings.catch_warnings(), np.errstate(over="raise", invalid="raise", divide="raise"):
        warnings.simplefilter("error")
        loss_fn = BinaryCrossEntropyLoss()
        np.testing.assert_allclose(loss_fn(logits, labels), 1000)
        np.testing.assert_allclose(loss_fn.backward(), [[0.5], [-0.5]])


def test_binary_labels_lie_between_0_and_1():
    with pytest.raises(ValueError, match="between 0 and 1"):
        BinaryCrossEntropyLoss()(np.zeros(2), np.array([-1.0, 1.0]))


def test_every_loss_is_a_loss():
    assert all(is_loss(loss()) for loss in LOSSES)


def test_the_gradient_of_cross_entropy_keeps_the_precision_of_the_logits(rng):
    loss_fn = CrossEntropyLoss()
    loss_fn(rng.standard_normal((2, 3)).astype(np.float32), np.eye(3)[:2])
    assert loss_fn.backward().dtype == np.float32


@pytest.mark.parametrize("preds, labels, words", [
    ((4, 3), (4,), "one_hot_encoding"),
    ((4, 3), (4, 1), "one_hot_encoding"),
    ((4, 3), (4, 2), r"\(4, 3\).*\(4, 2\)"),
    ((4, 3), (3, 4), r"\(4, 3\).*\(3, 4\)"),
    ((3,), (3,), "2 dimensions"),
    ((0, 3), (0, 3), "empty"),
])
def test_wrong_shapes_for_cross_entropy(preds, labels, words):
    with pytest.raises(AssertionError, match=words):
        CrossEntropyLoss()(np.ones(preds), np.ones(labels))


def test_labels_must_sum_to_one():
    with pytest.raises(ValueError, match=r"row 1 is \[1.0, 1.0\]"):
        CrossEntropyLoss()(np.zeros((2, 2)), np.array([[1, 0], [1, 1]]))
    with pytest.raises(ValueError, match=r"row 0 is \[1.0, 1.0\]"):  # in sum they are right
        CrossEntropyLoss()(np.zeros((2, 2)), np.array([[1.0, 1.0], [0.0, 0.0]]))


def test_labels_are_checked_at_every_call(rng):
    preds, labels, loss_fn = rng.standard_normal((4, 3)), np.eye(3)[[0, 1, 1, 2]], CrossEntropyLoss()
    loss_fn(preds, labels)
    labels[...] = 5
    with pytest.raises(ValueError, match=r"row 0 is \[5.0, 5.0, 5.0\]"):
        loss_fn(preds, labels)
    with pytest.raises(ValueError, match=r"row 1 is \[2.0, -1.0\]"):  # a sum of 1 isn't enough
        loss_fn(np.zeros((2, 2)), np.array([[0.5, 0.5], [2.0, -1.0]]))


def test_labels_are_known_by_their_numbers_alone():
    """The last labels aren't checked again; to be the same object, or the same bytes in another shape, isn't enough."""
    loss_fn, labels = CrossEntropyLoss(), np.eye(2)
    for _ in range(2):
        loss_fn(np.zeros((2, 2)), labels)
        loss_fn(np.zeros((2, 2)), np.eye(2))
    with pytest.raises(ValueError, match="row 0"):
        loss_fn(np.zeros((1, 4)), labels.reshape(1, 4))
    loss_fn(np.zeros((2, 2)), labels)
    labels[1] = 5
    for _ in range(2):
        with pytest.raises(ValueError, match="row 1"):
            loss_fn(np.zeros((2, 2)), labels)


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
