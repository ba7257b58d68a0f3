"""EDF, the Educational Framework of the course: a graph of nodes that are run in the order in which they were made.

Programming model: make the graph once by constructing nodes, then repeat: set the inputs' values, Forward(),
Backward(loss), UpdateParameters(). Constructing a computed node appends it to CompNodes, so their order is a
topological one: Forward runs along it, Backward against it. Values are batches, whose first axis counts the examples.

    >>> from lib.graph import edf
    >>> edf.clear_compgraph()
    >>> x, y = edf.Input(), edf.Input()
    >>> params = edf.AffineParams(1, 1)
    >>> loss = edf.L2Loss(y, edf.Affine(params, x))
    >>> x.value, y.value = np.array([[1.0], [2.0], [3.0]]), np.array([[5.0], [7.0], [9.0]])   # y = 2 x + 3
    >>> edf.learning_rate = 0.1
    >>> for step in range(1000):
    ...     edf.Forward()
    ...     edf.Backward(loss)
    ...     edf.UpdateParameters()
    >>> round(params.A.value.item(), 3), round(params.b.value.item(), 3)
    (2.0, 3.0)
    >>> edf.learning_rate = 0.001

A node of one's own is a subclass of CompNode that appends itself to CompNodes in __init__, sets self.value in
forward(), and in backward() calls addgrad of each of its inputs with self.grad times the derivative. The nodes here are
the operations of lib.graph under the sheet's names; more of them stand in nodes.py.
"""
from __future__ import annotations

from typing import Any, List

import numpy as np

from lib.graph.operations import Operation, arithmetic, elementwise, kinks, reductions, unbroadcast
from lib.graph.operations.shapes import Index
from lib.validation import CallOrderError, InputError

CompNodes: List[Any] = []  # all computed nodes, in the order of construction
Parameters: List["Parameter"] = []  # all parameters
learning_rate = 0.001  # of UpdateParameters; users assign edf.learning_rate
DT = np.float32  # the precision of parameters and of fresh gradients


def clear_compgraph() -> None:
    """Forget all nodes and parameters, before a new graph is made."""
    CompNodes.clear()
    Parameters.clear()


def Forward() -> None:
    """Compute the value of every computed node, in the order of construction."""
    for node in CompNodes:
        node.forward()


def Backward(loss: "CompNode") -> None:
    """Compute the gradient of the batch average of loss.value in every node and parameter.

    All gradients start as zeros, loss.grad as ones / len(loss.value): the mean over the batch is taken here, not in the
    loss itself. Then the nodes hand their gradients to their inputs, in reverse order.
    """
    if loss.value is None:
        raise CallOrderError("Backward needs the values of the nodes: call Forward() first.")
    if np.ndim(loss.value) == 0:
        raise InputError("Backward averages over the batch, so the value of the loss must be an array with one row for "
                         "each example, but it is a single number.")
    for node in CompNodes + Parameters:
        node.grad = np.zeros(node.value.shape, DT)
    loss.grad = np.ones(loss.value.shape, DT) / DT(len(loss.value))
    for node in reversed(CompNodes):
        node.backward()


def UpdateParameters() -> None:
    """Take one step of gradient descent: value -= learning_rate * grad, for each parameter."""
    for parameter in Parameters:
        parameter.value = (parameter.value - learning_rate * parameter.grad).astype(DT, copy=False)


SGD = UpdateParameters  # the framework's older name


# ---------------------------------------------------------------------- leaves

class Input:
    """A leaf whose value the user sets; no gradient is kept for it."""

    value: Any = None
    grad: Any = None

    def addgrad(self, delta: Any) -> None:
        """Do nothing: inputs aren't learnt."""


