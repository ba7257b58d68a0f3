"""The two base classes: Parameter, a learnable array with its gradient, and Module, a step of a computation."""
from __future__ import annotations

import inspect
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterator, List, Optional, Sequence, Tuple, Type, TypeVar

import numpy as np

from lib import requires_grad, says_what_is_elsewhere
from lib.numerics import OwnArray, items_of, renew
from lib.validation import InputError, as_float

_ModuleType = TypeVar("_ModuleType", bound="Module")

# What the parameters of the sheets' layers are, by the names that the sheets give them.
_ROLES: Dict[Any, str] = {"W": "weight", "b": "bias", "conv_filter": "weight", "conv_bias": "bias"}


class Parameter(OwnArray):
    """A learnable array together with dL/d(array), the gradient of the loss with respect to it.

    The gradient is an array of zeros from the start, so that backward can always add to it. A parameter marked
    `constant` isn't trained: its gradient reads as zeros whatever is added, `parameters()` of the library's modules
    leaves it out, and optimisers skip it. So `for p in backbone.parameters(): p.constant = True` freezes a network.

    Args:
        data: the values; integers become float64, float32 stays float32.
        grad: the gradient to start with, in the shape of data; zeros when it isn't given.
        name: a short name for messages, such as "W".
        constant: whether it keeps its values while the rest is trained.
        role: "weight", "bias", "scale", "shift" or "table"; the sheets' layers say it by the name, such as "W".
    """

    _is_constant = False
    requires_grad = requires_grad

    def __init__(self, data: Any, grad: Any = None, name: Optional[str] = None, constant: bool = False,
                 role: Optional[str] = None) -> None:
        self.data = data
        self.grad: Any = np.zeros_like(self.data) if grad is None else as_float(grad, "Parameter.grad")
        if self.grad.shape != self.data.shape:
            raise InputError(f"Parameter {name!r} has data of shape {self.data.shape}, so its gradient must have that "
                             f"shape too, but got {self.grad.shape}.")
        self.constant = constant
        self.name, self.role = name, role or _ROLES.get(name)
        self.state_dict: Dict[str, Any] = {}  # what an optimiser remembers of this parameter, such as its momentum

    def _set_constant(self, constant: bool) -> None:
        """Become a _Constant, or a trained Parameter again, whose gradient then starts at zeros."""
        if bool(constant) != self.constant:
            self.__class__ = _Constant if constant else Parameter
            vars(self)["grad"] = np.zeros_like(self._data)

    constant = property(attrgetter("_is_constant"), _set_constant, doc="Whether it keeps its values: see above.")

    def __repr__(self) -> str:
        constant = ", constant=True" if self.constant else ""
        return f"Parameter({self.name!r}, shape={self.data.shape}, dtype={self.data.dtype}{constant})"


class _Constant(Parameter):
    """What a Parameter marked constant is: its gradient reads as zeros, whatever is added to it."""

    _is_constant = True
    grad = property(lambda self: np.zeros_like(self._data), lambda self, grad: None)  # type: ignore[assignment]


def _held_in(value: Any, kind: Type[Any], label: str) -> Iterator[Tuple[str, Any]]:
    """Yield (label, object) of each object of a kind in a value: the value itself, or what containers in it hold."""
    if isinstance(value, kind):
        yield label, value
        return
    if type(value) in (set, frozenset) and any(isinstance(item, kind) for item in value):
        raise InputError(f"{label} holds a {kind.__name__} in a set, which has no order. Use a list.")
    for place, item in () if isinstance(value, (type, Module)) else items_of(value):
        yield from _held_in(item, kind, label + place)


def is_loss(module: Any) -> bool:
    """Return whether backpropagation starts at this module: its backward needs no upstream gradient, as dL/dL = 1."""
    backward = inspect.signature(module.backward).parameters.values()
    return all(each.default is not each.empty for each in backward) and type(module).backward is not Module.backward


