"""MNIST: the canonical files, the splits, the four resolutions in both ways, and pairs of digits."""
from __future__ import annotations

import hashlib
import struct

import numpy as np
import pytest

from lib.data.mnist import block_means, load_mnist, load_mnist_pair, resize, sample_bilinearly
from lib.dataset_mnist import load_mnist_data

CANONICAL_MD5 = ["6bbc9ace898e44ae57da46a324031adb", "a25bea736e30d166cdddb491f175f624",
                 "2646ac647ad5339dbf082846283269ea", "27ae3e4e09519cfbb04c329615203637"]


@pytest.mark.parametrize("i", range(4), ids=["x_train", "y_train", "x_test", "y_test"])
def test_values_are_those_of_the_canonical_files(i):
    """In the IDX format, a header stands before the bytes: 2048 + dimensions, then the size of each, big-endian."""
    array = load_mnist()[i]
    header = struct.pack(f">{1 + array.ndim}i", 2048 + array.ndim, *array.shape)
    assert hashlib.md5(header + array.tobytes()).hexdigest() == CANONICAL_MD5[i]


def test_raw_data_are_bytes_that_are_read_once_and_cant_be_spoilt():
    arrays = load_mnist()
    assert [array.shape for array in arrays] == [(60000, 28, 28), (60000,), (10000, 28, 28), (10000,)]
    assert all(array.dtype == np.uint8 for array in arrays)
    assert arrays[1][:5].tolist() == [5, 0, 4, 1, 9] and arrays[3][:5].tolist() == [7, 2, 1, 0, 4]
    assert load_mnist()[0] is arrays[0]
    with pytest.raises(ValueError):
        arrays[0][0] = 0


def test_six_arrays_for_training():
    x_train, x_val, x_test, y_train, y_val, y_test = load_mnist_data()
    assert x_train.shape == (50000, 784) and x_val.shape == x_test.shape == (10000, 784)
    assert y_train.shape == (50000, 10) and y_val.shape == y_test.shape == (10000, 10)
    assert x_train.dtype.kind == y_train.dtype.kind == "f"
    assert x_train.min() == 0 and x_train.max() == 1
    images, digits, test_images, test_digits = load_mnist()
    np.testing.assert_allclose(255 * x_val[-1], images[-1].ravel(), atol=1e-4)
    np.testing.assert_allclose(255 * x_test[7], test_images[7].ravel(), atol=1e-4)
    for y in (y_train, y_val, y_test):
        assert np.array_equal(y.sum(axis=1), np.ones(len(y)))
    assert np.array_equal(y_train.argmax(axis=1), digits[:50000])
    assert np.array_equal(y_val.argmax(axis=1), digits[50000:])
    assert np.array_equal(y_test.argmax(axis=1), test_digits)


def test_options():
    x_train, x_val, x_test, y_train, y_val, _ = load_mnist_data(resolution=4, flatten=False, one_hot=False,
                                                                dtype=np.float64, num_validation=100)
    assert x_train.shape == (59900, 1, 4, 4) and x_val.shape == (100, 1, 4, 4) and x_test.dtype == np.float64
    assert y_train.shape == (59900,) and y_train.dtype.kind == "i" and y_train[:3].tolist() == [5, 0, 4]
    assert len(load_mnist_data(resolution=1, num_validation=0)[1]) == 0


@pytest.mark.parametrize("resolution", [28, 8, 4, 1])
@pytest.mark.parametrize("method", ["sheet", "block"])
def test_flattened_is_the_image_row_by_row(resolution, method):
    images = load_mnist()[0][:5]
    image = resize(images, resolution, method, flatten=False, dtype=np.float64)
    assert image.shape == (5, 1, resolution, resolution)
    assert np.array_equal(resize(images, resolution, method, dtype=np.float64), image.reshape(5, -1))
    assert 0 <= image.min() <= image.max() <= 1


def random_images(n=3):
    return np.random.default_rng(0).integers(0, 256, (n, 28, 28)).astype(np.uint8)


def test_1x1_is_the_mean_in_both_ways():
    images = random_images()
    for method in ("sheet", "block"):
        found = resize(images, 1, method, dtype=np.float64)
        np.testing.assert_allclose(found, images.reshape(3, -1).mean(axis=1, keepdims=True) / 255, rtol=1e-14)


