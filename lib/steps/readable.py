"""One training step, as the maths is written: forward, loss, backward, update."""
from __future__ import annotations

from typing import Any, Callable, Optional, Tuple

import numpy as np

from lib.network_base import Module


class ReadableStep:
    """A training step by the code of the modules, the loss and the optimiser.

    The CompiledStep has the same methods with the same meaning: the learning rate is read from the optimiser at each
    step, and parameters that were changed between two steps count as changed.

    Args:
        model: the network.
        loss_fn: the loss; its backward may add gradients of its own, as that of a regularised loss does.
        optimizer: updates the model's parameters from their gradients.
        clip: shortens the gradients of the parameters that it is given, such as partial(clip_grad_norm, max_norm=1).
    """

    def __init__(self, model: Module, loss_fn: Any, optimizer: Any,
                 clip: Optional[Callable[..., Any]] = None) -> None:
        self.model, self.loss_fn, self.optimizer, self.clip = model, loss_fn, optimizer, clip

    def step(self, x_batch: np.ndarray, y_batch: np.ndarray, *sample_weight: np.ndarray) -> Tuple[float, np.ndarray]:
        """Take one step on a batch.

        Args:
            x_batch: inputs, (batch, ...).
            y_batch: labels, in the shape that the loss expects.
            sample_weight: the weights of the examples, (batch,), for a loss that takes them.

        Returns:
            The loss and the predictions, both from before the update. The predictions are only valid until the next
            step, which may reuse their memory.
        """
        self.optimizer.zero_grad()
        preds = self.model(x_batch)
        loss = self.loss_fn(preds, y_batch, *sample_weight)
        self.model.backward(self.loss_fn.backward())
        if self.clip is not None:
            self.clip(self.model.parameters())
        self.optimizer.step()
        return loss, preds

    def look_for_changes(self) -> None:
        """Say that foreign code has run in the middle of an epoch, which may have changed the model. Nothing to do."""

    def end_epoch(self) -> None:
        """Say that an epoch is over. Nothing to do."""
