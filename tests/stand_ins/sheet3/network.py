"""A student's lib/network.py: Linear whose gradients start as None, Sequential whose modules are a tuple."""
from typing import List, Tuple

import numpy as np

from lib.network_base import Module, Parameter


class Linear(Module):
    def __init__(self, in_features: int, out_features: int):
        super().__init__()
        self.W = Parameter(np.random.randn(in_features, out_features) * 0.01, name="W")
        self.b = Parameter(np.ones(out_features) * 0.01, name="b")
        self.W.grad = None
        self.b.grad = None

    def forward(self, x: np.ndarray) -> np.ndarray:
        assert len(x.shape) == 2, f"x.ndim should be 2, is {x.ndim}. Use x.reshape(1, -1) for a single example."
        self.input_cache = x
        z = x @ self.W.data + self.b.data
        return z

    def backward(self, grad: np.ndarray) -> np.ndarray:
        assert self.W.grad is not None and self.b.grad is not None, "Call zero_grad first."
        x = self.input_cache
        self.W.grad += x.T @ grad
        self.b.grad += np.sum(grad, axis=0)
        return grad @ self.W.data.T

    def parameters(self) -> Tuple[Parameter, Parameter]:
        return self.W, self.b


class Sequential(Module):
    def __init__(self, *modules: Module):
        super().__init__()
        self.modules = modules

    def forward(self, x: np.ndarray) -> np.ndarray:
        for module in self.modules:
            x = module(x)
        return x

    def backward(self, grad: np.ndarray) -> np.ndarray:
        for module in self.modules[::-1]:
            grad = module.backward(grad)
        return grad

    def parameters(self) -> List[Parameter]:
        return [param for module in self.modules for param in module.parameters()]
