"""Wrong pooling layers, as students write them: with loops over the output pixels."""
from __future__ import annotations

import numpy as np

from lib.layers.pooling import AvgPool2d, MaxPool2d
from tests.mutants.bank import mutant
from tests.mutants.convolutions import places


@mutant("wrong_formula", "upstream_ignored", "passed_on")
class MaxPoolToAll(MaxPool2d):
    """Every pixel of the window gets the gradient, not the greatest alone."""

    def backward(self, grad):
        dx = np.zeros_like(self.input_cache)
        for r, c, rows, columns in places(self, grad):
            dx[:, :, rows, columns] += grad[:, :, r:r + 1, c:c + 1]
        return dx


@mutant("wrong_formula")
class MaxPoolLikeAverage(MaxPool2d):
    """The gradient is shared among the pixels, as in average pooling."""

    def backward(self, grad):
        dx = np.zeros_like(self.input_cache)
        for r, c, rows, columns in places(self, grad):
            dx[:, :, rows, columns] += grad[:, :, r:r + 1, c:c + 1] / np.prod(self.kernel_size)
        return dx


@mutant("overwritten", "single_entries", "wrong_formula",
        situation=lambda cls, rng: (cls(3, stride=1), (rng.normal(size=(2, 2, 5, 5)),)))
class MaxPoolAssigns(MaxPool2d):
    """= for +=: a pixel that is the maximum of several windows counts once."""

    def backward(self, grad):
        x = self.input_cache
        dx = np.zeros_like(x)
        for n, k in np.ndindex(x.shape[:2]):
            for r, c, rows, columns in places(self, grad):
                window = x[n, k, rows, columns]
                i, j = np.unravel_index(window.argmax(), window.shape)
                dx[n, k, rows.start + i, columns.start + j] = grad[n, k, r, c]
        return dx


@mutant("upstream_ignored")
class MaxPoolOnlyMask(MaxPool2d):
    """1 for each maximum."""

    def backward(self, grad):
        return super().backward(np.ones_like(grad))


@mutant("wrong_formula", "single_entries")
class MaxPoolToMinimum(MaxPool2d):
    """argmin for argmax."""

    def backward(self, grad):
        x = self.input_cache
        dx = np.zeros_like(x)
        for n, k in np.ndindex(x.shape[:2]):
            for r, c, rows, columns in places(self, grad):
                window = x[n, k, rows, columns]
                i, j = np.unravel_index(window.argmin(), window.shape)
                dx[n, k, rows.start + i, columns.start + j] += grad[n, k, r, c]
        return dx


@mutant("wrong_formula", "single_entries")
class MaxPoolTopLeft(MaxPool2d):
    """The gradient goes to the window's first pixel."""

    def backward(self, grad):
        dx = np.zeros_like(self.input_cache)
        for r, c, rows, columns in places(self, grad):
            dx[:, :, rows.start, columns.start] += grad[:, :, r, c]
        return dx


@mutant("single_entries", "wrong_formula",
        situation=lambda cls, rng: (cls(2), (rng.normal(size=(2, 3, 4, 4)),)))
class MaxPoolOneChannel(MaxPool2d):
    """The maxima of the first channel are used for all channels."""

    def backward(self, grad):
        self.winners = np.broadcast_to(self.winners[:, :1], self.winners.shape)
        return super().backward(grad)


@mutant("wrong_shape")
class MaxPoolPassesOn(MaxPool2d):
    """Pooling has no parameters, so nothing is done."""

    def backward(self, grad):
        return grad


# ---------------------------------------------------------------------- AvgPool2d


@mutant("factor")
class AvgPoolWithoutDivision(AvgPool2d):
    """The mean's 1 / (kh kw) was forgotten."""

    def backward(self, grad):
        return self.kernel_size[0] * self.kernel_size[1] * super().backward(grad)


@mutant("factor")
class AvgPoolDividesByHeight(AvgPool2d):
    """Divided by the kernel's height alone."""

    def backward(self, grad):
        return self.kernel_size[1] * super().backward(grad)


@mutant("overwritten", "wrong_formula", "single_entries",
        situation=lambda cls, rng: (cls(3, stride=1), (rng.normal(size=(2, 2, 5, 5)),)))
class AvgPoolAssigns(AvgPool2d):
    """= for +=, with windows that overlap."""

    def backward(self, grad):
        dx = np.zeros_like(self.input_cache)
        for r, c, rows, columns in places(self, grad):
            dx[:, :, rows, columns] = grad[:, :, r:r + 1, c:c + 1] / np.prod(self.kernel_size)
        return dx


@mutant("single_entries", "wrong_formula")
class AvgPoolTopLeft(AvgPool2d):
    """The whole gradient goes to the window's first pixel."""

    def backward(self, grad):
        dx = np.zeros_like(self.input_cache)
        for r, c, rows, columns in places(self, grad):
            dx[:, :, rows.start, columns.start] += grad[:, :, r, c]
        return dx


@mutant("exception", "wrong_shape")
class AvgPoolRepeats(AvgPool2d):
    """np.repeat brings the gradient to the image's size, unless a column was left over."""

    def backward(self, grad):
        big = grad.repeat(self.kernel_size[0], axis=2).repeat(self.kernel_size[1], axis=3)
        return big / np.prod(self.kernel_size) * np.ones(self.input_cache.shape)


@mutant("mean_for_sum", "factor")
class AvgPoolMeansBatch(AvgPool2d):
    """Averages over the batch as well."""

    def backward(self, grad):
        return super().backward(grad / len(grad))
