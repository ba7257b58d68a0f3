"""Windows that slide over images: the geometry that convolutions and pooling share.

A window of kernel_size (kh, kw) moves over an image in steps of stride (sh, sw). Counted from 0, the window at the
output position (r, c) starts at row r * sh and column c * sw of the padded image.
"""
from __future__ import annotations

from typing import Any, Iterator, Sequence, Tuple, Union

import numpy as np

from lib.validation import InputError, as_float, name_of, require_not_empty, require_size

Pair = Tuple[int, int]
IntOrPair = Union[int, Sequence[int]]


def as_pair(name: str, value: IntOrPair, who: Any, least: int = 1) -> Pair:
    """Return (vertical, horizontal); a single number stands for both.

    >>> as_pair("stride", 2, "Conv2d")
    (2, 2)
    """
    values = tuple(value) if np.ndim(value) and isinstance(value, (tuple, list, np.ndarray)) else (value, value)
    if len(values) != 2:
        raise InputError(f"{name_of(who)} expects {name} to be one number or two, (vertical, horizontal), "
                         f"but got {value!r}.")
    for number in values:
        require_size(name, number, who, least)
    return int(values[0]), int(values[1])


def num_windows(input_shape: Sequence[int], kernel_size: IntOrPair, stride: IntOrPair = 1,
                padding: IntOrPair = 0,
                who: Any = "calculate_conv_output") -> Pair:
    """Return the height and width of what a window yields: floor((size + 2 padding - kernel) / stride) + 1.

    That is the number of places where a window can start such that it lies in the padded image.

    >>> num_windows((28, 28), kernel_size=(5, 5), stride=(2, 2), padding=(1, 1))
    (13, 13)

    Args:
        input_shape: (height, width), or a shape that ends so, such as (batch, channels, height, width).
        kernel_size, stride, padding: (vertical, horizontal), or one number for both.

    Raises:
        InputError: the window is larger than the padded image.
    """
    if not isinstance(input_shape, (tuple, list, np.ndarray)) or len(np.atleast_1d(input_shape)) < 2:
        raise InputError(f"{name_of(who)} expects input_shape to end with the height and the width, "
                         f"but got {input_shape!r}.")
    for side in input_shape[-2:]:
        require_size("the sides of input_shape", side, who, least=0)
    size = int(input_shape[-2]), int(input_shape[-1])
    kernel = as_pair("kernel_size", kernel_size, who)
    step = as_pair("stride", stride, who)
    margin = as_pair("padding", padding, who, least=0)
    padded = size[0] + 2 * margin[0], size[1] + 2 * margin[1]
    if kernel[0] > padded[0] or kernel[1] > padded[1]:
        raise InputError(f"A window of kernel_size {kernel} doesn't fit into an image of {size[0]} x {size[1]} pixels "
                         f"with padding {margin}, that is {padded[0]} x {padded[1]} pixels. Use a smaller kernel, "
                         "more padding, or fewer pooling layers before this one.")
    return (padded[0] - kernel[0]) // step[0] + 1, (padded[1] - kernel[1]) // step[1] + 1


def checked_images(module: Any, x: Any, channels: Any = "channels") -> np.ndarray:
    """Return x as a float array (batch, channels, height, width), or raise a sentence that says how it isn't one."""
    x = as_float(x, module)
    if x.ndim != 4:
        advice = {2: "Restore the images first: x.reshape(len(x), 1, height, width).",
                  3: "Add an axis for the channel, x[:, np.newaxis], or, if this is one image, for the batch, "
                     "x[np.newaxis]."}.get(x.ndim, "")
        raise InputError(f"{module} expects images with 4 dimensions, (batch, {channels}, height, width), but got "
                         f"{x.ndim} dimensions: {x.shape}. {advice}".rstrip())
    require_not_empty(x, module)
    if channels != "channels" and x.shape[1] != channels:
        advice = ("It looks as if the channels came last: use x.transpose(0, 3, 1, 2)." if x.shape[3] == channels else
                  "Are this layer's in_channels the out_channels of the layer before it?")
        raise InputError(f"{module} expects {channels} channels, that is an input of shape (batch, {channels}, height, "
                         f"width), but got shape {x.shape} with {x.shape[1]} channels. {advice}")
    return x


def pad_images(x: np.ndarray, padding: Pair, value: float = 0.0) -> np.ndarray:
    """Return images with padding[0] rows above and below and padding[1] columns left and right, all set to value."""
    if padding == (0, 0):
        return x
    (vertical, horizontal), (height, width) = padding, x.shape[-2:]
    padded = np.full(x.shape[:-2] + (height + 2 * vertical, width + 2 * horizontal), value, dtype=x.dtype)
    padded[..., vertical:vertical + height, horizontal:horizontal + width] = x
    return padded


def unpad_images(padded: np.ndarray, padding: Pair) -> np.ndarray:
    """Return a view of the images inside the padding."""
    vertical, horizontal = padding
    return padded[..., vertical:padded.shape[-2] - vertical, horizontal:padded.shape[-1] - horizontal]


def window_offsets(kernel_size: Pair, stride: Pair, output_size: Pair) -> Iterator[Tuple[int, int, Any]]:
    """Yield (i, j, index) for each place inside a window, row by row.

    `images[index]` are the pixels that stand at the place (i, j) of all the windows, (..., out height, out width).

    >>> image = np.arange(16).reshape(4, 4)
    >>> [image[index].ravel().tolist() for i, j, index in window_offsets((1, 2), (2, 2), (2, 2))]
    [[0, 2, 8, 10], [1, 3, 9, 11]]
    """
    (kh, kw), (sh, sw), (oh, ow) = kernel_size, stride, output_size
    for i in range(kh):
        for j in range(kw):
            yield i, j, (Ellipsis, slice(i, i + sh * (oh - 1) + 1, sh), slice(j, j + sw * (ow - 1) + 1, sw))
