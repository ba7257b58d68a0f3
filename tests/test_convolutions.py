"""Conv2d against a convolution by plain loops, finite differences, and its bound on memory."""
import tracemalloc

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lib.gradient_checking.discovery import examples_of
from lib.activations import ReLU
from lib.layers.pooling import AvgPool2d, MaxPool2d
from lib.convolutions import Conv2d, Flatten, calculate_conv_output
from lib.losses import CrossEntropyLoss
from lib.network import Linear, Sequential
from tests.finite_differences import assert_backward_is_right, numeric_gradient


def convolve(x, W, b, stride, padding):
    """The definition, one output pixel at a time."""
    (sh, sw), (ph, pw) = stride, padding
    x = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    kh, kw = W.shape[2:]
    rows, columns = (x.shape[2] - kh) // sh + 1, (x.shape[3] - kw) // sw + 1
    z = np.zeros((len(x), len(W), rows, columns))
    for n, o, r, c in np.ndindex(z.shape):
        z[n, o, r, c] = (W[o] * x[n, :, r * sh:r * sh + kh, c * sw:c * sw + kw]).sum() + b[o, 0, 0]
    return z


def test_calculate_conv_output():
    assert calculate_conv_output((28, 28), (5, 5), (1, 1), (0, 0)) == (24, 24)
    assert calculate_conv_output((28, 28), (3, 3), (1, 1), (1, 1)) == (28, 28)
    assert calculate_conv_output((7, 10), (3, 2), (2, 3), (0, 1)) == (3, 4)
    assert calculate_conv_output((16, 3, 32, 20), (3, 3), (2, 2), (1, 0)) == (16, 9)
    assert calculate_conv_output([5, 5], 5, 1, 0) == (1, 1)
    assert all(type(size) is int for size in calculate_conv_output(np.array([9, 9]), 3, 2, 1))


def test_calculate_conv_output_refuses_a_window_that_does_not_fit():
    with pytest.raises(ValueError, match="doesn't fit"):
        calculate_conv_output((4, 4), (5, 5), (1, 1), (0, 0))
    with pytest.raises(ValueError, match="height and the width"):
        calculate_conv_output((4,), 1, 1, 0)
    with pytest.raises(ValueError, match="stride"):
        calculate_conv_output((4, 4), 1, 0, 0)
    with pytest.raises(ValueError, match="padding"):
        calculate_conv_output((4, 4), 1, 1, -1)


def test_start_values():
    np.random.seed(0)
    conv = Conv2d(2, 50, kernel_size=(3, 4))
    np.random.seed(0)
    np.testing.assert_allclose(conv.W.data, 0.1 * np.random.randn(50, 2, 3, 4))
    np.testing.assert_array_equal(conv.b.data, np.zeros((50, 1, 1)))
    assert [param.name for param in conv.parameters()] == ["conv_filter", "conv_bias"]
    assert conv.parameters()[0] is conv.W and conv.parameters()[1] is conv.b


def test_the_padded_input_is_cached(rng):
    conv = Conv2d(1, 1, 3, padding=(1, 2))
    x = rng.standard_normal((2, 1, 4, 4))
    conv(x)
    np.testing.assert_array_equal(conv.input_cache, np.pad(x, ((0, 0), (0, 0), (1, 1), (2, 2))))


def test_numbers_and_pairs_mean_the_same(rng):
    x = rng.standard_normal((1, 1, 6, 6))
    one, two = Conv2d(1, 1, 3, 2, 1), Conv2d(1, 1, (3, 3), stride=(2, 2), padding=(1, 1))
    two.W.data = one.W.data
    np.testing.assert_array_equal(one(x), two(x))


@settings(max_examples=25, deadline=None)
@given(batch=st.integers(1, 3), channels=st.integers(1, 3), out=st.integers(1, 3), height=st.integers(1, 6),
       width=st.integers(1, 6), kernel=st.tuples(st.integers(1, 4), st.integers(1, 4)),
       stride=st.tuples(st.integers(1, 3), st.integers(1, 3)),
       padding=st.tuples(st.integers(0, 2), st.integers(0, 2)), seed=st.integers(0, 2 ** 16))
def test_forward_is_the_definition_and_backward_its_derivative(batch, channels, out, height, width, kernel, stride,
                                                               padding, seed):
    assume(kernel[0] <= height + 2 * padding[0] and kernel[1] <= width + 2 * padding[1])
    rng = np.random.default_rng(seed)
    conv = Conv2d(channels, out, kernel, stride, padding)
    conv.W.data, conv.b.data = rng.standard_normal(conv.W.data.shape), rng.standard_normal(conv.b.data.shape)
    x = rng.standard_normal((batch, channels, height, width))
    z = conv(x)
    np.testing.assert_allclose(z, convolve(x, conv.W.data, conv.b.data, stride, padding), rtol=1e-10, atol=1e-12)
    assert z.shape[2:] == calculate_conv_output(x.shape, kernel, stride, padding)
    # z is linear in x, in W and in b, so for any direction d the derivative is exactly z(d): no step size is needed.
    grad, dx, dW = rng.standard_normal(z.shape), rng.standard_normal(x.shape), rng.standard_normal(conv.W.data.shape)
    grad_x = conv.backward(grad)
    no_bias = np.zeros_like(conv.b.data)
    assert np.isclose((grad_x * dx).sum(), (grad * convolve(dx, conv.W.data, no_bias, stride, padding)).sum())
    assert np.isclose((conv.W.grad * dW).sum(), (grad * convolve(x, dW, no_bias, stride, padding)).sum())
    np.testing.assert_allclose(conv.b.grad[:, 0, 0], grad.sum(axis=(0, 2, 3)))


