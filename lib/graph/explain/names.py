"""How the quantities of a graph are called and how their numbers are written, in plain text and in LaTeX.

Explanations, drawings and the answer checker all take their names from here, so that t3 is the same node everywhere.
"""
from __future__ import annotations

import re
from typing import Any, Dict, List, Optional, Sequence

import numpy as np

from lib.graph.node import Node, topological_order
from lib.graph.operations import Operation

GREEK = ("alpha", "beta", "gamma", "delta", "epsilon", "eta", "theta", "lambda", "mu", "rho", "sigma", "tau", "phi")
FUNCTION = 5  # the precedence of operations written as calls, whose operands need no brackets
LARGEST_PRINTED = 24  # arrays with more entries are described by their shape


class Names:
    """The names of all nodes of a graph.

    A node's own name comes first. Otherwise, computed nodes are the intermediate variables t1, t2, ... in the order of
    computation, variables are v1, v2, ..., single constants are called by their number and other constants c1, c2, ...
    A name that several nodes have is told apart by _2, _3, ...

    >>> from lib.graph import variable
    >>> a, b = variable(1.0, name="a"), variable(2.0, name="b")
    >>> y = (a + b) * 2
    >>> list(Names(y).text.values())
    ['a', 'b', 't1', '2', 't2']
    """

    def __init__(self, output: Node) -> None:
        self.order: List[Node] = topological_order(output)
        self.output = output
        taken = {node.name for node in self.order if node.name}
        given: Dict[str, int] = {}
        counters = {"t": 0, "v": 0, "c": 0}
        self.text: Dict[Node, str] = {}
        for node in self.order:
            if node.name:
                given[node.name] = given.get(node.name, 0) + 1
                self.text[node] = node.name if given[node.name] == 1 else f"{node.name}_{given[node.name]}"
            elif is_number(node):
                self.text[node] = number_text(node.value)
            else:
                letter = "t" if node.operation is not None else "v" if node.needs_grad else "c"
                counters[letter] += 1
                while f"{letter}{counters[letter]}" in taken:
                    counters[letter] += 1
                self.text[node] = f"{letter}{counters[letter]}"
        self.latex: Dict[Node, str] = {node: name_latex(name) for node, name in self.text.items()}

    def find(self, name: str) -> Optional[Node]:
        """Return the node of that name, or None; numbers such as 2 are no names."""
        for node, text in self.text.items():
            if text == name and not is_number(node):
                return node
        return None

    def known(self) -> List[str]:
        """Return all names that refer to a node, in the order of computation."""
        return [text for node, text in self.text.items() if not is_number(node)]

    def derivative(self, node: Node) -> str:
        """Return d(output)/d(node) in plain text, such as dL/dw0."""
        return partial_text(self.text[self.output], self.text[node])

    def derivative_latex(self, node: Node) -> str:
        """Return d(output)/d(node) in LaTeX."""
        return partial_latex(self.latex[self.output], self.latex[node])

    def formula(self, node: Node) -> str:
        """Return the one operation that a computed node is, such as "a + b"."""
        assert node.operation is not None
        return apply_text(node.operation, [self.text[parent] for parent in node.parents])

    def formula_latex(self, node: Node) -> str:
        """Return the one operation that a computed node is, in LaTeX; a row times a matrix as W^T x."""
        assert node.operation is not None
        names = [self.latex[parent] for parent in node.parents]
        if node.operation.name == "matmul" and node.parents[0].ndim == 1 and node.parents[1].ndim == 2:
            return rf"{{{names[1]}}}^{{\top}} {names[0]}"
        return apply_latex(node.operation, names)


def apply_text(operation: Operation, operands: Sequence[str]) -> str:
    """Return an operation on names or numbers; a negative number beside a sign stands in brackets."""
    return operation.text(*[text if operation.precedence == FUNCTION else operand(text) for text in operands])


def apply_latex(operation: Operation, operands: Sequence[str]) -> str:
    """Return an operation on names or numbers in LaTeX."""
    return operation.latex(*[text if operation.precedence == FUNCTION else operand(text) for text in operands])


