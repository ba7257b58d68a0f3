"""Movements of entries, matrices, and distances of all pairs."""
import numpy as np

from lib.network_base import Module, Parameter
from tests.mutants.independent.bank import normal, right, single, slip


@right(normal(2, 3, 4))
class TransposedAxes(Module):
    def forward(self, x):
        return x.transpose(1, 2, 0)

    def backward(self, grad):
        return grad.transpose(2, 0, 1)


slip(TransposedAxes, "grad.transpose(2, 0, 1)", "grad.transpose(1, 2, 0).reshape(grad.shape[2], grad.shape[0], -1)",
     "the same permutation for its inverse", "axes", "permut", "transpos", "order")


@right(normal(3, 5), awkward="returns a view of the reversed input")
class ReverseAndRoll(Module):
    def forward(self, x):
        return np.roll(x[:, ::-1], 2, axis=1)

    def backward(self, grad):
        return np.roll(grad, -2, axis=1)[:, ::-1].copy()


slip(ReverseAndRoll, "np.roll(grad, -2, axis=1)", "np.roll(grad, 2, axis=1)", "rolled the other way", "shift", "roll",
     "order", "permut", "index")


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


slip(TopTwo, "self.idx] = grad", "self.idx[:, ::-1]] = grad", "order of the two swapped", "order", "swap", "permut",
     "revers", "other places")
slip(TopTwo, "self.idx] = grad", "np.arange(2)] = grad", "first two for the two largest", "order", "index", "permut",
     "sort", "position", "largest", "other places")


@right(lambda rng: np.cumsum(rng.uniform(1e-5, 2e-5, (2, 5)), axis=1), awkward="entries that differ by 1e-5")
@right(normal(4, 5))
class RowMedian(Module):
    def forward(self, x):
        self.x = x
        return np.median(x, axis=1, keepdims=True)

    def backward(self, grad):
        return grad * (self.x == np.median(self.x, axis=1, keepdims=True))


slip(RowMedian, "grad * (self.x == np.median(self.x, axis=1, keepdims=True))",
     "grad * (self.x == np.max(self.x, axis=1, keepdims=True))", "maximum for median", "median", "max", "order",
     "position", "index", "permut", "other places")
slip(RowMedian, "grad * (self.x == np.median(self.x, axis=1, keepdims=True))", "grad / self.x.shape[1] + 0 * self.x",
     "mean's gradient", "mean", "averag", "all", "every", "median")


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


slip(FourierMagnitude, "np.conj(self.f[:, k:k + 1])", "self.f[:, k:k + 1]", "conjugate forgotten", "conj", "complex",
     "sign", "order")
slip(FourierMagnitude, "dx += 2 * grad", "dx += grad", "2 of the square", "factor", "half", "square")


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


slip(Bilinear, "(x @ self.M.data.T + x @ self.M.data)", "2 * x @ self.M.data", "M taken as symmetric", "symmetric",
     "transpos", r"\.T", "place", "other operand")
slip(Bilinear, "(x @ self.M.data.T + x @ self.M.data)", "(x @ self.M.data.T)", "one of x's two places", "place",
     "held constant", "missing", "once", "twice")


@right(lambda rng: (rng.standard_normal((3, 2)), rng.standard_normal((4, 2))),
       awkward="two inputs: distances of all pairs")
class PairwiseDistances(Module):
    def forward(self, x, y):
        self.d = x[:, None] - y[None]
        self.r = np.sqrt((self.d ** 2).sum(-1))
        return self.r

    def backward(self, grad):
        return (grad[..., None] * self.d / self.r[..., None]).sum(axis=1)


slip(PairwiseDistances, "sum(axis=1)", "sum(axis=0)[:3]", "summed over the first axis", "axis", "sum")
slip(PairwiseDistances, " / self.r[..., None]", "", "1 / distance left out", "left out", "norm", "root", "factor",
     "1 /", "distance")
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


slip(SecondOrderFeatures, "            dx[:, j] += grad[:, k] * self.x[:, i]\n", "", "second factor's term missing",
     "missing", "held constant", "place", "product")
slip(SecondOrderFeatures, "dx[:, j] += grad", "dx[:, j] -= grad", "sign", "sign")
slip(SecondOrderFeatures, "dx[:, i] += grad[:, k] * self.x[:, j]", "dx[:, i] += grad[:, k] * self.x[:, i]",
     "own factor for the other", "other operand", "place", "factor", "itself", "swap")
