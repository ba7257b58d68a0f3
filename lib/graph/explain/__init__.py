"""Derivations: the chain rule of a graph written out, step by step and with the numbers put in, as a tutor would.

>>> from lib.graph import variable
>>> from lib.graph.explain import explain
>>> x, w = variable(3.0, name="x"), variable(0.5, name="w")
>>> print(explain(((w * x - 1) ** 2).named("L")).derivative("w"))
dL/dw = 2 * (w * x - 1) * x = 3
"""
from __future__ import annotations

from typing import Any, List, Optional, Sequence

from lib.graph.explain import parts as explain_parts
from lib.graph.explain.jacobians import derivative, expanded, jacobian, jacobians
from lib.graph.explain.matrices import matrices
from lib.graph.explain.paths import paths
from lib.graph.explain.text import Document, Line, Part
from lib.graph.explain.trace import trace_of
from lib.graph.node import Node
from lib.validation import InputError

__all__ = ["explain", "Explanation", "jacobian"]
LARGEST_EXPLAINED = 400


def explain(output: Node, learning_rate: Optional[float] = None, reuse: bool = True) -> "Explanation":
    """Return the derivation of a graph's gradients; print it, or show it in a notebook.

    Args:
        output: the node to differentiate, a single number such as a loss.
        learning_rate: if given, one step of gradient descent with it is part of the derivation.
        reuse: whether equal sub-expressions become one intermediate variable, so that each is computed once.

    Returns:
        An Explanation. print(explanation) shows it all; its methods give the parts (a) to (h) one by one.
    """
    return Explanation(output, learning_rate, reuse)


class Explanation(Document):
    """A graph's forward and backward pass by hand: parts (a) to (h), each a method that returns a printable Part.

    print(explanation) shows them all as text, `markdown()` as Markdown with LaTeX; in a notebook, the explanation and
    each of its parts show themselves with formulas. Neither `grad` nor `value` of any node is changed.
    """

    def __init__(self, output: Node, learning_rate: Optional[float] = None, reuse: bool = True) -> None:
        super().__init__([])
        self.trace = trace_of(output, reuse)
        self.output = self.trace.output
        self.learning_rate = learning_rate

    def intermediates(self) -> Part:
        """Return (a): the intermediate variables t1, t2, ..., one operation each."""
        return explain_parts.intermediates(self.trace)

    def forward(self) -> Part:
        """Return (b): the value of each node."""
        return explain_parts.forward(self.trace)

    def edges(self) -> Part:
        """Return (c): for each edge the product of partial derivatives along it, and the node it is sent to."""
        return explain_parts.edges(self.trace)

    def sums(self) -> Part:
        """Return (d): at each node the sum of products over its children."""
        return explain_parts.sums(self.trace)

    def formulas(self) -> Part:
        """Return each gradient as a formula, such as x.T @ dL/dz, with its shape."""
        return explain_parts.formulas(self.trace)

    def paths(self, parameter: Any) -> Part:
        """Return (e): the paths from the output to a node, given as itself or by name, and the product along each."""
        return paths(self.trace, self.trace.node(parameter))

    def matrices(self) -> Part:
        """Return (f): the shape of each term, and where the transposes come from, derived in index form."""
        return matrices(self.trace)

    def step(self, learning_rate: float, parameters: Optional[Sequence[Any]] = None) -> Part:
        """Return (g): one step of gradient descent on the parameters (all variables if None), and the new loss."""
        return explain_parts.step(self.trace, learning_rate, parameters)

    def jacobians(self) -> Part:
        """Return (h): the Jacobian of each elementwise function of an array, which is diagonal."""
        return jacobians(self.trace)

    def derivative(self, variable: Any) -> Line:
        """Return d(output)/d(variable) as a single formula in the variables; for graphs of single numbers."""
        return derivative(self.trace, self.trace.node(variable))

    def formula(self) -> Line:
        """Return the output as a single formula in the leaves."""
        text, latex = expanded(self.trace)
        names = self.trace.names
        return Line(f"{names.text[self.output]} = {text}", f"{names.latex[self.output]} = {latex}")

    def parts(self) -> List[Part]:
        """Return the parts that make up the whole: (e) for each variable, (f) and (h) if there are arrays."""
        self.trace.require_gradients()
        if len(self.trace.order) > LARGEST_EXPLAINED:
            raise InputError(f"A graph of {len(self.trace.order)} nodes is too long to be explained in one piece; the "
                             f"limit is {LARGEST_EXPLAINED}. Ask for single parts, such as explanation.sums().")
        parts = [self.intermediates(), self.forward(), self.edges(), self.sums()]
        parts += [self.paths(node) for node in self.trace.parameters()]
        arrays = any(node.ndim for node in self.trace.order)
        if arrays:
            parts.append(self.matrices())
        if self.learning_rate is not None:
            parts.append(self.step(self.learning_rate))
        if arrays:
            parts.append(self.jacobians())
        return parts
