"""Sequential: forward in order, backward in reverse, a flat list of parameters."""
import numpy as np
import pytest

from lib.activations import ReLU, Sigmoid
from lib.network import Linear, Sequential
from lib.network_base import Module
from tests.finite_differences import assert_backward_is_right


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


def test_backward_calls_every_module_once_from_the_last_to_the_first(rng):
    calls = []

    class Recorder(Module):
        def forward(self, x):
            return x

        def backward(self, grad):
            calls.append(self)
            return 2 * grad

    model = Sequential(Recorder(), Recorder(), Recorder())
    model(rng.standard_normal((2, 3)))
    grad = model.backward(np.ones((2, 3)))
    assert calls == list(model.modules[::-1]), "backward must go through the modules from the last to the first"
    assert grad is not None, "Sequential.backward returns nothing: is a return missing?"
    assert np.all(grad == 8), "each module must receive what the module after it returned"


def test_backward(rng):
    model = random_network(rng)
    for x in (rng.standard_normal((5, 3)), rng.standard_normal((1, 3))):
        assert_backward_is_right(model, (x,))
    model.check_gradients((rng.standard_normal((2, 3)),))


def test_parameters_are_a_flat_list_in_order():
    model = Sequential(Linear(3, 4), ReLU(), Sequential(Linear(4, 2)))
    params = model.parameters()
    assert isinstance(params, list)
    first, last = model.modules[0], model.modules[2].modules[0]
    assert params == [first.W, first.b, last.W, last.b]
    assert [path for path, _ in model.named_parameters()] == [
        "Sequential[0].W", "Sequential[0].b", "Sequential[2][0].W", "Sequential[2][0].b"]


def test_the_base_class_defines_nothing():
    module = Module()
    assert module.parameters() == [] and module.input_cache is None
    for call in (module.forward, module.backward, module):
        with pytest.raises(NotImplementedError):
            call(np.ones((1, 1)))


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
