"""MaxPool2d and AvgPool2d against plain loops and finite differences."""
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.layers.pooling import AvgPool2d, MaxPool2d
from tests.finite_differences import assert_backward_is_right

POOLS = [MaxPool2d, AvgPool2d]


def pool(x, kernel, stride, padding, reduce, filler):
    """The definition, one output pixel at a time."""
    (kh, kw), (sh, sw), (ph, pw) = kernel, stride, padding
    x = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)), constant_values=filler)
    y = np.zeros(x.shape[:2] + ((x.shape[2] - kh) // sh + 1, (x.shape[3] - kw) // sw + 1))
    for n, k, r, c in np.ndindex(y.shape):
        y[n, k, r, c] = reduce(x[n, k, r * sh:r * sh + kh, c * sw:c * sw + kw])
    return y


@settings(max_examples=20, deadline=None)
@given(data=st.data(), kernel=st.tuples(st.integers(1, 3), st.integers(1, 3)),
       stride=st.tuples(st.integers(1, 3), st.integers(1, 3)), seed=st.integers(0, 2 ** 16))
def test_forward_is_the_definition(data, kernel, stride, seed):
    padding = tuple(data.draw(st.integers(0, size // 2)) for size in kernel)
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((2, 2, rng.integers(3, 7), rng.integers(3, 7)))
    np.testing.assert_allclose(MaxPool2d(kernel, stride, padding)(x), pool(x, kernel, stride, padding, np.max, -np.inf))
    np.testing.assert_allclose(AvgPool2d(kernel, stride, padding)(x), pool(x, kernel, stride, padding, np.mean, 0))


@pytest.mark.parametrize("pool_class", POOLS)
@pytest.mark.parametrize("kernel, stride, padding", [
    (2, None, 0), ((2, 3), None, 0), (3, 1, 0), ((3, 2), (1, 2), 1), (2, 3, 0), (1, 2, 0)])
def test_finite_differences(rng, pool_class, kernel, stride, padding):
    layer = pool_class(kernel, stride, padding)
    assert_backward_is_right(layer, (rng.permutation(60).reshape(2, 1, 6, 5) / 10,))


@pytest.mark.parametrize("pool_class", POOLS)
@pytest.mark.parametrize("number", range(2))
def test_examples(rng, pool_class, number):
    layer, inputs = pool_class.examples(rng)[number]
    assert_backward_is_right(layer, inputs)
    layer.check_gradients(inputs)


def test_known_values():
    x = np.array([[[[1.0, 2.0, 5.0], [4.0, 3.0, 6.0], [9.0, 9.0, 9.0]]]])
    highest, mean = MaxPool2d(2), AvgPool2d(2)
    assert highest(x).tolist() == [[[[4.0]]]]  # the last row and column fill no window
    assert mean(x).tolist() == [[[[2.5]]]]
    assert highest.backward(np.array([[[[8.0]]]])).tolist() == [[[[0.0, 0.0, 0.0], [8.0, 0.0, 0.0], [0.0, 0.0, 0.0]]]]
    assert mean.backward(np.array([[[[8.0]]]])).tolist() == [[[[2.0, 2.0, 0.0], [2.0, 2.0, 0.0], [0.0, 0.0, 0.0]]]]


def test_the_first_of_several_maxima_gets_the_gradient():
    layer = MaxPool2d(2)
    layer(np.zeros((1, 1, 2, 4)))
    assert layer.backward(np.array([[[[3.0, 5.0]]]])).tolist() == [[[[3.0, 0.0, 5.0, 0.0], [0.0, 0.0, 0.0, 0.0]]]]


def test_overlapping_windows_add_up():
    layer = MaxPool2d(2, stride=1)
    layer(np.array([[[[0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]]]))
    assert layer.backward(np.array([[[[3.0, 5.0]]]])).tolist() == [[[[0.0, 8.0, 0.0], [0.0, 0.0, 0.0]]]]


def test_padding_never_wins():
    layer = MaxPool2d(3, stride=1, padding=1)
    x = -np.arange(1.0, 5.0).reshape(1, 1, 2, 2)
    assert layer(x).max() == -1
    assert layer.backward(np.ones((1, 1, 2, 2))).sum() == 4


def test_not_a_number_is_never_hidden():
    assert np.isnan(MaxPool2d(2)(np.array([[[[1.0, np.nan], [2.0, 3.0]]]]))).all()


@pytest.mark.parametrize("pool_class", POOLS)
def test_precision_and_arguments(rng, pool_class):
    layer = pool_class(2)
    x = rng.standard_normal((1, 2, 4, 4)).astype(np.float32)
    y = layer(x)
    before = x.copy(), y.copy()
    assert y.dtype == layer.backward(y).dtype == np.float32
    np.testing.assert_array_equal(x, before[0])
    np.testing.assert_array_equal(y, before[1])
    assert layer(np.ones((1, 1, 2, 2), dtype=int)).dtype == np.float64


@pytest.mark.parametrize("pool_class", POOLS)
def test_wrong_calls_get_a_sentence(pool_class):
    layer = pool_class(3)
    with pytest.raises(AssertionError, match="before forward"):
        layer.backward(np.ones((1, 1, 1, 1)))
    with pytest.raises(ValueError, match="4 dimensions"):
        layer(np.ones((3, 3)))
    with pytest.raises(ValueError, match="doesn't fit"):
        layer(np.ones((1, 1, 2, 3)))
    layer(np.ones((1, 1, 6, 6)))
    with pytest.raises(ValueError, match=r"\(1, 1, 2, 2\)"):
        layer.backward(np.ones((1, 1, 1, 1)))
    with pytest.raises(ValueError, match="half"):
        pool_class(2, padding=2)


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
