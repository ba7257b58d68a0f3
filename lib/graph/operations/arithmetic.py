"""The arithmetic operations: + - * / ** @ and negation."""
from __future__ import annotations

import operator
from typing import Any, List, Tuple

import numpy as np

from lib.graph.notation import entry, equation, is_number, number, outer, partial, words
from lib.graph.notation import call as function
from lib.graph.notation.simplify import times, turned
from lib.graph.operations import Operation, value_of
from lib.validation import InputError


class Arithmetic(Operation):
    """Base of the operations on two inputs that are broadcast against each other and have a sign of their own."""

    sign: Any  # Python's operator for it
    elementwise = True
    broadcasts = True
    shape_rule = ("both shapes are broadcast: counted from the last axis, two sizes must be equal, or one of them 1 "
                  "or missing")

    @classmethod
    def examples(cls, rng: np.random.Generator) -> List[Tuple[Operation, Tuple[Any, ...]]]:
        shapes = [((), ()), ((3,), (3,)), ((2, 3), (3,)), ((2, 1), (1, 3)), ((), (2, 2))]
        return [(cls(), (rng.uniform(0.5, 2, a), rng.uniform(0.5, 2, b))) for a, b in shapes]

    def forward(self, a, b):
        return self.sign(a, b)


class Add(Arithmetic):
    """out = a + b; both derivatives are 1."""

    name, commutative, sign = "add", True, operator.add

    def backward(self, i, grad, out, a, b):
        return grad

    def formula(self, a, b):
        return a + b

    def derivative(self, i, out, a, b):
        return number(1)


class Subtract(Arithmetic):
    """out = a - b; d(out)/da = 1, d(out)/db = -1.

    A column (n, 1) and a vector (n,) are refused: of predictions and labels, broadcasting would make a wrong loss.
    """

    name, sign = "subtract", operator.sub

    def forward(self, a, b):
        if a.ndim + b.ndim == 3:
            column, row = (a, b) if a.ndim == 2 else (b, a)
            if row.ndim == 1 and column.shape == (row.size, 1) and row.size > 1:
                raise InputError(f"{column.shape} and {row.shape} would broadcast to all {row.size} x {row.size} "
                                 "differences. Bring both into one shape, with .reshape(-1, 1) or .reshape(-1)")
        return super().forward(a, b)

    def backward(self, i, grad, out, a, b):
        return grad if i == 0 else -grad

    def formula(self, a, b):
        return a - b

    def derivative(self, i, out, a, b):
        return number(1 if i == 0 else -1)


class Multiply(Arithmetic):
    """out = a * b, entry by entry; d(out)/da = b, d(out)/db = a."""

    name, commutative, sign = "multiply", True, operator.mul

    def backward(self, i, grad, out, a, b):
        return grad * b if i == 0 else grad * a

    def formula(self, a, b):
        return a * b

    def derivative(self, i, out, a, b):
        return b if i == 0 else a


class Divide(Arithmetic):
    """out = a / b; d(out)/da = 1/b, d(out)/db = -a/b^2 = -out/b."""

    name, sign = "divide", operator.truediv

    def backward(self, i, grad, out, a, b):
        return grad / b if i == 0 else -grad * out / b

    def formula(self, a, b):
        return a / b

    def derivative(self, i, out, a, b):
        return 1 / b if i == 0 else -a / b ** 2


class Power(Arithmetic):
    """out = a ** b; d(out)/da = b a^(b-1), d(out)/db = out log(a)."""

    name, sign = "power", operator.pow

    def backward(self, i, grad, out, a, b):
        if i == 0:
            # for b = 0 the derivative is 0, also at a = 0: the exponent b - 1 = -1 would make that 0 times infinity
            return grad * b * a ** (b - (value_of(b) != 0))
        # for a = 0 the derivative by the exponent is 0: log(1) stands in for the infinite log(0)
        return grad * out * np.log(a + (value_of(a) == 0))

    def formula(self, a, b):
        return a ** b

    def derivative(self, i, out, a, b):
        if i == 1:
            return out * function("log", a)
        exponent = number(b.parts[0] - 1) if is_number(b) else b - 1
        return times(b, a if is_number(exponent, 1) else a ** exponent)


