"""How containers, activations and losses are written out in single operations of the graph.

A rule gets the module and its input nodes and returns the output node. To have a module of your own written out::

    @expansion(MyModule)
    def _my_module(module, x):
        return x @ parameter_node(module.W)
"""
from __future__ import annotations

import math
from typing import Any

import lib.layers.activations
import lib.layers.losses
import lib.layers.residual
from lib import activations, convolutions, layers, losses, network, regularizers, utilities
from lib.layers.attention import PerPosition
from lib.graph.modules import expansion, parameter_node
from lib.graph.node import Node
from lib.graph.operations.elementwise import erf, exp, log1p, sigmoid, tanh
from lib.graph.operations.kinks import abs as absolute
from lib.graph.operations.kinks import maximum, relu
from lib.graph.operations.reductions import log_softmax, softmax
from lib.validation import checked_pair


# ---------------------------------------------------------------------- containers

@expansion(network.Sequential, container=True)
def _sequential(module: Any, x: Node) -> Node:
    for step in module.modules:
        x = step(x)
    return x


@expansion(layers.residual.Residual, container=True)
def _residual(module: Any, x: Node) -> Node:
    return module.module(x) + (x if module.shortcut is None else module.shortcut(x))


@expansion(PerPosition, container=True)
def _per_position(module: Any, x: Node) -> Node:
    return module.module(x.reshape(-1, x.shape[2])).reshape(x.shape[:2] + (-1,))


# ---------------------------------------------------------------------- layers without a file of their own

@expansion(network.Linear)
def _linear(module: Any, x: Node) -> Node:
    z = x @ parameter_node(module.W)
    return z if module.b.constant else z + parameter_node(module.b)


@expansion(convolutions.Flatten)
def _flatten(module: Any, x: Node) -> Node:
    return x.reshape(len(x), -1)


@expansion(utilities.Dummy)
def _dummy(module: Any, x: Node) -> Node:
    return 0.5 - x


@expansion(regularizers.Dropout)
def _dropout(module: Any, x: Node) -> Node:
    module.forward(x.value)  # draws the mask
    return x * 1 if module.mask is None else x * module.mask


# ---------------------------------------------------------------------- activations

@expansion(layers.activations.Identity)
def _identity(module: Any, x: Node) -> Node:
    return x * 1


@expansion(activations.ReLU)
def _relu(module: Any, x: Node) -> Node:
    return relu(x)


@expansion(layers.activations.LeakyReLU)
def _leaky_relu(module: Any, x: Node) -> Node:
    # At the tie x = 0 the gradient goes to the second argument, whose slope is the left derivative.
    if module.slope <= 1:
        return maximum(x, module.slope * x)
    return -maximum(-x, -(module.slope * x))


@expansion(activations.Sigmoid)
def _sigmoid(module: Any, x: Node) -> Node:
    return sigmoid(x)


@expansion(layers.activations.Tanh)
def _tanh(module: Any, x: Node) -> Node:
    return tanh(x)


def softplus(x: Node) -> Node:
    """Return log(1 + exp(x)) without overflow, as max(x, 0) + log(1 + exp(-|x|))."""
    return relu(x) + log1p(exp(-absolute(x)))


@expansion(layers.activations.Softplus)
def _softplus(module: Any, x: Node) -> Node:
    return softplus(x)


@expansion(layers.activations.GELU)
def _gelu(module: Any, x: Node) -> Node:
    if module.approximate == "tanh":
        return x * (1 + tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x))) / 2
    return x * (1 + erf(x / math.sqrt(2))) / 2


@expansion(activations.Softmax)
def _softmax(module: Any, x: Node) -> Node:
    return softmax(x, axis=tuple(range(1, x.ndim)) or tuple(range(x.ndim)))


# ---------------------------------------------------------------------- losses

@expansion(losses.CrossEntropyLoss)
def _cross_entropy(module: Any, preds: Node, labels: Node) -> Node:
    module.forward(preds.value, labels.value)  # complains in a sentence if they don't fit
    return -(labels * log_softmax(preds)).sum() / len(preds)


@expansion(getattr(losses, "MSELoss", None))  # a student's losses of sheet 3 have none
def _mse(module: Any, preds: Node, labels: Node) -> Node:
    checked_pair(module, preds.value, labels.value)
    return ((preds - labels) ** 2).sum() / (2 * len(preds))


@expansion(layers.losses.MeanSquaredError)
def _mean_squared_error(module: Any, preds: Node, labels: Node) -> Node:
    checked_pair(module, preds.value, labels.value)
    return ((preds - labels) ** 2).mean()


@expansion(layers.losses.L1Loss)
def _l1(module: Any, preds: Node, labels: Node) -> Node:
    checked_pair(module, preds.value, labels.value)
    return absolute(preds - labels).sum() / len(preds)


@expansion(layers.losses.BinaryCrossEntropyLoss)
def _binary_cross_entropy(module: Any, preds: Node, labels: Node) -> Node:
    module.forward(preds.value, labels.value)  # complains in a sentence if they don't fit
    return (softplus(preds) - labels * preds).sum() / len(preds)


@expansion(regularizers.RegularizedCrossEntropy)
def _regularized_cross_entropy(module: Any, preds: Node, labels: Node) -> Node:
    penalty = module.reg_loss
    total = _cross_entropy(module.ce_loss, preds, labels)
    for parameter in penalty.params:
        w = parameter_node(parameter)
        if isinstance(penalty, regularizers.L1Regularization):
            total = total + penalty.lambd * absolute(w).sum()
        else:
            total = total + penalty.lambd / 2 * (w ** 2).sum()
    return total
