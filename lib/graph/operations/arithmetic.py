"""The arithmetic operations: + - * / ** @ and negation."""
from __future__ import annotations

from typing import Any, List, Tuple

import numpy as np

from lib.graph.memory import product
from lib.graph.operations import Operation, call, value_of
from lib.graph.operations.elementwise import LOG


class Arithmetic(Operation):
    """Base of the infix operations on two inputs that are broadcast against each other: out = a (sign) b."""

    elementwise = True
    broadcasts = True
    shape_rule = ("both shapes are broadcast: counted from the last axis, two sizes must be equal, or one of them 1 "
                  "or missing")
    sign = ""
    latex_sign = ""

    @classmethod
    def examples(cls, rng: np.random.Generator) -> List[Tuple[Operation, Tuple[Any, ...]]]:
        shapes = [((), ()), ((3,), (3,)), ((2, 3), (3,)), ((2, 1), (1, 3)), ((), (2, 2))]
        return [(cls(), (rng.uniform(0.5, 2, a), rng.uniform(0.5, 2, b))) for a, b in shapes]

    def text(self, *names: str) -> str:
        return f"{names[0]} {self.sign} {names[1]}"

    def latex(self, *names: str) -> str:
        return f"{names[0]} {self.latex_sign} {names[1]}"


class Add(Arithmetic):
    """out = a + b; both derivatives are 1."""

    name, sign, latex_sign, precedence, commutative = "add", "+", "+", 1, True

    def forward(self, a, b):
        return a + b

    def backward(self, i, grad, out, a, b):
        return grad

    def derivative_text(self, i, out, a, b):
        return "1"


class Subtract(Arithmetic):
    """out = a - b; d(out)/da = 1, d(out)/db = -1."""

    name, sign, latex_sign, precedence = "subtract", "-", "-", 1

    def forward(self, a, b):
        return a - b

    def backward(self, i, grad, out, a, b):
        return grad if i == 0 else -grad

    def derivative_text(self, i, out, a, b):
        return "1" if i == 0 else "-1"


class Multiply(Arithmetic):
    """out = a * b, entry by entry; d(out)/da = b, d(out)/db = a."""

    name, sign, latex_sign, precedence, commutative = "multiply", "*", r"\cdot", 2, True

    def forward(self, a, b):
        return a * b

    def backward(self, i, grad, out, a, b):
        return grad * b if i == 0 else grad * a

    def derivative_text(self, i, out, a, b):
        return b if i == 0 else a


class Divide(Arithmetic):
    """out = a / b; d(out)/da = 1/b, d(out)/db = -a/b^2 = -out/b."""

    name, sign, precedence = "divide", "/", 2

    def forward(self, a, b):
        return a / b

    def backward(self, i, grad, out, a, b):
        return grad / b if i == 0 else -grad * out / b

    def latex(self, *names):
        return rf"\frac{{{names[0]}}}{{{names[1]}}}"

    def derivative_text(self, i, out, a, b):
        return f"1 / {b}" if i == 0 else f"-{a} / {b} ** 2"

    def derivative_latex(self, i, out, a, b):
        return rf"\frac{{1}}{{{b}}}" if i == 0 else rf"-\frac{{{a}}}{{{b}^{{2}}}}"


class Power(Arithmetic):
    """out = a ** b; d(out)/da = b a^(b-1), d(out)/db = out log(a)."""

    name, sign, precedence = "power", "**", 4

    def forward(self, a, b):
        return a ** b

    def backward(self, i, grad, out, a, b):
        if i == 0:
            # for b = 0 the derivative is 0, also at a = 0: the exponent b - 1 = -1 would make that 0 times infinity
            return grad * b * a ** (b - (value_of(b) != 0))
        # for a = 0 the derivative by the exponent is 0: log(1) stands in for the infinite log(0)
        return grad * out * call(LOG, a + (value_of(a) == 0))

    def latex(self, *names):
        return f"{names[0]}^{{{names[1]}}}"

    def derivative_text(self, i, out, a, b):
        if i == 1:
            return f"{out} * log({a})"
        if b in ("2", "2.0"):
            return f"2 * {a}"
        return f"{b} * {a} ** ({b} - 1)" if not _is_number(b) else f"{b} * {a} ** {float(b) - 1:g}"

    def derivative_latex(self, i, out, a, b):
        if i == 1:
            return rf"{out} \cdot \log({a})"
        if b in ("2", "2.0"):
            return rf"2 \cdot {a}"
        return rf"{b} \cdot {a}^{{{b} - 1}}" if not _is_number(b) else rf"{b} \cdot {a}^{{{float(b) - 1:g}}}"


