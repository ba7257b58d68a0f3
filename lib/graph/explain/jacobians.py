"""Jacobians, in numbers and in symbols: diagonal for an elementwise function, and full for a vector of expressions."""
from __future__ import annotations

from typing import Any, List, Sequence

import numpy as np

from lib.graph.explain.derivation import Derivation, local_derivative
from lib.graph.explain.document import Document, Line, Part
from lib.graph.explain.expressions import derivatives_in_leaves, in_leaves
from lib.graph.notation import TEXT, array, entry, equation, matrix, name, number, partial, words
from lib.graph.notation.digits import LARGEST_PRINTED, number_text
from lib.graph.node import Node
from lib.validation import InputError

LARGEST_MATRIX = 6


def jacobians(derivation: Derivation) -> Part:
    """Return the Jacobian of each elementwise function in a graph, which is diagonal; of a batch, for its first row."""
    lines: List[Line] = []
    for node in derivation.computed():
        if not node.operation.elementwise or not node.needs_grad or node.ndim == 0:  # type: ignore[union-attr]
            continue
        for edge in derivation.edges_from(node):
            if edge.parent.shape == node.shape and node.size:
                lines += _diagonal(derivation, edge)
    if lines:
        lines.append(Line("Multiplying by a diagonal matrix is multiplying entry by entry: that is why backward needs "
                          "no matrix here, only a product of arrays of the same shape."))
    else:
        lines.append(Line("No elementwise function of an array occurs in this graph: a single number's Jacobian is its "
                          "derivative."))
    return Part("(h) Jacobians of elementwise functions", lines)


def _diagonal(derivation: Derivation, edge: Any) -> List[Line]:
    """Return why one elementwise function has a diagonal Jacobian, and what it is."""
    node = edge.child
    child, parent = derivation.names.term(node), derivation.names.term(edge.parent)
    slopes = np.asarray(local_derivative(edge, derivation.values))
    row = slopes.reshape(-1, slopes.shape[-1])[0]
    lines = [Line(equation(child, derivation.names.formula(node)), ": ", entry(child, "i"), " depends on ",
                  entry(parent, "i"), " alone, so ",
                  equation(partial(entry(child, "i"), entry(parent, "j")), number(0)),
                  " for i != j and the Jacobian is diagonal.")]
    which = "" if node.ndim == 1 else " (of the first row; each row of the batch has its own)"
    if row.size <= LARGEST_MATRIX:
        lines.append(Line(partial(child, parent), f"{which} = ", _numbers(np.diag(row)), level=1))
    else:
        first = ", ".join(number_text(each) for each in row[:3])
        lines.append(Line(partial(child, parent), f"{which} = diag({first}, ...), {row.size} x {row.size} numbers, "
                          "zero off the diagonal", level=1))
    return lines


def _numbers(values: np.ndarray) -> Any:
    """Return a matrix of numbers with all its entries, whatever their number."""
    return array(values) if values.size <= LARGEST_PRINTED else matrix([[number(each) for each in row]
                                                                        for row in values])


# ---------------------------------------------------------------------- in symbols

class SymbolicJacobian(Document):
    """The matrix of partial derivatives of several expressions by several variables.

    Attributes:
        terms: the entries as formulas in the variables, a list of rows.
        text: the same in plain text.
        values: the entries as numbers, an array of shape (outputs, inputs).
    """

    def __init__(self, outputs: Sequence[Node], inputs: Sequence[Node], label: str = "f", numbers: bool = True) -> None:
        derivations = [Derivation(output) for output in outputs]
        self.terms = [derivatives_in_leaves(derivation, inputs) for derivation in derivations]
        self.text = [[TEXT.write(term) for term in row] for row in self.terms]
        self.values = np.array([[float(derivation.gradients.get(x, 0.0)) for x in inputs]
                                for derivation in derivations])
        names = [name(str(node.name)) for node in inputs]
        lines = [Line(equation(name(f"{label}_{k + 1}"), in_leaves(derivation)[derivation.output]))
                 for k, derivation in enumerate(derivations)]
        by = ", ".join(TEXT.write(each) for each in names)
        lines.append(Line(f"Row i, column j: the derivative of {label}_i by the j-th of {by}."))
        lines.append(Line(matrix(self.terms), level=1))
        if numbers:
            point = words(*[piece for k, (each, node) in enumerate(zip(names, inputs))
                            for piece in ([", "] if k else []) + [equation(each, number(node.value))]])
            lines += [Line("At ", point, ":"), Line(_numbers(self.values), level=1)]
        remark = structure(self.text)
        super().__init__([Part("Jacobian", lines + ([Line(remark)] if remark else []))])


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
