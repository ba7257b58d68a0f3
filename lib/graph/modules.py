"""Modules of lib on nodes: `model(node)` yields the network's graph, one node a module or expanded to operations.

One node a module is the default: the node's backward calls the module's own backward. Inside `with expanded():` (or by
`expand(model, node)`) a module is written out in single operations instead, such as a Linear as a matrix product and an
addition. Then the gradients come from the operations alone: a second witness, independent of the module's backward.
Sequential, Residual and PerPosition are never nodes themselves, but what is inside of them. How a module is written out
stands in expansions*.py; one that isn't known there stays one node.

Either way, parameters become leaves of the graph, and after backward() both hold the gradient: the leaf's `grad` that
of this backward() alone, while to `Parameter.grad` it has been added, as the module's own backward does. So optimisers
and zero_grad work as ever.

>>> from lib.graph import variable
>>> from lib.network import Linear
>>> linear = Linear(3, 2)
>>> y = linear(variable(np.ones((4, 3)), name="x"))
>>> y
Node(Linear, shape=(4, 2))
>>> [parent.name for parent in y.parents]
['x', 'W', 'b']
>>> expand(linear, variable(np.ones((4, 3)), name="x"))
Node(add, shape=(4, 2))
"""
from __future__ import annotations

import weakref
from contextlib import contextmanager
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from lib.layers.embedding import Embedding
from lib.graph import memory
from lib.graph.notation import Term, partial, words
from lib.graph.notation import call as function
from lib.graph.node import Node, apply, as_node, variable
from lib.graph.operations import Operation
from lib.network_base import Module, Parameter, is_loss
from lib.validation import InputError


class Expansion(NamedTuple):
    """How a module is written out: a function of the module and its input nodes, giving the output node."""

    rule: Callable[..., Node]
    is_container: bool  # written out in any case, as it only passes nodes on to the modules inside of it


_expansions: Dict[type, Expansion] = {}
_found: Dict[type, Optional[Expansion]] = {}  # what expansion_of has found for a class
_expanding = False
_leaves: "weakref.WeakValueDictionary[int, ParameterNode]" = weakref.WeakValueDictionary()
_root: Any = None  # the module that was called on a node, while the modules inside of it are run


def expansion(*module_classes: type, container: bool = False) -> Callable[[Any], Any]:
    """Register the decorated function as the way to write modules of these classes out in operations."""
    def register(rule: Any) -> Any:
        for module_class in module_classes:
            _expansions[module_class] = Expansion(rule, container)
        _found.clear()
        return rule
    return register


def expansion_of(module: Any) -> Optional[Expansion]:
    """Return how a module is written out, or None if nobody has said it.

    A subclass with a forward of its own needs an expansion of its own.
    """
    module_class = type(module)
    if module_class not in _found:
        import lib.graph.expansions  # registers what is there
        import lib.graph.expansions_layers  # likewise
        base = next((base for base in module_class.__mro__ if base in _expansions), None)
        is_own = base is not None and module_class.forward is getattr(base, "forward")
        _found[module_class] = _expansions[base] if base is not None and is_own else None
    return _found[module_class]


@contextmanager
def expanded(on: bool = True) -> Iterator[None]:
    """Inside this context, modules on nodes are written out in single operations."""
    global _expanding
    outside, _expanding = _expanding, on
    try:
        yield
    finally:
        _expanding = outside


def expand(module: Module, *inputs: Any) -> Node:
    """Return the graph of module(*inputs), written out in single operations; arrays become variables."""
    with expanded():
        nodes = [value if i else _as_variable(value) for i, value in enumerate(inputs)]
        return apply_module(module, nodes)


def apply_module(module: Any, args: Sequence[Any]) -> Node:
    """Return the graph of a module on nodes and arrays, of which at least one is a node."""
    like = next(arg for arg in args if isinstance(arg, Node))
    nodes = [as_node(arg, like) for arg in args]
    found = expansion_of(module)
    global _root
    outside = _root
    _root = module if outside is None else outside  # parameters are named by their place in the outermost module
    try:
        if found is not None and (found.is_container or _expanding):
            return found.rule(module, *nodes)
        leaves = [parameter_node(parameter) for parameter in module.parameters()]
        return apply(ModuleCall(module, len(nodes)), *nodes, *leaves)
    finally:
        _root = outside


# ---------------------------------------------------------------------- parameters

class ParameterNode(Node):
    """A leaf that stands for a Parameter of a module.

    Its name is worked out when it is asked for: the parameter's own in a network of a single layer, such as W, and
    numbered by layers otherwise: W1, b1 in the first one, W2, b2 in the next.
    """

    __slots__ = ("parameter", "root", "given_name")

    def __init__(self, parameter: Parameter, root: Optional[Module]) -> None:
        self.parameter = parameter
        self.root = root
        super().__init__(parameter.data, True, None)

    @property
    def name(self) -> Optional[str]:  # type: ignore[override]
        """The name that was given to the node, or else that of its parameter in the network."""
        return self.given_name or _name_in(self.root, self.parameter)

    @name.setter
    def name(self, name: Optional[str]) -> None:
        self.given_name = name


