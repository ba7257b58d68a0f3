"""Forwards that fill arrays, choose by class numbers or run in loops: slips in them are named as in any others."""
import numpy as np
import pytest

from lib.gradient_checking import check_module
from lib.network_base import Module, Parameter
from tests.test_gradient_checking import Function

COS, SIN = np.cos(np.array([0.3, 1.2, 2.0])), np.sin(np.array([0.3, 1.2, 2.0]))


def rotated(x):
    a, b = x[:, ::2], x[:, 1::2]
    y = np.empty_like(x)
    y[:, ::2] = a * COS - b * SIN
    y[:, 1::2] = a * SIN + b * COS
    return y


def rotated_back(g, sign=1.0, first=1.0):
    a, b = g[:, ::2], g[:, 1::2]
    d = np.empty_like(g)
    d[:, ::2] = first * a * COS + b * SIN
    d[:, 1::2] = -sign * a * SIN + b * COS
    return d


def differences(x):
    y = x.copy()
    y[:, 1:] -= x[:, :-1]
    return y


def differences_back(g, there, here):
    d = g.copy()
    d[:, there] -= g[:, here]
    return d


def in_between(x):
    y = np.zeros((len(x), 2 * x.shape[1] - 1))
    y[:, ::2], y[:, 1::2] = x, (x[:, :-1] + x[:, 1:]) / 2
    return y


def in_between_back(g, left, right):
    d = g[:, ::2].copy()
    d[:, :-1] += left * g[:, 1::2]
    d[:, 1:] += right * g[:, 1::2]
    return d


def euler(x):
    for _ in range(3):
        t = np.tanh(x)
        x = x + 0.5 * t
    return x


def euler_back(x, g, slope, keep=1.0):
    states = [x]
    for _ in range(2):
        states.append(states[-1] + 0.5 * np.tanh(states[-1]))
    for state in states[::-1]:
        g = keep * g + 0.5 * g * slope(np.tanh(state))
    return g


def masked(x):
    y = x ** 2
    y[:, 1] = 0
    return np.sin(y)


def masked_back(x, g, inner):
    d = g * np.cos(x ** 2) * inner(x)
    d[:, 1] = 0
    return d


def slope(t):
    return 1 - t * t


RIGHT = ((rotated, lambda x, g: rotated_back(g)),
         (differences, lambda x, g: differences_back(g, slice(-1), slice(1, 9))),
         (in_between, lambda x, g: in_between_back(g, 0.5, 0.5)), (euler, lambda x, g: euler_back(x, g, slope)),
         (masked, lambda x, g: masked_back(x, g, lambda x: 2 * x)))


@pytest.mark.parametrize("forward, backward", RIGHT)
def test_right_ones_are_right(forward, backward):
    x = np.random.default_rng(3).standard_normal((3, 6))
    assert check_module(Function(forward, backward), (x,)).verdict == "ok"


@pytest.mark.parametrize("cause, words, forward, backward", [
    ("wrong sign", "into the product in line 15 has the wrong sign", rotated, lambda x, g: rotated_back(g, -1)),
    ("term missing", "into the product in line 15 is missing", rotated, lambda x, g: rotated_back(g, first=0)),
    ("transposed", "the other way round", differences, lambda x, g: differences_back(g, slice(1, 9), slice(-1))),
    ("term missing", "held constant", in_between, lambda x, g: in_between_back(g, 0.5, 0)),
    ("constant factor", "a factor 2 too many", in_between, lambda x, g: in_between_back(g, 1, 0.5)),
    ("another formula", "in every pass, in the derivative of the tanh", euler,
     lambda x, g: euler_back(x, g, lambda t: 1 - t)),
    ("term missing", "held constant", euler, lambda x, g: euler_back(x, g, slope, 0)),
    ("another formula", "", masked, lambda x, g: masked_back(x, g, lambda x: 2 * x ** 3))])
def test_a_slip_behind_assignments_is_named(cause, words, forward, backward):
    x = np.random.default_rng(3).standard_normal((3, 6))
    report = check_module(Function(forward, backward), (x,))
    assert report.verdict == "wrong"
    assert (report.causes[0].name, words in report.causes[0].evidence) == (cause, True), report.causes[0].evidence


def test_what_was_computed_before_an_assignment_keeps_the_old_values():
    def forward(x):
        y = x * 2
        z = np.exp(y)
        y[:, 0] = 5.0
        return z + y

    def backward(x, g, factor):
        d = 2 * factor * g * np.exp(2 * x)
        d[:, 1:] += 2 * g[:, 1:]
        return d

    x = np.random.default_rng(3).standard_normal((3, 4))
    assert check_module(Function(forward, lambda x, g: backward(x, g, 1)), (x,)).verdict == "ok"
    report = check_module(Function(forward, lambda x, g: backward(x, g, -1)), (x,))
    assert report.causes[0].name == "wrong sign" and "the exp in" in report.causes[0].evidence


# ---------------------------------------------------------------------- class numbers and ids


class ClassNumbers(Module):
    """Cross-entropy of class numbers."""

    def __init__(self, gradient):
        self.gradient = gradient

    def forward(self, z, y):
        shifted = z - z.max(axis=1, keepdims=True)
        self.logp, self.y = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)), y
        return -self.logp[np.arange(len(y)), y].mean()

    def backward(self, _=None):
        labels = self.y[:, None] == np.arange(self.logp.shape[1])
        return self.gradient(self.logp, labels) / len(self.y)


