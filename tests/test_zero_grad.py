"""zero_grad sets every gradient to zeros of the parameter's shape."""
import numpy as np
import pytest

from lib.gradient_utilities import zero_grad
from lib.network import Linear, Sequential
from lib.network_base import Parameter


@pytest.mark.parametrize("start", ["numbers", "none", "zeros"])
def test_gradients_become_zeros(rng, start):
    params = [Parameter(rng.standard_normal(shape)) for shape in [(3, 4), (4,), (2, 1)]]
    for param in params:
        param.grad = {"numbers": rng.standard_normal(param.data.shape), "none": None,
                      "zeros": np.zeros(param.data.shape)}[start]
    values = [param.data.copy() for param in params]
    zero_grad(params)
    for param, value in zip(params, values):
        assert param.grad is not None, "zero_grad left a gradient at None: make it an array of zeros"
        assert np.shape(param.grad) == param.data.shape, "zero_grad must give each gradient its parameter's shape"
        assert not np.any(param.grad), "after zero_grad, a gradient is not zero"
        assert param.grad.dtype.kind == "f", "a gradient must hold floats, as backward adds floats to it"
        np.testing.assert_array_equal(param.grad, np.zeros(param.data.shape))
        np.testing.assert_array_equal(param.data, value)


def test_each_parameter_gets_an_array_of_its_own():
    params = [Parameter(np.ones(3)), Parameter(np.ones(3))]
    zero_grad(params)
    params[0].grad += 1
    assert not np.any(params[1].grad), "two parameters share one gradient array: make a new one for each"
    np.testing.assert_array_equal(params[0].data, np.ones(3))


@pytest.mark.parametrize("container", [list, tuple])
def test_lists_and_tuples_will_do(container):
    model = Sequential(Linear(2, 3), Linear(3, 1))
    for param in model.parameters():
        param.grad = np.ones_like(param.data)
    zero_grad(container(model.parameters()))
    assert all((param.grad == 0).all() for param in model.parameters())
    zero_grad(container(Linear(2, 2).parameters()))
    zero_grad(container())


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
