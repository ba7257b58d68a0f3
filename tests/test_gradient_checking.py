"""The gradient checker: it finds small errors in single entries, and says nothing against right code at kinks."""
import json

import numpy as np
import pytest

from lib.activations import ReLU, Sigmoid
from lib.layers.activations import Tanh
from lib.gradient_checking import GradientError, GradientShapeError, NotDoneError, UndecidableWarning, check_module
from lib.gradient_checking.measure import numeric
from lib.losses import CrossEntropyLoss, MSELoss
from lib.layers.losses import L1Loss
from lib.network import Linear, Sequential
from lib.network_base import Module, Parameter
from lib.regularizers import Dropout


class Function(Module):
    """A module of two functions, to make right and wrong ones quickly."""

    def __init__(self, forward, backward):
        self.f, self.b = forward, backward

    def forward(self, x):
        self.input_cache = x
        return self.f(x)

    def backward(self, grad):
        return self.b(self.input_cache, grad)


def wrong_linear(change):
    """Return a Linear(4, 3) whose gradients `change(linear, grad_x)` spoils."""
    class Wrong(Linear):
        def backward(self, grad):
            return change(self, super().backward(grad))
    return Wrong(4, 3)


# ---------------------------------------------------------------------- what must be found


@pytest.mark.parametrize("size", [1e-2, 1e-4, 1e-5])
def test_finds_a_small_error_in_one_entry(rng, size):
    def change(linear, grad_x):
        grad_x[1, 2] *= 1 + size
        return grad_x
    report = check_module(wrong_linear(change), (rng.standard_normal((2, 4)),))
    assert [tensor.verdict for tensor in report.tensors] == ["wrong", "ok", "ok"]
    worst = report.tensors[0].entries[0]
    assert worst.index == (1, 2) and abs(worst.got / worst.expected - 1 - size) < 0.1 * size
    assert report.tensors[0].num_wrong == 1


def test_tolerates_what_the_tolerance_allows(rng):
    module = wrong_linear(lambda linear, grad_x: grad_x * (1 + 1e-5))
    assert not check_module(module, (rng.standard_normal((2, 4)),)).ok
    assert check_module(module, (rng.standard_normal((2, 4)),), tolerance=1e-3).ok


def test_finds_one_wrong_entry_of_many(rng):
    class Wrong(Linear):
        def backward(self, grad):
            grad_x = super().backward(grad)
            self.W.grad[37, 51] += 1e-4 * grad[0, 0]
            return grad_x

    report = check_module(Wrong(64, 64), (rng.standard_normal((16, 64)),))
    assert {tensor.name: tensor.verdict for tensor in report.tensors} == {
        "input": "ok", "Wrong.W": "wrong", "Wrong.b": "ok"}
    assert report.tensors[1].entries[0].index == (37, 51) and report.tensors[1].num_wrong == 1


def test_finds_what_shows_only_for_other_numbers(rng):
    no_mask = Function(lambda x: np.maximum(x, 0), lambda x, grad: grad)
    no_mask.__class__ = type("Mine", (Function, ReLU), {})  # a ReLU, so negative inputs are allowed
    assert not check_module(no_mask, (rng.uniform(1, 2, (2, 3)),)).ok


def test_finds_what_shows_only_for_a_batch_of_one(rng):
    class Squeezes(Sigmoid):
        def backward(self, grad):
            return super().backward(grad) if len(grad) > 1 else 2 * super().backward(grad)
    assert check_module(Squeezes(), (rng.standard_normal((3, 2)),)).first_cause is not None


PROBES = {
    "upstream gradient changed in place": lambda x, grad: np.multiply(grad, 2 * x, out=grad),
    "not linear in the upstream gradient": lambda x, grad: 2 * x * np.clip(grad, -1e-2, 1e-2) * 1e2 if
    np.abs(grad).max() < 1e-2 else 2 * x * np.where(np.abs(grad) > 2, 2, grad),
    "random numbers in backward": lambda x, grad: 2 * x * grad * (1 + 1e-3 * np.random.random_sample(x.shape)),
}


@pytest.mark.parametrize("name", PROBES)
def test_probes_name_their_cause(rng, name):
    report = check_module(Function(np.square, PROBES[name]), (rng.standard_normal((3, 2)),))
    assert name in [cause.name for cause in report.causes]
    assert report.ok == (name == "upstream gradient changed in place")  # its values are right: that is a remark


