"""Logistic regression: solves AND, not XOR."""
import numpy as np

from lib.dataset import X, y
from lib.log_reg import logistic_regression
from lib.model_utilities import extract_hidden
from lib.models import create_2unit_net


def test_xor_is_not_linearly_separable():
    predictions, score = logistic_regression(X, y)
    assert predictions.shape == (4,) and isinstance(score, float)
    assert score <= 0.75 and score == np.mean(predictions == y)


def test_and_is_separable_and_so_is_xor_in_the_hidden_space():
    assert logistic_regression(X, np.array([0, 0, 0, 1]))[1] == 1.0
    assert logistic_regression(extract_hidden(create_2unit_net(), X), y)[1] == 1.0


def test_separable_data():
    points = np.array([[0, 0], [0, 1], [5, 5], [5, 6]])
    predictions, score = logistic_regression(points, np.array([0, 0, 1, 1]))
    assert score == 1.0 and predictions.tolist() == [0, 0, 1, 1]


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
