"""The compiled training step: for a Sequential of layers that it knows, its loss, and an optimiser of `lib`."""
from __future__ import annotations

import copy
from functools import partial
from typing import Any, Callable, List, Optional, Sequence, Tuple

import numpy as np

from lib.network_base import Module, Parameter
from lib.optimizers import Optimizer
from lib.steps.comparison import UPDATE_TOLERANCES, Expected, require_reset, require_same
from lib.steps.gradient import CompiledGradient
from lib.steps.memory import FlatState, State, states_of
from lib.steps.program import Program
from lib.steps.readable import ReadableStep


class CompiledStep(CompiledGradient):
    """A training step in place, which computes what a ReadableStep does; see there for the arguments.

    While an epoch runs, the parameters' `data` and `grad`, and what the optimiser remembers of them, are views of flat
    vectors, to which the optimiser's `update` is applied once: they are up to date after each step. `end_epoch` puts
    the arrays back that were there before, with the values of now.

    The first batch of each epoch, and the first of each shape, is computed by the modules and the optimiser, too: the
    loss, the gradients and the parameters after the whole step must be the same. Everything between is taken on trust,
    as CompiledGradient says.

    Raises:
        NotCompilable: the model, the loss or the optimiser can't be compiled; the message says why.
    """

    optimizer: Optimizer

    def __init__(self, model: Module, loss_fn: Any, optimizer: Optimizer,
                 clip: Optional[Callable[..., Any]] = None) -> None:
        self.clip = clip
        super().__init__(model, loss_fn, optimizer)

    def step(self, x_batch: Any, y_batch: Any, with_loss: bool = True) -> Tuple[Any, np.ndarray]:
        """Take one step on a batch, as ReadableStep.step does; without with_loss, the loss returned is None.

        Raises:
            DifferentResult: the modules or the optimiser compute something else; then no step was taken.
            NotCompilable: the batch can't be taken, or the model, which has changed, can't be compiled any more.
        """
        result = self.find(x_batch, y_batch, with_loss)
        self.optimizer.step_count += 1
        self.optimizer.update(self.flat.data, self.flat.grad, self.state.vectors)
        return result

    # ------------------------------------------------------------------ memory

    def _build(self) -> None:
        super()._build()
        if self.clip is not None:
            self._completions.append(partial(self.clip, [Parameter(self.flat.data, self.flat.grad)]))

    def _attach(self) -> None:
        super()._attach()
        self.state = FlatState(self.flat, self.optimizer)
        self._slots += self.state.slots

    def end_epoch(self) -> None:
        if self._is_attached:
            self.state.detach()
        super().end_epoch()

    # ------------------------------------------------------------------ comparing

    def _expected(self, x_batch: Any, y_batch: Any) -> Expected:
        """Return what the modules and the optimiser make of a batch; what they change is put back."""
        parameters, states = self.flat.parameters, states_of(self.optimizer, self.flat.parameters)
        require_reset(self.optimizer.zero_grad, parameters, self._names())
        before = copies(parameters, states), self.optimizer.step_count
        arrays = [parameter.data for parameter in parameters], [dict(state) for state in states]
        try:
            loss, _ = ReadableStep(self.model, self.loss_fn, self.optimizer, self.clip).step(x_batch, y_batch)
            return Expected(loss, [parameter.grad for parameter in parameters], *copies(parameters, states))
        finally:
            (data, values), self.optimizer.step_count = before
            for parameter, array, old in zip(parameters, arrays[0], data):
                array[...] = old
                parameter.share(array)
            for state, own, old_state in zip(states, arrays[1], values):
                state.update(own)
                for name, array in own.items():
                    array[...] = old_state[name]

    def _compare(self, program: Program, x: np.ndarray, y: np.ndarray, expected: Expected) -> None:
        """Raise DifferentResult unless the loss, the gradient and the parameters after the step are the expected ones.

        The update starts from the expected gradient, so that rounding in the gradient doesn't count twice: where Adam
        divides a gradient of about 0 by its size, rounding alone would decide about the step.
        """
        super()._compare(program, x, y, expected)
        states = states_of(self.optimizer, self.flat.parameters)
        before = self.flat.data.copy(), {name: vector.copy() for name, vector in self.state.vectors.items()}
        for parameter, grad in zip(self.flat.parameters, expected.grads):
            self.flat.view(self.flat.grad, parameter)[...] = grad
        self.optimizer.step_count += 1
        try:
            self.optimizer.update(self.flat.data, self.flat.grad, self.state.vectors)
            for name, parameter, data in zip(self._names(), self.flat.parameters, expected.data):
                require_same(f"After the step, {name}", parameter.data, data, UPDATE_TOLERANCES)
            for name, state, expected_state in zip(self._names(), states, expected.states):
                for kind, array in expected_state.items():
                    require_same(f"After the step, the optimiser's {kind} of {name}", state[kind], array,
                                 UPDATE_TOLERANCES)
        finally:
            self.optimizer.step_count -= 1
            self.flat.data[...] = before[0]
            for name, vector in before[1].items():
                self.state.vectors[name][...] = vector

    def _twin(self) -> CompiledGradient:
        model, loss_fn, optimizer = copy.deepcopy((self.model, self.loss_fn, self.optimizer))
        for state in optimizer._states:
            state.update({name: array.astype(np.float64) for name, array in state.items()})
        return CompiledStep(model.astype(np.float64), loss_fn, optimizer, self.clip)


def copies(parameters: Sequence[Parameter], states: Sequence[State]) -> Tuple[List[np.ndarray], List[State]]:
    """Return copies of the parameters' values and of what an optimiser remembers of them."""
    return [parameter.data.copy() for parameter in parameters], \
        [{name: array.copy() for name, array in state.items()} for state in states]
