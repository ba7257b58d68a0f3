"""Derivations: the chain rule of a graph written out, step by step and with the numbers put in, as a tutor would.

>>> from lib.graph import variable
>>> from lib.graph.explain import explain
>>> x, w = variable(3.0, name="x"), variable(0.5, name="w")
>>> print(explain(((w * x - 1) ** 2).named("L")).derivative("w"))
dL/dw = 2 * (w * x - 1) * x = 3

The words of this package:

    node          a quantity of the graph, with its value and its name (names.py): the user's, or t1, t2, ...
    edge          one use of a node, the parent, by another, the child: d(child)/d(parent) is its local derivative
    flow          what the child sends to the parent along an edge: what it has received times the local derivative
    gradient      d(output)/d(node): the sum of the flows that arrive at a node
    derivation    a graph with all of these as numbers (derivation.py)
    path          edges from the output down to a node; the product along it is one term of the gradient
    term          a piece of a formula, as lib.graph.notation writes it: plain text, LaTeX, ...
    line, part    words and formulas in a row; titled lines (document.py)
"""
from __future__ import annotations

from typing import Any, List, Optional, Sequence

from lib.graph.explain import expressions
from lib.graph.explain import parts as explain_parts
from lib.graph.explain.derivation import derivation_of
from lib.graph.explain.document import Document, Line, Part
from lib.graph.explain.jacobians import jacobian, jacobians
from lib.graph.explain.matrices import matrices
from lib.graph.explain.paths import paths
from lib.graph.explain.short_lines import short_part_of, short_parts
from lib.graph.node import Node
from lib.validation import InputError, require_choice

__all__ = ["explain", "Explanation", "jacobian"]
LARGEST_EXPLAINED = 400


def explain(output: Node, learning_rate: Optional[float] = None, reuse: bool = True,
            detail: str = "short") -> "Explanation":
    """Return the derivation of a graph's gradients; print it, or show it in a notebook.

    Args:
        output: the node to differentiate, a single number such as a loss.
        learning_rate: if given, one step of gradient descent with it is part of the derivation.
        reuse: whether equal sub-expressions become one intermediate variable, so that each is computed once.
        detail: "short" writes what a tutor would, one formula for each gradient of a named node; "every edge" writes
            each operation and each product along an edge, in the parts (a) to (h).

    Returns:
        An Explanation. print(explanation) shows it all; its methods give parts one by one, of("w5") one gradient alone.
    """
    return Explanation(output, learning_rate, reuse, detail)


class Explanation(Document):
    """A graph's forward and backward pass by hand, in the short form or edge by edge.

    print(explanation) shows it as text, `markdown()` as Markdown with LaTeX; in a notebook, the explanation and each
    of its parts show themselves with formulas. The methods give the short form of one gradient, of(...), and the parts
    (a) to (h) of the long one. Neither `grad` nor `value` of any node is changed.
    """

    def __init__(self, output: Node, learning_rate: Optional[float] = None, reuse: bool = True,
                 detail: str = "short") -> None:
        super().__init__([])
        require_choice("detail", detail, ("short", "every edge"), "explain")
        self.detail, self.reuse = detail, reuse
        self.derivation = derivation_of(output, reuse)
        self.output = self.derivation.output
        self.learning_rate = learning_rate

    def of(self, variable: Any) -> Part:
        """Return the derivation of one gradient alone, in the short form: explain(L).of("w5")."""
        self.derivation.require_gradients()
        derivation = derivation_of(self.output, self.reuse, written_out=True)
        return short_part_of(derivation, derivation.node(self.derivation.stands_for.get(variable, variable)))

    def intermediates(self) -> Part:
        """Return (a): the intermediate variables t1, t2, ..., one operation each."""
        return explain_parts.intermediates(self.derivation)

    def forward(self) -> Part:
        """Return (b): the value of each node."""
        return explain_parts.forward(self.derivation)

    def edges(self) -> Part:
        """Return (c): for each edge the product of partial derivatives along it, and the node it is sent to."""
        return explain_parts.edges(self.derivation)

    def sums(self) -> Part:
        """Return (d): at each node the sum of products over its children."""
        return explain_parts.sums(self.derivation)

    def formulas(self) -> Part:
        """Return each gradient as a formula, such as x.T @ dL/dz, with its shape."""
        return explain_parts.formulas(self.derivation)

    def paths(self, parameter: Any) -> Part:
        """Return (e): the paths from the output to a node, given as itself or by name, and the product along each."""
        return paths(self.derivation, self.derivation.node(parameter))

    def matrices(self) -> Part:
        """Return (f): the shape of each term, and where the transposes come from, derived in index form."""
        return matrices(self.derivation)

    def step(self, learning_rate: float, parameters: Optional[Sequence[Any]] = None) -> Part:
        """Return (g): one step of gradient descent on the parameters (all variables if None), and the new loss."""
        return explain_parts.step(self.derivation, learning_rate, parameters)

    def jacobians(self) -> Part:
        """Return (h): the Jacobian of each elementwise function of an array, which is diagonal."""
        return jacobians(self.derivation)

    def derivative(self, variable: Any) -> Line:
        """Return d(output)/d(variable) as a single formula in the variables; for graphs of single numbers."""
        return expressions.derivative(self.derivation, self.derivation.node(variable))

    def formula(self) -> Line:
        """Return the output as a single formula in the leaves."""
        return expressions.formula(self.derivation)

    def parts(self) -> List[Part]:
        """Return the parts that make up the whole: in every detail, (a) to (h)."""
        self.derivation.require_gradients()
        order = self.derivation.order
        if len(order) > LARGEST_EXPLAINED:
            raise InputError(f"A graph of {len(order)} nodes is too long to be explained in one piece; the limit is "
                             f"{LARGEST_EXPLAINED}. Ask for single parts, such as explanation.sums().")
        if self.detail == "short":
            return short_parts(derivation_of(self.output, self.reuse, written_out=True), self.learning_rate)
        parts = [self.intermediates(), self.forward(), self.edges(), self.sums()]
        parts += [self.paths(node) for node in self.derivation.parameters()]
        arrays = any(node.ndim for node in order)
        if arrays:
            parts.append(self.matrices())
        if self.learning_rate is not None:
            parts.append(self.step(self.learning_rate))
        if arrays:
            parts.append(self.jacobians())
        return parts
