"""Running a module's forward and backward again and again, each time from the same state, in float64."""
from __future__ import annotations

import inspect
from typing import Any, Callable, List, NamedTuple, Optional, Tuple

import numpy as np

from lib.gradient_checking.measure.state import GlobalRandomness, Snapshot, all_modules, all_parameters
from lib.network_base import Module, Parameter


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
    changed: Tuple[str, ...]  # what a pass changed that it must not change
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


def _repeatable(default_rng: Callable[..., Any]) -> Callable[..., Any]:
    """Return a default_rng that gives the same generator each time if it is called without a seed."""
    def repeatable(seed: Any = None) -> Any:
        return default_rng(0 if seed is None else seed)
    return repeatable


class Workbench:
    """A module whose parameters are float64 copies while the `with` block lasts; afterwards all is as it was.

    Args:
        module: the module to run.
        inputs: its inputs, as a tuple.
    """

    def __init__(self, module: Module, inputs: Tuple[Any, ...]) -> None:
        self.module = module
        self.inputs = tuple(as_float64(value) for value in inputs)
        self.given_inputs = inputs
        self.prepare: Optional[Callable[[], None]] = None  # called before each forward pass, to watch the parts

    def __enter__(self) -> "Workbench":
        self._outer = Snapshot([self.module, self.given_inputs])
        self._randomness = GlobalRandomness().__enter__()
        self._default_rng = np.random.default_rng
        np.random.default_rng = _repeatable(np.random.default_rng)  # one without a seed would draw anew each time
        try:
            listed = [parameter for parameter in self.module.parameters() if not parameter.constant]
            self.parameters: List[Parameter] = all_parameters(self.module, self.given_inputs)
            self.num_listed = sum(any(p is q for q in listed) for p in self.parameters)
            for parameter in self.parameters:
                parameter.data = np.array(parameter.data, dtype=np.float64)
                parameter.grad = np.zeros_like(parameter.data)
            for below in all_modules(self.module):
                for attribute, value in vars(below).items():
                    if isinstance(value, np.ndarray) and value.dtype in (np.float32, np.float16):
                        vars(below)[attribute] = value.astype(np.float64)
            self._inner = Snapshot([self.module], skip=self.parameters)
        except BaseException:
            self.__exit__()
            raise
        self.start = Point(self.inputs, tuple(parameter.data for parameter in self.parameters))
        self._draws = True
        self._output_dtype = np.dtype(np.float64)
        return self

    def __exit__(self, *_: Any) -> None:
        np.random.default_rng = self._default_rng
        self._outer.restore()
        self._randomness.restore()

    # ------------------------------------------------------------------ passes

    def forward(self, point: Point) -> np.ndarray:
        """Return the output at a point, as a float64 array."""
        return self._forward(point, [value.copy() if isinstance(value, np.ndarray) else value
                                     for value in point.inputs])

    def run(self, point: Point, upstream: np.ndarray, start: Optional[Tuple[np.ndarray, ...]] = None) -> Run:
        """Return what forward and then backward give, with gradients that start as zeros or as given."""
        inputs = [value.copy() if isinstance(value, np.ndarray) else value for value in point.inputs]
        point = point._replace(params=tuple(param.copy() for param in point.params))
        kept = [value.copy() for value in point.params]
        output = self._forward(point, inputs)
        changed = [f"forward changes its input number {i + 1} in place" for i, (given, now)
                   in enumerate(zip(point.inputs, inputs)) if isinstance(now, np.ndarray) and not same_bits(given, now)]
        changed += self._changed_parameters("forward", kept)
        for i, parameter in enumerate(self.parameters):
            parameter.grad = np.zeros(kept[i].shape) if start is None else start[i].copy()
        return self.backward(upstream, output, inputs, point, kept, changed)

    def backward(self, upstream: np.ndarray, output: np.ndarray, inputs: List[Any], point: Point,
                 kept: List[np.ndarray], changed: List[str]) -> Run:
        """Call the module's backward once, after a forward pass, and note what it gives and what it changes."""
        given = upstream.copy()
        inputs_before = [value.copy() if isinstance(value, np.ndarray) else value for value in inputs]
        returned = self.call_backward(given)
        if not same_bits(given, upstream):
            changed.append("backward changes its argument, the upstream gradient, in place")
        changed += [f"backward changes input number {i + 1} in place" for i, (before, now)
                    in enumerate(zip(inputs_before, inputs)) if isinstance(now, np.ndarray)
                    and not same_bits(before, now)]
        if not any(text.startswith("forward") for text in changed):
            changed += self._changed_parameters("backward", kept)
        returned = returned.copy() if isinstance(returned, np.ndarray) else returned
        grads = tuple(parameter.grad.copy() if isinstance(parameter.grad, np.ndarray) else parameter.grad
                      for parameter in self.parameters)
        return Run(output, returned, grads, tuple(changed), self._output_dtype)

    def call_backward(self, upstream: np.ndarray) -> Any:
        """Call backward as its signature wants: a loss's may take no upstream gradient."""
        if upstream.ndim == 0 and not self._wants_upstream():
            return self.module.backward()  # type: ignore[call-arg]
        return self.module.backward(upstream)

    def _wants_upstream(self) -> bool:
        try:
            parameters = inspect.signature(self.module.backward).parameters.values()
        except (TypeError, ValueError):
            return True
        return any(p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
                   for p in parameters)

    def _forward(self, point: Point, inputs: List[Any]) -> np.ndarray:
        self._inner.restore()
        if self._draws or point.training is not None:  # another mode may draw, as dropout does
            self._randomness.restore()
        if self.prepare is not None:
            self.prepare()
        for parameter, value in zip(self.parameters, point.params):
            parameter.data = value
        if point.training is not None:
            self.module.train(point.training)
        result = self.module(*inputs)
        output = np.asarray(result)
        if output.dtype.kind not in "fiub":
            raise OutputError(f"{type(self.module).__name__}.forward returned {type(result).__name__}, not an array of "
                              "numbers.")
        self._output_dtype = output.dtype
        return np.array(output, dtype=np.float64)

    def _changed_parameters(self, who: str, kept: List[np.ndarray]) -> List[str]:
        return [f"{who} changes the values of parameter {parameter.name or i}" for i, (parameter, before)
                in enumerate(zip(self.parameters, kept)) if not same_bits(parameter.data, before)]

    def run_after(self, other: Point, point: Point, upstream: np.ndarray) -> Run:
        """As run, but with a forward pass at another point before, which a cache must have forgotten."""
        inputs = [value.copy() if isinstance(value, np.ndarray) else value for value in other.inputs]
        self._forward(other, inputs)
        inputs = [value.copy() if isinstance(value, np.ndarray) else value for value in point.inputs]
        self._randomness.restore()
        for parameter, value in zip(self.parameters, point.params):
            parameter.data, parameter.grad = value.copy(), np.zeros(value.shape)
        output = np.asarray(self.module(*inputs), dtype=np.float64)
        return self.backward(upstream, output, inputs, point, list(point.params), [])

    def run_twice(self, point: Point, upstream: np.ndarray) -> Tuple[Run, Run]:
        """Call backward twice after one forward pass; the gradients of the second are the sums of both."""
        first = self.run(point, upstream)
        return first, self.backward(upstream, first.output, [], point, [p.data for p in self.parameters], [])

    def draw_again_only_if_needed(self, point: Point) -> None:
        """Find out whether forward draws global random numbers; if not, they needn't be put back each time."""
        self.forward(point)
        self._draws = self._randomness.was_used()
