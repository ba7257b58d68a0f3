"""Wrong modules that pass many checks: what shows only in a second round, in another mode,
      for other numbers or types."""
from __future__ import annotations

import numpy as np

from lib.activations import ReLU, Sigmoid
from lib.layers.pooling import MaxPool2d
from lib.network import Linear, Sequential
from lib.network_base import Module, Parameter
from lib.regularizers import Dropout
from tests.mutants.wild.bank import caught, normal, positive


def numbers(module):
    for parameter in module.parameters():
        parameter.data = np.random.randn(*parameter.data.shape)
    return module


class Net(Sequential):
    def __init__(self):
        super().__init__(Linear(3, 4), Sigmoid(), Linear(4, 3))
        numbers(self)


@caught(normal(3, 3), "changes_itself")
class ReversesItsModules(Net):
    """The list of modules is turned round in place, for good."""

    def __init__(self):
        super().__init__()
        self.modules = list(self.modules)

    def backward(self, grad):
        self.modules.reverse()
        for module in self.modules:
            grad = module.backward(grad)
        return grad


@caught(normal(3, 4), "changes_parameter")
class ClipsItsWeights(Module):
    def __init__(self):
        self.W = Parameter(2 * np.random.randn(4, 2), name="W")

    def parameters(self):
        return [self.W]

    def forward(self, x):
        np.clip(self.W.data, -1, 1, out=self.W.data)
        self.x = x
        return x @ self.W.data

    def backward(self, grad):
        self.W.grad += self.x.T @ grad
        return grad @ self.W.data.T


@caught(normal(3, 4), "not_finite")
class NormalisesTheGradient(Module):
    """Of an upstream gradient of zeros it makes NaN."""

    def forward(self, x):
        return 2 * x

    def backward(self, grad):
        return 2 * grad * (np.linalg.norm(grad) / np.linalg.norm(grad))


@caught(normal(3, 4), "upstream_ignored")
class MeanIgnoresUpstream(Module):
    def forward(self, x):
        self.shape = x.shape
        return x.mean()

    def backward(self, grad):
        return np.ones(self.shape) / np.prod(self.shape)


@caught(normal(3, 4), "upstream_squared", "upstream_not_linear")
class SumSquaresUpstream(Module):
    def forward(self, x):
        self.x = x
        return (x ** 2).sum()

    def backward(self, grad):
        return 2 * self.x * grad ** 2


@caught(normal(3, 3), "not_listed")
class ForgetsAListOfParameters(Module):
    def __init__(self):
        self.weights = [Parameter(np.random.randn(3, 3)) for _ in range(2)]

    def forward(self, x):
        self.x, self.h = x, x @ self.weights[0].data
        return self.h @ self.weights[1].data

    def backward(self, grad):
        return grad @ self.weights[1].data.T @ self.weights[0].data.T


@caught(normal(3, 3), "not_listed")
class ForgetsADictOfParameters(Module):
    def __init__(self):
        self.p = {"W": Parameter(np.random.randn(3, 2)), "b": Parameter(np.zeros(2))}

    def parameters(self):
        return [self.p["W"]]

    def forward(self, x):
        self.x = x
        return x @ self.p["W"].data + self.p["b"].data

    def backward(self, grad):
        self.p["W"].grad += self.x.T @ grad
        return grad @ self.p["W"].data.T


@caught(normal(3, 3), "sign")
class MakesParametersLate(Module):
    """The parameter is made on the first forward; its gradient has the wrong sign."""

    W = None

    def parameters(self):
        return [] if self.W is None else [self.W]

    def forward(self, x):
        if self.W is None:
            self.W = Parameter(np.ones((x.shape[1], 2)))
        self.x = x
        return x @ self.W.data

    def backward(self, grad):
        self.W.grad -= self.x.T @ grad
        return grad @ self.W.data.T


@caught(positive(3, 3), "not_finite")
class SignByQuotient(Module):
    """x / |x| at zero; the given numbers are positive."""

    def forward(self, x):
        self.x = x
        return np.abs(x)

    def backward(self, grad):
        return grad * self.x / np.abs(self.x)


