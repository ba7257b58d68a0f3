"""micrograd: a graph of single numbers. Its softmax needs exp and log, defined here as its own operations are."""
from __future__ import annotations

import math
from importlib.metadata import version as package_version
from typing import Any

from micrograd.engine import Value

from benchmarks.peers import Unsupported
from benchmarks.tasks import Task, data, weights


def version() -> str:
    return f"micrograd {package_version('micrograd')}"


def function(x: Any, value: float, slope: float) -> Any:
    """Return a node for a function of x with this value and derivative."""
    out = Value(value, (x,))

    def backward() -> None:
        x.grad += slope * out.grad
    out._backward = backward
    return out


class Steps:
    """Training steps on XOR."""

    def __init__(self, task: Task) -> None:
        self.lr = task.lr
        x, y = data(task)
        self.examples = [([float(value) for value in row], int(label.argmax())) for row, label in zip(x, y)]
        self.layers = [([[Value(float(w)) for w in row] for row in W.T], [Value(float(v)) for v in b])
                       for W, b in zip(weights(task)[::2], weights(task)[1::2])]

    def total(self) -> Any:
        losses = []
        for x, label in self.examples:
            values: Any = x
            for i, (rows, bias) in enumerate(self.layers):
                values = [value.relu() for value in values] if i else values
                values = [sum((w * v for w, v in zip(row, values)), b) for row, b in zip(rows, bias)]
            exponentials = [function(v, math.exp(v.data), math.exp(v.data)) for v in values]
            total = sum(exponentials[1:], exponentials[0])
            losses.append(function(total, math.log(total.data), 1 / total.data) - values[label])
        return sum(losses[1:], losses[0]) * (1 / len(losses))

    def step(self) -> None:
        parameters = [value for rows, bias in self.layers for row in rows + [bias] for value in row]
        for parameter in parameters:
            parameter.grad = 0
        self.total().backward()
        for parameter in parameters:
            parameter.data -= self.lr * parameter.grad

    def finish(self) -> None:
        pass

    def loss(self) -> float:
        return float(self.total().data)


def values(task: Task) -> Any:
    if task.kind != "mlp" or task.sizes != (2, 2, 2):
        raise Unsupported("measured for XOR only: its numbers are single ones")
    return Steps(task)