def is_number(node: Node) -> bool:
    """Tell whether a node is an unnamed constant of one number, such as the 2 in x ** 2."""
    return node.operation is None and not node.needs_grad and not node.name and node.ndim == 0


def operand(text: str) -> str:
    """Return a number or name as it stands in a formula: negative numbers in brackets."""
    return f"({text})" if text.startswith("-") else text


def partial_text(above: str, below: str) -> str:
    """Return d(above)/d(below), such as dL/dw0; names that are more than a word stand in brackets."""
    return f"d{_word(above)}/d{_word(below)}"


def partial_latex(above: str, below: str) -> str:
    """Return the partial derivative in LaTeX."""
    return rf"\frac{{\partial {above}}}{{\partial {below}}}"


def _word(name: str) -> str:
    return name if re.fullmatch(r"[\w.\[\]']+", name) else f"({name})"


def name_latex(name: str) -> str:
    """Return a name in LaTeX: w0 and W_in get an index, y_hat its hat, Greek letters their sign.

    >>> name_latex("w12"), name_latex("y_hat"), name_latex("delta1")
    ('w_{12}', '\\\\hat{y}', '\\\\delta_{1}')
    """
    if re.fullmatch(r"-?[\d.]+(e[+-]?\d+)?|-?inf|nan", name):
        return number_latex(name)
    if name.endswith("_hat"):
        return rf"\hat{{{name_latex(name[:-4])}}}"
    match = re.fullmatch(r"([A-Za-z]|" + "|".join(GREEK) + r")(?:_(\w+)|(\d+|s))?", name)
    if match is None:
        return rf"\text{{{name}}}".replace("_", r"\_")
    letter, after_line, digits = match.groups()
    index = after_line or digits
    return ("\\" + letter if letter in GREEK else letter) + (f"_{{{index}}}" if index else "")


# ---------------------------------------------------------------------- numbers

def number_text(value: Any) -> str:
    """Return a number with up to six significant digits."""
    number = float(value)
    if number == 0:
        return "0"  # also for -0.0
    return f"{number:.6g}"


def number_latex(text: str) -> str:
    """Return a written number in LaTeX: 1e-05 becomes 1 times a power of ten."""
    if "e" not in text:
        return text.replace("inf", r"\infty")
    mantissa, exponent = text.split("e")
    return rf"{mantissa} \cdot 10^{{{int(exponent)}}}"


def value_text(value: Any) -> str:
    """Return a number, or an array with its entries if they are few, else its shape.

    >>> value_text(np.array([[0.5, 1.0], [2.0, 1 / 3]]))
    '[[0.5, 1], [2, 0.333333]]'
    """
    array = np.asarray(value)
    if array.ndim == 0:
        return number_text(array)
    if array.size > LARGEST_PRINTED:
        return f"an array of shape {array.shape}"
    return "[" + ", ".join(value_text(row) for row in array) + "]"


def value_latex(value: Any) -> str:
    """Return a number, or an array as a vector or matrix if its entries are few, else where it lives."""
    array = np.asarray(value)
    if array.ndim == 0:
        return number_latex(number_text(array))
    if array.size > LARGEST_PRINTED or array.ndim > 2:
        return rf"\left[\text{{shape }} {array.shape}\right]"
    rows = array.reshape(-1, 1) if array.ndim == 1 else array
    body = r" \\ ".join(" & ".join(number_latex(number_text(entry)) for entry in row) for row in rows)
    return rf"\begin{{pmatrix}} {body} \end{{pmatrix}}"


def shape_text(shape: Any) -> str:
    """Return a shape as it is spoken of: (8, 4), or "a number"."""
    return "a number" if shape == () else str(tuple(int(size) for size in shape))


def short_text(value: Any) -> str:
    """Return a number with three or four digits for a drawing, and a few numbers as a list; "" for larger arrays."""
    array = np.asarray(value)
    if array.ndim == 0:
        return "0" if float(array) == 0 else f"{float(array):.4g}"
    if array.ndim == 1 and array.size <= 3:
        return "[" + ", ".join(short_text(entry) for entry in array) + "]"
    return ""
