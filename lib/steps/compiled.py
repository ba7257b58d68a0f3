"""The fast path: a Sequential with its loss and optimiser, executed in place on arrays that are allocated once.

The modules of `lib` compute what is compiled here as it is taught, and stay the definition of what is right: in the
first step, both compute the gradient, and it is compared. `lib.steps.readable` uses this path wherever
`why_not_compiled` has nothing against it.

What makes it fast: no array is allocated during a step; each W and its b are one matrix, and all parameters one vector
with one update; softmax, cross-entropy and the mean over the batch are one formula; the gradient with respect to the
network's input, which nobody needs, isn't computed, and the loss only when asked for.
"""
from __future__ import annotations

from typing import Any, Dict, List, Optional, Tuple

import numpy as np

from lib.steps.layers import RULES
from lib.steps.losses import LOSS_RULES
from lib.steps.memory import FlatParameters, NotCompilable
from lib.steps.program import Program
from lib.steps.update import MIN_SIZE, Descent, find_descent
from lib.regularizers import RegularizedCrossEntropy
from lib.losses import CrossEntropyLoss
from lib.network import Sequential
from lib.network_base import Module
from lib.optimization.elementwise import Elementwise, State
from lib.optimizers import Optimizer
from lib.optimization.clipping import clip_grad_norm
from lib.steps.readable import ReadableStep
from lib.validation import as_float, require_one_hot

MAX_PROGRAMS = 4  # batch sizes whose arrays are kept
TOLERANCES = {"f": 1e-3, "d": 1e-8}  # of the first step's comparison, relative to the greatest entry


def compile_step(model: Module, loss_fn: Any, optimizer: Any, clip_norm: Optional[float] = None) -> "CompiledStep":
    """Return a training step that computes what ReadableStep does, in place.

    Raises:
        NotCompilable: with the sentence of `why_not_compiled`.
    """
    reason = why_not_compiled(model, loss_fn, optimizer)
    if reason is not None:
        raise NotCompilable(reason)
    return CompiledStep(model, loss_fn, optimizer, clip_norm)


def supports(model: Module, loss_fn: Any, optimizer: Any) -> bool:
    """Return whether the compiled path can train this model."""
    return why_not_compiled(model, loss_fn, optimizer) is None


def why_not_compiled(model: Module, loss_fn: Any, optimizer: Any) -> Optional[str]:
    """Return a sentence that says why the compiled path can't train this model, or None if it can."""
    layers = flat_layers(model)
    loss_fn = plain_loss(loss_fn)
    for module in layers + [loss_fn]:
        if type(module) not in RULES and type(module) not in LOSS_RULES:
            return f"There is no rule to compile {type(module).__name__} by."
        if {"forward", "backward"} & set(vars(module)):
            return f"{type(module).__name__} has a forward or backward of its own."
    if len(set(map(id, layers))) < len(layers):
        return "A layer stands in the model twice."
    if not (isinstance(optimizer, Optimizer) and type(optimizer).step in (Optimizer.step, Elementwise.step)
            and optimizer.is_elementwise):
        return f"{type(optimizer).__name__} isn't an Optimizer whose rule treats each entry by itself."
    parameters = [parameter for layer in layers for parameter in layer.parameters()]
    ids = {id(parameter) for parameter in parameters}
    if not parameters or len(ids) < len(parameters) or ids != {id(parameter) for parameter in optimizer._params}:
        return "The optimiser doesn't train exactly the model's parameters, each of them standing there once."
    if {parameter.data.dtype.char for parameter in parameters} not in ({"f"}, {"d"}):
        return "The parameters are not all float32 or all float64."
    return None


def flat_layers(model: Module) -> List[Module]:
    """Return the layers of a Sequential in forward order, with those of the Sequentials inside it."""
    if type(model) is Sequential:
        return [layer for module in model.modules for layer in flat_layers(module)]
    return [model]


def plain_loss(loss_fn: Any) -> Any:
    """Return the loss without a penalty on the parameters."""
    return loss_fn.ce_loss if type(loss_fn) is RegularizedCrossEntropy else loss_fn


