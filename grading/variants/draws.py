"""Which draws of numbers are used: those in which every known slip shows in its line, apart from all other slips.

What a seed gives is the first of its draws that can tell. Those before it were refused, each for a reason that is
counted.
"""
from __future__ import annotations

from collections import Counter
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Tuple

import numpy as np

from grading.variants.calculation import Found, Line, Machine, is_of, machine_of
from grading.variants.seeds import Dice, tag_of
from grading.variants.task import Numbers, Slip, Task
from lib.graph.answers.calculation import Step
from lib.graph.answers.compare import rounding_unit
from lib.graph.explain.derivation import flow_along, local_derivative
from lib.graph.notation.digits import rounded
from lib.validation import InputError

TOLERANCE, SMALLEST_TOLERANCE = 0.01, 1e-4
APART = 2.05  # tolerances between two numbers that are to be told apart; no round number, so that nothing ties
DIGITS = 3
SMALLEST, LARGEST = 0.01, 1000.0
NEAREST_KINK = 0.05
MOST_ROUNDING = 0.03  # of a number: how much of it may come from rounding what isn't written down
HALF_A_PERCENT = 0.005  # the most that rounding to three digits does
MOST_ATTEMPTS = 20_000


class Case(NamedTuple):
    """A task with the numbers of one seed.

    Attributes:
        task, seed: where it comes from.
        numbers: the draw.
        key: the right number of each line, by name.
        spreads: how far rounding of what isn't written down may move each line's number.
        refused: the reasons why earlier draws of the seed weren't used.
    """

    task: Task
    seed: int
    numbers: Numbers
    key: Dict[str, float]
    spreads: Dict[str, float]
    refused: Tuple[str, ...]

    @property
    def machine(self) -> Machine:
        """The calculation of this draw."""
        return machine_of(self.task, self.numbers)

    @property
    def tag(self) -> str:
        """What is printed on the page, for the answers to be matched."""
        return tag_of(self.task.name, self.seed)


class Refused(Exception):
    """A draw that can't be used; the message is the reason."""


def tolerance(number: float) -> float:
    """Return how far an answer may be off."""
    return max(TOLERANCE * abs(number), SMALLEST_TOLERANCE)


def apart(one: float, other: float) -> bool:
    """Tell whether two numbers differ by more than twice the tolerance."""
    return abs(one - other) > APART * max(tolerance(one), tolerance(other))


def case_of(task: Task, seed: int) -> Case:
    """Return the task with the numbers of a seed: the first draw that can be used."""
    refused: List[str] = []
    for attempt in range(MOST_ATTEMPTS):
        numbers = task.draw(Dice(f"{task.name}|{seed}|{attempt}"))
        try:
            key, spreads = examine(task, numbers)
        except Refused as reason:
            refused.append(str(reason))
            continue
        return Case(task, seed, numbers, key, spreads, tuple(refused))
    raise InputError(f"No draw of {task.name} could be used: {dict(Counter(refused))}.")


def examine(task: Task, numbers: Numbers) -> Tuple[Dict[str, float], Dict[str, float]]:
    """Return a draw's key and spreads.

    Raises:
        Refused: the draw can't be used.
    """
    machine = machine_of(task, numbers)
    computed, used = machine.run(numbers)
    key = {line.name: line.of(computed) for line in machine.lines}
    reason = task.refuse(Values(machine, computed)) if task.refuse else ""
    if reason:
        raise Refused(reason)
    _kinks(machine, computed)
    _sizes(key)
    if len(key) > 2 and not any(value for name, value in key.items() if name.startswith("d")) and \
            any(name.startswith("d") for name in key):
        raise Refused("a dead network: every gradient is 0")
    slips = list(_slip_values(machine, computed, used))
    for line, slip, value in slips:
        if not np.isfinite(value):
            raise Refused(f"a slip gives no number: {slip.cause} in {line.name}")
        if not apart(value, key[line.name]):
            raise Refused(f"a slip doesn't show: {slip.cause} in {line.name}")
    for k, (line, slip, value) in enumerate(slips):
        for other, second, value_there in slips[:k]:
            if other is line and not apart(value, value_there):
                raise Refused(f"two slips look alike: {second.cause} and {slip.cause} in {line.name}")
    within = {line.name: _inner(machine, line, computed) for line in machine.lines}
    _roundings(within, key)  # already, as this is quick
    spreads = spreads_of(machine, numbers, computed, used)
    _roundings(spreads, key)
    for line, slip, value in slips:
        if abs(value - key[line.name]) < spreads[line.name] + tolerance(value) + tolerance(key[line.name]):
            raise Refused(f"a slip hides behind rounding: {slip.cause} in {line.name}")
    for line, slip, value in slips:
        followed, _ = machine.run(numbers, {line: value})
        if not all(np.isfinite(each.of(followed)) for each in machine.lines):
            raise Refused(f"a slip leads to no number: {slip.cause} in {line.name}")
    return key, spreads


class Values:
    """The values of a draw by the names of the graph, as a task's `refuse` asks for them: v.z1."""

    def __init__(self, machine: Machine, computed: Found) -> None:
        self._machine, self._computed = machine, computed

    def __getattr__(self, name: str) -> Any:
        return self._computed["value", self._machine.derivation.names.find(name)]


