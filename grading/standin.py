"""Why a gradient is wrong: the checker, in the parent, examines a stand-in whose forward and backward ask the child."""
from __future__ import annotations

import warnings
from typing import Any, Dict, List, Optional, Tuple

import numpy as np

from grading.box import BoxError
from grading.frames import Other
from grading.oracle import draw, set_parameters
from grading.probes import Examiner
from lib.gradient_checking import check_module
from lib.network_base import is_loss


def stand_in(examiner: Examiner, tree: List[Any]) -> Any:
    """Return a reference module whose forward and backward are those of the child's module of the same tree."""
    reference = examiner.oracle.build(tree)
    box = examiner.box
    handle = box.ask({"op": "make", "tree": tree, "places": examiner.oracle.places(tree)})[0]["handle"]

    def pairs(self: Any) -> List[Any]:
        return [value for param in self.parameters() for value in (param.data, param.grad)]

    def forward(self: Any, *inputs: Any) -> Any:
        box.ask({"op": "set", "handle": handle}, pairs(self))
        results = box.ask({"op": "forward", "handle": handle}, [np.asarray(value) for value in inputs])[1]
        _write_back(inputs, results[1:])
        return _number_or_array(results[0])

    def backward(self: Any, grad: Any = None) -> Any:
        box.ask({"op": "set", "handle": handle}, pairs(self))
        answer, results = box.ask({"op": "backward", "handle": handle}, [grad])
        _write_back([grad], results[1:2])
        params = results[2 + int(answer.get("inputs", 0)):]
        for param, data, got in zip(self.parameters(), params[::2], params[1::2]):
            if isinstance(data, np.ndarray) and data.shape == param.data.shape and not np.array_equal(data, param.data):
                param.data[...] = data
            param.grad = _odd(got)
        return _odd(results[0])

    cls = type(reference)
    methods: Dict[str, Any] = {"forward": forward, "backward": backward}
    if not is_loss(reference):
        methods["backward"] = lambda self, grad: backward(self, grad)
    reference.__class__ = type(cls.__name__, (cls,), dict(methods, __module__=cls.__module__))
    return reference


def _odd(value: Any) -> Any:
    """Return a value as the checker should see it: what isn't an array becomes something that isn't one here, either."""
    return [] if isinstance(value, Other) else value


def _number_or_array(value: Any) -> Any:
    return float(value) if isinstance(value, np.ndarray) and value.ndim == 0 else _odd(value)


def _write_back(arrays: Any, after: Any) -> None:
    """Let damage that the child has done to its arguments show in ours."""
    for array, changed in zip(arrays, after):
        if isinstance(array, np.ndarray) and isinstance(changed, np.ndarray) and array.shape == changed.shape and \
                array.flags.writeable and not np.array_equal(array, changed, equal_nan=True):
            array[...] = changed


def diagnose(examiner: Examiner, case: Dict[str, Any]) -> Optional[Tuple[str, str, str, str]]:
    """Return (cause, question, sentence, evidence) of what the checker finds wrong in a case, or None.

    Raises:
        BoxError: the child couldn't answer; what its code raised is the explanation then.
    """
    module = stand_in(examiner, case["make"])
    set_parameters(module, [examiner.rng.standard_normal(param.data.shape) for param in module.parameters()])
    inputs = tuple(draw(spec, examiner.rng) for spec in case["inputs"])
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            report = check_module(module, inputs)
        except BoxError:
            raise
        except Exception:  # a checker that stumbles over strange answers explains nothing
            return None
    cause = report.first_cause
    if cause is None:
        return None
    return cause.name, cause.question, cause.sentence, cause.evidence