@caught(normal(3, 4), "negative_side", "wrong_formula", "term_missing")
class AbsoluteGammaForgetsSign(Module):
    def __init__(self):
        self.gamma = Parameter(np.ones(4), name="gamma")

    def parameters(self):
        return [self.gamma]

    def forward(self, x):
        self.x = x
        return np.abs(self.gamma.data) * x

    def backward(self, grad):
        self.gamma.grad += (grad * self.x).sum(axis=0)
        return grad * np.abs(self.gamma.data)


class EveryMaximum(MaxPool2d):
    """All equal maxima of a window get the gradient."""

    def backward(self, grad):
        x = self.x
        n, c, h, w = x.shape
        v = x.reshape(n, c, h // 2, 2, w // 2, 2)
        mask = v == v.max(axis=(3, 5), keepdims=True)
        return (mask * grad[:, :, :, None, :, None]).reshape(x.shape)

    def forward(self, x):
        self.x = x
        return super().forward(x)


@caught(normal(2, 1, 4, 4), "single_entries", "wrong_formula")
class TiesBehindReLU(Sequential):
    """Zeros tie in every step behind a ReLU that sends nothing back: the maximum's own check must show it."""

    def __init__(self):
        super().__init__(ReLU(), EveryMaximum(2))


@caught(normal(4, 5), "stale_cache")
class StaleMask(Dropout):
    """A mask is drawn once; evaluation mode forgets to leave it out in backward."""

    def __init__(self):
        super().__init__(0.5)

    def backward(self, grad):
        return grad * self.kept

    def forward(self, x):
        y = super().forward(x)
        if self.training:
            self.kept = self.mask
        return y


@caught(normal(16, 300), "factor", "wrong_formula")
class WrongInEvaluation(Module):
    """A large module whose evaluation mode is wrong."""

    def __init__(self):
        self.W = Parameter(np.random.randn(300, 200), name="W")

    def parameters(self):
        return [self.W]

    def forward(self, x):
        self.x = x
        return x @ self.W.data * (1.0 if self.training else 0.5)

    def backward(self, grad):
        self.W.grad += self.x.T @ grad
        return grad @ self.W.data.T


@caught(normal(8, 784), "single_entries", "transposed")
class SwapsTwoEntries(Module):
    """Two entries of one column of a large weight are exchanged."""

    def __init__(self):
        self.W = Parameter(0.1 * np.random.randn(784, 512), name="W")

    def parameters(self):
        return [self.W]

    def forward(self, x):
        self.x = x
        return x @ self.W.data

    def backward(self, grad):
        dW = self.x.T @ grad
        dW[[100, 500], 7] = dW[[500, 100], 7]
        self.W.grad += dW
        return grad @ self.W.data.T


@caught(lambda rng: (rng.normal(size=(3, 4)).astype(np.float32),), "wrong_formula", "low_precision")
class WrongInSingleOnly(Module):
    """Right in float64; in float32 another branch runs, and it is wrong."""

    def __init__(self):
        self.W = Parameter(np.random.randn(4, 2).astype(np.float32), name="W")

    def parameters(self):
        return [self.W]

    def forward(self, x):
        self.x = x
        return x @ self.W.data

    def backward(self, grad):
        scale = 0.5 if self.W.data.dtype == np.float32 else 1
        self.W.grad += (scale * self.x.T @ grad).astype(self.W.data.dtype)
        return grad @ self.W.data.T


@caught(normal(3, 4), "stale_cache")
class OnceOnly(Module):
    """The second round uses the first one's cache."""

    cache = None

    def forward(self, x):
        if self.cache is None:
            self.cache = x
        return x ** 2

    def backward(self, grad):
        return 2 * self.cache * grad


@caught(normal(3, 4), "changes_itself")
class FailsTheSecondTime(Module):
    """Deletes what the next forward needs."""

    def __init__(self):
        self.power = 2

    def forward(self, x):
        self.x = x
        return x ** self.power

    def backward(self, grad):
        result = 2 * self.x * grad
        del self.power
        return result
