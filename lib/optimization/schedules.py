"""Schedules of the learning rate beyond the sheets'."""
from __future__ import annotations

from typing import Any, Dict, Mapping, Optional

from lib.lr_schedulers import LRScheduler
from lib.validation import InputError, require_positive, require_size


class StepLR(LRScheduler):
    """A rate that is multiplied by gamma every step_size epochs:

        rate(epoch) = base_lr * gamma^floor(epoch / step_size)

    Args:
        optimizer: its rate is base_lr.
        step_size: epochs from one change to the next.
        gamma: the factor.
    """

    def __init__(self, optimizer: Any, step_size: int, gamma: float = 0.1) -> None:
        require_size("step_size", step_size, self)
        require_positive("gamma", gamma, self, zero_allowed=True)
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer)

    def rate(self, epoch: int) -> float:
        return self.base_lr * self.gamma ** (epoch // self.step_size)


class LinearWarmup(LRScheduler):
    """A rate that rises in equal steps over the first num_epochs epochs, and then follows another schedule.

    With n = num_epochs, rate(epoch) = (epoch + 1) / n * base_lr for epoch < n, so that the base rate is reached in
    epoch n - 1. From there it stays, or goes on as the other schedule does from its own epoch 0.

    Args:
        optimizer: its rate is base_lr.
        num_epochs: the length of the warm-up.
        after: a scheduler of the same optimiser, such as CosineAnnealingLR(optimizer, T_max=20). Call step() of the
            warm-up only.

    Source: P. Goyal et al.: Accurate, large minibatch SGD: training ImageNet in 1 hour, 2017.
    """

    def __init__(self, optimizer: Any, num_epochs: int, after: Optional[LRScheduler] = None) -> None:
        require_size("num_epochs", num_epochs, self)
        if after is not None and getattr(after, "optimizer", None) is not optimizer:
            raise InputError("LinearWarmup expects as `after` a scheduler of the same optimizer.")
        self.num_epochs, self.after = num_epochs, after
        super().__init__(optimizer)

    def rate(self, epoch: int) -> float:
        full = self.base_lr if self.after is None else self.after.rate(max(0, epoch - (self.num_epochs - 1)))
        return full * min(1.0, (epoch + 1) / self.num_epochs)

    def state_dict(self) -> Dict[str, float]:
        inner = {} if self.after is None else self.after.state_dict()
        return {**super().state_dict(), **{f"after.{name}": value for name, value in inner.items()}}

    def _take_over(self, numbers: Mapping[str, float]) -> None:
        super()._take_over(numbers)
        if self.after is not None:
            prefix = "after."
            self.after._take_over({name[len(prefix):]: number for name, number in numbers.items()
                                   if name.startswith(prefix)})
