"""Comparing what is compiled with what the modules and the optimiser compute themselves."""
from __future__ import annotations

from contextlib import contextmanager
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Sequence

import numpy as np

from lib.network_base import Module, Parameter

TOLERANCES = {"f": 1e-3, "d": 1e-8}  # of losses and gradients, relative to the greatest entry of a tensor
UPDATE_TOLERANCES = {"f": 1e-6, "d": 1e-14}  # of an update from the same gradient, relative to the greatest entry
MAX_ROUNDING = 100  # in units of the precision: how far sums of terms of about 1, which cancel out, may lie apart

ADVICE = ("With compiled=True, something else than what is written would be trained. If a class of yours is wrong, "
          "check_gradients says where; if it is right as it is, leave compiled out.")


class DifferentResult(RuntimeError):
    """What was compiled computes something else than the modules or the optimiser do; the message names the tensor."""


class Expected(NamedTuple):
    """What the modules' and the optimiser's own code make of a batch.

    Attributes:
        loss: the loss.
        grads: the gradient of each parameter.
        data: the parameters after the step.
        states: for each parameter, what the optimiser remembers of it after the step.
    """

    loss: Any
    grads: List[np.ndarray]
    data: List[np.ndarray]
    states: List[Dict[str, np.ndarray]]

    def rounding(self, x_batch: np.ndarray) -> float:
        """Return how far a gradient may lie apart at the least: its summands may be large, and cancel out."""
        unit = float(np.finfo(x_batch.dtype).eps)
        return MAX_ROUNDING * unit * max(1.0, abs(float(self.loss))) * max(1.0, float(np.abs(x_batch).max(initial=0)))


def require_same(what: str, compiled: Any, expected: Any, tolerances: Dict[str, float], rounding: float = 0.0) -> None:
    """Raise DifferentResult, with the entry that differs most, unless two tensors are the same but for rounding.

    Args:
        what: the name of the tensor.
        compiled, expected: its values, compiled and by the modules' own code.
        tolerances: by precision, how far both may lie apart, relative to the greatest entry.
        rounding: a difference that is allowed in any case.
    """
    compiled, expected = np.asarray(compiled), np.asarray(expected)
    if compiled.shape != expected.shape:
        raise DifferentResult(f"{what} has the shape {expected.shape} by the modules' and the optimiser's own code, "
                              f"but {compiled.shape} compiled. {ADVICE}")
    with np.errstate(invalid="ignore"):
        distance = np.where((compiled == expected) | (np.isnan(compiled) & np.isnan(expected)), 0,
                            np.abs(compiled - expected))
        greatest = np.abs(expected).max(initial=0, where=np.isfinite(expected))
        tolerance = tolerances[compiled.dtype.char] * greatest + rounding
        differs = ~(distance <= tolerance)
    if differs.any():
        entry = np.unravel_index(np.argmax(np.where(differs, distance, -1)), compiled.shape)
        where = f" at [{', '.join(map(str, entry))}]" if entry else ""
        raise DifferentResult(f"{what} is {expected[entry]:.8g}{where} by the modules' and the optimiser's own code, "
                              f"but {compiled[entry]:.8g} compiled. {ADVICE}")


def require_reset(zero_grad: Callable[[], Any], parameters: Sequence[Parameter], names: Sequence[str]) -> None:
    """Raise DifferentResult unless zero_grad sets the gradients to zeros, as compiled code takes for granted."""
    for parameter in parameters:
        parameter.grad = np.ones_like(parameter.data)
    zero_grad()
    for name, parameter in zip(names, parameters):
        if parameter.grad is None or np.any(parameter.grad):
            raise DifferentResult(f"zero_grad leaves the gradient of {name} as it was, but compiled code starts each "
                                  f"step with zeros. {ADVICE}")


@contextmanager
def random_states_kept(layers: Sequence[Module]) -> Iterator[None]:
    """Put NumPy's global random state and the layers' own generators back as they were, whatever is drawn meanwhile."""
    state = np.random.get_state()
    values = [value for layer in layers for value in vars(layer).values()]
    generators = [(value.bit_generator, value.bit_generator.state) for value in values
                  if isinstance(value, np.random.Generator)]
    old_style = [(value, value.get_state()) for value in values if isinstance(value, np.random.RandomState)]
    try:
        yield
    finally:
        np.random.set_state(state)
        for bit_generator, own_state in generators:
            bit_generator.state = own_state
        for generator, own_state in old_style:
            generator.set_state(own_state)
