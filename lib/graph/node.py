"""A node of a computational graph: a value, and where it came from.

Computing with nodes builds the graph: every operation makes a new node that knows its operation and its parents.
"""
from __future__ import annotations

import itertools
import operator
from typing import Any, Callable, Iterator, List, Optional, Tuple

import numpy as np

from lib.graph import sharing
from lib.graph.operations import Operation
from lib.graph.operations.arithmetic import ADD, DIVIDE, MATMUL, MULTIPLY, NEGATE, POWER, SUBTRACT
from lib.graph.operations.reductions import Max, Mean, Sum
from lib.graph.operations.shapes import Index, Reshape, Transpose
from lib.graph.shape_errors import shape_error, user_line
from lib.validation import InputError, as_float

_number_of = operator.attrgetter("number")
_next_number = itertools.count().__next__
_new, _ndarray, _float64 = object.__new__, np.ndarray, np.float64


def _infix(operation: Operation) -> Tuple[Callable[[Any, Any], "Node"], Callable[[Any, Any], "Node"]]:
    """Return the two methods of an operator: the one for `node * other`, and the one for `other * node`."""
    forward = operation.forward

    def method(self: "Node", other: Any) -> "Node":
        if type(other) is not Node:
            other = as_node(other, self)
        if type(self.value) is not _float64 or type(other.value) is not _float64 or sharing.known is not None:
            return apply(operation, self, other)
        # What apply does for single numbers, whose shapes can't be wrong: chains of thousands of them are common.
        node = _new(Node)
        node.value = forward(self.value, other.value)
        node.operation = operation
        node.parents = self, other
        node.needs_grad = self.needs_grad or other.needs_grad
        node.number = _next_number()
        node.grad = node.name = node.line = None
        return node

    def reflected(self: "Node", other: Any) -> "Node":
        return method(as_node(other, self), self)

    return method, reflected


class Node:
    """A value in a computational graph, together with the operation and the parents it was computed from.

    Attributes:
        value: a NumPy array or scalar of floating-point numbers.
        grad: d(output)/d(this node) of the last backward(), in the shape of value; None before, and for constants.
        operation: the Operation that made this node; None for a leaf (a variable or a constant).
        parents: the nodes that it was computed from, in the order of the operation's inputs; () for a leaf.
        name: a label for messages, explanations and drawings; None if there is none.
        needs_grad: whether gradients flow into this node; False for constants and for what is computed from them alone.
        line: (file, line number) of the user's code that made this node, where it was recorded (array operations).
        number: counts the nodes in the order of creation; parents always have smaller numbers.
    """

    __slots__ = ("value", "grad", "operation", "parents", "name", "needs_grad", "line", "number", "__weakref__")
    is_graph_node = True
    parameter: Any = None  # the Parameter of a module that this leaf stands for: see lib.graph.modules.ParameterNode
    __array_ufunc__ = None  # NumPy leaves `array + node` and the like to the node

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

    # ------------------------------------------------------------------ arithmetic

    __add__, __radd__ = _infix(ADD)
    __sub__, __rsub__ = _infix(SUBTRACT)
    __mul__, __rmul__ = _infix(MULTIPLY)
    __truediv__, __rtruediv__ = _infix(DIVIDE)
    __pow__, __rpow__ = _infix(POWER)
    __matmul__, __rmatmul__ = _infix(MATMUL)

    def __neg__(self) -> "Node":
        return apply(NEGATE, self)

    def __abs__(self) -> "Node":
        from lib.graph.operations.kinks import ABS
        return apply(ABS, self)

    # ------------------------------------------------------------------ shapes and reductions, as arrays have them

    def __getitem__(self, key: Any) -> "Node":
        return apply(Index(key), self)

    def __len__(self) -> int:
        return len(self.value)

    def __iter__(self) -> Iterator["Node"]:
        return (self[i] for i in range(len(self.value)))

    def __bool__(self) -> bool:
        raise TypeError("A node is neither true nor false. To compare numbers, use node.value; to ask whether there "
                        "is a node, use `node is not None`.")

    def __float__(self) -> float:
        return float(self.value)

    def sum(self, axis: Any = None, keepdims: bool = False) -> "Node":
        """Return the sum of the entries along an axis, several, or all of them."""
        return apply(Sum(axis, keepdims), self)

    def mean(self, axis: Any = None, keepdims: bool = False) -> "Node":
        """Return the mean of the entries along an axis, several, or all of them."""
        return apply(Mean(axis, keepdims), self)

    def max(self, axis: Any = None, keepdims: bool = False) -> "Node":
        """Return the greatest entry along an axis, several, or all of them."""
        return apply(Max(axis, keepdims), self)

    def reshape(self, *shape: Any) -> "Node":
        """Return the same entries in another shape, given as numbers or as one tuple."""
        return apply(Reshape(tuple(shape[0]) if len(shape) == 1 and np.ndim(shape[0]) else tuple(shape)), self)

    def transpose(self, *axes: Any) -> "Node":
        """Return the axes in reverse order, or in the order given as numbers or as one tuple."""
        order = tuple(axes[0]) if len(axes) == 1 and np.ndim(axes[0]) else axes
        return apply(Transpose(order if order and order[0] is not None else None), self)

    @property
    def T(self) -> "Node":
        """The axes in reverse order: for a matrix, its transpose."""
        return apply(Transpose(), self)

    @property
    def shape(self) -> Tuple[int, ...]:
        """The shape of the value; () for a single number."""
        return self.value.shape

    @property
    def ndim(self) -> int:
        """The number of axes of the value."""
        return self.value.ndim

    @property
    def size(self) -> int:
        """The number of entries of the value."""
        return self.value.size

    @property
    def dtype(self) -> Any:
        """The precision of the value."""
        return self.value.dtype

    # ------------------------------------------------------------------ the graph

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
        from lib.graph.engine import backward
        backward(self, grad, accumulate)

    def apply(self, operation: Operation, args: Tuple[Any, ...]) -> "Node":
        """Return the node of an operation on nodes and arrays, of which this node is one."""
        if len(args) == 1:
            if type(self.value) is _float64 and operation.elementwise and sharing.known is None:
                return _computed(operation.forward(self.value), operation, (self,), self.needs_grad)
            return apply(operation, self)
        return apply(operation, *[as_node(arg, self) for arg in args])

    def apply_module(self, module: Any, args: Tuple[Any, ...]) -> Any:
        """Return the graph of a module on nodes and arrays: see lib.graph.modules."""
        from lib.graph.modules import apply_module
        return apply_module(module, args)

    def __repr__(self) -> str:
        label = "" if self.name is None else f"{self.name!r}, "
        kind = self.operation.name if self.operation is not None else "variable" if self.needs_grad else "constant"
        number = f"value={self.value:.6g}" if self.value.ndim == 0 else f"shape={self.shape}"
        return f"Node({label}{kind}, {number})"


