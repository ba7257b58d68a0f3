"""Images in a grid, drawn with Matplotlib."""
from __future__ import annotations

from typing import Any

import numpy as np

from lib.inspection.figures.base import panel_grid, show
from lib.validation import InputError, as_float, require_size


def plot_data(data: np.ndarray, rows: int = 5, cols: int = 4, plot_border: bool = True, title: str = "") -> Any:
    """Draw the first rows * cols images in a grid; works without a screen.

    All images share one scale of greys; three channels are red, green and blue, from 0 to 1.

    Args:
        data: images, (n, channels, height, width), with one channel or three.
        rows, cols: of the grid; with fewer images, the last places stay empty.
        plot_border: whether to draw a frame around each image.
        title: above the whole.

    Returns:
        The figure.
    """
    require_size("rows", rows, "plot_data")
    require_size("cols", cols, "plot_data")
    data = as_float(data, "plot_data")
    if data.ndim != 4 or not data.size or data.shape[1] not in (1, 3):
        raise InputError("plot_data expects images of shape (n, channels, height, width) with 1 or 3 channels, but got "
                         f"shape {data.shape}.")
    images = data[:rows * cols].transpose(0, 2, 3, 1)
    figure, panels = panel_grid(rows * cols, columns=cols, width=1.2, height=1.2)
    finite = images[np.isfinite(images)]
    low, high = (finite.min(), finite.max()) if finite.size else (0, 1)
    for i, axes in enumerate(panels):
        axes.set(xticks=[], yticks=[])
        if i >= len(images):
            axes.set_axis_off()
            continue
        if images.shape[-1] == 1:
            axes.imshow(images[i, :, :, 0], cmap="gray", vmin=low, vmax=high)
        else:
            axes.imshow(np.clip(images[i], 0, 1))
        axes.set_frame_on(plot_border)
    if title:
        figure.suptitle(title)
    return show(figure)
