"""Whole solutions of the main sheet's gaps, each with a mistake as students publish them, in our own words.

A submission fills the backward passes of ReLU, Linear, CrossEntropyLoss and Sequential. Most of it is right; `wrong`
names the modules that aren't, each with words of which the checker's first explanation must contain one (a regular
expression): what a tutor would write into the margin.
"""
from __future__ import annotations

from typing import Any, Dict, List, Tuple, Type

import numpy as np

from lib.activations import ReLU, Softmax
from lib.losses import CrossEntropyLoss
from lib.network import Linear, Sequential
from lib.network_base import Module


class Submission:
    """The gaps, filled rightly; `self` is the module in each."""

    wrong: Dict[str, str] = {}

    def relu(self: Any, grad):
        return np.where(self.input_cache > 0, grad, 0)

    def linear(self: Any, grad):
        x = self.input_cache
        self.W.grad += np.dot(x.T, grad)
        self.b.grad += np.sum(grad, axis=0)
        return np.dot(grad, self.W.data.T)

    def cross_entropy(self: Any, _=None):
        softmax, labels = self.input_cache
        return (softmax - labels) / labels.shape[0]

    def sequential(self: Any, grad):
        for module in self.modules[::-1]:
            grad = module.backward(grad)
        return grad

    @classmethod
    def modules(cls) -> Dict[str, Type[Module]]:
        """Return the four modules with this submission's backward passes, by the name of the module."""
        bases: List[Tuple[type, Any]] = [(ReLU, cls.relu), (Linear, cls.linear),
                                         (CrossEntropyLoss, cls.cross_entropy), (Sequential, cls.sequential)]
        return {base.__name__: type(base.__name__, (base,), {"backward": method}) for base, method in bases}


class MasksTheGradient(Submission):
    """ReLU sets negative gradients to zero."""

    wrong = {"ReLU": r"mask|negative gradient|sign of the (upstream )?gradient"}

    def relu(self, grad):
        grad_input = grad.copy()
        grad_input[grad_input < 0] = 0
        return grad_input


class ForwardAgain(Submission):
    """ReLU's backward is ReLU once more."""

    wrong = {"ReLU": r"mask|input|upstream"}

    def relu(self, grad):
        return self.forward(grad)


class ForgetsTheChainRule(Submission):
    """ReLU returns its derivative, without the gradient that came in."""

    wrong = {"ReLU": r"ignore|upstream|chain rule"}

    def relu(self, grad):
        derivative = np.zeros_like(self.input_cache)
        derivative[self.input_cache > 0] = 1
        return derivative


class WritesIntoTheGradient(Submission):
    """ReLU changes what it was given."""

    wrong = {"ReLU": r"change|in.place|copy"}

    def relu(self, grad):
        grad[self.input_cache < 0] = 0
        return grad


class ReturnsZeroOneOrGrad(Submission):
    """The ReLU's comparison is the wrong way round."""

    wrong = {"ReLU": r"invert|wrong way|where x < 0|opposite|negative|reverse"}

    def relu(self, grad):
        return np.array(self.input_cache <= 0, dtype=float) * grad


class AssignsTheGradients(Submission):
    """Linear assigns its gradients; a second backward deletes the first."""

    wrong = {"Linear": r"accumulat|overwr|add|\+="}

    def linear(self, grad):
        self.W.grad = self.input_cache.T.dot(grad)
        self.b.grad = grad.sum(axis=0)
        return grad.dot(self.W.data.T)


class ForgetsTheBiasSum(Submission):
    """Linear hands the bias one row for each example."""

    wrong = {"Linear": r"sum|batch|shape"}

    def linear(self, grad):
        self.W.grad = self.W.grad + self.input_cache.T @ grad
        self.b.grad = self.b.grad + grad
        return grad @ self.W.data.T


class AddsTheWholeGradientToTheBias(Submission):
    """The same with +=, where NumPy refuses."""

    wrong = {"Linear": r"sum|batch|shape|broadcast"}

    def linear(self, grad):
        self.W.grad += self.input_cache.T @ grad
        self.b.grad += grad
        return grad @ self.W.data.T


class AveragesOverTheBatch(Submission):
    """Linear divides by N, as the loss has done."""

    wrong = {"Linear": r"mean|average|1 ?/ ?N|divid|batch"}

    def linear(self, grad):
        batch_size = self.input_cache.shape[0]
        self.W.grad += (1 / batch_size) * np.dot(self.input_cache.T, grad)
        self.b.grad += (1 / batch_size) * np.sum(grad, axis=0)
        return np.dot(grad, self.W.data.T)


class FollowsTheColumnConvention(Submission):
    """Linear's formulas come from a book in which examples are columns."""

    wrong = {"Linear": r"shape|transpos|\.T\b"}

    def linear(self, grad):
        self.W.grad += np.dot(grad, self.input_cache.T)
        self.b.grad += np.sum(grad, axis=1)
        return np.dot(self.W.data.T, grad)


class ForgetsOneTranspose(Submission):
    """Linear's last line lacks a .T."""

    wrong = {"Linear": r"shape|transpos|\.T\b"}

    def linear(self, grad):
        self.W.grad += self.input_cache.T @ grad
        self.b.grad += grad.sum(0)
        return grad @ self.W.data


class ReturnsTheWrongThing(Submission):
    """Linear returns the gradient that it was given."""

    wrong = {"Linear": r"shape|unchanged|hand|pass"}

    def linear(self, grad):
        self.W.grad += self.input_cache.T @ grad
        self.b.grad += np.sum(grad, axis=0)
        return grad


class ForgetsTheReturn(Submission):
    """Linear returns nothing."""

    wrong = {"Linear": r"None|return"}

    def linear(self, grad):
        self.W.grad += self.input_cache.T @ grad
        self.b.grad += np.sum(grad, axis=0)


