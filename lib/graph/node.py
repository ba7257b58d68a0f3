"""A node of a computational graph: a value, and where it came from.

Computing with nodes builds the graph: every operation makes a new node that knows its operation and its parents.
"""
from __future__ import annotations

import itertools
import os
import sys
from typing import Any, Dict, Iterator, List, Optional, Tuple

import numpy as np

from lib.graph import sharing
from lib.graph.operations import Operation
from lib.graph.operations_arithmetic import ADD, DIVIDE, MATMUL, MULTIPLY, NEGATE, POWER, SUBTRACT
from lib.graph.operations_reductions import Max, Mean, Sum
from lib.graph.operations_shapes import Index, Reshape, Transpose
from lib.validation import InputError, as_float

_LIBRARY = os.path.dirname(os.path.abspath(__file__)) + os.sep
_next_number = itertools.count().__next__


class ShapeError(InputError):
    """The shapes of an operation's inputs don't fit: the message names both, the operation and the line it is on."""


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
        parameter: the Parameter of a module that this leaf stands for; None for all others.
        number: counts the nodes in the order of creation; parents always have smaller numbers.
    """

    __slots__ = ("value", "grad", "operation", "parents", "name", "needs_grad", "line", "parameter", "number",
                 "__weakref__")
    is_graph_node = True
    __array_ufunc__ = None  # NumPy leaves `array + node` and the like to the node

    def __init__(self, value: Any, operation: Optional[Operation] = None, parents: Tuple["Node", ...] = (),
                 needs_grad: bool = True, name: Optional[str] = None) -> None:
        self.value = value
        self.operation = operation
        self.parents = parents
        self.needs_grad = needs_grad
        self.name = name
        self.grad: Any = None
        self.line: Optional[Tuple[str, int]] = None
        self.parameter: Any = None
        self.number = _next_number()

    # ------------------------------------------------------------------ arithmetic

    def __add__(self, other: Any) -> "Node":
        return apply(ADD, self, other if type(other) is Node else as_node(other, self))

    def __radd__(self, other: Any) -> "Node":
        return apply(ADD, as_node(other, self), self)

    def __sub__(self, other: Any) -> "Node":
        return apply(SUBTRACT, self, other if type(other) is Node else as_node(other, self))

    def __rsub__(self, other: Any) -> "Node":
        return apply(SUBTRACT, as_node(other, self), self)

    def __mul__(self, other: Any) -> "Node":
        return apply(MULTIPLY, self, other if type(other) is Node else as_node(other, self))

    def __rmul__(self, other: Any) -> "Node":
        return apply(MULTIPLY, as_node(other, self), self)

    def __truediv__(self, other: Any) -> "Node":
        return apply(DIVIDE, self, other if type(other) is Node else as_node(other, self))

    def __rtruediv__(self, other: Any) -> "Node":
        return apply(DIVIDE, as_node(other, self), self)

    def __pow__(self, other: Any) -> "Node":
        return apply(POWER, self, other if type(other) is Node else as_node(other, self))

    def __rpow__(self, other: Any) -> "Node":
        return apply(POWER, as_node(other, self), self)

    def __matmul__(self, other: Any) -> "Node":
        return apply(MATMUL, self, other if type(other) is Node else as_node(other, self))

    def __rmatmul__(self, other: Any) -> "Node":
        return apply(MATMUL, as_node(other, self), self)

    def __neg__(self) -> "Node":
        return apply(NEGATE, self)

    def __abs__(self) -> "Node":
        from lib.graph.operations_elementwise import ABS
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
        return apply(operation, *(as_node(arg, self) for arg in args))

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
    return Node(_numbers(value), name=name)


def constant(value: Any, name: Optional[str] = None) -> Node:
    """Return a leaf that no gradient flows into, such as the data; takes the arguments of variable."""
    return Node(_numbers(value), needs_grad=False, name=name)


def as_node(value: Any, like: Node) -> Node:
    """Return a node as it is, and a number or an array as a constant.

    Numbers, integers and truth values take the precision of the node that they are combined with, so that a factor of 2
    doesn't turn float32 into float64.
    """
    if isinstance(value, Node):
        return value
    if isinstance(value, (int, float)):
        numbers = like.value.dtype.type(value)
    else:
        array = np.asarray(value)
        numbers = array.astype(like.value.dtype) if array.dtype.kind in "biu" else _numbers(value)
    node = Node(numbers, None, (), False)
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
    needs_grad = False
    for parent in parents:
        if parent.needs_grad:
            needs_grad = True
            break
    node = Node(value, operation, parents, needs_grad)
    if type(value) is np.ndarray:
        node.line = user_line()
    if known is not None:
        known[key] = node
    return node


def shape_error(operation: Operation, parents: Tuple[Node, ...], error: Exception,
                line: Optional[Tuple[str, int]]) -> ShapeError:
    """Return the error that says which operands, by name and shape, don't fit in which operation on which line."""
    names = [parent.name or f"operand {i + 1}" for i, parent in enumerate(parents)]
    operands = " and ".join(f"{name} of shape {parent.shape}" for name, parent in zip(names, parents))
    place = "" if line is None else f" In {line[0]}, line {line[1]}."
    return ShapeError(f"{operation.name} doesn't fit {operands} in {operation.text(*names)}. The shape rule: "
                      f"{operation.shape_rule}.{place} (NumPy says: {error})")


def user_line() -> Optional[Tuple[str, int]]:
    """Return the file and the line number from which the graph library was called."""
    frame: Any = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_LIBRARY):
        frame = frame.f_back
    return None if frame is None else (frame.f_code.co_filename, frame.f_lineno)


def topological_order(output: Node, only_needed: bool = False) -> List[Node]:
    """Return the node and all nodes that it was computed from, parents before children; without recursion.

    A node is created after its parents, so the order of creation is a topological order.

    Args:
        output: the node to start from.
        only_needed: whether to leave out constants and what is computed from constants alone.
    """
    found: Dict[Node, None] = {output: None}
    waiting = [output]
    while waiting:
        for parent in waiting.pop().parents:
            if parent not in found and (parent.needs_grad or not only_needed):
                found[parent] = None
                waiting.append(parent)
    return sorted(found, key=lambda node: node.number)
