"""Sheet 6, convolutions: what its files must do, whoever wrote them. Nothing beyond the sheet is asked for."""
from __future__ import annotations

import re

import numpy as np
import pytest

from lib import experiments, plot_images
from lib.convolution_warmup import (dot_product_multiple_filters_with_batches, dot_product_single_filter,
                                    dot_product_single_filter_with_batches, pad_array)
from lib.convolutions import Conv2d, Flatten, calculate_conv_output
from lib.network import Linear, Sequential
from tests.digits import is_shifted, put_in_the_place_of_mnist, some_digits
from tests.drawings import drawing_of, pixels
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


@pytest.mark.parametrize("settings, shown", [({}, 20), ({"rows": 2, "cols": 3, "title": "six images"}, 6),
                                             ({"rows": 3, "cols": 2, "plot_border": False}, 6)])
def test_plot_data(settings, shown, rng):
    data = rng.random((25, 1, 9, 7))
    drawing = drawing_of(plot_images.plot_data, data, **settings)
    pictures = [np.squeeze(picture) for picture in drawing.pictures]
    if len(pictures) == 1:  # all of them in one large picture
        places = [place_of(image[0], pictures[0]) for image in data[:shown]]
        assert None not in places and places == sorted(places) and place_of(data[shown, 0], pictures[0]) is None
    else:
        assert len(pictures) == shown, f"{shown} images are expected, one for each place of the grid"
        for picture, image in zip(pictures, data):
            np.testing.assert_allclose(picture, image[0])
    assert settings.get("title", "") in " ".join(drawing.words)


def place_of(image, picture):
    """Return where an image stands in a larger picture, (row, column), or None."""
    height, width = image.shape
    corners = np.argwhere(picture[:picture.shape[0] - height + 1, :picture.shape[1] - width + 1] == image[0, 0])
    whole = (corner for corner in corners.tolist()
             if np.array_equal(picture[corner[0]:corner[0] + height, corner[1]:corner[1] + width], image))
    return next(whole, None)


def test_a_border_can_be_seen(rng):
    data = rng.random((4, 1, 9, 7))
    with_border, without = (pixels(drawing_of(plot_images.plot_data, data, 2, 2, plot_border))
                            for plot_border in (True, False))
    assert with_border != without


@pytest.mark.parametrize("is_shifted_experiment", [False, True])
def test_the_experiments_compare_a_convolutional_with_a_linear_network(is_shifted_experiment, monkeypatch, capsys):
    digits = some_digits()
    seen = {Conv2d: [], Linear: []}  # the images that come to a first layer
    layers = {}

    def recording(cls, forward):
        def record(self, x):
            layers.setdefault(self, self.W.data.copy())
            if np.size(x) == 784 * len(x):
                seen[cls].append(np.array(x).reshape(len(x), 784))
            return forward(self, x)
        return record

    for cls in seen:
        monkeypatch.setattr(cls, "forward", recording(cls, cls.forward))
    put_in_the_place_of_mnist(monkeypatch, digits)
    experiment = experiments.run_shifted_conv_experiment if is_shifted_experiment else experiments.run_conv_experiment
    result = experiment()
    printed = [line for line in capsys.readouterr().out.splitlines() if re.search(r"\d", line)]
    assert result is not None or any(not line.startswith("epoch") for line in printed), "where are the accuracies?"
    for cls, images in seen.items():
        assert images, f"no network has a {cls.__name__} as its first layer"
        moved = is_shifted(np.concatenate(images).astype(np.float32), np.concatenate(digits[:3]))
        assert moved.any() == is_shifted_experiment, f"{moved.sum()} images that come to the {cls.__name__} are shifted"
    assert all(np.any(layer.W.data != start) for layer, start in layers.items()), "a layer's weights never changed"


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
