"""backward_pass: loss backward, model backward, one step of gradient descent; gradients aren't reset."""
import numpy as np
import pytest

from lib.dataset import X, y
from lib.experiments import backward_pass
from lib.gradient_utilities import zero_grad
from lib.losses import CrossEntropyLoss
from lib.network import Linear, Sequential
from lib.utilities import one_hot_encoding
from run_xor_experiment import create_xor_net, train_on_xor
from tests.finite_differences import numeric_gradient

LABELS = one_hot_encoding(y, num_classes=2)


@pytest.mark.parametrize("lr", [1.0, 0.1])
def test_one_step_follows_the_numeric_gradient(rng, lr):
    model, loss_fn = create_xor_net(), CrossEntropyLoss()
    for param in model.parameters():
        param.data = rng.standard_normal(param.data.shape)
    expected = [param.data - lr * numeric_gradient(lambda: CrossEntropyLoss()(model(X), LABELS), param.data)
                for param in model.parameters()]
    zero_grad(model.parameters())
    loss_fn(model(X), LABELS)
    backward_pass(model, loss_fn, lr)
    for param, value in zip(model.parameters(), expected):
        np.testing.assert_allclose(param.data, value, rtol=1e-6, atol=1e-8, err_msg=f"{param.name}: is the sign right, "
                                   "is lr there, and is no parameter left out?")


def test_known_values():
    model, loss_fn = Sequential(Linear(1, 2)), CrossEntropyLoss()
    model.modules[0].W.data, model.modules[0].b.data = np.zeros((1, 2)), np.zeros(2)
    zero_grad(model.parameters())
    loss_fn(model(np.array([[2.0]])), np.array([[1, 0]]))
    backward_pass(model, loss_fn, lr=0.5)
    np.testing.assert_allclose(model.modules[0].W.data, [[0.5, -0.5]])
    np.testing.assert_allclose(model.modules[0].b.data, [0.25, -0.25])


def test_the_gradients_are_still_there_afterwards(rng):
    model, loss_fn = Sequential(Linear(2, 2)), CrossEntropyLoss()
    zero_grad(model.parameters())
    before = [param.data.copy() for param in model.parameters()]
    loss_fn(model(X), LABELS)
    backward_pass(model, loss_fn, lr=1.0)
    for param, data in zip(model.parameters(), before):
        assert np.any(param.grad), "backward_pass must not reset the gradients after the step: they are looked at"
        np.testing.assert_allclose(param.data, data - param.grad)


def test_training_reduces_the_loss():
    np.random.seed(3)  # a start that does solve XOR; about six in ten don't
    model, loss_fn = create_xor_net(), CrossEntropyLoss()
    losses = train_on_xor(model, loss_fn, LABELS, lr=1.0, epochs=500)
    assert len(losses) == 500 and losses[-1] < 0.1 < losses[0]
    np.testing.assert_array_equal(np.argmax(model(X), axis=1), y)


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
