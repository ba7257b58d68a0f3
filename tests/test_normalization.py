"""BatchNorm1d, BatchNorm2d and LayerNorm: what they normalise, their gradients, and the running averages."""
import numpy as np
import pytest

from lib.network import Linear, Sequential
from lib.layers.normalization import BatchNorm1d, BatchNorm2d, LayerNorm
from tests.finite_differences import assert_backward_is_right

LAYERS = [BatchNorm1d, BatchNorm2d, LayerNorm]


@pytest.mark.parametrize("layer_class", LAYERS)
@pytest.mark.parametrize("number", range(3))
def test_finite_differences(rng, layer_class, number):
    layer, inputs = layer_class.examples(rng)[number]
    assert_backward_is_right(layer, inputs)
    layer.check_gradients(inputs)


@pytest.mark.parametrize("layer, shape, axes", [
    (BatchNorm1d(3), (50, 3), 0), (BatchNorm1d(3), (9, 3, 5), (0, 2)), (BatchNorm2d(3), (4, 3, 5, 6), (0, 2, 3)),
    (LayerNorm(6), (4, 3, 6), -1), (LayerNorm((5, 6)), (4, 5, 6), (-2, -1))])
def test_mean_zero_and_variance_one_then_scale_and_shift(rng, layer, shape, axes):
    x = rng.standard_normal(shape) * 3 + 7
    y = layer(x)
    np.testing.assert_allclose(y.mean(axis=axes), 0, atol=1e-12)
    np.testing.assert_allclose(y.var(axis=axes), 1, rtol=1e-4)
    layer.gamma.data, layer.beta.data = layer.gamma.data * 2, layer.beta.data - 5
    np.testing.assert_allclose(layer(x), 2 * y - 5)


def test_running_averages(rng):
    layer = BatchNorm1d(2, momentum=0.25)
    x = rng.standard_normal((4, 2)) + 3
    layer(x)
    np.testing.assert_allclose(layer.running_mean, 0.25 * x.mean(axis=0))
    np.testing.assert_allclose(layer.running_var, 0.75 + 0.25 * x.var(axis=0, ddof=1))
    layer(x)
    np.testing.assert_allclose(layer.running_mean, (0.75 * 0.25 + 0.25) * x.mean(axis=0))


def test_evaluation_mode_treats_each_example_alone_and_learns_no_averages(rng):
    layer = BatchNorm1d(3)
    for _ in range(100):
        layer(rng.standard_normal((20, 3)) * 2 + 1)
    layer.eval()
    averages = layer.running_mean.copy(), layer.running_var.copy()
    x = rng.standard_normal((5, 3)) * 2 + 1
    together = layer(x)
    np.testing.assert_allclose(np.concatenate([layer(x[n:n + 1]) for n in range(5)]), together)
    np.testing.assert_allclose(together, (x - 1) / 2, atol=0.5)
    np.testing.assert_array_equal(layer.running_mean, averages[0])
    np.testing.assert_array_equal(layer.running_var, averages[1])


def test_backward_belongs_to_the_last_forward_whatever_the_mode_is_now(rng):
    layer = BatchNorm1d(3)
    x, grad = rng.standard_normal((2, 4, 3))
    layer(x)
    expected = layer.backward(grad)
    layer.eval()
    np.testing.assert_array_equal(layer.backward(grad), expected)


def test_a_batch_of_one_has_no_variance(rng):
    layer = BatchNorm1d(3)
    with pytest.raises(ValueError, match=r"at least 2.*model.eval\(\)"):
        layer(rng.standard_normal((1, 3)))
    np.testing.assert_array_equal(layer.running_mean, np.zeros(3))  # the failure has left no trace
    assert layer.eval()(rng.standard_normal((1, 3))).shape == (1, 3)
    assert BatchNorm2d(3)(rng.standard_normal((1, 3, 2, 1))).shape == (1, 3, 2, 1)  # two pixels are enough
    assert LayerNorm(3)(rng.standard_normal((1, 3))).shape == (1, 3)


