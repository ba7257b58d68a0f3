"""Jacobians, in numbers and in symbols: diagonal for an elementwise function, and full for a vector of expressions."""
from __future__ import annotations

from typing import Any, Dict, List, Sequence, Tuple

import numpy as np

from lib.graph.explain.flows import needs_brackets
from lib.graph.explain.names import name_latex, number_latex, number_text, partial_latex, value_latex, value_text
from lib.graph.explain.text import Document, Line, Part
from lib.graph.explain.trace import Edge, Trace, local_derivative
from lib.graph.node import Node
from lib.validation import InputError

LARGEST_MATRIX = 6


def jacobians(trace: Trace) -> Part:
    """Return the Jacobian of each elementwise function in a graph, which is diagonal; of a batch, for its first row."""
    names = trace.names
    lines: List[Line] = []
    for node in trace.computed():
        if not node.operation.elementwise or not node.needs_grad or node.ndim == 0:  # type: ignore[union-attr]
            continue
        for edge in trace.edges_from(node):
            if edge.parent.shape != node.shape:
                continue
            name, parent, latex, parent_latex = (names.text[node], names.text[edge.parent], names.latex[node],
                                                 names.latex[edge.parent])
            derivative = np.asarray(local_derivative(edge, trace.values))
            row = derivative.reshape(-1, derivative.shape[-1])[0]
            number = row.size
            lines.append(Line(f"{name} = {names.formula(node)}: entry {name}[i] depends on {parent}[i] alone, so "
                              f"d{name}[i]/d{parent}[j] = 0 for i != j and the Jacobian is diagonal."))
            which = "" if node.ndim == 1 else " (of the first row; each row of the batch has its own)"
            if number <= LARGEST_MATRIX:
                lines.append(Line(f"d{name}/d{parent}{which} = {value_text_full(np.diag(row))}",
                                  f"{partial_latex(latex, parent_latex)} = {matrix_latex(np.diag(row))}", level=1))
            else:
                first = ", ".join(number_text(entry) for entry in row[:3])
                lines.append(Line(f"d{name}/d{parent}{which} = diag({first}, ...), {number} x {number} numbers, zero "
                                  "off the diagonal", rf"{partial_latex(latex, parent_latex)} = "
                                  rf"\operatorname{{diag}}({first}, \dots)", level=1))
    if lines:
        lines.append(Line("Multiplying by a diagonal matrix is multiplying entry by entry: that is why backward needs "
                          "no matrix here, only a product of arrays of the same shape."))
    else:
        lines.append(Line("No elementwise function of an array occurs in this graph: a single number's Jacobian is its "
                          "derivative."))
    return Part("(h) Jacobians of elementwise functions", lines)


# ---------------------------------------------------------------------- in symbols

class SymbolicJacobian(Document):
    """The matrix of partial derivatives of several expressions by several variables.

    Attributes:
        text: the entries as formulas in the variables, a list of rows.
        latex: the same in LaTeX.
        values: the entries as numbers, an array of shape (outputs, inputs).
    """

    def __init__(self, outputs: Sequence[Node], inputs: Sequence[Node], name: str = "f", numbers: bool = True) -> None:
        traces = [Trace(output) for output in outputs]
        self.text = [_row(trace, inputs, latex=False) for trace in traces]
        self.latex = [_row(trace, inputs, latex=True) for trace in traces]
        self.values = np.array([[float(trace.gradients.get(x, 0.0)) for x in inputs] for trace in traces])
        labels = [node.name or f"x{k + 1}" for k, node in enumerate(inputs)]
        width = [max(len(row[k]) for row in self.text + [labels]) for k in range(len(inputs))]
        lines = [Line(f"{name}_{k + 1} = {expanded(trace)[0]}",
                      f"{name_latex(name)}_{{{k + 1}}} = {expanded(trace)[1]}") for k, trace in enumerate(traces)]
        lines.append(Line(f"Row i, column j: the derivative of {name}_i by the j-th of {', '.join(labels)}."))
        lines += [Line("[ " + "   ".join(entry.ljust(width[k]) for k, entry in enumerate(row)) + " ]", "", level=1)
                  for row in self.text]
        body = r" \\ ".join(" & ".join(row) for row in self.latex)
        for line in lines[-len(self.text):]:
            line.latex = None
        matrix = Line("", rf"\frac{{\partial {name_latex(name)}}}{{\partial ({', '.join(map(name_latex, labels))})}} = "
                      rf"\begin{{pmatrix}} {body} \end{{pmatrix}}")
        at = ", ".join(f"{label} = {value_text(node.value)}" for label, node in zip(labels, inputs))
        at_point = [Line(f"At {at}:"), Line(value_text_full(self.values), matrix_latex(self.values), level=1)]
        at_point = at_point if numbers else []
        self._text_part = Part("Jacobian", lines + at_point)
        remark = structure(self.text)
        self._remark = [Line(remark)] if remark else []
        self._text_part.lines += self._remark
        formula = [line for line in lines if line.latex] + [matrix]
        super().__init__([Part("Jacobian", formula + at_point + self._remark)])

    def __str__(self) -> str:
        return str(self._text_part)

    __repr__ = __str__


