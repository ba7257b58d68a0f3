"""Convolution and pooling in place, for the compiled path; see lib.steps.layers for what a rule states.

Images are (channels, height, width, batch) here. With the batch last, the windows are copies of long rows, the product
W columns has the layout of the next layer's input, and Flatten costs nothing.
"""
from __future__ import annotations

from typing import Any, List, Sequence, Tuple

import numpy as np

from lib.steps.layers import RULES, CompiledLayer, rule
from lib.steps.memory import NotCompilable, Operation, Signal, Workspace, copy
from lib.layers import AvgPool2d, Conv2d, MaxPool2d
from lib.layers.windows import as_pair, num_windows, window_offsets

__all__ = ["RULES"]  # of all layers: those of lib.steps.layers, and the ones below

MAX_COLUMN_BYTES = 2 ** 26  # more than that for the windows of one batch, and the modules' groups are the better way


class Windows:
    """The geometry of a layer's windows over a signal x, and the operations that pad and unpad x.

    Attributes:
        padded, grad_padded: x.values and x.grad with their margins; themselves if there is no padding.
        pad: the operations that fill padded from x.values.
        unpad: those that fill x.grad from grad_padded.
        output_size: (out height, out width).
    """

    def __init__(self, layer: Any, kernel_size: Sequence[int], x: Signal, memory: Workspace,
                 margin: float = 0.0) -> None:
        if x.values.ndim != 4:
            raise NotCompilable(f"{layer} can't take this input.")
        channels, height, width, n = x.values.shape
        self.kernel_size = as_pair("kernel_size", kernel_size, layer)
        self.stride = as_pair("stride", layer.stride, layer)
        vertical, horizontal = as_pair("padding", layer.padding, layer, least=0)
        self.output_size = num_windows((height, width), kernel_size, self.stride, layer.padding)
        self.padded, self.grad_padded = x.values, x.grad
        self.pad: List[Operation] = []
        self.unpad: List[Operation] = []
        if (vertical, horizontal) != (0, 0):
            shape = (channels, height + 2 * vertical, width + 2 * horizontal, n)
            inside = (slice(None), slice(vertical, vertical + height), slice(horizontal, horizontal + width))
            self.padded = np.full(shape, margin, memory.dtype)
            self.pad = [Operation(copy, (x.values,), self.padded[inside])]
            if x.grad is not None:
                self.grad_padded = memory.empty(*shape)
                self.unpad = [Operation(copy, (self.grad_padded[inside],), x.grad)]

    def places(self) -> List[Tuple[np.ndarray, Any]]:
        """Return, for each place inside a window, views of padded and of grad_padded: (channels, oh, ow, batch)."""
        views = []
        for _, _, (_, rows, columns) in window_offsets(self.kernel_size, self.stride, self.output_size):
            grad = None if self.grad_padded is None else self.grad_padded[:, rows, columns]
            views.append((self.padded[:, rows, columns], grad))
        return views

    def clear_grad(self, memory: Workspace) -> List[Operation]:
        """Return the operation that sets grad_padded to zeros, before the windows add to it."""
        return [] if self.grad_padded is None else [Operation(copy, (memory.constant(0),), self.grad_padded)]


