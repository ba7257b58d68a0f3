"""Further nodes of EDF: each states its value in operations of lib.graph, whose engine computes the gradients."""
from __future__ import annotations

from typing import Any, List, Optional, Tuple

import numpy as np

from lib.graph import edf
from lib.graph.edf.problems import require_one_shape
from lib.graph.node import Node, variable
from lib.graph.operations import arithmetic, call, elementwise, kinks, reductions
from lib.graph.operations.convolution import Convolution
from lib.layers.windows import IntOrPair, as_pair


class Sigmoid(edf.OperationNode):
    """1 / (1 + exp(-x)), with x clamped to -10 ... 10; the derivative is value (1 - value), also where x is clamped."""

    operation = elementwise.Sigmoid()

    def input_values(self) -> List[Any]:
        return [np.clip(edf.value_of(self.inputs[0], self), -10, 10)]


class ReLU(edf.OperationNode):
    """max(0, x)."""

    operation = kinks.ReLU()


Relu = ReLU  # an older name


class Tanh(edf.OperationNode):
    """tanh(x)."""

    operation = elementwise.Tanh()


class Add(edf.OperationNode):
    """x1 + x2."""

    operation = arithmetic.Add()


class Softmax(edf.OperationNode):
    """Probabilities from scores s, row by row; s - max(s) is clamped at -10, so that no probability becomes 0."""

    operation = reductions.Softmax(axis=-1)

    def input_values(self) -> List[Any]:
        s = edf.value_of(self.inputs[0], self)
        return [np.maximum(s - s.max(axis=-1, keepdims=True), -10)]


class GraphNode(edf.CompNode):
    """Base class of the nodes whose value is written in operations: a subclass defines compute."""

    output: Optional[Node] = None

    def __init__(self, *inputs: Any) -> None:
        edf.CompNodes.append(self)
        self.inputs = inputs

    def compute(self, *inputs: Node) -> Node:
        """Return the value from the inputs, both as nodes of lib.graph."""
        raise NotImplementedError(f"{type(self).__name__} doesn't define compute yet.")

    def forward(self) -> None:
        self.leaves = [variable(edf.value_of(node, self)) for node in self.inputs]
        try:
            self.output = self.compute(*self.leaves)
        except ValueError as error:
            raise edf.shape_problem(self, self.leaves, error) from error
        self.value = np.array(self.output.value)

    def backward(self) -> None:
        assert self.output is not None, "Call Forward() before Backward(loss)."
        self.output.backward(self.grad.reshape(self.output.shape))
        for node, leaf in zip(self.inputs, self.leaves):
            edf.send(node, leaf.grad)


class LeakyReLU(GraphNode):
    """x where it is positive, and slope * x elsewhere."""

    def __init__(self, x: Any, slope: float = 0.01) -> None:
        super().__init__(x)
        self.slope = slope

    def compute(self, x: Any) -> Node:  # type: ignore[override]
        return np.where(x > 0, x, self.slope * x)


class MSELoss(GraphNode):
    """The mean of (y - y_hat)^2 over the entries of each example: value (batch,)."""

    def __init__(self, y: Any, y_hat: Any) -> None:
        super().__init__(y, y_hat)

    def forward(self) -> None:
        require_one_shape(self, *self.inputs)
        super().forward()

    def compute(self, y: Node, y_hat: Node) -> Node:  # type: ignore[override]
        return ((y - y_hat) ** 2).mean(axis=tuple(range(1, y_hat.ndim)))


class VDot(GraphNode):
    """The scalar product of x and y for each example: (batch, n) and (batch, n) to (batch,)."""

    def __init__(self, x: Any, y: Any) -> None:
        super().__init__(x, y)

    def compute(self, x: Node, y: Node) -> Node:  # type: ignore[override]
        return (x * y).sum(axis=-1)


class Norm(GraphNode):
    """The Euclidean norm of each example: (batch, n) to (batch,)."""

    def __init__(self, x: Any) -> None:
        super().__init__(x)

    def compute(self, x: Any) -> Node:  # type: ignore[override]
        return np.sqrt((x * x).sum(axis=-1))


class Reshape(GraphNode):
    """Each example in another shape, given without the batch axis."""

    def __init__(self, x: Any, shape: Tuple[int, ...]) -> None:
        super().__init__(x)
        self.shape = tuple(shape)

    def compute(self, x: Any) -> Node:  # type: ignore[override]
        return x.reshape((len(x),) + self.shape)


class Transpose(GraphNode):
    """Each example with its axes reversed, or in the order given, in which 0 is the batch axis."""

    def __init__(self, x: Any, axes: Optional[Tuple[int, ...]] = None) -> None:
        super().__init__(x)
        self.axes = axes

    def compute(self, x: Any) -> Node:  # type: ignore[override]
        return x.transpose(self.axes or (0,) + tuple(range(x.ndim - 1, 0, -1)))


class ConvParams(edf.ParameterPackage):
    """The parameters of Conv: A (nOutputs, nInputs, kh, kw), uniform within Xavier of the inputs of one output, b."""

    def __init__(self, nInputs: int, nOutputs: int, kernel_size: IntOrPair) -> None:
        kernel = as_pair("kernel_size", kernel_size, self)
        width = edf.Xavier(nInputs * kernel[0] * kernel[1])
        self.A = edf.Parameter(np.random.uniform(-width, width, (nOutputs, nInputs) + kernel))
        self.b = edf.Parameter(np.zeros((nOutputs, 1, 1)))


class Conv(GraphNode):
    """The convolution of images x (batch, nInputs, height, width) with the ConvParams w."""

    def __init__(self, w: ConvParams, x: Any, stride: IntOrPair = 1, padding: IntOrPair = 0) -> None:
        super().__init__(x, w.A, w.b)
        self.stride = as_pair("stride", stride, self)
        self.padding = as_pair("padding", padding, self, least=0)

    def compute(self, x: Node, A: Node, b: Node) -> Node:  # type: ignore[override]
        return call(Convolution(self.stride, self.padding), x, A) + b


class LayerNormParams(edf.ParameterPackage):
    """The parameters of LayerNorm for n features: gain (ones) and bias (zeros)."""

    def __init__(self, n: int) -> None:
        self.gain = edf.Parameter(np.ones(n))
        self.bias = edf.Parameter(np.zeros(n))


class LayerNorm(GraphNode):
    """Each example brought to mean 0 and variance 1 over its last axis, times gain plus bias of the LayerNormParams."""

    def __init__(self, w: LayerNormParams, x: Any, eps: float = 1e-5) -> None:
        super().__init__(x, w.gain, w.bias)
        self.eps = eps

    def compute(self, x: Any, gain: Node, bias: Node) -> Node:  # type: ignore[override]
        return (x - np.mean(x, -1, keepdims=True)) / np.sqrt(np.var(x, -1, keepdims=True) + self.eps) * gain + bias
