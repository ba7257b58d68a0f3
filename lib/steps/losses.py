"""Each loss and its gradient in place, side by side, for the compiled path.

A function here takes the signal z of the predictions, and returns two lists of operations: backward computes z.grad
from z.values and the labels; forward computes the value of the loss from what backward has left, and only runs if
somebody asks for it. All arrays are (K, batch), so they stand transposed to those in lib.losses.
"""
from __future__ import annotations

from typing import Any, Callable, Dict, List, NamedTuple, Optional

import numpy as np

from lib import layers
from lib.layers.losses import BinaryCrossEntropyLoss, L1Loss, MeanSquaredError
from lib.numerics import require_one_hot
from lib.steps.layers import sigmoid_operations
from lib.steps.memory import Operation, Signal, Workspace


class CompiledLoss(NamedTuple):
    """A loss in place.

    Attributes:
        labels: where the labels of a batch go, (K, batch).
        scale: the number that they are multiplied by on their way there, by `take_labels`.
        value: the loss, an array of no dimensions.
        backward, forward: the operations, to be carried out in this order.
    """

    labels: np.ndarray
    scale: np.ndarray
    value: np.ndarray
    backward: List[Operation]
    forward: List[Operation]


FEW_CLASSES, SMALL_SIZE = 16, 4096  # up to these, an array counts as small: a call takes longer than its arithmetic


class LossRule(NamedTuple):
    """How a class of losses is compiled.

    Attributes:
        compile: what gives its operations.
        check: raises an InputError if labels aren't what the loss takes.
    """

    compile: Callable[[Signal, Workspace], CompiledLoss]
    check: Callable[[Any, np.ndarray], None]


LOSS_RULES: Dict[type, LossRule] = {}


def accept(loss: Any, labels: np.ndarray) -> None:
    """Take any numbers as labels."""


def loss_rule(loss_class: Optional[type], check: Callable[[Any, np.ndarray], None] = accept) -> Callable[[Any], Any]:
    """Enter the function below as the rule for this class of losses; for None, one that isn't there, do nothing."""
    def enter(function: Any) -> Any:
        if loss_class is not None:
            LOSS_RULES[loss_class] = LossRule(function, check)
        return function
    return enter


def take_labels(loss: CompiledLoss, y: np.ndarray) -> Operation:
    """Return the operation labels = scale y for labels of this shape and type, (K, batch).

    The product with the matrix scale I does the same, and is faster at turning a few columns into rows.
    """
    if y.dtype == loss.labels.dtype and len(y) <= FEW_CLASSES:
        return Operation(np.dot, (loss.scale * np.eye(len(y), dtype=y.dtype), y), loss.labels)
    return Operation(np.multiply, (y, loss.scale), loss.labels)


def sum_of_products(a: np.ndarray, b: np.ndarray, value: np.ndarray) -> Operation:
    """Return the operation value = sum_kn a_kn b_kn."""
    return Operation(np.dot, (a.reshape(-1), b.reshape(-1)), value)


@loss_rule(layers.CrossEntropyLoss, check=require_one_hot)
def cross_entropy(z: Signal, memory: Workspace) -> CompiledLoss:
    """L = sum labels / N (log sum_j exp(z_j) - z), dL/dz = exp(z) / (N sum_j exp(z_j)) - labels / N.

    The labels come divided by N, and N enters the sum of the exponentials as the weight of each summand: the mean takes
    no pass over the array of its own.
    """
    num_classes, n = z.values.shape
    labels, shifted = memory.empty(num_classes, n), memory.empty(num_classes, n)
    # In a small array, stretching a row over all rows takes longer than computing the row once for each of them.
    num_rows = num_classes if num_classes <= FEW_CLASSES and z.values.size <= SMALL_SIZE else 1
    if num_rows == 2:
        (first, second), greatest = z.values, memory.empty(2, n)
        backward = [Operation(np.maximum, (first, second), greatest[0]),
                    Operation(np.maximum, (second, first), greatest[1])]
    else:
        greatest = memory.empty(n)
        backward = [Operation(np.maximum.reduce, (z.values, 0), greatest)]
    sums, weights = memory.empty(num_rows, n), np.full((num_rows, num_classes), n, memory.dtype)
    backward += [Operation(np.subtract, (z.values, greatest), shifted),
                 Operation(np.exp, (shifted,), z.grad),
                 Operation(np.dot, (weights, z.grad), sums),
                 Operation(np.divide, (z.grad, sums), z.grad),
                 Operation(np.subtract, (z.grad, labels), z.grad)]
    total, value = sums[0], memory.empty()
    forward = [Operation(np.divide, (total, memory.constant(n)), total), Operation(np.log, (total,), total),
               Operation(np.subtract, (total, shifted), shifted), sum_of_products(labels, shifted, value)]
    return CompiledLoss(labels, memory.constant(1 / n), value, backward, forward)


