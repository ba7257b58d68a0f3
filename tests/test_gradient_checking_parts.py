"""Parts of the checker by themselves: how numeric derivatives are put together, groups compared, new numbers."""
from types import SimpleNamespace

import numpy as np
import pytest

from lib.gradient_checking import check_module, tasks, text
from lib.gradient_checking.diagnose.advice import Failure
from lib.gradient_checking.diagnose.evidence import Trial
from lib.gradient_checking.measure.groups import GroupComparison
from lib.gradient_checking.measure.numeric import Derivative, _merged, derivative, rounding_noise
from lib.gradient_checking.measure.points import Doubles
from lib.gradient_checking.measure.situations import _other_inputs
from lib.gradient_checking.measure.slopes import Slopes
from lib.gradient_checking.measure.values import allowed_error
from lib.gradient_checking.measure.workbench import Workbench
from lib.gradient_checking.report import TensorReport
from lib.layers.losses import L1Loss
from lib.losses import MSELoss
from lib.network import Linear
from tests.test_gradient_checking import Function

NUMBERS = np.random.default_rng(0).standard_normal((3, 4))


def merged(old, new):
    """Merge (value, inconsistency, rounding) of one entry beside another of size 1, and return the first entry's."""
    found = _merged(*[Derivative(*[np.array([number, 1.0 * (i == 0)]) for i, number in enumerate(numbers)], step,
                                 np.array([step, 0])) for numbers, step in ((old, 1.0), (new, 0.5))])
    assert found.step == 0.5
    return found.value[0], found.inconsistency[0], found.rounding[0], found.kink[0]


@pytest.mark.parametrize("old, new, wanted", [
    ((1.0, 1e-9, 1e-9), (1.0 + 1e-9, 0.0, 1e-8), (1.0, 1e-9, 1e-9, 1.0)),  # as consistent, and rounds less
    ((1.0, 1e-9, 1e-9), (1.0 + 1e-9, 0.0, 1e-9), (1.0 + 1e-9, 0.0, 1e-9, 0.5)),  # less uncertain
    ((1.0, 1e-9, 1e-9), (1.0 + 1e-6, 0.0, 1e-8), (1.0 + 1e-6, 0.0, 1e-8, 0.5)),  # they contradict each other
    ((1.0, 1e-2, 1e-9), (1.0 + 1e-9, 0.0, 1e-1), (1.0 + 1e-9, 0.0, 1e-1, 0.5)),  # was far from consistent
    ((1.0, 5e-9, 0.0), (1.0 + 6e-9, 4e-9, 2e-9), (1.0, 6e-9, 0.0, 1.0))])  # apart by more than rounding explains
def test_a_smaller_step_counts_where_it_says_more(old, new, wanted):
    np.testing.assert_allclose(merged(old, new), wanted, rtol=1e-6, atol=1e-15)
    back = merged((-old[0], *old[1:]), (-new[0], *new[1:]))
    np.testing.assert_allclose(back, (-wanted[0], *wanted[1:]), rtol=1e-6, atol=1e-15)


@pytest.mark.parametrize("at, least, most", [(1e12, 1000, 2000), (10.0, 1e-3, 0.5)])
def test_steps_grow_with_the_number_where_rounding_is_most_of_the_error(at, least, most):
    def y(t):
        return np.array([np.sqrt(at + t)])
    found = derivative(y, y(0.0), rounding_noise(y, y(0.0)) + 1e-10, at)
    assert least < found.step < most
    assert abs(found.value[0] - 0.5 / np.sqrt(at)) <= found.uncertainty[0]


@pytest.mark.parametrize("size", [1e-5, 3e-6])
def test_a_small_error_in_one_of_thousands_of_entries_is_found(rng, size):
    class Wrong(Linear):
        def backward(self, grad):
            grad_x = super().backward(grad)
            self.W.grad[37, 51] *= 1 + size
            return grad_x
    report = check_module(Wrong(64, 64), (rng.standard_normal((8, 64)),))
    assert [tensor.verdict for tensor in report.tensors] == ["ok", "wrong", "ok"]
    assert report.tensors[1].entries[0].index == (37, 51)


