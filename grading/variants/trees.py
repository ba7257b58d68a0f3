"""Formulas as syntax trees: their parts, and copies in which some parts are others. A quantity is n["its name"]."""
from __future__ import annotations

import ast
import copy
import re
from typing import Any, Iterator, List, Sequence, Tuple

from grading.variants.task import FUNCTIONS


def parts_of(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the parts of a formula from the outside in; a quantity is one part."""
    yield tree
    if not quantity(tree):
        for child in ast.iter_child_nodes(tree):
            yield from parts_of(child)


def quantity(part: ast.AST) -> str:
    """Return which quantity a part is, or ""."""
    if not isinstance(part, ast.Subscript) or not isinstance(part.value, ast.Name) or part.value.id != "n":
        return ""
    found: Any = part.slice
    while not isinstance(found, str):
        found = found.value  # Python 3.8 has one more layer
    return found


def is_derivative(part: ast.AST) -> bool:
    return bool(re.match(r"d\w+/d", quantity(part)))


def reference(name: str) -> ast.AST:
    return ast.parse(f"n[{name!r}]", mode="eval").body


def formula_of(text: str, **arguments: ast.AST) -> ast.AST:
    """Return a formula with other formulas in the place of some of its names."""
    tree = ast.parse(text, mode="eval").body
    return exchanged(tree, [(each, arguments[each.id]) for each in ast.walk(tree)
                            if isinstance(each, ast.Name) and each.id in arguments])


def call_of(function: str, argument: ast.AST, **settings: Any) -> ast.AST:
    assert function in FUNCTIONS
    return ast.Call(ast.Name(function, ast.Load()), [argument],
                    [ast.keyword(name, ast.Constant(value)) for name, value in settings.items()])


def sums_in(part: ast.AST) -> List[ast.AST]:
    """Return the sums that a formula is made of from the outside in."""
    if isinstance(part, ast.BinOp) and isinstance(part.op, (ast.Add, ast.Sub)):
        return [part] + sums_in(part.left) + sums_in(part.right)
    return []


def factors_of(part: ast.AST) -> List[ast.AST]:
    if isinstance(part, ast.BinOp) and isinstance(part.op, ast.Mult):
        return factors_of(part.left) + factors_of(part.right)
    return [part]


def product(factors: List[ast.AST]) -> ast.AST:
    product = factors[0]
    for each in factors[1:]:
        product = ast.BinOp(product, ast.Mult(), each)
    return product


def exchanged(tree: Any, others: Sequence[Tuple[ast.AST, ast.AST]]) -> Any:
    """Return a copy of a tree with other parts in the place of some."""
    for part, other in others:
        if tree is part:
            return other
    if isinstance(tree, list):
        return [exchanged(each, others) for each in tree]
    if not isinstance(tree, ast.AST):
        return tree
    changed = copy.copy(tree)
    for field, value in ast.iter_fields(tree):
        setattr(changed, field, exchanged(value, others))
    return changed
