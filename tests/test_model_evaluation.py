"""Accuracy, evaluation batch by batch, and the confusion matrix."""
from __future__ import annotations

import numpy as np
import pytest

from lib.activations import ReLU
from lib.losses import CrossEntropyLoss
from lib.inspection.prediction import confusion_matrix
from lib.model_evaluation import accuracy, evaluate
from lib.network import Linear, Sequential
from lib.network_base import Module


def make_data(n=23):
    rng = np.random.default_rng(0)
    return rng.standard_normal((n, 4)), np.eye(3)[rng.integers(0, 3, n)]


def make_model():
    rng = np.random.default_rng(1)
    model = Sequential(Linear(4, 8, rng=rng), ReLU(), Sequential(Linear(8, 3, rng=rng)))
    for param in model.parameters():
        param.data = rng.standard_normal(param.data.shape)
    return model


def test_accuracy_of_all_kinds_of_labels():
    logits = np.array([[3.0, 1.0, 2.0], [0.0, 5.0, 1.0], [1.0, 0.0, 2.0], [9.0, 8.0, 7.0]])
    classes = np.array([0, 1, 1, 2])
    assert accuracy(classes, logits) == accuracy(np.eye(3)[classes], logits) == accuracy(classes, [0, 1, 2, 0]) == 0.5
    assert accuracy(np.eye(3, dtype=int)[[0, 1, 2, 0]], logits) == 1.0
    assert isinstance(accuracy(classes, logits), float)


@pytest.mark.parametrize("batch_size", [1, 5, 23, 100])
def test_evaluate_sums_the_batches_losses_and_counts_every_sample_once(batch_size):
    x, y = make_data()
    model, loss_fn = make_model(), CrossEntropyLoss()
    share, cost = evaluate(x, y, model, loss_fn, batch_size)
    starts = range(0, 23, batch_size)
    expected = sum(CrossEntropyLoss()(model(x[i:i + batch_size]), y[i:i + batch_size]) for i in starts)
    assert cost == pytest.approx(expected, rel=1e-12)
    assert share == pytest.approx(np.mean(model(x).argmax(axis=1) == y.argmax(axis=1)), rel=1e-12)
    assert 0 < share < 1


class Spy(Module):
    """Notes the mode in which it is called, and can fail."""

    def __init__(self, fails=False):
        self.modes, self.fails = [], fails

    def forward(self, x):
        self.modes.append(self.training)
        if self.fails:
            raise ZeroDivisionError
        return x


def test_evaluation_mode_during_and_the_modes_from_before_after():
    x, y = make_data()
    spy = Spy()
    model = Sequential(spy, make_model())
    model[1].eval()  # one part was in evaluation mode already
    evaluate(x, y, model, CrossEntropyLoss(), 10)
    assert spy.modes == [False] * 3
    assert model.training and spy.training and not model[1].training and not model[1][0].training


def test_modes_are_restored_after_an_error_too():
    x, y = make_data()
    model = Sequential(Spy(fails=True))
    with pytest.raises(ZeroDivisionError):
        evaluate(x, y, model, CrossEntropyLoss(), 10)
    assert model.training and model[0].training


def test_evaluate_changes_no_parameter_and_draws_no_random_number():
    x, y = make_data()
    model = make_model()
    before = [(param.data.copy(), param.grad.copy()) for param in model.parameters()]
    np.random.seed(2)
    expected = np.random.rand()
    np.random.seed(2)
    evaluate(x, y, model, CrossEntropyLoss(), 4)
    assert np.random.rand() == expected
    for param, (data, grad) in zip(model.parameters(), before):
        assert np.array_equal(param.data, data) and np.array_equal(param.grad, grad)


def test_confusion_matrix():
    true, predicted = np.array([0, 0, 1, 2, 2, 2]), np.array([0, 1, 1, 2, 0, 2])
    expected = [[1, 1, 0], [0, 1, 0], [1, 0, 2]]
    assert confusion_matrix(true, predicted).tolist() == expected
    assert confusion_matrix(np.eye(3)[true], np.eye(3)[predicted]).tolist() == expected
    assert confusion_matrix(true, predicted, num_classes=4).shape == (4, 4)
    assert confusion_matrix(true, np.eye(5)[predicted]).shape == (5, 5)  # classes without an example count


def test_confusion_matrix_agrees_with_accuracy():
    x, y = make_data()
    preds = make_model()(x)
    matrix = confusion_matrix(y, preds)
    assert np.trace(matrix) / matrix.sum() == pytest.approx(accuracy(y, preds))
    assert np.array_equal(matrix.sum(axis=1), y.sum(axis=0))


@pytest.mark.parametrize("call, message", [
    (lambda: accuracy(np.ones((4, 2)), np.ones((3, 2))), r"labels \(4, 2\) and predictions \(3, 2\)"),
    (lambda: accuracy([[0.2, 3.0], [1.0, 0.5]], [[0, 1], [1, 0]]), "labels first, accuracy.y, predictions"),
    (lambda: accuracy(np.array([[1.0], [0.0]]), np.array([[2.0], [-1.0]])), "output > 0.5.*output > 0"),
    (lambda: evaluate(make_model(), CrossEntropyLoss(), *make_data(), 5), "data first: evaluate.x_val, y_val, model"),
    (lambda: evaluate(*make_data(), CrossEntropyLoss(), make_model(), 5), "As model it got a CrossEntropyLoss"),
    (lambda: confusion_matrix([0], [[np.nan, 1.0]]), "NaN"),
    (lambda: accuracy(np.ones((3, 2)), np.ones((3, 4))), "same number of classes"),
    (lambda: accuracy(np.ones(3), np.ones((3, 1))), "K > 1"),
    (lambda: accuracy(np.array([0, 1]), np.array([0.3, 0.9])), "class numbers"),
    (lambda: accuracy(np.ones((0, 2)), np.ones((0, 2))), "empty"),
    (lambda: confusion_matrix([0, 1], [0, 3], num_classes=2), "num_classes"),
    (lambda: evaluate(*make_data(), make_model(), CrossEntropyLoss(), 0), "batch_size"),
])
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_prediction_of_nan_is_wrong():
    assert accuracy([[1, 0], [0, 1]], [[np.nan, 1.0], [0.0, 1.0]]) == 0.5


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
