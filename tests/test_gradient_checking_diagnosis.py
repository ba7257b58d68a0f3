"""The diagnosis: typical mistakes are named, with evidence, and as much is told as the course wants."""
import os

import numpy as np
import pytest

from lib.activations import ReLU, Sigmoid, Softmax
from lib.layers.activations import Tanh
from lib.gradient_checking import check_module, course, text
from lib.gradient_checking.diagnose.causes import CAUSES
from lib.gradient_checking.diagnose.formulas import HYPOTHESES
from lib.losses import CrossEntropyLoss, MSELoss
from lib.network import Linear, Sequential
from lib.layers.residual import Residual


def with_backward(cls, backward, *args):
    """Return an object of a class with another backward."""
    return type("Wrong" + cls.__name__, (cls,), {"backward": backward})(*args)


def first_cause(module, *inputs):
    return check_module(module, inputs).first_cause


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def linear(dW="x.T @ g", db="g.sum(axis=0)", dx="g @ W.T"):
    """Return the backward of a linear layer, with other formulas."""
    def backward(self, grad):
        names = {"x": self.input_cache, "g": grad, "W": self.W.data, "np": np}
        self.W.grad = self.W.grad + eval(dW, names)
        self.b.grad = self.b.grad + eval(db, names)
        return eval(dx, names)
    return backward


@pytest.mark.parametrize("cause, formulas", [
    ("wrong sign", {"dW": "-x.T @ g"}),
    ("constant factor", {"dx": "2 * g @ W.T"}),
    ("mean for sum", {"db": "g.mean(axis=0)"}),
    ("zeros", {"db": "0 * g.sum(axis=0)"}),
    ("transposed", {"dW": "(x.T @ g).T"}),
    ("transposed", {"dx": "g @ W"}),
    ("missing sum over the batch", {"db": "g"}),
    ("only one sample", {"db": "g[0]"}),
    ("upstream gradient ignored", {"dW": "x.T @ np.ones_like(g)"}),
    ("upstream gradient squared", {"db": "(g * g).sum(axis=0)"}),
    ("absolute value of the upstream gradient", {"db": "abs(g).sum(axis=0)"}),
    ("upstream gradient passed on unchanged", {"dx": "g"}),
    ("wrong shape", {"db": "g.sum(axis=0, keepdims=True)"})])
def test_linear(rng, cause, formulas):
    module = with_backward(Linear, linear(**formulas), 3, 3)
    assert first_cause(module, rng.standard_normal((4, 3))).name == cause


@pytest.mark.parametrize("cause, cls, slope", [
    ("mask missing where x < 0", ReLU, lambda x, g: g),
    ("mask on the gradient", ReLU, lambda x, g: g * (g > 0)),
    ("mask inverted", ReLU, lambda x, g: g * (x <= 0)),
    ("upstream gradient ignored", ReLU, lambda x, g: 1.0 * (x > 0)),
    ("output taken for input", Sigmoid, lambda x, g: g * sigmoid(sigmoid(x)) * (1 - sigmoid(sigmoid(x)))),
    ("output taken for input", Tanh, lambda x, g: g * (1 - x ** 2)),
    ("upstream gradient squared", Tanh, lambda x, g: g * g * (1 - np.tanh(x) ** 2)),
    ("softmax diagonal only", Softmax, lambda x, g: g * Softmax()(x) * (1 - Softmax()(x)))])
def test_activations(rng, cause, cls, slope):
    module = with_backward(cls, lambda self, grad: slope(self.input_cache, grad))
    assert first_cause(module, rng.uniform(-2, 2, (3, 4))).name == cause


def test_losses(rng):
    labels = np.eye(3)[[0, 2, 1, 1]]
    no_mean = with_backward(CrossEntropyLoss, lambda self, _=None: self.input_cache[0] - self.input_cache[1])
    found = first_cause(no_mean, rng.standard_normal((4, 3)), labels)
    assert found.name == "missing 1/N" and "N = " in found.evidence
    twice = with_backward(MSELoss, lambda self, _=None: 2 * self.input_cache[1] / len(self.input_cache[1]))
    assert first_cause(twice, rng.standard_normal((4, 3)), labels).name == "constant factor"


def forward_order(self, grad):
    for module in self.modules:
        grad = module.backward(grad)
    return grad


def same_gradient(self, grad):
    return [module.backward(grad) for module in self.modules[::-1]][-1]


