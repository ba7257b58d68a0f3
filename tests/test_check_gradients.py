"""check_gradients passes on right modules, checks what the sheet asks for, and fails on a wrong module."""
import numpy as np
import pytest

from lib import gradient_utilities
from lib.activations import ReLU, Sigmoid
from lib.losses import CrossEntropyLoss
from lib.network import Linear, Sequential
from lib.network_base import Module


def test_passes_on_the_library():
    gradient_utilities.check_gradients()


def test_checks_every_module_of_the_sheet(monkeypatch):
    checked = []

    def recording(original):
        def record(self, *args, **named):
            checked.append(self)
            return original(self, *args, **named)
        return record

    for name in ("check_gradients", "check_gradients_wrt_input", "check_gradients_wrt_params"):
        monkeypatch.setattr(Module, name, recording(getattr(Module, name)))
    gradient_utilities.check_gradients()
    missing = {ReLU, Sigmoid, Linear, Sequential, CrossEntropyLoss} - {type(module) for module in checked}
    assert not missing, f"check_gradients() doesn't check {', '.join(cls.__name__ for cls in missing)}"
    networks = [module for module in checked if isinstance(module, Sequential)]
    assert any(len(network.modules) > 1 and network.parameters() for network in networks), \
        "check_gradients() should check a Sequential of several modules, with parameters"


@pytest.mark.parametrize("module", [ReLU, Sigmoid, Linear, Sequential, CrossEntropyLoss])
def test_fails_when_a_backward_is_wrong(monkeypatch, module):
    right = module.backward
    monkeypatch.setattr(module, "backward", lambda self, grad=None: 1.01 * right(self, grad))
    with pytest.raises(RuntimeError):
        gradient_utilities.check_gradients()


def test_input_args_may_be_named(rng):
    ReLU().check_gradients(input_args=(rng.uniform(-1, 1, (2, 3)),))


def test_input_args_must_be_a_tuple():
    with pytest.raises(AssertionError, match="tuple"):
        ReLU().check_gradients(np.ones((2, 3)))


def test_both_parts_are_public(rng):
    linear = Linear(3, 2)
    linear.check_gradients_wrt_input((rng.standard_normal((2, 3)),), 1e-6)
    linear.check_gradients_wrt_params((rng.standard_normal((2, 3)),), 1e-6)


class OneGradientWrong(Linear):
    """Linear with a bias gradient that is 1 % too large."""

    def backward(self, grad):
        grad_x = super().backward(grad)
        self.b.grad += 0.01 * grad.sum(axis=0)
        return grad_x


def test_the_parts_look_at_different_gradients(rng):
    x = rng.standard_normal((2, 3))
    OneGradientWrong(3, 2).check_gradients_wrt_input((x,))
    with pytest.raises(RuntimeError):
        OneGradientWrong(3, 2).check_gradients_wrt_params((x,))


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
