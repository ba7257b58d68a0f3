"""Wrong Sequential, as students write it."""
from __future__ import annotations

import numpy as np

from lib.activations import Sigmoid
from lib.layers.activations import Tanh
from lib.network import Linear, Sequential
from tests.mutants.bank import mutant


def randomised(model, rng):
    """Return the model with weights of a size at which every layer's share can be seen."""
    for param in model.parameters():
        param.data = rng.normal(size=param.data.shape)
    return model


def square(cls, rng):
    """Return a situation in which all layers have one width, so that no mistake shows in the shapes."""
    model = cls(Linear(3, 3, rng=rng), Tanh(), Linear(3, 3, rng=rng), Sigmoid(), Linear(3, 3, rng=rng))
    return randomised(model, rng), (rng.normal(size=(4, 3)),)


@mutant("forward_order", situation=square)
class SequentialForwardOrder(Sequential):
    """backward visits the layers as forward does."""

    def backward(self, grad):
        for module in self.modules:
            grad = module.backward(grad)
        return grad


@mutant("forward_order", "exception")
class SequentialForwardOrderRaises(Sequential):
    """The same, where the widths differ."""

    def backward(self, grad):
        for module in self.modules:
            grad = module.backward(grad)
        return grad


@mutant("same_gradient", situation=square)
class SequentialSameGradient(Sequential):
    """Every layer gets the gradient of the loss; what they return is dropped."""

    def backward(self, grad):
        for module in reversed(self.modules):
            grad_input = module.backward(grad)
        return grad_input


@mutant("same_gradient", "exception")
class SequentialSameGradientRaises(Sequential):
    """The same, where the widths differ."""

    def backward(self, grad):
        for module in reversed(self.modules):
            module.backward(grad)
        return grad


@mutant("same_gradient", "passed_on", situation=square)
class SequentialDropsResults(Sequential):
    """The layers' results are dropped, and the gradient is returned as it came."""

    def backward(self, grad):
        for module in self.modules[::-1]:
            module.backward(grad)
        return grad


@mutant("passed_on", situation=square)
class SequentialReturnsTheUpstream(Sequential):
    """The chain is right, in a variable that isn't returned."""

    def backward(self, grad):
        current = grad
        for module in reversed(self.modules):
            current = module.backward(current)
        return grad


@mutant("layer_skipped", "zeros", situation=square)
class SequentialSkipsFirst(Sequential):
    """range ends before 0, so the first layer is left out."""

    def backward(self, grad):
        for i in range(len(self.modules) - 1, 0, -1):
            grad = self.modules[i].backward(grad)
        return grad


@mutant("layer_skipped", "zeros", situation=square)
class SequentialSkipsLast(Sequential):
    """The last layer is the loss, isn't it?"""

    def backward(self, grad):
        for module in reversed(self.modules[:-1]):
            grad = module.backward(grad)
        return grad


@mutant("layer_skipped", situation=square)
class SequentialSkipsActivations(Sequential):
    """Only layers with parameters have something to do."""

    def backward(self, grad):
        for module in reversed(self.modules):
            if module.parameters():
                grad = module.backward(grad)
        return grad


@mutant("layer_skipped", "wrong_shape", "zeros")
class SequentialReturnsInLoop(Sequential):
    """The return is indented too far."""

    def backward(self, grad):
        for module in reversed(self.modules):
            grad = module.backward(grad)
            return grad


@mutant("layer_skipped", "zeros", situation=square)
class SequentialReturnsInLoopSquare(Sequential):
    """The same, where the shapes don't tell."""

    def backward(self, grad):
        for module in reversed(self.modules):
            grad = module.backward(grad)
            return grad


@mutant("returned_none")
class SequentialReturnsNothing(Sequential):
    """All layers are visited, and the return is missing."""

    def backward(self, grad):
        for module in reversed(self.modules):
            grad = module.backward(grad)


@mutant("returned_none", "unfinished")
class SequentialGap(Sequential):
    """The gap as it is handed out."""

    def backward(self, grad):
        # START TODO ################
        pass
        # END TODO ##################


@mutant("forward_order", "stale_cache", "changes_parameter", "changes_input", situation=square)
class SequentialReversesItself(Sequential):
    """list.reverse turns the network itself round."""

    def backward(self, grad):
        self.modules.reverse()
        for module in self.modules:
            grad = module.backward(grad)
        return grad


@mutant("factor")
class SequentialTwice(Sequential):
    """Each backward is called twice: once for the parameters, once for the gradient."""

    def backward(self, grad):
        for module in reversed(self.modules):
            module.backward(grad)
            grad = module.backward(grad)
        return grad


@mutant("overwritten")
class SequentialZeroes(Sequential):
    """Gradients are reset in backward, as they must be reset somewhere."""

    def backward(self, grad):
        self._zero_grad()
        for module in reversed(self.modules):
            grad = module.backward(grad)
        return grad


@mutant("mean_for_sum", "factor")
class SequentialAverages(Sequential):
    """The mean over the batch once more."""

    def backward(self, grad):
        grad = grad / grad.shape[0]
        for module in reversed(self.modules):
            grad = module.backward(grad)
        return grad


@mutant("upstream_squared", "wrong_formula", "upstream_not_linear", situation=square)
class SequentialMultiplies(Sequential):
    """The chain rule multiplies; but module.backward has done so already."""

    def backward(self, grad):
        for module in reversed(self.modules):
            grad = grad * module.backward(grad)
        return grad


@mutant("upstream_ignored", "exception")
class SequentialStartsWithOnes(Sequential):
    """dL/dL = 1 is where it starts, whatever it is given."""

    def backward(self, grad):
        grad = np.ones_like(grad)
        for module in reversed(self.modules):
            grad = module.backward(grad)
        return grad


@mutant("wrong_formula", "layer_skipped", "zeros", situation=square)
class SequentialCallsForward(Sequential):
    """module(grad) for module.backward(grad)."""

    def backward(self, grad):
        for module in reversed(self.modules):
            grad = module(grad)
        return grad


@mutant("wrong_formula", "factor", situation=square)
class SequentialAddsUp(Sequential):
    """The results of all layers are added up."""

    def backward(self, grad):
        total = 0
        for module in reversed(self.modules):
            grad = module.backward(grad)
            total = total + grad
        return total
