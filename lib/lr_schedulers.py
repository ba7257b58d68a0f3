"""Learning rate schedules: how the learning rate changes from epoch to epoch.

Epochs count from 0. A new scheduler sets the optimiser to the rate of epoch 0; `step()`, called at the end of each
epoch, sets the rate of the next. After k calls of `step()` the optimiser has rate(k), as in PyTorch. A schedule may
just as well count training steps: then call `step()` after each of these.
"""
from __future__ import annotations

from math import cos, pi
from typing import Any, Callable, Dict, Mapping, Sequence

import numpy as np

from lib.validation import InputError, name_of, require_positive, require_size


class LRScheduler:
    """Base class: counts the epochs and sets the optimiser's rate. A subclass defines `rate`.

    Args:
        optimizer: anything with an attribute lr; its rate at this moment is the schedule's base_lr.
    """

    def __init__(self, optimizer: Any) -> None:
        if not hasattr(optimizer, "lr"):
            raise InputError(f"{name_of(self)} expects an optimizer with an attribute lr as its first argument, but "
                             f"got a {name_of(optimizer)}.")
        self.optimizer = optimizer
        self.base_lr = float(optimizer.lr)
        self.epoch = 0
        self._set_rate()

    def rate(self, epoch: int) -> float:
        """Return the learning rate of an epoch, counted from 0."""
        raise NotImplementedError(f"{name_of(self)} doesn't define rate yet.")

    def step(self) -> None:
        """Go on to the next epoch and set the optimiser's rate to that epoch's."""
        self.epoch += 1
        self._set_rate()

    def _set_rate(self) -> None:
        rate = self.rate(self.epoch)
        require_positive(f"the learning rate of epoch {self.epoch}", rate, self, zero_allowed=True)
        self.optimizer.lr = float(rate)

    def state_dict(self) -> Dict[str, float]:
        """Return the numbers that a run needs to go on exactly."""
        return {"epoch": self.epoch, "base_lr": self.base_lr}

    def load_state_dict(self, saved: Mapping[str, Any]) -> None:
        """Take over what state_dict returned, and set the optimiser's rate to match.

        Raises:
            InputError: it isn't the state of such a scheduler; then nothing is changed.
        """
        own = self.state_dict()
        if set(saved) != set(own):
            raise InputError(f"{name_of(self)} can't load this state: expected {', '.join(own)}, but got "
                             f"{', '.join(map(str, saved)) or 'nothing'}.")
        loaded = {name: np.asarray(saved[name]) for name in own}
        for name, value in loaded.items():
            if value.shape != ():
                raise InputError(f"{name_of(self)} can't load this state: {name} should be a single number, but has "
                                 f"shape {value.shape}.")
            require_positive(name, value[()], self, zero_allowed=True)
        self._take_over({name: float(value) for name, value in loaded.items()})
        self._set_rate()

    def _take_over(self, numbers: Mapping[str, float]) -> None:
        self.epoch, self.base_lr = int(numbers["epoch"]), numbers["base_lr"]


class LambdaLR(LRScheduler):
    """The rate that a function gives: rate(epoch) = lr_lambda(epoch), in absolute terms.

    (PyTorch's scheduler of this name multiplies the initial rate by the function's value.)

    Args:
        optimizer: its own rate plays no part.
        lr_lambda: from the epoch, counted from 0, to the learning rate.
    """

    def __init__(self, optimizer: Any, lr_lambda: Callable[[int], float]) -> None:
        if not callable(lr_lambda):
            raise InputError(f"LambdaLR expects a function from the epoch to the rate, such as "
                             f"lambda epoch: 0.1 * 0.9 ** epoch, but got {lr_lambda!r}.")
        self.lr_lambda = lr_lambda
        super().__init__(optimizer)

    def rate(self, epoch: int) -> float:
        return self.lr_lambda(epoch)


class PiecewiseConstantLR(LRScheduler):
    """A rate that changes at given epochs: learning_rates[i] from epoch epochs[i] on, until the next change.

    Before epochs[0] the optimiser's own rate holds. With one rate more than epochs, learning_rates[0] holds there
    instead, and learning_rates[i + 1] from epochs[i] on.

    Args:
        optimizer: the optimiser.
        epochs: where the rate changes, increasing.
        learning_rates: as many rates as epochs, or one more.
    """

    def __init__(self, optimizer: Any, epochs: Sequence[int], learning_rates: Sequence[float]) -> None:
        self.epochs, self.learning_rates = list(epochs), list(learning_rates)
        if any(later <= earlier for earlier, later in zip(self.epochs, self.epochs[1:])):
            raise InputError(f"PiecewiseConstantLR expects increasing epochs, such as [10, 20], but got {self.epochs}.")
        if len(self.learning_rates) - len(self.epochs) not in (0, 1):
            raise InputError(f"PiecewiseConstantLR expects as many learning rates as epochs, or one more for the time "
                             f"before the first, but got {len(self.learning_rates)} rates for {len(self.epochs)} "
                             "epochs.")
        for learning_rate in self.learning_rates:
            require_positive("each learning rate", learning_rate, self, zero_allowed=True)
        super().__init__(optimizer)

    def rate(self, epoch: int) -> float:
        first = [self.base_lr] if len(self.learning_rates) == len(self.epochs) else []
        num_changes = sum(epoch >= change for change in self.epochs)
        return (first + self.learning_rates)[num_changes]


class CosineAnnealingLR(LRScheduler):
    """Half a cosine wave from the base rate down to eta_min:

        rate(epoch) = eta_min + (base_lr - eta_min) * (1 + cos(pi * epoch / T_max)) / 2

    The smallest rate is reached at epoch T_max; after it the wave rises again.

    Args:
        optimizer: its rate is base_lr.
        T_max: the number of epochs of the way down.
        eta_min: the smallest rate.

    Source: I. Loshchilov, F. Hutter: SGDR: stochastic gradient descent with warm restarts, ICLR 2017.
    """

    def __init__(self, optimizer: Any, T_max: int, eta_min: float = 0.0) -> None:
        require_size("T_max", T_max, self)
        require_positive("eta_min", eta_min, self, zero_allowed=True)
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer)

    def rate(self, epoch: int) -> float:
        return self.eta_min + (self.base_lr - self.eta_min) * (1 + cos(pi * epoch / self.T_max)) / 2
