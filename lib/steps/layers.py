"""Each layer's forward and backward pass in place, side by side, for the compiled path.

A function here takes a layer and the signal x that enters it, and returns the signal y that leaves it with two lists of
operations: forward computes y.values from x.values, backward computes x.grad, and the gradients of the layer's
parameters, from y.grad. All values are (features..., batch), so the matrices stand transposed to those in lib.network.
Where x isn't needed afterwards, y takes its place in memory.
"""
from __future__ import annotations

from typing import Any, Callable, Dict, List, NamedTuple, Tuple

import numpy as np

from lib.layers import Dropout, Flatten, Identity, LeakyReLU, Linear, ReLU, Sigmoid, Softplus, Tanh
from lib.network_base import Module
from lib.steps.memory import NotCompilable, Operation, Signal, Workspace


MAX_TRANSPOSED = 2 ** 13  # entries up to which x W, the faster product, followed by a transposition beats W^T x^T


class CompiledLayer(NamedTuple):
    """A layer in place: the signal that leaves it, and the operations of its two passes."""

    output: Signal
    forward: List[Operation]
    backward: List[Operation]


class Rule(NamedTuple):
    """How a class of layers is compiled, and which of its attributes the operations have fixed."""

    compile: Callable[[Any, Signal, Workspace], CompiledLayer]
    settings: Tuple[str, ...]


RULES: Dict[type, Rule] = {}


def rule(layer_class: type, *settings: str) -> Callable[[Any], Any]:
    """Enter the function below as the rule for this class of layers."""
    def enter(function: Any) -> Any:
        RULES[layer_class] = Rule(function, settings)
        return function
    return enter


def compile_layer(layer: Module, x: Signal, memory: Workspace) -> CompiledLayer:
    """Return a layer in place, by its rule.

    Raises:
        NotCompilable: it can't take this input, or isn't what its rule knows.
    """
    try:
        return RULES[type(layer)].compile(layer, x, memory)
    except (AttributeError, ValueError) as error:
        if isinstance(error, NotCompilable):
            raise
        raise NotCompilable(f"{layer} is another {type(layer).__name__} than the one whose rule is known: "
                            f"{error}.") from error


@rule(Linear)
def linear(layer: Linear, x: Signal, memory: Workspace) -> CompiledLayer:
    """z = [b; W]^T [1; x], or W^T x + b where there are no ones above x, or where only one of W and b is trained."""
    (in_features, out_features), (W, W_grad), (b, b_grad) = \
        layer.W.data.shape, memory.weights(layer.W), memory.weights(layer.b)
    if x.values.shape[:-1] != (in_features,):
        raise NotCompilable(f"{layer} can't take this input.")
    x.is_kept = True
    z = memory.signal(out_features)
    backward = [Operation(np.dot, (W, z.grad), x.grad)]
    joined = memory.joined(layer.b, layer.W)
    if joined is not None and x.with_ones is not None:
        both, both_grad = joined
        forward = [Operation(np.dot, (both.T, x.with_ones), z.values)]
        backward.append(Operation(np.dot, (x.with_ones, z.grad.T), both_grad))
        return CompiledLayer(z, forward, backward)
    product = z.values
    if x.with_ones is None and z.values.size <= MAX_TRANSPOSED:  # x is memory.x_batch, transposed
        product = memory.empty(*z.values.shape[::-1]).T
        forward = [Operation(np.dot, (memory.x_batch, W), product.T)]
    else:
        forward = [Operation(np.dot, (W.T, x.values), product)]
    forward.append(Operation(np.add, (product, b[:, np.newaxis]), z.values))
    backward += [Operation(np.dot, (x.values, z.grad.T), W_grad),
                 Operation(np.dot, (z.grad, np.ones(memory.batch_size, memory.dtype)), b_grad)]
    return CompiledLayer(z, forward, backward)


@rule(ReLU)
def relu(layer: ReLU, x: Signal, memory: Workspace) -> CompiledLayer:
    """y = max(x, 0), which is never negative, so its sign is the derivative: 1 where x > 0, and 0 elsewhere."""
    y = memory.successor(x)
    y.is_kept = True
    zeros = np.zeros(x.values.shape, memory.dtype)  # an array, with which maximum is faster than with a number
    forward = [Operation(np.maximum, (x.values, zeros), y.values)]
    if y.values.size < 1000:
        slope = memory.empty(*y.values.shape)
        find_slope = Operation(np.sign, (y.values,), slope)
    else:  # a comparison is faster, and booleans are less to read
        slope = np.empty(y.values.shape, bool)
        find_slope = Operation(np.greater, (y.values, memory.constant(0)), slope)
    return CompiledLayer(y, forward, [find_slope, Operation(np.multiply, (y.grad, slope), x.grad)])


@rule(LeakyReLU, "slope")
def leaky_relu(layer: LeakyReLU, x: Signal, memory: Workspace) -> CompiledLayer:
    """y = x f, with the factor f = 1 where x > 0, and slope elsewhere; dy/dx = f."""
    y = memory.successor(x)
    is_positive, factor = np.empty(x.values.shape, bool), memory.empty(*x.values.shape)
    forward = [Operation(np.greater, (x.values, memory.constant(0)), is_positive),
               Operation(np.multiply, (is_positive, memory.constant(1 - layer.slope)), factor),
               Operation(np.add, (factor, memory.constant(layer.slope)), factor),
               Operation(np.multiply, (x.values, factor), y.values)]
    backward = [Operation(np.multiply, (y.grad, factor), x.grad)]
    return CompiledLayer(y, forward, backward)


