"""The network with three hidden units solves XOR."""
from lib.models import create_3unit_net, run_test_model


def test_it_solves_xor_with_three_hidden_units():
    model = create_3unit_net()
    run_test_model(model)
    assert model.modules[0].W.data.shape == (2, 3) and model.modules[2].W.data.shape == (3, 2)


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