def parameter_node(parameter: Parameter) -> ParameterNode:
    """Return the leaf of a parameter: the same one wherever the parameter is used, as long as its data is the same."""
    node = _leaves.get(id(parameter))
    if node is None or node.parameter is not parameter or node.value is not parameter.data:
        node = ParameterNode(parameter, _root)
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


# ---------------------------------------------------------------------- one node a module

class ModuleCall(Operation):
    """A module as a single operation of its inputs and its parameters: forward and backward are the module's own."""

    shape_rule = "the module's own: see its documentation"

    def __init__(self, module: Any, input_count: int) -> None:
        self.module = module
        self.input_count = input_count
        self.name = type(module).__name__
        self.modules = [module] + [inner for _, child in module.children() for _, inner in child.named_modules()]
        self.state: List[Dict[str, Any]] = []
        self.result: Tuple[Any, List[Any]] = (None, [])

    def forward(self, *values: Any) -> Any:
        earlier = self._exchange_data(values[self.input_count:])
        try:
            out = np.asarray(self.module.forward(*map(self._as_input, values[:self.input_count])))
        finally:
            self._exchange_data(earlier)
        self.result = (None, [])
        # a module remembers its last call only; with this, each node remembers its own
        self.state = self._current_state()
        return out if out.ndim else out[()]

    def backward(self, i: int, grad: Any, out: Any, *values: Any) -> Any:
        if isinstance(grad, Node):
            raise InputError(f"{self.module!r} is one node, whose backward computes numbers, so it has no second "
                             "derivatives. Write it out in operations: `with expanded():`, from lib.graph.")
        if 0 < i < self.input_count:
            raise InputError(f"The backward of {self.module!r} gives the gradient of its first input only, not of "
                             f"input {i + 1}. Give that one as an array or as a constant, or use `with expanded():`, "
                             "from lib.graph.")
        if self.result[0] is not grad:  # one call of the module's backward gives the gradients of all parents
            self.result = (grad, self._gradients(grad, values))
        return self.result[1][i]

    def _gradients(self, grad: Any, values: Sequence[Any]) -> List[Any]:
        """Return the gradients of all parents by the module's own backward, and leave the module as it was."""
        parameters = self.module.parameters()
        earlier_state, earlier_grads = self._current_state(), [parameter.grad for parameter in parameters]
        earlier_data = self._exchange_data(values[self.input_count:])
        try:
            self._set_state(self.state)
            for parameter in parameters:
                parameter.grad = memory.zeros(parameter.data.shape, parameter.data.dtype)
            first = self.module.backward(grad)
            gradients = [first] + [None] * (self.input_count - 1) + [parameter.grad for parameter in parameters]
        finally:
            for parameter, earlier in zip(parameters, earlier_grads):
                parameter.grad = earlier
            self._exchange_data(earlier_data)
            self._set_state(earlier_state)
        if is_loss(self.module) and grad != 1:  # its backward starts from dL/dL = 1
            gradients = [None if g is None else g * grad for g in gradients]
        return [g if g is None or g.shape == value.shape and g.dtype == value.dtype
                else np.asarray(g, value.dtype).reshape(value.shape) for g, value in zip(gradients, values)]

    def _exchange_data(self, values: Sequence[Any]) -> List[Any]:
        """Let the module compute with these values of its parameters, and return those that it had before."""
        parameters = self.module.parameters()
        earlier = [parameter.data for parameter in parameters]
        for parameter, data, value in zip(parameters, earlier, values):
            if data is not value:
                parameter.data = value
        return earlier

    def _current_state(self) -> List[Dict[str, Any]]:
        return [dict(vars(module)) for module in self.modules]

    def _set_state(self, state: List[Dict[str, Any]]) -> None:
        for module, attributes in zip(self.modules, state):
            vars(module).update(attributes)

    def _as_input(self, value: Any) -> Any:
        """Return a value as the module takes it: a node holds indices, too, as floating-point numbers."""
        return value.astype(int) if isinstance(self.module, Embedding) else value

    def key(self) -> Any:
        return id(self)  # two calls of one module may differ, as those of Dropout do

    def formula(self, *names: Term) -> Term:
        return function(self.name, *names[:self.input_count])

    def derivative(self, i: int, out: Term, *names: Term) -> Term:
        return words(partial(out, names[i]), ", by the module's own backward")

    def flow(self, i: int, grad: Term, out: Term, *names: Term) -> Term:
        return words(f"{self.name}.backward(", grad, "), the part for ", names[i])

    def __repr__(self) -> str:
        return f"ModuleCall({self.module!r})"


def _as_variable(value: Any) -> Node:
    return value if isinstance(value, Node) else variable(value)
