"""What the compiled path works on: operations, and the arrays that are allocated for them once.

Everything lies with the batch LAST, an example a column: the values between two layers have the shape
(features, batch). Each of them is preceded in memory by a row of ones, so that W and b act as one matrix,

    z = W^T x + b = [b; W]^T [1; x],

and one matrix product gives dL/dW and dL/db together.
"""
from __future__ import annotations

from typing import Any, Callable, Dict, List, NamedTuple, Sequence, Tuple

import numpy as np

from lib.network_base import Module, Parameter


MAX_COPIED = 4096  # entries of a batch; copying a larger one to where ones precede it takes longer than adding b


class Operation(NamedTuple):
    """One call, function(*inputs, out=output), whose inputs and output are arrays that stay where they are.

    A matrix product that gives the whole gradient of neighbouring parameters names them.
    """

    function: Callable[..., Any]
    inputs: Tuple[Any, ...]
    output: Any
    parameters: Tuple[Parameter, ...] = ()


class NotCompilable(Exception):
    """The compiled path can't execute this; its message says why."""


class Signal:
    """What flows between two layers: the values forward, and dL/d(values) backward.

    Attributes:
        values: (features..., batch).
        grad: dL/d(values) in the same shape; None for the input of the network, where nobody needs it.
        with_ones: (1 + features, batch): the same memory as values, with the row of ones in front; None for an input
            of the network that isn't copied.
        is_kept: whether a backward operation reads the values, so that no later layer may overwrite them.
    """

    def __init__(self, values: np.ndarray, grad: Any, with_ones: Any) -> None:
        self.values, self.grad, self.with_ones = values, grad, with_ones
        self.is_kept = False


class FlatParameters:
    """The parameters of some layers as one vector, and their gradients as another; each layer's b stands before its W.

    Each parameter's own `data` and `grad` become views of the two vectors, so whoever changes one changes the other.
    """

    def __init__(self, layers: Sequence[Module]) -> None:
        self.parameters: List[Parameter] = [parameter for layer in layers for parameter in reversed(layer.parameters())]
        dtype = self.parameters[0].data.dtype
        self.data = np.empty(sum(parameter.data.size for parameter in self.parameters), dtype)
        self.grad = np.zeros_like(self.data)
        self.places: Dict[int, slice] = {}
        self.views: List[Tuple[Parameter, np.ndarray, np.ndarray]] = []
        start = 0
        for parameter in self.parameters:
            place = slice(start, start + parameter.data.size)
            start = place.stop
            self.places[id(parameter)] = place
            data, grad = self.view(self.data, parameter), self.view(self.grad, parameter)
            data[...] = parameter.data
            parameter.data, parameter.grad = data, grad
            self.views.append((parameter, data, grad))

    def view(self, vector: np.ndarray, parameter: Parameter) -> np.ndarray:
        """Return the piece of a vector that belongs to a parameter, in the parameter's shape."""
        return vector[self.places[id(parameter)]].reshape(parameter.data.shape)

    def are_in_place(self) -> bool:
        """Return whether each parameter's data is still our view; if so, its grad is made ours again, too."""
        for parameter, data, grad in self.views:
            if parameter.data is not data:
                return False
            if parameter.grad is not grad:
                parameter.grad = grad
        return True


class Workspace:
    """The arrays of one network for one batch size.

    Args:
        flat: the parameters.
        input_shape: the shape of a batch, (batch, ...).
        input_dtype: its type; a batch of another type than the parameters is copied.

    Attributes:
        x_batch: the place of a batch, (batch, ...): it is copied there, or, if not is_input_copied, stands for it.
    """

    def __init__(self, flat: FlatParameters, input_shape: Tuple[int, ...], input_dtype: Any) -> None:
        self.flat, self.dtype, self.batch_size = flat, flat.data.dtype, input_shape[0]
        if len(input_shape) != 2:
            self.input = self.signal(*input_shape[1:])
            self.input.grad = None
            self.x_batch = np.moveaxis(self.input.values, -1, 0)
        elif np.prod(input_shape) <= MAX_COPIED or input_dtype != self.dtype:
            memory = np.ones((input_shape[0], 1 + input_shape[1]), self.dtype)
            self.x_batch = memory[:, 1:]
            self.input = Signal(self.x_batch.T, None, memory.T)
        else:  # not copied: each batch itself is handed to the operations, where they name this array
            self.x_batch = np.zeros(input_shape, self.dtype)
            self.input = Signal(self.x_batch.T, None, None)
            self.input.is_kept = True
        self.is_input_copied = self.input.with_ones is not None

    # ------------------------------------------------------------------ what the layers ask for

    def empty(self, *shape: int) -> np.ndarray:
        """Return a new array in the network's precision."""
        return np.empty(shape, self.dtype)

    def constant(self, value: float) -> np.ndarray:
        """Return a number as an array of no dimensions, which NumPy's functions take faster than a Python number."""
        return np.array(value, self.dtype)

    def signal(self, *features: int) -> Signal:
        """Return a new signal of this many features."""
        memory = np.ones((1 + int(np.prod(features)), self.batch_size), self.dtype)
        shape = features + (self.batch_size,)
        return Signal(memory[1:].reshape(shape), self.empty(*shape), memory)

    def successor(self, x: Signal) -> Signal:
        """Return where a function of x, entry by entry, may go: into x itself if nobody needs x afterwards."""
        return self.signal(*x.values.shape[:-1]) if x.is_kept else x

    def weights(self, *parameters: Parameter) -> Tuple[np.ndarray, np.ndarray]:
        """Return the values and the gradients of neighbouring parameters, each as one piece of the flat vector."""
        places = [self.flat.places[id(parameter)] for parameter in parameters]
        piece = slice(places[0].start, places[-1].stop)
        return self.flat.data[piece], self.flat.grad[piece]


def copy(source: np.ndarray, out: np.ndarray) -> None:
    """Copy an array, as an operation."""
    np.copyto(out, source)
