"""PyTorch, eagerly and through torch.compile, with its own optimiser."""
from __future__ import annotations

import os
from typing import Any

import numpy as np
import torch

from benchmarks.peers import Unsupported
from benchmarks.tasks import Task, data, epoch_batches, weights

torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))


def version() -> str:
    return f"PyTorch {torch.__version__}"


def make_model(task: Task) -> Any:
    nn = torch.nn
    if task.kind == "conv":
        model = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 16, 3), nn.ReLU(),
                              nn.MaxPool2d(2), nn.Flatten(), nn.Linear(400, 10))
    else:
        layers: Any = []
        for in_features, out_features in zip(task.sizes, task.sizes[1:]):
            layers += [nn.Linear(in_features, out_features), nn.ReLU()]
        model = nn.Sequential(*layers[:-1])
    with torch.no_grad():
        for parameter, values in zip(model.parameters(), weights(task)):
            parameter.copy_(torch.tensor(values.T if values.ndim == 2 else values))
    return model


class Steps:
    """Training steps on one batch, or epochs over all batches."""

    def __init__(self, task: Task, compiled: bool = False) -> None:
        self.task, self.epoch = task, 0
        x, y = data(task)
        self.x, self.y = torch.tensor(x), torch.tensor(y)
        if task.loss == "cross-entropy":
            self.y, self.loss_fn = self.y.argmax(1), torch.nn.CrossEntropyLoss()
        else:
            self.loss_fn = lambda preds, y: 0.5 * torch.nn.functional.mse_loss(preds, y)
        self.model = make_model(task)
        self.forward = torch.compile(self.model) if compiled else self.model
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=task.lr)
        if task.kind == "epoch":
            self.step = self.one_epoch  # type: ignore[method-assign]

    def step(self) -> None:
        self.step_on(self.x, self.y)

    def step_on(self, x: Any, y: Any) -> Any:
        self.optimizer.zero_grad()
        loss = self.loss_fn(self.forward(x), y)
        loss.backward()
        self.optimizer.step()
        return loss

    def one_epoch(self) -> None:
        total = 0.0
        for batch in epoch_batches(self.task, len(self.x), self.epoch):
            indices = torch.from_numpy(batch)
            total += self.step_on(self.x[indices], self.y[indices]).item() * len(batch)
        self.epoch += 1

    def finish(self) -> None:
        pass

    def loss(self) -> float:
        with torch.no_grad():
            return float(self.loss_fn(self.model(self.x), self.y))


class OneByOne:
    """Many networks one after the other: a step of one of them, which stands for any."""

    def __init__(self, task: Task) -> None:
        self.steps, self.times = Steps(task), task.networks

    def step(self) -> None:
        self.steps.step()

    def finish(self) -> None:
        pass

    def loss(self) -> float:
        raise Unsupported("the networks differ in nothing")


class GradientCheck:
    """torch.autograd.gradcheck of a linear layer in double precision, with respect to x, W and b."""

    def __init__(self, task: Task) -> None:
        rng = np.random.default_rng(0)
        in_features, out_features = task.sizes
        shapes = (task.batch, in_features), (out_features, in_features), (out_features,)
        self.inputs = tuple(torch.tensor(rng.standard_normal(shape), requires_grad=True) for shape in shapes)

    def step(self) -> None:
        torch.autograd.gradcheck(torch.nn.functional.linear, self.inputs)

    def finish(self) -> None:
        pass

    def loss(self) -> float:
        raise Unsupported("no loss")


def eager(task: Task) -> Any:
    if task.kind == "check":
        return GradientCheck(task)
    return OneByOne(task) if task.kind == "networks" else Steps(task)


def compiled(task: Task) -> Any:
    if task.kind not in ("mlp", "conv"):
        raise Unsupported("measured for single steps only")
    return Steps(task, compiled=True)
