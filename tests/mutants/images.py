"""Wrong convolutions and poolings, as students write them: with loops over the output pixels."""
from __future__ import annotations

import numpy as np

from lib.convolutions import Conv2d
from lib.pooling import AvgPool2d, MaxPool2d
from tests.mutants.bank import mutant


def padded_situation(cls, rng):
    """Return a situation with padding, and windows that overlap."""
    return cls(2, 2, 3, stride=1, padding=1, rng=rng), (rng.normal(size=(2, 2, 4, 4)),)


def places(module, grad):
    """Yield (r, c, rows, columns) of each output pixel: the slices of the window that it comes from."""
    (kh, kw), (sh, sw) = module.kernel_size, module.stride
    for r in range(grad.shape[2]):
        for c in range(grad.shape[3]):
            yield r, c, slice(r * sh, r * sh + kh), slice(c * sw, c * sw + kw)


def unpad(module, dx):
    """Cut the padding off."""
    ph, pw = module.padding
    return dx[:, :, ph:dx.shape[2] - ph, pw:dx.shape[3] - pw]


@mutant("overwritten", "wrong_formula", "single_entries")
class ConvAssignsWindows(Conv2d):
    """= for += in dx: where windows overlap, the last one wins."""

    def backward(self, grad):
        x = self.input_cache
        dx = np.zeros_like(x)
        for r, c, rows, columns in places(self, grad):
            g = grad[:, :, r, c]
            self.W.grad += np.einsum("no,nkij->okij", g, x[:, :, rows, columns])
            dx[:, :, rows, columns] = np.einsum("no,okij->nkij", g, self.W.data)
        self.b.grad += grad.sum(axis=(0, 2, 3)).reshape(self.b.data.shape)
        return unpad(self, dx)


@mutant("single_entries", "wrong_formula")
class ConvAssignsWeights(Conv2d):
    """= for += in dW: only the last output pixel counts."""

    def backward(self, grad):
        before = self.W.grad.copy()
        dx = super().backward(grad)
        for r, c, rows, columns in places(self, grad):
            dW = np.einsum("no,nkij->okij", grad[:, :, r, c], self.input_cache[:, :, rows, columns])
        self.W.grad = before + dW
        return dx


@mutant("wrong_shape", situation=padded_situation)
class ConvKeepsPadding(Conv2d):
    """The padding isn't cut off again."""

    def backward(self, grad):
        x = self.input_cache
        dx = np.zeros_like(x)
        for r, c, rows, columns in places(self, grad):
            g = grad[:, :, r, c]
            self.W.grad += np.einsum("no,nkij->okij", g, x[:, :, rows, columns])
            dx[:, :, rows, columns] += np.einsum("no,okij->nkij", g, self.W.data)
        self.b.grad += grad.sum(axis=(0, 2, 3)).reshape(self.b.data.shape)
        return dx


@mutant("wrong_formula", "transposed", "single_entries")
class ConvFlipsKernel(Conv2d):
    """The kernel is turned by 180 degrees where it shouldn't be."""

    def backward(self, grad):
        weights = self.W.data
        self.W.data = weights[:, :, ::-1, ::-1]
        dx = super().backward(grad)
        self.W.data = weights
        return dx


@mutant("transposed", "wrong_formula", situation=padded_situation)
class ConvSwapsChannels(Conv2d):
    """Input and output channels are exchanged, with as many of one as of the other."""

    def backward(self, grad):
        weights = self.W.data
        self.W.data = weights.swapaxes(0, 1)
        dx = super().backward(grad)
        self.W.data = weights
        return dx


@mutant("mean_for_sum", "factor")
class ConvMean(Conv2d):
    """The weights' gradient is averaged over the batch."""

    def backward(self, grad):
        before = self.W.grad.copy()
        dx = super().backward(grad)
        self.W.grad = before + (self.W.grad - before) / len(grad)
        return dx


@mutant("mean_for_sum", "factor")
class ConvBiasMean(Conv2d):
    """The bias gradient is a mean over batch and pixels."""

    def backward(self, grad):
        before = self.b.grad.copy()
        dx = super().backward(grad)
        self.b.grad = before + grad.mean(axis=(0, 2, 3)).reshape(self.b.data.shape)
        return dx


@mutant("one_sample")
class ConvFirstImage(Conv2d):
    """The loop over the batch was forgotten: only the first image counts for the weights."""

    def backward(self, grad):
        before = self.W.grad.copy()
        dx = super().backward(grad)
        self.W.grad = before
        for r, c, rows, columns in places(self, grad):
            self.W.grad += np.einsum("o,kij->okij", grad[0, :, r, c], self.input_cache[0, :, rows, columns])
        return dx


@mutant("wrong_shape", "no_batch_sum")
class ConvBiasSumsBatchOnly(Conv2d):
    """The bias is summed over the batch, not over the pixels."""

    def backward(self, grad):
        before = self.b.grad
        dx = super().backward(grad)
        self.b.grad = before + grad.sum(axis=0)
        return dx


@mutant("zeros")
class ConvForgetsBias(Conv2d):
    """The bias gets no gradient."""

    def backward(self, grad):
        bias, self.b = self.b, None
        dx = super().backward(grad)
        self.b = bias
        return dx


@mutant("wrong_formula", "single_entries", example=1)
class ConvIgnoresStride(Conv2d):
    """Steps of 1 are assumed where forward made steps of 2."""

    def backward(self, grad):
        stride, x = self.stride, self.input_cache
        dx = np.zeros_like(x)
        self.stride = (1, 1)
        for r, c, rows, columns in places(self, grad):
            g = grad[:, :, r, c]
            self.W.grad += np.einsum("no,nkij->okij", g, x[:, :, rows, columns])
            dx[:, :, rows, columns] += np.einsum("no,okij->nkij", g, self.W.data)
        self.stride = stride
        self.b.grad += grad.sum(axis=(0, 2, 3)).reshape(self.b.data.shape)
        return unpad(self, dx)


@mutant("overwritten")
class ConvOverwrites(Conv2d):
    """The weights' gradient is assigned."""

    def backward(self, grad):
        self.W.grad = np.zeros_like(self.W.data)
        return super().backward(grad)


@mutant("upstream_ignored")
class ConvBiasCounts(Conv2d):
    """The bias gradient counts the pixels."""

    def backward(self, grad):
        before = self.b.grad.copy()
        dx = super().backward(grad)
        self.b.grad = before + grad.size / self.out_channels
        return dx


@mutant("zeros", "returned_none")
class ConvFirstLayer(Conv2d):
    """The first layer of a network needs no gradient of its input."""

    def backward(self, grad):
        return np.zeros_like(super().backward(grad))


@mutant("single_entries", situation=padded_situation)
class ConvLastRow(Conv2d):
    """The loop over the rows ends one too early."""

    def backward(self, grad):
        grad = grad.copy()
        grad[:, :, -1] = 0
        return super().backward(grad)


# ---------------------------------------------------------------------- MaxPool2d


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