def test_right_values_with_a_remark_raise_nothing(rng):
    class Textbook(ReLU):
        def backward(self, grad):
            grad[self.input_cache <= 0] = 0
            return grad
    x = rng.standard_normal((3, 4))
    Textbook().check_gradients((x,))
    report = check_module(Textbook(), (x,))
    assert report.verdict == "ok" and "changes its argument" in report.remarks[0]
    assert str(report).startswith("Textbook: right, but backward changes its argument")
    assert report.to_dict()["remarks"] == report.remarks


def test_finds_overwritten_gradients(rng):
    class Overwrites(Linear):
        def backward(self, grad):
            self._zero_grad()
            return super().backward(grad)
    report = check_module(Overwrites(3, 2), (rng.standard_normal((2, 3)),))
    assert report.first_cause.name == "overwritten instead of accumulated"
    assert check_module(Overwrites(3, 2), (rng.standard_normal((2, 3)),), wrt="input").ok


def test_finds_a_stale_cache(rng):
    class Stale(Sigmoid):
        def forward(self, x):
            kept = self.input_cache
            result = super().forward(x)
            self.input_cache = x if kept is None else kept
            return result
    assert "stale cache" in [cause.name for cause in check_module(Stale(), (rng.standard_normal((2, 3)),)).causes]


def test_finds_a_parameter_that_is_not_listed(rng):
    class Forgets(Linear):
        def parameters(self):
            return (self.W,)
    report = check_module(Forgets(3, 2), (rng.standard_normal((2, 3)),))
    assert report.first_cause.name == "parameter not listed" and "Forgets.b" in str(report)


def test_integers_as_input_must_work(rng):
    takes_over = Function(np.square, lambda x, grad: np.multiply(2 * x, grad, out=np.zeros_like(x), casting="unsafe"))
    assert check_module(takes_over, (rng.standard_normal((2, 3)),)).ok
    assert not check_module(takes_over, (np.array([[1, 2, -3]]),)).ok


def test_a_gradient_of_wrong_shape_is_an_assertion_error(rng):
    with pytest.raises(GradientShapeError) as caught:
        Function(np.square, lambda x, grad: (2 * x * grad).T).check_gradients((rng.standard_normal((2, 3)),))
    assert isinstance(caught.value, AssertionError) and isinstance(caught.value, GradientError)
    assert "(3, 2)" in str(caught.value) and "(2, 3)" in str(caught.value)


def test_what_is_not_written_yet_is_to_do(rng):
    class Gap(ReLU):
        def backward(self, grad):
            raise NotImplementedError
    report = check_module(Gap(), (rng.standard_normal((2, 3)),))
    assert report.verdict == "to do" and report.first_cause.name == "to do"
    with pytest.raises(NotDoneError):
        report.raise_if_wrong()
    nothing = check_module(Function(np.square, lambda x, grad: None), (rng.standard_normal((2, 3)),))
    assert not nothing.ok and nothing.first_cause.name == "None returned"


def test_what_forward_raises_is_raised(rng):
    with pytest.raises(ValueError, match="features"):
        Linear(3, 2).check_gradients((rng.standard_normal((2, 4)),))


# ---------------------------------------------------------------------- what must not be accused


def test_kinks_and_ties_are_no_false_alarm(rng):
    xor = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    for _ in range(3):
        model = Sequential(Linear(2, 2), ReLU(), Linear(2, 2))
        model[0].b.data[...] = 0
        model.check_gradients((xor,))
    x = np.array([[0.0, 1.0, -2.0], [0.0, 0.0, 3.0]])
    for at_zero in (0, 0.5, 1):
        relu = Function(lambda x: np.maximum(x, 0), lambda x, grad: grad * np.where(x == 0, at_zero, x > 0))
        relu.check_gradients((x,))
    L1Loss().check_gradients((x, x.copy()))
    first = Function(lambda x: x.max(axis=1), lambda x, g: np.eye(x.shape[1])[x.argmax(axis=1)] * g[:, np.newaxis])
    first.check_gradients((np.array([[1.0, 1.0, 0.0], [2.0, 2.0, 2.0]]),))


def test_a_division_by_zero_is_found_without_a_zero_among_the_inputs(rng):
    class Quotient(ReLU):
        def backward(self, grad):
            return grad * (1 + self.input_cache / np.abs(self.input_cache)) / 2
    report = check_module(Quotient(), (rng.uniform(0.5, 1, (2, 3)),))
    assert not report.ok and report.first_cause.name == "NaN or infinity"


