"""The calculation of a task, once for its key and again with a student's numbers, from the graph alone."""
from __future__ import annotations

import re
from functools import cached_property
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Optional, Tuple

import numpy as np

from grading.variants.task import RATE, Numbers, Slip, Task, compiled_rule, value_of
from lib.graph.answers.calculation import NO_ROUNDING, Calculation, Quantity, Step, edges_between
from lib.graph.answers.quantities import find
from lib.graph.explain.derivation import Derivation
from lib.graph.explain.names import is_number
from lib.graph.explain.short import ShortForm
from lib.graph.notation import Term, entry, new, partial, words
from lib.validation import InputError

Index = Tuple[int, ...]
Found = Dict[Quantity, Any]
ENTRY = re.compile(r"(.+)\[(\d+(?:,\d+)*)\]")
SHAPE = re.compile(r"(rows|columns) of (.+)")


class Line(NamedTuple):
    """A number that is asked for.

    Attributes:
        name: how it is called.
        quantity: what it is in the calculation.
        place: which entry of it, from 0; () for a single number.
        axis: of a question about a shape, which axis; else None.
        term: how it is written in formulas.
    """

    name: str
    quantity: Quantity
    place: Index
    axis: Optional[int]
    term: Term

    def of(self, found: Found) -> float:
        """Return this line's number."""
        value = np.asarray(found[self.quantity])
        return float(value.shape[self.axis] if self.axis is not None else value[self.place])


