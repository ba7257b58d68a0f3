"""The leaves of a graph that stand for the Parameters of modules, and their names."""
from __future__ import annotations

import weakref
from contextlib import contextmanager
from typing import Any, Dict, Iterator, Optional, Sequence

from lib.graph.node import Node
from lib.network_base import Module, Parameter

root: Any = None  # the module that was called on a node, while the modules inside of it are run
_leaves: "weakref.WeakValueDictionary[int, ParameterNode]" = weakref.WeakValueDictionary()


class ParameterNode(Node):
    """A leaf that stands for a Parameter of a module.

    Its name is worked out when it is asked for: the parameter's own if no other in the network has it, such as W, and
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


@contextmanager
def used_again(leaves: Sequence[Any]) -> Iterator[None]:
    """Inside this context, these leaves are those of their parameters, whose data they hold."""
    others = {id(leaf.parameter): _leaves.get(id(leaf.parameter)) for leaf in leaves}
    _leaves.update({id(leaf.parameter): leaf for leaf in leaves})
    try:
        yield
    finally:
        _leaves.update({key: leaf for key, leaf in others.items() if leaf is not None})


def _name_in(root: Optional[Module], parameter: Parameter) -> Optional[str]:
    """Return a parameter's name, numbered by layers if there is another one of that name in the network."""
    layers: Dict[str, int] = {}
    own_layer, others = "", 0
    for path, other in root.named_parameters() if root is not None else ():
        layer = path.rpartition(".")[0]
        layers.setdefault(layer, len(layers) + 1)
        if other is parameter:
            own_layer = layer
        elif other.name == parameter.name:
            others += 1
    return f"{parameter.name}{layers[own_layer]}" if own_layer and others else parameter.name
