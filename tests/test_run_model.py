"""Running a model on XOR: probabilities, loss, and what is printed."""
import numpy as np
import pytest

from lib.models import Linear, Sequential, create_2unit_net, run_model_on_xor, run_test_model


def test_probabilities_and_loss():
    probabilities, loss = run_model_on_xor(create_2unit_net(), verbose=False)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    np.testing.assert_allclose(-np.log(probabilities[range(4), [0, 1, 1, 0]]).mean(), loss)


def test_it_prints_only_when_verbose(capsys):
    run_model_on_xor(create_2unit_net(), verbose=False)
    assert capsys.readouterr().out == ""
    run_model_on_xor(create_2unit_net())
    assert capsys.readouterr().out


def test_a_linear_model_does_not_solve_xor():
    with pytest.raises(AssertionError, match="."):
        run_test_model(Sequential(Linear(2, 2)))


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