@pytest.mark.parametrize("cause, words, gradient", [
    (None, "", lambda logp, labels: np.exp(logp) - labels), ("another formula", "log p for p", lambda logp, labels: (
        logp - labels)), ("wrong sign", "", lambda logp, labels: np.exp(logp) + labels),
    ("only one sample", "of all examples", lambda logp, labels: np.exp(logp) - labels.any(axis=0)),
    ("another formula", "a factor once too often", lambda logp, labels: np.exp(logp) * (np.exp(logp) - labels))])
def test_losses_of_class_numbers(cause, words, gradient):
    z = np.random.default_rng(4).standard_normal((4, 3))
    report = check_module(ClassNumbers(gradient), (z, np.array([0, 2, 1, 2])))
    assert report.verdict == ("wrong" if cause else "ok")
    assert cause is None or report.causes[0].name == cause and words in report.causes[0].evidence


def test_of_repeated_ids_only_the_last_counts():
    class Bag(Module):
        def __init__(self):
            self.table = Parameter(np.random.default_rng(5).standard_normal((5, 3)), name="table")

        def parameters(self):
            return [self.table]

        def forward(self, ids):
            self.ids = ids
            return self.table.data[ids].mean(axis=1)

        def backward(self, grad):
            self.table.grad[self.ids] += (grad / self.ids.shape[1])[:, None]

    report = check_module(Bag(), (np.array([[0, 1, 1], [4, 0, 2]]),))
    assert report.causes[0].name == "single entries wrong" and "np.add.at" in report.causes[0].evidence


# ---------------------------------------------------------------------- two places at once


@pytest.mark.parametrize("words, change", [
    ("u' u + v' v stands", lambda u, v, du, dv: du * u + dv * v), ("u' + v' stands", lambda u, v, du, dv: du + dv),
    ("only v' stands", lambda u, v, du, dv: dv)])
def test_what_stands_for_the_derivative_of_a_product(words, change):
    def backward(x, g):
        return g * change(np.sin(x), np.exp(x), np.cos(x), np.exp(x))
    report = check_module(Function(lambda x: np.sin(x) * np.exp(x), backward),
                          (np.random.default_rng(6).standard_normal((3, 4)),))
    assert report.causes[0].name == "another formula" and words in report.causes[0].evidence


@pytest.mark.parametrize("words, back", [
    ("axes 0 and 1 of another operand are exchanged", lambda x, W, g: g @ W),
    ("another operand is turned round", lambda x, W, g: g @ W[:, ::-1].T)])
def test_other_operands_of_einsum(words, back):
    W = np.random.default_rng(7).standard_normal((4, 4))
    report = check_module(Function(lambda x: np.einsum("ni,io->no", x, W), lambda x, g: back(x, W, g)),
                          (np.random.default_rng(6).standard_normal((3, 4)),))
    assert words in report.causes[0].evidence


def test_the_parts_of_a_concatenation_in_another_order():
    def forward(x):
        return np.concatenate([np.sin(x), np.exp(x[:, :1])], axis=1)

    def backward(x, g):
        d = g[:, 1:] * np.cos(x)
        d[:, :1] += g[:, :1] * np.exp(x[:, :1])
        return d
    report = check_module(Function(forward, backward), (np.random.default_rng(6).standard_normal((3, 4)),))
    assert "taken in another order" in report.causes[0].evidence


def test_the_gradient_of_another_value():
    class Gated(Module):
        def __init__(self):
            rng = np.random.default_rng(8)
            self.V, self.W = (Parameter(rng.standard_normal((3, 4)), name=name) for name in "VW")

        def parameters(self):
            return [self.V, self.W]

        def forward(self, x):
            self.x, self.a, self.b = x, np.tanh(x @ self.V.data), x @ self.W.data
            return self.a * self.b

        def backward(self, grad):
            da, db = grad * self.b * (1 - self.a ** 2), grad * self.a
            self.V.grad += self.x.T @ da
            self.W.grad += self.x.T @ da
            return da @ self.V.data.T + db @ self.W.data.T

    report = check_module(Gated(), (np.random.default_rng(6).standard_normal((5, 3)),))
    assert "the gradient of the matrix product in" in report.causes[0].evidence


# ---------------------------------------------------------------------- what is no fault


def test_a_module_that_is_made_for_so_many_examples_is_tried_with_no_others():
    def forward(x):
        sums = np.zeros((2, x.shape[1]))
        for row, segment in enumerate([0, 0, 1]):
            sums[segment] += x[row]
        return sums
    assert check_module(Function(forward, lambda x, g: g[[0, 0, 1]]), (np.ones((3, 2)) + np.eye(3, 2),)).verdict == "ok"


def test_of_zeros_beyond_the_given_numbers_there_is_a_remark_alone():
    def backward(x, g):
        return np.cumsum((g * np.cumprod(x, axis=1))[:, ::-1], axis=1)[:, ::-1] / x
    x = np.random.default_rng(6).uniform(0.5, 2, (3, 4))
    module = Function(lambda x: np.cumprod(x, axis=1), backward)
    module.check_gradients((x,))
    report = check_module(module, (x,))
    assert report.ok and "it may be that no input is ever 0" in str(report)
    assert not check_module(module, (x - 1,)).ok


def test_a_tuple_is_called_a_tuple():
    report = check_module(Function(lambda x: 2 * x, lambda x, g: (2 * g, x)), (np.ones((2, 2)),))
    assert report.causes[0].name == "not an array" and "a tuple of 2" in report.causes[0].evidence


def test_a_key_that_is_missing_is_told_beside_one_that_is_there():
    class Keeping(Module):
        def forward(self, x):
            self.cache = {"X": x}
            return x ** 2

        def backward(self, grad):
            return 2 * grad * self.cache["x"]
    assert "Is 'X' meant?" in str(check_module(Keeping(), (np.ones((2, 2)),)))


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
