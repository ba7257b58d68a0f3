"""What the optimisers beyond the sheets' have in common: a rule for one array, and a state for each parameter."""
from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Dict, Iterable, List

import numpy as np

from lib.network_base import Parameter
from lib.optimizers import Optimizer
from lib.inspection.trained import require_step_gradients

State = Dict[str, np.ndarray]


class Elementwise(Optimizer, ABC):
    """An optimiser whose rule treats each entry by itself; a subclass defines `update`.

    It asks of Optimizer only what the sheet's has, `_params` and `lr`, as lib/optimizers.py may be a student's own. So
    the step stands here again.
    """

    is_elementwise = True

    def __init__(self, params: Iterable[Parameter], lr: float = 0.01) -> None:
        super().__init__(params, lr)
        self.step_count = 0  # the number of steps done
        self._states: List[State] = [self.init_state(param.data) for param in self._params]
        for param, state in zip(self._params, self._states):
            param.state_dict = state

    def init_state(self, data: np.ndarray) -> State:
        """Return the state to start with: named arrays of the shape of data."""
        return {}

    @abstractmethod
    def update(self, data: np.ndarray, grad: np.ndarray, state: State) -> None:
        """Change data, and the arrays in state, in place by one step of the rule; grad stays as it is."""

    def step(self) -> None:
        """Update every parameter once from its gradient, as SGD and Adam do."""
        require_step_gradients(self._params, self)
        self.step_count += 1
        for param, state in zip(self._params, self._states):
            if not param.constant:
                self.update(param.data, param.grad, state)
