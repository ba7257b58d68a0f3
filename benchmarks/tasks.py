"""What is timed: networks, data and initial weights, the same for every library."""
from __future__ import annotations

from typing import Any, List, NamedTuple, Tuple

import numpy as np


class Task(NamedTuple):
    """One row of the table.

    Attributes:
        name: as the table shows it.
        kind: "mlp" (one step on one batch), "conv", "epoch" (one pass over MNIST), "networks" (one step of many
            networks) or "check" (one gradient check).
        sizes: the widths of a network of Linear layers with ReLU between them.
        batch: examples a step.
        loss: "cross-entropy", or "squares" for half the squared error.
        lr: the learning rate of plain gradient descent.
        networks: how many networks.
    """

    name: str
    kind: str
    sizes: Tuple[int, ...]
    batch: int
    loss: str = "cross-entropy"
    lr: float = 0.1
    networks: int = 1


TASKS = [
    Task("XOR 2-2-2, batch 4", "mlp", (2, 2, 2), 4, lr=0.5),
    Task("1-50-1, batch 20", "mlp", (1, 50, 1), 20, "squares", lr=0.01),
    Task("784-128-10, batch 32", "mlp", (784, 128, 10), 32),
    Task("784-512-512-10, batch 128", "mlp", (784, 512, 512, 10), 128),
    Task("small convolutional network, batch 32", "conv", (), 32, lr=0.05),
    Task("one MNIST epoch, 784-128-10, batch 64", "epoch", (784, 128, 10), 64),
    Task("2000 XOR networks, a step each", "networks", (2, 2, 2), 4, lr=0.5, networks=2000),
    Task("gradient check of Linear(64, 64), batch 8", "check", (64, 64), 8),
]

# Images of 28 x 28 pixels; after each 3 x 3 convolution, ReLU and 2 x 2 max pooling; at the end, Linear(400, 10).
CONV_CHANNELS = (1, 8, 16)


def scaling_tasks() -> List[Tuple[str, int, Task]]:
    """Return (what varies, its value, task) for the scaling curves."""
    points = [("batch", n, Task(f"784-128-10, batch {n}", "mlp", (784, 128, 10), n)) for n in (1, 4, 16, 64, 256)]
    points += [("width", w, Task(f"784-{w}-10, batch 32", "mlp", (784, w, 10), 32)) for w in (4, 16, 64, 256, 1024)]
    points += [("depth", d, Task(f"64-{d}x64-10, batch 32", "mlp", (64,) * (d + 1) + (10,), 32, lr=0.01))
               for d in (1, 2, 4, 8)]
    points += [("networks", m, Task(f"{m} XOR networks", "networks", (2, 2, 2), 4, lr=0.5, networks=m))
               for m in (1, 10, 100, 1000, 10000)]
    return points


def data(task: Task) -> Tuple[np.ndarray, np.ndarray]:
    """Return the inputs, and one-hot labels or targets, in float32."""
    rng = np.random.RandomState(1)
    if task.kind == "epoch":
        from lib.dataset_mnist import load_mnist_data
        x, _, _, y, _, _ = load_mnist_data()
        return x.astype(np.float32), y.astype(np.float32)
    if task.sizes[:1] == (2,):
        return np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32), np.eye(2, dtype=np.float32)[[0, 1, 1, 0]]
    if task.kind == "conv":
        x = rng.randn(task.batch, 1, 28, 28)
        return x.astype(np.float32), np.eye(10, dtype=np.float32)[rng.randint(0, 10, task.batch)]
    x = rng.randn(task.batch, task.sizes[0]).astype(np.float32)
    if task.loss == "squares":
        return x, np.sin(3 * x).astype(np.float32)
    return x, np.eye(task.sizes[-1], dtype=np.float32)[rng.randint(0, task.sizes[-1], task.batch)]


def weights(task: Task) -> List[np.ndarray]:
    """Return the initial parameters W, b, W, b, ... in float32; W is (in, out), or (out, in, 3, 3) of a convolution."""
    rng = np.random.RandomState(2)
    shapes: List[Any] = list(zip(task.sizes, task.sizes[1:]))
    if task.kind == "conv":
        shapes = [(out, in_, 3, 3) for in_, out in zip(CONV_CHANNELS, CONV_CHANNELS[1:])] + [(400, 10)]
    parameters = []
    for shape in shapes:
        fan_in = shape[0] if len(shape) == 2 else int(np.prod(shape[1:]))
        parameters.append((np.sqrt(2 / fan_in) * rng.randn(*shape)).astype(np.float32))
        parameters.append(np.full(shape[1] if len(shape) == 2 else shape[0], 0.01, np.float32))
    return parameters


def epoch_batches(task: Task, num_examples: int, epoch: int) -> List[np.ndarray]:
    """Return the indices of the batches of one epoch; the shuffling is part of what is timed."""
    order = np.random.RandomState(epoch).permutation(num_examples)
    return [order[start:start + task.batch] for start in range(0, num_examples, task.batch)]
