"""Convolutions: the same small window of weights looks at every place of an image.

The layers of a convolutional network are all to be had from here, pooling and Flatten included.
"""
from __future__ import annotations

from typing import Any, Iterator, List, Optional, Sequence, Tuple

import numpy as np

from lib.layers.windows import (IntOrPair, Pair, as_pair, checked_images, num_windows, pad_images, unpad_images,
                                window_offsets)
from lib.network_base import Module, Parameter
from lib.validation import (InputError, checked_elementwise, checked_upstream, random_source, require_choice,
                            require_forward, require_gradients, require_size)


def calculate_conv_output(input_shape: Sequence[int], kernel_size: IntOrPair, stride: IntOrPair = 1,
                          padding: IntOrPair = 0) -> Pair:
    """Return the height and width of what a convolution yields: floor((size + 2 padding - kernel) / stride) + 1.

    >>> calculate_conv_output((28, 28), kernel_size=(5, 5), stride=(2, 2), padding=(1, 1))
    (13, 13)

    Args:
        input_shape: (height, width), or a shape that ends so, such as (batch, channels, height, width).
        kernel_size, stride, padding: (vertical, horizontal), or one number for both.

    Raises:
        InputError: the kernel is larger than the padded image.
    """
    return num_windows(input_shape, kernel_size, stride, padding)