def jacobian(outputs: Any, inputs: Any, name: str = "f", numbers: bool = True) -> SymbolicJacobian:
    """Return the matrix of partial derivatives of expressions by variables, in symbols and in numbers.

    >>> from lib.graph import exp, sin, sqrt, variable
    >>> x1, x2, x3 = (variable(v, name=n) for v, n in ((0.0, "x1"), (1.0, "x2"), (3.0, "x3")))
    >>> jacobian([exp(x1) * sin(x3), sqrt(x2 + x3)], [x1, x2, x3]).text[0]
    ['sin(x3) * exp(x1)', '0', 'exp(x1) * cos(x3)']

    Args:
        outputs: the expressions: nodes that are single numbers.
        inputs: the variables: leaves that are single numbers, with names.
        name: what the function is called.
        numbers: whether the matrix is also given in numbers, at the variables' values.

    Raises:
        InputError: a node isn't a single number, or a variable has no name.
    """
    outputs, inputs = list(outputs), list(inputs)
    for node in outputs + inputs:
        if getattr(node, "shape", None) != ():
            raise InputError("A Jacobian in symbols has one row for each number of the output and one column for each "
                             f"number of the input, so each must be a node of its own with shape (), but got {node!r}.")
    if any(not node.name for node in inputs):
        raise InputError("The variables of a Jacobian in symbols need names: variable(value, name=\"x1\").")
    return SymbolicJacobian(outputs, inputs, name, numbers)


def structure(rows: List[List[str]]) -> str:
    """Return a sentence on a matrix of formulas that is diagonal, or ""."""
    if len(rows) != len(rows[0]) or len(rows) < 2:
        return ""
    diagonal = all(entry == "0" for i, row in enumerate(rows) for j, entry in enumerate(row) if i != j)
    return "The matrix is diagonal: entry i of the output depends on entry i of the input alone." if diagonal else ""


def derivative(trace: Trace, parameter: Node) -> Line:
    """Return d(output)/d(variable) as one formula in the variables, with its value."""
    trace.require_gradients()
    text, latex = (_row(trace, [parameter], each)[0] for each in (False, True))
    value = trace.gradients.get(parameter, np.float64(0))
    return Line(f"{trace.names.derivative(parameter)} = {text} = {value_text(value)}",
                f"{trace.names.derivative_latex(parameter)} = {latex} = {value_latex(value)}")


def expanded(trace: Trace) -> Tuple[str, str]:
    """Return the output as one formula in the leaves, as text and as LaTeX."""
    return _expressions(trace, False)[trace.output], _expressions(trace, True)[trace.output]


def _expressions(trace: Trace, latex: bool) -> Dict[Node, str]:
    """Return every node as a formula in the leaves."""
    names = trace.names
    result: Dict[Node, str] = {}
    for node in trace.order:
        if node.operation is None:
            result[node] = (names.latex if latex else names.text)[node]
            continue
        parts = [_part(result[parent], parent, node, k, latex) for k, parent in enumerate(node.parents)]
        result[node] = (node.operation.latex if latex else node.operation.text)(*parts)
    return result


