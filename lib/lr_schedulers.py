"""Learning rate schedules: how the learning rate changes from epoch to epoch.

A new schedule leaves the optimiser's rate as it is, for the first epoch. `step()`, called at the end of each epoch,
counts it and sets the rate of the next: after k calls, the optimiser has the rate of epoch k, where the epochs count
from 0. A schedule may just as well count training steps: then call `step()` after each of these.
"""
from __future__ import annotations

from math import cos, pi
from typing import Callable, Sequence

from lib.optimizers import Optimizer
from lib.validation import InputError, name_of, require_positive, require_size


class LambdaLR:
    """The rate that a function gives: lr_lambda(epoch), in absolute terms.

    (PyTorch's scheduler of this name multiplies the initial rate by the function's value.)

    Args:
        optimizer: the optimiser; its rate at this moment is kept as `initial_lr`, and holds until the first step().
        lr_lambda: from the epoch, counted from 0, to the learning rate.

    Raises:
        TypeError: optimizer isn't an Optimizer.
    """

    def __init__(self, optimizer: Optimizer, lr_lambda: Callable[[int], float]) -> None:
        if not isinstance(optimizer, Optimizer):
            given = f"the class {optimizer.__name__}" if isinstance(optimizer, type) else f"a {name_of(optimizer)}"
            raise TypeError(f"{name_of(self)} expects an optimizer, such as SGD(model.parameters(), lr=0.1), as its "
                            f"first argument, but got {given}.")
        if not callable(lr_lambda):
            raise InputError(f"{name_of(self)} expects a function from the epoch to the rate, such as "
                             f"lambda epoch: 0.1 * 0.9 ** epoch, but got {lr_lambda!r}.")
        self.optimizer, self.lr_lambda = optimizer, lr_lambda
        self.initial_lr = optimizer.lr
        self.last_epoch = 0

    def step(self) -> None:
        """Go on to the next epoch, and set the optimiser's rate to that epoch's."""
        rate = self.lr_lambda(self.last_epoch + 1)
        require_positive(f"the learning rate of epoch {self.last_epoch + 1}", rate, self, zero_allowed=True)
        self.last_epoch += 1
        self.optimizer.lr = rate


class PiecewiseConstantLR(LambdaLR):
    """A rate that changes after given epochs: learning_rates[i] for the epochs after epochs[i], until the next change.

    In epoch epochs[i] itself, the rate before still holds. Up to epochs[0], that is the optimiser's initial rate.

    Args:
        optimizer: the optimiser.
        epochs: after which the rate changes, increasing.
        learning_rates: as many rates.
    """

    def __init__(self, optimizer: Optimizer, epochs: Sequence[int], learning_rates: Sequence[float]) -> None:
        super().__init__(optimizer, self._rate)
        if not all(hasattr(given, "__getitem__") and hasattr(given, "__len__") for given in (epochs, learning_rates)):
            raise InputError("PiecewiseConstantLR expects lists of epochs and rates, such as [10, 20] and [0.1, 0.01], "
                             f"but got {epochs!r} and {learning_rates!r}.")
        self.epochs, self.learning_rates = list(epochs), list(learning_rates)
        for epoch in self.epochs:
            require_size("each of the epochs", epoch, self, least=0)
        if any(later <= earlier for earlier, later in zip(self.epochs, self.epochs[1:])):
            raise InputError(f"PiecewiseConstantLR expects increasing epochs, such as [10, 20], but got {self.epochs}.")
        if len(self.learning_rates) != len(self.epochs):
            raise InputError(f"PiecewiseConstantLR expects as many learning rates as epochs, as up to the first the "
                             f"optimiser's own rate holds, but got {len(self.learning_rates)} rates for "
                             f"{len(self.epochs)} epochs.")
        for learning_rate in self.learning_rates:
            require_positive("each learning rate", learning_rate, self, zero_allowed=True)

    def _rate(self, epoch: int) -> float:
        num_changes = sum(epoch > change for change in self.epochs)
        return ([self.initial_lr] + self.learning_rates)[num_changes]


class CosineAnnealingLR(LambdaLR):
    """Half a cosine wave from the initial rate down to eta_min:

        rate(epoch) = eta_min + (initial_lr - eta_min) * (1 + cos(pi * epoch / T_max)) / 2

    The smallest rate is reached at epoch T_max; after it the wave rises again.

    Args:
        optimizer: its rate is initial_lr.
        T_max: the number of epochs of the way down.
        eta_min: the smallest rate.

    Source: I. Loshchilov, F. Hutter: SGDR: stochastic gradient descent with warm restarts, ICLR 2017.
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0) -> None:
        require_size("T_max", T_max, self)
        require_positive("eta_min", eta_min, self, zero_allowed=True)
        super().__init__(optimizer, self._rate)
        self.T_max, self.eta_min = T_max, eta_min

    def _rate(self, epoch: int) -> float:
        return self.eta_min + (self.initial_lr - self.eta_min) * (1 + cos(pi * epoch / self.T_max)) / 2
