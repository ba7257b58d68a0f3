"""Pooling: each window of an image becomes one pixel, so that the image gets smaller."""
from __future__ import annotations

from typing import Any, List, Optional, Tuple

import numpy as np

from lib.layers.windows import (IntOrPair, Pair, as_pair, checked_images, num_windows, pad_images, unpad_images,
                                window_offsets)
from lib.network_base import Module
from lib.validation import InputError, checked_upstream, require_forward


class Pool2d(Module):
    """Base class of the pooling layers: their window and its checks.

    Shapes: x (batch, channels, height, width), y (batch, channels, out height, out width), see num_windows.

    Args:
        kernel_size: (kh, kw), or one number for both; so are stride and padding.
        stride: the steps in which the window moves; kernel_size when it isn't given, so that windows don't overlap.
        padding: the rows and columns added on each side, at most half the kernel's size.
    """

    takes_any_number = True

    def __init__(self, kernel_size: IntOrPair, stride: Optional[IntOrPair] = None, padding: IntOrPair = 0) -> None:
        self.kernel_size = as_pair("kernel_size", kernel_size, self)
        self.stride = self.kernel_size if stride is None else as_pair("stride", stride, self)
        self.padding = as_pair("padding", padding, self, least=0)
        if 2 * self.padding[0] > self.kernel_size[0] or 2 * self.padding[1] > self.kernel_size[1]:
            raise InputError(f"{type(self).__name__} expects padding to be at most half of kernel_size "
                             f"{self.kernel_size}, so that each window sees the image, but got {self.padding}.")

    @classmethod
    def examples(cls, rng: np.random.Generator) -> List[Tuple[Module, Tuple[Any, ...]]]:
        return [(cls(2), (rng.uniform(-1, 1, (2, 2, 4, 5)),)),
                (cls((3, 2), stride=(2, 1), padding=1), (rng.uniform(-1, 1, (1, 2, 5, 3)),))]

    def _output_size(self) -> Pair:
        return num_windows(self.input_cache.shape, self.kernel_size, self.stride, self.padding)

    def _checked_upstream(self, grad: Any) -> np.ndarray:
        require_forward(self, self.input_cache)
        return checked_upstream(self, grad, self.input_cache.shape[:2] + self._output_size())

    def __repr__(self) -> str:
        text = f"{type(self).__name__}({self.kernel_size}"
        text += "" if self.stride == self.kernel_size else f", stride={self.stride}"
        return text + (")" if self.padding == (0, 0) else f", padding={self.padding})")


class MaxPool2d(Pool2d):
    """The greatest pixel of each window: y = max of x over the window.

    dy/dx = 1 for the pixel that is the maximum, the first one if there are several, and 0 for the others. Where
    windows overlap, a pixel sums the gradients of all windows that it is the maximum of. Padding never wins: it
    counts as minus infinity.
    """

    winners: Any = None  # the place inside its window where each output's maximum stands, counted row by row

    def forward(self, x: np.ndarray) -> np.ndarray:
        x = checked_images(self, x)
        self.input_cache = x
        output_size = self._output_size()
        padded = pad_images(x, self.padding, -np.inf)
        y = np.full(x.shape[:2] + output_size, -np.inf, dtype=x.dtype)
        self.winners = np.zeros(y.shape, dtype=np.int32)
        for place, (_, _, index) in enumerate(window_offsets(self.kernel_size, self.stride, output_size)):
            pixels = padded[index]
            # Places are visited in increasing order, so the last one that beats all before it is the greatest number.
            np.maximum(self.winners, (pixels > y) * np.int32(place), out=self.winners)
            np.maximum(y, pixels, out=y)
        return y

    def on_nodes(self, x: Any) -> Any:
        return x.max_pool2d(self.kernel_size, self.stride, self.padding)

    def backward(self, grad: np.ndarray) -> np.ndarray:
        grad = self._checked_upstream(grad)
        grad_padded = pad_images(np.zeros_like(self.input_cache), self.padding)
        for place, (_, _, index) in enumerate(window_offsets(self.kernel_size, self.stride, grad.shape[2:])):
            grad_padded[index] += grad * (self.winners == place)
        return unpad_images(grad_padded, self.padding)


class AvgPool2d(Pool2d):
    """The mean of each window: y = 1 / (kh kw) sum of x over the window, where padding counts as zeros.

    dy/dx = 1 / (kh kw) for each pixel of the window. Where windows overlap, a pixel sums the gradients of all.
    """

    def forward(self, x: np.ndarray) -> np.ndarray:
        x = checked_images(self, x)
        self.input_cache = x
        output_size = self._output_size()
        padded = pad_images(x, self.padding)
        y = np.zeros(x.shape[:2] + output_size, dtype=x.dtype)
        for _, _, index in window_offsets(self.kernel_size, self.stride, output_size):
            y += padded[index]
        return y / (self.kernel_size[0] * self.kernel_size[1])

    def on_nodes(self, x: Any) -> Any:
        return x.mean_pool2d(self.kernel_size, self.stride, self.padding)

    def backward(self, grad: np.ndarray) -> np.ndarray:
        grad = self._checked_upstream(grad)
        share = grad / (self.kernel_size[0] * self.kernel_size[1])
        grad_padded = pad_images(np.zeros_like(self.input_cache), self.padding)
        for _, _, index in window_offsets(self.kernel_size, self.stride, grad.shape[2:]):
            grad_padded[index] += share
        return unpad_images(grad_padded, self.padding)