class Conv2d(Module):
    """A two-dimensional convolution: each output pixel is a weighted sum over a window of the input.

    z[n, o, r, c] = b[o] + sum_{k, i, j} W[o, k, i, j] x[n, k, r * sh + i, c * sw + j], with x padded by zeros.

    (As everywhere in the field, W isn't flipped: strictly speaking, this is a cross-correlation.) Every window laid
    out as a column, with all columns side by side, makes the sums one matrix product: z = W columns + b, for the
    matrices W (out, in * kh * kw), columns (in * kh * kw, batch * out height * out width).

    The chain rule, with grad = dL/dz in the shape (out, batch * out height * out width), gives as for Linear
        dL/dW = grad columns^T,   dL/db = the row sums of grad,   dL/dcolumns = W^T grad.
    A pixel stands in several columns, as often as windows cover it: its gradient is the sum of all theirs.

    Shapes: x (batch, in, height, width), W (out, in, kh, kw), b (out, 1, 1), z (batch, out, out height, out width).

    Args:
        in_channels: the number of channels of x.
        out_channels: the number of channels of z.
        kernel_size: (kh, kw), or one number for both; so are stride and padding.
        stride: the steps in which the window moves.
        padding: the rows and columns of zeros on each side of x.
        bias: whether b is trained; without, it is a constant Parameter of zeros, which parameters() leaves out.
        rng: draws W, 0.1 * N(0, 1); NumPy's global random state when it isn't given.

    Source: Y. LeCun, L. Bottou, Y. Bengio, P. Haffner: Gradient-based learning applied to document recognition, 1998.
    """

    max_column_bytes = 4 * 2 ** 20  # the batch is cut into groups with columns of at most this size: it fits a cache

    def __init__(self, in_channels: int, out_channels: int, kernel_size: IntOrPair, stride: IntOrPair = (1, 1),
                 padding: IntOrPair = (0, 0), bias: bool = True, rng: Optional[np.random.Generator] = None) -> None:
        require_size("in_channels", in_channels, self)
        require_size("out_channels", out_channels, self)
        self.in_channels, self.out_channels = int(in_channels), int(out_channels)
        self.kernel_size = as_pair("kernel_size", kernel_size, self)
        self.stride = as_pair("stride", stride, self)
        self.padding = as_pair("padding", padding, self, least=0)
        shape = (self.out_channels, self.in_channels) + self.kernel_size
        self.W = Parameter(0.1 * random_source(rng, self).standard_normal(shape), name="conv_filter")
        require_choice("bias", bias, (True, False), self)
        self.b = Parameter(np.zeros((self.out_channels, 1, 1)), name="conv_bias", constant=not bias)

    def parameters(self) -> List[Parameter]:
        return [parameter for parameter in (self.W, self.b) if not parameter.constant]

    def forward(self, x: np.ndarray) -> np.ndarray:
        x = checked_images(self, x, self.in_channels)
        out_height, out_width = calculate_conv_output(x.shape, self.kernel_size, self.stride, self.padding)
        padded = pad_images(x, self.padding)
        self.input_cache = padded
        weights = self.W.data.reshape(self.out_channels, -1)
        z = np.empty((len(x), self.out_channels, out_height, out_width), dtype=x.dtype)
        for group in self._groups(z.shape):
            sums = weights @ self._columns(padded[group]) + self.b.data.reshape(-1, 1)
            z[group] = sums.reshape(self.out_channels, -1, out_height, out_width).swapaxes(0, 1)
        return z

    def backward(self, grad: np.ndarray) -> np.ndarray:
        grad = self._checked_upstream(grad)
        padded = self.input_cache
        weights = self.W.data.reshape(self.out_channels, -1)
        grad_weights = np.zeros_like(weights)
        grad_padded = np.zeros_like(padded)
        for group in self._groups(grad.shape):
            grad_group = grad[group].swapaxes(0, 1).reshape(self.out_channels, -1)
            grad_weights += grad_group @ self._columns(padded[group]).T
            self._add_columns(grad_padded[group], weights.T @ grad_group, grad.shape[2:])
        self.W.grad += grad_weights.reshape(self.W.data.shape)
        self.b.grad += grad.sum(axis=(0, 2, 3)).reshape(self.b.data.shape)
        return unpad_images(grad_padded, self.padding)

    def _columns(self, padded: np.ndarray) -> np.ndarray:
        """Return every window of the padded images as a column: (in * kh * kw, batch * out height * out width)."""
        windows = np.lib.stride_tricks.sliding_window_view(padded, self.kernel_size, axis=(2, 3))
        windows = windows[:, :, ::self.stride[0], ::self.stride[1]]  # a view: (batch, in, height, width, kh, kw)
        # The order in which the copy is made leaves whole rows of pixels together, which makes it fast.
        return windows.transpose(1, 4, 5, 0, 2, 3).reshape(self.W.data[0].size, -1)

    def _add_columns(self, images: np.ndarray, columns: np.ndarray, output_size: Any) -> None:
        """Add each entry of the columns to the pixel that it was taken from: the reverse of _columns, in place."""
        shape = (self.in_channels,) + self.kernel_size + (len(images),) + tuple(output_size)
        windows = columns.reshape(shape).transpose(3, 0, 1, 2, 4, 5)
        for i, j, index in window_offsets(self.kernel_size, self.stride, output_size):
            images[index] += windows[:, :, i, j]

    def _groups(self, output_shape: Tuple[int, ...]) -> Iterator[slice]:
        """Yield slices of the batch, each of as many examples as max_column_bytes allow (at least one)."""
        column_bytes = self.W.data[0].size * output_shape[2] * output_shape[3] * self.input_cache.itemsize
        size = max(1, int(self.max_column_bytes // column_bytes))
        for start in range(0, output_shape[0], size):
            yield slice(start, start + size)

    def _checked_upstream(self, grad: Any) -> np.ndarray:
        """Return the upstream gradient as an array of the output's shape, if backward may be called."""
        require_forward(self, self.input_cache)
        require_gradients(self, self.W, self.b)
        size = calculate_conv_output(self.input_cache.shape, self.kernel_size, self.stride)
        return checked_upstream(self, grad, (len(self.input_cache), self.out_channels) + size)

    def __repr__(self) -> str:
        text = f"Conv2d({self.in_channels}, {self.out_channels}, {self.kernel_size}"
        text += "" if self.stride == (1, 1) else f", stride={self.stride}"
        text += "" if self.padding == (0, 0) else f", padding={self.padding}"
        return text + (", bias=False)" if self.b.constant else ")")


class Flatten(Module):
    """Each example becomes one row: (batch, d1, d2, ...) to (batch, d1 * d2 * ...)."""

    def forward(self, x: np.ndarray) -> np.ndarray:
        x = checked_elementwise(self, x)
        self.input_cache = x
        if x.ndim == 0:
            raise InputError("Flatten expects a batch of examples, (batch, ...), but got a single number.")
        return x.reshape(len(x), -1).copy()  # what a module returns shares no memory with what it was given

    def backward(self, grad: np.ndarray) -> np.ndarray:
        x = self.input_cache
        require_forward(self, x)
        return checked_upstream(self, grad, (len(x), x.size // len(x))).reshape(x.shape).copy()