def _sizes(key: Dict[str, float]) -> None:
    for name, value in key.items():
        if not np.isfinite(value):
            raise Refused("no number comes out")
        if value and abs(value) < SMALLEST:
            raise Refused("a number is too small to be told from 0")
        if abs(value) > LARGEST:
            raise Refused("a number is too large")


def _roundings(spreads: Dict[str, float], key: Dict[str, float]) -> None:
    for name, spread in spreads.items():
        if spread > MOST_ROUNDING * abs(key[name]):
            raise Refused(f"rounding matters too much: {name}")


def _kinks(machine: Machine, computed: Found) -> None:
    """Refuse a tie: a number at the kink of a function, where it has no derivative."""
    for step in machine.steps:
        kind, node = step.quantity
        if kind in ("value", "after") and getattr(node.operation, "name", "") in ("relu", "abs", "maximum"):
            inputs = [np.asarray(computed[kind, parent]) for parent in node.parents]
            if np.min(np.abs(inputs[0] - (inputs[1] if len(inputs) > 1 else 0.0))) < NEAREST_KINK:
                raise Refused(f"a tie at the kink of {node.operation.name}")


def _slip_values(machine: Machine, computed: Found, used: Found) -> Iterator[Tuple[Line, Slip, float]]:
    for line in machine.lines:
        for slip in machine.task.slips_of(line.name):
            yield line, slip, machine.slip_value(slip, line, computed, used)


# ---------------------------------------------------------------------- rounding

def spreads_of(machine: Machine, numbers: Numbers, computed: Found, used: Found,
               given: Mapping[Line, float] = {}) -> Dict[str, float]:
    """Return how far each line may be off if what isn't written down is rounded to three digits, to first order.

    Each number that isn't asked for is moved by half a unit of its third digit, one after the other; the numbers that
    are asked for stay as they are, but those given: nobody knows their further digits. What these moves do to a line
    adds up, in the worst case.
    """
    spreads = {line.name: _inner(machine, line, computed) for line in machine.lines}
    for k, step in machine.unwritten():
        steps, lines = machine.reached(k)
        value = np.asarray(used[step.quantity], float)
        asked = {line.place for line in machine.lines if is_of(line, step.quantity) and line.axis is None}
        for index in np.ndindex(value.shape) if lines else ():
            unit = 0.0 if index in asked else half_unit(float(value[index])) + _terms(machine, step, computed)
            if unit:
                moved = value.copy()
                moved[index] += unit
                again, _ = machine.run(numbers, given, steps, (dict(computed), {**used, step.quantity: moved[()]}))
                for line in lines:
                    spreads[line.name] += abs(line.of(again) - line.of(computed))
    for moved_line, number in given.items():
        if np.isfinite(number):
            unit = 0.5 * float(rounding_unit(number, DIGITS))
            again, _ = machine.run(numbers, {**given, moved_line: number + unit})
            for line in machine.lines:
                spreads[line.name] += abs(line.of(again) - line.of(computed))
    return spreads


def half_unit(number: float) -> float:
    """Return half a unit of a number's third digit, or 0 if it has no more than three digits."""
    if not np.isfinite(number) or abs(rounded(number, DIGITS) - number) < 1e-9:
        return 0.0
    return 0.5 * float(rounding_unit(number, DIGITS))


def _terms(machine: Machine, step: Step, computed: Found) -> float:
    """Return how far rounding the terms of a single gradient's sum may move it: they may nearly cancel."""
    kind, node = step.quantity
    edges = machine.derivation.edges_to(node) if kind == "grad" and not node.ndim else []
    if len(edges) < 2 or any(("grad", edge.child) not in computed for edge in edges):
        return 0.0
    total = 0.0
    for edge in edges:
        values: Dict[Any, Any] = {each: computed["value", each] for each in edge.child.parents + (edge.child,)}
        total += half_unit(float(flow_along(edge, computed["grad", edge.child], values)))
    return total


def _inner(machine: Machine, line: Line, computed: Found) -> float:
    """Return how far rounding may move a line within its own step: the slopes, the products and the terms of its sum.

    Each of these may be off by half a percent, as 1.00 is for 1.005, unless it has no more than three digits.
    """
    kind, node = line.quantity
    total = 0.0
    if line.axis is not None:
        return total
    if kind == "value" and getattr(node.operation, "name", "") == "matmul":
        left, right = (np.abs(computed[kind, parent]) for parent in node.parents)
        total = HALF_A_PERCENT * float((left @ right)[line.place])
        return total if half_unit(line.of(computed)) else 0.0
    for edge in machine.derivation.edges_to(node) if kind == "grad" else ():
        grad = computed.get(("grad", edge.child))
        if grad is None or edge.child.operation is None:
            continue
        values: Dict[Any, Any] = {each: computed["value", each] for each in edge.child.parents + (edge.child,)}
        flow = np.asarray(flow_along(edge, grad, values))
        several = len(machine.derivation.edges_to(node)) > 1
        if edge.child.operation.name == "matmul":
            flow = np.asarray(flow_along(edge, np.abs(grad), {each: np.abs(value) for each, value in values.items()}))
            several = True
        exact = not half_unit(float(flow[line.place]))
        slope_is_exact = not edge.child.ndim and not edge.parent.ndim and not half_unit(
            float(local_derivative(edge, values)))
        roundings = (not exact) * several + (not slope_is_exact) * (np.size(grad) > 0)
        total += HALF_A_PERCENT * roundings * abs(float(flow[line.place]))
    return total
