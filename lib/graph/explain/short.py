"""The derivation as a tutor writes it: unnamed nodes are folded into named ones, and each gradient is one formula.

Which nodes have a line of their own is decided here; `short_lines.py` writes the lines. A node is kept if the user has
named it, or if its formula would be written several times, or would make another one too long. In between there is one
more quantity, as in textbooks: delta_h is the derivative by what the function of h is applied to, h = sigmoid(...).
"""
from __future__ import annotations

from typing import Any, Dict, List, Optional, Set

from lib.graph.explain.derivation import Derivation, Edge
from lib.graph.explain.flows import back_to_parent
from lib.graph.explain.patterns import known_flow
from lib.graph.node import Node
from lib.graph.notation import Term, is_number, name, number
from lib.graph.notation.evaluate import names_in, signs_in
from lib.graph.notation.simplify import plus

MOST_SIGNS = 12  # of a formula on one line
MOST_FOLDED = 6  # of a gradient that is written inside of another one


class ShortForm:
    """Which quantities are written down, and as which formulas.

    Attributes:
        kept: the computed nodes with a line in the forward pass.
        deltas: the folded nodes whose gradient has a line, and how it is called.
        values: what stands for each node in formulas: its name, or its formula if it is folded.
        formulas: the formula of each kept node.
        gradients: the formula of each gradient that has a line.
        symbols: what stands for the gradient of each node in formulas.
        remarks: what is said behind a gradient's formula.
    """

    def __init__(self, derivation: Derivation) -> None:
        self.derivation = derivation
        self.children: Dict[Node, List[Node]] = {}
        for node in derivation.order:
            for parent in node.parents:
                self.children.setdefault(parent, []).append(node)
        self.kept = self._kept()
        self.values: Dict[Node, Term] = {}
        self.formulas: Dict[Node, Term] = {}
        for node in derivation.order:
            self.values[node] = derivation.names.term(node)
            if node.operation is not None:
                formula = node.operation.formula(*[self.values[parent] for parent in node.parents]).of_shape(node.shape)
                if formula.kind == "fraction" and is_number(formula.parts[1], 1):  # the mean of a batch of one
                    formula = formula.parts[0].of_shape(node.shape)
                if node in self.kept:
                    self.formulas[node] = formula
                else:
                    self.values[node] = formula
        self.deltas = self._deltas()
        self.symbols: Dict[Node, Term] = {}
        self.gradients: Dict[Node, Term] = {}
        self.remarks: Dict[Node, str] = {}
        for node in reversed(derivation.order):
            if node in derivation.gradients:
                self._gradient(node)

    # ------------------------------------------------------------------ which nodes are kept

    def _kept(self) -> Set[Node]:
        """Return the computed nodes with a line of their own."""
        derivation = self.derivation
        mentions = self._mentions()
        kept: Set[Node] = set()
        signs: Dict[Node, int] = {}  # of each node's formula, those of folded nodes included
        for node in derivation.computed():
            parents = [parent for parent in node.parents if parent.operation is not None and parent not in kept]
            own = 0 if node.operation.name == "negate" else 1  # type: ignore[union-attr]
            while own + sum(signs[parent] for parent in parents) > MOST_SIGNS and parents:
                longest = max(parents, key=lambda parent: signs[parent])
                kept.add(longest)
                parents = [parent for parent in parents if parent is not longest]
            signs[node] = own + sum(signs[parent] for parent in parents)
            operation: Any = node.operation
            simple = signs[node] < 2 and (operation.elementwise or operation.name in ("transpose", "reshape"))
            often = mentions[node] > 1 and not simple
            if node.name or node is derivation.output or often or node in derivation.module_results:
                kept.add(node)
        return kept

    def _mentions(self) -> Dict[Node, int]:
        """Return how often each node would be written: as an operand, and in the derivatives of operations."""
        derivation = self.derivation
        mentions = {node: len(self.children.get(node, [])) for node in derivation.order}
        by_term = {derivation.names.term(node): node for node in derivation.order}
        for edge in derivation.edges:
            operation = edge.child.operation
            terms = [derivation.names.term(node) for node in (edge.child,) + edge.child.parents]
            assert operation is not None
            for term in names_in(operation.flow(edge.i, name("G", edge.child.shape), *terms)):
                if term in by_term:
                    mentions[by_term[term]] += 1
        return mentions

    def _deltas(self) -> Dict[Node, Term]:
        """Return the folded nodes whose gradient goes several ways, and is called delta of the node they lead to."""
        found: Dict[Node, Term] = {}
        taken = set(self.derivation.names.known())
        for node in self.derivation.computed():
            child = self._only_child(node)
            if node in self.kept or child is None or child not in self.kept or node not in self.derivation.gradients:
                continue
            function = child.operation
            label = f"delta_{self.derivation.names.text[child]}"
            if function is None or len(child.parents) > 1 or child is self.derivation.output or label in taken:
                continue
            is_activation = function.elementwise and function.name != "negate"
            if (is_activation or function.name in ("softmax", "log_softmax")) and self._ways(node) > 1:
                found[node] = name(label, node.shape)
        return found

    def _only_child(self, node: Node) -> Optional[Node]:
        children = self.children.get(node, [])
        return children[0] if len(children) == 1 else None

    def _ways(self, node: Node) -> int:
        """Return to how many kept nodes and leaves a gradient goes on."""
        ways, waiting = 0, [node]
        while waiting:
            for parent in waiting.pop().parents:
                if parent in self.derivation.gradients:
                    if parent.operation is None or parent in self.kept:
                        ways += 1
                    else:
                        waiting.append(parent)
        return ways

    # ------------------------------------------------------------------ gradients

    def _gradient(self, node: Node) -> None:
        """Settle the formula of a node's gradient, and what stands for it in others."""
        derivation = self.derivation
        if node is derivation.output:
            self.symbols[node] = number(1)
            return
        terms = []
        for edge in derivation.edges_to(node):
            term, remark = self._flow(edge)
            terms.append(term)
            if remark:
                self.remarks[node] = remark
        formula = plus(*terms)
        symbol = self.deltas.get(node) or derivation.names.partial(node)
        is_leaf = node.operation is None
        is_delta = node in self.deltas and (node.ndim > 0 or signs_in(formula) > 2)
        if node in self.deltas and not is_delta:
            del self.deltas[node]
        own_line = is_leaf or is_delta or (node in self.kept and not self._is_folded(node, formula))
        trivial = is_number(formula) or formula.kind in ("name", "partial", "ones")
        if not own_line or (trivial and not is_leaf and not (node.name and not is_number(formula))):
            self.symbols[node] = formula
            return
        self.symbols[node] = symbol
        self.gradients[node] = formula

    def _flow(self, edge: Edge) -> tuple:
        """Return the formula of what arrives along an edge, and a remark on it."""
        grad = self.symbols[edge.child]
        values = [self.values[parent] for parent in edge.child.parents]
        out = self.values[edge.child]
        known = known_flow(self.derivation, edge, self.gradients.get(edge.child, grad), out, values)
        if known is not None:
            if len(self.derivation.edges_from(edge.child)) == 1:
                self.gradients.pop(edge.child, None)  # nothing else needs it
            return known
        operation = edge.child.operation
        assert operation is not None
        flow = operation.flow(edge.i, grad.of_shape(edge.child.shape), out, *values)
        return back_to_parent(edge, flow).of_shape(edge.parent.shape), ""

    def _is_folded(self, node: Node, formula: Term) -> bool:
        """Tell whether a gradient is written inside of the one delta that it leads to, delta_o = (o - t) o (1 - o)."""
        if signs_in(formula) > MOST_FOLDED or node.operation is None or len(node.parents) != 1:
            return False
        return node.parents[0] in self.deltas
