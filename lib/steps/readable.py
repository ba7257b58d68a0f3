"""One training step: the one place where forward, backward and update are put together.

`make_step` chooses how a step is executed; `train` and `fit` only ever call what it returns.
"""
from __future__ import annotations

from typing import Any, Optional, Tuple

import numpy as np

from lib.network_base import Module
from lib.optimization.clipping import clip_grad_norm


class ReadableStep:
    """A training step as the maths is written: forward, loss, backward, update.

    Whatever stands in for it has the same two methods and the same meaning: the learning rate is read from the
    optimiser at each step, and parameters that were changed between two steps count as changed.

    Args:
        model: the network.
        loss_fn: the loss; its backward may add gradients of its own, as that of a regularised loss does.
        optimizer: updates the model's parameters from their gradients.
        clip_norm: the greatest norm that the whole gradient may have; a longer one is shortened. None: any.
    """

    def __init__(self, model: Module, loss_fn: Any, optimizer: Any, clip_norm: Optional[float] = None) -> None:
        self.model, self.loss_fn, self.optimizer, self.clip_norm = model, loss_fn, optimizer, clip_norm

    def step(self, x_batch: np.ndarray, y_batch: np.ndarray) -> Tuple[float, np.ndarray]:
        """Take one step on a batch.

        Args:
            x_batch: inputs, (batch, ...).
            y_batch: labels, in the shape that the loss expects.

        Returns:
            The loss and the predictions, both from before the update. The predictions are only valid until the next
            step, which may reuse their memory.
        """
        self.optimizer.zero_grad()
        preds = self.model(x_batch)
        loss = self.loss_fn(preds, y_batch)
        self.model.backward(self.loss_fn.backward())
        if self.clip_norm is not None:
            clip_grad_norm(self.model.parameters(), self.clip_norm)
        self.optimizer.step()
        return loss, preds

    def sync(self) -> None:
        """Bring the model's parameters and the optimiser's memory up to date, for others to read: here they always are.

        A step that works on memory of its own writes it back here.
        """