class Negate(Operation):
    """out = -a; the derivative is -1."""

    name, precedence, elementwise = "negate", 3, True
    shape_rule = "the shape of the input"

    @classmethod
    def examples(cls, rng):
        return [(cls(), (rng.uniform(-2, 2, shape),)) for shape in ((), (2, 3))]

    def forward(self, a):
        return -a

    def backward(self, i, grad, out, a):
        return -grad

    def text(self, *names):
        return f"-{names[0]}"

    latex = text

    def derivative_text(self, i, out, a):
        return "-1"


class MatMul(Operation):
    """The matrix product out = a @ b: out_ij = sum_k a_ik b_kj.

    dL/da_ik = sum_j g_ij b_kj, so g b^T; dL/db_kj = sum_i a_ik g_ij, so a^T g, with g = dL/d(out). A vector on the
    left counts as a row, on the right as a column; leading axes are stacks of matrices, broadcast against each other.
    """

    name, precedence, broadcasts = "matmul", 2, True
    shape_rule = "(n, k) @ (k, m) -> (n, m): the columns of the first must be as many as the rows of the second"

    @classmethod
    def examples(cls, rng):
        shapes = [((2, 3), (3, 4)), ((3,), (3,)), ((3,), (3, 2)), ((2, 3), (3,)), ((2, 2, 3), (3, 1)),
                  ((3,), (2, 3, 2)), ((2, 1, 2, 3), (3, 3, 1)), ((2, 2, 3), (3,))]
        return [(cls(), (rng.uniform(-1, 1, a), rng.uniform(-1, 1, b))) for a, b in shapes]

    def forward(self, a, b):
        return a @ b

    def backward(self, i, grad, out, a, b):
        if a.ndim == b.ndim == 2:
            return product(grad, b.T) if i == 0 else product(a.T, grad)
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

    def text(self, *names):
        return f"{names[0]} @ {names[1]}"

    def latex(self, *names):
        return rf"{names[0]} \, {names[1]}"

    def derivative_text(self, i, out, a, b):
        return f"d {out}[i,j] / d {a}[i,k] = {b}[k,j]" if i == 0 else f"d {out}[i,j] / d {b}[k,j] = {a}[i,k]"

    def derivative_latex(self, i, out, a, b):
        if i == 0:
            return rf"\frac{{\partial {{{out}}}_{{ij}}}}{{\partial {{{a}}}_{{ik}}}} = {{{b}}}_{{kj}}"
        return rf"\frac{{\partial {{{out}}}_{{ij}}}}{{\partial {{{b}}}_{{kj}}}} = {{{a}}}_{{ik}}"

    def backward_text(self, i, grad, out, a, b):
        return f"{grad} @ {b}.T" if i == 0 else f"{a}.T @ {grad}"

    def backward_latex(self, i, grad, out, a, b):
        return rf"{grad} \, {{{b}}}^{{\top}}" if i == 0 else rf"{{{a}}}^{{\top}} \, {grad}"


def _swapped(x: Any) -> Any:
    """Return each matrix of a stack transposed."""
    axes = tuple(range(x.ndim - 2)) + (x.ndim - 1, x.ndim - 2)
    return x.transpose(axes)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


ADD, SUBTRACT, MULTIPLY, DIVIDE, POWER = Add(), Subtract(), Multiply(), Divide(), Power()
NEGATE, MATMUL = Negate(), MatMul()
