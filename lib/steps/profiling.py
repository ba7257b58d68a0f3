"""Where the time of a training step goes: arithmetic, memory traffic and time of each operation of the compiled path.

An operation can't be faster than the machine multiplies (its floating-point operations over the machine's rate) nor
faster than the machine moves memory (its bytes over the bandwidth). The greater of the two times, as a share of the
time that it takes, is its share of what the machine can do (the "roofline"). For tiny arrays the share is small, as
the time goes into calling the function.

Source: S. Williams, A. Waterman, D. Patterson: Roofline, CACM 52(4), 2009.
"""
from __future__ import annotations

import copy
import time
from typing import Any, Callable, List, NamedTuple, Optional

import numpy as np

from lib.network_base import Module
from lib.steps.compiled import CompiledStep
from lib.steps.memory import Operation

MIN_SECONDS = 0.002  # a measurement repeats an operation for so long, and takes the best of a few


class Machine(NamedTuple):
    """What this machine can do in one precision: floating-point operations and bytes moved, both in a second."""

    flops: float
    bandwidth: float


class Line(NamedTuple):
    """What one operation does in one training step."""

    step: str
    operation: str
    shape: Any
    flops: int
    num_bytes: int
    seconds: float


class Profile(NamedTuple):
    """The lines of a training step and the machine that they ran on; printing it shows a table."""

    lines: List[Line]
    machine: Machine
    seconds: float

    def share(self, line: Line) -> float:
        """Return what share of the machine's abilities an operation uses, from 0 to about 1."""
        best = max(line.flops / self.machine.flops, line.num_bytes / self.machine.bandwidth)
        return best / line.seconds

    def __str__(self) -> str:
        total = sum(line.seconds for line in self.lines)
        table = [f"{'step':<34} {'operation':<20} {'output':<18} {'FLOPs':>12} {'bytes':>12} {'us':>9} {'time':>5} "
                 f"{'GFLOP/s':>8} {'GB/s':>7} {'of machine':>10}"]
        for line in self.lines:
            table.append(f"{line.step[:34]:<34} {line.operation[:20]:<20} {str(line.shape):<18} {line.flops:>12,} "
                         f"{line.num_bytes:>12,} {1e6 * line.seconds:>9.2f} {line.seconds / total:>5.0%} "
                         f"{line.flops / line.seconds / 1e9:>8.2f} {line.num_bytes / line.seconds / 1e9:>7.2f} "
                         f"{self.share(line):>10.0%}")
        flops, num_bytes = sum(line.flops for line in self.lines), sum(line.num_bytes for line in self.lines)
        table.append(f"{'all operations':<74} {flops:>12,} {num_bytes:>12,} {1e6 * total:>9.2f} {1:>5.0%} "
                     f"{flops / total / 1e9:>8.2f} {num_bytes / total / 1e9:>7.2f}")
        table.append(f"A whole step takes {1e6 * self.seconds:.2f} us. This machine: {self.machine.flops / 1e9:.1f} "
                     f"GFLOP/s in a matrix product, {self.machine.bandwidth / 1e9:.1f} GB/s in a copy.")
        return "\n".join(table)


def profile(model: Module, loss_fn: Any, optimizer: Any, x: np.ndarray, y: np.ndarray, verbose: bool = True,
            machine: Optional[Machine] = None) -> Profile:
    """Measure every operation of a training step on a batch, and print a table. Nothing is trained: a copy is.

    Args:
        model, loss_fn, optimizer: as for a training step.
        x, y: a batch.
        verbose: whether to print the table.
        machine: what the machine can do; measured if it isn't given.

    Returns:
        The profile; `str(profile)` is the table.

    Raises:
        NotCompilable: the compiled path doesn't know a layer, or can't take this batch; the message says why.
        DifferentResult: the modules compute something else.
    """
    model, loss_fn, optimizer = copy.deepcopy((model, loss_fn, optimizer))
    step = CompiledStep(model, loss_fn, optimizer)
    step.step(x, y)
    program = step.program(x, y)
    learning_rate, optimizer.lr = optimizer.lr, 1e-20  # the same arithmetic, on weights that stay as they are
    lines = []
    for label, operations in program.steps:
        for operation in operations:
            lines.append(measure_operation(label, operation))
    data, grad, state = step.flat.data, step.flat.grad, step.state.vectors
    seconds = best_seconds(lambda: optimizer.update(data, grad, state))
    arrays = [data, data, grad] + 2 * list(state.values())
    lines.append(Line(f"{type(optimizer).__name__} update", "update", data.shape, 2 * data.size,
                      sum(array.nbytes for array in arrays), seconds))
    optimizer.lr = learning_rate
    whole_step = best_seconds(lambda: step.step(x, y, with_loss=False))
    result = Profile(lines, machine or measure_machine(program.preds.dtype), whole_step)
    if verbose:
        print(result)
    return result


def measure_operation(label: str, operation: Operation) -> Line:
    """Return what an operation does, and how long it takes."""
    function, inputs, output = operation
    name = getattr(function, "__name__", "operation")
    name = {"reduce": f"{getattr(getattr(function, '__self__', None), '__name__', '')} over an axis"}.get(name, name)
    seconds = best_seconds(lambda: function(*inputs, out=output))
    return Line(label, name, output.shape, count_flops(operation), count_bytes(operation), seconds)


def count_flops(operation: Operation) -> int:
    """Return the floating-point operations: 2 m k n for a product (m, k) (k, n); one for each entry elsewhere.

    That counts an exponential as one, too, although it takes about ten additions' time.
    """
    arrays = [value for value in operation.inputs if isinstance(value, np.ndarray)]
    if operation.function is np.dot:
        return 2 * operation.output.size * arrays[0].shape[-1]
    if isinstance(operation.function, np.ufunc):
        return int(operation.output.size)
    return int(arrays[0].size) if getattr(operation.function, "__name__", "") == "reduce" else 0


def count_bytes(operation: Operation) -> int:
    """Return the bytes read and written, each array counted once."""
    return sum(value.nbytes for value in (*operation.inputs, operation.output) if isinstance(value, np.ndarray))


def best_seconds(function: Callable[[], Any], repetitions: int = 5) -> float:
    """Return the shortest time that the function took, in the mean over a few milliseconds."""
    function()
    start = time.perf_counter()
    function()
    calls = max(1, int(MIN_SECONDS / max(time.perf_counter() - start, 1e-7)))
    best = np.inf
    for _ in range(repetitions):
        start = time.perf_counter()
        for _ in range(calls):
            function()
        best = min(best, (time.perf_counter() - start) / calls)
    return best


def measure_machine(dtype: Any) -> Machine:
    """Measure the rate of a matrix product, and the bandwidth of a copy that fits into the processor's cache."""
    size = 512
    a, b, product = (np.ones((size, size), dtype) for _ in range(3))
    source, target = np.ones(2 ** 17, dtype), np.ones(2 ** 17, dtype)
    return Machine(2 * size ** 3 / best_seconds(lambda: np.dot(a, b, out=product)),
                   2 * source.nbytes / best_seconds(lambda: np.copyto(target, source)))
