"""Schedules of the learning rate beyond the sheets'."""
from __future__ import annotations

from typing import Optional

from lib.lr_schedulers import LambdaLR
from lib.optimizers import Optimizer
from lib.validation import InputError, require_positive, require_size


class StepLR(LambdaLR):
    """A rate that is multiplied by gamma every step_size epochs:

        rate(epoch) = initial_lr * gamma^floor(epoch / step_size)

    Args:
        optimizer: its rate is initial_lr.
        step_size: epochs from one change to the next.
        gamma: the factor.
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1) -> None:
        require_size("step_size", step_size, self)
        require_positive("gamma", gamma, self, zero_allowed=True)
        super().__init__(optimizer, self._rate)
        self.step_size, self.gamma = step_size, gamma

    def _rate(self, epoch: int) -> float:
        return self.initial_lr * self.gamma ** (epoch // self.step_size)


class LinearWarmup(LambdaLR):
    """A rate that rises in equal steps over the first num_epochs epochs, and then follows another schedule.

    With n = num_epochs, rate(epoch) = (epoch + 1) / n * initial_lr for epoch < n, so that the optimiser's own rate is
    reached in epoch n - 1. From there it stays, or goes on as the other schedule does from its own epoch 0. Unlike the
    sheets' schedules, this one sets the rate of epoch 0 at once.

    Args:
        optimizer: its rate is initial_lr.
        num_epochs: the length of the warm-up.
        after: a new schedule of the same optimiser, such as CosineAnnealingLR(optimizer, T_max=20), made before this
            one. Call step() of the warm-up only.

    Source: P. Goyal et al.: Accurate, large minibatch SGD: training ImageNet in 1 hour, 2017.
    """

    def __init__(self, optimizer: Optimizer, num_epochs: int, after: Optional[LambdaLR] = None) -> None:
        require_size("num_epochs", num_epochs, self)
        if after is not None and (getattr(after, "optimizer", None) is not optimizer or after.last_epoch != 0):
            raise InputError("LinearWarmup expects as `after` a new schedule of the same optimizer.")
        super().__init__(optimizer, self._rate)
        self.num_epochs, self.after = num_epochs, after
        optimizer.lr = self._rate(0)

    def step(self) -> None:
        """Go on to the next epoch, and set the optimiser's rate to that epoch's."""
        if self.after is None or self.last_epoch + 1 < self.num_epochs:
            super().step()
        else:
            self.last_epoch += 1
            self.after.step()

    def _rate(self, epoch: int) -> float:
        return self.initial_lr * min(1.0, (epoch + 1) / self.num_epochs)