def _part(formula: str, parent: Node, child: Node, i: int, latex: bool) -> str:
    """Return an operand's formula, in brackets if its operation binds less tightly than the one around it."""
    assert child.operation is not None
    if child.operation.precedence == 5 or (latex and child.operation.name == "divide"):
        return formula
    if parent.operation is None:
        return f"({formula})" if formula.startswith("-") else formula
    weaker = parent.operation.precedence < child.operation.precedence
    same = parent.operation.precedence == child.operation.precedence
    right = i == 1 and same and not (child.operation.commutative and parent.operation.name == child.operation.name)
    left = i == 0 and same and child.operation.name == "power"
    if not (weaker or right or left):
        return formula
    return rf"\left({formula}\right)" if latex else f"({formula})"


def _row(trace: Trace, inputs: Sequence[Node], latex: bool) -> List[str]:
    """Return the derivatives of one output by each input: the sum over the paths of the products of formulas."""
    expressions = _expressions(trace, latex)
    # signed lists of factors for each node: d(output)/d(node) as a sum of products
    sums: Dict[Node, List[Tuple[int, List[str]]]] = {trace.output: [(1, [])]}
    for node in reversed(trace.order):
        for edge in trace.edges_from(node) if node in sums else []:
            sign, factor = _factor(edge, expressions, latex)
            for before, factors in sums[node]:
                if factor != "0":
                    product = factors + ([factor] if factor != "1" else [])
                    sums.setdefault(edge.parent, []).append((before * sign, product))
                if sum(len(terms) for terms in sums.values()) > 500:
                    raise InputError("This expression's derivative has more than 500 products: too long to be written "
                                     "in one formula. Let explain() write it with intermediate variables.")
    return [_sum(sums.get(x, []), latex) for x in inputs]


def _factor(edge: Edge, expressions: Dict[Node, str], latex: bool) -> Tuple[int, str]:
    """Return the sign and the formula of d(child)/d(parent) in terms of the leaves."""
    operation = edge.child.operation
    assert operation is not None
    if edge.child.ndim or edge.parent.ndim:
        raise InputError("A derivative in symbols is for graphs of single numbers; explain(...).matrices() derives "
                         "those of arrays in index form.")
    names = [_bracket(expressions[parent], parent, latex) for parent in edge.child.parents]
    out = _bracket(expressions[edge.child], edge.child, latex)
    text = (operation.derivative_latex if latex else operation.derivative_text)(edge.i, out, *names)
    sign = 1
    if text.startswith("-"):
        sign, text = -1, text[1:]
    outer = text.startswith("(") and text.endswith(")") and text.count("(") == 1
    return sign, text[1:-1] if outer and not needs_brackets(text[1:-1]) else text


def _bracket(formula: str, node: Node, latex: bool) -> str:
    if node.operation is None or node.operation.precedence == 5 or (latex and node.operation.name == "divide"):
        return f"({formula})" if formula.startswith("-") else formula
    return rf"\left({formula}\right)" if latex else f"({formula})"


def _sum(terms: List[Tuple[int, List[str]]], latex: bool) -> str:
    if not terms:
        return "0"
    result = ""
    for sign, factors in terms:
        product = (r" \cdot " if latex else " * ").join(_as_factor(f, latex, len(factors) > 1) for f in factors) or "1"
        if not result:
            result = ("-" if sign < 0 else "") + product
        else:
            result += (" - " if sign < 0 else " + ") + product
    return result


def _as_factor(text: str, latex: bool, several: bool) -> str:
    if several and (needs_brackets(text) or (not latex and (" if " in text or _divides(text)))):
        return rf"\left({text}\right)" if latex else f"({text})"
    return text


def _divides(text: str) -> bool:
    depth = 0
    for sign in text:
        depth += sign == "("
        depth -= sign == ")"
        if sign == "/" and depth == 0:
            return True
    return False


# ---------------------------------------------------------------------- matrices of numbers

def value_text_full(matrix: np.ndarray) -> str:
    """Return a small matrix with all entries, whatever their number."""
    return "[" + ", ".join("[" + ", ".join(number_text(entry) for entry in row) + "]" for row in matrix) + "]"


def matrix_latex(matrix: np.ndarray) -> str:
    """Return a small matrix in LaTeX with all entries."""
    body = r" \\ ".join(" & ".join(number_latex(number_text(entry)) for entry in row) for row in matrix)
    return rf"\begin{{pmatrix}} {body} \end{{pmatrix}}"
