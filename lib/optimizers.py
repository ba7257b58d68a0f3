"""Optimisers: how a gradient becomes a step of the parameters.

Each optimiser states its rule once, in `update`, which changes one array in place. `step` applies it to every
parameter; the compiled network applies the same rule to all parameters at once, as one flat vector. What a rule
remembers from step to step, such as a momentum, is its state: named arrays of the parameter's shape.
"""
from __future__ import annotations

from math import sqrt
from typing import Any, Dict, Iterable, List, Mapping, Optional, Tuple, Type

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
        """Update every parameter once from its gradient, but for constants; the gradients stay as they are.

        Raises:
            CallOrderError: a parameter has no gradient.
            InputError: a gradient hasn't its parameter's shape.
        """
        self.step_count += 1
        for param, state in zip(self._params, self._states):
            if param.constant:
                continue
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


class SGD(Optimizer):
    """Stochastic gradient descent: data = data - lr * g.

    With momentum, the step goes along a velocity v, a decaying sum of all gradients so far; Nesterov's variant looks
    one step ahead:

        v = momentum * v + g
        data = data - lr * v                        (nesterov: - lr * (g + momentum * v))

    Here g = grad + weight_decay * data, which is the gradient with that of weight_decay / 2 * |data|^2 added.

    Source: Y. Nesterov, 1983; in this form I. Sutskever et al., ICML 2013, with lr outside of the velocity.
    """

    def __init__(self, params: Iterable[Parameter], lr: float = 1.0, momentum: Optional[float] = None,
                 nesterov: bool = False, weight_decay: float = 0.0) -> None:
        require_positive("momentum", momentum or 0.0, self, zero_allowed=True)
        require_positive("weight_decay", weight_decay, self, zero_allowed=True)
        if nesterov and not momentum:
            raise InputError("SGD with nesterov=True needs a momentum, such as momentum=0.9.")
        self.momentum, self.nesterov, self.weight_decay = momentum, nesterov, weight_decay
        super().__init__(params, lr)

    def init_state(self, data: np.ndarray) -> State:
        return {"velocity": np.zeros_like(data)} if self.momentum else {}

    def update(self, data: np.ndarray, grad: np.ndarray, state: State) -> None:
        g = grad + self.weight_decay * data if self.weight_decay else grad
        if self.momentum:
            v = state["velocity"]
            v *= self.momentum
            v += g
            g = g + self.momentum * v if self.nesterov else v
        data -= self.lr * g


class Adam(Optimizer):
    """Adam: each entry's step is its mean gradient over the root of its mean squared gradient.

        m = beta1 * m + (1 - beta1) * g             mean gradient
        v = beta2 * v + (1 - beta2) * g^2           mean squared gradient
        data = data - lr * m' / (sqrt(v') + eps)

    m and v start at zero, which pulls them there: m' = m / (1 - beta1^t) and v' = v / (1 - beta2^t) undo that in
    step t = 1, 2, ... Here g = grad + weight_decay * data.

    Source: D. P. Kingma, J. Ba: Adam: a method for stochastic optimization, ICLR 2015.
    """

    def __init__(self, params: Iterable[Parameter], lr: float = 0.001, betas: Tuple[float, float] = (0.9, 0.999),
                 eps: float = 1e-8, weight_decay: float = 0.0) -> None:
        if len(betas) != 2 or not all(0 <= beta < 1 for beta in betas):
            raise InputError(f"{name_of(self)} expects betas to be two numbers from 0 to below 1, such as (0.9, "
                             f"0.999), but got {betas!r}.")
        require_positive("eps", eps, self, zero_allowed=True)
        require_positive("weight_decay", weight_decay, self, zero_allowed=True)
        self.betas, self.eps, self.weight_decay = tuple(betas), eps, weight_decay
        super().__init__(params, lr)

    def init_state(self, data: np.ndarray) -> State:
        return {"m": np.zeros_like(data), "v": np.zeros_like(data)}

    def update(self, data: np.ndarray, grad: np.ndarray, state: State) -> None:
        g = grad + self.weight_decay * data if self.weight_decay else grad
        self.update_by_moments(data, g, state)

    def update_by_moments(self, data: np.ndarray, g: np.ndarray, state: State) -> None:
        """Update m and v from g, then data from m and v."""
        beta1, beta2 = self.betas
        t = self.step_count
        m, v = state["m"], state["v"]
        m *= beta1
        m += (1 - beta1) * g
        v *= beta2
        v += (1 - beta2) * g * g
        # the corrections are numbers, so they are applied to numbers where that saves a pass over the array
        data -= self.lr / (1 - beta1 ** t) * m / (np.sqrt(v) / sqrt(1 - beta2 ** t) + self.eps)


def create_optimizer(name: str, params: Iterable[Parameter],
                     hyperparams: Optional[Mapping[str, Any]] = None) -> Optimizer:
    """Return the optimiser of this name, such as create_optimizer("adam", model.parameters(), {"lr": 0.01}).

    Args:
        name: the name of a class derived from Optimizer, in upper or lower case.
        params: the parameters to train.
        hyperparams: the other arguments of the class.

    Raises:
        InputError: there is no such optimiser, or it doesn't take one of the hyperparameters.
    """
    classes = {optimizer.__name__.lower(): optimizer for optimizer in _subclasses(Optimizer)}
    if str(name).lower() not in classes:
        raise InputError(f"There is no optimizer {name!r}. Choose one of "
                         f"{', '.join(optimizer.__name__ for optimizer in classes.values())}.")
    optimizer = classes[str(name).lower()]
    try:
        return optimizer(params, **(hyperparams or {}))
    except TypeError as error:
        raise InputError(f"{optimizer.__name__} can't be made with the hyperparameters {dict(hyperparams or {})}: "
                         f"{error}.") from error


def _subclasses(cls: Type[Optimizer]) -> List[Type[Optimizer]]:
    """Return all classes derived from this one, however indirectly."""
    return [found for direct in cls.__subclasses__() for found in [direct] + _subclasses(direct)]
