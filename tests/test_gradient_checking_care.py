"""The checker's care: it leaves no trace, names what it can't decide, and says in a sentence what it refuses."""
import array
import collections
import functools

import numpy as np
import pytest

from lib.activations import ReLU, Sigmoid
from lib.gradient_checking import GradientError, UndecidableWarning, check_module
from lib.gradient_checking.measure.numeric import coarseness, derivative, rounding_noise
from lib.layers.residual import Residual
from lib.network import Linear, Sequential
from lib.network_base import Module, Parameter
from lib.validation import InputError


class Square(Module):
    """x^2, to make modules with other habits quickly."""

    def forward(self, x):
        self.x = x
        return x ** 2

    def backward(self, grad):
        return 2 * self.x * grad


# ---------------------------------------------------------------------- everything is as before


class Slotted:
    """An object without a __dict__."""

    __slots__ = ("calls",)

    def __init__(self):
        self.calls = 0


class Stateful(Square):
    """State in all kinds of places."""

    calls, log = 0, []
    generator = np.random.default_rng(3)

    def __init__(self):
        self.deque, self.slotted = collections.deque([1, 2], maxlen=3), Slotted()
        self.numbers, self.bytes = array.array("d", [1.0]), bytearray(b"a")
        self.objects, self.names = np.array([None, []], dtype=object), {"a"}
        self.draw = functools.partial(np.random.default_rng(4).random, 3)

    def forward(self, x, seen=[], rng=np.random.default_rng(5)):  # noqa: B006
        Stateful.calls += 1
        Stateful.new = self.calls
        self.log.append(1)
        self.generator.random()
        seen.append(x)
        rng.random()
        self.draw()
        self.deque.append(3)
        self.slotted.calls += 1
        self.numbers.append(2.0)
        self.bytes += b"b"
        self.objects[0] = x
        self.objects[1].append(x)
        self.names.add("b")
        return super().forward(x)


def state_of(module):
    function = vars(Stateful)["forward"]
    return [list(module.deque), module.slotted.calls, module.numbers.tolist(), bytes(module.bytes),
            [module.objects[0], list(module.objects[1])], sorted(module.names), Stateful.calls, list(Stateful.log),
            hasattr(Stateful, "new"), Stateful.generator.bit_generator.state["state"], len(function.__defaults__[0]),
            function.__defaults__[1].bit_generator.state["state"],
            module.draw.func.__self__.bit_generator.state["state"]]


def test_state_of_every_kind_is_put_back(rng):
    module = Stateful()
    before, objects = state_of(module), (module.deque, module.numbers, module.objects)
    report = check_module(module, (rng.standard_normal((3, 2)),))
    assert report.verdict == "ok", str(report)
    assert state_of(module) == before
    assert all(now is then for now, then in zip((module.deque, module.numbers, module.objects), objects))


# ---------------------------------------------------------------------- what can't be decided


class DrawsAnew(Square):
    """The operating system's random numbers."""

    def forward(self, x):
        return super().forward(x) * np.random.Generator(np.random.PCG64()).random()


def test_random_numbers_that_can_not_be_put_back_are_undecidable(rng):
    before = np.random.get_state()[1].copy()
    with pytest.warns(UndecidableWarning):
        report = check_module(DrawsAnew(), (rng.standard_normal((3, 2)),))
    assert report.verdict == "undecidable" and report.ok
    text = str(report)
    assert "backward is wrong" not in text and "random numbers" in text and "self.rng = np.random.default_rng()" in text
    np.testing.assert_array_equal(np.random.get_state()[1], before)


def test_coarse_results_are_said_to_be_compared_coarsely(rng):
    class Single(Square):
        def forward(self, x):
            return super().forward(x).astype(np.float32)
    x = rng.standard_normal((3, 2))
    report = check_module(Single(), (x,))
    assert report.verdict == "ok" and any("coarsely" in warning for warning in report.warnings)
    assert not any("coarsely" in warning for warning in check_module(Square(), (x,)).warnings)


