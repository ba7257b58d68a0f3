"""Sheet 6, convolutions: what its files must do, whoever wrote them. Nothing beyond the sheet is asked for."""
from __future__ import annotations

import numpy as np
import pytest

from lib.convolution_warmup import (dot_product_multiple_filters_with_batches, dot_product_single_filter,
                                    dot_product_single_filter_with_batches, pad_array)
from lib.convolutions import Conv2d, Flatten, calculate_conv_output
from lib.network import Linear, Sequential
from tests.finite_differences import numeric_gradient


def test_the_warm_up(rng):
    X, filters = rng.standard_normal((2, 3, 6, 5)), rng.standard_normal((4, 3, 2, 3))
    padded = pad_array(X, (1, 2))
    assert padded.shape == (2, 3, 8, 9)
    np.testing.assert_array_equal(padded[:, :, 1:-1, 2:-2], X)
    assert (padded != 0).sum() == X.size
    for r, c in ((0, 0), (3, 1), (4, 2)):
        expected = np.array([[(image[:, r:r + 2, c:c + 3] * F).sum() for F in filters] for image in X])
        assert dot_product_single_filter(X[0], filters[0], (r, c)) == pytest.approx(expected[0, 0])
        np.testing.assert_allclose(dot_product_single_filter_with_batches(X, filters[1], (r, c)), expected[:, 1])
        np.testing.assert_allclose(dot_product_multiple_filters_with_batches(X, filters, (r, c)), expected)


@pytest.mark.parametrize("arguments, expected", [
    (((28, 28), (5, 5), (1, 1), (0, 0)), (24, 24)), (((28, 28), (3, 3), (1, 1), (1, 1)), (28, 28)),
    (((28, 28), (5, 5), (2, 2), (0, 0)), (12, 12)), (((7, 10), (3, 2), (2, 3), (0, 1)), (3, 4))])
def test_calculate_conv_output(arguments, expected):
    assert tuple(calculate_conv_output(*arguments)) == expected


def test_the_parameters_of_a_convolution():
    np.random.seed(0)
    conv = Conv2d(2, 4, (3, 5))
    np.random.seed(0)
    np.testing.assert_allclose(conv.W.data, 0.1 * np.random.randn(4, 2, 3, 5))
    np.testing.assert_array_equal(conv.b.data, np.zeros((4, 1, 1)))
    assert [param.name for param in conv.parameters()] == ["conv_filter", "conv_bias"]


SETTINGS = [((2, 3, (3, 2)), (2, 2, 5, 4)), ((1, 2, (2, 2), (2, 2)), (3, 1, 4, 6)),
            ((3, 2, (3, 3), (2, 1), (1, 2)), (1, 3, 5, 4)), ((1, 1, (1, 1)), (1, 1, 1, 1))]


@pytest.mark.parametrize("arguments, shape", SETTINGS)
def test_a_convolution_and_its_gradients(arguments, shape, rng):
    conv = Conv2d(*arguments)
    for param in conv.parameters():
        param.data = rng.standard_normal(param.data.shape)
    (kh, kw), (sh, sw), (ph, pw) = (arguments + ((1, 1), (0, 0))[len(arguments) - 3:])[2:]
    x = rng.standard_normal(shape)
    z = conv(x)
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    np.testing.assert_array_equal(conv.input_cache, padded)
    for n, o, r, c in np.ndindex(z.shape):
        window = padded[n, :, r * sh:r * sh + kh, c * sw:c * sw + kw]
        assert z[n, o, r, c] == pytest.approx((window * conv.W.data[o]).sum() + conv.b.data[o, 0, 0])
    assert z.shape[2:] == tuple(calculate_conv_output(shape[2:], (kh, kw), (sh, sw), (ph, pw)))
    upstream = rng.standard_normal(z.shape)
    for param in conv.parameters():
        param.grad = np.zeros_like(param.data)
    gradients = [conv.backward(upstream)] + [param.grad for param in conv.parameters()]
    for array, gradient in zip([x] + [param.data for param in conv.parameters()], gradients):
        numeric = numeric_gradient(lambda: (conv(x) * upstream).sum(), array)
        np.testing.assert_allclose(gradient, numeric, rtol=1e-6, atol=1e-7)
    conv.check_gradients((x,))


def test_flatten(rng):
    x = rng.standard_normal((3, 2, 4, 5))
    flatten = Flatten()
    np.testing.assert_array_equal(flatten(x), x.reshape(3, 40))
    np.testing.assert_array_equal(flatten.backward(x.reshape(3, 40)), x)


def test_a_network_of_them(rng):
    model = Sequential(Conv2d(1, 2, (3, 3), (2, 2)), Flatten(), Linear(2 * 2 * 2, 3))
    x = rng.standard_normal((4, 1, 5, 5))
    assert model(x).shape == (4, 3)
    model.check_gradients((x,))


def test_plot_data(rng):
    pyplot = pytest.importorskip("matplotlib.pyplot", reason="the pictures are drawn by Matplotlib")
    from lib.plot_images import plot_data
    plot_data(rng.random((20, 1, 28, 28)))
    plot_data(rng.random((6, 1, 8, 8)), rows=2, cols=3, plot_border=False, title="six")
    pyplot.close("all")


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
