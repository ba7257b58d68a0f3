"""How the product along one edge is written: in partial derivatives, as a formula, and with the numbers put in."""
from __future__ import annotations

from typing import Any, List, Optional, Tuple

import numpy as np

from lib.graph.explain.names import number_latex, number_text, operand, partial_latex, partial_text
from lib.graph.explain.trace import Edge, Trace, local_derivative
from lib.graph.operations import normalised_axes


def partials_text(trace: Trace, edge: Edge) -> str:
    """Return the product of partial derivatives along an edge, such as dL/dz * dz/dw."""
    return f"{trace.names.derivative(edge.child)} * {local_text(trace, edge)}"


def partials_latex(trace: Trace, edge: Edge) -> str:
    """Return the product of partial derivatives along an edge, in LaTeX."""
    return f"{trace.names.derivative_latex(edge.child)} {local_latex(trace, edge)}"


def local_text(trace: Trace, edge: Edge) -> str:
    """Return d(child)/d(parent); |1 and |2 tell the inputs apart if the parent is used as several of them."""
    text = partial_text(trace.names.text[edge.child], trace.names.text[edge.parent])
    return f"{text}|{edge.i + 1}" if trace.is_repeated(edge) else text


def local_latex(trace: Trace, edge: Edge) -> str:
    """Return d(child)/d(parent) in LaTeX."""
    latex = partial_latex(trace.names.latex[edge.child], trace.names.latex[edge.parent])
    return rf"\left.{latex}\right|_{{{edge.i + 1}}}" if trace.is_repeated(edge) else latex


def is_single(edge: Edge) -> bool:
    """Tell whether both ends of an edge are single numbers, so that the product is one of numbers."""
    return edge.child.ndim == edge.parent.ndim == 0


def derivative_text(trace: Trace, edge: Edge) -> str:
    """Return d(child)/d(parent) as a formula, such as 1 / b."""
    return _call(trace, edge, "derivative_text", trace.names.text)


def derivative_latex(trace: Trace, edge: Edge) -> str:
    """Return d(child)/d(parent) as a formula in LaTeX; products of arrays are elementwise."""
    formula = _call(trace, edge, "derivative_latex", trace.names.latex)
    return formula.replace(r"\cdot (", r"\odot (") if edge.child.ndim else formula


def factors_text(factors: List[str]) -> str:
    """Return the product of several factors, those that are 1 left out."""
    factors = [factor for factor in factors if factor != "1"]
    return " * ".join(map(_bracketed, factors)) if len(factors) > 1 else "".join(factors) or "1"


def factors_latex(factors: List[str]) -> str:
    """Return the product of several factors in LaTeX, those that are 1 left out."""
    factors = [factor for factor in factors if factor != "1"]
    if len(factors) < 2:
        return "".join(factors) or "1"
    return r" \cdot ".join(rf"\left({factor}\right)" if needs_brackets(factor) else factor for factor in factors)


def product_text(first: str, second: str) -> str:
    """Return first * second, with brackets where they are needed."""
    if second == "1":
        return first
    if first == "1":
        return second
    return f"{first} * {_bracketed(second)}"


def product_latex(first: str, second: str, sign: str = r"\cdot") -> str:
    """Return first times second in LaTeX, with brackets where they are needed."""
    if second == "1":
        return first
    if first == "1":
        return second
    return f"{first} {sign} " + (rf"\left({second}\right)" if needs_brackets(second) else second)


def flow_text(trace: Trace, edge: Edge, grad: Optional[str] = None) -> str:
    """Return what the child computes and sends to the parent, such as dL/dz @ W.T or sum over the rows of dL/dz.

    Args:
        trace, edge: the graph and the edge.
        grad: how to call what the child has received; d(output)/d(child) if not given.
    """
    return _flow(trace, edge, grad or trace.names.derivative(edge.child), latex=False)


def flow_latex(trace: Trace, edge: Edge) -> str:
    """Return what the child computes and sends to the parent, in LaTeX."""
    return _flow(trace, edge, trace.names.derivative_latex(edge.child), latex=True)


def numbers_text(trace: Trace, edge: Edge) -> str:
    """Return the product along an edge between single numbers, with the numbers put in, such as "2 * 0.5"."""
    return " * ".join(operand(text) if k else text for k, text in enumerate(_numbers(trace, edge)))


def numbers_latex(trace: Trace, edge: Edge) -> str:
    """Return the product along an edge between single numbers in LaTeX."""
    return r" \cdot ".join(operand(number_latex(text)) if k else number_latex(text)
                           for k, text in enumerate(_numbers(trace, edge)))


def summed_axes(trace: Trace, edge: Edge) -> Tuple[int, ...]:
    """Return the axes of the child's gradient that are summed because the parent was broadcast along them."""
    operation = edge.child.operation
    assert operation is not None
    child, parent = edge.child.shape, edge.parent.shape
    if not operation.elementwise or child == parent:
        return ()
    added = len(child) - len(parent)
    stretched = tuple(added + k for k, size in enumerate(parent) if size == 1 and child[added + k] != 1)
    return tuple(range(added)) + stretched


