"""How a training step is executed: by the modules, as the maths is written, or compiled."""
from __future__ import annotations

from typing import Any, Optional

from lib.network_base import Module


def make_step(model: Module, loss_fn: Any, optimizer: Any, clip_norm: Optional[float] = None) -> Any:
    """Return an object whose `step(x_batch, y_batch)` trains the model on a batch, and whose `sync()` ends its work.

    It is the compiled one, which computes the same faster, wherever that knows all the layers.
    """
    from lib.steps.compiled import CompiledStep, supports  # which builds upon ReadableStep
    from lib.steps.readable import ReadableStep
    step = CompiledStep if supports(model, loss_fn, optimizer) else ReadableStep
    return step(model, loss_fn, optimizer, clip_norm)