def test_4x4():
    images = random_images()
    found = resize(images, 4, "sheet", flatten=False, dtype=np.float64)
    assert np.array_equal(found[:, 0], images[:, 3::7, 3::7] / 255)
    found = resize(images, 4, "block", flatten=False, dtype=np.float64)
    assert found[1, 0, 2, 3] == pytest.approx(images[1, 14:21, 21:28].mean() / 255, rel=1e-14)


def test_8x8_block_means_of_the_padded_image():
    images = random_images()
    found = resize(images, 8, "block", flatten=False, dtype=np.float64)
    assert found[1, 0, 0, 0] == pytest.approx(images[1, 0:2, 0:2].sum() / 16 / 255, rel=1e-14)
    assert found[2, 0, 3, 7] == pytest.approx(images[2, 10:14, 26:28].sum() / 16 / 255, rel=1e-14)
    assert found.sum(axis=(1, 2, 3)) == pytest.approx(images.sum(axis=(1, 2)) / 16 / 255, rel=1e-12)


def test_8x8_in_the_sheets_way_by_hand():
    images = random_images()
    found = resize(images, 8, "sheet", flatten=False, dtype=np.float64)
    # output (2, 5) is at row 8.25 and column 18.75
    pixels = images[1].astype(float)
    above = 0.25 * pixels[8, 18] + 0.75 * pixels[8, 19]
    below = 0.25 * pixels[9, 18] + 0.75 * pixels[9, 19]
    assert found[1, 0, 2, 5] == pytest.approx((0.75 * above + 0.25 * below) / 255, rel=1e-13)


def test_8x8_and_4x4_in_the_sheets_way_equal_bilinear_resizing():
    torch = pytest.importorskip("torch", reason="its interpolation is the reference here")
    images = random_images()
    tensor = torch.tensor(images / 255.0)[:, np.newaxis]
    for resolution in (8, 4):
        theirs = torch.nn.functional.interpolate(tensor, size=resolution, mode="bilinear", align_corners=False)
        ours = resize(images, resolution, "sheet", flatten=False, dtype=np.float64)
        np.testing.assert_allclose(ours, theirs.numpy(), atol=1e-12)


def test_bilinear_sampling_is_exact_on_a_plane():
    rows, columns = np.mgrid[:28, :28]
    positions = np.array([0.0, 1.25, 26.9])
    found = sample_bilinearly((2.0 * rows - 3.0 * columns)[np.newaxis], positions)
    np.testing.assert_allclose(found[0], 2 * positions[:, np.newaxis] - 3 * positions, atol=1e-12)


def test_block_means_dont_overflow():
    assert block_means(np.full((1, 28, 28), 255, dtype=np.uint8), size=28).tolist() == [[[255.0]]]


def test_one_against_eight():
    x_train, y_train, x_test, y_test = load_mnist_pair(1, 8, resolution=4)
    assert x_train.shape == (12593, 16) and x_test.shape == (2109, 16)
    images, digits, _, test_digits = load_mnist()
    chosen, test_chosen = np.isin(digits, [1, 8]), np.isin(test_digits, [1, 8])
    assert np.array_equal(y_train, digits[chosen] == 8)
    assert np.array_equal(y_test, test_digits[test_chosen] == 8)
    np.testing.assert_allclose(x_train[100], images[chosen][100, 3::7, 3::7].ravel() / 255.0, atol=1e-6)


def test_the_second_digit_is_class_one():
    _, y_train, _, y_test = load_mnist_pair(8, 1, resolution=1, one_hot=True)
    assert y_train.shape == (12593, 2) and y_test.shape == (2109, 2)
    assert y_train[:, 1].sum() == (load_mnist()[1] == 1).sum()


@pytest.mark.parametrize("call, message", [
    (lambda: load_mnist_data(resolution=14), "resolution"),
    (lambda: load_mnist_data(method="blocks"), "'sheet', 'block'"),
    (lambda: load_mnist_data(num_validation=60000), "none would be left"),
    (lambda: load_mnist_data(num_validation=-1), "num_validation"),
    (lambda: load_mnist_pair(1, 1), "different"),
    (lambda: load_mnist_pair(1, 10), "b to be one of"),
    (lambda: resize(np.zeros((2, 784), dtype=np.uint8), 4), r"\(2, 784\)"),
    (lambda: resize(np.zeros((2, 28, 28)), 4), "float64"),
])
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
