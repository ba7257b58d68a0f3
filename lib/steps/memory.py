"""What the compiled path works on: operations, and the arrays that are allocated for them once.

Everything lies with the batch LAST, an example a column: the values between two layers have the shape
(features, batch). Each of them is preceded in memory by a row of ones, so that W and b act as one matrix,

    z = W^T x + b = [b; W]^T [1; x],

and one matrix product gives dL/dW and dL/db together.
"""
from __future__ import annotations

from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from lib.network_base import Module, Parameter
from lib.validation import InputError

State = Dict[str, np.ndarray]  # what an optimiser remembers of a parameter, by name
Slot = Tuple[Dict[str, Any], str, np.ndarray]  # a dict, a key, and the array that should stand there

MAX_COPIED = 4096  # entries of a batch; copying a larger one to where ones precede it takes longer than adding b


class Operation(NamedTuple):
    """One call, function(*inputs, out=output), whose inputs and output are arrays that stay where they are."""

    function: Callable[..., Any]
    inputs: Tuple[Any, ...]
    output: Any


class NotCompilable(InputError):
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
    """The trained parameters of some layers as one vector, and their gradients as another; a layer's b before its W.

    While attached, each parameter's own `data` and `grad` are views of the two vectors, so whoever changes one changes
    the other. Detached, the parameters have the arrays that they had before, with the values of now.

    Attributes:
        data, grad: the two vectors.
    """

    def __init__(self, layers: Sequence[Module]) -> None:
        self.parameters: List[Parameter] = [parameter for layer in layers for parameter in reversed(layer.parameters())]
        held = [parameter for layer in layers for _, parameter in layer.named_parameters(constants=True)]
        self._constants = [(parameter, [parameter.data]) for parameter in held if parameter.constant]
        dtype = self.parameters[0].data.dtype
        self.data = np.empty(sum(parameter.data.size for parameter in self.parameters), dtype)
        self.grad = np.zeros_like(self.data)
        self.places: Dict[int, slice] = {}
        self.views: List[Tuple[Parameter, np.ndarray, np.ndarray]] = []
        start = 0
        for parameter in self.parameters:
            self.places[id(parameter)] = slice(start, start + parameter.data.size)
            start += parameter.data.size
            self.views.append((parameter, self.view(self.data, parameter), self.view(self.grad, parameter)))
        self._own_arrays: List[np.ndarray] = []  # while attached: what the parameters had before

    def view(self, vector: np.ndarray, parameter: Parameter) -> np.ndarray:
        """Return the piece of a vector that belongs to a parameter, in the parameter's shape."""
        return vector[self.places[id(parameter)]].reshape(parameter.data.shape)

    def fits(self) -> bool:
        """Return whether the parameters still have the shapes and the precision of the views."""
        return all(parameter.data.shape == data.shape and parameter.data.dtype == data.dtype
                   for parameter, data, _ in self.views)

    def attach(self) -> None:
        """Take over the parameters' values, and put the views in their place."""
        self._own_arrays = [parameter.data for parameter in self.parameters]
        for parameter, data, grad in self.views:
            data[...] = parameter.data
            parameter.share(data)
            parameter.grad = grad

    def slots(self) -> List[Slot]:
        """Return where the views, and the arrays of constants, stand while attached.

        These are the parameters' own dicts: a look into them takes a fraction of the time that their properties take.
        """
        arrays = [(parameter, views) for parameter, *views in self.views] + self._constants
        return [(vars(parameter), name, array) for parameter, views in arrays
                for name, value in vars(parameter).items() for array in views if value is array]

    def detach(self) -> None:
        """Give each parameter its own array back, with the values of now; one that was given another array keeps it."""
        for (parameter, data, grad), own in zip(self.views, self._own_arrays):
            if parameter.data is data:
                own[...] = data
                parameter.share(own)
            if parameter.grad is grad:
                parameter.grad = grad.copy()
        self._own_arrays = []

    def restore_gradients(self) -> None:
        """Make each parameter's grad our view again."""
        for parameter, _, grad in self.views:
            parameter.grad = grad


class FlatState:
    """What an optimiser remembers of the parameters, attached: one vector for each name, such as "velocity".

    Attributes:
        vectors: the vectors by name, laid out as FlatParameters.
        slots: where their views stand.
    """

    def __init__(self, flat: FlatParameters, optimizer: Any) -> None:
        states = states_of(optimizer, flat.parameters)
        self.vectors = {name: np.empty_like(flat.data) for name in states[0]}
        self.slots: List[Slot] = []
        self._own_arrays: List[np.ndarray] = []
        for parameter, state in zip(flat.parameters, states):
            for name, vector in self.vectors.items():
                view = flat.view(vector, parameter)
                view[...] = state[name]
                self._own_arrays.append(state[name])
                self.slots.append((state, name, view))
                state[name] = view

    def detach(self) -> None:
        """Put the arrays of before back, with the values of now."""
        for (state, name, view), own in zip(self.slots, self._own_arrays):
            if state[name] is view:
                own[...] = view
                state[name] = own


def states_of(optimizer: Any, parameters: Sequence[Parameter]) -> List[State]:
    """Return what an optimiser remembers of each of the parameters."""
    states = {id(parameter): state for parameter, state in zip(optimizer._params, optimizer._states)}
    return [states[id(parameter)] for parameter in parameters]


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

    def weights(self, parameter: Parameter) -> Tuple[Any, Any]:
        """Return a parameter's values, and the place of its gradient, None if it is constant."""
        if id(parameter) not in self.flat.places:
            return parameter.data, None
        return self.flat.view(self.flat.data, parameter), self.flat.view(self.flat.grad, parameter)

    def joined(self, b: Parameter, W: Parameter) -> Optional[Tuple[np.ndarray, np.ndarray]]:
        """Return the values and gradients of b and W as one matrix, [b; W], if they are neighbours in memory."""
        places = self.flat.places
        if id(b) not in places or id(W) not in places or places[id(b)].stop != places[id(W)].start:
            return None
        piece, shape = slice(places[id(b)].start, places[id(W)].stop), (-1, W.data.shape[1])
        return self.flat.data[piece].reshape(shape), self.flat.grad[piece].reshape(shape)


def copy(source: np.ndarray, out: np.ndarray) -> None:
    """Copy an array, as an operation."""
    np.copyto(out, source)
