"""Logistic regression: it finds what a line can separate, and can't solve XOR."""
import numpy as np

from lib.dataset import X, y
from lib.log_reg import logistic_regression


def test_xor_is_not_linearly_separable():
    predictions, score = logistic_regression(X, y)
    assert np.shape(predictions) == (4,) and isinstance(score, float)
    assert score <= 0.75 and score == np.mean(predictions == y)


def test_separable_data():
    points, labels = np.array([[0, 0], [0, 1], [5, 5], [5, 6]]), np.array([0, 0, 1, 1])
    for order in ([0, 1, 2, 3], [2, 0, 3, 1]):
        predictions, score = logistic_regression(points[order], labels[order])
        assert score == 1.0 and list(predictions) == list(labels[order])


def test_the_score_is_the_share_of_its_own_inputs():
    inputs = np.linspace(-1, 1, 9).reshape(-1, 1)
    labels = (inputs[:, 0] > 0).astype(int)
    labels[-1] = 0  # one that no threshold explains with the others
    predictions, score = logistic_regression(inputs, labels)
    assert score == np.mean(predictions == labels) and score < 1


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