class CompiledStep:
    """A training step in place; it stands in for a ReadableStep, see there.

    The parameters' `data` and `grad`, and the optimiser's state, become views of flat vectors: they are up to date
    after each step, but for the gradients of a large network in plain gradient descent, which are so after `sync`. An
    array that somebody puts in their place between two steps is noticed, and taken over. What can't be compiled, such
    as a batch of another precision, is computed by the ReadableStep.

    In the first step, the modules compute the gradient, too, and both are compared: a network whose modules compute
    something else (an exercise being solved, say) is trained by its modules.
    """

    def __init__(self, model: Module, loss_fn: Any, optimizer: Optimizer, clip_norm: Optional[float] = None) -> None:
        self.model, self.loss_fn, self.optimizer, self.clip_norm = model, loss_fn, optimizer, clip_norm
        self.readable = ReadableStep(model, loss_fn, optimizer, clip_norm)
        self._is_compared, self._is_trusted = False, True
        self._check_labels = getattr(plain_loss(loss_fn), "check_labels", None)
        if isinstance(plain_loss(loss_fn), CrossEntropyLoss):
            self._check_labels = lambda labels: require_one_hot("CrossEntropyLoss", labels)
        self._labels: Any = None  # those of the last batch, which are checked
        self._last: Any = None  # the program and the batch of the last step
        self._bind()

    def step(self, x_batch: np.ndarray, y_batch: np.ndarray, with_loss: bool = True) -> Tuple[Any, np.ndarray]:
        """Take one step on a batch, as ReadableStep.step does; without with_loss, the loss returned is None."""
        program = self.program(x_batch, y_batch)
        if program is not None and not self._is_compared:
            self._compare_with_modules(program, x_batch, y_batch)
        if program is None or not self._is_trusted:
            self._last = None
            return self.readable.step(x_batch, y_batch)
        if y_batch is not self._labels and self._check_labels is not None:
            self._check_labels(as_float(y_batch))
            self._labels = y_batch
        self._last = program, x_batch, y_batch
        program.run(x_batch, y_batch)
        penalty = self._add_penalty(with_loss)
        if self.clip_norm is not None:
            clip_grad_norm(self.optimizer._params, self.clip_norm)
        self.optimizer.step_count += 1
        for data, grad in program.left:
            self.optimizer.update(data, grad, self.optimizer_state)
        return program.loss() + penalty if with_loss else None, program.preds

    def sync(self) -> None:
        """Bring the gradients up to date; check that the model is still built as it was."""
        if self._last is not None:
            program, x_batch, y_batch = self._last
            if program.find_rest is not None:
                program.find_rest(x_batch, y_batch)
            self._last = None
        if self._flat is None or flat_layers(self.model) != self._layers or \
                [id(parameter) for layer in self._layers for parameter in layer.parameters()] != self._ids:
            self._bind()

    def program(self, x_batch: Any, y_batch: Any) -> Optional[Program]:
        """Return the program for batches of this shape, or None where there can't be one."""
        if self._is_trusted and not self._is_bound():
            self._bind()
        if self._flat is None or type(x_batch) is not np.ndarray or type(y_batch) is not np.ndarray:
            return None
        key = (x_batch.shape, y_batch.shape, x_batch.dtype, y_batch.dtype)
        try:
            return self._programs[key]
        except KeyError:
            pass
        if len(self._programs) >= MAX_PROGRAMS:
            self._programs.clear()
        program = None
        # integers become float64; what comes out of a batch in another precision than the weights', the modules decide
        precision = x_batch.dtype if x_batch.dtype.kind == "f" else np.dtype(np.float64)
        if precision == self._flat.data.dtype and x_batch.size and x_batch.ndim > 1:
            try:
                program = Program(self._layers, plain_loss(self.loss_fn), self._flat, x_batch, y_batch, self._descent)
            except NotCompilable:
                pass
        self._programs[key] = program
        return program

    # ------------------------------------------------------------------ memory

    def _bind(self) -> None:
        """Lay out the parameters and the optimiser's state as flat vectors; forget all programs."""
        self._programs: Dict[Any, Optional[Program]] = {}
        self._flat: Any = None
        self._last = None
        if not self._is_trusted or not supports(self.model, self.loss_fn, self.optimizer):
            return
        self._layers = flat_layers(self.model)
        self._ids = [id(parameter) for layer in self._layers for parameter in layer.parameters()]
        self._settings: List[Tuple[Any, str, Any]] = [(layer, name, getattr(layer, name)) for layer in self._layers
                                                      for name in RULES[type(layer)].settings]
        flat = self._flat = FlatParameters(self._layers)
        self._descent: Optional[Descent] = None
        if self.clip_norm is None and type(self.loss_fn) is not RegularizedCrossEntropy:  # which need the gradient
            self._descent = find_descent(self.optimizer, flat.data)
        if flat.data.size >= MIN_SIZE:  # what find_descent's answer depends on
            self._settings += [(self.optimizer, name, getattr(self.optimizer, name))
                               for name in ("momentum", "weight_decay", "update") if hasattr(self.optimizer, name)]
        self.optimizer_state = self.optimizer.init_state(flat.data)
        self._state_views: List[Tuple[State, str, np.ndarray]] = []
        for parameter, own_state in zip(self.optimizer._params, self.optimizer._states):
            for name, vector in self.optimizer_state.items():
                view = flat.view(vector, parameter)
                view[...] = own_state[name]
                own_state[name] = view
                self._state_views.append((own_state, name, view))

    def _is_bound(self) -> bool:
        """Return whether parameters, state and settings are those that the programs were made for."""
        if self._flat is None or not self._flat.are_in_place():
            return False
        for layer, name, value in self._settings:
            if getattr(layer, name) != value:
                return False
        for own_state, name, view in self._state_views:
            if own_state[name] is not view:
                return False
        return True

    # ------------------------------------------------------------------ parts of a step

    def _add_penalty(self, with_loss: bool) -> float:
        """Add the gradient of the loss's penalty on the parameters, if it has one; returns the penalty if asked."""
        if type(self.loss_fn) is not RegularizedCrossEntropy:
            return 0.0
        penalty = self.loss_fn.reg_loss() if with_loss else 0.0
        self.loss_fn.reg_loss.backward(None)
        return penalty

    def _compare_with_modules(self, program: Program, x_batch: np.ndarray, y_batch: np.ndarray) -> None:
        """Trust the compiled path only if the modules compute the same gradient on this batch."""
        self._is_compared = True
        if not self._zero_grad_resets():
            self._is_trusted, self._flat = False, None
            return
        random_state = np.random.get_state()
        generators = [vars(layer)["rng"] for layer in self._layers if vars(layer).get("rng") is not None]
        generator_states = [generator.bit_generator.state for generator in generators]

        def restart_random_numbers() -> None:
            np.random.set_state(random_state)
            for generator, state in zip(generators, generator_states):
                generator.bit_generator.state = state

        self.optimizer.zero_grad()
        self.loss_fn(self.model(x_batch), y_batch)
        self.model.backward(self.loss_fn.backward())
        expected = [parameter.grad for parameter in self.optimizer._params]
        restart_random_numbers()
        self._is_bound()  # the gradients are views again
        program.find_gradient(x_batch, y_batch)
        self._add_penalty(with_loss=False)
        restart_random_numbers()
        for parameter, grad in zip(self.optimizer._params, expected):
            tolerance = TOLERANCES[grad.dtype.char] * np.abs(grad).max()
            if np.abs(parameter.grad - grad).max() > tolerance:
                self._is_trusted, self._flat = False, None

    def _zero_grad_resets(self) -> bool:
        """Return whether the optimiser's zero_grad sets gradients to zero; they are afterwards what they were."""
        parameters = self.optimizer._params
        before = [parameter.grad for parameter in parameters]
        for parameter in parameters:
            parameter.grad = np.ones_like(parameter.data)
        self.optimizer.zero_grad()
        resets = all(parameter.grad is not None and not parameter.grad.any() for parameter in parameters)
        for parameter, grad in zip(parameters, before):
            parameter.grad = grad
        return resets
