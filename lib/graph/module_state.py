"""What a module's forward may change besides its result: attributes, arrays and random numbers, to be put back."""
from __future__ import annotations

import random
from typing import Any, Dict, Iterable, List, Tuple

import numpy as np

from lib.network_base import Module, Parameter


def unique(items: Iterable[Any]) -> List[Any]:
    """Return the objects, each once, in the order in which they first stand there."""
    return list({id(item): item for item in items}.values())


def modules_of(module: Module) -> List[Module]:
    """Return a module and all modules inside of it, each once."""
    return unique(inner for _, inner in module.named_modules())


def parameters_of(module: Module) -> List[Parameter]:
    """Return all parameters of a module: those that it lists, and those that it or a module inside of it holds."""
    held = [parameter for inner in modules_of(module) for _, parameter in inner.held(Parameter)]
    return unique(list(module.parameters()) + held)


class StandIn:
    """Base class of what is put in the place of a module's method for a moment: no state of the module."""


class Attributes:
    """The attributes of modules, as they are: each module remembers its last call only, and with this, several."""

    def __init__(self, modules: List[Module]) -> None:
        self.modules = modules
        self.values: List[Dict[str, Any]] = [
            {name: value for name, value in vars(module).items() if not isinstance(value, StandIn)}
            for module in modules]

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
                           else parameter.grad.copy()) for parameter in parameters_of(module)]

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
