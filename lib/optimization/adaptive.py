"""Optimisers with a rate for each entry, beyond the sheets'."""
from __future__ import annotations

from typing import Iterable, Tuple

import numpy as np

from lib.network_base import Parameter
from lib.optimization.elementwise import Elementwise, State
from lib.inspection.trained import require_betas
from lib.validation import InputError, require_positive


class AdamW(Elementwise):
    """Adam with decoupled weight decay: data = (1 - lr * weight_decay) * data before Adam's step on grad alone.

        m = beta1 * m + (1 - beta1) * grad,   v = beta2 * v + (1 - beta2) * grad^2
        data = data - lr * m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + eps)          in step t = 1, 2, ...

    So each weight decays at the same rate; in Adam, weights with large gradients decay less.

    Source: I. Loshchilov, F. Hutter: Decoupled weight decay regularization, ICLR 2019.
    """

    def __init__(self, params: Iterable[Parameter], lr: float = 0.001, betas: Tuple[float, float] = (0.9, 0.999),
                 eps: float = 1e-8, weight_decay: float = 0.01) -> None:
        require_betas(betas, self)
        require_positive("eps", eps, self, zero_allowed=True)
        require_positive("weight_decay", weight_decay, self, zero_allowed=True)
        self.betas, self.eps, self.weight_decay = tuple(betas), eps, weight_decay
        super().__init__(params, lr)

    def init_state(self, data: np.ndarray) -> State:
        return {"m": np.zeros_like(data), "v": np.zeros_like(data)}

    def update(self, data: np.ndarray, grad: np.ndarray, state: State) -> None:
        (beta1, beta2), t = self.betas, self.step_count
        data *= 1 - self.lr * self.weight_decay
        m, v = state["m"], state["v"]
        m += (1 - beta1) * (grad - m)
        v += (1 - beta2) * (grad * grad - v)
        data -= self.lr / (1 - beta1 ** t) * m / (np.sqrt(v) / np.sqrt(1 - beta2 ** t) + self.eps)


class RMSProp(Elementwise):
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
        if alpha > 1:
            raise InputError("RMSProp expects alpha, the share of the mean square that is kept, to be from 0 to 1, but "
                             f"got {alpha!r}.")
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


class Adagrad(Elementwise):
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