def axes_words(axes: Tuple[int, ...], ndim: int) -> str:
    """Return in words what a sum over axes of an array runs over."""
    if len(axes) == ndim:
        return "all entries"
    if ndim == 2:
        return "the rows" if axes == (0,) else "the columns"
    return " and ".join(f"axis {axis}" for axis in axes)


# ---------------------------------------------------------------------- how it is done

def _numbers(trace: Trace, edge: Edge) -> List[str]:
    return [number_text(trace.gradients[edge.child]), number_text(local_derivative(edge, trace.values))]


def _call(trace: Trace, edge: Edge, method: str, names: Any, *before: str) -> str:
    operation = edge.child.operation
    assert operation is not None
    return getattr(operation, method)(edge.i, *before, names[edge.child],
                                      *[operand(names[parent]) for parent in edge.child.parents])


def _flow(trace: Trace, edge: Edge, grad: str, latex: bool) -> str:
    operation, names = edge.child.operation, trace.names
    assert operation is not None
    if operation.name == "matmul":
        factors = trace.names.latex if latex else trace.names.text
        return matmul_flow(edge, factors[edge.child.parents[0]], factors[edge.child.parents[1]], grad, latex)
    if operation.name in ("sum", "mean"):
        axes = normalised_axes(operation.axis, edge.parent.ndim)  # type: ignore[attr-defined]
        count = int(np.prod([edge.parent.shape[axis] for axis in axes]))
        if latex:
            share = grad if operation.name == "sum" else rf"\frac{{1}}{{{count}}} {grad}"
            return rf"{share} \text{{ for each entry of }} {names.latex[edge.parent]}"
        share = grad if operation.name == "sum" else f"{grad} / {count}"
        return f"{share} for each entry of {names.text[edge.parent]}"
    if not operation.elementwise:
        return _call(trace, edge, "backward_latex" if latex else "backward_text",
                     names.latex if latex else names.text, grad)
    if latex:
        sign = r"\cdot" if is_single(edge) else r"\odot"
        flow = _signed(product_latex(grad, derivative_latex(trace, edge), sign), grad)
    else:
        flow = _signed(product_text(grad, derivative_text(trace, edge)), grad)
    axes = summed_axes(trace, edge)
    if axes and latex:
        return rf"\sum_{{\text{{{axes_words(axes, edge.child.ndim)}}}}} {flow}"
    return f"sum over {axes_words(axes, edge.child.ndim)} of {flow}" if axes else flow


def _signed(flow: str, grad: str) -> str:
    """Write grad * (-1) as -grad."""
    return f"-{grad}" if flow in (f"{grad} * (-1)", rf"{grad} \cdot \left(-1\right)",
                                  rf"{grad} \odot \left(-1\right)") else flow


def matmul_flow(edge: Edge, a: str, b: str, grad: str, latex: bool = False) -> str:
    """Return the gradient of the matrix product a @ b towards one factor, also where one of them is a vector."""
    left, right = edge.child.parents
    space, transposed = (r" \, ", r"^{\top}") if latex else (" @ ", ".T")
    a_t, b_t = (f"{{{a}}}{transposed}", f"{{{b}}}{transposed}") if latex else (a + transposed, b + transposed)
    if left.ndim == right.ndim == 1:  # an inner product: each entry's derivative is the other factor's entry
        return grad + (r" \cdot " if latex else " * ") + (b if edge.i == 0 else a)
    if left.ndim == 1 and right.ndim == 2:  # a vector through W^T x
        return f"{b}{space}{grad}" if edge.i == 0 else _outer(a, grad, latex)
    if left.ndim == 2 and right.ndim == 1:  # W x
        return _outer(grad, b, latex) if edge.i == 0 else f"{a_t}{space}{grad}"
    stacked = max(left.ndim, right.ndim) > 2 and edge.parent.ndim < edge.child.ndim
    flow = f"{grad}{space}{b_t}" if edge.i == 0 else f"{a_t}{space}{grad}"
    if not stacked:
        return flow
    return rf"\sum_{{\text{{the stack}}}} {flow}" if latex else f"sum over the stack of {flow}"


def _outer(column: str, row: str, latex: bool) -> str:
    return rf"{column} \, \left({row}\right)^{{\top}}" if latex else f"outer({column}, {row})"


def needs_brackets(text: str) -> bool:
    """Tell whether a formula must stand in brackets as a factor: there is a sign or a sum on its top level."""
    depth = 0
    for k, sign in enumerate(text):
        depth += sign in "({["
        depth -= sign in ")}]"
        if depth == 0 and sign in "+-" and (k == 0 or text[k - 1] in " ({"):
            return True
    return False


def _bracketed(text: str) -> str:
    """Return a factor in brackets if it is more than a name, a number, a call or a product of these."""
    return f"({text})" if needs_brackets(text) or " / " in text or " if " in text else text
