"""Convolutions, pooling, padding and other movements of entries, with loops, views and index arrays."""
import itertools

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from lib.network_base import Module, Parameter
from tests.mutants.independent.bank import given, normal, right, single, slip


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


slip(Conv1dLoop, "dx[:, :, t:t + k] += ", "dx[:, :, t:t + k] = ", "overlaps overwritten", r"\+=", "overlap", "overwr", "accumul", "add")
slip(Conv1dLoop, "self.K.grad += ", "self.K.grad = ", "overwritten at each position", r"\+=", "overwr", "accumul", "add")
slip(Conv1dLoop, "grad[:, :, t], self.K.data)", "grad[:, :, t], self.K.data[:, :, ::-1])", "kernel turned round", "flip", "revers", "order", "permut", "rotat", "turned")
slip(Conv1dLoop, "self.x[:, :, t:t + k])", "self.x[:, :, :k])", "the first window for all", "window", "index", "shift", "position", "first")
slip(Conv1dLoop, "grad.sum((0, 2))", "grad.sum(0).mean(-1)", "mean for sum over positions", "mean", "sum", "factor")
slip(Conv1dLoop, "for t in range(grad.shape[2]):", "for t in range(grad.shape[2] - 1):", "last position left out", "last", "position", "loop", "index", "skip", "missing", "range")


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


slip(DepthwiseConv, "self.w.data[:, i, j][:, None, None]", "self.w.data[:, j, i][:, None, None]", "kernel transposed", "transpos", "swap", "axes", "permut")
slip(DepthwiseConv, "nchw->cij", "nchw->cji", "kernel's gradient transposed", "transpos", "swap", "axes", "permut")
slip(DepthwiseConv, "dx[:, :, i:i + grad.shape[2], j:j + grad.shape[3]] += ", "dx[:, :, i:i + grad.shape[2], j:j + grad.shape[3]] = ", "overlaps overwritten", r"\+=", "overlap", "overwr", "add")


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


slip(MaxPoolLoop, "np.unravel_index(patch.argmax(), patch.shape)", "np.unravel_index(patch.argmin(), patch.shape)", "argmin", "minimum", "argmin", "largest", "maximum", "winner", "mask")
slip(MaxPoolLoop, "dx[b, k, 2 * i + r, 2 * j + s]", "dx[b, k, 2 * i + s, 2 * j + r]", "row and column swapped", "swap", "transpos", "row", "permut", "index", "axes", "position")
slip(MaxPoolLoop, "dx[b, k, 2 * i + r, 2 * j + s] += grad[b, k, i, j]", "dx[b, k, 2 * i:2 * i + 2, 2 * j:2 * j + 2] += grad[b, k, i, j] / 4",
     "average pooling's backward", "average", "mean", "every", "mask", "all", "maximum", "winner")
slip(MaxPoolLoop, "            r, s = np.unravel_index(patch.argmax(), patch.shape)\n            dx[b, k, 2 * i + r, 2 * j + s] += grad[b, k, i, j]",
     "            dx[b, k, 2 * i:2 * i + 2, 2 * j:2 * j + 2] += grad[b, k, i, j] * (patch == patch.max())", "every tied entry gets the whole gradient",
     "tie", "equal", "several", at=lambda rng: np.maximum(rng.standard_normal((2, 1, 4, 4)) - 1, 0))


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


slip(AveragePool, " / 4", "", "mean's 1 / 4 missing", "mean", "factor", "1 / 4", "averag", "4")
slip(AveragePool, "grad.repeat(2, axis=2).repeat(2, axis=3)", "np.tile(grad, (1, 1, 2, 2))", "tiled for repeated", "order", "permut", "repeat", "tile", "position", "layout", "entries")


@right(normal(1, 2, 3, 3))
class NearestUpsample(Module):
    def forward(self, x):
        return x.repeat(2, axis=2).repeat(2, axis=3)

    def backward(self, grad):
        return grad[:, :, ::2, ::2] + grad[:, :, 1::2, ::2] + grad[:, :, ::2, 1::2] + grad[:, :, 1::2, 1::2]


slip(NearestUpsample, "grad[:, :, ::2, ::2] + grad[:, :, 1::2, ::2] + grad[:, :, ::2, 1::2] + grad[:, :, 1::2, 1::2]", "grad[:, :, ::2, ::2]",
     "one of the copies only", "sum", "copies", "missing", "place", "several", "one of")


@right(normal(1, 1, 2, 2), awkward="width one of padding on a tiny image")
@right(normal(2, 3, 3, 2))
class ZeroPad(Module):
    def forward(self, x):
        return np.pad(x, ((0, 0), (0, 0), (1, 1), (2, 0)))

    def backward(self, grad):
        return grad[:, :, 1:-1, 2:]


slip(ZeroPad, "grad[:, :, 1:-1, 2:]", "grad[:, :, 1:-1, :-2]", "cropped on the other side", "shift", "index", "crop", "side", "position", "offset", "slice")