@pytest.mark.parametrize("dtype, step", [(np.float32, 1.2e-7), (np.float16, 1e-3)])
def test_coarseness_is_that_of_the_precision(rng, dtype, step):
    values = rng.uniform(0.5, 1, (5, 3)).astype(dtype).astype(float)
    assert np.all(coarseness(values) < step) and np.all(coarseness(values) > step / 16)
    assert not coarseness(rng.uniform(0.5, 1, (5, 3))).any()
    np.testing.assert_allclose(coarseness(np.round(rng.uniform(0.5, 1, (5, 3)), 4)), 0.5e-4)


@pytest.mark.parametrize("at", [1e-9, 1e-5, -3e-7, 0.4])
def test_steps_fit_the_number_that_is_moved(at):
    def y(t):
        return np.array([1 / (at + t)])
    found = derivative(y, y(0.0), rounding_noise(lambda t: y(t * at), y(0.0)), abs(at))
    assert abs(found.value[0] + 1 / at ** 2) <= found.uncertainty[0] <= 1e-5 / at ** 2


@pytest.mark.parametrize("x", [[[1.0, 1e20]], [[1e-20, 3e-20]], [[1e-200, 3e150]]])
@pytest.mark.parametrize("factor", [1, 2])
def test_a_derivative_that_no_step_can_show_is_undecidable_not_zero(x, factor):
    class Length(Module):
        def forward(self, x):
            self.x, self.y = x, np.hypot(x[:, :1], x[:, 1:])
            return self.y

        def backward(self, grad):
            return factor * grad * self.x / self.y
    with pytest.warns(UndecidableWarning):
        report = check_module(Length(), (np.array(x),))
    assert report.verdict == "undecidable" and "seems not to depend" not in str(report)


@pytest.mark.parametrize("factor, verdict", [(1.0, "ok"), (0.0, "wrong"), (-1.0, "wrong"), (1.001, "wrong")])
def test_where_all_exponentials_are_0_or_1_smaller_numbers_decide(factor, verdict):
    class Own(Module):
        def forward(self, x):
            e = np.exp(x - x.max(axis=1, keepdims=True))
            self.y = e / e.sum(axis=1, keepdims=True)
            return self.y

        def backward(self, grad):
            return factor * self.y * (grad - (grad * self.y).sum(axis=1, keepdims=True))
    report = check_module(Own(), (np.array([[1000.0, 0.0, -1000.0]]),))
    assert report.verdict == verdict and "every expected gradient is zero" not in str(report)
    assert verdict == "ok" or "with smaller numbers" in str(report)


# ---------------------------------------------------------------------- constants


def test_constants_are_left_out_and_that_is_said(rng):
    model = Sequential(Linear(4, 3), ReLU(), Linear(3, 2))
    for parameter in model.modules[0].parameters():
        parameter.constant = True
    report = check_module(model, (rng.standard_normal((3, 4)),))
    assert [tensor.name for tensor in report.tensors] == ["input", "Sequential[2].W", "Sequential[2].b"]
    assert any("constant" in warning and "Sequential[0].W" in warning for warning in report.warnings)


def test_a_forgotten_parameter_may_be_marked_constant(rng):
    class Scaled(Module):
        def __init__(self):
            self.held = {"scales": [Parameter(np.array([2.0, 3.0]), name="scale")]}

        def forward(self, x):
            return x * self.held["scales"][0].data

        def backward(self, grad):
            return grad * self.held["scales"][0].data

    module, x = Scaled(), rng.standard_normal((3, 2))
    with pytest.raises(GradientError, match="constant = True"):
        module.check_gradients((x,))
    module.held["scales"][0].constant = True
    module.check_gradients((x,))


def test_a_part_that_writes_into_its_argument_harms_no_skip_path(rng):
    class Textbook(ReLU):
        def backward(self, grad):
            grad[self.input_cache <= 0] = 0
            return grad
    report = check_module(Residual(Textbook()), (rng.standard_normal((3, 4)),))
    assert report.verdict == "ok" and not report.remarks