# ---------------------------------------------------------------------- leaves

def variable(value: Any, name: Optional[str] = None) -> Node:
    """Return a leaf that gradients flow into.

    Args:
        value: a number or an array of any rank; integers become float64, float32 stays float32. An array is not copied.
        name: a label for messages, explanations and drawings.

    >>> x = variable(3.0, name="x")
    >>> y = x * x + 2 * x
    >>> y.backward()
    >>> float(y.value), float(x.grad)
    (15.0, 8.0)
    """
    return Node(_numbers(value), True, name)


def constant(value: Any, name: Optional[str] = None) -> Node:
    """Return a leaf that no gradient flows into, such as the data; takes the arguments of variable."""
    return Node(_numbers(value), False, name)


def as_node(value: Any, like: Node) -> Node:
    """Return a node as it is, and a number or an array as a constant.

    Numbers, integers and truth values take the precision of the node that they are combined with, so that a factor of 2
    doesn't turn float32 into float64.
    """
    if type(like.value) is _float64 and type(value) in (float, int):
        numbers: Any = _float64(value)
    elif isinstance(value, (int, float)):
        numbers = like.value.dtype.type(value)
    elif isinstance(value, Node):
        return value
    else:
        array = np.asarray(value)
        numbers = array.astype(like.value.dtype) if array.dtype.kind in "biu" else _numbers(value)
    node = Node(numbers, False)
    return node if sharing.known is None else sharing.remember(sharing.constant_key(node), node)


def _numbers(value: Any) -> Any:
    """Return floating-point numbers as an array, or as a NumPy scalar if there is just one without axes."""
    if isinstance(value, Node):
        raise InputError(f"A leaf is made of numbers, but got {value!r}. To cut a node off from its past, use its "
                         "value: constant(node.value).")
    array = as_float(value, "A node of the graph")
    return array if array.ndim else array[()]


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
    node = _computed(value, operation, parents, any([parent.needs_grad for parent in parents]))
    if type(value) is _ndarray:
        node.line = user_line()
    if known is not None:
        known[key] = node
    return node


def _computed(value: Any, operation: Operation, parents: Tuple[Node, ...], needs_grad: bool) -> Node:
    """Return a new node of an operation's value."""
    node = _new(Node)  # without the leaf's __init__
    node.value = value
    node.operation = operation
    node.parents = parents
    node.needs_grad = needs_grad
    node.number = _next_number()
    node.grad = node.name = node.line = None
    return node


def topological_order(output: Node, only_needed: bool = False) -> List[Node]:
    """Return the node and all nodes that it was computed from, parents before children; without recursion.

    A node is created after its parents, so the order of creation is a topological order. With only_needed, constants
    and what is computed from constants alone are left out.
    """
    found = {output}
    order = [output]
    for node in order:  # grows while it is walked through
        for parent in node.parents:
            if parent not in found and (parent.needs_grad or not only_needed):
                found.add(parent)
                order.append(parent)
    order.sort(key=_number_of)
    return order
