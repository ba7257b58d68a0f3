"""Sequential: forward in order, a flat list of parameters."""
import numpy as np

from lib.activations import ReLU, Sigmoid
from lib.network import Linear, Sequential


def random_network(rng):
    model = Sequential(Linear(3, 4), Sigmoid(), Linear(4, 2), Sigmoid())
    for param in model.parameters():
        param.data = rng.standard_normal(param.data.shape)
    return model


def test_forward_is_the_composition(rng):
    model, x = random_network(rng), rng.standard_normal((5, 3))
    expected = x
    for module in model.modules:
        expected = module(expected)
    np.testing.assert_allclose(model(x), expected)


def test_parameters_are_a_flat_list_in_order():
    model = Sequential(Linear(3, 4), ReLU(), Sequential(Linear(4, 2)))
    params = model.parameters()
    assert isinstance(params, list)
    first, last = model.modules[0], model.modules[2].modules[0]
    assert params == [first.W, first.b, last.W, last.b]


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
