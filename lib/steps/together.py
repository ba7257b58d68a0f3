"""Networks that are trained at once, and the comparison of one of them with what its modules compute."""
from __future__ import annotations

import copy
from typing import Any, Dict, List, Sequence, Tuple

import numpy as np

from lib.network_base import Module, Parameter
from lib.steps.comparison import (TOLERANCES, UPDATE_TOLERANCES, DifferentResult, Expected, require_reset,
                                  require_same)
from lib.steps.conditions import containers, flat_layers, replaced_method
from lib.steps.convolutions import RULES
from lib.steps.memory import NotCompilable
from lib.steps.stacked import StackedParameters, StackedProgram


class NetworksTogether:
    """Several networks that are trained at once.

    Args:
        task: what they have in common, a Task of lib.steps.many_networks.
        models: the networks, at their starts.
        rates: the learning rate of each.
    """

    def __init__(self, task: Any, models: Sequence[Module], rates: Sequence[float]) -> None:
        self.task, self.models, self.rates = task, models, rates
        self.layers = flat_layers(models[0])
        for model in models[1:]:
            if architecture(model) != architecture(models[0]):
                raise NotCompilable(f"train_many can't compile networks that differ in more than their weights, but "
                                    f"create_model made {models[0]} and {model}, with these layers, settings and "
                                    f"parameters: {architecture(models[0])} and {architecture(model)}.")
        self.flat = StackedParameters(models)
        self.optimizer = task.new_optimizer([self.flat.all], 1.0)
        self.optimizer.lr = np.array(rates, self.flat.data.dtype)  # one for each column of the arrays
        self.own_optimizers: Dict[int, Any] = {}  # those of the runs that were compared
        self.names = [name for name, _ in models[0].named_parameters()]
        self.programs = {n: StackedProgram(self.layers, task.loss_fn, self.flat, n, task.x.shape[1])
                         for n in {len(task.x[batch]) for batch in task.batches} | {len(task.x)}}

    def step(self, batch: slice) -> None:
        """Take a step on a batch."""
        self.programs[len(self.task.x[batch])].run(self.task.x[batch], self.task.y[batch])
        self.optimizer.step()

    def compared_step(self, batch: slice, run: int) -> None:
        """Take a step on a batch, and compare one of the runs with what its modules and its optimiser do themselves."""
        x, y = self.task.x[batch], self.task.y[batch]
        parameters = list(self.models[run].parameters())
        own = self._own_optimizer(run, parameters)
        loss, grads = self._by_modules(run, x, y)
        self.programs[len(x)].run(x, y)
        self._compare_gradient(run, x, y, loss, grads)
        for parameter, column in zip(parameters, self._columns(self.flat.grad, run)):
            parameter.grad = column
        own.step()
        self.optimizer.step()
        self._compare("After the step, {} of run {}", run, self.flat.data, [p.data for p in parameters],
                      UPDATE_TOLERANCES)
        for kind, array in self.optimizer._states[0].items():
            self._compare(f"After the step, the optimiser's {kind} of {{}} in run {{}}", run, array,
                          [state[kind] for state in own._states], UPDATE_TOLERANCES)

    def predict(self) -> np.ndarray:
        """Return the predictions of all runs on all of the data, (runs, N, K)."""
        return self.programs[len(self.task.x)].predict(self.task.x)

    def parameters(self) -> List[np.ndarray]:
        """Return the parameters, each with the runs as its first axis."""
        return [np.moveaxis(self.flat.view(self.flat.data, parameter), -1, 0).copy()
                for parameter in self.models[0].parameters()]

    # ------------------------------------------------------------------ comparing one of the runs

    def _columns(self, array: np.ndarray, run: int) -> List[np.ndarray]:
        """Return what belongs to each parameter of a run, as copies."""
        return self.flat.split(array[:, run].copy())

    def _own_optimizer(self, run: int, parameters: Sequence[Parameter]) -> Any:
        """Return a run's own optimiser; give it and the run's model the values of now."""
        if run not in self.own_optimizers:
            self.own_optimizers[run] = self.task.new_optimizer(parameters, self.rates[run])
        own = self.own_optimizers[run]
        own.step_count = self.optimizer.step_count
        for parameter, column in zip(parameters, self._columns(self.flat.data, run)):
            parameter.data = column
        for name, array in self.optimizer._states[0].items():
            for state, column in zip(own._states, self._columns(array, run)):
                state[name] = column
        require_reset(own.zero_grad, parameters, self.names)
        return own

    def _by_modules(self, run: int, x: np.ndarray, y: np.ndarray) -> Tuple[Any, List[np.ndarray]]:
        """Return the loss and the gradients of a run as its modules compute them."""
        model = self.models[run]
        loss = self.task.loss_fn(model(x), y)
        model.backward(self.task.loss_fn.backward())
        return loss, [parameter.grad for parameter in model.parameters()]

    def _compare_gradient(self, run: int, x: np.ndarray, y: np.ndarray, loss: Any, grads: List[np.ndarray]) -> None:
        """Raise DifferentResult unless the last gradient of a run is the one that its modules have computed."""
        ours = self.task.loss_fn(self.programs[len(x)].preds(run), y)
        if not np.isfinite(loss) and not np.isfinite(ours):
            return
        rounding = Expected(loss, grads, [], []).rounding(x)
        try:
            require_same(f"The loss of run {run}", x.dtype.type(ours), x.dtype.type(loss), TOLERANCES, rounding)
            self._compare("The gradient of {} in run {}", run, self.flat.grad, grads, TOLERANCES, rounding)
        except DifferentResult:
            if x.dtype != np.float32:
                raise
            self._compare_in_float64(run, x.astype(np.float64), y)

    def _compare(self, what: str, run: int, array: np.ndarray, expected: Sequence[np.ndarray],
                 tolerances: Dict[str, float], rounding: float = 0.0) -> None:
        """Raise DifferentResult unless a run's column of an array holds the expected tensors, whose names go into what.
        """
        whole = np.concatenate([tensor.ravel() for tensor in expected])
        if np.abs(array[:, run] - whole).max() <= rounding:
            return  # all tensors at once
        for name, ours, theirs in zip(self.names, self._columns(array, run), expected):
            require_same(what.format(name, run), ours, theirs, tolerances, rounding)

    def _compare_in_float64(self, run: int, x: np.ndarray, y: np.ndarray) -> None:
        """Raise DifferentResult if a run's gradient differs in float64, too; see CompiledGradient.agrees_in_float64."""
        twin = copy.deepcopy(self.models[run]).astype(np.float64)
        alone = NetworksTogether(self.task._replace(x=x, y=y, batches=[slice(None)]), [twin], [0.0])
        twin._zero_grad()
        loss, grads = alone._by_modules(0, x, y)
        alone.programs[len(x)].run(x, y)
        alone._compare_gradient(0, x, y, loss, grads)


def architecture(model: Module) -> List[Any]:
    """Return what networks that are trained at once have in common: their layers, with settings and parameters."""
    found: List[Any] = [replaced_method(container, ()) for container in containers(model)]
    for layer in flat_layers(model):
        settings = RULES[type(layer)].settings if type(layer) in RULES else ()
        found.append((type(layer), [getattr(layer, name, None) for name in settings], replaced_method(layer, ())))
        found += [(parameter.name, parameter.data.shape, parameter.data.dtype, parameter.constant)
                  for parameter in vars(layer).values() if isinstance(parameter, Parameter)]
    return found
