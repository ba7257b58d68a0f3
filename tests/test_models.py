"""The networks that solve XOR with weights set by hand: what ours do beyond what the sheet asks for."""
import numpy as np
import pytest

from lib.activations import ReLU
from lib.dataset import X
from lib.model_utilities import extract_hidden
from lib.models import create_2unit_net, create_3unit_net, run_model_on_xor, run_test_model
from lib.network import Linear, Sequential


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
