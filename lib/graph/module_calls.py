"""A module as a single operation of its inputs and its parameters: forward and backward are the module's own."""
from __future__ import annotations

from typing import Any, List, Sequence, Tuple

import numpy as np

from lib.graph.module_state import Attributes, parts_of
from lib.graph.notation import Term, partial, words
from lib.graph.notation import call as function
from lib.graph.operations import Operation
from lib.network_base import is_loss
from lib.validation import InputError, as_float


_NONE = Attributes([])


def takes_indices(module: Any) -> bool:
    """Tell whether a module's inputs are whole numbers that pick something: nodes hold them as floats."""
    return getattr(type(module), "takes_indices", False)


class ModuleCall(Operation):
    """One call of a module. A module remembers its last call only; with this, each node remembers its own."""

    shape_rule = "the module's own: see its documentation"
    speaks_for_itself = True

    def __init__(self, module: Any, input_count: int) -> None:
        self.module = module
        self.input_count = input_count
        self.name = type(module).__name__
        self.modules, parameters = parts_of(module)
        self.parameters = [parameter for parameter in parameters if not parameter.constant]
        self.state = _NONE
        self.result: Tuple[Any, List[Any]] = (None, [])

    def forward(self, *values: Any) -> Any:
        out = self._computed(values)
        self.result = (None, [])
        self.state = Attributes(self.modules)
        return out

    def _computed(self, values: Sequence[Any]) -> Any:
        earlier = self._exchange_data(values[self.input_count:])
        try:
            out = as_float(self.module.forward(*map(self._as_input, values[:self.input_count])), self.module)
        finally:
            self._exchange_data(earlier)
        return out if out.ndim else out[()]

    def backward(self, i: int, grad: Any, out: Any, *values: Any) -> Any:
        if getattr(grad, "is_graph_node", False):
            raise InputError(f"{self.module!r} is one node, whose backward computes numbers, so it has no second "
                             "derivatives. Write it out in operations: `with expanded():`, from lib.graph.")
        if 0 < i < self.input_count:
            raise InputError(f"The backward of {self.module!r} gives the gradient of its first input only, not of "
                             f"input {i + 1}. Give that one as an array or as a constant, or use `with expanded():`, "
                             "from lib.graph.")
        if self.result[0] is not grad:  # one call of the module's backward gives the gradients of all parents
            self.result = (grad, self.gradients(grad, values))
        result = self.result[1][i]
        if result is None:
            raise InputError(f"The backward of {self.module!r} returned None in place of dL/d(its input). Is a return "
                             "missing?")
        return result.copy() if i == 0 else result  # the module may keep what it returns

    def gradients(self, grad: Any, values: Sequence[Any]) -> List[Any]:
        """Return the gradients of all parents by the module's own backward, and leave the module as it was."""
        parameters = self.parameters
        earlier_grads = [parameter.grad for parameter in parameters]
        earlier_state, earlier_data = Attributes(self.modules), self._exchange_data(values[self.input_count:])
        try:
            self.state.restore()
            for parameter in parameters:
                parameter.grad = np.zeros(parameter.data.shape, parameter.data.dtype)
            first = self.module.backward(grad)
            gradients = [parameter.grad for parameter in parameters]
        finally:
            for parameter, earlier in zip(parameters, earlier_grads):
                parameter.grad = earlier
            self._exchange_data(earlier_data)
            earlier_state.restore()
            for module in self.modules:
                module.open_forwards = 0  # the graph keeps the passes apart, and has answered this one
        if self.input_count:
            gradients = [first] + [None] * (self.input_count - 1) + gradients
        if np.ndim(grad) == 0 and grad != 1 and is_loss(self.module):  # its backward starts from dL/dL = 1
            gradients = [None if g is None else g * grad for g in gradients]
        return [g if g is None or g.shape == value.shape and g.dtype == value.dtype
                else np.asarray(g, value.dtype).reshape(value.shape) for g, value in zip(gradients, values)]

    def _exchange_data(self, values: Sequence[Any]) -> List[Any]:
        """Let the module compute with these values of its parameters, and return those that it had before."""
        earlier = [parameter.data for parameter in self.parameters]
        for parameter, data, value in zip(self.parameters, earlier, values):
            if data is not value:
                parameter._data = value
        return earlier

    def _as_input(self, value: Any) -> Any:
        return value.astype(int) if takes_indices(self.module) else value

    def key(self) -> Any:
        return id(self)  # two calls of one module may differ, as those of Dropout do

    def formula(self, *names: Term) -> Term:
        return function(self.name, *names[:self.input_count])

    def derivative(self, i: int, out: Term, *names: Term) -> Term:
        return words(partial(out, names[i]), ", by the module's own backward")

    def flow(self, i: int, grad: Term, out: Term, *names: Term) -> Term:
        return words(f"{self.name}.backward(", grad, "), the part for ", names[i])

    def __repr__(self) -> str:
        return f"ModuleCall({self.module!r})"
