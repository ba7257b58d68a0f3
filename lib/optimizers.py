"""Optimisers: how a gradient becomes a step of the parameters.

Each optimiser states its rule once, in `update`, which changes one array in place. `step` applies it to every
parameter; the compiled network applies the same rule to all parameters at once, as one flat vector. What a rule
remembers from step to step, such as a momentum, is its state: named arrays of the parameter's shape.
"""
from __future__ import annotations

from math import sqrt
from typing import Any, Iterable, List, Mapping, Optional, Tuple, Type

import numpy as np

from lib.network_base import Parameter
from lib.optimizer_base import Optimizer, State
from lib.validation import InputError, name_of, require_positive


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


class AdamW(Adam):
    """Adam with decoupled weight decay: data = (1 - lr * weight_decay) * data before Adam's step on grad alone.

    So each weight decays at the same rate; in Adam, weights with large gradients decay less.

    Source: I. Loshchilov, F. Hutter: Decoupled weight decay regularization, ICLR 2019.
    """

    def __init__(self, params: Iterable[Parameter], lr: float = 0.001, betas: Tuple[float, float] = (0.9, 0.999),
                 eps: float = 1e-8, weight_decay: float = 0.01) -> None:
        super().__init__(params, lr, betas, eps, weight_decay)

    def update(self, data: np.ndarray, grad: np.ndarray, state: State) -> None:
        data *= 1 - self.lr * self.weight_decay
        self.update_by_moments(data, grad, state)


class RMSProp(Optimizer):
    """RMSProp: the gradient over the root of its mean square, with momentum if asked.

        v = alpha * v + (1 - alpha) * g^2
        data = data - lr * g / (sqrt(v) + eps)

    With momentum, u = momentum * u + g / (sqrt(v) + eps) and data = data - lr * u. Here g = grad + weight_decay * data.

    Source: T. Tieleman, G. Hinton: Neural networks for machine learning, lecture 6.5, 2012.
    """

    def __init__(self, params: Iterable[Parameter], lr: float = 0.01, alpha: float = 0.99, eps: float = 1e-8,
                 momentum: float = 0.0, weight_decay: float = 0.0) -> None:
        for name, value in (("alpha", alpha), ("eps", eps), ("momentum", momentum), ("weight_decay", weight_decay)):
            require_positive(name, value, self, zero_allowed=True)
        self.alpha, self.eps, self.momentum, self.weight_decay = alpha, eps, momentum, weight_decay
        super().__init__(params, lr)

    def init_state(self, data: np.ndarray) -> State:
        names = ("v", "velocity") if self.momentum else ("v",)
        return {name: np.zeros_like(data) for name in names}

    def update(self, data: np.ndarray, grad: np.ndarray, state: State) -> None:
        g = grad + self.weight_decay * data if self.weight_decay else grad
        v = state["v"]
        v *= self.alpha
        v += (1 - self.alpha) * g * g
        step = g / (np.sqrt(v) + self.eps)
        if self.momentum:
            u = state["velocity"]
            u *= self.momentum
            u += step
            step = u
        data -= self.lr * step


class Adagrad(Optimizer):
    """Adagrad: the gradient over the root of the sum of all its squares so far, so steps only become shorter.

        s = s + g^2
        data = data - lr / (1 + (t - 1) * lr_decay) * g / (sqrt(s) + eps)           in step t = 1, 2, ...

    Here g = grad + weight_decay * data.

    Source: J. Duchi, E. Hazan, Y. Singer: Adaptive subgradient methods, JMLR 12, 2011.
    """

    def __init__(self, params: Iterable[Parameter], lr: float = 0.01, lr_decay: float = 0.0,
                 weight_decay: float = 0.0, initial_accumulator_value: float = 0.0, eps: float = 1e-10) -> None:
        for name, value in (("lr_decay", lr_decay), ("weight_decay", weight_decay), ("eps", eps),
                            ("initial_accumulator_value", initial_accumulator_value)):
            require_positive(name, value, self, zero_allowed=True)
        self.lr_decay, self.weight_decay, self.eps = lr_decay, weight_decay, eps
        self.initial_accumulator_value = initial_accumulator_value
        super().__init__(params, lr)

    def init_state(self, data: np.ndarray) -> State:
        return {"sum": np.full_like(data, self.initial_accumulator_value)}

    def update(self, data: np.ndarray, grad: np.ndarray, state: State) -> None:
        g = grad + self.weight_decay * data if self.weight_decay else grad
        s = state["sum"]
        s += g * g
        data -= self.lr / (1 + (self.step_count - 1) * self.lr_decay) * g / (np.sqrt(s) + self.eps)


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


def clip_grad_norm(params: Iterable[Parameter], max_norm: float) -> float:
    """Shorten the gradient of all parameters together to the norm max_norm, in place, if it is longer.

    The norm is that of one vector of all entries, so the direction of the step stays.

    Args:
        params: the parameters, after backward.
        max_norm: the greatest norm allowed.

    Returns:
        The norm before. If it isn't finite, nothing is changed: no factor can mend such a gradient.
    """
    require_positive("max_norm", max_norm, "clip_grad_norm", zero_allowed=True)
    grads = [param.grad for param in params if param.grad is not None]
    norm = float(np.linalg.norm([np.linalg.norm(grad) for grad in grads]))
    if max_norm < norm < np.inf:
        for grad in grads:
            grad *= max_norm / norm
    return norm


def clip_grad_value(params: Iterable[Parameter], clip_value: float) -> None:
    """Limit every entry of every gradient to the range from -clip_value to clip_value, in place."""
    require_positive("clip_value", clip_value, "clip_grad_value", zero_allowed=True)
    for param in params:
        if param.grad is not None:
            np.clip(param.grad, -clip_value, clip_value, out=param.grad)
