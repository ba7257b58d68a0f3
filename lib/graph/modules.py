"""Modules of lib on nodes: `model(node)` yields the network's graph, one node a module or expanded to operations.

One node a module is the default: the node's backward calls the module's own backward. Sequential, Residual and
PerPosition pass nodes on to the modules inside of them. Inside `with expanded():` (or by `expand(model, node)`) each
module is written out in single operations instead, such as a Linear as a matrix product and an addition. Then the
gradients come from the operations alone: a second witness, independent of the module's backward.

How a module is written out comes from its own forward, run on nodes: `forward_on_nodes(module, node)`. Functions of
NumPy make nodes of nodes, parameters are leaves, modules inside of it are written out in turn. Where the forward can't
run on nodes (it fills arrays in place, or asks for a float), or where quantities are to have the names of a paper, the
class may have a method `on_nodes(*inputs)` that says the same in functions of NumPy, with all parameters inside as
nodes; for the sheets' classes, expansions.py says it. In any case what is written out counts only if its value and
gradients agree with the module's own forward and backward on these numbers. Otherwise, the module is one opaque node:
the graph shows what was written, right or wrong.

Parameters become leaves of the graph, and after backward() both hold the gradient: the leaf's `grad` that of this
backward() alone, while to `Parameter.grad` it has been added, as the module's own backward does. So optimisers and
zero_grad work as ever.

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

from contextlib import contextmanager
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Set, Tuple

import numpy as np

from lib.graph import parameter_nodes
from lib.graph.agreement import agrees, goes_the_same_ways_back
from lib.graph.engine import topological_order
from lib.graph.expansion_rules import is_passing_on, rule_of
from lib.graph.module_calls import ModuleCall, takes_indices
from lib.graph.module_state import Attributes, Everything, RandomNumbers, StandIn, modules_of, parts_of, unique
from lib.graph.node import Node, apply, as_node, computed_like, constant, variable
from lib.graph.operations import node_in
from lib.graph.parameter_nodes import parameter_node
from lib.network_base import Module, Parameter
from lib.validation import InputError, name_of

ONE_NODE, EXPANDED, TRACED = "one node", "expanded", "traced"

_mode = ONE_NODE
_running: Any = None  # the module whose own forward is running on nodes, if one is
_calls: Optional[Dict[Node, Node]] = None  # of the modules inside of one that passes nodes on: result, and as one node


@contextmanager
def expanded(on: bool = True) -> Iterator[None]:
    """Inside this context, modules on nodes are written out in single operations."""
    with _in_mode(EXPANDED if on else ONE_NODE):
        yield


@contextmanager
def _in_mode(mode: str) -> Iterator[None]:
    global _mode
    outside, _mode = _mode, mode
    try:
        yield
    finally:
        _mode = outside


def expand(module: Module, *inputs: Any) -> Node:
    """Return the graph of module(*inputs), written out in single operations; arrays become variables."""
    with expanded():
        return apply_module(module, [value if i else _as_variable(value) for i, value in enumerate(inputs)])


def forward_on_nodes(module: Module, *inputs: Any) -> Node:
    """Return the graph of the module's own forward, run on nodes, whether or not its backward agrees with it.

    Modules inside of it are traced as well, and everything in the module is left as it was.

    Args:
        module: any Module; its Parameters become leaves, see parameter_node.
        inputs: nodes or arrays; an array in the first place becomes a variable, and a constant in the others, but one
            of integers or truth values stays what it is, as it may be an index: variable(array) makes it numbers.

    Raises:
        TypeError, ValueError or whatever the forward raises on nodes: NoRule for functions of NumPy that have no rule,
            LostGradient where a node would become a number, TypeError where entries of a node or array are set.
    """
    nodes = [value if isinstance(value, Node) or _chooses(value) else constant(value) if i else variable(value)
             for i, value in enumerate(inputs)]
    with _in_mode(TRACED), Everything(module):
        return _traced(module, nodes)


def _chooses(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind in "iub"


# ---------------------------------------------------------------------- from a module to its graph

def apply_module(module: Any, args: Sequence[Any]) -> Node:
    """Return the graph of a module on nodes and arrays."""
    global _running
    like = node_in(list(args))
    nodes = [constant(arg) if like is None else as_node(arg, like) for arg in args]
    outside, _running = (parameter_nodes.root, _running), None
    parameter_nodes.root = parameter_nodes.root or module
    try:
        if _mode == TRACED:
            return _traced(module, nodes)
        if is_passing_on(module) and not any(Module.held(module, Parameter)):
            return _passed_on(module, nodes)
        return _one_node(module, nodes) if _mode == ONE_NODE else _written_out(module, nodes)
    finally:
        parameter_nodes.root, _running = outside


def _taken_in(node: Node, who: Any) -> Node:
    """Return a node that a module's forward was given, if it may compute with it: not in a call past the graph."""
    if _running is None:
        raise InputError(f"{name_of(who)} got a node of a graph where it computes with arrays. Call the module itself "
                         "on the node, module(node), not its forward: then it becomes part of the graph.")
    return node


Node.apply_module = lambda node, module, args: apply_module(module, args)  # type: ignore[assignment]
Node.taken_in = _taken_in  # type: ignore[assignment]


def _one_node(module: Any, nodes: Sequence[Node]) -> Node:
    call = ModuleCall(module, len(nodes))
    return _noted(apply(call, *nodes, *map(parameter_node, call.parameters)))


def _noted(node: Node, own: Optional[Node] = None) -> Node:
    """Note that a node is what a module gave, and which node would be the module's own, if it isn't this one."""
    if _calls is not None:
        _calls[node] = node if own is None else own
    return node


