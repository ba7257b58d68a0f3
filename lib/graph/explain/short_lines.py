"""The lines of the short form: what is given, the forward pass, and each gradient in symbols and in numbers."""
from __future__ import annotations

from typing import Any, Callable, Dict, List, Optional, Set

import numpy as np

from lib.graph.explain.derivation import Derivation
from lib.graph.explain.document import Line, Part
from lib.graph.explain.names import is_number
from lib.graph.explain.parts import before_and_after, stepped, trained
from lib.graph.explain.short import ShortForm
from lib.graph.node import Node
from lib.graph.notation import TEXT, Term, array, equation, number, words
from lib.graph.notation.digits import LARGEST_PRINTED, digits_needed, number_text, shape_text
from lib.graph.notation.evaluate import evaluate, names_in, replaced
from lib.graph.notation.terms import Piece
from lib.graph.operations import Operation

WIDEST = 110  # of a line that has symbols, numbers and the value side by side
MOST_ENTRIES = 9  # of an array whose value is written
LONGEST_GIVEN = 60  # letters of an array that is given


def short_parts(derivation: Derivation, learning_rate: Optional[float] = None) -> List[Part]:
    """Return the forward pass and the backward pass in the short form, and a step if there is a learning rate."""
    short = ShortForm(derivation)
    parts = [Part("Forward pass", given(derivation, set(derivation.order)) + forward(short, short.kept)),
             Part("Backward pass", backward(short, set(short.gradients)))]
    return parts if learning_rate is None else parts + [step(short, learning_rate)]


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
    """Return the lines on what is given: numbers, the shapes of arrays, and the entries of small ones."""
    lines: List[List[Piece]] = [["Given: "]]
    for node in derivation.order:
        if node.operation is None and not is_number(node) and node in which:
            term = derivation.names.term(node)
            entries = array(node.value)
            is_short = node.size <= LARGEST_PRINTED and len(TEXT.write(entries)) <= LONGEST_GIVEN
            known = equation(term, entries) if is_short else term
            piece = words(known, f" {shape_text(node.shape)}") if node.ndim else known
            if node.ndim and len(lines[-1]) > 1 and len(Line(*lines[-1], piece).text) > WIDEST:
                lines[-1][-1] = ","
                lines.append([])
            lines[-1] += [piece, ", "]
    lines[-1][-1:] = ["."]
    return [Line(*pieces, level=int(k > 0)) for k, pieces in enumerate(lines)] if len(lines[0]) > 1 else []


def forward(short: ShortForm, which: Set[Node]) -> List[Line]:
    """Return a line for each kept node: its formula, the numbers put in, and its value."""
    derivation = short.derivation
    lines: List[Line] = []
    definitions: List[Term] = []
    for node in derivation.computed():
        operation: Any = node.operation
        meant = operation.definition(*[short.values[parent] for parent in node.parents])
        definitions += [] if meant is None else [meant]
        if node in which:
            lines += _lines(short, derivation.names.term(node), short.formulas[node], node.value, "")
            lines += [Line("where ", each, level=1) for each in definitions]
        if node in short.kept:
            definitions = []
    return lines


def step(short: ShortForm, learning_rate: float) -> Part:
    """Return one step of gradient descent: each new parameter, and the forward pass with these."""
    derivation, names = short.derivation, short.derivation.names
    lines, after = stepped(derivation, learning_rate, trained(derivation))
    numbers = {names.term(node): after[node] for node in derivation.order}
    for node in derivation.computed():
        if node in short.kept and after[node] is not node.value:
            value, formula = after[node], short.formulas[node]
            terms = [formula] if np.ndim(value) else _with_numbers(numbers, formula, value)
            shown = [] if np.size(value) > MOST_ENTRIES else [array(value)]
            lines.append(Line(equation(names.term(node), *terms, *shown), level=1))
    lines.append(before_and_after(derivation, after))
    return Part(f"One step of gradient descent with learning rate {learning_rate:g}", lines)


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
    waiting = [node for node in reversed(derivation.order) if node in which]
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
        numbers = [array(value)] if np.size(value) <= MOST_ENTRIES else []
        line = Line(equation(symbol, formula, *numbers), shape + remark)
        if len(line.text) <= WIDEST or not numbers:
            return [line]
        return [Line(equation(symbol, formula), shape + remark), Line("= ", *numbers, level=1)]
    numbers = _with_numbers(_numbers(short), formula, value)
    line = Line(equation(symbol, formula, *numbers, number(value)), remark)
    if len(line.text) <= WIDEST or not numbers:
        return [line]
    return [Line(equation(symbol, formula), remark), Line("= ", equation(*numbers, number(value)), level=1)]


def _numbers(short: ShortForm) -> Dict[Term, Any]:
    """Return the value of each quantity and gradient."""
    derivation, names = short.derivation, short.derivation.names
    numbers: Dict[Term, Any] = {}
    for node in derivation.order:
        numbers[names.term(node)] = node.value
        if node in derivation.gradients:
            numbers[short.deltas.get(node) or names.partial(node)] = derivation.gradients[node]
    return numbers


def _with_numbers(numbers: Dict[Term, Any], formula: Term, value: Any) -> List[Term]:
    """Return a formula with the numbers put in, if all that it is made of are single numbers; none that says no more.

    Args:
        numbers: the value of each quantity.
        formula, value: the formula, and what it comes to.
    """
    used = sorted(names_in(formula), key=TEXT.write)
    if not used or any(term not in numbers or np.ndim(numbers[term]) for term in used):
        return []

    def compute(*values: Any) -> Any:
        return evaluate(formula, dict(zip(used, values)), _function)

    try:
        digits = digits_needed(compute, [numbers[term] for term in used], value)
    except KeyError:  # said in words
        return []
    written = replaced(formula, {term: number(numbers[term], digits) for term in used})
    return [] if TEXT.write(written) == number_text(value) else [written]


def _function(label: str) -> Callable[..., Any]:
    """Return what a function's name stands for: NumPy's function, or the operation of that name."""
    cls = next((each for each in Operation.all() if each.name == label and not hasattr(np, label)), None)
    if cls is None:
        return getattr(np, label)
    return lambda *inputs, **settings: cls(**settings).forward(*map(np.asarray, inputs))
