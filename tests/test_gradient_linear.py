"""The backward pass of Linear: gradients of W, b and x."""
import numpy as np
import pytest

from lib.network import Linear
from tests.finite_differences import assert_backward_is_right


def random_linear(rng, inputs, outputs):
    """Return a layer with weights whose share in a gradient can be seen, and gradients of zeros."""
    linear = Linear(inputs, outputs)
    linear.W.data, linear.b.data = rng.standard_normal((inputs, outputs)), rng.standard_normal(outputs)
    linear.W.grad, linear.b.grad = np.zeros((inputs, outputs)), np.zeros(outputs)
    return linear


def test_check_gradients(rng):
    for x in (rng.uniform(-1, 1, (2, 10)), rng.uniform(-1, 1, (1, 10))):
        Linear(10, 30).check_gradients((x,))
    Linear(3, 3).check_gradients((rng.uniform(-1, 1, (3, 3)),))


def test_known_values(rng):
    linear = random_linear(rng, 2, 3)
    linear.W.data = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    linear(np.array([[1.0, -1.0], [2.0, 0.5]]))
    grad_x = linear.backward(np.array([[1.0, 0.0, -1.0], [2.0, 1.0, 0.0]]))
    np.testing.assert_allclose(linear.W.grad, [[5.0, 2.0, -1.0], [0.0, 0.5, 1.0]])
    np.testing.assert_allclose(linear.b.grad, [3.0, 1.0, -1.0])
    np.testing.assert_allclose(grad_x, [[-2.0, -2.0], [4.0, 13.0]])


@pytest.mark.parametrize("batch, inputs, outputs", [(2, 3, 4), (4, 3, 2), (3, 3, 3), (1, 4, 2), (2, 1, 3), (3, 2, 1)])
def test_finite_differences(rng, batch, inputs, outputs):
    assert_backward_is_right(random_linear(rng, inputs, outputs), (rng.standard_normal((batch, inputs)),))


def test_gradients_accumulate(rng):
    linear = random_linear(rng, 3, 2)
    x, grad = rng.standard_normal((4, 3)), rng.standard_normal((4, 2))
    linear(x)
    linear.backward(grad)
    once = [param.grad.copy() for param in linear.parameters()]
    linear(x)
    linear.backward(grad)
    for param, first in zip(linear.parameters(), once):
        np.testing.assert_allclose(param.grad, 2 * first)


def test_nothing_else_changes(rng):
    linear = random_linear(rng, 3, 2)
    x, grad = rng.standard_normal((4, 3)), rng.standard_normal((4, 2))
    before = [a.copy() for a in (x, grad, linear.W.data, linear.b.data)]
    linear(x)
    linear.backward(grad)
    for after, saved in zip((x, grad, linear.W.data, linear.b.data), before):
        np.testing.assert_array_equal(after, saved)


def test_backward_needs_gradients_to_add_to(rng):
    linear = random_linear(rng, 3, 2)
    linear.W.grad = None
    linear(rng.standard_normal((4, 3)))
    with pytest.raises(AssertionError):
        linear.backward(np.ones((4, 2)))


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
