"""What a module's forward may change besides its result: attributes, arrays and random numbers, to be put back."""
from __future__ import annotations

import random
from typing import Any, Dict, Iterable, List, Tuple

import numpy as np

from lib.network_base import Module, Parameter


_PLAIN = {np.ndarray, int, float, bool, str, type(None)}


def unique(items: Iterable[Any]) -> List[Any]:
    """Return the objects, each once, in the order in which they first stand there."""
    return list({id(item): item for item in items}.values())


def parts_of(module: Module) -> Tuple[List[Module], List[Parameter]]:
    """Return a module with all modules inside of it, and all parameters: those it lists first, then all others held."""
    modules: Dict[int, Module] = {id(module): module}
    parameters = {id(parameter): parameter for parameter in module.parameters()}
    waiting = [module]
    for each in waiting:  # grows while it is walked through
        values: List[Any] = [value for value in vars(each).values() if type(value) not in _PLAIN]
        for value in values:  # likewise
            if isinstance(value, Parameter):
                parameters[id(value)] = value
            elif isinstance(value, Module) and id(value) not in modules:
                modules[id(value)] = value
                waiting.append(value)
            elif isinstance(value, (list, tuple)):
                values += value
            elif isinstance(value, dict):
                values += value.values()
    return waiting, list(parameters.values())


def modules_of(module: Module) -> List[Module]:
    """Return a module and all modules inside of it, each once."""
    return parts_of(module)[0]


class StandIn:
    """Base class of what is put in the place of a module's method for a moment: no state of the module."""


class Attributes:
    """The attributes of modules, as they are: each module remembers its last call only, and with this, several."""

    def __init__(self, modules: List[Module]) -> None:
        self.modules = modules
        self.values: List[Dict[str, Any]] = [dict(vars(module)) for module in modules]
        for values in self.values:
            for name in ("forward", "backward"):
                if isinstance(values.get(name), StandIn):
                    del values[name]

    def restore(self) -> None:
        """Put the attributes back."""
        for module, values in zip(self.modules, self.values):
            attributes = vars(module)
            for name in attributes.keys() - values.keys():
                if not isinstance(attributes[name], StandIn):
                    del attributes[name]
            attributes.update(values)


class RandomNumbers:
    """The states of NumPy's and Python's global random numbers, and of the generators that modules hold."""

    def __init__(self, modules: List[Module]) -> None:
        self.numpy, self.python = np.random.get_state(), random.getstate()
        own = [value for module in modules for value in vars(module).values()
               if isinstance(value, (np.random.Generator, np.random.RandomState))]
        self.own: List[Tuple[Any, Any]] = [
            (value, value.bit_generator.state if isinstance(value, np.random.Generator) else value.get_state())
            for value in own]

    def restore(self) -> None:
        """Put the states back, so that the same numbers are drawn again."""
        np.random.set_state(self.numpy)
        random.setstate(self.python)
        for generator, state in self.own:
            if isinstance(generator, np.random.Generator):
                generator.bit_generator.state = state
            else:
                generator.set_state(state)


class Everything:
    """Attributes, the numbers in arrays among them, gradients of parameters, and random numbers of a module.

    Usable as a context: what is done inside of it leaves no trace in the module.
    """

    def __init__(self, module: Module) -> None:
        modules = modules_of(module)
        self.attributes, self.random = Attributes(modules), RandomNumbers(modules)
        self.arrays = [(array, array.copy()) for values in self.attributes.values for array in values.values()
                       if type(array) is np.ndarray and array.dtype != object]
        self.gradients = [(parameter, parameter.data, parameter.grad, None if parameter.grad is None
                           else parameter.grad.copy()) for parameter in parts_of(module)[1]]

    def restore(self) -> None:
        """Put everything back."""
        self.attributes.restore()
        self.random.restore()
        for array, numbers in self.arrays:
            if array.flags.writeable:
                array[...] = numbers
        for parameter, data, grad, values in self.gradients:
            parameter.share(data)
            if grad is not None:
                grad[...] = values
            parameter.grad = grad

    def __enter__(self) -> "Everything":
        return self

    def __exit__(self, *_: Any) -> None:
        self.restore()