class Negate(Operation):
    """out = -a; the derivative is -1."""

    name, elementwise = "negate", True
    shape_rule = "the shape of the input"

    @classmethod
    def examples(cls, rng):
        return [(cls(), (rng.uniform(-2, 2, shape),)) for shape in ((), (2, 3))]

    def forward(self, a):
        return -a

    def backward(self, i, grad, out, a):
        return -grad

    def formula(self, a):
        return -a

    def derivative(self, i, out, a):
        return number(-1)


class MatMul(Operation):
    """The matrix product out = a @ b: out_ij = sum_k a_ik b_kj.

    dL/da_ik = sum_j g_ij b_kj, so g b^T; dL/db_kj = sum_i a_ik g_ij, so a^T g, with g = dL/d(out). A vector on the
    left counts as a row, on the right as a column; leading axes are stacks of matrices, broadcast against each other.
    """

    name, broadcasts = "matmul", True
    shape_rule = "(n, k) @ (k, m) -> (n, m): the columns of the first must be as many as the rows of the second"

    @classmethod
    def examples(cls, rng):
        shapes = [((2, 3), (3, 4)), ((3,), (3,)), ((3,), (3, 2)), ((2, 3), (3,)), ((2, 2, 3), (3, 1)),
                  ((3,), (2, 3, 2)), ((2, 1, 2, 3), (3, 3, 1)), ((2, 2, 3), (3,))]
        return [(cls(), (rng.uniform(-1, 1, a), rng.uniform(-1, 1, b))) for a, b in shapes]

    def forward(self, a, b):
        return np.matmul(a, b)  # of two single numbers: a ValueError, unlike @

    def backward(self, i, grad, out, a, b):
        if a.ndim == b.ndim == 2:
            return grad @ b.T if i == 0 else a.T @ grad
        if a.ndim == b.ndim == 1:
            return grad * b if i == 0 else grad * a
        # a vector becomes the matrix that it stands for, and its gradient loses that axis again
        row, column = a.ndim == 1, b.ndim == 1
        a = a.reshape((1,) + a.shape) if row else a
        b = b.reshape(b.shape + (1,)) if column else b
        if row:
            grad = grad.reshape(grad.shape[:-1] + (1,) + grad.shape[-1:])
        if column:
            grad = grad.reshape(grad.shape + (1,))
        if i == 0:
            result = grad @ _swapped(b)
            return result.reshape(result.shape[:-2] + result.shape[-1:]) if row else result
        result = _swapped(a) @ grad
        return result.reshape(result.shape[:-1]) if column else result

    def formula(self, a, b):
        return a @ b

    def derivative(self, i, out, a, b):
        above, below, factor = (("ij", "ik", entry(b, "kj")) if i == 0 else ("ij", "kj", entry(a, "ik")))
        return equation(partial(entry(out, above), entry((a, b)[i], below)), factor)

    def flow(self, i, grad, out, a, b):
        if a.ndim == b.ndim == 1:  # an inner product: each entry's derivative is the other factor's entry
            return times(grad, b if i == 0 else a)
        if a.ndim == 1 and b.ndim == 2:  # a row times a matrix
            return b @ grad if i == 0 else outer(a, grad)
        if a.ndim == 2 and b.ndim == 1:  # a matrix times a column
            return outer(grad, b) if i == 0 else a.T @ grad
        if 1 in (a.ndim, b.ndim):  # a stack of matrices and a vector
            rule = "row" if a.ndim == 1 else "column"
            return words("with the vector as a ", rule, ": ", grad @ b.T if i == 0 else a.T @ grad)
        return grad @ turned(b) if i == 0 else turned(a) @ grad


def _swapped(x: Any) -> Any:
    """Return each matrix of a stack transposed."""
    axes = tuple(range(x.ndim - 2)) + (x.ndim - 1, x.ndim - 2)
    return x.transpose(axes)