@says_what_is_elsewhere
class Module:
    """A step of a computation that knows its value (forward) and its derivatives (backward).

    `forward(*inputs)` returns the output and caches what backward needs. `backward(grad)` takes dL/d(output), adds
    dL/d(parameter) to the `grad` of each parameter, and returns dL/d(first input). By the chain rule, the dL/d(input)
    of one module is the dL/d(output) of the module before it.
    """

    training: bool = True
    open_forwards = 0  # forward passes since the last backward; -1 after it, if there were several
    _cache: Any = None

    def _set_cache(self, cache: Any) -> None:
        """Keep what backward needs, and count the forward passes that no backward has answered yet."""
        self._cache = cache
        self.open_forwards = self.open_forwards + 1 if self.open_forwards > 0 else 1

    input_cache = property(attrgetter("_cache"), _set_cache, doc="What the last forward has left for backward.")
    takes_any_number: Optional[bool] = None  # whether any input will do, as it won't for a logarithm; None: not stated

    def __call__(self, *args: Any, **named: Any) -> Any:
        """Return forward(*args); a node of a computational graph instead yields the graph of this module."""
        if named:  # as in loss_fn(preds=..., labels=...)
            given = inspect.signature(type(self).forward).bind(self, *args, **named)
            args, named = given.args[1:], given.kwargs
        for arg in args:
            if type(arg) is not np.ndarray and getattr(arg, "is_graph_node", False) and not named:
                return arg.apply_module(self, args)
        return self.forward(*args, **named)

    def forward(self, *args: Any) -> Any:
        """Return the output for the inputs; each module defines its own."""
        raise NotImplementedError(f"{type(self).__name__} doesn't define forward yet.")

    if TYPE_CHECKING:  # a module may have more attributes; a loss's backward takes nothing, other modules' an array
        backward: Callable[..., Any]

        def __getattr__(self, name: str) -> Any: ...

    def backward(self, grad: Any = None) -> Any:  # type: ignore[no-redef]
        """Return dL/d(first input) from grad = dL/d(output), and add to each parameter's gradient."""
        if not isinstance(self, Module):
            raise TypeError("Module.backward is the class's: call it on an object, such as module.backward(grad).")
        raise NotImplementedError(f"{type(self).__name__} doesn't define backward yet.")

    def parameters(self) -> Sequence[Parameter]:
        """Return the learnable parameters, always in the same order; a module without any returns []."""
        return []

    def buffers(self) -> Dict[str, np.ndarray]:
        """Return the arrays that are learnt without a gradient, such as running averages, by their attributes."""
        return {}

    def held(self, kind: Type[Any]) -> Iterator[Tuple[str, Any]]:
        """Yield (label, object) of each Module or Parameter in an attribute, in containers there at any depth.

        Labels are written as Python would reach the object: ".module", "[0]" in a Sequential, ".blocks[2][0]".
        """
        for attribute, value in vars(self).items():
            is_list_of_sequential = attribute == "modules" and not isinstance(value, kind)
            yield from _held_in(value, kind, "" if is_list_of_sequential else f".{attribute}")

    def children(self) -> List[Tuple[str, "Module"]]:
        """Return (label, module) of every module held in an attribute, directly or in containers such as lists."""
        return list(Module.held(self, Module))  # an attribute may be called "held"

    def named_modules(self, path: Optional[str] = None) -> Iterator[Tuple[str, "Module"]]:
        """Yield (path, module) of this module and of all below it, each once, such as ("Sequential[2]", linear)."""
        waiting, seen = [(path or type(self).__name__, self)], set()
        while waiting:
            path, module = waiting.pop()
            if id(module) not in seen:
                seen.add(id(module))
                yield path, module
                waiting += [(path + label, child) for label, child in reversed(module.children())]

    def named_parameters(self, constants: bool = False) -> List[Tuple[str, Parameter]]:
        """Return ("Sequential[2].W", W) and so on for parameters(), each once, then the constants if asked for."""
        paths: Dict[int, str] = {}
        held: List[Parameter] = []
        for path, module in self.named_modules():
            for label, parameter in Module.held(module, Parameter):
                if paths.setdefault(id(parameter), path + label) == path + label:
                    held.append(parameter)
        listed = [parameter for parameter in self.parameters() if constants or not parameter.constant]
        listed += [parameter for parameter in held if constants and parameter.constant]
        own = type(self).__name__
        return [(paths.get(id(p), f"{own}.{p.name or f'parameters()[{i}]'}"), p)
                for i, p in enumerate(dict.fromkeys(listed))]

    def named_buffers(self) -> List[Tuple[str, np.ndarray]]:
        """Return (path, array) of every buffer here and below, such as ("Sequential[1].running_mean", array)."""
        return [(f"{path}.{name}", buffer) for path, module in self.named_modules()
                for name, buffer in module.buffers().items()]

    def train(self: _ModuleType, mode: bool = True) -> _ModuleType:
        """Switch this module and all below it to training mode (or, with False, to evaluation mode)."""
        for _, module in self.named_modules():
            module.training = mode
        return self

    def eval(self: _ModuleType) -> _ModuleType:
        """Switch this module and all below it to evaluation mode: dropout, for one, is off."""
        return self.train(False)

    def astype(self: _ModuleType, dtype: Any) -> _ModuleType:
        """Convert every parameter, gradient and buffer to a precision, such as np.float32, in place."""
        parameters = [parameter for _, parameter in self.named_parameters(constants=True)]
        renew(parameters, dtype)
        for parameter in parameters:
            parameter.grad = None if parameter.grad is None else parameter.grad.astype(dtype)
        for _, module in self.named_modules():
            for name, buffer in module.buffers().items():
                setattr(module, name, buffer.astype(dtype))
        return self

    def _zero_grad(self) -> None:
        """Set every parameter's gradient to zeros."""
        for _, parameter in self.named_parameters(constants=True):
            parameter.grad = np.zeros_like(parameter.data)

    @classmethod
    def examples(cls, rng: np.random.Generator) -> List[Tuple["Module", Tuple[Any, ...]]]:
        """Return small situations, (module, inputs), on which the gradient checker and the tests run this class."""
        return [(cls(), (x,)) for x in (rng.uniform(-2, 2, (2, 10)), np.linspace(-8, 8, 200).reshape(4, 50))]

    def check_gradients(self, input_args: Tuple[Any, ...]) -> None:
        """Compare backward with finite differences, for the first input and every parameter: `check_gradients((x,))`.

        A wrong gradient is a GradientError (a RuntimeError), whose message names the entries and the likely cause.
        """
        from lib.gradient_checking import one_check
        with one_check():  # both parts share one run, and one report on everything
            self.check_gradients_wrt_input(input_args, 1e-6)
            self.check_gradients_wrt_params(input_args, 1e-6)

    def check_gradients_wrt_input(self, input_args: Tuple[Any, ...], tolerance: float = 1e-6) -> None:
        """Compare the gradient that backward returns with finite differences; raises as check_gradients does."""
        from lib.gradient_checking import check_module
        check_module(self, input_args, tolerance=tolerance, wrt="input").raise_if_wrong()

    def check_gradients_wrt_params(self, input_args: Tuple[Any, ...], tolerance: float = 1e-6) -> None:
        """Compare the gradients that backward adds to the parameters with finite differences; raises likewise."""
        from lib.gradient_checking import check_module
        check_module(self, input_args, tolerance=tolerance, wrt="params").raise_if_wrong()

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"
