"""The checker accuses no one wrongly: right modules at kinks and ties, in float32, with huge or tiny numbers."""
import copy

import numpy as np
import pytest

from lib.activations import ReLU
from lib.network_base import Module
from tests.mutants.measure import verdict_of
from tests.mutants.other_checkers import accepts, ones_central, ones_forward
from tests.mutants.situations import SITUATIONS

NAMES = [make.__name__ for make in SITUATIONS]


def test_there_are_many():
    assert len(SITUATIONS) >= 35 and len(set(NAMES)) == len(NAMES)


@pytest.mark.parametrize("make", SITUATIONS, ids=NAMES)
def test_no_false_alarm(make):
    verdict = verdict_of(*make(np.random.default_rng(0)))
    assert verdict.verdict == "ok", verdict.text


@pytest.mark.slow
@pytest.mark.parametrize("make", SITUATIONS, ids=NAMES)
def test_no_false_alarm_on_twenty_starts(make):
    for seed in range(1, 21):
        verdict = verdict_of(*make(np.random.default_rng(seed)))
        assert verdict.verdict == "ok", verdict.text


def spoilt(module):
    """Return a copy of a module whose backward is 0.1 % off, in what it returns and in all parameters."""
    class Spoilt(Module):
        def __init__(self, module):
            self.inner = module

        def parameters(self):
            return self.inner.parameters()

        def forward(self, *args):
            return self.inner.forward(*args)

        def backward(self, *grad):
            parameters = list({id(param): param for param in self.parameters()}.values())
            before = [0 if param.grad is None else param.grad.copy() for param in parameters]
            if parameters and parameters[0].grad is None:
                self._zero_grad()
            result = self.inner.backward(*grad)
            for param, old in zip(parameters, before):
                param.grad = old + 1.001 * (param.grad - old)
            return None if result is None else 1.001 * result

    return Spoilt(copy.deepcopy(module))


SPOILT_EVERY_DAY = ("xor_with_zero_biases", "equal_entries_in_max_pool", "loss_around_a_million", "tiny_inputs",
                    "loss_around_a_millionth", "float32_network", "dropout_while_training")


@pytest.mark.parametrize("make", [
    pytest.param(make, id=make.__name__, marks=() if make.__name__ in SPOILT_EVERY_DAY else pytest.mark.slow)
    for make in SITUATIONS])
def test_the_same_situation_spoilt_is_caught(make):
    """No false alarm is easy for a checker that lets everything pass: here the same with an error of 0.1 %."""
    module, inputs = make(np.random.default_rng(0))
    assert verdict_of(spoilt(module), inputs).verdict == "wrong"


def test_other_styles_reject_some_of_them():
    by_name = dict(zip(NAMES, SITUATIONS))
    for name in ("xor_with_zero_biases", "integers_to_relu", "float32_relu_with_zeros", "huge_inputs_to_relu"):
        for other in (ones_forward, ones_central):
            assert not accepts(other, *by_name[name](np.random.default_rng(0))), name
    assert accepts(ones_forward, ReLU(), (np.array([[1.0, -2.0, 3.0]]),))


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
