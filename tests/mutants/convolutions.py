"""Wrong convolutions, as students write them: with loops over the output pixels."""
from __future__ import annotations

import numpy as np

from lib.convolutions import Conv2d
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
        before = self.b.grad.copy()
        dx = super().backward(grad)
        self.b.grad = before
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
