"""Residual, Flatten, Parameter, and what holds for whole networks: precision, vectors, messages."""
from dataclasses import dataclass

import numpy as np
import pytest

from lib.activations import ReLU, Sigmoid
from lib.losses import CrossEntropyLoss
from lib.layers.losses import L1Loss
from lib.convolutions import Flatten
from lib.graph import variable
from lib.network import Linear, Sequential
from lib.layers.residual import Residual
from lib.network_base import Module, Parameter
from lib.optimizers import SGD
from tests.finite_differences import assert_backward_is_right


def pen_and_paper_network():
    """The sheet's network: unit 0, then unit 1, then unit 2, which also hears unit 0 by a skip connection."""
    def weight():
        linear = Linear(1, 1, bias=False)
        linear.W.data[...] = 0.5
        return linear
    return Sequential(weight(), ReLU(), Residual(Sequential(weight(), ReLU(), weight()), shortcut=weight()))


def test_the_pen_and_paper_network():
    model, loss_fn = pen_and_paper_network(), L1Loss()
    x, y = np.array([[1.0]]), np.array([[-3.0]])
    np.testing.assert_allclose(model(x), [[0.375]])
    np.testing.assert_allclose(loss_fn(model(x), y), 3.375)
    model.backward(loss_fn.backward())
    w0, w1, w2, ws = model.parameters()
    np.testing.assert_allclose([p.grad[0, 0] for p in (w0, w1, w2, ws)], [0.75, 0.25, 0.25, 0.5])
    for p in (w0, w1, w2, ws):
        p.data -= p.grad
    np.testing.assert_allclose(loss_fn(model(x), y), 3.0)


def test_linear_without_bias(rng):
    for shape in [(2, 4), (1, 4)]:
        linear = Linear(4, 3, bias=False, rng=rng)
        assert_backward_is_right(linear, (rng.standard_normal(shape),))
        assert linear.parameters() == [linear.W] and not linear.b.data.any() and not linear.b.grad.any()
        linear.astype(np.float32).check_gradients((rng.standard_normal(shape),))
        assert linear.b.data.dtype == np.float32


def test_residual(rng):
    x = rng.standard_normal((3, 2))
    for module, args in Residual.examples(rng):
        assert_backward_is_right(module, args)
        module.check_gradients(args)
    inner = Linear(2, 2)
    np.testing.assert_allclose(Residual(inner)(x), inner(x) + x)
    with pytest.raises(ValueError, match=r"\(3, 4\) from the module and \(3, 2\) from the shortcut"):
        Residual(Linear(2, 4))(x)


def test_flatten(rng):
    x = rng.standard_normal((2, 3, 4))
    flatten = Flatten()
    np.testing.assert_array_equal(flatten(x), x.reshape(2, 12))
    assert_backward_is_right(Flatten(), (x,))


def test_parameter():
    parameter = Parameter(np.arange(3), name="W")
    assert parameter.data.dtype == np.float64 and parameter.name == "W" and parameter.state_dict == {}
    np.testing.assert_array_equal(parameter.grad, np.zeros(3))
    assert Parameter(np.ones(2, dtype=np.float32)).grad.dtype == np.float32
    np.testing.assert_array_equal(Parameter([1.0], grad=[2.0]).grad, [2.0])
    with pytest.raises(ValueError, match=r"\(2,\).*\(3,\)"):
        Parameter(np.ones(2), grad=np.ones(3))


def test_what_is_assigned_to_a_parameter_becomes_an_array_of_floats():
    linear = Linear(2, 2)
    linear.W.data, linear.b.data = np.array([[1, 2], [3, 4]]), [1, 2]
    np.testing.assert_allclose(linear(np.ones((1, 2))), [[5, 8]])
    linear.backward(np.ones((1, 2)))
    np.testing.assert_allclose(linear.W.grad, np.ones((2, 2)))
    scalar = Parameter(np.array(3.0))
    scalar.data = scalar.data - 1  # NumPy gives a number here, not an array
    scalar.grad = np.array(2.0)
    SGD([scalar], lr=0.5).step()
    np.testing.assert_allclose(scalar.data, 1.0)


@pytest.mark.parametrize("name, shape", [("b", (1, 2)), ("b", (3,)), ("b", ()), ("W", (2,))])
def test_parameters_of_a_wrong_shape_are_not_broadcast(name, shape):
    linear = Linear(2, 2)
    getattr(linear, name).data = np.ones(shape)
    with pytest.raises(ValueError, match=r"Linear\(2, 2\)"):
        linear(np.ones((4, 2)))


def test_a_forgotten_return_is_named():
    for module in (Linear(2, 2), ReLU(), CrossEntropyLoss()):
        with pytest.raises(ValueError, match="Is a return missing"):
            module(*[None] * (2 if isinstance(module, CrossEntropyLoss) else 1))


@pytest.mark.parametrize("as_float32", [True, False])
def test_float32_in_float32_out(rng, as_float32):
    model = Sequential(Linear(4, 3), Sigmoid(), Linear(3, 2))
    if as_float32:
        assert model.astype(np.float32) is model
        assert all(p.data.dtype == p.grad.dtype == np.float32 for p in model.parameters())
    x = rng.standard_normal((5, 4)).astype(np.float32)
    assert model(x).dtype == np.float32
    assert model.backward(np.ones((5, 2), dtype=np.float32)).dtype == np.float32


def test_integers_and_lists():
    model = Sequential(Linear(4, 3), ReLU(), Linear(3, 2))
    x = np.arange(4).reshape(1, -1)
    assert model(x).shape == (1, 2) and model(x).dtype == np.float64
    np.testing.assert_array_equal(model(x), model(x.astype(float)))
    np.testing.assert_array_equal(model(x), model(x.tolist()))


