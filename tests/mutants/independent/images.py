"""Convolutions, pooling and padding, with loops and views."""
import itertools

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from lib.network_base import Module, Parameter
from tests.mutants.independent.bank import normal, right, slip


@right(normal(2, 3, 3), awkward="the kernel covers the input")
@right(normal(2, 3, 6))
class Conv1dLoop(Module):
    def __init__(self, i=3, o=2, k=3):
        self.K = Parameter(np.random.randn(o, i, k), name="K")
        self.b = Parameter(np.random.randn(o), name="b")

    def forward(self, x):
        self.x = x
        k = self.K.data.shape[2]
        out = np.zeros((len(x), len(self.b.data), x.shape[2] - k + 1))
        for t in range(out.shape[2]):
            out[:, :, t] = np.tensordot(x[:, :, t:t + k], self.K.data, axes=([1, 2], [1, 2])) + self.b.data
        return out

    def backward(self, grad):
        k = self.K.data.shape[2]
        dx = np.zeros_like(self.x)
        self.b.grad += grad.sum((0, 2))
        for t in range(grad.shape[2]):
            self.K.grad += np.einsum("no,nik->oik", grad[:, :, t], self.x[:, :, t:t + k])
            dx[:, :, t:t + k] += np.einsum("no,oik->nik", grad[:, :, t], self.K.data)
        return dx

    def parameters(self):
        return [self.K, self.b]


slip(Conv1dLoop, "dx[:, :, t:t + k] += ", "dx[:, :, t:t + k] = ", "overlaps overwritten", r"\+=", "overlap", "overwr",
     "accumul", "add")
slip(Conv1dLoop, "self.K.grad += ", "self.K.grad = ", "overwritten at each position", r"\+=", "overwr", "accumul",
     "add")
slip(Conv1dLoop, "grad[:, :, t], self.K.data)", "grad[:, :, t], self.K.data[:, :, ::-1])", "kernel turned round",
     "flip", "revers", "order", "permut", "rotat", "turned")
slip(Conv1dLoop, "self.x[:, :, t:t + k])", "self.x[:, :, :k])", "the first window for all", "window", "index", "shift",
     "position", "first")
slip(Conv1dLoop, "grad.sum((0, 2))", "grad.sum(0).mean(-1)", "mean for sum over positions", "mean", "sum", "factor")
slip(Conv1dLoop, "for t in range(grad.shape[2]):", "for t in range(grad.shape[2] - 1):", "last position left out",
     "last", "position", "loop", "index", "skip", "missing", "range")


@right(normal(2, 2, 4, 4))
class DepthwiseConv(Module):
    def __init__(self, c=2, k=2):
        self.w = Parameter(np.random.randn(c, k, k), name="w")

    def forward(self, x):
        k = self.w.data.shape[1]
        self.shape = x.shape
        self.windows = sliding_window_view(x, (k, k), axis=(2, 3))
        return np.einsum("nchwij,cij->nchw", self.windows, self.w.data)

    def backward(self, grad):
        k = self.w.data.shape[1]
        self.w.grad += np.einsum("nchwij,nchw->cij", self.windows, grad)
        dx = np.zeros(self.shape)
        for i, j in itertools.product(range(k), repeat=2):
            dx[:, :, i:i + grad.shape[2], j:j + grad.shape[3]] += grad * self.w.data[:, i, j][:, None, None]
        return dx

    def parameters(self):
        return [self.w]


slip(DepthwiseConv, "self.w.data[:, i, j][:, None, None]", "self.w.data[:, j, i][:, None, None]", "kernel transposed",
     "transpos", "swap", "axes", "permut")
slip(DepthwiseConv, "nchw->cij", "nchw->cji", "kernel's gradient transposed", "transpos", "swap", "axes", "permut")
slip(DepthwiseConv, "dx[:, :, i:i + grad.shape[2], j:j + grad.shape[3]] += ",
     "dx[:, :, i:i + grad.shape[2], j:j + grad.shape[3]] = ", "overlaps overwritten", r"\+=", "overlap", "overwr",
     "add")