class Machine:
    """The steps of a task's calculation, for all draws that have the same shapes and the same learning rate.

    Attributes:
        task: the task.
        names: all quantities by the names that rules refer to.
        lines: what is asked for, in the order of the calculation.
    """

    def __init__(self, task: Task, numbers: Numbers) -> None:
        self.task = task
        self.rate = numbers.get(RATE)
        self.derivation = Derivation(task.build(numbers))
        leaves = {node.name for node in self.derivation.order if node.operation is None}
        assert set(numbers) - {RATE} <= leaves, f"{task.name}: {set(numbers) - leaves} are no leaves of the graph"
        self.names = self._all_names()
        asked = [self._line(name) for name in task.lines]
        slopes = {line.name: line.quantity for line in asked if line.quantity[0] in ("local", "none")}
        self.names.update(slopes)
        wanted = {quantity: None for quantity in list(self.names.values()) + [line.quantity for line in asked]}
        steps = Calculation(self.derivation, wanted, self.rate).steps
        steps += [Step(slope, [], lambda *_: 0.0) for slope in slopes.values() if slope[0] == "none"]
        order = {"value": 0, "local": 1, "none": 1}  # slopes come before the gradients, which may follow from them
        steps = sorted(steps, key=lambda step: order.get(step.quantity[0], 2))
        rules = [slip.rule for slip in task.slips] + [rule for ways in task.ways.values() for rule in ways]
        self._rules = {rule: compiled_rule(rule, [*self.names, "it"]) for rule in rules}
        needed = {line.quantity for line in asked}
        needed |= {self.names[name] for _, names in self._rules.values() for name in names if name != "it"}
        needed |= {quantity for quantity in self.names.values() if quantity[0] == "new"}
        self.steps: List[Step] = []
        for step in reversed(steps):
            if step.quantity in needed:
                needed.update(step.inputs)
                self.steps.append(step)
        self.steps.reverse()
        self._whole = {line.quantity for line in asked if not line.place and line.axis is None}
        self._reached: Dict[int, Tuple[List[Step], List[Line]]] = {}
        place = {step.quantity: k for k, step in enumerate(self.steps)}
        self.lines = sorted(asked, key=lambda line: place.get(line.quantity, len(place)))  # a stable sort

    def run(self, numbers: Numbers, given: Mapping[Line, float] = {}, steps: Optional[List[Step]] = None,
            start: Optional[Tuple[Found, Found]] = None) -> Tuple[Found, Found]:
        """Return what each step gives, and the numbers that later steps go on with: those given, where there are any.

        Args:
            numbers: the draw.
            given: a student's numbers, by line.
            steps, start: only some of the steps, and what is known before them.
        """
        by_quantity: Dict[Quantity, Dict[Index, float]] = {}
        for line, value in given.items():
            if line.axis is None and np.isfinite(value):
                by_quantity.setdefault(line.quantity, {})[line.place] = value
        computed, used = start or ({}, {})
        with np.errstate(all="ignore"):
            for step in self.steps if steps is None else steps:
                quantity = step.quantity
                if not step.inputs and quantity[0] == "value":
                    result = np.asarray(numbers.get(quantity[1].name, quantity[1].value), float)[()]
                else:
                    result = step.compute(used, NO_ROUNDING)
                computed[quantity] = result
                used[quantity] = _with_entries(result, by_quantity[quantity]) if quantity in by_quantity else result
        return computed, used

    @cached_property
    def short(self) -> ShortForm:
        """The formulas of all quantities."""
        return ShortForm(self.derivation)

    def key(self, numbers: Numbers) -> Dict[str, float]:
        """Return the right number of each line, by name."""
        computed, _ = self.run(numbers)
        return {line.name: line.of(computed) for line in self.lines}

    def unwritten(self) -> Iterator[Tuple[int, Step]]:
        """Yield the steps, with their places, whose numbers aren't asked for, or only some of their entries."""
        for k, step in enumerate(self.steps):
            if step.inputs and step.quantity not in self._whole:
                yield k, step

    def reached(self, k: int) -> Tuple[List[Step], List[Line]]:
        """Return what a step's number changes on ways through numbers that aren't asked for: steps, and lines."""
        if k not in self._reached:
            changed = {self.steps[k].quantity}
            steps, lines = [], []
            for step in self.steps[k + 1:]:
                if changed.intersection(step.inputs):
                    steps.append(step)
                    lines += [line for line in self.lines if line.axis is None and is_of(line, step.quantity)]
                    if step.quantity not in self._whole:
                        changed.add(step.quantity)
            self._reached[k] = steps, lines
        return self._reached[k]

    def slip_value(self, slip: Slip, line: Line, computed: Found, used: Found) -> float:
        """Return the number that a slip gives in its line, for somebody who has used these numbers so far."""
        return self._by_rule(slip.rule, line, computed, used)

    def values(self, line: Line, computed: Found, used: Found) -> List[float]:
        """Return what is right in a line for somebody who has used these numbers so far, on each way to it."""
        return [line.of(computed)] + [self._by_rule(rule, line, computed, used)
                                      for rule in self.task.ways.get(line.name, ())]

    def guessed(self, code: Any, line: Line, computed: Found, used: Found) -> float:
        """Return what a compiled rule gives, or nan if it can't be computed with these shapes."""
        try:
            value = np.asarray(value_of(code, _ByName(self.names, used, line, computed)), float)
            return float((value if value.size == 1 else value[line.place]).reshape(()))
        except (ValueError, IndexError, TypeError, KeyError, ArithmeticError, AttributeError):
            return float("nan")

    def partners(self, name: str) -> List[str]:
        """Return what goes into the function that gives a quantity, and what comes out of the one that takes it."""
        derivation = self.derivation
        ends = re.fullmatch(r"(d\w+/d)?(\w+)", name)
        node = derivation.names.find(ends.group(2)) if ends else None
        if node is None:
            return []
        nodes = [each for each in derivation.order if len(each.parents) == 1 and each.parents[0] is node]
        nodes += node.parents if len(node.parents) == 1 else ()
        found = [(ends.group(1) or "") + derivation.names.text[each] for each in nodes]  # type: ignore[union-attr]
        return [each for each in found if each in self.names]

    def _by_rule(self, rule: str, line: Line, computed: Found, used: Found) -> float:
        code, _ = self._rules[rule]
        numbers = _ByName(self.names, used, line, computed)
        value = np.asarray(value_of(code, numbers), float)
        return float(value.reshape(()) if value.size == 1 else value[line.place])

    def line(self, name: str) -> Line:
        """Return a line by its name, however it is typed.

        Raises:
            InputError: there is no such line.
        """
        typed = _plain(name)
        by_name = {_plain(line.name): line for line in self.lines}
        found = by_name.get(typed) or by_name.get(typed.replace("_", ""))
        if found is None:
            alike = [line for plain, line in by_name.items() if plain.lower() == typed.lower()]
            found = alike[0] if len(alike) == 1 else None
        if found is None:
            raise InputError(f"There is no line called {name!r}. The lines of {self.task.name} are "
                             f"{', '.join(line.name for line in self.lines)}.")
        return found

    # ------------------------------------------------------------------ names

    def _all_names(self) -> Dict[str, Quantity]:
        """Return all that a rule may refer to: values, gradients and new values, by name."""
        derivation, text = self.derivation, self.derivation.names.text
        nodes = [node for node in derivation.order if not is_number(node)]
        names: Dict[str, Quantity] = {text[node]: ("value", node) for node in nodes}
        names.update({derivation.names.derivative(node): ("grad", node) for node in derivation.gradients})
        if self.rate is not None:
            names.update({f"new {text[node]}": ("new" if node.operation is None else "after", node) for node in nodes
                          if node.operation is not None or node.needs_grad})
            names[RATE] = ("rate", self.rate)
        return names

    def _line(self, name: str) -> Line:
        shape = SHAPE.fullmatch(name)
        if shape:
            quantity, term = self._quantity(shape.group(2))
            return Line(name, quantity, (), ("rows", "columns").index(shape.group(1)),
                        words(f"{shape.group(1)} of\N{NO-BREAK SPACE}", term))
        indexed = ENTRY.fullmatch(name)
        quantity, term = self._quantity(indexed.group(1) if indexed else name)
        if not indexed:
            return Line(name, quantity, (), None, term)
        places = indexed.group(2).split(",")
        return Line(name, quantity, tuple(int(place) - 1 for place in places), None, entry(term, places))

    def _quantity(self, name: str) -> Tuple[Quantity, Term]:
        """Return a quantity and how it is written; the derivative of what doesn't depend on it is 0."""
        derivation = self.derivation
        ends = re.fullmatch(r"d(\w+)/d(\w+)", name)
        above, below = [derivation.names.find(end) for end in ends.groups()] if ends else (None, None)
        if above is not None and below is not None:
            term = partial(derivation.names.term(above), derivation.names.term(below))
            if above is not derivation.output and not edges_between(derivation, above, below):
                return ("none", (above, below)), term
            return find(derivation, name, self.rate), term
        quantity = find(derivation, name, self.rate)
        term = derivation.names.term(quantity[1])
        return quantity, new(term) if quantity[0] in ("new", "after") else term