@pytest.mark.parametrize("at_zero", [np.nan, -1, 3])
def test_kinks_are_not_waved_through(at_zero):
    module = Function(lambda x: np.maximum(x, 0), lambda x, grad: grad * np.where(x == 0, at_zero, x > 0))
    with pytest.raises(GradientError):
        module.check_gradients((np.array([[0.0, 1.0, -2.0]]),))


def test_a_maximum_counted_twice_is_found():
    both = Function(lambda x: x.max(axis=1), lambda x, g: (x == x.max(axis=1, keepdims=True)) * g[:, np.newaxis])
    assert check_module(both, (np.array([[1.0, 3.0, 0.0], [2.0, 0.0, 1.0]]),)).ok
    assert not check_module(both, (np.array([[1.0, 1.0, 0.0], [2.0, 0.0, 1.0]]),)).ok


@pytest.mark.parametrize("scale", [1e-8, 1e-3, 1e6])
def test_numbers_of_any_size(rng, scale):
    for module in (ReLU(), Sigmoid(), Tanh(), Linear(3, 2)):
        module.check_gradients((scale * rng.standard_normal((2, 3)),))
    MSELoss().check_gradients((scale * rng.standard_normal((2, 3)), np.zeros((2, 3))))


def test_float32_inside_is_no_false_alarm(rng):
    def forward(x):
        return np.tanh(x.astype(np.float32))
    single = Function(forward, lambda x, grad: grad.astype(np.float32) * (1 - forward(x) ** 2))
    assert check_module(single, (rng.standard_normal((3, 4)),)).ok
    wrong = Function(forward, lambda x, grad: grad.astype(np.float32) * (1 - forward(x)))
    assert not check_module(wrong, (rng.standard_normal((3, 4)),)).ok


def test_what_can_not_be_decided_is_said():
    step = Function(lambda x: np.round(x), lambda x, grad: 0 * grad)
    with pytest.warns(UndecidableWarning):
        assert check_module(step, (np.full((1, 2), 0.5),)).verdict in ("undecidable", "ok")
        assert check_module(Function(lambda x: x / 0.0 if x.size else x, lambda x, g: g), (np.ones((1, 2)),)).ok


# ---------------------------------------------------------------------- everything is as before


class Stateful(Linear):
    """A layer with state of every kind; what it can't copy doesn't matter."""

    def __init__(self):
        super().__init__(3, 2)
        self.rng, self.calls, self.history, self.mean = np.random.default_rng(1), 0, [], np.zeros(3, np.float32)
        self.scale, self.lines = (lambda z: 2 * z), (line for line in "abc")

    def forward(self, x):
        self.calls += 1
        self.history.append(x)
        self.mean *= 0.9
        self.mean += 0.1 * x.mean(axis=0)
        self.mask = (self.rng.random(x.shape) > 0.5) * (np.random.random_sample(x.shape) > 0.1)
        return self.scale(super().forward(x * self.mask))

    def backward(self, grad):
        self.history[-1] = None
        return super().backward(self.scale(grad)) * self.mask


@pytest.mark.parametrize("wrong", [False, True])
def test_the_module_is_afterwards_as_it_was(rng, wrong):
    module = Stateful()
    module.astype(np.float32)
    if wrong:
        module.backward = lambda grad: 3 * grad @ module.W.data.T
    x = rng.standard_normal((4, 3)).astype(np.float32)
    parameters = [(p, p.data, p.data.copy(), p.grad, p.grad.copy()) for p in module.parameters()]
    mean, history, draws = module.mean, module.history, module.rng.bit_generator.state
    attributes, numpy_state = dict(vars(module)), np.random.get_state()
    x_before = x.copy()
    try:
        module.check_gradients((x,))
    except GradientError:
        assert wrong
    else:
        assert not wrong
    assert vars(module).keys() == attributes.keys() and all(vars(module)[k] is v for k, v in attributes.items())
    for parameter, data, data_before, grad, grad_before in parameters:
        assert parameter.data is data and parameter.grad is grad and data.dtype == np.float32
        assert data.tobytes() == data_before.tobytes() and grad.tobytes() == grad_before.tobytes()
    assert module.mean is mean and not mean.any() and module.history is history and history == []
    assert module.calls == 0 and module.training and module.rng.bit_generator.state == draws
    assert x.tobytes() == x_before.tobytes() and np.random.get_state()[2:] == numpy_state[2:]
    np.testing.assert_array_equal(np.random.get_state()[1], numpy_state[1])
    assert next(module.lines) == "a"


