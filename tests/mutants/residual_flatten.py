"""Wrong Residual and Flatten, as students write them."""
from __future__ import annotations

import numpy as np

from lib.convolutions import Flatten
from lib.network import Linear
from lib.layers.residual import Residual
from tests.mutants.bank import mutant


@mutant("skip_path_forgotten")
class ResidualWithoutSkip(Residual):
    """Only the main path is differentiated."""

    def backward(self, grad):
        return self.module.backward(grad)


@mutant("main_path_forgotten", "passed_on", "zeros")
class ResidualWithoutMain(Residual):
    """The gradient flows past the module, which never hears of it."""

    def backward(self, grad):
        return grad


@mutant("main_path_forgotten", "passed_on")
class ResidualDropsMain(Residual):
    """The module's backward is called, and its result is dropped."""

    def backward(self, grad):
        self.module.backward(grad)
        return grad


@mutant("factor")
class ResidualHalves(Residual):
    """Two paths, so each gets half."""

    def backward(self, grad):
        return self.module.backward(grad / 2) + grad / 2


@mutant("wrong_formula", "factor", "skip_path_forgotten")
class ResidualSkipTwice(Residual):
    """The skip path is counted twice."""

    def backward(self, grad):
        return self.module.backward(grad) + 2 * grad


@mutant("upstream_squared", "wrong_formula", "upstream_not_linear")
class ResidualMultiplies(Residual):
    """Where paths meet, the gradients are multiplied instead of added."""

    def backward(self, grad):
        return grad * self.module.backward(grad)


@mutant("skip_path_forgotten", "zeros", example=1)
class ResidualForgetsShortcut(Residual):
    """The shortcut's own weights never get a gradient."""

    def backward(self, grad):
        return self.module.backward(grad)


@mutant("wrong_formula", "skip_path_forgotten", "exception",
        situation=lambda cls, rng: (cls(Linear(3, 3, rng=rng), Linear(3, 3, rng=rng)), (rng.normal(size=(4, 3)),)))
class ResidualInARow(Residual):
    """The paths are taken one after the other, not side by side."""

    def backward(self, grad):
        grad = self.module.backward(grad)
        return self.shortcut.backward(grad)


@mutant("wrong_formula", "skip_path_forgotten",
        situation=lambda cls, rng: (cls(Linear(3, 3, rng=rng), Linear(3, 3, rng=rng)), (rng.normal(size=(4, 3)),)))
class ResidualTakesIdentity(Residual):
    """The shortcut is taken for the identity, though it has weights; they are served as well."""

    def backward(self, grad):
        self.shortcut.backward(grad)
        return self.module.backward(grad) + grad


@mutant("upstream_ignored", "upstream_not_linear", "wrong_formula")
class ResidualAddsOne(Residual):
    """d(m(x) + x)/dx = m'(x) + 1, so 1 is added."""

    def backward(self, grad):
        return self.module.backward(grad) + 1


@mutant("sign", "wrong_formula", "skip_path_forgotten")
class ResidualSubtracts(Residual):
    """A residual is a difference."""

    def backward(self, grad):
        return grad - self.module.backward(grad)


# ---------------------------------------------------------------------- Flatten


@mutant("wrong_shape", "passed_on", "unfinished")
class FlattenPassesOn(Flatten):
    """There is nothing to differentiate."""

    def backward(self, grad):
        return grad


@mutant("transposed", "wrong_formula", "single_entries")
class FlattenFortran(Flatten):
    """Put back in another order than it was taken."""

    def backward(self, grad):
        return grad.reshape(self.input_cache.shape, order="F")


@mutant("transposed", "wrong_formula", "single_entries",
        situation=lambda cls, rng: (cls(), (rng.normal(size=(2, 3, 3)),)))
class FlattenSwapsAxes(Flatten):
    """Height and width are exchanged."""

    def backward(self, grad):
        return grad.reshape(self.input_cache.shape).swapaxes(1, 2)


@mutant("upstream_ignored")
class FlattenOnes(Flatten):
    """The derivative of reordering is 1."""

    def backward(self, grad):
        return np.ones(self.input_cache.shape)


@mutant("returned_none")
class FlattenReshapesAway(Flatten):
    """reshape returns the new array; it doesn't change the old one."""

    def backward(self, grad):
        grad.reshape(self.input_cache.shape)


@mutant("changes_upstream", "wrong_shape")
class FlattenSetsShape(Flatten):
    """The shape of the upstream gradient itself is changed."""

    def backward(self, grad):
        grad.shape = self.input_cache.shape
        return grad


@mutant("one_sample")
class FlattenRepeatsFirst(Flatten):
    """The first example's gradient goes to all."""

    def backward(self, grad):
        return np.broadcast_to(grad[0].reshape(self.input_cache.shape[1:]), self.input_cache.shape).copy()