class _ByName:
    """A student's numbers by name, as a rule asks for them; of the line itself, what is right there."""

    def __init__(self, names: Mapping[str, Quantity], used: Found, line: Line, computed: Found) -> None:
        self.names, self._used, self._line, self._computed = names, used, line, computed

    def __getitem__(self, name: str) -> Any:
        if name == "it":
            return self._line.of(self._computed)
        kind, node = quantity = self.names[name]
        if kind == "rate":
            return node
        return (self._computed if is_of(self._line, quantity) else self._used)[quantity]


def is_of(line: Line, quantity: Quantity) -> bool:
    """Tell whether a line asks for (an entry of) a quantity; nodes of arrays compare entry by entry, so by identity."""
    return line.quantity[0] == quantity[0] and line.quantity[1] is quantity[1]


def _with_entries(value: Any, entries: Mapping[Index, float]) -> Any:
    changed = np.array(value, float)
    for index, number in entries.items():
        changed[index] = number
    return changed[()]


def _plain(name: str) -> str:
    """Return a line's name without what people write differently."""
    name = name.replace("\N{PARTIAL DIFFERENTIAL}", "d").replace("\N{MULTIPLICATION SIGN}", "x").strip()
    name = re.sub(r"^new[ _]+|(.+)_new$", lambda match: "new:" + (match.group(1) or ""), name)
    return "".join(re.sub(r"[{}()]", "", name).split()).lower() if name.startswith(("rows", "columns")) else \
        "".join(re.sub(r"[{}()\\]", "", name).split())


_MACHINES: Dict[Any, Machine] = {}


def machine_of(task: Task, numbers: Numbers) -> Machine:
    """Return the machine of a draw; those of the same shapes and learning rate share one."""
    key = (task.name, id(task.graph), numbers.get(RATE),
           tuple((name, np.shape(value)) for name, value in numbers.items()))
    if key not in _MACHINES:
        _MACHINES[key] = Machine(task, numbers)
    return _MACHINES[key]
