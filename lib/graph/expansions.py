"""How modules of the sheets' own classes are written out in single operations of the graph.

Their own forward would do as well, run on nodes; here, they have the operations that the field has names for, such as
sigmoid and log_softmax. These classes may be a student's, whose file may lack some of them; a rule uses the course's
names alone, and what it gives counts only if it agrees with the module: see lib.graph.modules.
To have a module of your own written out otherwise than by its forward::

    @expansion(MyModule)
    def _my_module(module, x):
        return x @ parameter_node(module.W)
"""
from __future__ import annotations

from typing import Any

import numpy as np

from lib import layers
from lib.graph.expansion_rules import expansion, passes_nodes_on
from lib.graph.node import Node
from lib.graph.operations import FUNCTIONS, call
from lib.graph.operations.convolution import Convolution
from lib.graph.parameter_nodes import parameter_node

passes_nodes_on(getattr(layers, "Sequential", None))


@expansion(getattr(layers, "Linear", None))
def _linear(module: Any, x: Node) -> Node:
    z = x @ parameter_node(module.W)
    return z if _is_left_out(module.b) else z + parameter_node(module.b)


def _is_left_out(bias: Any) -> bool:
    """Tell whether a layer has no bias, which is one of zeros that isn't trained."""
    return bias.constant and not bias.data.any()


@expansion(getattr(layers, "ReLU", None))
def _relu(module: Any, x: Node) -> Node:
    return FUNCTIONS["relu"](x)


@expansion(getattr(layers, "Sigmoid", None))
def _sigmoid(module: Any, x: Node) -> Node:
    return FUNCTIONS["sigmoid"](x)


@expansion(getattr(layers, "Softmax", None))
def _softmax(module: Any, x: Node) -> Node:
    return FUNCTIONS["softmax"](x, axis=tuple(range(1, x.ndim)) or tuple(range(x.ndim)))


@expansion(getattr(layers, "CrossEntropyLoss", None))
def _cross_entropy(module: Any, preds: Node, labels: Node) -> Node:
    return -(labels * FUNCTIONS["log_softmax"](preds)).sum() / len(preds)


@expansion(getattr(layers, "MSELoss", None))
def _mse(module: Any, preds: Node, labels: Node) -> Node:
    return ((preds - labels) ** 2).sum() / (2 * len(preds))


# ---------------------------------------------------------------------- regularisation

@expansion(getattr(layers, "Dropout", None))
def _dropout(module: Any, x: Node) -> Node:
    return x * (1 if module.mask is None else module.mask)  # the mask of the call that was just made


@expansion(getattr(layers, "L1Regularization", None))
def _l1(module: Any) -> Node:
    total: Any = 0.0
    for parameter in module.params:
        w: Any = parameter_node(parameter)
        total = total + np.where(w == 0, 0, abs(w)).sum()  # at 0, the penalty's derivative is 0
    return module.lambd * total


@expansion(getattr(layers, "L2Regularization", None))
def _l2(module: Any) -> Node:
    total: Any = 0.0
    for w in map(parameter_node, module.params):
        total = total + (w ** 2).sum()
    return module.lambd / 2 * total


# ---------------------------------------------------------------------- images

@expansion(getattr(layers, "Flatten", None))
def _flatten(module: Any, x: Node) -> Node:
    return x.reshape(len(x), -1)


@expansion(getattr(layers, "Conv2d", None))
def _conv2d(module: Any, x: Node) -> Node:
    z = call(Convolution(module.stride, module.padding), x, parameter_node(module.W))
    return z if _is_left_out(module.b) else z + parameter_node(module.b)
