"""Points and runs: where a module is looked at, and what it gave there."""
from __future__ import annotations

from typing import Any, Dict, List, NamedTuple, Optional, Tuple

import numpy as np

from lib.network_base import Module, Parameter
from lib.validation import InputError


class Point(NamedTuple):
    """Where a module is looked at: its inputs, the values of its parameters, and its mode (None: as it is)."""

    inputs: Tuple[Any, ...]
    params: Tuple[np.ndarray, ...]
    training: Optional[bool] = None

    def tensor(self, index: int) -> Any:
        """Return the first input (index 0) or parameter number index - 1."""
        return self.inputs[0] if index == 0 else self.params[index - 1]

    def with_tensor(self, index: int, value: Any) -> "Point":
        """Return the same point with another first input (index 0) or another parameter number index - 1."""
        value = np.asarray(value) if isinstance(value, np.generic) else value  # of (), NumPy's sums are no arrays
        if index == 0:
            return self._replace(inputs=(value,) + self.inputs[1:])
        return self._replace(params=self.params[:index - 1] + (value,) + self.params[index:])


class Run(NamedTuple):
    """What one forward and backward pass gave."""

    output: np.ndarray
    returned: Any  # what backward returned: dL/d(first input)
    grads: Tuple[Any, ...]  # of the parameters, in the order of Point.params
    changed: Tuple[str, ...] = ()  # what a pass changed that it must not change
    dtype: np.dtype = np.dtype(np.float64)  # of forward's output

    def gradient(self, index: int) -> Any:
        """Return the gradient of tensor number index, as Point.tensor counts."""
        return self.returned if index == 0 else self.grads[index - 1]


class OutputError(TypeError):
    """forward returned something that isn't an array of numbers."""


def same_bits(a: Any, b: Any) -> bool:
    """Return whether two arrays hold the same numbers, NaN being equal to NaN."""
    if a is b:
        return True
    a, b = np.asarray(a), np.asarray(b)
    return a.shape == b.shape and a.dtype == b.dtype and (a.tobytes() == b.tobytes())


def as_float64(value: Any) -> Any:
    """Return a float64 copy of an array of floats (or of nested lists of numbers); anything else as it is."""
    if isinstance(value, np.ndarray) or isinstance(value, (list, float, np.floating)):
        try:
            array = np.asarray(value)
        except ValueError:
            return value
        if array.dtype.kind == "f":
            return np.array(array, dtype=np.float64)
        if array.dtype.kind in "iub":
            return array.copy()
    return value


def copied(values: Any) -> List[Any]:
    """Return the values with every array copied, and lying in memory as before."""
    return [value.copy(order="K") if isinstance(value, np.ndarray) else value for value in values]


class Doubles:
    """Float64 copies of arrays; views of one memory become views of one copy."""

    def __init__(self) -> None:
        self._copies: Dict[int, Tuple[np.ndarray, np.ndarray]] = {}

    def of(self, array: np.ndarray) -> np.ndarray:
        owner = array
        while isinstance(owner.base, np.ndarray):
            owner = owner.base
        if owner is array or owner.dtype != array.dtype or not (owner.flags.c_contiguous or owner.flags.f_contiguous):
            owner, offset = array, 0
        else:
            offset = (array.__array_interface__["data"][0] - owner.__array_interface__["data"][0]) // array.itemsize
        _, copy = self._copies.setdefault(id(owner), (owner, np.array(owner, dtype=np.float64)))
        if owner is array:
            return copy
        strides = [step * copy.itemsize // array.itemsize for step in array.strides]
        return np.lib.stride_tricks.as_strided(copy.ravel("K")[offset:], array.shape, strides)


def listed_parameters(module: Module) -> List[Parameter]:
    """Return what parameters() lists, or raise a sentence if that isn't a list of Parameters."""
    name = type(module).__name__
    try:
        listed = module.parameters()
    except Exception as error:
        raise InputError(f"{name}.parameters() raises {type(error).__name__}: {error}. It must return a list of the "
                         "module's Parameters, under the names that they have in __init__.") from error
    if listed is None or isinstance(listed, Parameter):
        got = "None: a return is missing" if listed is None else "a single Parameter: put it in a list, [self.W]"
        raise InputError(f"{name}.parameters() must return a list of Parameters, but returned {got}.")
    listed = list(listed)
    for parameter in listed:
        if not isinstance(parameter, Parameter):
            raise InputError(f"{name}.parameters() must return a list of Parameters, but one of what it returned is of "
                             f"type {type(parameter).__name__}: return the Parameter itself, not its data.")
    return listed


def described_output(result: Any, output: np.ndarray) -> str:
    """Say what forward returned in the place of one array of real numbers."""
    if isinstance(result, tuple):
        return f"a tuple of {len(result)}: the gradient check is of one output"
    if output.dtype.kind == "c":
        return "complex numbers: check the real and the imaginary part, or the absolute value"
    if isinstance(result, list):
        return "rows of different lengths"
    return "None: a return is missing" if result is None else f"a {type(result).__name__} of type {output.dtype}"
