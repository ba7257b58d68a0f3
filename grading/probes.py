"""The kinds of probes: what the child is asked, and what must come back.

A probe returns a Finding: whether it passed, and if not, a short name of the cause and a sentence. Probes on one module
judge each gradient; what they find right is noted, so that a later probe (are gradients added?) judges those alone, and
one mistake doesn't count twice.
"""
from __future__ import annotations

import importlib
from typing import Any, Callable, Dict, List, NamedTuple, Sequence, Set

import numpy as np

from grading.box import Box, plain
from grading.frames import Other
from grading.oracle import Oracle, draw, set_parameters, tensors
from grading.sheet import SheetError, Task, module_name

TOLERANCE = 5e-6  # of the largest expected entry: what float32 needs
NOTHING_RIGHT = "no right gradient"  # the cause of a later probe that has nothing to build on
FAR = 1e13  # a factor of inputs at which x + h is x for any small step h


class Finding(NamedTuple):
    """The outcome of a probe."""

    passed: bool
    cause: str = ""
    sentence: str = ""


RIGHT = Finding(True)


class Examiner:
    """What the probes of one task share: the box, the oracle, and what was found right so far."""

    def __init__(self, box: Box, oracle: Oracle, task: Task, rng: np.random.Generator) -> None:
        self.box, self.oracle, self.task, self.rng = box, oracle, task, rng
        self.world: Any = None  # the parent's side of remote modules: see grading.probes_training
        self.right: Set[str] = set()
        self.judged: Set[str] = set()

    def run(self, probe: Dict[str, Any]) -> Finding:
        if probe["kind"] not in KINDS:
            raise SheetError(f"the kind of a probe is one of {', '.join(KINDS)}, but got {probe['kind']!r}")
        return KINDS[probe["kind"]](self, probe)

    # ------------------------------------------------------------------ one module

    def situation(self, case: Dict[str, Any], start: float = 0.0, twice: bool = False, scale: float = 1.0
                  ) -> "Situation":
        """Run a case in the child and in the reference.

        Args:
            start: how large the gradients of the parameters are before.
            twice: whether backward is called once more, which must give the same.
            scale: a factor of the first input.
        """
        tree, oracle, rng = case["make"], self.oracle, self.rng
        places = oracle.places(tree)
        reference = oracle.build(tree)
        values = [rng.standard_normal(param.data.shape) for param in reference.parameters()]
        grads = [start * rng.standard_normal(value.shape) for value in values]
        set_parameters(reference, values)
        handle, other = [self.box.ask({"op": "make", "tree": tree, "places": places})[0]["handle"] for _ in range(2)]
        both = [array for pair in zip(values, grads) for array in pair]
        for each in (handle, other):
            self.box.ask({"op": "set", "handle": each}, both)
        inputs = [draw(spec, rng) for spec in case["inputs"]]
        inputs[:1] = [scale * inputs[0]]
        earlier = [draw(spec, rng) for spec in case["inputs"]]
        if not twice:  # a second backward after two forward passes is refused: which of them would it be for?
            self.box.ask({"op": "forward", "handle": handle}, earlier)
        after = self.box.ask({"op": "forward", "handle": handle}, inputs)[1][1:]
        self.box.ask({"op": "forward", "handle": other}, earlier)  # another module's cache is none of this one's
        output = reference(*[array.copy() for array in inputs])
        upstream = None if np.ndim(output) == 0 else rng.standard_normal(np.shape(output))
        expected = reference.backward(None if upstream is None else upstream.copy())
        answer, results = self.box.ask({"op": "backward", "handle": handle}, [upstream])
        again = self.box.ask({"op": "backward", "handle": handle}, [upstream])[1][0] if twice else None
        seen = results[2:2 + len(inputs)]
        params = results[2 + len(inputs):]
        return Situation(
            expected=tensors(reference, expected, [param.grad + grad for param, grad in
                                                   zip(reference.parameters(), grads)]),
            got=tensors(reference, results[0], params[1::2]),
            before=[upstream] + inputs + inputs + values + [results[0]] * twice,
            after=[results[1]] + after + seen + params[::2] + [again] * twice,
            names=["the upstream gradient"] + ["the input"] * (2 * len(inputs)) + ["a parameter"] * len(values)
            + ["what forward has cached"])

    def is_numeric(self) -> bool:
        """Return whether the gradients, which are right at usual inputs, are finite differences.

        Then they are far off at huge inputs, where a small step is lost in rounding; a formula in float32 isn't.
        """
        cases = [(probe, case) for probe in self.task.probes if probe["kind"] == "gradients" for case in probe["cases"]]
        for probe, case in cases[:4]:
            situation = self.situation(case, scale=FAR)
            for name in set(self.names_of(probe["of"], situation)) & self.right:
                finding = compare(name, situation.got.get(name), situation.expected[name])
                if finding.cause == "wrong values":
                    return True
        return False

    def names_of(self, of: Sequence[str], situation: "Situation") -> List[str]:
        if "parameters" in of:
            return [name for name in situation.expected if name != "input" or "input" in of]
        return list(of)


