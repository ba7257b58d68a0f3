"""Optimisers: how a gradient becomes a step of the parameters.

Each states its rule once, in `update`, which changes one array in place; `step` applies it to every parameter. What a
rule remembers from step to step, such as a velocity, is its state: named arrays of the parameter's shape.
"""
from __future__ import annotations

import importlib
import inspect
import pkgutil
from math import sqrt
from typing import Any, Dict, Iterable, List, Mapping, Optional, Tuple, Type

import numpy as np

from lib.inspection.trained import parameter_list, require_betas, require_step_gradients
from lib.network_base import Parameter
from lib.validation import CallOrderError, InputError, name_of, require_choice, require_positive

_State = Dict[str, np.ndarray]


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
        if not self._params:
            raise InputError(f"{name_of(self)} got no parameters, so there is nothing to train. Does the model's "
                             "parameters() return them?")
        self._states: List[_State] = []
        for param in self._params:
            param.state_dict = self.init_state(param.data)
            self._states.append(param.state_dict)

    def step(self) -> None:
        """Update every parameter once from its gradient, but for constants; the gradients stay as they are.

        Raises:
            CallOrderError: a parameter has no gradient.
            InputError: a gradient hasn't its parameter's shape.
        """
        require_step_gradients(self._params, self)
        self.step_count += 1
        for param, state in zip(self._params, self._states):
            if not param.constant:
                self.update(param.data, param.grad, state)

    def init_state(self, data: np.ndarray) -> _State:
        """Return the state to start with: named arrays of the shape of data."""
        return {}

    def update(self, data: np.ndarray, grad: np.ndarray, state: _State) -> None:
        """Change data, and the arrays in state, in place by one step of the rule; grad stays as it is.

        Args:
            data: the values of a parameter, or of all parameters as one vector.
            grad: dL/d(data), in the same shape.
            state: what init_state returned for this data.
        """
        raise NotImplementedError(f"{name_of(self)} doesn't define update yet.")

    def zero_grad(self) -> None:
        """Set every gradient to zeros, as backward adds to what is there."""
        for param in self._params:
            data = param.data
            param.grad = np.zeros(data.shape, data.dtype)

    def __repr__(self) -> str:
        shown = {name: value for name, value in vars(self).items() if name[0] != "_" and name != "step_count"}
        return f"{name_of(self)}({', '.join(f'{name}={value}' for name, value in shown.items())})"


class SGD(Optimizer):
    """Stochastic gradient descent: data = data - lr * g.

    With momentum, the step is a velocity v, a decaying sum of all steps so far; Nesterov's variant looks one step
    ahead:

        v = momentum * v - lr * g
        data = data + v                             (nesterov: + momentum * v - lr * g)

    Here g = grad + weight_decay * data, which is the gradient with that of weight_decay / 2 * |data|^2 added.

    Source: Y. Nesterov, 1983; in this form I. Sutskever et al., ICML 2013.
    """

    def __init__(self, params: Iterable[Parameter], lr: float = 1.0, momentum: Optional[float] = None,
                 nesterov: bool = False, weight_decay: float = 0.0) -> None:
        require_positive("momentum", 0.0 if momentum is None else momentum, self, zero_allowed=True)
        require_positive("weight_decay", weight_decay, self, zero_allowed=True)
        require_choice("nesterov", nesterov, (True, False), self)
        if nesterov and not momentum:
            raise InputError("SGD with nesterov=True needs a momentum, such as momentum=0.9.")
        self.momentum, self.nesterov, self.weight_decay = momentum, nesterov, weight_decay
        super().__init__(params, lr)

    def init_state(self, data: np.ndarray) -> _State:
        return {} if self.momentum is None else {"velocity": np.zeros_like(data)}

    def update(self, data: np.ndarray, grad: np.ndarray, state: _State) -> None:
        g = grad + self.weight_decay * data if self.weight_decay else grad
        if self.momentum is None:
            data -= self.lr * g
            return
        if "velocity" not in state:
            raise CallOrderError("SGD remembers no velocity: it was made without a momentum, or a state_dict "
                                 "was emptied. For a momentum that is raised later, make it with momentum=0.")
        v = state["velocity"]
        v *= self.momentum
        v -= self.lr * g
        data += self.momentum * v - self.lr * g if self.nesterov else v


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
        require_betas(betas, self)
        require_positive("eps", eps, self, zero_allowed=True)
        require_positive("weight_decay", weight_decay, self, zero_allowed=True)
        self.betas, self.eps, self.weight_decay = tuple(betas), eps, weight_decay
        super().__init__(params, lr)

    def init_state(self, data: np.ndarray) -> _State:
        return {"m": np.zeros_like(data), "v": np.zeros_like(data)}

    def update(self, data: np.ndarray, grad: np.ndarray, state: _State) -> None:
        g = grad + self.weight_decay * data if self.weight_decay else grad
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
        name: the name of a class derived from Optimizer, in upper or lower case: one of `lib` or of your own.
        params: the parameters to train.
        hyperparams: the other arguments of the class.

    Raises:
        InputError: there is no such optimiser, or it doesn't take one of the hyperparameters.
    """
    wanted = str(name).lower()
    classes = _classes()
    if wanted not in classes:
        _import_all_of_lib()  # it may stand in a file that nobody has imported yet
        classes = _classes()
    if wanted not in classes:
        raise InputError(f"There is no optimizer {name!r}. Choose one of "
                         f"{', '.join(sorted(optimizer.__name__ for optimizer in classes.values()))}.")
    optimizer = classes[wanted]
    try:
        return optimizer(params, **(hyperparams or {}))
    except TypeError as error:
        raise InputError(f"{optimizer.__name__} can't be made with the hyperparameters {dict(hyperparams or {})}: "
                         f"{error}.") from error


def _classes() -> Dict[str, Type[Optimizer]]:
    """Return every class derived from Optimizer, however indirectly, by its name in lower case.

    Of several with one name, it is that of `lib`, or else the one defined last, as when a notebook's cell runs again.
    """
    found: List[Type[Optimizer]] = []
    waiting = [Optimizer]
    while waiting:
        derived = waiting.pop().__subclasses__()
        found += derived
        waiting += derived
    found.sort(key=lambda cls: cls.__module__.startswith("lib."))
    return {cls.__name__.lower(): cls for cls in found if not inspect.isabstract(cls)}


def _import_all_of_lib() -> None:
    import lib
    for module in pkgutil.walk_packages(lib.__path__, "lib."):
        if not module.name.endswith("__main__"):
            try:
                importlib.import_module(module.name)
            except ImportError:  # an optional package is missing
                pass
