"""A node of a computational graph: a value, and where it came from.

Computing with nodes builds the graph: every operation makes a new node that knows its operation and its parents.
"""
from __future__ import annotations

import copy
import itertools
from typing import Any, Callable, Dict, List, Optional, Tuple

import numpy as np

from lib.graph import sharing
from lib.graph.array_habits import ArrayHabits
from lib.graph.changes import marks_of
from lib.graph.engine import backward, topological_order
from lib.graph.leaf_values import leaf_value
from lib.graph.operations import Operation, node_in
from lib.graph.operations.arithmetic import Add, Divide, MatMul, Multiply, Negate, Power, Subtract
from lib.graph.operations.kinks import Abs
from lib.graph.operations.shapes import Stack
from lib.graph.shape_errors import shape_error, user_line

_next_number = itertools.count().__next__
_new, _ndarray, _float64 = object.__new__, np.ndarray, np.float64
_NEGATE, _ABS = Negate(), Abs()


def _infix(operation: Operation) -> Tuple[Callable[[Any, Any], "Node"], Callable[[Any, Any], "Node"]]:
    """Return the two methods of an operator: the one for `node * other`, and the one for `other * node`."""
    sign = getattr(operation, "sign", None)  # @ has none: it isn't for single numbers

    def method(self: "Node", other: Any) -> "Node":
        if type(other) is not Node:
            other = as_node(other, self)
        if type(self.value) is not _float64 or type(other.value) is not _float64 or sharing.known is not None \
                or sign is None:
            return apply(operation, self, other)
        # What apply does for single numbers, whose shapes can't be wrong: chains of thousands of them are common.
        node = _new(Node)
        node.value = sign(self.value, other.value)
        node.operation = operation
        node.parents = self, other
        node.needs_grad = self.needs_grad or other.needs_grad
        node.number = _next_number()
        node.grad = node.name = node.line = node.marks = None
        return node

    def reflected(self: "Node", other: Any) -> "Node":
        return method(as_node(other, self), self)

    return method, reflected


class Node(ArrayHabits):
    """A value in a computational graph, together with the operation and the parents it was computed from.

    Attributes:
        value: a NumPy array or scalar of floating-point numbers; that of a computed node is read-only.
        grad: d(output)/d(this node) of the last backward(), in the shape of value; None before, and for constants.
        operation: the Operation that made this node; None for a leaf (a variable or a constant).
        parents: the nodes that it was computed from, in the order of the operation's inputs; () for a leaf.
        name: a label for messages, explanations and drawings; None if there is none.
        needs_grad: whether gradients flow into this node; False for constants and for what is computed from them alone.
        line: (file, line number) of the user's code that made this node, where it was recorded (array operations).
        number: counts the nodes in the order of creation; parents always have smaller numbers.
        marks: what tells whether the arrays of leaves were changed since this node was computed from them.
    """

    __slots__ = ("value", "grad", "operation", "parents", "name", "needs_grad", "line", "number", "marks",
                 "__weakref__")
    is_graph_node = True
    parameter: Any = None  # the Parameter of a module that this leaf stands for: see lib.graph.modules.ParameterNode
    # What a node does in a module, which lib.graph.modules puts here: it knows nodes, so they can't know it.
    apply_module: Callable[["Node", Any, Any], Any]
    taken_in: Callable[["Node", Any], Any]

    def __init__(self, value: Any, needs_grad: bool = True, name: Optional[str] = None) -> None:
        """Make a leaf; the nodes that are computed from others are made by apply."""
        self.value = value
        self.operation: Optional[Operation] = None
        self.parents: Tuple["Node", ...] = ()
        self.needs_grad = needs_grad
        self.number = _next_number()
        self.grad: Any = None
        self.name = name
        self.line: Optional[Tuple[str, int]] = None
        self.marks: Optional[Tuple[Any, ...]] = None

    __add__, __radd__ = _infix(Add())
    __sub__, __rsub__ = _infix(Subtract())
    __mul__, __rmul__ = _infix(Multiply())
    __truediv__, __rtruediv__ = _infix(Divide())
    __pow__, __rpow__ = _infix(Power())
    __matmul__, __rmatmul__ = _infix(MatMul())

    def __pos__(self) -> "Node":
        return self

    def __neg__(self) -> "Node":
        return self._through(_NEGATE)

    def __abs__(self) -> "Node":
        return self._through(_ABS)

    @property
    def is_leaf(self) -> bool:
        """Whether this node was given, not computed: a variable or a constant."""
        return self.operation is None

    def named(self, name: str) -> "Node":
        """Give this node a name, and return it: `z = (x @ W + b).named("z")`."""
        self.name = name
        return self

    def backward(self, grad: Any = None, accumulate: bool = False) -> None:
        """Compute d(this node)/d(node) for each node that it depends on: see lib.graph.engine.backward."""
        backward(self, grad, accumulate)

    def apply(self, operation: Operation, args: Tuple[Any, ...]) -> "Node":
        """Return the node of an operation on nodes and arrays, of which this node is one."""
        if len(args) == 1 and args[0] is self:
            return self._through(operation)
        return apply(operation, *[as_node(arg, self) for arg in args])

    def _through(self, operation: Operation) -> "Node":
        """Return the node of an operation on this node alone."""
        if type(self.value) is not _float64 or not operation.elementwise or sharing.known is not None:
            return apply(operation, self)
        return _computed(operation.forward(self.value), operation, (self,), self.needs_grad)

    def joined(self, several: Any) -> "Node":
        """Return what a list or an array of objects holds, nodes among it, as one node."""
        if isinstance(several, np.ndarray) and several.ndim == 0:
            return as_node(several.item(), self)
        return apply(Stack(), *[as_node(each, self) for each in several])

    def __repr__(self) -> str:
        label = "" if self.name is None else f"{self.name!r}, "
        kind = self.operation.name if self.operation is not None else "variable" if self.needs_grad else "constant"
        number = f"value={self.value:.6g}" if self.value.ndim == 0 else f"shape={self.shape}"
        return f"Node({label}{kind}, {number})"

    # ------------------------------------------------------------------ copies, also of chains too long for recursion

    def __deepcopy__(self, memo: Dict[int, Any]) -> "Node":
        for node in topological_order(self):
            if id(node) not in memo:
                state = [copy.deepcopy(part, memo) for part in _state_of(node)]
                memo[id(node)] = _restored(type(node), [memo[id(parent)] for parent in node.parents], state)
        return memo[id(self)]

    def __reduce__(self) -> Any:
        """Return how pickle makes this node again: leaves as such, all that was computed from them in one list."""
        if self.operation is None:
            return _restored, (type(self), [], _state_of(self))
        order = topological_order(self)
        leaves = [node for node in order if node.operation is None]
        computed = [node for node in order if node.operation is not None]
        place = {node: i for i, node in enumerate(leaves + computed)}
        return _graph_restored, (leaves, [([place[parent] for parent in node.parents], _state_of(node))
                                          for node in computed])


