"""The kinds of probes that ask functions on parameters and networks: zero_grad, a training step, check_gradients."""
from __future__ import annotations

from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

import numpy as np

from grading.box import BoxError
from grading.frames import Other
from grading.oracle import Oracle, draw, set_parameters
from grading.probes import KINDS, RIGHT, TOLERANCE, Examiner, Finding, call

MOST_MODULES = 500  # that a case may make


def zero_grad(examiner: Examiner, probe: Dict[str, Any]) -> Finding:
    """Every gradient becomes an array of zeros of its own, in its parameter's shape; the values stay."""
    shapes = [(3, 4), (4,), (1,)]
    for kind in ("list", "tuple"):
        values = [examiner.rng.standard_normal(shape) for shape in shapes]
        start = [None if probe["start"] == "none" else examiner.rng.standard_normal(shape) for shape in shapes]
        both = [array for pair in zip(values, start) for array in pair]
        handle = examiner.box.ask({"op": "parameters"}, both)[0]["handle"]
        call(examiner, "zero_grad", [{"handle": handle, "as": kind}])
        results = examiner.box.ask({"op": "read", "handle": handle})[1]
        finding = _are_zeros(results[::2], results[1::2], values)
        if finding.passed and probe["start"] == "shared":
            others = examiner.box.ask({"op": "read", "handle": handle, "add": True})[1]
            if any(np.any(grad) for grad in others[3::2]) or not all(map(np.array_equal, others[::2], values)):
                finding = Finding(False, "shared array", "Several gradients are one and the same array: adding to one "
                                  "adds to all. Make a new array for each parameter.")
        if not finding.passed:
            return finding
    return RIGHT


def _are_zeros(data: Sequence[Any], grads: Sequence[Any], values: Sequence[np.ndarray]) -> Finding:
    for now, before in zip(data, values):
        if not isinstance(now, np.ndarray) or not np.array_equal(now, before):
            return Finding(False, "values changed", "The values of the parameters are changed. Only their gradients "
                           "are to be reset.")
    for i, (grad, before) in enumerate(zip(grads, values)):
        if grad is None:
            return Finding(False, "left at None", "A gradient is None afterwards; it must be an array of zeros, so "
                           "that backward can add to it.")
        if isinstance(grad, Other) or grad.shape != before.shape:
            return Finding(False, "wrong shape", "A gradient doesn't have its parameter's shape afterwards. It must be "
                           "an array of zeros.")
        if np.any(grad != 0):
            return Finding(False, "not zero", "A gradient isn't zero afterwards" + (
                ", but the first one is: does the loop reach all parameters?" if i else "."))
    return RIGHT


def step(examiner: Examiner, probe: Dict[str, Any]) -> Finding:
    """A training step: the loss's gradient goes back through the model, and each parameter a step against it."""
    box, oracle, rng = examiner.box, examiner.oracle, examiner.rng
    model, loss = oracle.build(probe["make"]), oracle.build(probe["loss"])
    values = [rng.standard_normal(param.data.shape) for param in model.parameters()]
    set_parameters(model, values)
    handles = [box.ask({"op": "make", "tree": tree, "places": oracle.places(tree)})[0]["handle"]
               for tree in (probe["make"], probe["loss"])]
    now = values
    for lr in probe["lr"]:
        inputs = [draw(spec, rng) for spec in probe["inputs"]]
        zeros = [array for value in now for array in (value, np.zeros_like(value))]
        box.ask({"op": "set", "handle": handles[0]}, zeros)
        set_parameters(model, now)
        preds = box.ask({"op": "forward", "handle": handles[0]}, inputs[:1])[1][0]
        box.ask({"op": "forward", "handle": handles[1]}, [preds] + inputs[1:])
        loss(model(inputs[0]), *inputs[1:])
        model.backward(loss.backward())
        grads = [param.grad for param in model.parameters()]
        call(examiner, "backward_pass", [{"handle": handles[0]}, {"handle": handles[1]}, lr])
        results = box.ask({"op": "read", "handle": handles[0]})[1]
        finding = _is_a_step(results[::2], results[1::2], now, grads, lr)
        if not finding.passed:
            return finding
        now = [value - lr * grad for value, grad in zip(now, grads)]
    return RIGHT


def _is_a_step(got: Sequence[Any], got_grads: Sequence[Any], before: Sequence[np.ndarray],
               grads: Sequence[np.ndarray], lr: float) -> Finding:
    if any(not isinstance(value, np.ndarray) or value.shape != start.shape for value, start in zip(got, before)):
        return Finding(False, "wrong shape", "A parameter has another shape after the step, or is no array any more.")
    moves = [value - start for value, start in zip(got, before)]
    scale = max(float(np.max(np.abs(lr * grad))) for grad in grads)

    def moved_by(factor: float) -> List[bool]:
        return [bool(np.all(np.abs(move - factor * grad) <= TOLERANCE * max(1, abs(factor)) * (scale + 1)))
                for move, grad in zip(moves, grads)]

    if all(moved_by(-lr)):
        return RIGHT
    if not any(np.any(move) for move in moves):
        if not any(isinstance(grad, np.ndarray) and np.any(grad) for grad in got_grads):
            return Finding(False, "no backward pass", "No parameter moves, and no gradient has arrived: is the "
                           "backward of the loss called, and then that of the model, with what it returns?")
        return Finding(False, "no update", "The gradients arrive, but no parameter's value changes. Does the update "
                       "write into param.data, or only into a variable?")
    for factor, name, sentence in (
            (lr, "wrong sign", "The parameters move along the gradient, so that the loss grows. Which way is down?"),
            (-1.0, "learning rate missing", "The step is the whole gradient: lr isn't in it."),
            (-2 * lr, "two steps", "Each parameter moves twice as far as it should: is the update done twice?"),
            (-lr / 2, "half a step", "Each parameter moves half as far as it should."),
            (-1.0 / lr, "divided by the learning rate", "The gradient is divided by lr.")):
        if all(moved_by(factor)):
            return Finding(False, name, sentence)
    if any(moved_by(-lr)):
        return Finding(False, "not every parameter", "Some parameters move as they should, others don't: does the loop "
                       "reach all of them, and each once?")
    return Finding(False, "wrong step", "The parameters don't move by lr times their gradient.")


