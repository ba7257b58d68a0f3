"""Every activation of the library: backward, precision, stability, shapes."""
import math
import warnings

import numpy as np
import pytest

from lib.gradient_checking.discovery import examples_of, module_classes
from lib.layers.activations import GELU, Identity, LeakyReLU, Softplus, Tanh
from lib.activations import ReLU, Relu, Softmax
from tests.finite_differences import assert_backward_is_right

EXAMPLES = list({repr(module): module for cls in module_classes().values() if cls.__module__.endswith(".activations")
                 for module, _ in examples_of(cls, np.random.default_rng(0))}.values())


@pytest.mark.parametrize("module", EXAMPLES, ids=repr)
def test_backward(rng, module):
    for shape in [(4, 5), (1, 3), (3, 3), (5,), (2, 3, 2), (2, 3, 4, 1)]:
        x = rng.uniform(-3, 3, shape)
        assert_backward_is_right(module, (x,))
        module.check_gradients((x,))


@pytest.mark.parametrize("module", EXAMPLES, ids=repr)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_large_inputs_neither_overflow_nor_warn(module, dtype):
    x = np.array([[-1000, -100, -1, 0, 1, 100, 1000]], dtype=dtype)
    with warnings.catch_warnings(), np.errstate(over="raise", invalid="raise", divide="raise"):
        warnings.simplefilter("error")
        y, grad = module(x), module.backward(np.ones_like(x))
    for result in (y, grad):
        assert result.dtype == dtype and result.shape == x.shape and np.isfinite(result).all()


@pytest.mark.parametrize("module", EXAMPLES, ids=repr)
def test_integers_become_floats_and_arguments_stay_unchanged(rng, module):
    x = np.array([[-1, 0, 2]])
    np.testing.assert_allclose(module(x), module(x.astype(float)))
    assert module(x).dtype == np.float64 and x.dtype.kind == "i"
    x, grad = rng.standard_normal((2, 3)), rng.standard_normal((2, 3))
    copies = x.copy(), grad.copy()
    module(x)
    module.backward(grad)[...] = 99  # what backward returns is a new array
    np.testing.assert_array_equal((x, grad), copies)


@pytest.mark.parametrize("module", EXAMPLES, ids=repr)
def test_bad_input(module):
    fresh = type(module)()
    with pytest.raises(RuntimeError, match=f"{type(module).__name__}.backward was called before forward"):
        fresh.backward(np.ones((2, 3)))
    with pytest.raises(ValueError, match=f"{type(module).__name__} got an empty array of shape \\(0, 3\\)"):
        module(np.ones((0, 3)))
    module(np.ones((2, 3)))
    with pytest.raises(ValueError, match=r"expects the upstream gradient.*\(2, 3\).*got shape \(2, 1\)"):
        module.backward(np.ones((2, 1)))
    with pytest.raises(ValueError, match="None as the upstream gradient"):
        module.backward(None)
    with pytest.raises(ValueError, match="array of numbers"):
        module("text")


def test_known_values():
    x = np.array([-1.0, 0.0, 2.0])
    np.testing.assert_allclose(Tanh()(x), [math.tanh(v) for v in x])
    np.testing.assert_allclose(LeakyReLU(0.1)(x), [-0.1, 0, 2])
    np.testing.assert_allclose(Softplus()(x), [math.log(1 + math.exp(v)) for v in x])
    np.testing.assert_allclose(GELU()(x), [v * (1 + math.erf(v / math.sqrt(2))) / 2 for v in x])
    np.testing.assert_allclose(GELU("tanh")(x), GELU()(x), atol=1e-3)
    np.testing.assert_allclose(Identity()(x), x)


def test_leaky_relu_at_the_kink_takes_the_left_derivative():
    leaky = LeakyReLU(0.1)
    leaky(np.zeros(2))
    np.testing.assert_allclose(leaky.backward(np.array([1.0, -2.0])), [0.1, -0.2])


def test_gelu_offers_two_formulas():
    with pytest.raises(ValueError, match="'none', 'tanh'"):
        GELU("erf")


def test_softmax_of_huge_logits_is_one_hot():
    np.testing.assert_allclose(Softmax()(np.array([[1000.0, -1000.0]])), [[1, 0]])


def test_both_names_are_the_same_class():
    assert Relu is ReLU


def test_a_vector_is_one_example_to_softmax():
    np.testing.assert_allclose(Softmax()(np.log([1.0, 3.0])), [0.25, 0.75])


def test_softmax_has_a_backward(rng):
    for shape in [(3, 4), (1, 5), (2, 3, 2), (4,), (3, 1)]:
        assert_backward_is_right(Softmax(), (rng.standard_normal(shape),))


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
