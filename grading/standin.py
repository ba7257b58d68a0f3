"""Why a gradient is wrong: the checker, in the parent, examines a stand-in whose backward asks the child.

The stand-in of a single module asks the child for forward, too. That of a network keeps its layers here, where the
checker can see in which order they are called; in the child stand remote layers, which call these.
"""
from __future__ import annotations

import builtins
import warnings
from typing import Any, Dict, List, NamedTuple, Optional, Sequence

import numpy as np

from grading.box import BoxError
from grading.frames import Other
from grading.oracle import draw, set_parameters
from grading.probes import Examiner
from grading.probes_training import World
from lib.gradient_checking import check_module
from lib.network_base import is_loss


class Explanation(NamedTuple):
    """What the checker says: a short name, a question, a sentence, and how it is known."""

    cause: str
    question: str
    sentence: str
    evidence: str


def is_network(tree: Sequence[Any]) -> bool:
    return any(isinstance(part, list) for part in tree)


def layer_names(tree: Sequence[Any]) -> List[str]:
    """Return the classes of a network's layers, without that of the network itself."""
    names = [name for part in tree[1:] if isinstance(part, list) for name in [part[0]] + layer_names(part)]
    return [name for name in dict.fromkeys(names) if name != tree[0]]


def as_raised(error: BoxError) -> BaseException:
    """Return an exception in the child as one of its kind, for the checker to explain; or the BoxError itself."""
    for kind in error.kinds:
        cls = getattr(builtins, kind, None)
        if isinstance(cls, type) and issubclass(cls, Exception) and error.status == "error":
            return cls(error.message)
    return error


def stand_in(examiner: Examiner, tree: List[Any]) -> Any:
    """Return a reference module whose forward and backward are those of the child's module of the same tree."""
    return _network(examiner, tree) if is_network(tree) else _module(examiner, tree)


def _module(examiner: Examiner, tree: List[Any]) -> Any:
    reference, box = examiner.oracle.build(tree), examiner.box
    handle = box.ask({"op": "make", "tree": tree, "places": examiner.oracle.places(tree)})[0]["handle"]

    def pairs(module: Any) -> List[Any]:
        return [value for param in module.parameters() for value in (param.data, param.grad)]

    def forward(self: Any, *inputs: Any) -> Any:
        box.ask({"op": "set", "handle": handle}, pairs(self))
        results = box.ask({"op": "forward", "handle": handle}, [np.asarray(value) for value in inputs])[1]
        _write_back(inputs, results[1:])
        return _number_or_array(results[0])

    def backward(self: Any, grad: Any = None) -> Any:
        try:
            box.ask({"op": "set", "handle": handle}, pairs(self))
            answer, results = box.ask({"op": "backward", "handle": handle}, [grad])
        except BoxError as error:
            raise as_raised(error) from None
        _write_back([grad], results[1:2])
        params = results[2 + int(answer.get("inputs", 0)):]
        for param, data, got in zip(self.parameters(), params[::2], params[1::2]):
            _write_back([param.data], [data])
            param.grad = _odd(got)
        return _odd(results[0])

    return _changed(reference, forward, backward)


def _network(examiner: Examiner, tree: List[Any]) -> Any:
    reference, box = examiner.oracle.build(tree), examiner.box
    layers = [module for _, module in reference.named_modules() if type(module).__name__ != tree[0]]
    world = World(examiner.oracle, layers)
    question = {"op": "make", "tree": tree, "places": examiner.oracle.places(tree)}
    handle = box.ask(question, (), world.handle)[0]["handle"]
    plain = type(reference).forward
    last: List[Any] = []
    for layer in layers:
        _remember(layer, world.outputs)

    def forward(self: Any, *inputs: Any) -> Any:
        last[:] = inputs
        return plain(self, *inputs)

    def backward(self: Any, grad: Any) -> Any:
        world.error = None
        try:
            world.replays = True  # the layers have seen these inputs; another call would look like the student's
            box.ask({"op": "forward", "handle": handle}, list(last), world.handle)
        finally:
            world.replays = False
        try:
            results = box.ask({"op": "backward", "handle": handle}, [grad], world.handle)[1]
        except BoxError as error:
            raise (world.error or as_raised(error)) from None
        _write_back([grad], results[1:2])
        return _odd(results[0])

    return _changed(reference, forward, backward)


def _remember(layer: Any, outputs: Dict[int, Any]) -> None:
    """Let a layer note its last output."""
    forward = layer.forward

    def remembering(*inputs: Any) -> Any:
        outputs[id(layer)] = forward(*inputs)
        return outputs[id(layer)]

    vars(layer)["forward"] = remembering


def _changed(reference: Any, forward: Any, backward: Any) -> Any:
    """Return the reference with other methods; its class keeps its name, by which the checker knows it."""
    cls = type(reference)
    methods: Dict[str, Any] = {"forward": forward, "backward": backward, "__module__": cls.__module__}
    if not is_loss(reference):
        methods["backward"] = lambda self, grad: backward(self, grad)
    reference.__class__ = type(cls.__name__, (cls,), methods)
    return reference


def _odd(value: Any) -> Any:
    """Return a value; of what isn't an array of numbers, the checker sees nothing, so it has nothing to say."""
    if isinstance(value, Other):
        raise BoxError("error", f"The answer isn't an array of numbers, but of type {value.kind}.")
    return value


def _number_or_array(value: Any) -> Any:
    return float(value) if isinstance(value, np.ndarray) and value.ndim == 0 else _odd(value)


def _write_back(arrays: Any, after: Any) -> None:
    """Let damage that the child has done to its arguments show in ours."""
    for array, changed in zip(arrays, after):
        if isinstance(array, np.ndarray) and isinstance(changed, np.ndarray) and array.shape == changed.shape and \
                array.flags.writeable and not np.array_equal(array, changed, equal_nan=True):
            array[...] = changed


def diagnose(examiner: Examiner, case: Dict[str, Any]) -> Optional[Explanation]:
    """Return what the checker finds wrong in a case, or None."""
    module = stand_in(examiner, case["make"])
    set_parameters(module, [examiner.rng.standard_normal(param.data.shape) for param in module.parameters()])
    inputs = tuple(draw(spec, examiner.rng) for spec in case["inputs"])
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            report = check_module(module, inputs)
        except Exception:  # a checker that stumbles over strange answers explains nothing
            return None
    examiner.box.ask({"op": "parameters"})  # a box that no longer answers has left some of the questions open
    cause = report.first_cause
    if cause is None or "BoxError" in cause.sentence:
        return None
    return Explanation(cause.name, cause.question, cause.sentence, cause.evidence)