# ---------------------------------------------------------------------- sentences


class Flipped(Module):
    """x with the columns in reverse order."""

    def forward(self, x):
        self.x = x
        return x[:, ::-1].copy()

    def backward(self, grad):
        return grad[:, ::-1].copy()


class Strided(Flipped):
    def backward(self, grad):
        n, k = grad.shape
        return np.lib.stride_tricks.as_strided(grad, (n, k), (8 * k, 8))[:, ::-1].copy()


class Lost(Flipped):
    def backward(self, grad):
        dx = np.zeros_like(self.x)
        dx.ravel()[:] = grad[:, ::-1].ravel()  # into a copy, where x lies by columns
        return dx


class Reshaped(Flipped):
    def backward(self, grad):
        grad = grad.view()
        grad.shape = (grad.size,)
        return grad.reshape(self.x.shape)[:, ::-1].copy()


@pytest.mark.parametrize("cls, words", [(Flipped, ""), (Strided, "another gradient"), (Lost, "another gradient"),
                                        (Reshaped, "raises an exception")])
def test_a_backward_that_goes_by_the_memory_of_an_array_is_remarked(cls, words, rng):
    x = rng.standard_normal((2, 3))
    report = check_module(cls(), (x,))
    assert report.ok and [words in remark for remark in report.remarks] == [True] * bool(words)
    assert not words or "Backward goes by where numbers lie in memory" in str(report)
    assert check_module(cls(), (np.asfortranarray(x),)).ok == (cls is not Lost)  # it runs on what it is given


@pytest.mark.parametrize("x, words", [
    (np.array([[1.0, np.nan]]), "NaN in input number 1"), (np.zeros((0, 3)), "empty input number 1"),
    (np.ones((2, 2)) * 1j, "complex")])
def test_inputs_that_prove_nothing_are_refused(x, words):
    with pytest.raises(InputError, match=words):
        Sigmoid().check_gradients((x,))


@pytest.mark.parametrize("result, words", [
    (lambda x: (x, x), "a tuple of 2"), (lambda x: [x, x[0]], "different lengths"), (lambda x: x * 1j, "complex"),
    (lambda x: None, "a return is missing")])
def test_outputs_that_are_no_array_are_named(result, words, rng):
    class Odd(Square):
        def forward(self, x):
            return result(x)
    with pytest.raises(TypeError, match=words):
        check_module(Odd(), (rng.standard_normal((2, 2)),))


@pytest.mark.parametrize("listed, words", [
    (lambda self: None, "a return is missing"), (lambda self: self.W, "single Parameter"),
    (lambda self: [self.W.data], "ndarray")])
def test_what_parameters_must_return_is_said(listed, words, rng):
    module = type("Odd", (Linear,), {"parameters": listed})(2, 2)
    with pytest.raises(InputError, match=words):
        check_module(module, (rng.standard_normal((2, 2)),))


def test_a_sentence_stands_once_on_the_screen_also_where_it_is_wrapped(rng):
    class Clipped(Square):
        def backward(self, grad):
            return np.clip(super().backward(grad), -100, 100)
    lines = str(check_module(Clipped(), (rng.standard_normal((4, 3)),))).splitlines()
    assert any("isn't proportional" in line for line in lines) and not any("  Also:" in line for line in lines)


def test_a_missing_optional_package_is_no_mistake(monkeypatch):
    import io
    from lib.gradient_checking import command
    from lib.layers.activations import GELU

    def missing(x):
        raise ImportError("GELU() needs scipy: pip install scipy")
    monkeypatch.setattr(GELU, "_normal_distribution", staticmethod(missing))
    out = io.StringIO()
    assert command.main(["GELU"], out) == 0
    assert "GELU is left out: GELU() needs scipy" in out.getvalue() and "wrong" not in out.getvalue()


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
