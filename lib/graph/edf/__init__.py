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
forward(), and in backward() calls addgrad of each of its inputs with self.grad times the derivative. The nodes here and
in nodes.py are the operations of lib.graph under the sheet's names; those that the sheet asks for stand in sheet.py.

Notebooks that say `import edf` run with this module: `import sys; from lib.graph import edf; sys.modules["edf"] = edf`,
or this folder's parent on the path.
"""
from __future__ import annotations

import importlib
import sys
from typing import Any, List

import numpy as np

from lib.graph.edf.problems import is_of_two_batches, shape_problem, told, value_of
from lib.graph.operations import Operation, elementwise, unbroadcast
from lib.graph.operations.shapes import Index
from lib.graph.shape_errors import user_line
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
    """Compute the value of every computed node, in the order of construction.

    New data may be put into some inputs alone, to read the nodes that need no others: a loss whose labels are those of
    another batch has no value (None) then, and Backward says why.
    """
    for node in CompNodes:
        node.unfit = None
        try:
            node.forward()
        except (ValueError, IndexError) as error:
            if not is_of_two_batches(node, CompNodes, Input):
                raise
            node.value, node.unfit = None, error


def Backward(loss: "CompNode") -> None:
    """Compute the gradient of the batch average of loss.value in every node and parameter.

    All gradients start as zeros in the precision DT, to which the nodes add in place; loss.grad is ones /
    len(loss.value): the mean over the batch is taken here, not in the loss itself. Then the nodes hand their gradients
    to their inputs, in reverse order.
    """
    if loss.value is None:
        if loss.unfit is not None:
            raise InputError(f"{told(loss)} has no value: {loss.unfit}") from loss.unfit
        raise CallOrderError("Backward needs the values of the nodes: call Forward() first.")
    if np.ndim(loss.value) == 0:
        raise InputError("Backward averages over the batch, so the value of the loss must be an array with one row for "
                         "each example, but it is a single number.")
    computed = [node for node in CompNodes if node.value is not None]
    for node in computed + Parameters:
        node.grad = np.zeros(np.shape(node.value), DT)
    loss.grad = np.ones(loss.value.shape) / len(loss.value)
    for node in reversed(computed):
        node.backward()


def UpdateParameters() -> None:
    """Take one step of gradient descent in place: value -= learning_rate * grad, for each parameter."""
    for parameter in Parameters:
        parameter.value -= learning_rate * parameter.grad


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
        self.grad += np.sum(delta, axis=0)


class ParameterPackage:
    """Base class of the parameters that belong to one node."""


def Xavier(n: int) -> float:
    """Return the half-width sqrt(3 / n) of a uniform distribution with the variance 1 / n, for n inputs."""
    return float(np.sqrt(3.0 / n))


class AffineParams(ParameterPackage):
    """The parameters of Affine: A (nInputs, nOutputs), uniform within Xavier(nInputs), and b (nOutputs,), zeros.

    An older name for A is w.
    """

    def __init__(self, nInputs: int, nOutputs: int) -> None:
        width = Xavier(nInputs)
        self.A = Parameter(np.random.uniform(-width, width, (nInputs, nOutputs)))
        self.b = Parameter(np.zeros(nOutputs))

    @property
    def w(self) -> Parameter:
        return self.A


# ---------------------------------------------------------------------- computed nodes

class CompNode:
    """Base class of the computed nodes: a subclass defines __init__, forward and backward."""

    value: Any = None
    grad: Any = None
    line: Any = None  # (file, number) of the line that made the node
    unfit: Any = None  # why it has no value

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        node = super().__new__(cls)
        node.line = user_line()
        return node

    def addgrad(self, delta: Any) -> None:
        """Add what a node that uses this one hands back, in place."""
        self.grad += delta

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
        values = self.input_values()
        try:
            self.value = self.operation.forward(*values)
        except ValueError as error:
            raise shape_problem(self, values, error) from error

    def backward(self) -> None:
        values = self.input_values()
        for i, node in enumerate(self.inputs):
            send(node, self.operation.backward(i, self.grad, self.value, *values))

    def input_values(self) -> List[Any]:
        """Return the values that the operation is applied to."""
        return [value_of(node, self) for node in self.inputs]


class Affine(CompNode):
    """x A + b, with the AffineParams w: x (batch, nInputs) gives (batch, nOutputs)."""

    def __init__(self, w: AffineParams, x: Any) -> None:
        CompNodes.append(self)
        self.w = w
        self.x = x

    def forward(self) -> None:
        x, A, b = value_of(self.x, self), self.w.A.value, self.w.b.value
        try:
            self.value = x @ A + b
        except ValueError as error:
            raise shape_problem(self, [x, A, b], error) from error

    def backward(self) -> None:
        x, A = np.asarray(self.x.value), self.w.A.value
        if not isinstance(self.x, Input):
            send(self.x, self.grad @ A.T)
        send(self.w.A, x.T @ self.grad)
        self.w.b.addgrad(self.grad)  # one gradient for each example, which the parameter sums itself


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
        classes = self.p.value.shape[-1]
        if labels.size and (labels.min() < 0 or labels.max() >= classes):
            raise InputError(f"CrossEntropyLoss expects labels from 0 to {classes - 1}, one for each column of p, but "
                             f"they reach from {labels.min()} to {labels.max()}.")
        return Index((np.arange(len(labels)), labels))


LogLoss = CrossEntropyLoss  # an older name


from lib.graph.edf.nodes import (Add, Conv, ConvParams, LayerNorm, LayerNormParams, LeakyReLU,  # noqa: E402,F401
                                 MSELoss, Norm, ReLU, Relu, Reshape, Sigmoid, Softmax, Tanh, Transpose, VDot)
from lib.graph.edf.sheet import L2Loss, SingleProbToProbVector  # noqa: E402,F401

if __name__ != "lib.graph.edf":  # imported as `edf`, by its path: one module has one list of nodes
    sys.modules[__name__] = importlib.import_module("lib.graph.edf")
