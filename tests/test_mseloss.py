"""The value of MSELoss: the sum over the batch of half the squared norm of each row's error, divided by N."""
import numpy as np

from lib.losses import MSELoss


def test_known_values():
    preds, labels = np.array([[1.0, 2.0], [0.0, -1.0], [3.0, 3.0]]), np.array([[0.0, 4.0], [0.0, 1.0], [3.0, 3.0]])
    np.testing.assert_allclose(MSELoss()(preds, labels), (5 / 2 + 4 / 2 + 0) / 3)
    np.testing.assert_allclose(MSELoss()(preds, preds), 0)


def test_the_sign_of_the_error_doesnt_matter(rng):
    preds, labels = rng.standard_normal((5, 3)), rng.standard_normal((5, 3))
    np.testing.assert_allclose(MSELoss()(preds, labels), MSELoss()(labels, preds))
    np.testing.assert_allclose(MSELoss()(preds, labels), ((preds - labels) ** 2).sum() / 10)


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
