"""How a training step is executed: by the modules' own code, or compiled, where that is asked for by name.

A step computes the loss of a batch and its gradient, and lets the optimiser update the parameters. `ReadableStep` has
the modules and the optimiser do that: what you wrote is what runs. `CompiledStep` computes the same by a program of
NumPy calls on arrays that are allocated once: each layer and loss that it knows has a *rule*, which states its
*operations*. In memory, all parameters are one *flat* vector while an epoch runs.
"""
from __future__ import annotations

from typing import Any, Callable, Optional

from lib.network_base import Module


def make_step(model: Module, loss_fn: Any, optimizer: Any, clip: Optional[Callable[..., Any]] = None,
              compiled: bool = False) -> Any:
    """Return an object whose `step(x_batch, y_batch)` trains the model on a batch; `end_epoch()` ends an epoch.

    Args:
        model, loss_fn, optimizer, clip: see ReadableStep.
        compiled: whether to execute the step by a CompiledStep.

    Raises:
        NotCompilable: this model, loss or optimiser can't be compiled; the message says why.
    """
    if compiled:
        from lib.steps.compiled import CompiledStep  # loaded only by who asks for it
        return CompiledStep(model, loss_fn, optimizer, clip)
    from lib.steps.readable import ReadableStep
    return ReadableStep(model, loss_fn, optimizer, clip)