@right(normal(2, 3, 4), awkward="reflecting: entries used twice")
class ReflectPad(Module):
    def forward(self, x):
        return np.pad(x, ((0, 0), (0, 0), (1, 1)), mode="reflect")

    def backward(self, grad):
        dx = grad[..., 1:-1].copy()
        dx[..., 1] += grad[..., 0]
        dx[..., -2] += grad[..., -1]
        return dx


slip(ReflectPad, "        dx[..., 1] += grad[..., 0]\n        dx[..., -2] += grad[..., -1]\n", "", "border's copies forgotten", "border", "missing", "place", "copies", "held constant", "twice")
slip(ReflectPad, "dx[..., 1] += grad[..., 0]", "dx[..., 0] += grad[..., 0]", "border's copy added to the neighbour", "shift", "index", "position", "neighbour", "border")


@right(normal(2, 4, 2, 3))
class PixelShuffle(Module):
    def forward(self, x):
        n, c, h, w = x.shape
        return x.reshape(n, c // 4, 2, 2, h, w).transpose(0, 1, 4, 2, 5, 3).reshape(n, c // 4, 2 * h, 2 * w)

    def backward(self, grad):
        n, c, h, w = grad.shape
        return grad.reshape(n, c, h // 2, 2, w // 2, 2).transpose(0, 1, 3, 5, 2, 4).reshape(n, 4 * c, h // 2, w // 2)


slip(PixelShuffle, "transpose(0, 1, 3, 5, 2, 4)", "transpose(0, 1, 5, 3, 2, 4)", "axes permuted", "axes", "permut", "transpos", "order")
slip(PixelShuffle, ".transpose(0, 1, 3, 5, 2, 4)", "", "reshape without transpose", "axes", "permut", "transpos", "order", "reshape")


@right(normal(2, 3, 2, 2))
class GlobalAverage(Module):
    def forward(self, x):
        self.shape = x.shape
        return x.mean(axis=(-2, -1))

    def backward(self, grad):
        n, c, h, w = self.shape
        return np.broadcast_to(grad[:, :, None, None] / (h * w), self.shape)


slip(GlobalAverage, " / (h * w)", " / h", "width forgotten", "factor", "mean", "w", "1 /", "averag", "2")


@right(normal(2, 3, 4))
class TransposedAxes(Module):
    def forward(self, x):
        return x.transpose(1, 2, 0)

    def backward(self, grad):
        return grad.transpose(2, 0, 1)


slip(TransposedAxes, "grad.transpose(2, 0, 1)", "grad.transpose(1, 2, 0).reshape(grad.shape[2], grad.shape[0], -1)", "the same permutation for its inverse",
     "axes", "permut", "transpos", "order")


@right(normal(3, 5), awkward="returns a view of the reversed input")
class ReverseAndRoll(Module):
    def forward(self, x):
        return np.roll(x[:, ::-1], 2, axis=1)

    def backward(self, grad):
        return np.roll(grad, -2, axis=1)[:, ::-1].copy()


slip(ReverseAndRoll, "np.roll(grad, -2, axis=1)", "np.roll(grad, 2, axis=1)", "rolled the other way", "shift", "roll", "order", "permut", "index")


@right(lambda rng: np.repeat([[1.0, 2.0, 2.0, 5.0]], 2, axis=0), awkward="a tie at the border of the chosen")
@right(normal(3, 5))
class TopTwo(Module):
    def forward(self, x):
        self.shape = x.shape
        self.idx = np.argsort(-x, axis=1, kind="stable")[:, :2]
        return np.take_along_axis(x, self.idx, 1)

    def backward(self, grad):
        dx = np.zeros(self.shape)
        dx[np.arange(len(dx))[:, None], self.idx] = grad
        return dx


slip(TopTwo, "self.idx] = grad", "self.idx[:, ::-1]] = grad", "order of the two swapped", "order", "swap", "permut", "revers")
slip(TopTwo, "self.idx] = grad", "np.arange(2)] = grad", "first two for the two largest", "order", "index", "permut", "sort", "position", "largest")


@right(lambda rng: np.cumsum(rng.uniform(1e-5, 2e-5, (2, 5)), axis=1), awkward="entries that differ by 1e-5")
@right(normal(4, 5))
class RowMedian(Module):
    def forward(self, x):
        self.x = x
        return np.median(x, axis=1, keepdims=True)

    def backward(self, grad):
        return grad * (self.x == np.median(self.x, axis=1, keepdims=True))


slip(RowMedian, "grad * (self.x == np.median(self.x, axis=1, keepdims=True))", "grad * (self.x == np.max(self.x, axis=1, keepdims=True))", "maximum for median",
     "median", "max", "order", "position", "index", "permut")
slip(RowMedian, "grad * (self.x == np.median(self.x, axis=1, keepdims=True))", "grad / self.x.shape[1] + 0 * self.x", "mean's gradient", "mean", "averag", "all", "every", "median")


@right(normal(2, 4))
class FourierMagnitude(Module):
    def forward(self, x):
        self.f = np.fft.rfft(x, axis=1)
        self.n = x.shape[1]
        return np.abs(self.f) ** 2

    def backward(self, grad):
        t = np.arange(self.n)
        dx = np.zeros((len(grad), self.n))
        for k in range(grad.shape[1]):
            wave = np.exp(-2j * np.pi * k * t / self.n)
            dx += 2 * grad[:, k:k + 1] * (np.conj(self.f[:, k:k + 1]) * wave).real
        return dx


slip(FourierMagnitude, "np.conj(self.f[:, k:k + 1])", "self.f[:, k:k + 1]", "conjugate forgotten", "conj", "complex", "sign", "order")
slip(FourierMagnitude, "dx += 2 * grad", "dx += grad", "2 of the square", "2", "factor", "half", "square")


@right(lambda rng: np.eye(3) + 0.2 * rng.standard_normal((3, 3)))
class LogDet(Module):
    def forward(self, a):
        self.a = a
        return np.array([np.linalg.slogdet(a)[1]])

    def backward(self, grad):
        return grad * np.linalg.inv(self.a).T


slip(LogDet, "np.linalg.inv(self.a).T", "np.linalg.inv(self.a)", "transpose forgotten", "transpos", r"\.T")


@right(lambda rng: np.eye(3) + 0.2 * rng.standard_normal((3, 3)))
class Inverse(Module):
    def forward(self, a):
        self.y = np.linalg.inv(a)
        return self.y

    def backward(self, grad):
        return -self.y.T @ grad @ self.y.T


slip(Inverse, "-self.y.T", "self.y.T", "sign", "sign")
slip(Inverse, "@ self.y.T", "@ self.y", "transpose forgotten", "transpos", r"\.T")


@right(single(normal(2, 3, 4)), awkward="float32 through a bilinear form")
@right(normal(3, 4))
class Bilinear(Module):
    def __init__(self):
        self.M = Parameter(np.random.randn(4, 4), name="M")

    def forward(self, x):
        self.x = x
        return np.einsum("...i,ij,...j->...", x, self.M.data, x)

    def backward(self, grad):
        x, g = self.x, grad[..., None]
        self.M.grad += np.einsum("ni,n,nj->ij", x.reshape(-1, 4), grad.ravel(), x.reshape(-1, 4))
        return g * (x @ self.M.data.T + x @ self.M.data)

    def parameters(self):
        return [self.M]


slip(Bilinear, "(x @ self.M.data.T + x @ self.M.data)", "2 * x @ self.M.data", "M taken as symmetric", "symmetric", "transpos", r"\.T", "place", "other operand")
slip(Bilinear, "(x @ self.M.data.T + x @ self.M.data)", "(x @ self.M.data.T)", "one of x's two places", "place", "held constant", "missing", "once", "twice")


@right(lambda rng: (rng.standard_normal((3, 2)), rng.standard_normal((4, 2))), awkward="two inputs: distances of all pairs")
class PairwiseDistances(Module):
    def forward(self, x, y):
        self.d = x[:, None] - y[None]
        self.r = np.sqrt((self.d ** 2).sum(-1))
        return self.r

    def backward(self, grad):
        return (grad[..., None] * self.d / self.r[..., None]).sum(axis=1)


slip(PairwiseDistances, "sum(axis=1)", "sum(axis=0)[:3]", "summed over the first axis", "axis", "sum")
slip(PairwiseDistances, " / self.r[..., None]", "", "1 / distance left out", "left out", "norm", "root", "factor", "1 /", "distance")
slip(PairwiseDistances, "sum(axis=1)", "mean(axis=1)", "mean for sum", "mean", "sum", "factor")


@right(normal(2, 3), awkward="outer products, a style with newaxis")
class SecondOrderFeatures(Module):
    def forward(self, x):
        self.x = x
        self.i, self.j = np.triu_indices(x.shape[1])
        return x[:, self.i] * x[:, self.j]

    def backward(self, grad):
        dx = np.zeros_like(self.x)
        for k, (i, j) in enumerate(zip(self.i, self.j)):
            dx[:, i] += grad[:, k] * self.x[:, j]
            dx[:, j] += grad[:, k] * self.x[:, i]
        return dx


slip(SecondOrderFeatures, "            dx[:, j] += grad[:, k] * self.x[:, i]\n", "", "second factor's term missing", "missing", "held constant", "place", "product")
slip(SecondOrderFeatures, "dx[:, j] += grad", "dx[:, j] -= grad", "sign", "sign")
slip(SecondOrderFeatures, "dx[:, i] += grad[:, k] * self.x[:, j]", "dx[:, i] += grad[:, k] * self.x[:, i]", "own factor for the other", "other operand", "place", "factor", "itself", "swap")
