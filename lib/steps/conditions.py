"""When the compiled path can execute a model, and why it can't."""
from __future__ import annotations

from itertools import combinations
from typing import Any, Iterator, List, Optional, Sequence, Tuple

import numpy as np

from lib.layers import CrossEntropyLoss, RegularizedCrossEntropy, Sequential
from lib.network_base import Module, Parameter
from lib.optimizers import Optimizer
from lib.steps.convolutions import RULES
from lib.steps.losses import LOSS_RULES
from lib.steps.memory import states_of

MODULE_METHODS = ("__call__", "forward", "backward", "parameters")
OPTIMIZER_METHODS = ("step", "zero_grad", "update", "init_state")


def why_not_compiled(model: Module, loss_fn: Any, optimizer: Any = None) -> Optional[str]:
    """Return a sentence that says why this can't be compiled, or None if it can.

    Args:
        model, loss_fn: the network and its loss.
        optimizer: what updates the parameters; None where only the gradient is asked for.
    """
    layers = flat_layers(model)
    for module, rules in [(layer, RULES) for layer in layers] + [(plain_loss(loss_fn), LOSS_RULES)]:
        if type(module) not in rules:
            return f"There is no rule to compile {type(module).__name__} by."
    for module in [*containers(model), *layers, loss_fn, plain_loss(loss_fn)]:
        replaced = replaced_method(module, MODULE_METHODS)
        if replaced is not None:
            return f"{replaced}, and a compiled step wouldn't call that."
    if len(set(map(id, layers))) < len(layers):
        return "A layer stands in the model twice."
    parameters = [parameter for layer in layers for parameter in layer.parameters()]
    return why_not_parameters(model, parameters) or \
        (None if optimizer is None else why_not_optimizer(optimizer, parameters))


def why_not_parameters(model: Module, parameters: Sequence[Parameter]) -> Optional[str]:
    """Return why these parameters, those of the model's layers, can't be one vector, or None if they can."""
    if not parameters:
        return "The model has no parameters to train."
    if len(set(map(id, parameters))) < len(parameters):
        return "A parameter stands in the model twice."
    held = model.named_parameters(constants=True)
    dtypes = sorted({parameter.data.dtype.name for _, parameter in held})
    if dtypes not in (["float32"], ["float64"]):
        return (f"The parameters have to be all float32 or all float64, but there are {', '.join(dtypes)} among them: "
                "use model.astype.")
    return why_not_apart(model)


def why_not_apart(model: Module) -> Optional[str]:
    """Return which two parameters of a model share their array, as tied weights may, or None if none do."""
    for (name, parameter), (other_name, other) in combinations(model.named_parameters(constants=True), 2):
        if np.may_share_memory(parameter.data, other.data) and np.shares_memory(parameter.data, other.data):
            return f"{name} and {other_name} share their array, so that a change of the one changes the other."
    return None


def why_not_optimizer(optimizer: Any, parameters: Sequence[Parameter]) -> Optional[str]:
    """Return why an optimiser's rule can't be applied to all parameters as one vector, or None if it can."""
    name = type(optimizer).__name__
    if not isinstance(optimizer, Optimizer) or not getattr(optimizer, "is_elementwise", False) or \
            not all(hasattr(optimizer, method) for method in OPTIMIZER_METHODS):
        return f"{name} isn't an Optimizer with an update that treats each entry by itself."
    replaced = replaced_method(optimizer, OPTIMIZER_METHODS)
    if replaced is not None:
        return f"{replaced}, and a compiled step wouldn't do what that does."
    for method in OPTIMIZER_METHODS:
        owner = defining_class(type(optimizer), method)
        if owner.__module__.split(".")[0] != "lib":
            return (f"{owner.__name__} defines {method} by itself. Only the optimisers of lib are known to treat each "
                    "entry by itself, whichever parameter it belongs to.")
    ids = {id(parameter) for parameter in optimizer._params if not getattr(parameter, "constant", False)}
    if ids != {id(parameter) for parameter in parameters}:
        return "The optimiser doesn't train exactly the model's parameters."
    states = states_of(optimizer, parameters)
    for parameter, state in zip(parameters, states):
        if state.keys() != states[0].keys() or {np.shape(array) for array in state.values()} - {parameter.data.shape}:
            return f"{name} remembers something else than arrays of the parameters' shapes."
    return None


def replaced_method(instance: Any, methods: Sequence[str]) -> Optional[str]:
    """Return what replaces a method of an object, on it or on its class, in words; None if nothing does.

    A method is what its class says where its name and module are those of the class that holds it, and where it wraps
    no other one, but by NumPy's errstate: what functools.wraps makes bears the name of what it wraps.
    """
    cls = type(instance)
    for name in vars(instance):
        if callable(getattr(cls, name, None)):
            return f"This {cls.__name__} has a {name} of its own in place of its class's"
    for name in methods:
        owner = defining_class(cls, name)
        method = vars(owner)[name]
        where, what = getattr(method, "__module__", None) or "", getattr(method, "__qualname__", repr(method))
        home = getattr(method, "__globals__", {}).get("__name__", "")
        if hasattr(method, "__wrapped__") and home.split(".")[0] not in ("numpy", "contextlib"):
            where, what = home, f"what wraps {what}"
        if (where, what) != (owner.__module__, f"{owner.__qualname__}.{name}"):
            return f"{owner.__name__}.{name} was replaced by {what}{' of ' if where else ''}{where}"
    return None


def defining_class(cls: type, name: str) -> type:
    """Return the class among cls and its base classes that defines an attribute."""
    return next(base for base in cls.__mro__ if name in vars(base))


def containers(module: Module) -> Iterator[Module]:
    """Yield the Sequentials among a model's modules."""
    if type(module) is Sequential:
        yield module
        for inner in module.modules:
            yield from containers(inner)


def flat_layers(module: Module) -> List[Module]:
    """Return the layers of a Sequential in forward order, with those of the Sequentials inside it."""
    if type(module) is Sequential:
        return [layer for inner in module.modules for layer in flat_layers(inner)]
    return [module]


def plain_loss(loss_fn: Any) -> Any:
    """Return the loss without a penalty on the parameters."""
    return loss_and_penalty(loss_fn)[0]


def loss_and_penalty(loss_fn: Any) -> Tuple[Any, Any]:
    """Return the loss of the predictions, and the penalty that RegularizedCrossEntropy adds to it, or None."""
    held = [module for _, module in loss_fn.children()] if type(loss_fn) is RegularizedCrossEntropy else []
    held.sort(key=lambda module: type(module) is not CrossEntropyLoss)  # a student's may call them by any names
    return (held[0], held[1]) if len(held) == 2 else (loss_fn, None)