@pytest.mark.parametrize("size, part, undecided", [(1.0, 0.009, 0), (1.0, 0.011, 900), (0.0, 0.009, 0),
                                                   (0.0, 0.011, 900)])
def test_groups_whose_room_is_a_hundredth_of_their_size_are_undecided(rng, size, part, undecided):
    """Of a sum of 30 entries, the size is about the root of 30 times that of an entry."""
    module = Linear(30, 30)
    x = size * rng.standard_normal((2, 30))
    with Workbench(module, (x,)) as bench:
        slopes = Slopes(bench, bench.start)
        upstream = rng.standard_normal((2, 30))

        def allowed(expected, uncertainty, size, share):
            return np.full(expected.shape, part * (size * 30 ** 0.5 if size else 1))
        found = GroupComparison(slopes, 1, [upstream], (x.T @ upstream).reshape(1, -1), allowed).suspicion(64)
    assert (found.num_undecided, len(found.positions), found.wrong_groups) == (undecided, 0, [])


def test_what_a_gradient_may_differ_by():
    """The tolerance's part of the expected, four uncertainties, and the rounding of a right backward."""
    def allowed(noise, dtype, size=2.0, upstream=1.0):
        return allowed_error(np.array([-3.0]), np.array([1e-4]), size, 1e-6, SimpleNamespace(relative_noise=noise),
                             [np.array([-upstream])], np.dtype(dtype))[0]
    assert allowed(0.0, float) == pytest.approx(3e-6 + 4e-4 + 2e-9, rel=1e-8)
    assert allowed(1e-7, float) == pytest.approx(3e-6 + 4e-4 + 2e-5, rel=1e-8)
    assert allowed(0.0, np.float32) == pytest.approx(3e-6 + 4e-4 + 2e-9 + 200 * 2.0 ** -23, rel=1e-8)
    assert allowed(0.0, float, 0.0, 1e9) == pytest.approx(3e-6 + 4e-4 + 1e12 * 2.0 ** -52, rel=1e-8)


def test_views_of_single_precision_become_views_of_doubles():
    flat = np.arange(12, dtype=np.float32)
    doubles = Doubles()
    whole, part, every_second = doubles.of(flat), doubles.of(flat[5:9].reshape(2, 2)), doubles.of(flat[1::2])
    np.testing.assert_array_equal(part, [[5, 6], [7, 8]])
    np.testing.assert_array_equal(every_second, [1, 3, 5, 7, 9, 11])
    whole[7] = 70
    single = np.zeros(16, dtype=np.uint8).view(np.float32)  # of memory that isn't single precision
    single[...] = range(4)
    np.testing.assert_array_equal(Doubles().of(single[1:]), [1, 2, 3])
    assert part[1, 0] == every_second[3] == 70 and whole.dtype == part.dtype == np.float64 and flat[7] == 7


@pytest.mark.parametrize("x", [NUMBERS, np.where(NUMBERS > 1, 0, NUMBERS)])
def test_a_slope_at_zero_must_be_a_number_only_where_there_is_one(x):
    absolute = Function(np.abs, lambda x, g: g * x / np.abs(x))
    assert check_module(absolute, (x,)).first_cause.name == "NaN or infinity"
    with_corner = Function(lambda x: 3 * x ** 2 - np.abs(x), lambda x, g: g * (6 * x - x / np.abs(x)))
    assert check_module(with_corner, (x,)).first_cause.name == "NaN or infinity"
    if x.all():  # the root has no slope at 0, from neither side; so none can be asked for
        root = Function(lambda x: np.sqrt(np.abs(x)), lambda x, g: g * np.sign(x) / 2 / np.sqrt(np.abs(x)))
        assert check_module(root, (x,)).ok


