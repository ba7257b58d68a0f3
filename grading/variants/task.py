"""What a pen-and-paper task is: a graph, its draw of numbers, the lines asked for, and the slips that are known.

All else, the key, the derivation, the pages and the check, comes from these.
"""
from __future__ import annotations

import re
from typing import Any, Callable, Dict, Mapping, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from grading.variants.seeds import Dice
from lib.graph.draw import Drawing
from lib.graph.node import Node
from lib.numerics import stable_sigmoid

Numbers = Dict[str, Any]
RATE = "lr"  # the name of the learning rate among a task's numbers

CAUSES: Dict[str, str] = {
    "sign": "a sign is wrong",
    "factor": "a factor is forgotten",
    "upstream": "the gradient from above is forgotten",
    "local": "a function's own derivative is forgotten",
    "place": "a quantity is taken at the wrong place, such as z for h",
    "input": "the input's factor is forgotten",
    "paths": "only one of several paths is counted",
    "transpose": "rows and columns are mixed up",
    "mean": "sum and mean are mixed up",
    "early": "a weight was updated too early",
    "rate": "the learning rate is misplaced",
    "direction": "the step goes uphill",
    "function": "another function is computed",
    "formula": "another formula is computed",
    "constant": "what depends on the inputs is taken as constant",
    "state": "the optimiser's memory is misused",
}


class Slip(NamedTuple):
    """A known mistake, as another rule for a line.

    Attributes:
        line: the line in which it is made.
        rule: what is computed in its place, in the names of the graph, such as "dL/dh * w"; `it` is the right number.
        cause: one of CAUSES.
        hint: a sentence for the student, which doesn't give the solution away.
        unseen: why no number can show it in this task, if that is so; it is named then, and never looked for.
    """

    line: str
    rule: str
    cause: str
    hint: str
    unseen: str = ""


class Task(NamedTuple):
    """A pen-and-paper task.

    Attributes:
        name, title: how it is called on the command line, and on a page.
        text: what there is to do.
        graph: makes the graph of the numbers, given by name.
        draw: draws the numbers; the learning rate, which isn't part of the graph, is called "lr".
        lines: what is asked for: "h" (a value), "dL/dw" (a gradient), "dh/dz" (a local derivative), "new w", "new L",
            entries such as "dL/dW[2,1]" counted from 1, and "rows of dL/dW", "columns of dL/dW".
        slips: the known mistakes.
        refuse: why a draw can't be used, as words, or "".
        scheme: the drawing of its network; None: the graph is drawn.
        ways: other right rules for a line, by its name: after a slip they lead to another number than the graph's.
    """

    name: str
    title: str
    text: str
    graph: Callable[..., Node]
    draw: Callable[[Dice], Numbers]
    lines: Sequence[str]
    slips: Sequence[Slip]
    refuse: Optional[Callable[[Any], str]] = None
    scheme: Optional[Callable[[], Drawing]] = None
    ways: Mapping[str, Sequence[str]] = {}

    def build(self, numbers: Numbers) -> Node:
        """Return the graph of these numbers."""
        return self.graph(**{name: value for name, value in numbers.items() if name != RATE})

    def slips_of(self, line: str) -> Sequence[Slip]:
        """Return the slips of one line that its number can show."""
        return [slip for slip in self.slips if slip.line == line and not slip.unseen]


FUNCTIONS = {"exp": np.exp, "log": np.log, "log10": np.log10, "sqrt": np.sqrt, "sin": np.sin, "cos": np.cos,
             "tanh": np.tanh, "abs": np.abs, "sign": np.sign, "sum": np.sum, "mean": np.mean, "outer": np.outer,
             "ones": np.ones, "pi": np.pi,
             "sigmoid": stable_sigmoid, "relu": lambda x: np.maximum(x, 0.0),
             "step": lambda x: np.where(x > 0, 1.0, 0.0)}


def compiled_rule(rule: str, names: Sequence[str]) -> Tuple[Any, Tuple[str, ...]]:
    """Return a rule, ready to be evaluated, and the names in it."""
    text, found = with_references(rule, names)
    return compile(text, rule, "eval"), found


def with_references(rule: str, names: Sequence[str]) -> Tuple[str, Tuple[str, ...]]:
    """Return a rule with n["x"] for each name, and the names in it; one such as dL/dw is a name, not a fraction."""
    longest_first = sorted(names, key=len, reverse=True)
    pattern = re.compile(r"(?<![\w.])(" + "|".join(map(re.escape, longest_first)) + r")(?!\w)")
    found: Dict[str, None] = {}

    def reference(match: Any) -> str:
        found[match.group(1)] = None
        return f"n[{match.group(1)!r}]"

    return pattern.sub(reference, rule), tuple(found)


def value_of(code: Any, numbers: Any) -> Any:
    """Return what a compiled rule gives; `numbers` finds them by name."""
    with np.errstate(all="ignore"):
        return eval(code, {"__builtins__": {}, **FUNCTIONS}, {"n": numbers})  # the rules are this package's own