class Parameter:
    """A learnable leaf. Nodes hand it one gradient for each example, and it keeps the sum over the examples.

    Args:
        value: the numbers to start with, stored in the precision DT.
    """

    def __init__(self, value: Any) -> None:
        Parameters.append(self)
        self.value: Any = np.array(value, DT)
        self.grad: Any = np.zeros(self.value.shape, DT)

    def addgrad(self, delta: Any) -> None:
        """Add the sum of delta, (batch, *shape of value), over the batch."""
        self.grad = self.grad + delta.sum(axis=0)


class ParameterPackage:
    """Base class of the parameters that belong to one node."""


def Xavier(n: int) -> float:
    """Return the half-width sqrt(3 / n) of a uniform distribution with the variance 1 / n, for n inputs."""
    return float(np.sqrt(3.0 / n))


class AffineParams(ParameterPackage):
    """The parameters of Affine: A (nInputs, nOutputs), uniform within Xavier(nInputs), and b (nOutputs,), zeros."""

    def __init__(self, nInputs: int, nOutputs: int) -> None:
        width = Xavier(nInputs)
        self.A = Parameter(np.random.uniform(-width, width, (nInputs, nOutputs)))
        self.b = Parameter(np.zeros(nOutputs))


# ---------------------------------------------------------------------- computed nodes

class CompNode:
    """Base class of the computed nodes: a subclass defines __init__, forward and backward."""

    value: Any = None
    grad: Any = None

    def addgrad(self, delta: Any) -> None:
        """Add what a node that uses this one hands back."""
        self.grad = self.grad + delta

    def forward(self) -> None:
        """Set self.value from the values of the inputs."""
        raise NotImplementedError(f"{type(self).__name__} doesn't define forward yet.")

    def backward(self) -> None:
        """Call addgrad of each input with self.grad times the derivative of self.value by that input."""
        raise NotImplementedError(f"{type(self).__name__} doesn't define backward yet.")


def send(node: Any, delta: Any) -> None:
    """Hand a gradient to an input, in its own shape; a Parameter gets it as that of one example, already summed."""
    if isinstance(node, Input):
        return
    delta = unbroadcast(delta, node.value.shape)
    node.addgrad(delta[np.newaxis] if isinstance(node, Parameter) else delta)


class OperationNode(CompNode):
    """Base class of the nodes that are one operation of lib.graph."""

    operation: Operation

    def __init__(self, *inputs: Any) -> None:
        CompNodes.append(self)
        self.inputs = inputs

    def forward(self) -> None:
        self.value = self.operation.forward(*self.input_values())

    def backward(self) -> None:
        values = self.input_values()
        for i, node in enumerate(self.inputs):
            send(node, self.operation.backward(i, self.grad, self.value, *values))

    def input_values(self) -> List[Any]:
        """Return the values that the operation is applied to."""
        return [node.value for node in self.inputs]


class Affine(CompNode):
    """x A + b, with the AffineParams w: x (batch, nInputs) gives (batch, nOutputs)."""

    def __init__(self, w: AffineParams, x: Any) -> None:
        CompNodes.append(self)
        self.w = w
        self.x = x

    def forward(self) -> None:
        self.value = arithmetic.Add().forward(arithmetic.MatMul().forward(self.x.value, self.w.A.value), self.w.b.value)

    def backward(self) -> None:
        x, A = self.x.value, self.w.A.value
        if not isinstance(self.x, Input):
            send(self.x, arithmetic.MatMul().backward(0, self.grad, None, x, A))
        send(self.w.A, arithmetic.MatMul().backward(1, self.grad, None, x, A))
        self.w.b.addgrad(self.grad)  # one gradient for each example, which the parameter sums itself


class Sigmoid(OperationNode):
    """1 / (1 + exp(-x)), with x clamped to -10 ... 10; the derivative is value (1 - value), also where x is clamped."""

    operation = elementwise.Sigmoid()

    def input_values(self) -> List[Any]:
        return [np.clip(self.inputs[0].value, -10, 10)]


class ReLU(OperationNode):
    """max(0, x)."""

    operation = kinks.ReLU()