def test_a_prediction_that_hits_its_label_is_tried():
    class Quotient(L1Loss):
        def backward(self, _=None):
            apart = np.subtract(*self.input_cache)
            return apart / np.abs(apart) / len(apart)
    found = check_module(Quotient(), (NUMBERS, NUMBERS[::-1] + 0.1)).first_cause
    assert found.name == "NaN or infinity" and "equal to its label" in found.evidence


def test_single_precision_is_tried_where_it_is_given():
    double = Function(np.square, lambda x, g: 2 * x * g * (1 + (x.dtype == np.float32)))
    assert check_module(double, (NUMBERS,)).ok
    assert check_module(double, (NUMBERS.astype(np.float32),)).first_cause.name == "low precision"


def test_a_verdict_without_a_reason_ends_there():
    tensor = TensorReport("input", "input")
    assert text._lines_on(tensor) == ["  dL/d(input), what backward returns: undecidable"]
    tensor.reason = "So."
    assert text._lines_on(tensor) == ["  dL/d(input), what backward returns: undecidable. So."]


def test_names_stand_for_what_the_failing_line_could_see():
    module = Linear(3, 2)
    failure = Failure(ValueError(), "", {"self": module, "x": NUMBERS})
    assert failure.value("x") is NUMBERS and failure.value("self.W") is module.W
    assert failure.value("self.W.data") is module.W.data and failure.value("x.T").shape == (4, 3)
    assert failure.value("y") is failure.value("self.U.data") is failure.value("self.forward") is None


def test_what_is_linear_in_the_upstream_gradient():
    right = Function(np.square, lambda x, g: 2 * x * g)
    squared = Function(np.square, lambda x, g: 2 * x * g * g)
    for module, inputs, is_linear in ((right, (NUMBERS,), True), (squared, (NUMBERS,), False),
                                      (MSELoss(), (NUMBERS, 0 * NUMBERS), True)):
        with Workbench(module, inputs) as bench:
            assert Trial(bench, bench.start, 0, len(inputs) > 1).is_linear is is_linear


def test_other_numbers_lie_where_the_given_ones_do(rng):
    for x in (rng.uniform(0.5, 0.9, (20, 20)), rng.uniform(-7, -3, (20, 20))):
        other = _other_inputs(x, rng, False)
        assert x.min() <= other.min() and other.max() <= x.max() and np.corrcoef(other.flat, x.flat)[0, 1] < 0.5
    same = _other_inputs(np.full((20, 20), 4.0), rng, False)
    assert 2.4 <= same.min() < 2.6 and 3.8 < same.max() <= 4
    assert _other_inputs(np.full((20, 20), 4.0), rng, True).min() < 0


def test_an_input_that_backward_changes_is_named():
    doubles = Function(np.square, lambda x, grad: np.multiply(x, 2, out=x) * grad)
    report = check_module(doubles, (NUMBERS,))
    assert "backward changes input number 1 in place" in " ".join(str(report).split())


@pytest.mark.parametrize("factor, words", [
    (lambda lr: lr, "uphill: the sign is wrong"), (lambda lr: -1.0, "the learning rate, here 0.3, is missing"),
    (lambda lr: 1.0, "uphill, and the learning rate is missing"), (lambda lr: -2 * lr, "twice as far"),
    (lambda lr: -lr / 2, "half as far"), (lambda lr: -lr * lr, "the learning rate is in the update twice"),
    (lambda lr: -1 / lr, "the gradient is divided by lr"), (lambda lr: 0.0, "no parameter moves: is there an update"),
    (lambda lr: -3 * lr, "by -0.9 times the gradient; with lr = 0.3, it should be -0.3 times"),
    (lambda lr: -lr / 4, "by -0.075 times the gradient")])
def test_a_step_of_a_wrong_length_is_named(factor, words):
    def backward_pass(model, loss_fn, lr):
        model.backward(loss_fn.backward())
        for param in model.parameters():
            param.data = param.data + factor(lr) * param.grad
    assert words in tasks.wrong_with_backward_pass(backward_pass)


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
