"""The network with two hidden units and weights set by hand solves XOR."""
import numpy as np

from lib.models import Linear, Sequential, create_2unit_net, run_test_model


def test_it_solves_xor():
    run_test_model(create_2unit_net())


def test_its_weights_are_the_sheets():
    W1, b1, W2, b2 = (param.data for param in create_2unit_net().parameters())
    np.testing.assert_allclose(W1, [[3.21, -2.34], [3.21, -2.34]])
    np.testing.assert_allclose(b1, [-3.21, 2.34])
    np.testing.assert_allclose(W2, [[3.19, -2.68], [4.64, -3.44]])
    np.testing.assert_allclose(b2, [-4.08, 4.42])
    assert isinstance(create_2unit_net(), Sequential) and isinstance(create_2unit_net().modules[0], Linear)


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
