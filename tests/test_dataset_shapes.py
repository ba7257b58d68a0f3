"""The classes in the plane: sizes, labels, shapes, and that a straight line doesn't separate them."""
from __future__ import annotations

import numpy as np
import pytest

from lib.data.shapes import make_circles, make_moons, make_spirals

MAKERS = [make_spirals, make_moons, make_circles]


def make(maker, **arguments):
    return maker(rng=np.random.default_rng(0), **arguments)


@pytest.mark.parametrize("maker", MAKERS)
def test_shapes_and_classes(maker):
    x, y = make(maker, num_points=121)
    assert x.shape == (121, 2) and y.shape == (121,) and y.dtype.kind == "i"
    sizes = np.bincount(y)
    assert sizes.sum() == 121 and sizes.max() - sizes.min() <= 1


@pytest.mark.parametrize("maker", MAKERS)
def test_repeatable(maker):
    x, _ = make(maker)
    assert np.array_equal(x, make(maker)[0])
    np.random.seed(3)
    a = maker()[0]
    np.random.seed(3)
    assert np.array_equal(a, maker()[0]) and not np.array_equal(a, maker()[0])


@pytest.mark.parametrize("maker", MAKERS)
def test_nearest_neighbour_separates_the_classes_but_no_straight_line_does(maker):
    x, y = make(maker, num_points=300, noise=0.02)
    distance = np.linalg.norm(x[:, np.newaxis] - x, axis=2) + np.diag(np.full(300, np.inf))
    assert np.mean(y[distance.argmin(axis=1)] == y) > 0.97
    features = np.column_stack([x, np.ones(300)])
    one_hot = np.eye(y.max() + 1)[y]
    linear = features @ np.linalg.lstsq(features, one_hot, rcond=None)[0]
    assert np.mean(linear.argmax(axis=1) == y) < 0.92


def test_circles_have_their_radii_without_noise():
    x, y = make(make_circles, radii=(3.0, 2.0, 1.0), noise=0)
    assert np.linalg.norm(x, axis=1) == pytest.approx(np.array([3.0, 2.0, 1.0])[y])


def test_moons_are_half_circles_without_noise():
    x, y = make(make_moons, noise=0)
    centres = np.array([[0.0, 0.0], [1.0, 0.5]])
    assert np.linalg.norm(x - centres[y], axis=1) == pytest.approx(np.ones(200))
    assert (x[y == 0, 1] > -1e-12).all() and (x[y == 1, 1] < 0.5 + 1e-12).all()


def test_spirals_are_turned_copies_of_each_other():
    x, y = make(make_spirals, num_points=40, num_classes=4, noise=0)
    quarter = np.array([[0.0, 1.0], [-1.0, 0.0]])
    for k in range(3):
        np.testing.assert_allclose(x[y == k] @ quarter, x[y == k + 1], atol=1e-12)


@pytest.mark.parametrize("call, message", [
    (lambda: make_spirals(num_classes=1), "number of classes"),
    (lambda: make_spirals(num_points=2), "num_points"),
    (lambda: make_moons(noise=-1), "noise"),
    (lambda: make_circles(radii=(1.0, -1.0)), "radius"),
])
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
