"""Slips that stand in no task's list: a line's own formula with one thing wrong in it.

The formula is what the derivation writes, or a way of the task; each guess is its syntax tree with one part changed. So
every task has them, and they are tried after its own slips, the likeliest first.
"""
from __future__ import annotations

import ast
import re
from typing import Any, Iterator, List, NamedTuple, Tuple

import numpy as np

from grading.variants.calculation import Line, Machine
from grading.variants.exchanges import INPUT, UPSTREAM, Change, Exchanges
from grading.variants.task import RATE, with_references
from grading.variants.trees import (call_of, exchanged, factors_of, formula_of, is_derivative, parts_of, product,
                                    quantity, reference, sums_in)
from lib.graph.notation import TEXT

ALIKE = (("sigmoid", "tanh", "relu", "exp"), ("sin", "cos"), ("log", "log10"), ("sqrt", "abs"))
LOCAL = "Which function lies between the two? Its own derivative belongs in here."
TERM = "One of the terms that are added is missing."
PATHS = "On how many paths does it reach the end? One of them is missing."
SIGN = "One of the terms has the wrong sign."
POWER = "Which power is it?"
MEAN = "Is a sum asked for, or a mean, and has it been counted already?"


class Guess(NamedTuple):
    """What may have been done in place of a line's formula: its cause, a hint, and the rule, ready to be evaluated."""

    cause: str
    hint: str
    code: Any


def guesses(machine: Machine, line: Line) -> List[Guess]:
    """Return what may have gone wrong in a line, the likeliest first."""
    found: List[List[Guess]] = []
    for formula in formulas(machine, line):
        text, _ = with_references(formula, machine.names)
        tree = ast.parse(text, mode="eval").body
        changes = _Changes(machine, line, tree)
        found.append([Guess(cause, hint, compile(ast.fix_missing_locations(ast.Expression(changed)), formula, "eval"))
                      for cause, hint, changed in changes.all()])
    return [guess for several in found for guess in several]


def formulas(machine: Machine, line: Line) -> Iterator[str]:
    """Yield a line's right formulas, in the names of the machine."""
    kind, node = line.quantity
    if line.axis is None:
        yield from machine.task.ways.get(line.name, ())
    if line.axis is None and kind in ("value", "grad", "new", "after"):
        short = machine.short
        text = machine.derivation.names.text[node]
        if kind == "new":
            yield f"{text} - {RATE} * {machine.derivation.names.derivative(node)}"
        elif kind == "grad":
            yield TEXT.write(short.gradients.get(node, short.symbols[node]))
        elif node in short.formulas:
            formula = TEXT.write(short.formulas[node])
            yield formula if kind == "value" else re.sub(
                r"[A-Za-z]\w*", lambda name: f"new {name.group()}" if f"new {name.group()}" in machine.names else
                name.group(), formula)


