"""Sequential: backward in reverse order, each module with what the one after it returned."""
import numpy as np

from lib.activations import Sigmoid
from lib.network import Linear, Sequential
from lib.network_base import Module
from tests.finite_differences import assert_backward_is_right


def random_network(rng):
    model = Sequential(Linear(3, 4), Sigmoid(), Linear(4, 2), Sigmoid())
    for param in model.parameters():
        param.data = rng.standard_normal(param.data.shape)
    return model


def test_check_gradients(rng):
    random_network(rng).check_gradients((rng.standard_normal((2, 3)),))


def test_backward_calls_every_module_once_from_the_last_to_the_first(rng):
    calls = []

    class Doubling(Module):
        def forward(self, x):
            return 2 * x

        def backward(self, grad):
            calls.append(self)
            return 2 * grad

    model = Sequential(Doubling(), Doubling(), Doubling())
    order = list(model.modules)
    for _ in range(2):  # a second time, too, as in training
        calls.clear()
        model(rng.standard_normal((2, 3)))
        grad = model.backward(np.ones((2, 3)))
        assert calls == order[::-1], "backward must go through the modules from the last to the first"
        assert grad is not None, "Sequential.backward returns nothing: is a return missing?"
        assert np.all(grad == 8), "each module must receive what the module after it returned"


def test_finite_differences(rng):
    for batch in (5, 3, 1):
        assert_backward_is_right(random_network(rng), (rng.standard_normal((batch, 3)),))


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