def _state_of(node: Node) -> List[Any]:
    """Return what belongs to a node itself, in the order of its slots, without its parents and its number."""
    slots = [slot for cls in type(node).__mro__ for slot in getattr(cls, "__slots__", ())]
    return [(slot, getattr(node, slot)) for slot in slots if slot not in ("parents", "number", "__weakref__")]


def _restored(node_class: Any, parents: List[Node], state: List[Any]) -> Node:
    node = _new(node_class)
    node.parents = tuple(parents)
    node.number = _next_number()
    for slot, value in state:
        setattr(node, slot, value)
    return node


def _graph_restored(leaves: List[Node], computed: List[Any]) -> Node:
    nodes = list(leaves)
    for places, state in computed:
        nodes.append(_restored(Node, [nodes[i] for i in places], state))
    return nodes[-1]


# ---------------------------------------------------------------------- leaves

def variable(value: Any, name: Optional[str] = None) -> Node:
    """Return a leaf that gradients flow into.

    Args:
        value: a number or an array of any rank; integers become float64, float32 stays float32. An
            array is copied, so that changing it later doesn't reach the graph.
        name: a label for messages, explanations and drawings.

    >>> x = variable(3.0, name="x")
    >>> y = x * x + 2 * x
    >>> y.backward()
    >>> y.item(), float(x.grad)
    (15.0, 8.0)
    """
    return Node(leaf_value(value), True, name)


def constant(value: Any, name: Optional[str] = None) -> Node:
    """Return a leaf that no gradient flows into, such as the data; takes the arguments of variable."""
    return Node(leaf_value(value), False, name)


def as_node(value: Any, like: Node) -> Node:
    """Return a node as it is, and a number or an array as a constant.

    Numbers, integers and truth values take the precision of the node that they are combined with, so that a factor of 2
    doesn't turn float32 into float64. Lists and arrays of objects that hold nodes are stacked.
    """
    if type(like.value) is _float64 and type(value) in (float, int):
        numbers: Any = _float64(value)
    elif isinstance(value, Node):
        return value
    elif isinstance(value, (int, float)):
        numbers = like.value.dtype.type(value)
    elif node_in(value) is not None:
        return like.joined(value)
    else:
        array = np.asarray(value)
        numbers = array.astype(like.value.dtype) if array.dtype.kind in "biu" else leaf_value(value)
    node = Node(numbers, False)
    return node if sharing.known is None else sharing.remember(sharing.constant_key(node), node)


# ---------------------------------------------------------------------- computed nodes

def apply(operation: Operation, *parents: Node) -> Node:
    """Return the node of an operation on other nodes.

    Raises:
        ShapeError: the shapes of the parents don't fit; the message names them, the operation and the line.
    """
    known = sharing.known
    if known is not None:
        key = sharing.operation_key(operation, parents)
        if key in known:
            return known[key]
    try:
        value = operation.forward(*[parent.value for parent in parents])
    except (ValueError, IndexError) as error:
        raise shape_error(operation, parents, error, user_line()) from error
    needs_grad = has_leaf = False
    own = type(value) is _ndarray and value.base is None and not hasattr(operation, "module")
    for parent in parents:
        needs_grad = needs_grad or parent.needs_grad
        has_leaf = has_leaf or parent.operation is None
        own = own and parent.value is not value
    node = _computed(value, operation, parents, needs_grad)
    if type(value) is _ndarray:
        node.line = user_line()
        if own:
            value.flags.writeable = False  # a change of what was computed wouldn't be differentiated
    if has_leaf and needs_grad:
        node.marks = marks_of(parents)
    if known is not None:
        known[key] = node
    return node


def _computed(value: Any, operation: Optional[Operation], parents: Tuple[Node, ...], needs_grad: bool) -> Node:
    """Return a new node of an operation's value."""
    node = _new(Node)  # without the leaf's __init__
    node.value = value
    node.operation = operation
    node.parents = parents
    node.needs_grad = needs_grad
    node.number = _next_number()
    node.grad = node.name = node.line = node.marks = None
    return node


def computed_like(node: Node, parents: Tuple[Node, ...]) -> Node:
    """Return a copy of a computed node with other parents that have the same values; nothing is computed again."""
    copied = _computed(node.value, node.operation, parents, any(parent.needs_grad for parent in parents))
    copied.name, copied.line, copied.marks = node.name, node.line, node.marks
    return copied
