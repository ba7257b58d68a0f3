"""Kinds of modules and mistakes on which the checker once said too much, too little, or something else."""
import numpy as np
import pytest

from lib.activations import ReLU
from lib.gradient_checking import check_module
from lib.network import Linear, Sequential
from lib.network_base import Module, Parameter
from lib.validation import InputError

RNG = np.random.default_rng


def cause_of(module, *inputs):
    report = check_module(module, inputs)
    assert not report.ok
    return str(report)


class LogLoss(Module):
    """-mean(y log(p + eps) + (1 - y) log(1 - p + eps)); the subclasses differ in backward."""

    eps = 1e-3

    def forward(self, p, y):
        self.p, self.y = p, y
        return float(-np.mean(y * np.log(p + self.eps) + (1 - y) * np.log(1 - p + self.eps)))

    def backward(self, _=None):
        p, y, e = self.p, self.y, self.eps
        return ((1 - y) / (1 - p + e) - y / (p + e)) / p.size


class WithoutEpsilon(LogLoss):
    def backward(self, _=None):
        return ((1 - self.y) / (1 - self.p) - self.y / self.p) / self.p.size


class OneLabelOnly(LogLoss):
    def backward(self, _=None):
        return -self.y / (self.p + self.eps) / self.p.size


def test_a_forgotten_epsilon_is_named():
    p = RNG(0).uniform(0.1, 0.9, (3, 2))
    assert "small number that forward adds" in cause_of(WithoutEpsilon(), p, np.array([[1, 0], [0, 1], [1, 1.0]]))


def test_other_labels_than_the_given_are_tried():
    p, ones = RNG(0).uniform(0.1, 0.9, (4, 1)), np.ones((4, 1))
    assert check_module(LogLoss(), (p, ones)).verdict == "ok"
    assert "wrong" in cause_of(OneLabelOnly(), p, ones)


class Flat(Module):
    """Forward uses a flat array, of which the parameter holds a copy."""

    def __init__(self):
        self.flat = RNG(0).normal(size=6)
        self.W = Parameter(self.flat.reshape(3, 2), name="W")

    def forward(self, x):
        self.x = x
        return x @ self.flat.reshape(3, 2)

    def backward(self, grad):
        self.W.grad += self.x.T @ grad
        return grad @ self.flat.reshape(3, 2).T

    def parameters(self):
        return [self.W]


def test_a_parameter_of_which_forward_uses_a_copy_is_named():
    said = cause_of(Flat(), RNG(1).normal(size=(4, 3)))
    assert "Flat.flat holds a copy of its numbers" in said.replace("\n      ", " ")


class Product(Module):
    def forward(self, x, y):
        self.x, self.y = x, y
        return x * y

    def backward(self, grad):
        return grad * self.y, grad * self.x


def test_gradients_for_several_inputs_are_refused_in_a_sentence():
    x = RNG(0).normal(size=(2, 2, 3))
    assert "is a tuple of 2: backward returns one array" in cause_of(Product(), *x).replace("\n    ", " ")


class AsList(ReLU):
    def backward(self, grad):
        return list(super().backward(grad))


def test_a_list_for_an_array_is_remarked():
    report = check_module(AsList(), (RNG(0).normal(size=(2, 3)),))
    assert report.ok and "returns a list" in str(report)


class NoSuchName(Linear):
    def parameters(self):
        return [self.weight]


def test_parameters_that_raises_is_a_sentence():
    with pytest.raises(InputError, match=r"parameters\(\) raises AttributeError"):
        check_module(NoSuchName(3, 2), (np.ones((2, 3)),))


class OldNoise(Module):
    """Backward multiplies by the first noise that was ever drawn."""

    def __init__(self):
        self.noise = []

    def forward(self, x):
        self.noise.append(1 + np.random.rand(*x.shape))
        return x * self.noise[-1]

    def backward(self, grad):
        return grad * self.noise[0]


def test_noise_of_an_earlier_pass_shows():
    assert "stale cache" in [cause.name for cause in check_module(OldNoise(), (np.ones((2, 3)),)).causes]


class EveryMaximum(Module):
    """The maximum of each row, whose backward hands the whole gradient to each of the entries that tie."""

    def forward(self, x):
        self.x = x
        return x.max(axis=1)

    def backward(self, grad):
        return grad[:, None] * (self.x == self.x.max(axis=1, keepdims=True))


@pytest.mark.parametrize("seed", range(3))
def test_ties_behind_a_relu_are_forced(seed):
    assert "tie" in cause_of(Sequential(ReLU(), EveryMaximum()), RNG(seed).normal(size=(3, 4)))


