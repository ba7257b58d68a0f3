"""The lines of the short form: what is given, the forward pass, and each gradient in symbols and in numbers."""
from __future__ import annotations

from typing import Any, Dict, List, Set

import numpy as np

from lib.graph.explain.derivation import Derivation
from lib.graph.explain.document import Line, Part
from lib.graph.explain.names import is_number
from lib.graph.explain.parts import listed
from lib.graph.explain.short import ShortForm
from lib.graph.explain.textbook import function
from lib.graph.node import Node
from lib.graph.notation import TEXT, Term, array, equation, number, words
from lib.graph.notation.digits import digits_needed, number_text, shape_text
from lib.graph.notation.evaluate import evaluate, names_in, replaced

WIDEST = 110  # of a line that has symbols, numbers and the value side by side
MOST_ENTRIES = 8  # of an array whose value is written


def short_parts(derivation: Derivation) -> List[Part]:
    """Return the forward pass and the backward pass in the short form."""
    short = ShortForm(derivation)
    return [Part("Forward pass", given(derivation, set(derivation.order)) + forward(short, short.kept)),
            Part("Backward pass", backward(short, set(short.gradients)))]


def short_part_of(derivation: Derivation, node: Node) -> Part:
    """Return what one gradient needs, in the short form: the gradients before it, and the values in them."""
    short = ShortForm(derivation)
    names = derivation.names
    title = f"The derivative of {names.text[derivation.output]} by {names.text[node]}"
    if node not in derivation.gradients:
        return Part(title, [Line(equation(names.partial(node), number(0)), ": ", names.term(derivation.output),
                                 " doesn't depend on ", names.term(node), ", or it is a constant.")])
    if node not in short.gradients:
        term = short.symbols[node]
        short.gradients[node] = term
    by_symbol = {short.deltas.get(each) or names.partial(each): each for each in short.gradients}
    by_name = {names.term(each): each for each in derivation.order}
    needed, values = {node}, set()
    waiting = [short.gradients[node]]
    while waiting:
        for term in names_in(waiting.pop()):
            if term in by_symbol and by_symbol[term] not in needed:
                needed.add(by_symbol[term])
                waiting.append(short.gradients[by_symbol[term]])
            elif term in by_name and by_name[term] not in values:
                values.add(by_name[term])
                waiting.append(short.formulas.get(by_name[term], number(0)))
    return Part(title, given(derivation, values) + forward(short, values & short.kept) + backward(short, needed))


def given(derivation: Derivation, which: Set[Node]) -> List[Line]:
    """Return the line on what is given: numbers, and the shapes of arrays."""
    pieces = []
    for node in derivation.order:
        if node.operation is None and not is_number(node) and node in which:
            term = derivation.names.term(node)
            pieces.append(words(term, f" {shape_text(node.shape)}") if node.ndim else
                          equation(term, number(node.value)))
    return [Line("Given: ", *listed(pieces), ".")] if pieces else []


def forward(short: ShortForm, which: Set[Node]) -> List[Line]:
    """Return a line for each kept node: its formula, the numbers put in, and its value."""
    derivation = short.derivation
    lines: List[Line] = []
    for node in derivation.computed():
        if node in which:
            for left, formula in short.textbooks[node].forward if node in short.textbooks else ():
                lines.append(Line(equation(left, formula), f"   shape {shape_text(left.shape)}"))
            lines += _lines(short, derivation.names.term(node), short.formulas[node], node.value, "")
    return lines


def backward(short: ShortForm, which: Set[Node]) -> List[Line]:
    """Return the lines on the gradients, each as soon as all that it needs is there."""
    derivation, names = short.derivation, short.derivation.names
    lines: List[Line] = []
    deltas = [node for node in derivation.order if node in short.deltas and node in which]
    if deltas:
        child = short.children[deltas[-1]][0]
        label = child.operation.name  # type: ignore[union-attr]
        others = ", and so on." if len(deltas) > 1 else "."
        lines.append(Line(short.deltas[deltas[-1]], " stands for the derivative of ", names.term(derivation.output),
                          " by what ", names.term(child), f" is the {label} of{others}"))
    waiting = [node for node in reversed(derivation.order) if node in which or node in short.textbooks]
    leaves = [node for node in derivation.order if node.operation is None and node in short.gradients and node in which]
    done: Set[Node] = set()

    def write(node: Node) -> None:
        symbol = short.deltas.get(node) or names.partial(node)
        lines.extend(_lines(short, symbol, short.gradients[node], derivation.gradients[node],
                            short.remarks.get(node, "")))
        done.add(node)

    symbols = {short.deltas.get(node) or names.partial(node): node for node in short.gradients}
    needs = {node: {symbols[term] for term in names_in(short.gradients[node]) if term in symbols} for node in which
             if node in short.gradients}
    for node in waiting:
        if node.operation is None:
            continue
        if node in short.gradients and node in which:
            write(node)
        for left, formula in short.textbooks[node].backward if node in short.textbooks else ():
            lines.append(Line(equation(left, formula), f"   shape {shape_text(left.shape)}"))
        for leaf in leaves:
            if leaf not in done and needs[leaf] <= done:
                write(leaf)
    for leaf in leaves:
        if leaf not in done:
            write(leaf)
    return lines


def _lines(short: ShortForm, symbol: Term, formula: Term, value: Any, remark: str) -> List[Line]:
    """Return one quantity in symbols, in numbers and as its value: on one line, or on two if that is too long."""
    shape = f"   shape {shape_text(np.shape(value))}" if np.ndim(value) else ""
    if np.ndim(value):
        terms = [symbol, formula] + ([array(value)] if np.size(value) <= MOST_ENTRIES else [])
        return [Line(equation(*terms), shape + remark)]
    numbers = [term for term in _with_numbers(short, formula, value) if TEXT.write(term) != number_text(value)]
    line = Line(equation(symbol, formula, *numbers, number(value)), remark)
    if len(line.text) <= WIDEST or not numbers:
        return [line]
    return [Line(equation(symbol, formula), remark), Line("= ", equation(*numbers, number(value)), level=1)]


def _with_numbers(short: ShortForm, formula: Term, value: Any) -> List[Term]:
    """Return a formula with the numbers put in, if all that it is made of are single numbers."""
    derivation, names = short.derivation, short.derivation.names
    numbers: Dict[Term, Any] = {}
    for node in derivation.order:
        numbers[names.term(node)] = node.value
        if node in derivation.gradients:
            numbers[short.deltas.get(node) or names.partial(node)] = derivation.gradients[node]
    used = sorted(names_in(formula), key=TEXT.write)
    if not used or any(term not in numbers or np.ndim(numbers[term]) for term in used):
        return []

    def compute(*values: Any) -> Any:
        return evaluate(formula, dict(zip(used, values)), function)

    try:
        digits = digits_needed(compute, [numbers[term] for term in used], value)
    except KeyError:  # said in words
        return []
    return [replaced(formula, {term: number(numbers[term], digits) for term in used})]
