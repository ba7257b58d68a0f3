"""Pooling of images, as textbooks write it: the greatest or the mean pixel of each window."""
from __future__ import annotations

from typing import Any, Tuple

import numpy as np

from lib.graph.notation import call as function
from lib.graph.notation import entry, equation, number, sum_over, words
from lib.graph.operations import call, value_of
from lib.graph.operations.convolution import Windowed
from lib.graph.operations.shapes import Scatter


class Pooling(Windowed):
    """Base of the operations that make one pixel of each window.

    Args:
        size: (height, width) of the window, or one number for both; so are stride and padding.
        stride: the steps in which it moves; its size, where it isn't given.
        padding: the rows and columns of a border on each side.
    """

    shape_rule = "images (batch, channels, height, width); the window fits into the padded image"

    def __init__(self, size: Any, stride: Any = None, padding: Any = 0) -> None:
        super().__init__(size if stride is None else stride, padding)
        self.size: Tuple[int, int] = tuple(np.broadcast_to(size, 2).tolist())

    @classmethod
    def examples(cls, rng):
        return [(cls(2), (rng.permutation(np.arange(32)).reshape(1, 2, 4, 4) / 10 - 1,)),
                (cls((3, 2), (2, 1), 1), (rng.permutation(np.arange(30)).reshape(2, 1, 5, 3) / 10 - 1,))]

    def formula(self, x):
        shape = None if x.shape is None else x.shape[:2] + self._windows(np.empty(x.shape), self.size)[1:]
        return function(self.name, x, size=self.size, **self._settings(default=self.size)).of_shape(shape)


class MaxPool(Pooling):
    """out[n,c,i,j] = the greatest x[n,c,s i+p,s j+q] of the window; of several, the first. Padding never wins.

    Its derivative is 1 for that pixel, and 0 for the others; a pixel sums up what it gets from all its windows.
    """

    name, analytic = "max_pool2d", False

    def forward(self, x):
        return x[self._winners(x)]

    def backward(self, i, grad, out, x):
        return call(Scatter(self._winners(value_of(x)), x.shape), grad)

    def _winners(self, x: Any) -> Any:
        """Return the index of the greatest pixel of each window."""
        index, height, width = self._windows(x, self.size)
        windows = self._padded(x, -np.inf)[index].reshape(x.shape[:2] + (-1, height, width))
        p, q = np.divmod(windows.argmax(axis=2), self.size[1])
        n, c, i, j = np.ogrid[:x.shape[0], :x.shape[1], :height, :width]
        rows, columns = i * self.stride[0] + p - self.padding[0], j * self.stride[1] + q - self.padding[1]
        return n, c, rows.clip(0, x.shape[2] - 1), columns.clip(0, x.shape[3] - 1)

    def definition(self, x):
        greatest = words("the greatest ", entry(x, self._places()), " with p < ", number(self.size[0]), " and q < ",
                         number(self.size[1]))
        return equation(entry(self.formula(x), "ncij"), greatest)

    def derivative(self, i, out, x):
        return words("1 for the greatest pixel of each window of ", x, ", the first of several, 0 for the others")

    def flow(self, i, grad, out, x):
        return words("each ", entry(grad, "ncij"), ", added where the greatest ", entry(x, self._places()),
                     " of its window stands; 0 elsewhere")


class MeanPool(Pooling):
    """out[n,c,i,j] = the mean of x[n,c,s i+p,s j+q] over the window, where padding counts as zeros.

    Its derivative is 1 / (height width) for each pixel of the window.
    """

    name = "mean_pool2d"

    def forward(self, x):
        index, _, _ = self._windows(x, self.size)
        return self._padded(x)[index].mean(axis=(2, 3))

    def backward(self, i, grad, out, x):
        index, height, width = self._windows(x, self.size)
        spread = (grad / (self.size[0] * self.size[1])).reshape(x.shape[:2] + (1, 1, height, width))
        return self._scattered(index, x.shape, np.broadcast_to(spread, x.shape[:2] + self.size + (height, width)))

    def definition(self, x):
        mean = sum_over("pq", entry(x, self._places())) / number(self.size[0] * self.size[1])
        return equation(entry(self.formula(x), "ncij"), mean)

    def derivative(self, i, out, x):
        return 1 / number(self.size[0] * self.size[1])

    def flow(self, i, grad, out, x):
        return words("each ", entry(grad, "ncij") / number(self.size[0] * self.size[1]), ", added at all ",
                     entry(x, self._places()), " of its window")