def sigmoid_operations(x: np.ndarray, y: np.ndarray, memory: Workspace) -> List[Operation]:
    """Return y = max(e, sign(x)) / (1 + e) with e = exp(-|x|): that is 1/(1 + e) from x = 0 on, and e/(1 + e) below.

    No exponential is taken of a positive number, so none overflows.
    """
    e, numerator, one = memory.empty(*x.shape), memory.empty(*x.shape), memory.constant(1)
    return [Operation(np.copysign, (x, -one), e), Operation(np.exp, (e,), e),
            Operation(np.sign, (x,), numerator), Operation(np.maximum, (e, numerator), numerator),
            Operation(np.add, (e, one), e), Operation(np.divide, (numerator, e), y)]


@rule(Sigmoid)
def sigmoid(layer: Sigmoid, x: Signal, memory: Workspace) -> CompiledLayer:
    """y = 1 / (1 + exp(-x)), dy/dx = y (1 - y)."""
    y = memory.successor(x)
    y.is_kept = True
    slope = memory.empty(*y.values.shape)
    forward = sigmoid_operations(x.values, y.values, memory)
    backward = [Operation(np.subtract, (memory.constant(1), y.values), slope),
                Operation(np.multiply, (slope, y.values), slope),
                Operation(np.multiply, (y.grad, slope), x.grad)]
    return CompiledLayer(y, forward, backward)


@rule(Tanh)
def tanh(layer: Tanh, x: Signal, memory: Workspace) -> CompiledLayer:
    """y = tanh(x), dy/dx = 1 - y^2."""
    y = memory.successor(x)
    y.is_kept = True
    slope = memory.empty(*y.values.shape)
    forward = [Operation(np.tanh, (x.values,), y.values)]
    backward = [Operation(np.multiply, (y.values, y.values), slope),
                Operation(np.subtract, (memory.constant(1), slope), slope),
                Operation(np.multiply, (y.grad, slope), x.grad)]
    return CompiledLayer(y, forward, backward)


@rule(Softplus)
def softplus(layer: Softplus, x: Signal, memory: Workspace) -> CompiledLayer:
    """y = max(x, 0) + log(1 + exp(-|x|)), dy/dx = sigmoid(x)."""
    x.is_kept = True
    y = memory.signal(*x.values.shape[:-1])
    e, slope = memory.empty(*x.values.shape), memory.empty(*x.values.shape)
    forward = [Operation(np.copysign, (x.values, memory.constant(-1)), e), Operation(np.exp, (e,), e),
               Operation(np.log1p, (e,), e), Operation(np.maximum, (x.values, memory.constant(0)), y.values),
               Operation(np.add, (y.values, e), y.values)]
    backward = sigmoid_operations(x.values, slope, memory) + [Operation(np.multiply, (y.grad, slope), x.grad)]
    return CompiledLayer(y, forward, backward)


@rule(Identity)
def identity(layer: Identity, x: Signal, memory: Workspace) -> CompiledLayer:
    """y = x: nothing to do."""
    return CompiledLayer(x, [], [])


@rule(Dropout, "training", "p_delete", "fix_seed", "rng")
def dropout(layer: Dropout, x: Signal, memory: Workspace) -> CompiledLayer:
    """y = x m / (1 - p), dy/dx = m / (1 - p); m is drawn example by example, as Dropout itself draws it."""
    if not layer.training:
        return CompiledLayer(x, [], [])
    y = memory.successor(x)
    scale = memory.constant(1 / (1 - layer.p_delete) if layer.p_delete < 1 else 0)
    drawn = np.empty(x.values.shape[-1:] + x.values.shape[:-1])
    mask = memory.empty(*x.values.shape)
    rng = getattr(layer, "rng", None)  # a student's Dropout has none

    def draw(out: np.ndarray) -> None:
        if layer.fix_seed:
            np.random.seed(0)
        source: Any = np.random if rng is None or layer.fix_seed else rng
        out[...] = source.binomial(1, 1 - layer.p_delete, out.shape)

    forward = [Operation(draw, (), drawn),
               Operation(np.multiply, (np.moveaxis(drawn, 0, -1), scale), mask),
               Operation(np.multiply, (x.values, mask), y.values)]
    backward = [Operation(np.multiply, (y.grad, mask), x.grad)]
    return CompiledLayer(y, forward, backward)


@rule(Flatten)
def flatten(layer: Flatten, x: Signal, memory: Workspace) -> CompiledLayer:
    """(d1, d2, ..., batch) to (d1 * d2 * ..., batch): the same memory, seen in another shape."""
    if x.values.ndim == 2:
        return CompiledLayer(x, [], [])
    flat_shape = (-1, memory.batch_size)
    grad = None if x.grad is None else x.grad.reshape(flat_shape)
    y = Signal(x.values.reshape(flat_shape), grad, x.with_ones)
    y.is_kept = x.is_kept
    return CompiledLayer(y, [], [])
