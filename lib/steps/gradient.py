"""The compiled loss and gradient of a model, computed in place, and compared with the modules' own."""
from __future__ import annotations

import copy
from typing import Any, Callable, Dict, List, Optional, Tuple

import numpy as np

from lib.network_base import Module
from lib.steps.comparison import (TOLERANCES, DifferentResult, Expected, random_states_kept, require_reset,
                                  require_same)
from lib.steps.conditions import MODULE_METHODS, containers, flat_layers, loss_and_penalty, plain_loss, why_not_compiled
from lib.steps.convolutions import RULES
from lib.steps.losses import LOSS_RULES
from lib.steps.memory import FlatParameters, NotCompilable
from lib.steps.program import Program
from lib.validation import as_float

MAX_PROGRAMS = 4  # shapes of batches whose arrays are kept


class CompiledGradient:
    """The loss of a batch and its gradient, computed in place on arrays that are allocated once.

    What makes it fast: no array is allocated during a step; each W and its b are one matrix, and all parameters one
    vector; softmax, cross-entropy and the mean over the batch are one formula; the gradient with respect to the
    network's input, which nobody needs, isn't computed, and the loss only when asked for.

    The first batch after each `end_epoch`, and the first of each shape, is computed by the modules, too, and both are
    compared. Before each batch it is noticed if other arrays stand in the parameters' places, or if a layer's settings
    have changed, such as to eval mode. Exchanged layers and replaced methods are noticed after each `end_epoch` and
    when `look_for_changes` is called: in between, it takes your word that there are none.

    Args:
        model, loss_fn: the network and its loss.
        optimizer: what will update the parameters; None if nothing will.

    Raises:
        NotCompilable: the model or the loss can't be compiled; the message says why.
    """

    def __init__(self, model: Module, loss_fn: Any, optimizer: Any = None) -> None:
        self.model, self.loss_fn, self.optimizer = model, loss_fn, optimizer
        self._is_attached = False
        self._build()

    def find(self, x_batch: Any, y_batch: Any, with_loss: bool = True) -> Tuple[Any, np.ndarray]:
        """Compute the gradient of a batch's loss into the parameters' grad.

        Returns:
            The loss, or None without with_loss, and the predictions, which are valid until the next call.

        Raises:
            DifferentResult: the modules compute something else.
            NotCompilable: the batch can't be taken, or the model, which has changed, can't be compiled any more.
        """
        x, y = x_batch, y_batch
        if type(x) is not np.ndarray or type(y) is not np.ndarray or x.dtype.kind != "f" or y.dtype.kind != "f":
            x, y = as_float(x, self._layers[0]), as_float(y, self.loss_fn)
        program = self._programs.get((x.shape, y.shape, x.dtype, y.dtype))
        if program is None or not self._is_attached or not self._is_in_place():
            program = self._compared_program(x_batch, y_batch)
        if program.checked_labels != y.tobytes():
            self._check_labels(program, y)
        return self._run(program, x, y, with_loss)

    def look_for_changes(self) -> None:
        """Notice changes in the middle of an epoch, as foreign code has run: the next batch is compared again."""
        if self._is_attached and not (self._is_in_place() and self._is_as_built()):
            self.end_epoch()

    def end_epoch(self) -> None:
        """Give the parameters their own arrays back, with the values of now, for others to read and change."""
        if self._is_attached:
            self.flat.detach()
        self._is_attached = False

    def program(self, x_batch: np.ndarray, y_batch: np.ndarray) -> Program:
        """Return the program that was used for this batch."""
        return self._programs[key_of(x_batch, y_batch)]

    def _run(self, program: Program, x: np.ndarray, y: np.ndarray, with_loss: bool = True) -> Tuple[Any, np.ndarray]:
        """Compute the gradient by a program, with all that is added to it; returns loss and predictions."""
        program.run(x, y)
        for complete in self._completions:
            complete()
        if not with_loss:
            return None, program.preds
        loss = program.loss()
        return (loss if self._penalty is None else loss + self._penalty()), program.preds

    def _check_labels(self, program: Program, y: np.ndarray) -> None:
        """Check labels as the loss does itself; the same ones, byte by byte, aren't checked again."""
        loss_fn = plain_loss(self.loss_fn)
        LOSS_RULES[type(loss_fn)].check(loss_fn, y)
        program.checked_labels = y.tobytes()

    # ------------------------------------------------------------------ what the programs are built of

    def _build(self) -> None:
        """Lay out the parameters as a vector; forget all programs."""
        reason = self._why_not()
        if reason is not None:
            raise NotCompilable(f"compiled=True doesn't work here: {reason} Leave compiled out, and the modules' own "
                                "code does the work.")
        self._parts, self._layers = self._parts_of_now(), flat_layers(self.model)
        self._programs: Dict[Any, Program] = {}
        self._settings = [(layer, name, getattr(layer, name, None)) for layer in self._layers
                          for name in RULES[type(layer)].settings]
        self.flat = FlatParameters(self._layers)
        self._penalty = loss_and_penalty(self.loss_fn)[1]
        self._completions: List[Callable[..., Any]] = [] if self._penalty is None else [
            lambda: self._penalty.backward()]  # whatever it is then

    def _why_not(self) -> Optional[str]:
        return why_not_compiled(self.model, self.loss_fn, self.optimizer)

    def _parts_of_now(self) -> List[Any]:
        """Return the modules, methods, parameters and constant arrays of which a program would be built now."""
        layers = flat_layers(self.model)
        modules = [*containers(self.model), *layers, self.loss_fn, *loss_and_penalty(self.loss_fn)]
        methods = [getattr(type(module), name, None) for module in modules for name in MODULE_METHODS]
        held = [parameter for layer in layers for _, parameter in layer.named_parameters(constants=True)]
        return modules + methods + held + [parameter.data for parameter in held if parameter.constant]

    def _is_as_built(self) -> bool:
        """Return whether layers, methods and parameters are those that the programs were built of."""
        now = self._parts_of_now()
        return len(now) == len(self._parts) and all([a is b for a, b in zip(now, self._parts)]) and \
            self._why_not() is None

    def _are_settings_kept(self) -> bool:
        for layer, name, value in self._settings:
            if getattr(layer, name, None) != value:
                return False
        return True

    def _is_in_place(self) -> bool:
        """Return whether the parameters' arrays and the layers' settings are those that the programs work with."""
        for own, name, array in self._slots:
            if own[name] is not array:
                self.flat.restore_gradients()  # zero_grad puts others there, which is no matter
                if own[name] is not array:
                    return False
        return self._are_settings_kept()

    # ------------------------------------------------------------------ comparing with the modules

    def _attach(self) -> None:
        """Make the parameters' arrays parts of one vector."""
        self.flat.attach()
        self._slots = self.flat.slots()
        self._is_attached = True

    def _compared_program(self, x_batch: Any, y_batch: Any) -> Program:
        """Return the program for a batch, built anew if anything has changed, after comparing it with the modules."""
        self.end_epoch()
        if not (self._is_as_built() and self._are_settings_kept() and self.flat.fits()):
            self._build()
        with random_states_kept(self._layers):
            expected = self._expected(x_batch, y_batch)  # what doesn't fit is explained by the modules
        x, y = as_float(x_batch), as_float(y_batch)
        program = self._programs.get(key_of(x, y)) or self._compile(x, y)
        self._attach()
        try:
            with random_states_kept(self._layers):
                self._compare(program, x, y, expected)
        except BaseException:
            self.end_epoch()
            raise
        return program

    def _compile(self, x: np.ndarray, y: np.ndarray) -> Program:
        """Return a new program for batches like this one."""
        precision = self.flat.data.dtype
        if x.dtype != precision:
            raise NotCompilable(f"compiled=True needs inputs in the precision of the parameters, {precision}, but got "
                                f"{x.dtype}. Convert them by x.astype(np.{precision}), or the parameters by "
                                f"model.astype(np.{x.dtype}).")
        if len(self._programs) >= MAX_PROGRAMS:
            self._programs.clear()
        self._programs[key_of(x, y)] = program = Program(self._layers, plain_loss(self.loss_fn), self.flat, x, y)
        return program

    def _names(self) -> List[str]:
        """Return the names of the parameters in flat."""
        names = {id(parameter): name for name, parameter in self.model.named_parameters()}
        return [names[id(parameter)] for parameter in self.flat.parameters]

    def _expected(self, x_batch: Any, y_batch: Any) -> Expected:
        """Return what the modules make of a batch."""
        parameters = self.flat.parameters
        require_reset(self.model._zero_grad, parameters, self._names())
        loss = self.loss_fn(self.model(x_batch), y_batch)
        self.model.backward(self.loss_fn.backward())
        return Expected(loss, [parameter.grad for parameter in parameters], [], [])

    def _compare(self, program: Program, x: np.ndarray, y: np.ndarray, expected: Expected) -> None:
        """Raise DifferentResult unless the program's loss and gradient are the expected ones."""
        loss, _ = self._run(program, x, y)
        if not np.isfinite(expected.loss) and not np.isfinite(loss):
            return  # this shows by itself, and the gradients can't be compared
        rounding = expected.rounding(x)
        try:
            require_same("The loss", x.dtype.type(loss), x.dtype.type(expected.loss), TOLERANCES, rounding)
            for name, parameter, grad in zip(self._names(), self.flat.parameters, expected.grads):
                require_same(f"The gradient of {name}", parameter.grad, grad, TOLERANCES, rounding)
        except DifferentResult:
            if x.dtype != np.float32 or not self.agrees_in_float64(x, y):
                raise

    def agrees_in_float64(self, x: np.ndarray, y: np.ndarray) -> bool:
        """Return whether the same comparison in float64 finds no difference.

        In float32, an input of about 0 may lie on either side of a kink, such as ReLU's, by rounding alone.
        """
        self.end_epoch()
        try:
            self._twin()._compared_program(x.astype(np.float64), y.astype(np.float64))
            return True
        except DifferentResult:
            return False
        finally:
            self._attach()

    def _twin(self) -> "CompiledGradient":
        """Return the same for copies in float64 of all that takes part."""
        model, loss_fn = copy.deepcopy((self.model, self.loss_fn))
        return CompiledGradient(model.astype(np.float64), loss_fn)


def key_of(x: np.ndarray, y: np.ndarray) -> Any:
    """Return what batches for the same program have in common."""
    return x.shape, y.shape, x.dtype, y.dtype