# ---------------------------------------------------------------------- check_gradients

class World:
    """The parent's side of remote modules: it holds the mathematics, and decides what is spoilt.

    Args:
        layers: modules that are here already, in the order in which the child will make its own; their values stay.

    Attributes:
        spoilt: names of classes whose backward is wrong in this case; "order" spoils how a Sequential goes back through
            its modules, which a network of one layer can't show.
        checked: the classes whose check was asked for in this case.
        error: the last exception that a module here raised.
        replays, outputs: while it replays, layers answer with their last outputs, by the layer's id.
    """

    def __init__(self, oracle: Oracle, layers: Sequence[Any] = ()) -> None:
        self.oracle, self.layers = oracle, list(layers)
        self.modules: List[Any] = []
        self.begin(())
        self.error: Optional[Exception] = None
        self.replays = False
        self.outputs: Dict[int, Any] = {}

    def begin(self, spoilt: Sequence[str]) -> None:
        """Begin a case; the modules that there are stay: a student's file may hold some."""
        self.spoilt, self.most = spoilt, len(self.modules) + MOST_MODULES
        self.checked: List[str] = []

    def handle(self, question: Dict[str, Any], arrays: List[Any]) -> Tuple[Dict[str, Any], List[Any]]:
        """Answer a question of the child's."""
        try:
            if question["ask"] == "make":
                return {"remote": self._make(question)}, []
            module = self.modules[question["remote"]]
            count = len(module.parameters())
            for param, value in zip(module.parameters(), [] if self.layers else arrays[:count]):
                param.data, param.grad = value, np.zeros_like(value)
            if self.replays and id(module) in self.outputs:
                return {}, [self.outputs[id(module)]]
            if question["ask"] == "forward":
                return {}, [module(*arrays[count:])]
            wrong = self._is_wrong(module)
            if question["ask"] == "check":
                self.checked.append(type(module).__name__)
                module(*arrays[count:])
                return {"verdict": "wrong" if wrong else "ok"}, []
            factor = 1.01 if wrong else 1.0
            result = module.backward(arrays[count])
            grads = [factor * param.grad for param in module.parameters()]
            return {}, [result if self.layers else factor * result] + grads
        except Exception as error:  # the student's network doesn't fit together, or a message is forged
            self.error = error
            return {"verdict": "error", "remote": 0, "words": str(error)[:300]}, []

    def _make(self, question: Dict[str, Any]) -> int:
        cls = getattr(__import__(self.oracle.place(question["class"]), fromlist=["lib"]), question["class"])
        arguments = []
        for described in question["arguments"]:
            if described.get("remote") is not None:
                arguments.append(self.modules[described["remote"]])
            elif "class" in described:
                arguments.append(self.oracle.build([described["class"]]))
            else:
                arguments.append(described["value"])
        sizes = [value for value in arguments if isinstance(value, (int, float))]
        if len(self.modules) >= self.most or any(size > 5000 for size in sizes):
            raise ValueError("That is a larger network than a check of gradients needs.")
        self.modules.append(self.layers[len(self.modules)] if self.layers else cls(*arguments))
        return len(self.modules) - 1

    def _is_wrong(self, module: Any) -> bool:
        inside = [inner for _, inner in module.named_modules()]
        names = {type(inner).__name__ for inner in inside}
        if "order" in self.spoilt and any(len(getattr(inner, "modules", ())) > 1 for inner in inside):
            return True
        return bool(names & set(self.spoilt))


def checks(examiner: Examiner, probe: Dict[str, Any]) -> Finding:
    """check_gradients raises on each of the spoilt modules, and doesn't where all are right."""
    cases: List[Tuple[str, ...]] = [(name,) for name in probe["spoil"]] + [()]
    order = examiner.rng.permutation(len(cases) + 1) % len(cases)
    for index in order:
        spoilt = cases[index]
        world = examiner.world
        world.begin(spoilt)
        error: Optional[BoxError] = None
        try:
            call(examiner, "check_gradients", [], handler=world.handle)
        except BoxError as raised:
            if raised.status == "limit" or examiner.box.has_ended:
                raise
            error = raised
        if not spoilt and error is not None:
            if error.status == "to do":
                raise error
            return Finding(False, "raises on right modules", "It raises although every module is right: "
                           f"{error.words}")
        if spoilt and error is None:
            return Finding(False, *_not_noticed(spoilt[0], world))
        if error is not None and error.status == "to do":
            raise error
    return RIGHT


def _not_noticed(name: str, world: World) -> Tuple[str, str]:
    if name == "order" and "Sequential" in world.checked:
        return "one layer only", ("A network whose backward visits its layers in a wrong order isn't noticed: check a "
                                  "Sequential of several layers.")
    if name in ("order", "Sequential"):
        return "no network checked", ("A Sequential with a wrong backward isn't noticed. Make a Sequential, and call "
                                      "its check_gradients with a tuple of inputs; nothing may swallow what it raises.")
    return "check left out", f"A wrong backward of {name} isn't noticed: is its check still there?"


SPECIAL: Dict[str, Callable[[Examiner, Dict[str, Any]], Finding]] = {
    "zero_grad": zero_grad, "step": step, "checks": checks}
KINDS.update(SPECIAL)
