"""How convolutions, pooling, normalisation, embeddings and attention are written out in operations of the graph."""
from __future__ import annotations

import math
from typing import Any, Tuple

import numpy as np

from lib.layers import attention, embedding, normalization, pooling
from lib import convolutions
from lib.graph.modules import expansion, parameter_node
from lib.graph.node import Node
from lib.graph.operations import call
from lib.graph.operations.elementwise import sqrt
from lib.graph.operations.reductions import softmax
from lib.graph.operations.shapes import Scatter
from lib.convolutions import calculate_conv_output


# ---------------------------------------------------------------------- windows on images

def _padded(x: Node, padding: Tuple[int, int], border: float = 0.0) -> Node:
    """Return images with a border of rows and columns: the images are put into a larger array."""
    if padding == (0, 0):
        return x
    batch, channels, height, width = x.shape
    inside = (slice(None), slice(None), slice(padding[0], padding[0] + height), slice(padding[1], padding[1] + width))
    shape = (batch, channels, height + 2 * padding[0], width + 2 * padding[1])
    result = call(Scatter(inside, shape), x)
    if border == 0:
        return result
    frame = np.full(shape, border, x.dtype)
    frame[inside] = 0
    return result + frame


def windows(x: Node, kernel: Tuple[int, int], stride: Tuple[int, int], padding: Tuple[int, int],
            border: float = 0.0) -> Node:
    """Return all windows of the images: (batch, channels, kh, kw, out height, out width)."""
    height, width = calculate_conv_output(x.shape, kernel, stride, padding)
    i, j, row, column = np.ogrid[:kernel[0], :kernel[1], :height, :width]
    return _padded(x, padding, border)[:, :, row * stride[0] + i, column * stride[1] + j]


def convolution(x: Node, W: Node, stride: Tuple[int, int], padding: Tuple[int, int]) -> Node:
    """Return the convolution of images with W (out channels, in channels, kh, kw), as one matrix product."""
    patches = windows(x, (W.shape[2], W.shape[3]), stride, padding)
    batch, height, width = len(x), patches.shape[4], patches.shape[5]
    rows = patches.transpose(0, 4, 5, 1, 2, 3).reshape(batch * height * width, -1)
    return (rows @ W.reshape(len(W), -1).T).reshape(batch, height, width, -1).transpose(0, 3, 1, 2)


@expansion(convolutions.Conv2d)
def _conv2d(module: Any, x: Node) -> Node:
    z = convolution(x, parameter_node(module.W), module.stride, module.padding)
    return z + parameter_node(module.b)


@expansion(pooling.MaxPool2d)
def _max_pool(module: Any, x: Node) -> Node:
    return windows(x, module.kernel_size, module.stride, module.padding, border=-np.inf).max(axis=(2, 3))


@expansion(pooling.AvgPool2d)
def _avg_pool(module: Any, x: Node) -> Node:
    return windows(x, module.kernel_size, module.stride, module.padding).mean(axis=(2, 3))


# ---------------------------------------------------------------------- normalisation

def standardised(x: Node, axes: Tuple[int, ...], eps: float) -> Node:
    """Return x with mean 0 and variance 1 over some axes."""
    centred = x - x.mean(axis=axes, keepdims=True)
    return centred / sqrt((centred ** 2).mean(axis=axes, keepdims=True) + eps)


@expansion(normalization.BatchNorm1d, normalization.BatchNorm2d)
def _batch_norm(module: Any, x: Node) -> Node:
    shape = (1, -1) + (1,) * (x.ndim - 2)  # one number for each channel
    if module.training:
        xhat = standardised(x, (0,) + tuple(range(2, x.ndim)), module.eps)
        module.forward(x.value)  # feeds the running averages
    else:
        xhat = (x - module.running_mean.reshape(shape)) / np.sqrt(module.running_var.reshape(shape) + module.eps)
    return xhat * parameter_node(module.gamma).reshape(shape) + parameter_node(module.beta).reshape(shape)


@expansion(normalization.LayerNorm)
def _layer_norm(module: Any, x: Node) -> Node:
    axes = tuple(range(-len(module.normalized_shape), 0))
    return standardised(x, axes, module.eps) * parameter_node(module.gamma) + parameter_node(module.beta)


# ---------------------------------------------------------------------- sequences

@expansion(embedding.Embedding)
def _embedding(module: Any, x: Node) -> Node:
    return parameter_node(module.W)[x.value.astype(int)]


@expansion(embedding.PositionalEmbedding)
def _positional_embedding(module: Any, x: Node) -> Node:
    return x + parameter_node(module.W)[:x.shape[1]]


@expansion(attention.SelfAttention)
def _self_attention(module: Any, x: Node) -> Node:
    batch, length, features = x.shape
    rows = x.reshape(-1, features)

    def by_head(z: Node) -> Node:
        return z.reshape(batch, length, module.heads, -1).transpose(0, 2, 1, 3)

    Q, K, V = by_head(module.query(rows)), by_head(module.key(rows)), by_head(module.value(rows))
    S = Q @ K.transpose(0, 1, 3, 2) / math.sqrt(Q.shape[-1])
    if module.causal:
        S = S + np.where(np.tri(length, dtype=bool), 0, -np.inf)
    Y = softmax(S) @ V
    return Y.transpose(0, 2, 1, 3).reshape(batch, length, -1)


@expansion(attention.MultiHeadSelfAttention)
def _multi_head(module: Any, x: Node) -> Node:
    joined = _self_attention(module, x)
    return module.output(joined.reshape(-1, module.features)).reshape(joined.shape)
