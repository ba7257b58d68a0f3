"""Slips in which a formula has another quantity than it should, or one that doesn't belong in it at all."""
from __future__ import annotations

import ast
import re
from typing import Iterator, Tuple

from grading.variants.calculation import Line, Machine
from grading.variants.task import RATE
from grading.variants.trees import exchanged, is_derivative, parts_of, quantity, reference

UPSTREAM = "The chain rule has one more factor, from above."
INPUT = "What is it multiplied by in the forward pass?"
EARLY = "The backward pass takes the weights of the forward pass: update them only afterwards."
NOT_HERE = "{} doesn't belong in here: which quantity does?"

Change = Tuple[str, str, ast.AST]  # the cause, a hint, and the formula as it is then


class Exchanges:
    """A line's formula with other quantities in it."""

    def __init__(self, machine: Machine, line: Line, tree: ast.AST) -> None:
        self.machine, self.line, self.tree = machine, line, tree
        self.is_gradient = line.quantity[0] in ("grad", "local")
        self.is_step = line.quantity[0] == "new"
        node = line.quantity[1]
        names = machine.derivation.names
        above = [edge.child for edge in machine.derivation.edges_to(node)] if line.quantity[0] == "grad" else []
        self.functions = {names.text[child] for child in above if child.name and len(child.parents) == 1}
        self.own = names.text[node] if line.quantity[0] == "grad" else ""
        shown = {names.text[each] for each in machine.derivation.order if each.name}
        self.shown = [name for name in machine.names if name != line.name and name != RATE and
                      set(re.findall(r"\w+", re.sub(r"(^|/)(d|new )(?=\w)", r"\1", name))) <= shown and
                      name != names.derivative(machine.derivation.output)]
        self.by_parts = [each for each in parts_of(tree) if quantity(each)]
        self.by_name = list(dict.fromkeys(map(quantity, self.by_parts)))

    def with_part(self, part: ast.AST, changed: ast.AST) -> ast.AST:
        return exchanged(self.tree, [(part, changed)])

    def with_name(self, name: str, other: ast.AST) -> ast.AST:
        """Return the formula with something else wherever a quantity stands."""
        return exchanged(self.tree, [(part, other) for part in self.by_parts if quantity(part) == name])

    def kin(self, name: str) -> Iterator[Change]:
        """Yield the formula with a quantity of another index, or with what goes into or comes out of a function."""
        for other in self.shown:
            if other != name and re.sub(r"\d", "", other) == re.sub(r"\d", "", name):
                cause = "transpose" if sorted(re.findall(r"\d", other)) == sorted(re.findall(r"\d", name)) and \
                    len(re.findall(r"\d", name)) > 1 else "place"
                yield cause, NOT_HERE.format(other), self.with_name(name, reference(other))
        for other in self.machine.partners(name):
            cause = "local" if is_derivative(reference(name)) else "place"
            yield cause, NOT_HERE.format(other), self.with_name(name, reference(other))

    def families(self) -> Iterator[Change]:
        """Yield the formula with z1 and z2 in the place of h1 and h2, and so on."""
        families = {re.sub(r"\d", "", quantity(part)) for part in self.by_parts}
        for family in sorted(families):
            mine = [part for part in self.by_parts if re.sub(r"\d", "", quantity(part)) == family]
            turned = [re.sub(r"(\d)(\d)$", r"\2\1", quantity(part)) for part in mine]
            if turned != [quantity(part) for part in mine] and set(turned) <= set(self.machine.names):
                yield "transpose", "Rows and columns: read the indices once more.", exchanged(
                    self.tree, [(part, reference(name)) for part, name in zip(mine, turned)])
            for other in dict.fromkeys(re.sub(r"\d", "", name) for name in self.shown):
                names = [quantity(part).replace(family, other) for part in mine]
                if other != family and set(names) <= set(self.shown) and len(set(names)) > 1:
                    yield "place", f"{names[0]} and its like don't belong in here: which do?", exchanged(
                        self.tree, [(part, reference(name)) for part, name in zip(mine, names)])
        for k, one in enumerate(self.by_parts):
            for other in self.by_parts[:k]:
                if quantity(one) != quantity(other):
                    yield "place", f"Which of {quantity(one)} and {quantity(other)} belongs where?", exchanged(
                        self.tree, [(one, other), (other, one)])

    def updated(self) -> Iterator[Change]:
        """Yield the formula with what was before the step, or is after it."""
        words = "Which numbers does it go with: those before the step, or those after it?"
        before = [(part, reference(quantity(part)[4:])) for part in self.by_parts if quantity(part).startswith("new ")]
        after = [(part, reference(f"new {quantity(part)}")) for part in self.by_parts
                 if f"new {quantity(part)}" in self.machine.names]
        for one in before:
            yield "place", words, exchanged(self.tree, [one])
        yield "place", words, exchanged(self.tree, before)
        for one in after if self.is_gradient else ():
            yield "early", EARLY, exchanged(self.tree, [one])
        if self.is_gradient:
            yield "early", EARLY, exchanged(self.tree, after)

    def upstream(self) -> Iterator[Change]:
        """Yield a gradient's formula without what comes from above, or with a factor too many."""
        above = [part for part in self.by_parts if is_derivative(part)]
        yield "upstream", UPSTREAM, exchanged(self.tree, [(part, ast.Constant(1)) for part in above])
        if self.own:
            yield "formula", f"That is {self.own} itself, not the derivative by it.", reference(self.own)
        for name in self.shown if above else ():
            if not is_derivative(reference(name)):
                yield "input", f"Is {name} a factor here? {INPUT}", exchanged(
                    self.tree, [(part, ast.BinOp(part, ast.Mult(), reference(name))) for part in above])

    def anything(self, name: str) -> Iterator[Change]:
        """Yield the formula with any other quantity in it."""
        derivative = is_derivative(reference(name))
        for other in self.shown:
            if other != name and is_derivative(reference(other)) == derivative:
                yield ("place" if derivative or not self.is_gradient else "input"), NOT_HERE.format(other), \
                    self.with_name(name, reference(other))
        for other in self.shown if not self.is_gradient else ():
            if not is_derivative(reference(other)):
                yield "formula", f"Is {other} a factor here?", self.with_name(
                    name, ast.BinOp(reference(name), ast.Mult(), reference(other)))
