"""The product along a path through arrays: each factor with its shape, then reordered and transposed to one formula."""
from __future__ import annotations

from typing import List

from lib.graph.explain.flows import (axes_words, derivative_latex, derivative_text, local_latex, local_text,
                                     matmul_flow, needs_brackets, summed_axes)
from lib.graph.explain.names import shape_text
from lib.graph.explain.text import Line
from lib.graph.explain.trace import Edge, Trace
from lib.graph.node import Node


def chain(trace: Trace, path: List[Edge]) -> List[Line]:
    """Return the lines on a path: every local derivative with its shape, then the formula and its shapes."""
    names, end = trace.names, path[-1].parent
    lines = [_factor(trace, edge) for edge in path]
    lines.append(Line(f"{names.derivative(end)} = {_formula(trace, path, 'text')}",
                      f"{names.derivative_latex(end)} = {_formula(trace, path, 'latex')}", level=1,
                      label="reordered and transposed:"))
    shapes = f"{_formula(trace, path, 'shape')} -> {shape_text(end.shape)}"
    lines.append(Line(shapes, rf"\text{{{shapes}}}".replace("*", r"} \odot \text{").replace("@", r"} \cdot \text{")
                      .replace("->", r"} \rightarrow \text{"), level=1, label="shapes:"))
    return lines


def _factor(trace: Trace, edge: Edge) -> Line:
    """Return one local derivative of a path: what it multiplies by, from which side, and in which shape."""
    operation, child, parent = edge.child.operation, edge.child, edge.parent
    assert operation is not None
    text, latex = local_text(trace, edge), local_latex(trace, edge)
    if operation.name == "matmul":
        other = child.parents[1 - edge.i]
        name = trace.names.text[other]
        flow = matmul_flow(edge, "A", "B", "G")
        side = "by the outer product" if "outer" in flow else f"from the {'right' if flow.startswith('G') else 'left'}"
        turned = f"{name}.T" if ".T" in flow else name
        shape = shape_text(other.shape[::-1] if turned.endswith(".T") else other.shape)
        return Line(f"{text}: {turned}, multiplied {side}   shape {shape}",
                    rf"{latex}: \text{{{turned}, multiplied {side}, shape {shape}}}", level=2)
    if operation.name in ("sum", "mean"):
        share = "1" if operation.name == "sum" else f"1/{_count(edge)}"
        return Line(f"{text}: {share} for each entry   shape {shape_text(parent.shape)}",
                    rf"{latex}: {share} \text{{ for each entry, shape {shape_text(parent.shape)}}}", level=2)
    if not operation.elementwise:
        return Line(f"{text}: {derivative_text(trace, edge)}", rf"{latex}: {derivative_latex(trace, edge)}", level=2)
    axes = summed_axes(trace, edge)
    after = f", then summed over {axes_words(axes, child.ndim)}" if axes else ""
    formula, formula_latex = derivative_text(trace, edge), derivative_latex(trace, edge)
    how = "" if formula in ("1", "-1") else "elementwise "
    shape = shape_text(child.shape)
    return Line(f"{text}: {how}{formula}{after}   shape {shape}",
                rf"{latex}: {formula_latex} \text{{ ({how}shape {shape}{after})}}", level=2)


def _count(edge: Edge) -> int:
    return edge.parent.size // max(edge.child.size, 1)


def _formula(trace: Trace, path: List[Edge], kind: str) -> str:
    """Return the whole product along a path as one formula: of names as text or LaTeX, or of shapes."""
    latex = kind == "latex"

    def name(node: Node) -> str:
        return {"text": trace.names.text, "latex": trace.names.latex}.get(kind, {}).get(node) or shape_text(node.shape)

    formula = "1"
    for edge in path:
        operation = edge.child.operation
        assert operation is not None
        left = edge.child.parents[0]
        right = edge.child.parents[-1]
        if operation.name == "matmul":
            grad = _inner(formula, latex)
            if kind == "shape" and edge.parent.ndim == edge.child.parents[1 - edge.i].ndim == 2:
                turned = shape_text(edge.child.parents[1 - edge.i].shape[::-1])
                formula = f"{grad} @ {turned}" if edge.i == 0 else f"{turned} @ {grad}"
            else:
                formula = matmul_flow(edge, name(left), name(right), grad, latex)
        elif operation.name in ("sum", "mean"):
            if kind == "shape":
                formula = shape_text(edge.parent.shape)
            elif operation.name == "mean":
                share = rf"\frac{{1}}{{{_count(edge)}}}" if latex else f"1/{_count(edge)}"
                times = r" \cdot " if latex else " * "
                formula = share if formula == "1" else share + times + _inner(formula, latex)
        elif operation.elementwise:
            formula = _elementwise(trace, edge, formula, kind)
        else:
            formula = _general(trace, edge, formula, kind)
    return formula


def _elementwise(trace: Trace, edge: Edge, formula: str, kind: str) -> str:
    """Return the formula so far, times an elementwise derivative, and summed where broadcasting copied."""
    latex = kind == "latex"
    derivative = derivative_latex(trace, edge) if latex else derivative_text(trace, edge)
    if kind == "shape":
        derivative = "1" if derivative in ("1", "-1") else shape_text(edge.child.shape)
        formula = shape_text(edge.child.shape) if formula == "1" and derivative == "1" else formula
    if derivative == "-1":
        formula = f"-{_inner(formula, latex)}" if formula != "1" else "-1"
    elif derivative != "1":
        sign = r" \odot " if latex and edge.child.ndim else r" \cdot " if latex else " * "
        derivative = _inner(derivative, latex) if needs_brackets(derivative) or " if " in derivative else derivative
        formula = derivative if formula == "1" else f"{_inner(formula, latex, '@')}{sign}{derivative}"
    axes = summed_axes(trace, edge)
    if axes:
        words = axes_words(axes, edge.child.ndim)
        formula = (rf"\sum_{{\text{{{words}}}}} {_inner(formula, latex)}" if latex
                   else f"(sum over {words} of {_inner(formula, latex)})")
    return formula


def _general(trace: Trace, edge: Edge, formula: str, kind: str) -> str:
    operation, names = edge.child.operation, trace.names
    assert operation is not None
    if kind == "shape":
        return shape_text(edge.parent.shape)
    table = names.latex if kind == "latex" else names.text
    method = operation.backward_latex if kind == "latex" else operation.backward_text
    text = method(edge.i, _inner(formula, kind == "latex"), table[edge.child],
                  *[table[parent] for parent in edge.child.parents])
    return f"({text})" if ", " in text and kind == "text" else text


def _inner(formula: str, latex: bool, signs: str = "*@") -> str:
    """Return a formula in brackets if it is a product or a sum."""
    products = (" \\, ", r"\odot") if latex else tuple(f" {sign} " for sign in signs)
    if any(sign in formula for sign in products) or needs_brackets(formula) or " if " in formula:
        outer = formula.startswith("(") and formula.endswith(")") and _closes_last(formula)
        return formula if outer else rf"\left({formula}\right)" if latex else f"({formula})"
    return formula


def _closes_last(formula: str) -> bool:
    """Tell whether the first bracket of a formula is closed by its last one."""
    depth = 0
    for k, sign in enumerate(formula):
        depth += (sign == "(") - (sign == ")")
        if depth == 0:
            return k == len(formula) - 1
    return False
