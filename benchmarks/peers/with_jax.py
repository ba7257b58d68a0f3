"""JAX: the whole step, with its gradient and update, as one compiled function."""
from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from benchmarks.peers import Unsupported
from benchmarks.tasks import Task, data, epoch_batches, weights


def version() -> str:
    return f"JAX {jax.__version__}"


def predict(task: Task, parameters: Any, x: Any) -> Any:
    if task.kind == "conv":
        for W, b in zip(parameters[:-2:2], parameters[1:-2:2]):
            x = jax.nn.relu(jax.lax.conv(x, W, (1, 1), "VALID") + b[:, None, None])
            x = jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")
        x, parameters = x.reshape(len(x), -1), parameters[-2:]
    for i in range(0, len(parameters), 2):
        x = (jax.nn.relu(x) if i else x) @ parameters[i] + parameters[i + 1]
    return x


class Steps:
    """Training steps on one batch, or epochs over all batches."""

    def __init__(self, task: Task) -> None:
        self.task, self.epoch = task, 0
        self.x, self.y = map(jnp.asarray, data(task))
        self.parameters = [jnp.asarray(values) for values in weights(task)]

        def loss(parameters: Any, x: Any, y: Any) -> Any:
            preds = predict(task, parameters, x)
            if task.loss == "cross-entropy":
                return -(y * jax.nn.log_softmax(preds)).sum() / len(x)
            return 0.5 * ((preds - y) ** 2).sum() / len(x)

        def step(parameters: Any, x: Any, y: Any) -> Any:
            value, grads = jax.value_and_grad(loss)(parameters, x, y)
            return [values - task.lr * grad for values, grad in zip(parameters, grads)], value

        self.compiled_loss, self.compiled_step = jax.jit(loss), jax.jit(step, donate_argnums=0)
        if task.kind == "epoch":
            self.step = self.one_epoch  # type: ignore[method-assign]

    def step(self) -> None:
        self.parameters, _ = self.compiled_step(self.parameters, self.x, self.y)

    def one_epoch(self) -> None:
        total = 0.0
        for batch in epoch_batches(self.task, len(self.x), self.epoch):
            self.parameters, value = self.compiled_step(self.parameters, self.x[batch], self.y[batch])
            total += value * len(batch)
        self.epoch += 1

    def finish(self) -> None:
        jax.block_until_ready(self.parameters)

    def loss(self) -> float:
        return float(self.compiled_loss(self.parameters, self.x, self.y))


def jit(task: Task) -> Any:
    if task.kind in ("check", "networks"):
        raise Unsupported("measured for training steps of one network")
    return Steps(task)