@pytest.mark.parametrize("layer, shape", [(BatchNorm1d(3), (4, 3)), (BatchNorm2d(3), (2, 3, 2, 2)),
                                          (LayerNorm(3), (4, 3))])
def test_constant_inputs_stay_finite(layer, shape):
    y = layer(np.full(shape, 5.0))
    np.testing.assert_allclose(y, 0, atol=1e-12)
    assert np.isfinite(layer.backward(np.ones(shape))).all()


@pytest.mark.parametrize("layer_class", LAYERS)
def test_gradients_accumulate_and_nothing_else_changes(rng, layer_class):
    layer, (x,) = layer_class.examples(rng)[0]
    grad = rng.standard_normal(layer(x).shape)
    before = [a.copy() for a in (x, grad, layer.gamma.data, layer.beta.data)]
    layer.backward(grad)
    once = [param.grad.copy() for param in layer.parameters()]
    layer.backward(grad)
    for param, first in zip(layer.parameters(), once):
        np.testing.assert_allclose(param.grad, 2 * first)
    for after, saved in zip((x, grad, layer.gamma.data, layer.beta.data), before):
        np.testing.assert_array_equal(after, saved)


@pytest.mark.parametrize("layer_class", LAYERS)
@pytest.mark.parametrize("number", range(3))
def test_precision(rng, layer_class, number):
    layer, (x,) = layer_class.examples(rng)[number]
    x = x.astype(np.float32)
    for precision in (np.float64, np.float32):
        layer.astype(precision)
        y = layer(x)
        assert y.dtype == layer.backward(y).dtype == np.float32
        assert layer.gamma.grad.dtype == precision
    assert layer(np.arange(x.size).reshape(x.shape)).dtype == np.float64


def test_buffers_are_named_and_converted(rng):
    model = Sequential(Linear(2, 3), BatchNorm1d(3), Linear(3, 4), BatchNorm1d(4))
    assert model.buffers() == {} and Linear(2, 2).named_buffers() == []
    names = ["Sequential[1].running_mean", "Sequential[1].running_var",
             "Sequential[3].running_mean", "Sequential[3].running_var"]
    assert [name for name, _ in model.named_buffers()] == names
    model.astype(np.float32)
    model(rng.standard_normal((5, 2)).astype(np.float32))
    for name, buffer in model.named_buffers():
        assert buffer.dtype == np.float32, name
        assert (buffer != (0 if name.endswith("mean") else 1)).all(), name  # they have moved
    assert model[1].buffers()["running_mean"] is model[1].running_mean


@pytest.mark.parametrize("layer, shape", [
    (BatchNorm1d(3), (4, 2)), (BatchNorm1d(3), (3,)), (BatchNorm1d(3), (2, 3, 4, 5)), (BatchNorm1d(3), (0, 3)),
    (BatchNorm2d(3), (4, 3)), (BatchNorm2d(3), (4, 2, 5, 5)), (LayerNorm(3), (4, 2)), (LayerNorm((2, 3)), (4, 3)),
    (LayerNorm(3), (3,))])
def test_wrong_inputs_get_a_sentence(layer, shape):
    with pytest.raises(ValueError, match="expects|empty") as error:
        layer(np.ones(shape))
    assert str(shape) in str(error.value)


@pytest.mark.parametrize("layer_class", LAYERS)
def test_wrong_calls_get_a_sentence(rng, layer_class):
    layer, (x,) = layer_class.examples(rng)[0]
    with pytest.raises(AssertionError, match="before forward"):
        layer.backward(x)
    layer(x)
    with pytest.raises(ValueError, match="upstream gradient"):
        layer.backward(x[:1])
    layer.gamma.grad = None
    with pytest.raises(AssertionError, match="zero_grad"):
        layer.backward(x)
    with pytest.raises(ValueError, match="whole number"):
        layer_class(0)
    with pytest.raises(ValueError, match="eps"):
        layer_class(3, eps=0)
    if layer_class is not LayerNorm:
        with pytest.raises(ValueError, match="momentum"):
            layer_class(3, momentum=2)


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