class Situation(NamedTuple):
    """What a case gave: gradients by name, and what else could have changed."""

    expected: Dict[str, Any]
    got: Dict[str, Any]
    before: List[Any]
    after: List[Any]
    names: List[str]


def compare(name: str, got: Any, expected: np.ndarray, what: str = "") -> Finding:
    """Compare an array from the child with the right one, which is called `what`."""
    what = what or {"input": "what backward returns, dL/d(input),"}.get(name, f"the gradient of {name}")
    if got is None:
        return Finding(False, "nothing returned", f"{_capital(what)} is None. Is a return, or an assignment, missing?")
    if isinstance(got, Other):
        return Finding(False, "not an array", f"{_capital(what)} isn't an array of numbers; its type is "
                       f"{plain(got.kind, 40)}.")
    if got.shape != np.shape(expected):
        return Finding(False, "wrong shape", f"{_capital(what)} has shape {got.shape}; expected {np.shape(expected)}.")
    if not np.all(np.isfinite(got)):
        return Finding(False, "NaN or infinity", f"{_capital(what)} holds NaN or infinity.")
    scale = max(float(np.max(np.abs(expected), initial=0)), 1e-12)
    error = float(np.max(np.abs(got - expected), initial=0)) / scale
    if error > TOLERANCE:
        return Finding(False, "wrong values", f"{_capital(what)} has wrong values.")
    return RIGHT


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def _values(examiner: Examiner, probe: Dict[str, Any], judge: Callable[[str, Any, Any], Finding]) -> Finding:
    """Judge the named gradients in every case; note which are right in all of them."""
    first = RIGHT
    for case in probe["cases"]:
        situation = examiner.situation(case)
        for name in examiner.names_of(probe["of"], situation):
            finding = judge(name, situation.got.get(name), situation.expected[name])
            if finding.passed and name not in examiner.judged:
                examiner.right.add(name)
            if not finding.passed:
                examiner.right.discard(name)
            examiner.judged.add(name)
            first = finding if first.passed else first
    return first


def gradients(examiner: Examiner, probe: Dict[str, Any]) -> Finding:
    """The gradients have the right values."""
    return _values(examiner, probe, compare)


def proportional(examiner: Examiner, probe: Dict[str, Any]) -> Finding:
    """The gradients are right up to a positive factor, the same for all entries."""
    def judge(name: str, got: Any, expected: Any) -> Finding:
        if isinstance(got, np.ndarray) and got.shape == expected.shape and np.all(np.isfinite(got)):
            factor = float(np.sum(got * expected) / np.sum(expected * expected))
            if factor > 1e-6:
                got = got / factor
        return compare(name, got, expected)
    return _values(examiner, probe, judge)


def accumulation(examiner: Examiner, probe: Dict[str, Any]) -> Finding:
    """What was in a gradient before is still in it; judged where the gradient is right otherwise."""
    for case in probe["cases"]:
        situation = examiner.situation(case, start=3.0)
        names = [name for name in examiner.names_of(probe["of"], situation) if name in examiner.right]
        if not names:
            return Finding(False, NOTHING_RIGHT, "No gradient is right yet, so it can't be seen whether they add up.")
        for name in names:
            if not compare(name, situation.got[name], situation.expected[name]).passed:
                return Finding(False, "overwritten instead of accumulated",
                               f"The gradient of {name} is overwritten: what was in it before must be added to.")
    return RIGHT


def unchanged(examiner: Examiner, probe: Dict[str, Any]) -> Finding:
    """Neither forward nor backward changes what it was given, or a parameter."""
    for case in probe["cases"]:
        situation = examiner.situation(case, twice=True)
        if not examiner.right:
            return Finding(False, NOTHING_RIGHT, "No gradient is right yet.")
        for name, before, after in zip(situation.names, situation.before, situation.after):
            if isinstance(before, np.ndarray) and not np.array_equal(before, after):
                return Finding(False, "changed in place", f"Your code changes {name} in place: it belongs to somebody "
                               "else. Make a new array.")
    return RIGHT