@pytest.mark.parametrize("number", range(3))
def test_finite_differences(rng, number):
    conv, inputs = examples_of(Conv2d, rng)[number]
    assert_backward_is_right(conv, inputs)
    conv.check_gradients(inputs)


def test_gradients_accumulate_and_nothing_else_changes(rng):
    conv = Conv2d(2, 3, 2, padding=1)
    x = rng.standard_normal((2, 2, 3, 3))
    grad = rng.standard_normal(conv(x).shape)
    before = [a.copy() for a in (x, grad, conv.W.data, conv.b.data)]
    conv.backward(grad)
    once = [param.grad.copy() for param in conv.parameters()]
    conv.backward(grad)
    for param, first in zip(conv.parameters(), once):
        np.testing.assert_allclose(param.grad, 2 * first)
    for after, saved in zip((x, grad, conv.W.data, conv.b.data), before):
        np.testing.assert_array_equal(after, saved)


def test_groups_of_the_batch_give_what_the_whole_batch_gives(rng):
    whole, groups = Conv2d(2, 3, 3), Conv2d(2, 3, 3)
    groups.W.data = whole.W.data
    groups.max_column_bytes = 2.5 * 18 * 16 * 8  # two and a half examples: groups of 2, 2 and 1
    x, grad = rng.standard_normal((5, 2, 6, 6)), rng.standard_normal((5, 3, 4, 4))
    np.testing.assert_allclose(groups(x), whole(x), rtol=1e-12)
    np.testing.assert_allclose(groups.backward(grad), whole.backward(grad), rtol=1e-12)
    np.testing.assert_allclose(groups.W.grad, whole.W.grad, rtol=1e-12)


def test_memory_is_bounded(rng):
    conv = Conv2d(8, 2, 5).astype(np.float32)
    x = rng.standard_normal((200, 8, 20, 20)).astype(np.float32)
    all_columns = 200 * 8 * 25 * 16 * 16 * 4  # 41 MB, against 2.6 MB of input
    grad = conv(x)
    tracemalloc.start()
    conv(x)
    forward_peak = tracemalloc.get_traced_memory()[1]
    conv.backward(grad)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert forward_peak < 2 * conv.max_column_bytes
    assert peak < x.nbytes + 3 * conv.max_column_bytes < all_columns / 2


def test_a_small_convolutional_network(rng):
    np.random.seed(1)
    model = Sequential(Conv2d(1, 2, 3, padding=1), ReLU(), MaxPool2d(2), Conv2d(2, 3, 2), ReLU(), AvgPool2d(2),
                       Flatten(), Linear(3, 4))
    for param in model.parameters():
        param.data = rng.standard_normal(param.data.shape)
    x, labels, loss = rng.standard_normal((2, 1, 6, 6)), np.eye(4)[[3, 1]], CrossEntropyLoss()
    loss(model(x), labels)
    model.backward(loss.backward())
    assert [path for path, _ in model.named_parameters()][:2] == ["Sequential[0].W", "Sequential[0].b"]
    for path, param in model.named_parameters():
        expected = numeric_gradient(lambda: loss(model(x), labels), param.data)
        np.testing.assert_allclose(param.grad, expected, rtol=1e-5, atol=1e-8, err_msg=path)


def test_precision(rng):
    conv = Conv2d(1, 2, 3)
    x = rng.standard_normal((2, 1, 4, 4)).astype(np.float32)
    for layer in (conv, conv.astype(np.float32)):
        z = layer(x)
        assert z.dtype == layer.backward(z).dtype == np.float32
    assert conv(np.ones((1, 1, 4, 4), dtype=int)).dtype == np.float64


def test_without_bias(rng):
    conv = Conv2d(1, 2, 3, bias=False)
    assert len(conv.parameters()) == 1
    np.testing.assert_array_equal(conv(np.zeros((1, 1, 4, 4))), np.zeros((1, 2, 2, 2)))


@pytest.mark.parametrize("shape, sentence", [
    ((2, 4, 4, 3), "channels came last"), ((2, 1, 4, 4), "expects 3 channels"), ((3, 4, 4), "4 dimensions"),
    ((2, 48), "x.reshape"), ((0, 3, 4, 4), "empty"), ((2, 3, 2, 4), "doesn't fit")])
def test_wrong_inputs_get_a_sentence(shape, sentence):
    with pytest.raises(ValueError, match=sentence):
        Conv2d(3, 2, 3)(np.zeros(shape))


def test_wrong_calls_get_a_sentence():
    conv = Conv2d(1, 2, 3)
    with pytest.raises(AssertionError, match="before forward"):
        conv.backward(np.ones((1, 2, 2, 2)))
    conv(np.ones((1, 1, 4, 4)))
    with pytest.raises(ValueError, match=r"\(1, 2, 2, 2\)"):
        conv.backward(np.ones((1, 2, 4, 4)))
    conv.W.grad = None
    with pytest.raises(AssertionError, match="zero_grad"):
        conv.backward(np.ones((1, 2, 2, 2)))
    for arguments in ((0, 1, 3), (1, 1.5, 3), (1, 1, 0), (1, 1, (3, 3, 3)), (1, 1, 3, 0), (1, 1, 3, 1, -1)):
        with pytest.raises(ValueError, match="Conv2d expects"):
            Conv2d(*arguments)


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