class SumsTheBiasCompletely(Submission):
    """np.sum without an axis."""

    wrong = {"Linear": r"sum|axis|one number|same"}

    def linear(self, grad):
        self.W.grad += self.input_cache.T @ grad
        self.b.grad += np.sum(grad)
        return grad @ self.W.data.T


class ForgetsTheBias(Submission):
    """The bias gets no gradient."""

    wrong = {"Linear": r"zero|no gradient|never|nothing|receive"}

    def linear(self, grad):
        self.W.grad += self.input_cache.T @ grad
        return grad @ self.W.data.T


class UpdatesInBackward(Submission):
    """Linear takes its step of gradient descent by itself."""

    wrong = {"Linear": r"change|in.place|parameter"}

    def linear(self, grad):
        grad_input = grad @ self.W.data.T
        self.W.grad += self.input_cache.T @ grad
        self.b.grad += np.sum(grad, axis=0)
        self.W.data -= self.W.grad
        self.b.data -= self.b.grad
        return grad_input


class ForgetsTheMean(Submission):
    """The derivation on the sheet is for one example; 1/N is missing."""

    wrong = {"CrossEntropyLoss": r"1 ?/ ?N|mean|batch"}

    def cross_entropy(self, _=None):
        softmax, labels = self.input_cache
        return softmax - labels


class LabelsMinusSoftmax(Submission):
    """The cross-entropy's sign is turned round."""

    wrong = {"CrossEntropyLoss": r"sign|minus|-1"}

    def cross_entropy(self, _=None):
        softmax, labels = self.input_cache
        return (labels - softmax) / len(labels)


class DividesByProbabilities(Submission):
    """The derivative by the probabilities, -y/p."""

    wrong = {"CrossEntropyLoss": r"probabilit|softmax|logit"}

    def cross_entropy(self, _=None):
        softmax, labels = self.input_cache
        return -(labels / softmax) / len(labels)


class SoftmaxOfSoftmaxes(Submission):
    """The cache holds the softmax already, and it is taken again."""

    wrong = {"CrossEntropyLoss": r"softmax"}

    def cross_entropy(self, _=None):
        preds, labels = self.input_cache
        return (Softmax()(preds) - labels) / len(labels)


class DividesByEverything(Submission):
    """np.mean's habit: divided by the number of all entries."""

    wrong = {"CrossEntropyLoss": r"factor|divid|1 ?/ ?K|N ?\*? ?K|classes|entries|columns|mean"}

    def cross_entropy(self, _=None):
        softmax, labels = self.input_cache
        return (softmax - labels) / np.prod(labels.shape)


class TrueClassOnly(Submission):
    """Only the true class's logit gets a gradient."""

    wrong = {"CrossEntropyLoss": r"label|class|softmax|some entries|zero"}

    def cross_entropy(self, _=None):
        softmax, labels = self.input_cache
        grad = np.zeros_like(softmax)
        for n in range(len(labels)):
            k = np.argmax(labels[n])
            grad[n, k] = (softmax[n, k] - 1) / len(labels)
        return grad


class LayersInForwardOrder(Submission):
    """Sequential goes from the first layer to the last."""

    wrong = {"Sequential": r"order|reverse|backwards|last"}

    def sequential(self, grad):
        for module in self.modules:
            grad = module.backward(grad)
        return grad


class SameGradientForAll(Submission):
    """Sequential gives each layer the gradient of the loss."""

    wrong = {"Sequential": r"same|each|every|result|None|return"}

    def sequential(self, grad):
        for module in reversed(self.modules):
            module.backward(grad)


class ReturnsInsideTheLoop(Submission):
    """Sequential's return is indented too far."""

    wrong = {"Sequential": r"skip|layer|reach|return|zero|no gradient"}

    def sequential(self, grad):
        for module in reversed(self.modules):
            grad = module.backward(grad)
            return grad


class NothingReturnedBySequential(Submission):
    """Sequential visits every layer, and returns nothing."""

    wrong = {"Sequential": r"None|return"}

    def sequential(self, grad):
        for module in reversed(self.modules):
            grad = module.backward(grad)


class FirstLayerLeftOut(Submission):
    """Sequential's range stops before 0."""

    wrong = {"Sequential": r"skip|layer|reach|zero|no gradient"}

    def sequential(self, grad):
        for i in range(len(self.modules) - 1, 0, -1):
            grad = self.modules[i].backward(grad)
        return grad


class TwoMistakes(Submission):
    """The loss lacks 1/N, so the student has put it into Linear: together they train rightly."""

    wrong = {"CrossEntropyLoss": r"1 ?/ ?N|mean|batch", "Linear": r"mean|average|1 ?/ ?N|divid|batch"}

    def cross_entropy(self, _=None):
        softmax, labels = self.input_cache
        return softmax - labels

    def linear(self, grad):
        n = len(grad)
        self.W.grad += self.input_cache.T @ grad / n
        self.b.grad += grad.mean(axis=0)
        return grad @ self.W.data.T / n


class NotStarted(Submission):
    """Only ReLU is done; the rest is as it was handed out."""

    wrong = {"Linear": r"to do|not (yet )?(written|filled|done)|gap|NotImplemented|unfinished",
             "CrossEntropyLoss": r"to do|not (yet )?(written|filled|done)|gap|None|unfinished",
             "Sequential": r"to do|not (yet )?(written|filled|done)|gap|None|unfinished"}

    def linear(self, grad):
        raise NotImplementedError()

    def cross_entropy(self, _=None):
        pass

    def sequential(self, grad):
        pass


SUBMISSIONS: List[Type[Submission]] = Submission.__subclasses__()