def at_kinks(examiner: Examiner, probe: Dict[str, Any]) -> Finding:
    """Where the function has a kink, anything between the derivatives of both sides is right."""
    for case in probe["cases"]:
        tree = case["make"]
        reference = examiner.oracle.build(tree)
        inputs = [draw(spec, examiner.rng) for spec in case["inputs"]]
        sides = []
        upstream = examiner.rng.standard_normal(np.shape(reference(*inputs)))
        for shift in (-1e-9, 1e-9):
            reference(*[array + shift for array in inputs])
            sides.append(reference.backward(upstream))
        handle = examiner.box.ask({"op": "make", "tree": tree, "places": examiner.oracle.places(tree)})[0]["handle"]
        examiner.box.ask({"op": "forward", "handle": handle}, inputs)
        got = examiner.box.ask({"op": "backward", "handle": handle}, [upstream])[1][0]
        if not isinstance(got, np.ndarray) or got.shape != upstream.shape or "input" not in examiner.right:
            return Finding(False, NOTHING_RIGHT, "The gradient isn't right yet.")
        if not np.all(np.isfinite(got)):
            return Finding(False, "NaN or infinity", "Where an input is exactly 0, backward gives NaN or infinity. "
                           "Does it divide by the input?")
        if np.any(got < np.minimum(*sides) - TOLERANCE) or np.any(got > np.maximum(*sides) + TOLERANCE):
            return Finding(False, "wrong at the kink", "Where an input is exactly 0, the gradient isn't between those "
                           "of both sides.")
    return RIGHT


def function(examiner: Examiner, probe: Dict[str, Any]) -> Finding:
    """A function returns the same arrays as the reference's; `from` names its file, if that isn't the gap's."""
    assert examiner.task.gap is not None
    module = module_name(probe["from"]) if "from" in probe else examiner.task.gap.module
    for arguments in probe["cases"]:
        drawn = [draw(spec, examiner.rng) for spec in arguments]
        answer, got = call(examiner, probe["call"], drawn, module)
        wanted: Any = importlib.import_module(module)
        for name in probe["call"].split("."):
            wanted = getattr(wanted, name)
        names, expected = flattened(wanted(*drawn))
        labels = names or [f"result {i + 1}" if len(expected) > 1 else "the result" for i in range(len(expected))]
        if names is not None and answer.get("names") is not None:
            by_name = dict(zip(answer["names"], got)) if isinstance(answer["names"], list) else {}
            got = [by_name.get(name) for name in names]
        if len(got) != len(expected):
            return Finding(False, "wrong number of results", f"{probe['call']} must return {len(expected)} "
                           f"{'array' if len(expected) == 1 else 'arrays'}, but returned {len(got)}.")
        chosen = probe.get("of", labels)
        for label, value, right in zip(labels, got, expected):
            if label in chosen:
                finding = compare(label, value, np.asarray(right, dtype=float), label)
                if not finding.passed:
                    return finding
    return RIGHT


def flattened(value: Any) -> Any:
    """Return (names or None, arrays) of what a function has returned, as the child sends it."""
    names = [str(name) for name in value] if isinstance(value, dict) else None
    flat: List[Any] = []

    def walk(part: Any) -> None:
        if isinstance(part, (list, tuple)):
            for inner in part:
                walk(inner)
        else:
            flat.append(part)

    walk(list(value.values()) if isinstance(value, dict) else value)
    return names, flat


def call(examiner: Examiner, name: str, arguments: Sequence[Any], module: str = "", handler: Any = None) -> Any:
    """Call a function with arrays, numbers, lists and dictionaries of these; of the student's file, if no other."""
    arrays: List[Any] = []

    def described(value: Any) -> Dict[str, Any]:
        if isinstance(value, np.ndarray):
            arrays.append(value)
            return {"array": len(arrays) - 1}
        if isinstance(value, list):
            return {"list": [described(part) for part in value]}
        if isinstance(value, dict) and ("handle" in value or "array" in value):
            return value
        if isinstance(value, dict):
            return {"dict": {key: described(part) for key, part in value.items()}}
        return {"value": value}

    listed = [described(value) for value in arguments]
    assert examiner.task.gap is not None
    question = {"op": "call", "module": module or examiner.task.gap.module, "name": name, "arguments": listed}
    return examiner.box.ask(question, arrays, handler)


KINDS: Dict[str, Callable[[Examiner, Dict[str, Any]], Finding]] = {
    "gradients": gradients, "proportional": proportional, "accumulation": accumulation, "unchanged": unchanged,
    "at_kinks": at_kinks, "function": function}
LATER = ("accumulation", "unchanged", "at_kinks")  # they build on what the others have found right