def skips_first(self, grad):
    for module in self.modules[:0:-1]:
        grad = module.backward(grad)
    return grad


@pytest.mark.parametrize("cause, backward", [("layers in forward order", forward_order), ("layer skipped", skips_first),
                                             ("same gradient for every layer", same_gradient)])
def test_networks(rng, cause, backward):
    module = with_backward(Sequential, backward, Linear(3, 3), Tanh(), Linear(3, 3))
    assert first_cause(module, rng.standard_normal((4, 3))).name == cause


def test_residual(rng):
    module = with_backward(Residual, lambda self, grad: self.module.backward(grad), Linear(3, 3))
    assert first_cause(module, rng.standard_normal((2, 3))).name == "skip path forgotten"


def test_the_wrong_layer_of_a_network_is_named(rng):
    wrong = with_backward(ReLU, lambda self, grad: grad)
    found = first_cause(Sequential(Linear(3, 4), wrong, Linear(4, 2)), rng.standard_normal((3, 3)))
    assert found.name == "mask missing where x < 0" and "Sequential[1]" in found.sentence


def fails(self, grad):
    self.W.grad += self.input_cache @ grad
    return grad @ self.W.data.T


def test_an_exception_is_explained(rng):
    report = check_module(with_backward(Linear, fails, 3, 2), (rng.standard_normal((4, 3)),))
    said = " ".join(str(report).split())
    assert report.first_cause.name == "exception in backward"
    assert os.path.basename(__file__) in said and "line " in said and "self.W.grad += self.input_cache @ grad" in said
    assert "(4, 3)" in said and "(4, 2)" in said and "self.input_cache.T @ grad has shape (3, 2)" in said


def test_hints_are_a_ladder(rng, monkeypatch):
    module, x = with_backward(ReLU, lambda self, grad: grad), rng.standard_normal((2, 3))
    words = CAUSES["mask missing where x < 0"]
    monkeypatch.setattr(course, "sheet", lambda: {"hints": 3})
    texts = [str(check_module(module, (x,), hints=level)) for level in (0, 1, 2, 3)]
    for level, said in enumerate(texts):
        assert "what backward returns: wrong" in said and words.question in said and "got / expected" in said
        assert ("Likely cause" in said) == (level >= 1) and ("Evidence" in said) == (level >= 2)
        assert (words.formula in said) == (level >= 3)
    for lowered in range(4):
        monkeypatch.setenv("LIB_HINTS", str(lowered))
        assert str(check_module(module, (x,))) == texts[lowered]
    with pytest.raises(ValueError, match="hints"):
        check_module(module, (x,), hints=4)


def test_the_courses_level_of_hints_can_be_lowered_and_never_raised(monkeypatch):
    monkeypatch.setattr(course, "sheet", lambda: {"hints": 1})
    for environment, argument, level in [("", None, 1), ("3", None, 1), ("0", None, 0), ("", 3, 1), ("3", 3, 1),
                                         ("1", 0, 0), ("nonsense", None, 1)]:
        monkeypatch.setenv("LIB_HINTS", environment)
        assert course.hint_level(argument) == level
    monkeypatch.setattr(course, "sheet", dict)  # a library without a sheet tells everything
    monkeypatch.setenv("LIB_HINTS", "")
    assert course.hint_level() == 3


@pytest.mark.parametrize("dx", ["(1 + 1e-5) * g @ W.T", "g @ W.T * (1 + 1e-5 * np.eye(len(g), 3))"])
def test_a_small_error_is_called_small_not_right_at_other_numbers(rng, dx):
    found = first_cause(with_backward(Linear, linear(dx=dx), 3, 2), rng.standard_normal((4, 3)))
    assert "but only by" in found.evidence and "epsilon" in found.evidence and "right at" not in found.evidence


def test_a_report_fits_on_a_screen(rng):
    bad = with_backward(Linear, linear(dW="-x.T @ g", db="-g.sum(axis=0)", dx="-g @ W.T"), 3, 3)
    lines = str(check_module(Sequential(bad, ReLU(), Linear(3, 2)), (rng.standard_normal((4, 3)),))).splitlines()
    assert len(lines) <= text.MOST_LINES and max(map(len, lines)) <= 120
    assert "line " in lines[0] and any("Likely cause" in line for line in lines)


def test_every_hypothesis_names_a_cause_with_words():
    assert {hypothesis.cause for hypothesis in HYPOTHESES} <= set(CAUSES)
    assert all(all(words) for words in CAUSES.values())


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