def test_dropout_is_checked_in_both_modes(rng):
    class IgnoresMode(Dropout):
        def backward(self, grad):
            return grad * (2 if self.mask is None else self.mask)
    x = rng.standard_normal((3, 4))
    Dropout(0.4).check_gradients((x,))
    assert not check_module(IgnoresMode(0.4), (x,)).ok


# ---------------------------------------------------------------------- numbers and reports


def test_numeric_derivatives_stay_within_their_uncertainty(rng):
    for f, slope in ((np.exp, np.exp), (np.tanh, lambda x: 1 - np.tanh(x) ** 2), (np.sin, np.cos)):
        for x in rng.uniform(-2, 2, 10):
            def y(t):
                return np.array([f(x + t)])
            found = numeric.derivative(y, y(0.0), numeric.rounding_noise(y, y(0.0)))
            assert abs(found.value[0] - slope(x)) <= found.uncertainty[0] < 1e-6


def test_a_kink_is_uncertain_however_symmetric():
    def y(t):
        return np.array([max(t, 0.0)])
    found = numeric.derivative(y, y(0.0), np.zeros(1))
    assert found.uncertainty[0] > 0.4


def test_the_report_is_a_dictionary_for_machines(rng):
    report = check_module(wrong_linear(lambda linear, grad_x: -grad_x), (rng.standard_normal((2, 4)),))
    content = json.loads(json.dumps(report.to_dict()))
    assert content["verdict"] == "wrong" and content["causes"][0]["name"] == "wrong sign"
    assert content["tensors"][0]["entries"][0]["ratio"] == pytest.approx(-1)


def test_paths_name_the_parameter(rng):
    model = Sequential(Linear(3, 2), ReLU(), wrong_linear(lambda linear, grad_x: grad_x))
    report = check_module(Sequential(*model.modules[:2]), (rng.standard_normal((2, 3)),))
    names = [tensor.name for tensor in report.tensors]
    assert names == ["input", "Sequential[0].W", "Sequential[0].b"]


def test_losses_with_labels_and_upstream_of_one(rng):
    class TakesUpstream(CrossEntropyLoss):
        def backward(self, grad=1.0):
            return grad * super().backward()
    inputs = (rng.standard_normal((3, 4)), np.eye(4, dtype=int)[[0, 3, 1]])
    TakesUpstream().check_gradients(inputs)
    CrossEntropyLoss().check_gradients(inputs)


def test_both_wrong_parts_stand_in_one_report(rng):
    class Wrong(Linear):
        def backward(self, grad):
            self.b.grad += 1
            return 2 * super().backward(grad)
    with pytest.raises(GradientError) as caught:
        Wrong(3, 2).check_gradients((rng.standard_normal((2, 3)),))
    assert [tensor.verdict for tensor in caught.value.report.tensors] == ["wrong", "ok", "wrong"]


def test_a_parameter_alone(rng):
    class Square(Module):
        def __init__(self):
            self.w = Parameter(rng.standard_normal(3))

        def parameters(self):
            return [self.w]

        def forward(self):
            return np.sum(self.w.data ** 2)

        def backward(self):
            self.w.grad += 2 * self.w.data

    Square().check_gradients_wrt_params((), 1e-6)
    Square().check_gradients(())


def test_the_module_is_left_as_it_was(rng):
    model = Sequential(Linear(3, 4), ReLU(), Linear(4, 2)).astype(np.float32).eval()
    for param in model.parameters():
        param.grad[...] = 7
    before = [(param, param.data, param.data.copy(), param.grad, param.grad.copy()) for param in model.parameters()]
    state = np.random.get_state()[1].copy()
    model.check_gradients((rng.standard_normal((2, 3)),))
    for param, (same, data, data_copy, grad, grad_copy) in zip(model.parameters(), before):
        assert param is same and param.data is data and param.grad is grad
        np.testing.assert_array_equal(param.data, data_copy)
        np.testing.assert_array_equal(param.grad, grad_copy)
    assert not model.training and model[0].input_cache is None
    np.testing.assert_array_equal(np.random.get_state()[1], state)


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