@rule(Conv2d, "padding", "stride")
def conv2d(layer: Conv2d, x: Signal, memory: Workspace) -> CompiledLayer:
    """z = W columns + b, for the matrices W (out, in * kh * kw), columns (in * kh * kw, oh * ow * batch)."""
    W, W_grad = memory.weights(layer.W)
    b, b_grad = memory.weights(layer.b)
    (out_channels, in_channels, *kernel_size), n = W.shape, memory.batch_size
    windows = Windows(layer, kernel_size, x, memory)
    out_height, out_width = windows.output_size
    column_shape = (in_channels, kernel_size[0] * kernel_size[1], out_height, out_width, n)
    if x.values.shape[0] != in_channels:
        raise NotCompilable(f"{layer} can't take this input.")
    if np.prod(column_shape) * memory.dtype.itemsize > MAX_COLUMN_BYTES:
        raise NotCompilable(f"The windows of {layer} in a batch of {n} would take more than "
                            f"{MAX_COLUMN_BYTES // 2 ** 20} MiB. Take smaller batches.")
    x.is_kept = True
    z = memory.signal(out_channels, out_height, out_width)
    z_matrix, grad_matrix = z.values.reshape(out_channels, -1), z.grad.reshape(out_channels, -1)
    columns, grad_columns = memory.empty(*column_shape), memory.empty(*column_shape)
    column_matrix = columns.reshape(-1, out_height * out_width * n)
    grad_column_matrix = grad_columns.reshape(column_matrix.shape)
    weights = W.reshape(out_channels, -1)

    forward = windows.pad + [Operation(copy, (pixels,), columns[:, i])
                             for i, (pixels, _) in enumerate(windows.places())]
    forward += [Operation(np.dot, (weights, column_matrix), z_matrix),
                Operation(np.add, (z_matrix, b.reshape(-1, 1)), z_matrix)]
    backward = []
    if W_grad is not None:
        backward += [Operation(np.dot, (grad_matrix, column_matrix.T), W_grad.reshape(weights.shape))]
    if b_grad is not None:
        ones = np.ones(grad_matrix.shape[1], memory.dtype)
        backward.append(Operation(np.dot, (grad_matrix, ones), b_grad.reshape(-1)))
    if x.grad is not None:
        backward += [Operation(np.dot, (weights.T, grad_matrix), grad_column_matrix)]
        backward += windows.clear_grad(memory)
        backward += [Operation(np.add, (grad, grad_columns[:, i]), grad)
                     for i, (_, grad) in enumerate(windows.places())]
        backward += windows.unpad
    return CompiledLayer(z, forward, backward)


@rule(MaxPool2d, "kernel_size", "stride", "padding")
def max_pool2d(layer: MaxPool2d, x: Signal, memory: Workspace) -> CompiledLayer:
    """y = max of x over the window; the gradient goes to the first place that is the maximum."""
    windows = Windows(layer, layer.kernel_size, x, memory, margin=-np.inf)
    x.is_kept = True
    y = memory.signal(x.values.shape[0], *windows.output_size)
    y.is_kept = True
    is_winner, is_open = np.empty(y.values.shape, bool), np.empty(y.values.shape, bool)
    share = memory.empty(*y.values.shape)

    places = windows.places()
    forward = windows.pad + [Operation(copy, (places[0][0],), y.values)]
    forward += [Operation(np.maximum, (y.values, pixels), y.values) for pixels, _ in places[1:]]
    backward = [Operation(copy, (np.array(True),), is_open)] + windows.clear_grad(memory)
    for pixels, grad in places:
        backward += [Operation(np.equal, (pixels, y.values), is_winner),
                     Operation(np.logical_and, (is_winner, is_open), is_winner),
                     Operation(np.greater, (is_open, is_winner), is_open),
                     Operation(np.multiply, (y.grad, is_winner), share),
                     Operation(np.add, (grad, share), grad)]
    return CompiledLayer(y, forward, backward + windows.unpad)


@rule(AvgPool2d, "kernel_size", "stride", "padding")
def avg_pool2d(layer: AvgPool2d, x: Signal, memory: Workspace) -> CompiledLayer:
    """y = mean of x over the window; each pixel of the window gets an equal share of the gradient."""
    windows = Windows(layer, layer.kernel_size, x, memory)
    y = memory.signal(x.values.shape[0], *windows.output_size)
    share = memory.empty(*y.values.shape)
    part = memory.constant(1 / (layer.kernel_size[0] * layer.kernel_size[1]))

    places = windows.places()
    forward = windows.pad + [Operation(copy, (places[0][0],), y.values)]
    forward += [Operation(np.add, (y.values, pixels), y.values) for pixels, _ in places[1:]]
    forward += [Operation(np.multiply, (y.values, part), y.values)]
    backward = windows.clear_grad(memory) + [Operation(np.multiply, (y.grad, part), share)]
    backward += [Operation(np.add, (grad, share), grad) for _, grad in places]
    return CompiledLayer(y, forward, backward + windows.unpad)
