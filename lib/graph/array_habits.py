"""What nodes have in common with NumPy's arrays: shapes, methods, comparisons, and NumPy's own functions on them.

The rule behind it: what a gradient flows through gives a node; what is constant piece by piece, such as a comparison,
gives plain numbers; and nothing turns a node into a number without being asked, since that cuts the graph.
"""
from __future__ import annotations

import dis
import math
import sys
from typing import Any, Iterator, List, Tuple

import numpy as np

from lib.graph.composed import astype, remainder
from lib.graph.numpy_functions import on_function, on_ufunc
from lib.graph.operations import Methods, value_of
from lib.graph.operations.reductions import Max, Mean, Min, Sum
from lib.graph.operations.shapes import Index, Reshape, Transpose


_REMAINDERS = [k for k, (_, sign) in enumerate(getattr(dis, "_nb_ops", ())) if sign in ("%", "%=")]


class LostGradient(TypeError):
    """A node through which gradients flow was asked for as a plain number, which would cut the graph without a word."""


def _formats(frame: Any) -> bool:
    """Tell whether code is just formatting text by %, as in "%.4f" % loss: then a number is only looked at."""
    code, at = frame.f_code.co_code, frame.f_lasti
    name = dis.opname[code[at]]
    return name in ("BINARY_MODULO", "INPLACE_MODULO") or name == "BINARY_OP" and code[at + 1] in _REMAINDERS


class ArrayHabits(Methods):
    """Base class of nodes: what NumPy's arrays can do as well. A subclass has `value`, `needs_grad` and `apply`."""

    __slots__ = ()
    __hash__ = object.__hash__  # a node is itself, whatever its value is
    value: Any
    needs_grad: bool
    assigned: Any = None  # sets entries, where that is allowed: see lib.graph.assignments

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **settings: Any) -> Any:
        return on_ufunc(ufunc, method, inputs, settings)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return on_function(function, args, kwargs)

    # ------------------------------------------------------------------ numbers, where they are asked for

    def item(self, *index: Any) -> float:
        """Return the value of a single number (or of the entry at an index) as a Python number."""
        return self.value.item(*index)

    def tolist(self) -> Any:
        """Return the value as Python numbers in nested lists."""
        return self.value.tolist()

    def __float__(self) -> float:
        if self.needs_grad and not _formats(sys._getframe(1)):
            raise LostGradient(f"{self!r} would become a plain number here, through which no gradient flows. Functions "
                               "of NumPy and lib.graph take nodes, as np.sin(node) and np.isnan(node) do; lists and "
                               "object arrays of nodes are joined by np.stack. To have the number, write node.value or "
                               "node.item().")
        return float(self.value)

    def __int__(self) -> int:
        return int(self.value) if _formats(sys._getframe(1)) else int(float(self))

    def __trunc__(self) -> int:
        return math.trunc(self.value)

    def __floor__(self) -> int:
        return math.floor(self.value)

    def __ceil__(self) -> int:
        return math.ceil(self.value)

    def __complex__(self) -> complex:
        return complex(float(self))

    def __round__(self, digits: Any = None) -> Any:
        return round(self.value.item(), digits) if self.value.ndim == 0 else np.round(self.value, digits or 0)

    def __format__(self, how: str) -> str:
        return format(self.value if self.value.ndim else self.value.item(), how) if how else str(self)

    def __bool__(self) -> bool:
        raise TypeError("A node is neither true nor false. To compare numbers, write node > 0 or use node.value; to "
                        "ask whether there is a node, use `node is not None`.")

    # ------------------------------------------------------------------ comparisons

    def __eq__(self, other: Any) -> Any:
        return self.value == value_of(other)

    def __ne__(self, other: Any) -> Any:
        return self.value != value_of(other)

    def __lt__(self, other: Any) -> Any:
        return self.value < value_of(other)

    def __le__(self, other: Any) -> Any:
        return self.value <= value_of(other)

    def __gt__(self, other: Any) -> Any:
        return self.value > value_of(other)

    def __ge__(self, other: Any) -> Any:
        return self.value >= value_of(other)

    def __floordiv__(self, other: Any) -> Any:
        return self.value // value_of(other)

    def __rfloordiv__(self, other: Any) -> Any:
        return value_of(other) // self.value

    def __mod__(self, other: Any) -> Any:
        return remainder(self, other)

    def __rmod__(self, other: Any) -> Any:
        return remainder(other, self)

    def __divmod__(self, other: Any) -> Tuple[Any, Any]:
        return self // other, self % other

    # ------------------------------------------------------------------ shapes and reductions

    def __getitem__(self, key: Any) -> Any:
        return self.apply(Index(key), (self,))

    def __setitem__(self, key: Any, value: Any) -> None:
        if self.assigned is not None:
            return self.assigned(key, value)
        raise TypeError("The entries of a node can't be set: it stands for what was computed. Make a new node, for "
                        "example with np.where, np.concatenate or np.stack; new data go into leaf.value.")

    def __len__(self) -> int:
        return len(self.value)

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self.value)))

    def sum(self, axis: Any = None, dtype: Any = None, *, keepdims: bool = False) -> Any:
        """Return the sum of the entries along an axis, several, or all of them."""
        node = self if dtype is None else astype(self, dtype)
        return node.apply(Sum(axis, keepdims), (node,))

    def mean(self, axis: Any = None, dtype: Any = None, *, keepdims: bool = False) -> Any:
        """Return the mean of the entries along an axis, several, or all of them."""
        node = self if dtype is None else astype(self, dtype)
        return node.apply(Mean(axis, keepdims), (node,))

    def max(self, axis: Any = None, keepdims: bool = False) -> Any:
        """Return the greatest entry along an axis, several, or all of them."""
        return self.apply(Max(axis, keepdims), (self,))

    def min(self, axis: Any = None, keepdims: bool = False) -> Any:
        """Return the smallest entry along an axis, several, or all of them."""
        return self.apply(Min(axis, keepdims), (self,))

    def reshape(self, *shape: Any) -> Any:
        """Return the same entries in another shape, given as numbers or as one tuple."""
        return self.apply(Reshape(shape), (self,))

    def transpose(self, *axes: Any) -> Any:
        """Return the axes in reverse order, or in the order given as numbers or as one tuple."""
        return self.apply(Transpose(axes if axes and axes[0] is not None else None), (self,))

    @property
    def T(self) -> Any:
        """The axes in reverse order: for a matrix, its transpose."""
        return self.apply(Transpose(), (self,))

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

    def apply(self, operation: Any, args: Tuple[Any, ...]) -> Any:
        """Return the node of an operation on nodes and arrays, of which this node is one."""
        raise NotImplementedError

    def joined(self, several: List[Any]) -> Any:
        """Return what a list or an array of objects holds, nodes among it, as one node."""
        raise NotImplementedError