class _Changes(Exchanges):
    """The ways in which a formula may be wrong."""

    def all(self) -> Iterator[Change]:
        """Yield (cause, hint, changed tree)."""
        for part in parts_of(self.tree):
            yield from self._sum(part)
            yield from self._product(part)
            yield from self._others(part)
        yield from self._whole()
        yield from self._entries()
        for name in self.by_name:
            yield from self.kin(name)
        yield from self.families()
        yield from self.updated()
        if self.is_gradient:
            yield from self.upstream()
        for name in self.by_name:
            yield from self.anything(name)

    def _sum(self, part: ast.AST) -> Iterator[Change]:
        if not isinstance(part, ast.BinOp) or not isinstance(part.op, (ast.Add, ast.Sub)):
            return
        added = isinstance(part.op, ast.Add)
        cause, hint = ("paths", PATHS) if self.is_gradient and part in sums_in(self.tree) else ("formula", TERM)
        cause_of_one, hint_of_one = cause, hint
        yield cause, hint, self.with_part(part, part.left)
        yield cause, hint, self.with_part(part, part.right if added else ast.UnaryOp(ast.USub(), part.right))
        if not added:
            yield cause, hint, self.with_part(part, part.right)
        other = ast.BinOp(part.left, ast.Sub() if added else ast.Add(), part.right)
        cause, hint = ("direction", "In which direction does the loss fall?") if self.is_step else ("sign", SIGN)
        yield cause, hint, self.with_part(part, other)
        if added:
            yield cause, hint, self.with_part(part, ast.BinOp(part.right, ast.Sub(), part.left))
            yield "formula", "What is added here, and what is multiplied?", self.with_part(
                part, ast.BinOp(part.left, ast.Mult(), part.right))
            if all(isinstance(side, ast.BinOp) and isinstance(side.op, ast.Pow) for side in (part.left, part.right)):
                yield "formula", "Is the sum squared, or are the squares summed?", self.with_part(part, ast.BinOp(
                    ast.BinOp(part.left.left, ast.Add(), part.right.left), ast.Pow(),  # type: ignore[attr-defined]
                    ast.Constant(2)))
            for one, other in ((part.left, part.right), (part.right, part.left)):
                if isinstance(one, ast.BinOp) and isinstance(one.op, ast.Mult):
                    for first, second in ((one.left, one.right), (one.right, one.left)):
                        yield "formula", "Which comes first, to multiply or to add?", self.with_part(
                            part, ast.BinOp(first, ast.Mult(), ast.BinOp(second, ast.Add(), other)))
                    if isinstance(other, ast.BinOp) and isinstance(other.op, ast.Mult):
                        yield "formula", "Which factor belongs to which term?", self.with_part(part, ast.BinOp(
                            ast.BinOp(other.left, ast.Mult(), one.right), ast.Add(),
                            ast.BinOp(one.left, ast.Mult(), other.right)))
            for side in (part.left.left, part.left.right) if isinstance(part.left, ast.BinOp) and isinstance(
                    part.left.op, (ast.Add, ast.Sub)) else ():
                yield cause_of_one, hint_of_one, self.with_part(part, side)
        else:
            yield cause, hint, self.with_part(part, ast.BinOp(part.right, ast.Sub(), part.left))

    def _product(self, part: ast.AST) -> Iterator[Change]:
        factors = factors_of(part)
        if len(factors) < 2:
            return
        above = [each for each in factors if is_derivative(each)]
        beside = [each for each in factors if each not in above]
        for each in factors:
            cause, hint = self._lost(each)
            yield cause, hint, self.with_part(part, product([other for other in factors if other is not each]))
        if above and len(beside) > 1:
            yield "local", LOCAL, self.with_part(part, product(above))
        if len(above) > 1 and beside:
            yield "upstream", UPSTREAM, self.with_part(part, product(beside))
        for each in beside:
            square = ast.BinOp(each, ast.Pow(), ast.Constant(2))
            if len(beside) == 2 and isinstance(beside[0], ast.Constant):
                yield "local", "What is the derivative of a square?", self.with_part(part, square)
                yield "local", "What is the derivative of a square?", self.with_part(part, product([beside[0], square]))
        if len(factors) == 2:
            yield "formula", "What is added here, and what is multiplied?", self.with_part(
                part, ast.BinOp(factors[0], ast.Add(), factors[1]))

    def _lost(self, factor: ast.AST) -> Tuple[str, str]:
        """Return the cause and the hint if a factor is left out."""
        names = {quantity(each) for each in parts_of(factor)} - {""}
        if isinstance(factor, ast.Constant):
            return "factor", "A number is missing as a factor."
        if self.is_step:
            return ("rate", "How long is the step? Look at the learning rate.") if RATE in names else ("formula", TERM)
        if not self.is_gradient:
            return "formula", "Compare it with the formula on the sheet: a factor is missing."
        if any(is_derivative(each) for each in parts_of(factor)):
            return "upstream", UPSTREAM
        slope = names & self.functions or any(isinstance(each, (ast.IfExp, ast.Compare, ast.Call, ast.Sub))
                                              for each in ast.walk(factor))
        return ("local", LOCAL) if slope else ("input", INPUT)

    def _others(self, part: ast.AST) -> Iterator[Change]:
        """Yield what may go wrong with a division, a power, a function, a sum over a batch."""
        if isinstance(part, ast.BinOp) and isinstance(part.op, ast.Div):
            counted = isinstance(part.right, ast.Constant)
            cause, hint = ("mean", MEAN) if counted else ("local", LOCAL) if self.is_gradient else (
                "formula", "What stands above the fraction stroke, and what below it?")
            yield cause, hint, self.with_part(part, part.left)
            if counted:
                yield "mean", MEAN, self.with_part(part, ast.BinOp(part, ast.Div(), part.right))
            yield cause, hint, self.with_part(part, ast.BinOp(part.left, ast.Mult(), part.right))
            yield cause, hint, self.with_part(part, ast.BinOp(part.right, ast.Div(), part.left))
            if self.is_gradient:
                for one in (1, -1):
                    yield "upstream", UPSTREAM, self.with_part(
                        part, ast.BinOp(ast.Constant(one), ast.Div(), part.right))
        elif isinstance(part, ast.BinOp) and isinstance(part.op, ast.Pow):
            cause = "local" if self.is_gradient else "function"
            yield cause, POWER, self.with_part(part, part.left)
            yield cause, POWER, self.with_part(part, ast.BinOp(part.left, ast.Mult(), part.right))
            yield cause, POWER, self.with_part(part, ast.BinOp(part.left, ast.Pow(), ast.BinOp(
                part.right, ast.Sub(), ast.Constant(1))))
            yield cause, POWER, self.with_part(part, ast.BinOp(ast.Constant(2), ast.Mult(), part.left))
        elif isinstance(part, ast.BinOp) and isinstance(part.op, ast.MatMult):
            yield from self._product_of_matrices(part)
        elif isinstance(part, ast.Call) and isinstance(part.func, ast.Name):
            hint = "Another function is asked for: compare it with the formula on the sheet."
            called = part.func.id
            for other in [each for group in ALIKE if called in group for each in group if each != called]:
                yield "function", hint, self.with_part(part, ast.Call(ast.Name(other, ast.Load()), part.args, []))
            if called in ("sum", "mean"):
                yield "mean", MEAN, self.with_part(part, ast.Call(ast.Name(
                    "mean" if called == "sum" else "sum", ast.Load()), part.args, part.keywords))
            elif called == "abs":
                for text in ("n ** 2", "n ** 2 / 2", "n", "-n"):
                    yield "function", hint, self.with_part(part, formula_of(text, n=part.args[0]))
            elif called != "outer":
                inner = part.args[0]
                if isinstance(inner, ast.BinOp) and isinstance(inner.op, ast.Add):
                    one, other = (ast.Call(part.func, [side], []) for side in (inner.left, inner.right))
                    yield "formula", "A function of a sum isn't the sum of the functions.", self.with_part(
                        part, ast.BinOp(one, ast.Add(), other))
                yield "function", hint, self.with_part(part, part.args[0])
                yield "sign", "Look at the sign inside of the function.", self.with_part(part, ast.Call(
                    part.func, [ast.UnaryOp(ast.USub(), part.args[0])], []))
            for text in ("n ** 2", "n / 2") if called == "sqrt" else ():
                yield "function", hint, self.with_part(part, formula_of(text, n=part.args[0]))
        elif isinstance(part, ast.IfExp) and isinstance(part.test, ast.Compare):
            for text in ("n", "2 * n", "-n"):
                yield "local", "What is the slope of this function?", self.with_part(
                    part, formula_of(text, n=part.test.left))
        elif isinstance(part, ast.UnaryOp):
            yield "sign", SIGN, self.with_part(part, part.operand)

    def _product_of_matrices(self, part: ast.BinOp) -> Iterator[Change]:
        left, right = ("input", INPUT), ("upstream", UPSTREAM)  # which is forgotten if only the other is summed
        if is_derivative(part.left):
            left, right = right, left
        for cause, hint, text in ((*right, "sum(a, axis=-1, keepdims=True)"), (*left, "sum(b, axis=0, keepdims=True)"),
                                  ("paths", "Every example of the batch takes part.", "a[:, :1] @ b[:1]"),
                                  ("paths", "Every example of the batch takes part.", "a[:, 1:2] @ b[1:2]")):
            yield cause, hint, self.with_part(part, formula_of(text, a=part.left, b=part.right))

    def _entries(self) -> Iterator[Change]:
        """Yield the other entries of the same array."""
        place = self.line.place
        for other in np.ndindex(self.line.quantity[1].shape) if place else ():
            if other != place:
                cause = "transpose" if other == place[::-1] else "place"
                yield cause, "Which entry is asked for? Rows and columns are counted from 1.", formula_of(
                    f"a[{other}]", a=self.tree)

    def _whole(self) -> Iterator[Change]:
        """Yield what comes out if a slope is another, or every square is none."""
        bases = [(part, part.left) for part in parts_of(self.tree)
                 if isinstance(part, ast.BinOp) and isinstance(part.op, ast.Pow)]
        alike = [name for name in self.machine.names if re.sub(r"\d", "", name) == re.sub(r"\d", "", self.line.name)]
        batch = self.machine.derivation.names.find("x")
        examples = len(batch.value) if batch is not None and batch.ndim == 2 else 0
        for count in sorted({len(sums_in(self.tree)) + 1, len(alike), examples} - {0, 1, 2}):
            yield "mean", MEAN, ast.BinOp(self.tree, ast.Div(), ast.Constant(count))
            yield "mean", MEAN, ast.BinOp(self.tree, ast.Mult(), ast.Constant(count))
        if bases and not self.is_gradient:
            yield "function", POWER, exchanged(self.tree, bases)
            yield "function", POWER, exchanged(self.tree, [(part, call_of("abs", base)) for part, base in bases])
            yield "function", "Is there a root in the formula?", call_of("sqrt", self.tree)
        if not self.is_gradient:
            return
        if quantity(self.tree):
            yield "local", LOCAL, ast.BinOp(ast.Constant(1), ast.Div(), self.tree)
            yield ("upstream", UPSTREAM, ast.Constant(1)) if is_derivative(self.tree) else (
                "local", LOCAL, ast.Constant(1))
        above = [each for each in factors_of(self.tree) if is_derivative(each)]
        for child in sorted(self.functions) if len(self.functions) == 1 else ():
            for slope in ("n * (1 - n)", "1 - n ** 2", "n", "1 - n", "n * (1 + n)", "1 + n ** 2", "n ** 2 - 1"):
                factor = formula_of(slope, n=reference(child))
                yield "local", "What is the derivative of this function?", product([*(above or [self.tree]), factor])
