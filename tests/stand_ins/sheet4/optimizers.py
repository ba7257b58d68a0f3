"""A student's lib/optimizers.py of sheet 4: each optimiser has a step of its own."""
import numpy as np


class Optimizer:
    def __init__(self, params, lr=1.0):
        self._params = params
        self.lr = lr

    def step(self):
        raise NotImplementedError

    def zero_grad(self):
        for param in self._params:
            param.grad = np.zeros_like(param.data)


class SGD(Optimizer):
    def __init__(self, params, lr=1.0, momentum=None):
        super().__init__(params, lr)
        self.momentum = momentum

    def step(self):
        for p in self._params:
            if self.momentum is None:
                p.data -= self.lr * p.grad
            else:
                velocity = p.state_dict.get("velocity", np.zeros_like(p.data))
                p.state_dict["velocity"] = self.momentum * velocity - self.lr * p.grad
                p.data += p.state_dict["velocity"]


class Adam(Optimizer):
    def __init__(self, params, lr=0.001, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, lr)
        self.betas, self.eps = betas, eps
        for p in self._params:
            p.state_dict["m"] = np.zeros_like(p.data)
            p.state_dict["v"] = np.zeros_like(p.data)
            p.state_dict["t"] = 0

    def step(self):
        beta1, beta2 = self.betas
        for p in self._params:
            state = p.state_dict
            state["t"] += 1
            state["m"] = beta1 * state["m"] + (1 - beta1) * p.grad
            state["v"] = beta2 * state["v"] + (1 - beta2) * p.grad ** 2
            m = state["m"] / (1 - beta1 ** state["t"])
            v = state["v"] / (1 - beta2 ** state["t"])
            p.data -= self.lr * m / (np.sqrt(v) + self.eps)


def create_optimizer(name, params, hyperparams):
    if name == "sgd":
        return SGD(params, **hyperparams)
    if name == "adam":
        return Adam(params, **hyperparams)
    raise ValueError(f"There is no optimizer {name}.")
