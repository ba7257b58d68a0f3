"""The leaves of a graph that stand for the Parameters of modules, and their names."""
from __future__ import annotations

import weakref
from typing import Any, Dict, Optional

from lib.graph.node import Node
from lib.network_base import Module, Parameter

root: Any = None  # the module that was called on a node, while the modules inside of it are run
_leaves: "weakref.WeakValueDictionary[int, ParameterNode]" = weakref.WeakValueDictionary()


class ParameterNode(Node):
    """A leaf that stands for a Parameter of a module.

    Its name is worked out when it is asked for: the parameter's own in a network of a single layer, such as W, and
    numbered by layers otherwise: W1, b1 in the first one, W2, b2 in the next.
    """

    __slots__ = ("parameter", "root", "given_name")

    def __init__(self, parameter: Parameter, root: Optional[Module]) -> None:
        self.parameter = parameter
        self.root = root
        super().__init__(parameter.data, not parameter.constant, None)

    @property
    def name(self) -> Optional[str]:  # type: ignore[override]
        """The name that was given to the node, or else that of its parameter in the network."""
        return self.given_name or _name_in(self.root, self.parameter)

    @name.setter
    def name(self, name: Optional[str]) -> None:
        self.given_name = name


def parameter_node(parameter: Parameter) -> ParameterNode:
    """Return the leaf of a parameter: the same one wherever the parameter is used, as long as its data is the same."""
    if isinstance(parameter.data, ParameterNode):  # while its module is traced
        return parameter.data
    node = _leaves.get(id(parameter))
    if node is None or node.parameter is not parameter or node.value is not parameter.data \
            or node.needs_grad is parameter.constant:  # frozen or set free in between
        node = ParameterNode(parameter, root)
        _leaves[id(parameter)] = node
    return node


def _name_in(root: Optional[Module], parameter: Parameter) -> Optional[str]:
    """Return a parameter's name, numbered by layers if the network has parameters in several."""
    layers: Dict[str, int] = {}
    own_layer = ""
    for path, other in root.named_parameters() if root is not None else ():
        layer = path.rpartition(".")[0]
        layers.setdefault(layer, len(layers) + 1)
        if other is parameter:
            own_layer = layer
    return f"{parameter.name}{layers[own_layer]}" if own_layer and len(layers) > 1 else parameter.name
