"""The base class of the optimisers: what they all share, but for the rule itself."""
from __future__ import annotations

from typing import Any, Dict, Iterable, List, Mapping

import numpy as np

from lib.gradient_utilities import zero_grad
from lib.network_base import Parameter
from lib.validation import CallOrderError, InputError, name_of, parameter_list, require_positive

State = Dict[str, np.ndarray]


class Optimizer:
    """Base class: holds the parameters, their state and the learning rate. A subclass defines `update`.

    The state of `params[i]` is the dict `_states[i]`, which is also that parameter's `state_dict`. A new optimiser
    starts with a state of its own, whatever another has left there.

    Args:
        params: the parameters to train, such as model.parameters(); one that stands there twice is updated once.
        lr: the learning rate; a scheduler, or you, may set the attribute between steps.
    """

    is_elementwise = True  # whether `update` treats each entry by itself, so that arrays may be joined and cut at will

    def __init__(self, params: Iterable[Parameter], lr: float = 1.0) -> None:
        require_positive("lr", lr, self, zero_allowed=True)
        self.lr = lr
        self.step_count = 0  # the number of steps done
        self._params: List[Parameter] = parameter_list(params, self)
        self._states: List[State] = []
        for param in self._params:
            param.state_dict = self.init_state(param.data)
            self._states.append(param.state_dict)

    def step(self) -> None:
        """Update every parameter once from its gradient; the gradients stay as they are.

        Raises:
            CallOrderError: a parameter has no gradient.
            InputError: a gradient hasn't its parameter's shape.
        """
        self.step_count += 1
        for param, state in zip(self._params, self._states):
            data, grad = param.data, param.grad
            if grad is None or grad.shape != data.shape:
                self._explain_wrong_grad(param)
            self.update(data, grad, state)

    def init_state(self, data: np.ndarray) -> State:
        """Return the state to start with: named arrays of the shape of data."""
        return {}

    def update(self, data: np.ndarray, grad: np.ndarray, state: State) -> None:
        """Change data, and the arrays in state, in place by one step of the rule; grad stays as it is.

        Args:
            data: the values of a parameter, or of all parameters as one vector.
            grad: dL/d(data), in the same shape.
            state: what init_state returned for this data.
        """
        raise NotImplementedError(f"{name_of(self)} doesn't define update yet.")

    def zero_grad(self) -> None:
        """Set every gradient to zeros, as backward adds to what is there."""
        zero_grad(self._params)

    # ------------------------------------------------------------------ saving and restoring

    def state_dict(self) -> Dict[str, Any]:
        """Return all that a run needs to go on exactly: "lr", "step_count", and "<i>.<name>" for each state array.

        The values are numbers and copies of arrays, ready for np.savez.
        """
        saved: Dict[str, Any] = {"lr": float(self.lr), "step_count": int(self.step_count)}
        for i, state in enumerate(self._states):
            for name, array in state.items():
                saved[f"{i}.{name}"] = array.copy()
        return saved

    def load_state_dict(self, saved: Mapping[str, Any]) -> None:
        """Take over what state_dict returned, copied into the arrays that are there.

        Raises:
            InputError: it was saved by another optimiser or for other parameters; then nothing is changed.
        """
        own = self.state_dict()
        if set(saved) != set(own):
            different = sorted(set(saved) ^ set(own))
            raise InputError(f"{name_of(self)} can't load this state: {', '.join(different[:5])} "
                             f"{'is' if len(different) == 1 else 'are'} on one side only. Was it saved by another kind "
                             "of optimiser, or for another model?")
        loaded = {name: np.asarray(saved[name]) for name in own}
        for name, array in loaded.items():
            if array.shape != np.shape(own[name]) or array.dtype.kind not in "fiu":
                raise InputError(f"{name_of(self)} can't load this state: {name} should be numbers of shape "
                                 f"{np.shape(own[name])}, but is {array.dtype} of shape {array.shape}. Was it saved "
                                 "for another model?")
        require_positive("lr", loaded["lr"], self, zero_allowed=True)
        require_positive("step_count", loaded["step_count"], self, zero_allowed=True)
        self.lr = float(loaded["lr"])
        self.step_count = int(loaded["step_count"])
        for i, state in enumerate(self._states):
            for name in state:
                state[name][...] = loaded[f"{i}.{name}"]

    def _explain_wrong_grad(self, param: Parameter) -> None:
        """Raise the error that fits a gradient which isn't there or hasn't the parameter's shape."""
        who = f"{name_of(self)}.step: the gradient of parameter {getattr(param, 'name', None)!r}"
        if param.grad is None:
            raise CallOrderError(f"{who} is None. Call zero_grad(), then forward and backward, before step().")
        raise InputError(f"{who} has shape {param.grad.shape}, but the parameter has {param.data.shape}. Backward must "
                         "add a gradient of the parameter's own shape.")

    def __repr__(self) -> str:
        shown = {name: value for name, value in vars(self).items() if name[0] != "_" and name != "step_count"}
        return f"{name_of(self)}({', '.join(f'{name}={value}' for name, value in shown.items())})"
