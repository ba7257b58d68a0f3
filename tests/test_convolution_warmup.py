"""The steps towards a convolution, against plain loops and Conv2d."""
from __future__ import annotations

import numpy as np
import pytest

from lib.convolution_warmup import (dot_product_multiple_filters_with_batches, dot_product_single_filter,
                                    dot_product_single_filter_with_batches, pad_array)
from lib.convolutions import Conv2d


def single_by_loops(X, F, index):
    total = 0.0
    for k, i, j in np.ndindex(F.shape):
        total += X[k, index[0] + i, index[1] + j] * F[k, i, j]
    return total


def test_pad_array(rng):
    X = rng.standard_normal((2, 3, 4, 5))
    padded = pad_array(X, (1, 2))
    assert padded.shape == (2, 3, 6, 9)
    np.testing.assert_array_equal(padded[:, :, 1:5, 2:7], X)
    assert padded.sum() == pytest.approx(X.sum()) and (padded != 0).sum() == X.size
    unchanged = pad_array(X, (0, 0))
    np.testing.assert_array_equal(unchanged, X)
    assert not np.shares_memory(unchanged, X)


@pytest.mark.parametrize("index", [(0, 0), (2, 1), (3, 3)])  # the last one touches the border
def test_one_filter_on_one_image(rng, index):
    X, F = rng.standard_normal((3, 5, 7)), rng.standard_normal((3, 2, 4))
    found = dot_product_single_filter(X, F, index)
    assert isinstance(found, float) and found == pytest.approx(single_by_loops(X, F, index))


@pytest.mark.parametrize("batch, n_filters", [(4, 3), (1, 1), (2, 2)])
def test_batches_and_several_filters(rng, batch, n_filters):
    X, filters = rng.standard_normal((batch, 2, 6, 5)), rng.standard_normal((n_filters, 2, 3, 3))
    index = (2, 1)
    expected = [[single_by_loops(image, F, index) for F in filters] for image in X]
    found = dot_product_multiple_filters_with_batches(X, filters, index)
    assert found.shape == (batch, n_filters)
    np.testing.assert_allclose(found, expected)
    one = dot_product_single_filter_with_batches(X, filters[0], index)
    assert one.shape == (batch,)
    np.testing.assert_allclose(one, np.array(expected)[:, 0])


def test_all_places_together_are_a_convolution(rng):
    conv = Conv2d(2, 4, (3, 2), (2, 1), (1, 0))
    X = rng.standard_normal((3, 2, 6, 5))
    z = conv(X)
    padded = pad_array(X, (1, 0))
    for r, c in np.ndindex(z.shape[2:]):
        found = dot_product_multiple_filters_with_batches(padded, conv.W.data, (2 * r, c))
        np.testing.assert_allclose(found, z[:, :, r, c])  # its biases are zeros


X, F = np.ones((2, 3, 4, 5)), np.ones((3, 2, 2))


@pytest.mark.parametrize("call, message", [
    (lambda: pad_array(X[0], (1, 1)), "batch, channels, height, width"),
    (lambda: pad_array(X, 1), "two numbers"),
    (lambda: pad_array(X, (1, -1)), "least 0"),
    (lambda: dot_product_single_filter(X, F, (0, 0)), r"channels, height, width\), but got shape \(2, 3, 4, 5\)"),
    (lambda: dot_product_single_filter(X[0], F[:2], (0, 0)), "as many channels"),
    (lambda: dot_product_single_filter(X[0], F, (3, 0)), "goes beyond the image of 4 x 5"),
    (lambda: dot_product_single_filter(X[0], F, (0, -1)), "least 0"),
    (lambda: dot_product_single_filter_with_batches(X, F, 3), "row, column"),
    (lambda: dot_product_single_filter_with_batches(X[0], F, (0, 0)), "batch, channels"),
    (lambda: dot_product_multiple_filters_with_batches(X, F, (0, 0)), "n_filters"),
])
def test_what_doesnt_fit_gets_a_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