class CentredRows(Module):
    """(x - mean) / std of each row; the sum of large numbers cancels."""

    def forward(self, x):
        self.s = x.std(axis=-1, keepdims=True)
        self.z = (x - x.mean(axis=-1, keepdims=True)) / self.s
        return self.z

    def backward(self, g):
        z = self.z
        return (g - g.mean(-1, keepdims=True) - z * (g * z).mean(-1, keepdims=True)) / self.s


class CrossEntropy(Module):
    def forward(self, z, labels):
        z = z - z.max(axis=1, keepdims=True)
        self.p, self.labels = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True), labels
        return -np.log((self.p * labels).sum(axis=1)).mean()

    def backward(self, _=None):
        return (self.p - self.labels) / len(self.p)


@pytest.mark.parametrize("seed", range(3))
def test_rounding_inside_of_forward_accuses_nobody(seed):
    rng = RNG(seed)
    assert check_module(CentredRows(), (1e4 + rng.normal(size=(2, 5)),)).ok
    assert check_module(CrossEntropy(), (np.array([[0, -20.0 - seed, 7e-3, -25.0]]), np.array([[1.0, 0, 0, 0]]))).ok


class Loop(Module):
    """h_t = tanh(x_t + w h_{t-1}); the subclass uses h_t where h_{t-1} belongs."""

    shift = 0

    def __init__(self):
        self.w = Parameter(np.array(0.7), name="w")

    def forward(self, x):
        self.h = [np.zeros(len(x))]
        for t in range(x.shape[1]):
            self.h.append(np.tanh(x[:, t] + self.w.data * self.h[-1]))
        return self.h[-1]

    def backward(self, grad):
        columns = []
        for t in reversed(range(len(self.h) - 1)):
            grad = grad * (1 - self.h[t + 1] ** 2)
            self.w.grad += np.sum(grad * self.h[t + self.shift])
            columns.insert(0, grad)
            grad = grad * self.w.data
        return np.stack(columns, axis=1)

    def parameters(self):
        return [self.w]


class LoopShifted(Loop):
    shift = 1


def test_a_shifted_index_in_a_loop_is_named():
    x = RNG(0).normal(size=(2, 4))
    assert check_module(Loop(), (x,)).ok
    assert "an index is shifted" in cause_of(LoopShifted(), x).replace("\n      ", " ")


class DoubledOnTheWay(Sequential):
    """A chain whose backward hands on or returns something else than it got, at a place from the end."""

    place = 0

    def backward(self, grad):
        for place, module in enumerate(reversed(self.modules)):
            grad = module.backward(grad * (2 if place == self.place else 1))
        return grad * (2 if self.place == len(self.modules) else 1)


@pytest.mark.parametrize("place, said", [
    (0, "what DoubledOnTheWay[2] gets is not the upstream gradient, but 2 times that"),
    (1, "what DoubledOnTheWay[1] gets isn't what DoubledOnTheWay[2] returned, but 2 times that"),
    (3, "what is returned isn't what DoubledOnTheWay[0] returned, but 2 times that")])
def test_where_a_chain_changes_a_gradient_is_named(place, said):
    chain = DoubledOnTheWay(Linear(3, 4), ReLU(), Linear(4, 2))
    chain.place = place
    assert said in " ".join(cause_of(chain, RNG(0).normal(size=(4, 3))).split())


class NoParentheses(ReLU):
    def backward(self, grad):
        return grad.copy * (self.input_cache > 0)


class NoParenthesesBefore(ReLU):
    def backward(self, grad):
        return grad.copy.T * (self.input_cache > 0)


@pytest.mark.parametrize("kind", [NoParentheses, NoParenthesesBefore])
def test_missing_parentheses_are_named(kind):
    assert "The parentheses of the call are missing" in " ".join(cause_of(kind(), RNG(0).normal(size=(4, 3))).split())


class RowsLogSoftmax(Module):
    """A shift by the maximum, which no gradient flows through, leaves the slips around it to be found."""

    def forward(self, x):
        shifted = x - x.max(axis=1, keepdims=True)
        self.y = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        return 2 * self.y

    def backward(self, grad):
        return 2 * grad - 2 * np.exp(self.y) * grad.sum(axis=0, keepdims=True)


def test_a_sum_over_another_axis_behind_a_shift_is_named():
    assert "over axis 0" in cause_of(RowsLogSoftmax(), RNG(0).normal(size=(3, 4))).replace("\n      ", " ")


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
