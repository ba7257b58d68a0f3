"""Initial weights: random, in a size at which signals neither fade nor explode on their way through the layers.

A unit's input z = sum_i x_i w_i has the variance fan_in * Var(w) * mean(x^2), so Var(w) = 1 / fan_in keeps the size of
the signal on its way forward, and Var(w) = 1 / fan_out that of the gradient on its way back. The rules differ in which
of the two they follow, and in the factor 2 that makes up for ReLU, which sets half of its inputs to zero:

    LeCun   Var(w) = 1 / fan_in                    for linear units, tanh at the start, SELU
    Xavier  Var(w) = 2 / (fan_in + fan_out)        for tanh and sigmoid; also called Glorot
    He      Var(w) = 2 / fan_in                    for ReLU; also called Kaiming

Each comes as a normal distribution and as a uniform one of the same variance: the latter is limited to
+-sqrt(3 Var(w)).

Sources: Y. LeCun et al.: Efficient BackProp, 1998; X. Glorot, Y. Bengio: Understanding the difficulty of training deep
feedforward neural networks, AISTATS 2010; K. He et al.: Delving deep into rectifiers, ICCV 2015; A. Saxe et al.: Exact
solutions to the nonlinear dynamics of learning in deep linear neural networks, ICLR 2014 (orthogonal).
"""
from __future__ import annotations

from math import prod, sqrt
from typing import Callable, Dict, Optional, Sequence, Tuple, Union

import numpy as np

from lib.network import Linear
from lib.network_base import Module, Parameter
from lib.validation import InputError, random_source, require_choice, require_module

Shape = Sequence[int]
Rng = Optional[np.random.Generator]  # None is NumPy's global random state
Initializer = Callable[[Shape, Rng], np.ndarray]


def fans(shape: Shape) -> Tuple[int, int]:
    """Return (fan_in, fan_out): how many inputs a unit sums up, and how many units an input goes to.

    >>> fans((784, 128)), fans((16, 3, 5, 5))
    ((784, 128), (75, 400))

    Args:
        shape: (in, out) of a linear layer, (runs, in, out) of a stack of them, or (out, in, height, width) of a
            convolution, in which each unit sums over in * height * width inputs.
    """
    if len(shape) in (2, 3) and prod(shape) > 0:
        return shape[-2], shape[-1]
    if len(shape) == 4 and prod(shape) > 0:
        kernel = shape[2] * shape[3]
        return shape[1] * kernel, shape[0] * kernel
    raise InputError(f"Initialisers expect the shape of weights, (in, out) or (out, in, height, width), but got "
                     f"{tuple(shape)}.")


def lecun_normal(shape: Shape, rng: Rng = None) -> np.ndarray:
    """Return normal weights with Var(w) = 1 / fan_in."""
    return _normal(shape, 1 / fans(shape)[0], rng)


def lecun_uniform(shape: Shape, rng: Rng = None) -> np.ndarray:
    """Return uniform weights with Var(w) = 1 / fan_in."""
    return _uniform(shape, 1 / fans(shape)[0], rng)


def xavier_normal(shape: Shape, rng: Rng = None) -> np.ndarray:
    """Return normal weights with Var(w) = 2 / (fan_in + fan_out)."""
    return _normal(shape, 2 / sum(fans(shape)), rng)


def xavier_uniform(shape: Shape, rng: Rng = None) -> np.ndarray:
    """Return uniform weights with Var(w) = 2 / (fan_in + fan_out)."""
    return _uniform(shape, 2 / sum(fans(shape)), rng)


def he_normal(shape: Shape, rng: Rng = None) -> np.ndarray:
    """Return normal weights with Var(w) = 2 / fan_in."""
    return _normal(shape, 2 / fans(shape)[0], rng)


def he_uniform(shape: Shape, rng: Rng = None) -> np.ndarray:
    """Return uniform weights with Var(w) = 2 / fan_in."""
    return _uniform(shape, 2 / fans(shape)[0], rng)


