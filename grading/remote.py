"""In the box of the task check_gradients: modules whose mathematics stands with the parent, who may spoil it.

So the student's function can tell right modules from spoilt ones only by checking their gradients.
"""
import importlib

import numpy as np


class WrongGradient(RuntimeError):
    """What Module.check_gradients raises here."""


def install(child, places):
    """Put remote classes in place of the library's own, before the student's file imports them."""
    for name, module_name in places.items():
        module = importlib.import_module(module_name)
        original = getattr(module, name)
        remote = type(name, (original,), methods(child, name, original))
        for other in list(importlib.sys.modules.values()):
            if getattr(other, "__name__", "").startswith("lib."):
                for own_name in [key for key, value in vars(other).items() if value is original]:  # ReLU is Relu, too
                    setattr(other, own_name, remote)


def methods(child, name, original):
    """Return the methods of a remote class."""

    def described(value):
        if isinstance(value, (int, float, np.integer)):
            return {"value": float(value) if isinstance(value, float) else int(value)}
        return {"remote": getattr(value, "_remote", None), "class": type(value).__name__}

    def __init__(self, *args, **kwargs):
        original.__init__(self, *args, **kwargs)
        answer, _ = child.ask({"ask": "make", "class": name, "arguments": [described(value) for value in args]})
        self._remote = answer["remote"]

    def values(self):
        return [param.data for param in self.parameters()]

    def forward(self, *inputs):
        answer, results = child.ask({"ask": "forward", "remote": self._remote}, values(self) + list(inputs))
        if "words" in answer:
            raise ValueError(answer["words"])
        return results[0]

    def backward(self, grad=None):
        answer, results = child.ask({"ask": "backward", "remote": self._remote}, values(self) + [grad])
        if "words" in answer:
            raise ValueError(answer["words"])
        for param, added in zip(self.parameters(), results[1:]):
            param.grad = added if param.grad is None else param.grad + added
        return results[0]

    def check(self, input_args, wrt):
        assert isinstance(input_args, tuple), "check_gradients expects the inputs as a tuple: check_gradients((x,))"
        answer, _ = child.ask({"ask": "check", "remote": self._remote, "wrt": wrt}, values(self) + list(input_args))
        if answer["verdict"] == "wrong":
            raise WrongGradient("The gradient is wrong.")
        if answer["verdict"] == "error":
            raise ValueError(answer["words"])

    return {"__init__": __init__, "forward": forward, "backward": backward,
            "check_gradients": lambda self, input_args: check(self, input_args, "all"),
            "check_gradients_wrt_input": lambda self, input_args, tolerance=1e-6: check(self, input_args, "input"),
            "check_gradients_wrt_params": lambda self, input_args, tolerance=1e-6: check(self, input_args, "params")}