@right(lambda rng: np.maximum(rng.standard_normal((2, 1, 4, 4)) - 1, 0), awkward="zeros that tie, as behind a ReLU")
@right(lambda rng: rng.standard_normal((2, 1, 4, 4)))
class MaxPoolLoop(Module):
    def forward(self, x):
        self.x = x
        n, c, h, w = x.shape
        out = np.zeros((n, c, h // 2, w // 2))
        for i in range(h // 2):
            for j in range(w // 2):
                out[:, :, i, j] = x[:, :, 2 * i:2 * i + 2, 2 * j:2 * j + 2].max(axis=(2, 3))
        return out

    def backward(self, grad):
        dx = np.zeros_like(self.x)
        n, c, h, w = grad.shape
        for b, k, i, j in itertools.product(range(n), range(c), range(h), range(w)):
            patch = self.x[b, k, 2 * i:2 * i + 2, 2 * j:2 * j + 2]
            r, s = np.unravel_index(patch.argmax(), patch.shape)
            dx[b, k, 2 * i + r, 2 * j + s] += grad[b, k, i, j]
        return dx


slip(MaxPoolLoop, "np.unravel_index(patch.argmax(), patch.shape)", "np.unravel_index(patch.argmin(), patch.shape)",
     "argmin", "minimum", "argmin", "largest", "maximum", "winner", "mask", "wrong way round")
slip(MaxPoolLoop, "dx[b, k, 2 * i + r, 2 * j + s]", "dx[b, k, 2 * i + s, 2 * j + r]", "row and column swapped", "swap",
     "transpos", "row", "permut", "index", "axes", "position", "other places")
slip(MaxPoolLoop, "dx[b, k, 2 * i + r, 2 * j + s] += grad[b, k, i, j]",
     "dx[b, k, 2 * i:2 * i + 2, 2 * j:2 * j + 2] += grad[b, k, i, j] / 4", "average pooling's backward", "average",
     "mean", "every", "mask", "all", "maximum", "winner")
slip(MaxPoolLoop,
     "            r, s = np.unravel_index(patch.argmax(), patch.shape)\n            dx[b, k, 2 * i + r, 2 * j + s] "
     "+= grad[b, k, i, j]",
     "            dx[b, k, 2 * i:2 * i + 2, 2 * j:2 * j + 2] += grad[b, k, i, j] * (patch == patch.max())",
     "every tied entry gets the whole gradient", "tie", "equal", "several",
     at=lambda rng: np.maximum(rng.standard_normal((2, 1, 4, 4)) - 1, 0))


@right(lambda rng: rng.standard_normal((2, 2, 5, 5)), awkward="the last row and column fall off")
@right(lambda rng: rng.standard_normal((1, 2, 4, 6)))
class AveragePool(Module):
    def forward(self, x):
        self.shape = x.shape
        n, c, h, w = x.shape
        x = x[:, :, :h // 2 * 2, :w // 2 * 2]
        return x.reshape(n, c, h // 2, 2, w // 2, 2).mean(axis=(3, 5))

    def backward(self, grad):
        dx = np.zeros(self.shape)
        up = grad.repeat(2, axis=2).repeat(2, axis=3) / 4
        dx[:, :, :up.shape[2], :up.shape[3]] = up
        return dx


slip(AveragePool, " / 4", "", "mean's 1 / 4 missing", "mean", "factor", "1 / 4", "averag")
slip(AveragePool, "grad.repeat(2, axis=2).repeat(2, axis=3)", "np.tile(grad, (1, 1, 2, 2))", "tiled for repeated",
     "order", "permut", "repeat", "tile", "position", "layout", "entries")


@right(normal(1, 2, 3, 3))
class NearestUpsample(Module):
    def forward(self, x):
        return x.repeat(2, axis=2).repeat(2, axis=3)

    def backward(self, grad):
        return grad[:, :, ::2, ::2] + grad[:, :, 1::2, ::2] + grad[:, :, ::2, 1::2] + grad[:, :, 1::2, 1::2]


slip(NearestUpsample, "grad[:, :, ::2, ::2] + grad[:, :, 1::2, ::2] + grad[:, :, ::2, 1::2] + grad[:, :, 1::2, 1::2]",
     "grad[:, :, ::2, ::2]", "one of the copies only", "sum", "copies", "missing", "place", "several", "one of")


@right(normal(1, 1, 2, 2), awkward="width one of padding on a tiny image")
@right(normal(2, 3, 3, 2))
class ZeroPad(Module):
    def forward(self, x):
        return np.pad(x, ((0, 0), (0, 0), (1, 1), (2, 0)))

    def backward(self, grad):
        return grad[:, :, 1:-1, 2:]


slip(ZeroPad, "grad[:, :, 1:-1, 2:]", "grad[:, :, 1:-1, :-2]", "cropped on the other side", "shift", "index", "crop",
     "side", "position", "offset", "slice")


@right(normal(2, 3, 4), awkward="reflecting: entries used twice")
class ReflectPad(Module):
    def forward(self, x):
        return np.pad(x, ((0, 0), (0, 0), (1, 1)), mode="reflect")

    def backward(self, grad):
        dx = grad[..., 1:-1].copy()
        dx[..., 1] += grad[..., 0]
        dx[..., -2] += grad[..., -1]
        return dx


slip(ReflectPad, "        dx[..., 1] += grad[..., 0]\n        dx[..., -2] += grad[..., -1]\n", "",
     "border's copies forgotten", "border", "missing", "place", "copies", "held constant", "twice")
slip(ReflectPad, "dx[..., 1] += grad[..., 0]", "dx[..., 0] += grad[..., 0]", "border's copy added to the neighbour",
     "shift", "index", "position", "neighbour", "border")


@right(normal(2, 4, 2, 3))
class PixelShuffle(Module):
    def forward(self, x):
        n, c, h, w = x.shape
        return x.reshape(n, c // 4, 2, 2, h, w).transpose(0, 1, 4, 2, 5, 3).reshape(n, c // 4, 2 * h, 2 * w)

    def backward(self, grad):
        n, c, h, w = grad.shape
        return grad.reshape(n, c, h // 2, 2, w // 2, 2).transpose(0, 1, 3, 5, 2, 4).reshape(n, 4 * c, h // 2, w // 2)


slip(PixelShuffle, "transpose(0, 1, 3, 5, 2, 4)", "transpose(0, 1, 5, 3, 2, 4)", "axes permuted", "axes", "permut",
     "transpos", "order")
slip(PixelShuffle, ".transpose(0, 1, 3, 5, 2, 4)", "", "reshape without transpose", "axes", "permut", "transpos",
     "order", "reshape")


@right(normal(2, 3, 2, 2))
class GlobalAverage(Module):
    def forward(self, x):
        self.shape = x.shape
        return x.mean(axis=(-2, -1))

    def backward(self, grad):
        n, c, h, w = self.shape
        return np.broadcast_to(grad[:, :, None, None] / (h * w), self.shape)


slip(GlobalAverage, " / (h * w)", " / h", "width forgotten", "factor", "mean", "1 /", "averag")
