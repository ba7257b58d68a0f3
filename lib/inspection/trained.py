"""What of a model is trained, and whether that can be: for those who train it."""
from __future__ import annotations

from typing import Any, Iterator, List

import numpy as np

from lib.network import Sequential
from lib.network_base import Module, Parameter
from lib.validation import CallOrderError, InputError, name_of, require_module


def trained_parameters(model: Module, who: str) -> List[Parameter]:
    """Return the model's parameters that aren't constant, each once.

    Raises:
        InputError: it has none, its parameters() forgets one, or a module stands at two places, so that it would cache
            the input of one of them only.
    """
    require_module("model", model, who)
    named = model.named_parameters()
    listed = {id(param) for param in model.parameters()}
    for path, module in model.named_modules():
        for name, value in vars(type(module)).items():
            if isinstance(value, (Module, Parameter)):
                raise InputError(f"{who}: {name} is an attribute of the class {type(module).__name__}, which all its "
                                 "objects share, and which eval() and save() don't reach. Make it in __init__: "
                                 f"self.{name} = ...")
        for label, param in Module.held(module, Parameter):
            if id(param) not in listed and not param.constant:
                raise InputError(f"{who} would leave {path}{label} as it is: {type(model).__name__}.parameters() "
                                 "doesn't list it. Add it there, or mark what isn't to be trained: parameter.constant "
                                 "= True.")
    if not named:
        raise InputError(f"{who} has nothing to do: {model} has no parameters to train.")
    steps = list(steps_of(model))
    for module in steps:
        if sum(module is other for other in steps) > 1:
            raise InputError(f"{who}: the same {type(module).__name__} object stands at several places of the model. "
                             "It caches the input of its last call only. Make a new object for each place.")
    return [param for _, param in named]


def steps_of(module: Module) -> Iterator[Module]:
    """Yield the modules that data goes through, one after the other, in a Sequential and those inside of it."""
    if isinstance(module, Sequential):
        for step in module.modules:
            yield from steps_of(step)
    else:
        yield module


def require_step_gradients(params: Any, optimizer: Any) -> None:
    """Raise an error that names the parameter, unless each has a gradient of its own shape to take a step from."""
    for param in params:
        grad = param.grad
        if type(grad) is np.ndarray and grad.shape == param.data.shape:
            continue
        who = f"{name_of(optimizer)}.step: the gradient of parameter {getattr(param, 'name', None)!r}"
        if grad is None:
            raise CallOrderError(f"{who} is None. Call zero_grad(), then forward and backward, before step().")
        if np.shape(grad) != param.data.shape:
            raise InputError(f"{who} has shape {np.shape(grad)}, but the parameter has {param.data.shape}. Backward "
                             "must add a gradient of the parameter's own shape.")


def require_betas(betas: Any, who: Any) -> None:
    """Raise InputError unless betas are two numbers from 0 to below 1, as Adam takes them."""
    try:
        good = len(betas) == 2 and all(0 <= beta < 1 for beta in betas)
    except (TypeError, ValueError):
        good = False
    if not good:
        raise InputError(f"{name_of(who)} expects betas to be two numbers from 0 to below 1, such as (0.9, 0.999), but "
                         f"got {betas!r}.")


def parameter_list(params: Any, who: Any) -> List[Any]:
    """Return parameters as a list, each object once; raise InputError for anything else, such as the model itself."""
    advice = "Hand over model.parameters(), or a list of parameters."
    try:
        unique = list({id(param): param for param in params}.values())
    except TypeError:
        raise InputError(f"{name_of(who)} expects parameters, but got one {type(params).__name__}. {advice}") from None
    for param in unique:
        if not (hasattr(param, "data") and hasattr(param, "grad")):
            advice = "For groups, use ParameterGroups from lib.optimization.groups." if type(param) is dict else advice
            raise InputError(f"{name_of(who)} expects parameters, but one of them is a {type(param).__name__}. "
                             f"{advice}")
    return unique
