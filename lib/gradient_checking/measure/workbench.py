"""Running a module's forward and backward again and again, each time from the same state, in float64."""
from __future__ import annotations

import inspect
from typing import Any, Callable, Iterator, List, Optional, Tuple

import numpy as np

from lib.gradient_checking.measure.points import (Doubles, OutputError, Point, Run, as_float64, copied,
                                                  described_output, listed_parameters, same_bits)
from lib.gradient_checking.measure.state import GlobalRandomness, Snapshot, all_modules, all_parameters, path_of
from lib.network_base import Module, Parameter


class Workbench:
    """A module whose parameters are float64 while the `with` block lasts; afterwards all is as it was.

    Values are written into the parameters' arrays in place, as an optimiser does: a second name or a view of an array
    sees them.

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
        listed_parameters(self.module)
        self._outer = Snapshot([self.module, self.given_inputs])
        self._randomness = GlobalRandomness([self.module]).__enter__()
        try:
            self._make_late_parameters()
            listed = [parameter for parameter in listed_parameters(self.module) if not parameter.constant]
            self.parameters: List[Parameter] = all_parameters(self.module, self.given_inputs)
            self.num_listed = len({id(parameter) for parameter in listed})
            self.given_dtypes = [parameter.data.dtype for parameter in self.parameters]
            self._in_float64()
            self._inner = Snapshot([self.module], skip=self.parameters)
        except BaseException:
            self.__exit__()
            raise
        self.start = Point(self.inputs, tuple(parameter.data.copy() for parameter in self.parameters))
        self._draws = True
        self._output_dtype = np.dtype(np.float64)
        return self

    def _make_late_parameters(self) -> None:
        """Run forward once where parameters appear only then; they belong to the module while it is examined."""
        before = len(listed_parameters(self.module))
        self.module(*copied(self.inputs))
        if len(listed_parameters(self.module)) == before:
            self._outer.restore()
        self._randomness.restore()

    def _in_float64(self) -> None:
        doubles = Doubles()
        self._homes: List[np.ndarray] = []
        for parameter in self.parameters:
            data = parameter.data
            is_own = data.dtype == np.float64 and data.flags.writeable and not any(
                np.may_share_memory(data, home) and np.shares_memory(data, home) for home in self._homes)
            shared_single = data.dtype != np.float64 and data.dtype.kind == "f"
            home = data if is_own else doubles.of(data) if shared_single else np.array(data, dtype=np.float64)
            parameter.share(home)
            self._homes.append(home)
            parameter.grad = np.zeros_like(home)
        for below in all_modules(self.module):
            below.open_forwards = 0
            for attribute, value in vars(below).items():
                if isinstance(value, np.ndarray) and value.dtype in (np.float32, np.float16):
                    vars(below)[attribute] = doubles.of(value)

    def __exit__(self, *_: Any) -> None:
        self._outer.restore()
        self._randomness.__exit__()

    # ------------------------------------------------------------------ passes

    def forward(self, point: Point) -> np.ndarray:
        """Return the output at a point, as a float64 array."""
        return self._forward(point, copied(point.inputs))

    def run(self, point: Point, upstream: np.ndarray, start: Optional[Tuple[np.ndarray, ...]] = None) -> Run:
        """Return what forward and then backward give, with gradients that start as zeros or as given."""
        inputs = copied(point.inputs)
        output = self._forward(point, inputs)
        changed = [f"forward changes its input number {i + 1} in place" for i, (given, now)
                   in enumerate(zip(point.inputs, inputs)) if isinstance(now, np.ndarray) and not same_bits(given, now)]
        changed += self._changed_parameters("forward", point)
        self._start_gradients(point, start)
        return self.backward(upstream, output, inputs, point, changed)

    def _start_gradients(self, point: Point, start: Optional[Tuple[np.ndarray, ...]] = None) -> None:
        for i, parameter in enumerate(self.parameters):
            parameter.grad = np.zeros(point.params[i].shape) if start is None else start[i].copy()

    def backward(self, upstream: np.ndarray, output: np.ndarray, inputs: List[Any], point: Point,
                 changed: List[str]) -> Run:
        """Call the module's backward once, after a forward pass, and note what it gives and what it changes."""
        given = upstream.copy(order="K")
        inputs_before = copied(inputs)
        returned = self.call_backward(given)
        if not same_bits(given, upstream):
            changed.append("backward changes its argument, the upstream gradient, in place")
        changed += [f"backward changes input number {i + 1} in place" for i, (before, now)
                    in enumerate(zip(inputs_before, inputs)) if isinstance(now, np.ndarray)
                    and not same_bits(before, now)]
        if not any(text.startswith("forward") for text in changed):
            changed += self._changed_parameters("backward", point)
        returned = returned.copy() if isinstance(returned, np.ndarray) else returned
        grads = tuple(parameter.grad.copy() if isinstance(parameter.grad, np.ndarray) else parameter.grad
                      for parameter in self.parameters)
        return Run(output, returned, grads, tuple(changed), self._output_dtype)

    def call_backward(self, upstream: np.ndarray) -> Any:
        """Call backward as its signature wants: a loss's may take no upstream gradient."""
        if upstream.ndim == 0 and not self.wants_upstream():
            return self.module.backward()  # type: ignore[call-arg]
        return self.module.backward(upstream)

    def wants_upstream(self) -> bool:
        """Return whether backward has an argument that must be given."""
        try:
            parameters = inspect.signature(self.module.backward).parameters.values()
        except (TypeError, ValueError):
            return True
        return any(p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
                   for p in parameters)

    def _forward(self, point: Point, inputs: List[Any]) -> np.ndarray:
        self.prepare_point(point)
        return self._called(inputs)

    def prepare_point(self, point: Point) -> None:
        """Set the module to a point, as for a forward pass."""
        self._inner.restore()
        if self._draws or point.training is not None:  # another mode may draw, as dropout does
            self._randomness.restore()
        if self.prepare is not None:
            self.prepare()
        self._set(point)

    def _set(self, point: Point) -> None:
        """Set the parameters, in place, and the mode."""
        for parameter, home, value in zip(self.parameters, self._homes, point.params):
            if parameter.data is not home:
                parameter.share(home)
            home[...] = value
        if point.training is not None:
            self.module.train(point.training)

    def _called(self, inputs: List[Any]) -> np.ndarray:
        result = self.module(*inputs)
        try:
            output = np.asarray(result if not isinstance(result, tuple) else None)
        except ValueError:
            output = np.asarray(None)
        if output.dtype.kind not in "fiub":
            raise OutputError(f"{type(self.module).__name__}.forward must return one array of real numbers, but "
                              f"returned {described_output(result, output)}.")
        self._output_dtype = output.dtype
        return np.array(output, dtype=np.float64)

    def _changed_parameters(self, who: str, point: Point) -> List[str]:
        return [f"{who} changes the values of parameter {parameter.name or i}" for i, (parameter, before)
                in enumerate(zip(self.parameters, point.params)) if not same_bits(parameter.data, before)]

    # ------------------------------------------------------------------ several passes without putting back

    def run_after(self, other: Point, point: Point, upstream: np.ndarray, backward: bool = False) -> Run:
        """As run, but with a forward pass at another point before (and a backward pass, too), to be forgotten."""
        self.prepare_point(other)
        self.draw_on()  # what is drawn then must not be taken for what the last forward pass draws
        output = self._called(copied(other.inputs))
        if backward:
            self._start_gradients(other)
            self.call_backward(upstream.copy() if output.shape == upstream.shape else np.ones(output.shape))
        inputs = copied(point.inputs)
        self._randomness.restore()
        self._put_generators_back()
        self._set(point)
        output = self._called(inputs)
        self._start_gradients(point)
        return self.backward(upstream, output, inputs, point, [])

    def run_twice(self, point: Point, upstream: np.ndarray) -> Tuple[Run, Run]:
        """Call backward twice after one forward pass; the gradients of the second are the sums of both."""
        first = self.run(point, upstream)
        return first, self.backward(upstream, first.output, [], point, [])

    def draw_on(self) -> None:
        """Let all random numbers go on by some, so that what is drawn next is something else."""
        np.random.random(3)
        for generator in self._inner.generator_objects:
            generator.random()

    def _put_generators_back(self) -> None:
        for put_back, state in self._inner.generators:
            put_back(state)

    def cached_arrays(self) -> List[Tuple[np.ndarray, np.ndarray]]:
        """Return the arrays that the module holds now, parameters and gradients apart, each with a copy."""
        return Snapshot([self.module], skip=self.parameters).arrays

    def in_given_precision(self, point: Point, upstream: np.ndarray) -> Run:
        """As run, with parameters and inputs in the precision that they came in, such as float32."""
        self._inner.restore()
        self._randomness.restore()
        for parameter, value, dtype in zip(self.parameters, point.params, self.given_dtypes):
            parameter.data, parameter.grad = value.astype(dtype), np.zeros(value.shape, dtype)
        inputs = [value.astype(given.dtype) if isinstance(given, np.ndarray) and given.dtype.kind == "f" else value
                  for value, given in zip(copied(point.inputs), self.given_inputs)]
        output = self._called(inputs)
        returned = self.call_backward(upstream.astype(self._output_dtype))
        return Run(output, returned, tuple(parameter.grad for parameter in self.parameters), (), self._output_dtype)

    def draw_again_only_if_needed(self, point: Point) -> None:
        """Find out whether forward draws global random numbers; if not, they needn't be put back each time."""
        self.forward(point)
        self._draws = self._randomness.was_used()

    def name_of(self, parameter: Parameter) -> str:
        """Return how messages call a parameter."""
        return path_of(self.module, parameter)

    def constants(self) -> Iterator[int]:
        """Yield the numbers of the parameters that are marked constant: they aren't trained, and not checked."""
        for i, parameter in enumerate(self.parameters):
            if parameter.constant:
                yield i + 1
