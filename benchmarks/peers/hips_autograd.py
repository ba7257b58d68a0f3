"""HIPS autograd: NumPy code, differentiated as it runs."""
from __future__ import annotations

from importlib.metadata import version as package_version
from typing import Any

import autograd.numpy as np
from autograd import value_and_grad

from benchmarks.peers import Unsupported
from benchmarks.tasks import Task, data, weights


def version() -> str:
    return f"autograd {package_version('autograd')}"


class Steps:
    """Training steps on one batch."""

    def __init__(self, task: Task) -> None:
        self.x, self.y = data(task)
        self.lr, self.parameters = np.float32(task.lr), weights(task)

        def loss(parameters: Any) -> Any:
            x = self.x
            for i in range(0, len(parameters), 2):
                x = (np.maximum(x, 0) if i else x) @ parameters[i] + parameters[i + 1]
            if task.loss == "squares":
                return 0.5 * np.sum((x - self.y) ** 2) / len(x)
            shifted = x - np.max(x, axis=1, keepdims=True)
            return np.sum(self.y * (np.log(np.sum(np.exp(shifted), axis=1, keepdims=True)) - shifted)) / len(x)

        self.loss_of, self.gradient = loss, value_and_grad(loss)

    def step(self) -> None:
        _, grads = self.gradient(self.parameters)
        for values, grad in zip(self.parameters, grads):
            values -= self.lr * grad

    def finish(self) -> None:
        pass

    def loss(self) -> float:
        return float(self.loss_of(self.parameters))


def grad(task: Task) -> Any:
    if task.kind != "mlp":
        raise Unsupported("measured for single steps of Linear layers only")
    return Steps(task)
