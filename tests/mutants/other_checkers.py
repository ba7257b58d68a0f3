"""Other styles of gradient check, re-implemented small, for the comparison: what do they catch, what do they reject?

Each is a function (module, inputs) -> None that raises an exception if it finds a gradient wrong. They work on a copy.

- `ones_forward`: ones as the upstream gradient, forward differences with a step of 1e-6: the usual exercise's style.
- `ones_central`: the same with central differences.
- `gradcheck`: PyTorch's own `torch.autograd.gradcheck`, with its defaults, around the module's NumPy code.
"""
from __future__ import annotations

import copy
import warnings
from importlib.util import find_spec
from typing import Any, Callable, Dict, List, Tuple

import numpy as np

from lib.network_base import Module

STEP = 1e-6
CheckFunction = Callable[[Module, Tuple[Any, ...]], None]


class Rejected(Exception):
    """A checker found a gradient wrong."""


def ones_forward(module: Module, inputs: Tuple[Any, ...]) -> None:
    """Compare backward(ones) with forward differences of the sum of the output."""
    _compare_with_ones(module, inputs, central=False)


def ones_central(module: Module, inputs: Tuple[Any, ...]) -> None:
    """Compare backward(ones) with central differences of the sum of the output."""
    _compare_with_ones(module, inputs, central=True)


def _compare_with_ones(module: Module, inputs: Tuple[Any, ...], central: bool) -> None:
    module, inputs = copy.deepcopy((module, inputs))
    inputs = tuple(np.array(value) for value in inputs)

    def total() -> float:
        return float(np.sum(module.forward(*inputs)))

    module._zero_grad()
    output = module.forward(*inputs)
    grad_input = module.backward(np.ones_like(output))
    pairs = [(param.data, param.grad) for param in module.parameters()]
    if inputs:
        pairs.insert(0, (inputs[0], grad_input))
    for array, got in pairs:
        expected = np.zeros(array.shape)
        for index in np.ndindex(array.shape):
            before = array[index]
            below = total()
            if central:
                array[index] = before - STEP
                below = total()
            array[index] = before + STEP
            above = total()
            array[index] = before
            expected[index] = (above - below) / (2 * STEP if central else STEP)
        if np.shape(got) != array.shape or not np.allclose(got, expected, rtol=1e-4, atol=1e-5):
            raise Rejected("backward and the differences disagree")


def gradcheck(module: Module, inputs: Tuple[Any, ...]) -> None:
    """Hand the module to PyTorch's gradcheck, as a function of the first input and all parameters."""
    import torch

    module, inputs = copy.deepcopy((module, inputs))
    parameters = list({id(param): param for param in module.parameters()}.values())  # a shared one once
    differentiable, constants = list(inputs[:1]), inputs[1:]
    if inputs and np.asarray(inputs[0]).dtype.kind in "iu":
        if _takes_floats(module, inputs):
            differentiable = [np.asarray(inputs[0], dtype=float)]
        else:
            differentiable, constants = [], inputs

    def run(values: List[np.ndarray]) -> Any:
        for param, value in zip(parameters, values[len(differentiable):]):
            param.data = value
        return module.forward(*values[:len(differentiable)], *constants)

    class Wrapped(torch.autograd.Function):
        """The module's NumPy code as a function that PyTorch can differentiate."""

        @staticmethod
        def forward(ctx: Any, *tensors: Any) -> Any:
            ctx.values = [tensor.detach().numpy().copy() for tensor in tensors]
            return torch.tensor(np.asarray(run(ctx.values)))

        @staticmethod
        def backward(ctx: Any, upstream: Any) -> Any:
            output = run(ctx.values)  # gradcheck has called forward on other numbers since
            module._zero_grad()
            scalar = np.ndim(output) == 0
            result = module.backward(*(() if scalar else (upstream.numpy().copy(),)))
            gradients = ([result] if differentiable else []) + [param.grad for param in parameters]
            scale = float(upstream) if scalar else 1.0  # a loss doesn't look at the upstream gradient
            return tuple(None if g is None else torch.tensor(scale * np.asarray(g)) for g in gradients)

    tensors = [torch.tensor(np.array(value), requires_grad=True)
               for value in differentiable + [param.data for param in parameters]]
    torch.autograd.gradcheck(Wrapped.apply, tensors)


def _takes_floats(module: Module, inputs: Tuple[Any, ...]) -> bool:
    try:
        module.forward(np.asarray(inputs[0], dtype=float) + 0.25, *inputs[1:])
        return True
    except Exception:
        return False


def accepts(check: CheckFunction, module: Module, inputs: Tuple[Any, ...]) -> bool:
    """Return whether the checker finds nothing wrong; any exception counts as a finding."""
    state = np.random.get_state()
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            check(module, inputs)
        return True
    except Exception:
        return False
    finally:
        np.random.set_state(state)


def other_styles() -> Dict[str, CheckFunction]:
    """Return the styles that can be run here, by name; PyTorch's where PyTorch is installed."""
    styles: Dict[str, CheckFunction] = {"ones, forward differences": ones_forward,
                                        "ones, central differences": ones_central}
    if find_spec("torch") is not None:
        styles["torch gradcheck"] = gradcheck
    return styles