def orthogonal(shape: Shape, rng: Rng = None) -> np.ndarray:
    """Return weights whose rows, or columns if these are fewer, are orthogonal to each other and of length 1.

    A square matrix of this kind turns vectors without changing their length. It is the Q of a normal matrix's QR
    decomposition; making R's diagonal positive makes all such matrices equally likely. The weights of a convolution
    are taken as a matrix (out, in * height * width).
    """
    fans(shape)  # a shape that isn't that of weights is an error
    matrix_shape = tuple(shape) if len(shape) < 4 else (shape[0], prod(shape[1:]))
    rows, columns = matrix_shape[-2:]
    larger_first = (max(rows, columns), min(rows, columns))
    draw = random_source(rng, "initialize").standard_normal(matrix_shape[:-2] + larger_first)
    q, r = np.linalg.qr(draw)
    diagonal = np.diagonal(r, axis1=-2, axis2=-1)
    q = q * np.where(diagonal < 0, -1.0, 1.0)[..., np.newaxis, :]
    return (q if rows >= columns else np.swapaxes(q, -1, -2)).reshape(shape)


INITIALIZERS: Dict[str, Initializer] = {
    "lecun": lecun_normal, "lecun_normal": lecun_normal, "lecun_uniform": lecun_uniform,
    "xavier": xavier_uniform, "xavier_normal": xavier_normal, "xavier_uniform": xavier_uniform,
    "glorot": xavier_uniform, "glorot_normal": xavier_normal, "glorot_uniform": xavier_uniform,
    "he": he_normal, "he_normal": he_normal, "he_uniform": he_uniform,
    "kaiming": he_normal, "kaiming_normal": he_normal, "kaiming_uniform": he_uniform,
    "orthogonal": orthogonal,
}


def initialize(model: Module, initializer: Union[str, Initializer] = "own", rng: Rng = None) -> Module:
    """Draw a model's weights anew, in place, and return the model.

    Parameters with the role "weight" are drawn, and those with the role "bias" become zero. The other parameters, such
    as the scales of normalisations, stay as they are. So do the tables of embeddings: their rows are looked up, not
    summed, so that the number of rows says nothing about their size.

    Args:
        model: a layer or a network.
        initializer: a name, such as "xavier", "he_uniform" or "orthogonal"; a function of (shape, rng); or "own": each
            layer draws its parameters as its constructor does.
        rng: draws the weights; NumPy's global random state when it isn't given.

    Raises:
        InputError: there is no such initialiser, or a layer doesn't know its own.
    """
    require_module("model", model, "initialize")
    random_source(rng, "initialize")  # refuses what draws nothing
    if isinstance(initializer, str) and initializer == "own":
        _reset_parameters(model, rng)
        return model
    if not callable(initializer) or hasattr(initializer, "named_parameters"):
        require_choice("initializer", initializer, tuple(INITIALIZERS) + ("own",), "initialize")
        initializer = INITIALIZERS[str(initializer)]
    for path, param in model.named_parameters():
        if param.role is None and param.data.ndim > 1:
            raise InputError(f"initialize doesn't know what {path} is, of shape {param.data.shape}. Say it where the "
                             "parameter is made: Parameter(..., role=\"weight\"), or \"table\" to leave it as it is.")
        if param.role == "weight":
            param.data[...] = initializer(param.data.shape, rng)
        elif param.role == "bias":
            param.data[...] = 0
    return model


def _reset_parameters(model: Module, rng: Rng) -> None:
    """Let every module that holds parameters draw them anew, as its constructor does."""
    layers = [(path, module) for path, module in model.named_modules()
              if any(True for _ in Module.held(module, Parameter))]
    for path, layer in layers:
        if not isinstance(layer, Linear) and not hasattr(layer, "reset_parameters"):
            raise InputError(f"{path}, a {type(layer).__name__}, has no method reset_parameters, so it can't draw its "
                             "parameters anew by itself. Name an initializer, such as initializer=\"xavier\".")
    for _, layer in layers:
        if isinstance(layer, Linear):  # as the sheets have it
            layer.W.data[...] = 0.01 * random_source(rng, "initialize").standard_normal(layer.W.data.shape)
            layer.b.data[...] = 0.0 if layer.b.constant else 0.01
        else:
            layer.reset_parameters(rng)  # type: ignore[attr-defined]


def _normal(shape: Shape, variance: float, rng: Rng) -> np.ndarray:
    return sqrt(variance) * random_source(rng, "initialize").standard_normal(tuple(shape))


def _uniform(shape: Shape, variance: float, rng: Rng) -> np.ndarray:
    limit = sqrt(3 * variance)
    return random_source(rng, "initialize").uniform(-limit, limit, tuple(shape))
