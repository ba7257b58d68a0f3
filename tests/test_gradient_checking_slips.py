"""A slip in one place of a module's own forward is told by its kind and its place, and by nothing else."""
import math

import numpy as np
import pytest

from lib.gradient_checking import check_module
from lib.network import Linear
from tests.test_gradient_checking import Function


def mean(a, axis=0):
    return a.mean(axis=axis, keepdims=True)


def centred(x):
    return (x - x.mean(axis=0, keepdims=True)) * np.exp(x)


def centred_back(x, g, through_mean):
    return g * np.exp(x) + g * (x - mean(x)) * np.exp(x) - through_mean(g * np.exp(x))


def twice_used(x):
    a = np.tanh(x)
    return a * np.exp(a)


def twice_used_back(x, g, first, second):
    a = np.tanh(x)
    return (1 - a * a) * (first * g * np.exp(a) + second * g * a * np.exp(a))


def with_product(x):
    a = x * np.exp(x)
    return np.sin(a) * x + np.cos(a)


def with_product_back(x, g, factor):
    a = x * np.exp(x)
    return g * np.sin(a) + factor * g * (x * np.cos(a) - np.sin(a)) * (1 + x) * np.exp(x)


def squared_matrix(x):
    a = x @ x
    return np.sin(a)


def squared_matrix_back(x, g, spoil):
    g = spoil(g * np.cos(x @ x))
    return g @ x.T + x.T @ g


def scaled(x):
    return np.exp(x / np.sqrt((x * x).sum(axis=1, keepdims=True)))


def scaled_back(x, g, times):
    n = np.sqrt((x * x).sum(axis=1, keepdims=True))
    g = g * np.exp(x / n)
    return g / n - times * x * (g * x).sum(axis=1, keepdims=True) / n ** 3


def halves(x):
    return np.sin(x[:, :2]) * np.exp(x[:, 2:])


def halves_back(x, g):
    a, b = x[:, :2], x[:, 2:]
    return np.concatenate([g * np.sin(a) * np.exp(b), g * np.cos(a) * np.exp(b)], axis=1)


SLIPS = [
    ("term missing", "the mean", "was held constant there", centred,
     lambda x, g: centred_back(x, g, lambda g: 0 * g)),
    ("wrong sign", "into the mean", "has the wrong sign", centred,
     lambda x, g: centred_back(x, g, lambda g: -mean(g))),
    ("missing 1/N", "behind the mean", "a factor 1/n is missing", centred,
     lambda x, g: centred_back(x, g, lambda g: g.sum(0))),
    ("constant factor", "into the mean", "a factor 2 too many", centred,
     lambda x, g: centred_back(x, g, lambda g: 2 * mean(g))),
    ("constant factor", "into the mean", "lacks a factor 2", centred,
     lambda x, g: centred_back(x, g, lambda g: mean(g) / 2)),
    ("mean for sum", "behind the sum", "a mean is taken where a sum belongs",
     lambda x: np.sin(x) + x.sum(axis=0, keepdims=True), lambda x, g: g * np.cos(x) + mean(g)),
    ("term missing", "the product", "into the exp", twice_used, lambda x, g: twice_used_back(x, g, 1, 0)),
    ("wrong sign", "into the exp", "has the wrong sign", twice_used, lambda x, g: twice_used_back(x, g, 1, -1)),
    ("wrong sign", "back through the product", "has the wrong sign", with_product,
     lambda x, g: with_product_back(x, g, -1)),
    ("term missing", "the product", "was held constant: what flows back through it", with_product,
     lambda x, g: with_product_back(x, g, 0)),
    ("constant factor", "back through the product", "a factor 2 too many", with_product,
     lambda x, g: with_product_back(x, g, 2)),
    ("constant factor", "back through the product", "lacks a factor 2", with_product,
     lambda x, g: with_product_back(x, g, 0.5)),
    ("transposed", "into the matrix product", "is transposed", squared_matrix,
     lambda x, g: squared_matrix_back(x, g, np.transpose)),
    ("absolute value of the upstream gradient", "into the matrix product", "lost its sign", squared_matrix,
     lambda x, g: squared_matrix_back(x, g, np.abs)),
    ("upstream gradient ignored", "into the matrix product", ": 1 stands there", squared_matrix,
     lambda x, g: squared_matrix_back(x, g, np.ones_like)),
    ("another formula", "of the where", "are exchanged", lambda x: np.where(x > 0.2, x ** 2, np.sin(x)),
     lambda x, g: g * np.where(x > 0.2, np.cos(x), 2 * x)),
    ("another formula", "of the where", "is used on both sides", lambda x: np.where(x > 0.2, x ** 2, np.sin(x)),
     lambda x, g: g * np.cos(x)),
    ("another formula", "of the maximum", "are exchanged", lambda x: np.maximum(x, 0.3 * x ** 3),
     lambda x, g: g * np.where(x > 0.3 * x ** 3, 0.9 * x ** 2, 1)),
    ("constant factor", "into the root", "a factor 2 too many", scaled, lambda x, g: scaled_back(x, g, 2)),
    ("term missing", "the root", "was held constant", scaled, lambda x, g: scaled_back(x, g, 0)),
    ("single entries wrong", "two parts of", "are exchanged", halves, halves_back),
    ("wrong axis", "", "averaged over axis 1", lambda x: np.sin(x) * (x - x.mean(axis=0, keepdims=True)),
     lambda x, g: g * np.cos(x) * (x - mean(x)) + g * np.sin(x) - mean(g * np.sin(x), 1)),
]

