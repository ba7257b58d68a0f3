"""How the quantities of a graph are called.

Explanations, drawings and the answer checker all take their names from here, so that t3 is the same node everywhere.
"""
from __future__ import annotations

from typing import Dict, List, Optional

import numpy as np

from lib.graph.node import Node, topological_order
from lib.graph.notation import TEXT, Term, call, name, number, partial
from lib.graph.notation.digits import number_text


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
        own = {node: node.name for node in self.order}  # a parameter's is worked out when it is asked for
        taken = {label for label in own.values() if label}
        given: Dict[str, int] = {}
        counters = {"t": 0, "v": 0, "c": 0}
        self.text: Dict[Node, str] = {}
        for node in self.order:
            label = own[node]
            if label:
                given[label] = given.get(label, 0) + 1
                while given[label] > 1 and f"{label}_{given[label]}" in taken:
                    given[label] += 1
                self.text[node] = label if given[label] == 1 else f"{label}_{given[label]}"
            elif is_number(node):
                self.text[node] = number_text(node.value)
            else:
                letter = "t" if node.operation is not None else "v" if node.needs_grad else "c"
                counters[letter] += 1
                while f"{letter}{counters[letter]}" in taken:
                    counters[letter] += 1
                self.text[node] = f"{letter}{counters[letter]}"
        self._by_name = {text: node for node, text in reversed(list(self.text.items())) if not is_number(node)}

    def find(self, text: str) -> Optional[Node]:
        """Return the node of that name, or None; numbers such as 2 are no names."""
        return self._by_name.get(text)

    def known(self) -> List[str]:
        """Return all names that refer to a node, in the order of computation."""
        return [text for node, text in self.text.items() if not is_number(node)]

    def term(self, node: Node) -> Term:
        """Return a node as it stands in formulas: its name, or the number that it is, such as 2 or sqrt(2)."""
        if not is_number(node):
            return name(self.text[node], node.shape)
        square = round(float(node.value) ** 2) if 1 < node.value < 100 else 0
        is_root = square and node.value != int(node.value) and node.value == np.sqrt(node.value.dtype.type(square))
        return call("sqrt", number(square)) if is_root else number(node.value)

    def partial(self, node: Node) -> Term:
        """Return d(output)/d(node), such as dL/dw0."""
        return partial(self.term(self.output), self.term(node))

    def derivative(self, node: Node) -> str:
        """Return d(output)/d(node) in plain text."""
        return TEXT.write(self.partial(node))

    def formula(self, node: Node) -> Term:
        """Return the one operation that a computed node is, such as a + b."""
        assert node.operation is not None
        return node.operation.formula(*[self.term(parent) for parent in node.parents])


def is_number(node: Node) -> bool:
    """Tell whether a node is an unnamed constant of one number, such as the 2 in x ** 2."""
    return node.operation is None and not node.needs_grad and node.ndim == 0 and not node.name
