"""Images in a grid: lib.plot_images, read back from the figure."""
from __future__ import annotations

import numpy as np
import pytest

from lib.inspection.figures.base import pyplot
from lib.plot_images import plot_data

pytest.importorskip("matplotlib", reason="the pictures are drawn by Matplotlib")


@pytest.fixture(autouse=True)
def close_figures():
    yield
    pyplot().close("all")


def shown(figure):
    return [np.asarray(axes.images[0].get_array()) for axes in figure.axes if axes.images]


def test_the_first_images_of_a_grid():
    data = np.random.rand(30, 1, 4, 6)
    figure = plot_data(data)
    assert len(figure.axes) == 20
    np.testing.assert_array_equal(shown(figure), data[:20, 0])
    assert len({image.get_clim() for axes in figure.axes for image in axes.images}) == 1  # one scale for all
    assert all(axes.get_frame_on() for axes in figure.axes) and not figure.texts


def test_fewer_images_colours_title_and_no_border():
    data = np.random.rand(3, 3, 4, 6)
    figure = plot_data(data, rows=2, cols=2, plot_border=False, title="three")
    np.testing.assert_allclose(shown(figure), data.transpose(0, 2, 3, 1))
    assert len(figure.axes) == 4 and not figure.axes[3].axison
    assert not any(axes.get_frame_on() for axes in figure.axes[:3]) and figure.texts[-1].get_text() == "three"


def test_numbers_that_are_bytes_nan_or_all_the_same_are_drawn():
    for data in (np.full((2, 1, 3, 3), 255, dtype=np.uint8), np.full((1, 1, 3, 3), np.nan), np.zeros((1, 1, 2, 2))):
        plot_data(data, 1, 2).canvas.draw()


@pytest.mark.parametrize("data", [np.ones((4, 6)), np.ones((3, 4, 6)), np.ones((3, 2, 4, 6)), np.ones((0, 1, 2, 2))])
def test_what_are_no_images(data):
    with pytest.raises(ValueError, match="n, channels, height, width"):
        plot_data(data)
    with pytest.raises(ValueError, match="rows"):
        plot_data(np.ones((1, 1, 2, 2)), rows=0)


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