NUMBERS = np.random.default_rng(0).standard_normal((4, 4))
tanh = np.vectorize(math.tanh)  # which no graph can look into


@pytest.mark.parametrize("cause, place, words, forward, backward", SLIPS, ids=[" ".join(slip[:3:2]) for slip in SLIPS])
def test_a_slip_is_named(cause, place, words, forward, backward):
    found = check_module(Function(forward, backward), (NUMBERS,)).first_cause
    assert (found.name, place in found.evidence, words in found.evidence) == (cause, True, True), found.evidence


def slope(x):
    return 1 - np.tanh(x) ** 2


def odd(x):
    return slope(x) * (1 + 0.3 * np.cos(7 * x))


def in_column(column, change):
    """Return a backward that is right but for a column."""
    def backward(x, g):
        grad = g * slope(x)
        grad[:, column] = change(grad[:, column], x[:, column])
        return grad
    return backward


@pytest.mark.parametrize("cause, words, backward", [
    ("constant factor", "the same for all entries, but differs from point to point",
     lambda x, g: g * slope(x) * (1 + np.abs(x).max())),
    ("not linear in the upstream gradient", "a multiple of the upstream gradient doesn't give that multiple",
     lambda x, g: g * slope(x) * (g * g + 0.3 * np.sin(9 * x))),
    ("another formula", "no typical mistake gives these numbers", lambda x, g: g * odd(x))])
@pytest.mark.parametrize("numbers", [NUMBERS, NUMBERS[:1, :2], NUMBERS[:, :1]], ids=["4 x 4", "1 x 2", "4 x 1"])
def test_what_is_said_without_a_graph(cause, words, backward, numbers):
    found = check_module(Function(lambda x: tanh(np.asarray(x, dtype=float)), backward), (numbers,)).first_cause
    assert found.name == cause and words in found.evidence