@loss_rule(getattr(layers, "MSELoss", None))  # sheet 3's own file of losses has none
def half_squared_error(z: Signal, memory: Workspace) -> CompiledLoss:
    """L = 1/N sum 1/2 (z - labels)^2, dL/dz = (z - labels) / N."""
    return _squared_error(z, memory, weight=1 / (2 * z.values.shape[1]))


@loss_rule(MeanSquaredError)
def mean_squared_error(z: Signal, memory: Workspace) -> CompiledLoss:
    """L = 1/(N K) sum (z - labels)^2, dL/dz = 2 (z - labels) / (N K)."""
    return _squared_error(z, memory, weight=1 / z.values.size)


def _squared_error(z: Signal, memory: Workspace, weight: float) -> CompiledLoss:
    """L = weight sum (z - labels)^2, dL/dz = 2 weight (z - labels)."""
    labels, difference = memory.empty(*z.values.shape), memory.empty(*z.values.shape)
    value = memory.empty()
    backward = [Operation(np.subtract, (z.values, labels), difference),
                Operation(np.multiply, (difference, memory.constant(2 * weight)), z.grad)]
    forward = [sum_of_products(difference, difference, value),
               Operation(np.multiply, (value, memory.constant(weight)), value)]
    return CompiledLoss(labels, memory.constant(1), value, backward, forward)


@loss_rule(L1Loss)
def absolute_error(z: Signal, memory: Workspace) -> CompiledLoss:
    """L = 1/N sum |z - labels|, dL/dz = 1/N where z > labels, and -1/N elsewhere."""
    n = z.values.shape[1]
    labels, difference = memory.empty(*z.values.shape), memory.empty(*z.values.shape)
    is_greater = np.empty(z.values.shape, bool)
    weights, value = np.full(z.values.size, 1 / n, memory.dtype), memory.empty()
    backward = [Operation(np.greater, (z.values, labels), is_greater),
                Operation(np.multiply, (is_greater, memory.constant(2 / n)), z.grad),
                Operation(np.subtract, (z.grad, memory.constant(1 / n)), z.grad)]
    forward = [Operation(np.subtract, (z.values, labels), difference), Operation(np.abs, (difference,), difference),
               sum_of_products(difference, weights, value)]
    return CompiledLoss(labels, memory.constant(1), value, backward, forward)


@loss_rule(BinaryCrossEntropyLoss, check=lambda loss, labels: loss.check_labels(labels))
def binary_cross_entropy(z: Signal, memory: Workspace) -> CompiledLoss:
    """L = 1/N sum [max(z, 0) + log(1 + exp(-|z|)) - labels z], dL/dz = (sigmoid(z) - labels) / N."""
    n = z.values.shape[1]
    labels, e, rest = (memory.empty(*z.values.shape) for _ in range(3))
    weights, value, zero = np.full(z.values.size, 1 / n, memory.dtype), memory.empty(), memory.constant(0)
    backward = sigmoid_operations(z.values, z.grad, memory) + [
        Operation(np.subtract, (z.grad, labels), z.grad),
        Operation(np.multiply, (z.grad, memory.constant(1 / n)), z.grad)]
    forward = [Operation(np.copysign, (z.values, memory.constant(-1)), e), Operation(np.exp, (e,), e),
               Operation(np.log1p, (e,), e), Operation(np.maximum, (z.values, zero), rest),
               Operation(np.add, (rest, e), rest), Operation(np.multiply, (z.values, labels), e),
               Operation(np.subtract, (rest, e), rest), sum_of_products(rest, weights, value)]
    return CompiledLoss(labels, memory.constant(1), value, backward, forward)