class Tanh(OperationNode):
    """tanh(x)."""

    operation = elementwise.Tanh()


class Add(OperationNode):
    """x1 + x2."""

    operation = arithmetic.Add()


class Softmax(OperationNode):
    """Probabilities from scores s, row by row; s - max(s) is clamped at -10, so that no probability becomes 0."""

    operation = reductions.Softmax(axis=-1)

    def input_values(self) -> List[Any]:
        s = self.inputs[0].value
        return [np.maximum(s - s.max(axis=-1, keepdims=True), -10)]


class CrossEntropyLoss(CompNode):
    """-log p[i, y_i] for each example i: value (batch,), without a mean.

    Args:
        p: a computed node with a row of probabilities for each example, (batch, K), such as a Softmax.
        y: an Input with the labels, integers (batch,).
    """

    def __init__(self, p: CompNode, y: Any) -> None:
        if not isinstance(p, CompNode):
            raise ValueError(f"CrossEntropyLoss expects p to be a computed node of probabilities, such as "
                             f"edf.Softmax(scores), but got a {type(p).__name__}.")
        CompNodes.append(self)
        self.p = p
        self.y = y

    def forward(self) -> None:
        self.chosen = self._index().forward(self.p.value)
        self.value = -elementwise.Log().forward(self.chosen)

    def backward(self) -> None:
        delta = elementwise.Log().backward(0, -self.grad, None, self.chosen)
        send(self.p, self._index().backward(0, delta, None, self.p.value))

    def _index(self) -> Index:
        labels = np.asarray(self.y.value)
        if labels.ndim != 1 or len(labels) != len(self.p.value) or labels.dtype.kind not in "iu":
            raise InputError(f"CrossEntropyLoss expects the labels as integers of shape (batch,) = "
                             f"({len(self.p.value)},), but got {labels.dtype} of shape {labels.shape}.")
        return Index((np.arange(len(labels)), labels))


# ---------------------------------------------------------------------- the nodes that students write

class L2Loss(CompNode):
    """The squared error (y - y_hat)^2, entry by entry: (batch, 1), without a mean, which Backward takes."""

    def __init__(self, y: Any, y_hat: Any) -> None:
        CompNodes.append(self)
        self.y = y
        self.y_hat = y_hat

    def forward(self) -> None:
        # START TODO ################
        self.value = (self.y.value - self.y_hat.value) ** 2
        # END TODO ##################

    def backward(self) -> None:
        # START TODO ################
        # dv/dy = 2 (y - y_hat) and dv/dy_hat = -2 (y - y_hat), times the gradient that came from above.
        delta = self.grad * 2 * (self.y.value - self.y_hat.value)
        self.y.addgrad(delta)
        self.y_hat.addgrad(-delta)
        # END TODO ##################


class SingleProbToProbVector(CompNode):
    """Both probabilities of a yes-no question from one: o[i] = (z[i], 1 - z[i]), (batch, 1) to (batch, 2).

    This is the sheet's formula. The sheet also says that the vector's entry 1 is P(Y = 1), which contradicts it. With
    the formula, z is the probability of the label 0, so the learnt weights have the opposite sign.
    """

    def __init__(self, z: Any) -> None:
        CompNodes.append(self)
        self.z = z

    def forward(self) -> None:
        # START TODO ################
        self.value = np.concatenate([self.z.value, 1 - self.z.value], axis=1)
        # END TODO ##################

    def backward(self) -> None:
        # START TODO ################
        # z reaches the loss on two ways: do0/dz = 1 and do1/dz = -1.
        self.z.addgrad(self.grad[:, 0:1] - self.grad[:, 1:2])
        # END TODO ##################


from lib.graph.edf.nodes import (Conv, ConvParams, LayerNorm, LayerNormParams, LeakyReLU, MSELoss,  # noqa: E402,F401
                                 Norm, Reshape, Transpose, VDot)