@pytest.mark.parametrize("cause, words, backward", [
    ("mask missing where x < 0", "is wrong where x < 0, and right everywhere else",
     lambda x, g: g * np.where(x < 0, odd(x), slope(x))),
    ("another formula", "is wrong where x > 0, and right everywhere else",
     lambda x, g: g * np.where(x > 0, odd(x), slope(x))),
    ("another formula", "is right up to |x| = 0.", lambda x, g: g * np.where(abs(x) > 0.6, odd(x), slope(x))),
    ("single entries wrong", "the entries at the last place of axis 1 are wrong, and the others are right",
     in_column(-1, lambda grad, x: grad * (2 + np.cos(7 * x)))),
    ("single entries wrong", "the entries at the number 1 place of axis 1 are zero, and the others are right",
     in_column(1, lambda grad, x: 0)),
    ("low precision", "fits into float16", lambda x, g: (g * slope(x)).astype(np.float16).astype(float)),
    ("low precision", "the expected one, rounded to an integer", lambda x, g: np.trunc(g * slope(x))),
    ("low precision", "the expected one, rounded to an integer", lambda x, g: np.round(g * slope(x))),
    ("transposed", "the expected ones, but they stand in other places", lambda x, g: np.roll(g * slope(x), 1, axis=1)),
    ("constant factor", "N = {n}; with other N, it is that N", lambda x, g: g * slope(x) * len(x)),
    ("constant factor", "that N, and the sign is wrong", lambda x, g: -g * slope(x) * len(x)),
    ("mean for sum", "1/N, for N = {n} examples; with other N, it is that 1/N", lambda x, g: g * slope(x) / len(x)),
    ("mean for sum", ": 1 / (number of entries)", lambda x, g: g * slope(x) / x.size),
    ("missing 1/(N K)", "the number of entries, N K = {nk}", lambda x, g: g * slope(x) * x.size),
    ("constant factor", "divided by the K = {k} columns", lambda x, g: g * slope(x) * len(x) / x.shape[1]),
    ("missing 1/N", "8 for every entry, and it grows with the number of examples",
     lambda x, g: g * slope(x) * len(x) * 2),
    ("mean for sum", "0.5 for every entry, and it falls with the number of examples",
     lambda x, g: g * slope(x) / len(x) * 2),
    ("constant factor", "is 3 for every entry, that is K, the number of columns",
     lambda x, g: g * slope(x) * x.shape[1]),
    ("constant factor", "that is 1 / (K, the number of columns)", lambda x, g: g * slope(x) / x.shape[1])])
def test_what_ratios_and_places_tell(cause, words, backward):
    numbers = 3 * NUMBERS[:, :3] if "integer" in words else NUMBERS[:, :3]
    module = Function(lambda x: tanh(np.asarray(x, dtype=float)), backward)
    found = check_module(module, (numbers,)).first_cause
    assert found.name == cause and words.format(n=4, k=3, nk=12) in found.evidence, found.evidence


@pytest.mark.parametrize("scale", [1e-9, 1e9])
def test_causes_are_told_of_numbers_of_any_size(scale):
    module = Function(lambda x: scale * tanh(np.asarray(x, dtype=float)), lambda x, g: scale * g * slope(x) * len(x))
    assert "with other N, it is that N" in check_module(module, (NUMBERS,)).first_cause.evidence


class Mixed(Linear):
    """tanh(x) W + b, of whose tanh no graph is known."""

    def forward(self, x):
        self.given = x
        return super().forward(tanh(np.asarray(x, dtype=float)))


def test_a_factor_of_each_row_is_named():
    class Wrong(Mixed):
        def backward(self, grad):
            before = self.W.grad.copy()
            grad_x = super().backward(grad) * slope(self.given)
            self.W.grad = before + (self.W.grad - before) * (1 + np.abs(self.given).max(axis=0))[:, None]
            return grad_x
    found = check_module(Wrong(4, 3), (NUMBERS,)).first_cause
    assert found.name == "another formula" and "the same within each row, but differs from row to row" in found.evidence


def test_of_a_single_number_nothing_is_said_about_all_entries():
    module = Function(lambda x: tanh(np.asarray(x, dtype=float)).sum(),
                      lambda x, g: g * (1 - np.tanh(x) ** 2) * (1 + np.abs(x)))
    found = check_module(module, (np.array(0.7),)).first_cause
    assert "no typical mistake" in found.evidence and "all entries" not in found.evidence


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
