"""This library: the readable path, the compiled path, and the bare matrix products that both stand on."""
from __future__ import annotations

import platform
from typing import Any

import numpy as np

from benchmarks.peers import Unsupported
from benchmarks.tasks import Task, data, weights
from lib.layers import Conv2d, CrossEntropyLoss, Flatten, Linear, MSELoss, MaxPool2d, ReLU, Sequential
from lib.data.batches import Batches
from lib.steps.compiled import CompiledStep
from lib.optimizers import SGD
from lib.steps.readable import ReadableStep


def version() -> str:
    return f"Python {platform.python_version()}, NumPy {np.__version__}"


def make_model(task: Task) -> Sequential:
    if task.kind == "conv":
        model = Sequential(Conv2d(1, 8, 3), ReLU(), MaxPool2d(2), Conv2d(8, 16, 3), ReLU(), MaxPool2d(2), Flatten(),
                           Linear(400, 10))
    else:
        layers: Any = []
        for in_features, out_features in zip(task.sizes, task.sizes[1:]):
            layers += [Linear(in_features, out_features), ReLU()]
        model = Sequential(*layers[:-1])
    model.astype(np.float32)
    for parameter, values in zip(model.parameters(), weights(task)):
        parameter.data[...] = values.reshape(parameter.data.shape)
    return model


class Steps:
    """Training steps on one batch, or epochs over all batches."""

    def __init__(self, task: Task, make: Any) -> None:
        self.task, self.model, (self.x, self.y) = task, make_model(task), data(task)
        self.loss_fn = CrossEntropyLoss() if task.loss == "cross-entropy" else MSELoss()
        self.training_step = make(self.model, self.loss_fn, SGD(self.model.parameters(), lr=task.lr))
        self.epoch = 0
        if task.kind == "epoch":
            self.step = self.one_epoch  # type: ignore[method-assign]

    def step(self) -> None:
        self.training_step.step(self.x, self.y)

    def one_epoch(self) -> None:
        total = 0.0
        for x_batch, y_batch in Batches(self.x, self.y, self.task.batch, rng=np.random.RandomState(self.epoch)):
            total += self.training_step.step(x_batch, y_batch)[0] * len(x_batch)
        self.training_step.end_epoch()
        self.epoch += 1

    def finish(self) -> None:
        pass

    def loss(self) -> float:
        return float(self.loss_fn(self.model(self.x), self.y))


class CompiledSteps(Steps):
    """The same on the compiled path, where the loss is computed only when asked for: in an epoch, for each batch."""

    def step(self) -> None:
        self.training_step.step(self.x, self.y, with_loss=False)


class BareProducts:
    """The matrix products of a training step, without anything else: what no NumPy code can be faster than."""

    def __init__(self, task: Task) -> None:
        if task.kind != "mlp":
            raise Unsupported("measured for single steps of Linear layers only")
        self.W = weights(task)[::2]
        self.dW = [np.empty_like(W) for W in self.W]
        self.values = [np.ones((task.batch, size), np.float32) for size in task.sizes]

    def step(self) -> None:
        values, last = self.values, len(self.W) - 1
        for i, W in enumerate(self.W):
            np.dot(values[i], W, out=values[i + 1])
        for i in range(last, -1, -1):
            np.dot(values[i].T, values[i + 1], out=self.dW[i])
            if i:
                np.dot(values[i + 1], self.W[i].T, out=values[i])

    def finish(self) -> None:
        self.values[0][...] = 1

    def loss(self) -> float:
        raise Unsupported("no loss")


class ManyNetworks:
    """One step of many networks at once, by the classes that train_many stands on."""

    def __init__(self, task: Task) -> None:
        from lib.steps.stacked import StackedParameters, StackedProgram
        (self.x, self.y), self.loss_fn = data(task), CrossEntropyLoss()
        chunk = min(task.networks, 500)
        self.chunks = []
        for _ in range(0, task.networks, chunk):
            models = [make_model(task) for _ in range(chunk)]
            flat = StackedParameters(models)
            optimizer = SGD([flat.all], lr=1.0)
            optimizer.lr = np.full(chunk, task.lr, np.float32)  # type: ignore[assignment]  # a rate for each network
            program = StackedProgram(models[0].modules, self.loss_fn, flat, task.batch, task.sizes[0])
            self.chunks.append((program, optimizer))

    def step(self) -> None:
        for program, optimizer in self.chunks:
            program.run(self.x, self.y)
            optimizer.step()

    def finish(self) -> None:
        pass

    def loss(self) -> float:
        return float(self.loss_fn(self.chunks[-1][0].predict(self.x)[-1], self.y))


class OneByOne:
    """The same networks one after the other: a step of one of them, which stands for any."""

    def __init__(self, task: Task, make: Any) -> None:
        self.steps, self.times = Steps(task, make), task.networks

    def step(self) -> None:
        self.steps.step()

    def finish(self) -> None:
        pass

    def loss(self) -> float:
        raise Unsupported("the networks differ in nothing")


class GradientCheck:
    """The check of a Linear layer with respect to its input and its parameters."""

    def __init__(self, task: Task) -> None:
        rng = np.random.default_rng(0)
        self.layer, self.x = Linear(*task.sizes, rng=rng), rng.standard_normal((task.batch, task.sizes[0]))

    def step(self) -> None:
        self.layer.check_gradients((self.x,))

    def finish(self) -> None:
        pass

    def loss(self) -> float:
        raise Unsupported("no loss")


def readable(task: Task) -> Any:
    if task.kind == "check":
        return GradientCheck(task)
    if task.kind == "networks":
        return OneByOne(task, ReadableStep)
    return Steps(task, ReadableStep)


def compiled(task: Task) -> Any:
    if task.kind == "check":
        raise Unsupported("a check is of the modules")
    return ManyNetworks(task) if task.kind == "networks" else CompiledSteps(task, CompiledStep)


def bare(task: Task) -> Any:
    return BareProducts(task)