def _traced(module: Any, nodes: Sequence[Node], inner: Optional[List[Module]] = None) -> Node:
    """Return the graph of the module's own forward (or its on_nodes): parameters are leaves, inner modules graphs.

    The modules inside of it are given if it is known that it has no parameters of its own.
    """
    global _running
    forward, parameters = _own_forward(module), []  # type: Any, List[Parameter]
    if inner is None:
        (_, *inner), all_parameters = parts_of(module)
        own = Module.held(module, Parameter)
        parameters = all_parameters if _has_on_nodes(module) else unique(held for _, held in own)
    data, replaced = [parameter.data for parameter in parameters], [vars(child).get("forward") for child in inner]
    for parameter in parameters:
        parameter._data = parameter_node(parameter)
    for child in inner:
        vars(child)["forward"] = _OnNodes(child)
    outside, _running = _running, module
    try:
        result = forward(*([node.value.astype(int) for node in nodes] if takes_indices(module) else nodes))
    finally:
        _running = outside
        for parameter, array in zip(parameters, data):
            parameter._data = array
        for child, before in zip(inner, replaced):
            vars(child)["forward"] = before
            if before is None:
                del vars(child)["forward"]
    if not isinstance(result, Node):
        raise InputError(f"The forward of {module!r} gave no node, but a {type(result).__name__}.")
    return result * 1 if any(result is node for node in nodes) else result  # a node of its own, to be named


class _OnNodes(StandIn):
    """Stands in for the forward of a module inside of one that is traced: forward(node) is module(node)."""

    def __init__(self, module: Any) -> None:
        self.module = module
        forward: Any = module.forward
        self.forward: Any = forward.forward if isinstance(forward, _OnNodes) else forward  # also for arrays

    def __call__(self, *args: Any) -> Any:
        return self.forward(*args) if _running is None else apply_module(self.module, args)


def _own_forward(module: Any) -> Any:
    if _has_on_nodes(module):
        return module.on_nodes
    return module.forward.forward if isinstance(module.forward, _OnNodes) else module.forward


def _has_on_nodes(module: Any) -> bool:
    """Tell whether a class says what its forward does on nodes; a forward that overrides this one speaks for itself."""
    said = next(vars(cls) for cls in type(module).__mro__ if "on_nodes" in vars(cls) or "forward" in vars(cls))
    return "on_nodes" in said


def write_out(output: Node) -> Tuple[Dict[Node, Node], Set[Node]]:
    """Return what stands for each node of a graph where modules are single operations, if these agree with them.

    The leaves are the same nodes as before, and so is what isn't computed from a module; names are kept. The second
    that is returned are the modules' results.
    """
    written: Dict[Node, Node] = {}
    results: Set[Node] = set()
    for node in topological_order(output):
        parents = tuple(written[parent] for parent in node.parents)
        same = all(new is old for new, old in zip(parents, node.parents))
        written[node] = node if same else computed_like(node, parents)
        if isinstance(node.operation, ModuleCall):
            single = _written_again(written[node])
            if single is not None:
                single.name, written[node] = node.name or single.name, single
            results.add(written[node])
    return written, results


def _written_again(own: Node) -> Optional[Node]:
    """Return a module that is one node in single operations, if they agree with it; it is left as it was."""
    call: Any = own.operation
    module, nodes, leaves = call.module, own.parents[:call.input_count], own.parents[call.input_count:]
    rule = rule_of(module)
    with Everything(module), parameter_nodes.used_again(leaves), _in_mode(EXPANDED):
        call.state.restore()
        for leaf in leaves:
            leaf.parameter._data = leaf.value
        written = None if rule is None else _if_it_agrees(lambda: rule(module, *nodes), own)
        return _if_it_agrees(lambda: _traced(module, nodes), own) if written is None else written


def _written_out(module: Any, nodes: Sequence[Node]) -> Node:
    """Return the module in single operations if they agree with its own forward and backward, else as one node."""
    inner, rule = modules_of(module), rule_of(module)
    attributes, numbers = Attributes(inner), None if rule else RandomNumbers(inner)
    own = _one_node(module, nodes)  # this is the module's call: what it changes in the module stays
    called = Attributes(inner)
    try:
        written = None if rule is None else _if_it_agrees(lambda: rule(module, *nodes), own)
        if written is None:
            after = RandomNumbers(inner)
            attributes.restore()
            if numbers is not None:
                numbers.restore()  # the same random numbers once more
            written = _if_it_agrees(lambda: _traced(module, nodes), own, called)
            after.restore()
        return own if written is None else _noted(written, own)
    finally:
        called.restore()


def _if_it_agrees(write: Callable[[], Node], own: Node, called: Optional[Attributes] = None) -> Optional[Node]:
    """Return what write() gives if its value and gradients are those of the module's own node, else None."""
    try:
        with np.errstate(all="ignore"):
            written = write()
            if called is not None:
                called.restore()
            if agrees(written, own):
                return written
    except Exception:  # on nodes, a forward may fail in any way: then the module isn't written out
        pass
    return None


def _passed_on(module: Any, nodes: Sequence[Node]) -> Node:
    """Return the graph of what is inside of the module, if its backward goes the same ways back; else one node."""
    global _calls
    inner, outside = modules_of(module), _calls
    attributes, _calls = Attributes(inner), {}
    try:
        written = _traced(module, nodes, inner[1:])
        if goes_the_same_ways_back(module, written, nodes, _calls):
            if outside is not None:
                outside.update(_calls)
            return written
    except Exception:  # one node says what is wrong, as the module itself would
        pass
    finally:
        _calls = outside
    attributes.restore()
    return _one_node(module, nodes)


def _as_variable(value: Any) -> Node:
    return value if isinstance(value, Node) else variable(value)