@pytest.mark.parametrize("x, words", [
    (np.ones((2, 3)), r"Linear\(4, 2\) expects 4 features.*\(batch, 4\).*got shape \(2, 3\)"),
    (np.ones(3), r"Linear\(4, 2\) expects an input with 2 dimensions, \(batch, 4\), but got 1 dimension: \(3,\)"),
    (np.ones((2, 3, 4)), "2 dimensions"), (np.ones(()), "2 dimensions"), (np.ones((1, 1, 1, 4)), "2 dimensions"),
    (np.ones(4), r"a batch of one: x.reshape\(1, -1\)"),
    (np.ones((0, 4)), r"Linear got an empty array of shape \(0, 4\)"),
    ([[1, 2, 3, 4], [1]], "array of numbers"),
    ("abc", "array of numbers"),
])
def test_bad_input_to_linear(x, words):
    with pytest.raises(ValueError, match=words):
        Linear(4, 2)(x)


def test_bad_calls_of_linear():
    linear = Linear(4, 2)
    with pytest.raises(RuntimeError, match="Linear.backward was called before forward"):
        linear.backward(np.ones((3, 2)))
    linear(np.ones((3, 4)))
    for shape in [(3, 1), (2,), (3, 4), (1, 2)]:
        with pytest.raises(ValueError, match=r"Linear.backward expects the upstream gradient.*\(3, 2\)"):
            linear.backward(np.ones(shape))


def test_nan_goes_through():
    model = Sequential(Linear(2, 2), ReLU(), Linear(2, 2))
    assert np.isnan(model(np.array([[np.nan, 1.0]]))).any()
    with np.errstate(invalid="ignore"):
        assert np.isnan(CrossEntropyLoss()(np.array([[np.nan, 1.0]]), np.array([[1, 0]])))


def test_a_generator_leaves_the_global_state_alone():
    np.random.seed(1)
    first = Linear(2, 2, rng=np.random.default_rng(3))
    second = Linear(2, 2, rng=np.random.default_rng(3))
    drawn = np.random.rand()
    np.random.seed(1)
    assert drawn == np.random.rand()
    np.testing.assert_array_equal(first.W.data, second.W.data)


def test_sizes_must_be_whole_numbers():
    for sizes in [(0, 2), (2, -1), (2.5, 2), ("2", 2)]:
        with pytest.raises(ValueError, match="Linear expects (in|out)_features to be a whole number"):
            Linear(*sizes)


def test_an_empty_sequential_is_the_identity(rng):
    x = rng.standard_normal((2, 3))
    assert Sequential()(x) is x and Sequential().parameters() == []


def test_a_module_twice_would_have_a_wrong_gradient(rng):
    relu = ReLU()
    model = Sequential(Linear(2, 2), relu, Linear(2, 2), relu)
    model(rng.standard_normal((3, 2)))
    with pytest.raises(RuntimeError, match=r"several places of this Sequential \(1, 3\)"):
        model.backward(np.ones((3, 2)))


def test_what_is_not_a_module_is_refused():
    for wrong, words in [(ReLU, "the class ReLU"), ([Linear(2, 2)], "a list")]:
        with pytest.raises(ValueError, match=words):
            Sequential(Linear(2, 2), wrong)


def test_train_and_eval_reach_every_module():
    model = Sequential(Linear(2, 2), Sequential(ReLU()))
    assert model.eval() is model
    assert not any(module.training for _, module in model.named_modules())
    assert model.train() is model and model[1][0].training


def test_a_sequential_is_indexed_like_a_list():
    model = Sequential(Linear(2, 3), ReLU(), Linear(3, 2))
    assert model[1] is model.modules[1] and len(model) == 3


def test_inputs_may_be_given_by_their_names():
    class Scaling(Module):
        def forward(self, x, *, factor):
            return x * factor

    preds, labels = np.array([[1.0, -2.0]]), np.array([[0, 1]])
    loss = CrossEntropyLoss()(preds, labels)
    assert CrossEntropyLoss()(labels=labels, preds=preds) == CrossEntropyLoss()(preds, labels=labels) == loss
    assert CrossEntropyLoss()(preds=variable(preds), labels=labels).value == loss
    assert Scaling()(preds, factor=2).tolist() == [[2.0, -4.0]]
    with pytest.raises(TypeError, match="'preds'"):
        CrossEntropyLoss()(logits=preds, labels=labels)


@dataclass
class Scaled(Module):
    """A module that is equal to another one of the same factor, and has no hash, as it is a dataclass."""

    factor: float

    def forward(self, x):
        return x * self.factor

    def backward(self, grad):
        return grad * self.factor


def test_modules_that_are_equal_are_not_the_same_one(rng):
    model = Sequential(Scaled(2.0), Linear(3, 2), Scaled(2.0))
    assert_backward_is_right(model, (rng.standard_normal((4, 3)),))
    model.modules[2] = model.modules[0]
    with pytest.raises(RuntimeError, match=r"several places of this Sequential \(0, 2\)"):
        model.backward(np.ones((4, 2)))


def test_parameters_have_paths():
    model = Sequential(Linear(3, 4), ReLU(), Sequential(Linear(4, 2)))
    assert [path for path, _ in model.named_parameters()] == [
        "Sequential[0].W", "Sequential[0].b", "Sequential[2][0].W", "Sequential[2][0].b"]


def test_the_base_class_defines_nothing():
    module = Module()
    assert module.parameters() == [] and module.input_cache is None
    for call in (module.forward, module.backward, module):
        with pytest.raises(NotImplementedError):
            call(np.ones((1, 1)))


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
