"""What our own files of sheet 2 do beyond what the sheet asks for; its tests ask for no more than the sheet."""
import numpy as np
import pytest

from lib.activations import ReLU
from lib.dataset import X, y
from lib.log_reg import logistic_regression
from lib.losses import CrossEntropyLoss
from lib.model_utilities import extract_hidden
from lib.models import create_2unit_net, create_3unit_net, run_model_on_xor, run_test_model
from lib.network import Linear, Sequential


def test_nan_and_infinity_pass_through_relu():
    np.testing.assert_array_equal(ReLU()(np.array([np.nan, np.inf, -np.inf])), [np.nan, np.inf, 0])


def test_a_confident_wrong_answer_has_a_finite_cross_entropy():
    for dtype in (np.float32, np.float64):
        preds = np.array([[1000, -1000]], dtype=dtype)
        np.testing.assert_allclose(CrossEntropyLoss()(preds, np.array([[0, 1]])), 2000)


def test_logistic_regression_finds_the_line_where_there_is_one():
    assert logistic_regression(X, np.array([0, 0, 0, 1]))[1] == 1.0
    assert logistic_regression(extract_hidden(create_2unit_net(), X), y)[1] == 1.0


def test_the_loss_is_printed_when_verbose(capsys):
    run_model_on_xor(create_2unit_net())
    assert "loss: 0.0001" in capsys.readouterr().out


def test_the_message_names_the_predictions():
    with pytest.raises(AssertionError, match="XOR is"):
        run_test_model(Sequential(Linear(2, 2)))


def test_both_networks_compute_the_same(rng):
    for x in (X, rng.uniform(-2, 2, (50, 2))):
        two, three = create_2unit_net()(x), create_3unit_net()(x)
        assert two.shape == (len(x), 2)
        np.testing.assert_allclose(two, three)


def test_another_architecture_is_refused():
    for model in (Sequential(ReLU(), Linear(2, 2)), Sequential(Linear(2, 3), ReLU()), Sequential(Linear(2, 2)),
                  Linear(2, 2)):
        with pytest.raises(ValueError, match="begins with Linear"):
            extract_hidden(model, X)


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
