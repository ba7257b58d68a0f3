"""Normalisation: values are brought to mean 0 and variance 1, then scaled and shifted by learnt parameters.

All the layers here share one formula, over a set of m values x_1, ..., x_m that are normalised together:

    mean = 1/m sum_i x_i,   var = 1/m sum_i (x_i - mean)^2,   xhat_i = (x_i - mean) / sqrt(var + eps),
    y_i = gamma xhat_i + beta.

They differ in what is put together: BatchNorm takes a feature over the whole batch, LayerNorm all features of one
example. Backward, with g_i = dL/dxhat_i = gamma dL/dy_i and s = sqrt(var + eps): x_j acts on every xhat_i, as

    dxhat_i/dx_j = (1[i = j] - 1/m - xhat_i xhat_j / m) / s,

where the second term comes from the mean and the third from the variance. Summed over i, this gives

    dL/dx_j = (g_j - mean(g) - xhat_j mean(g xhat)) / s,   dL/dgamma = sum dL/dy xhat,   dL/dbeta = sum dL/dy.
"""
from __future__ import annotations

from typing import Any, Dict, List, Sequence, Tuple, Union

import numpy as np

from lib.layers.windows import checked_images
from lib.network_base import Module, Parameter
from lib.validation import (InputError, as_float, checked_upstream, require_forward, require_gradients,
                            require_not_empty, require_positive, require_size)


def normalize(x: np.ndarray, mean: np.ndarray, var: np.ndarray, eps: float) -> Tuple[np.ndarray, np.ndarray]:
    """Return xhat = (x - mean) / sqrt(var + eps) and 1 / sqrt(var + eps), both in the precision of x."""
    scale = (1 / np.sqrt(var + eps)).astype(x.dtype, copy=False)
    return (x - mean).astype(x.dtype, copy=False) * scale, scale


def normalize_backward(grad: np.ndarray, xhat: np.ndarray, scale: np.ndarray, axes: Tuple[int, ...]) -> np.ndarray:
    """Return dL/dx from grad = dL/dxhat, where mean and variance were taken over the axes of x itself."""
    mean_grad = grad.mean(axis=axes, keepdims=True)
    mean_product = (grad * xhat).mean(axis=axes, keepdims=True)
    return (grad - mean_grad - xhat * mean_product) * scale


class BatchNorm(Module):
    """Base class of the batch normalisations: each channel is normalised over the batch (and over its pixels).

    While training, with the batch's own mean and variance; they also feed the running averages
        running = (1 - momentum) running + momentum batch's value,
    (with the unbiased variance, 1/(m - 1)), which take their place in evaluation mode: there, an example's result
    doesn't depend on the others in its batch, and dy/dx = gamma / sqrt(running_var + eps).

    Args:
        num_features: the number of channels C; gamma starts as ones (C,), beta as zeros (C,).
        eps: keeps the division possible where the variance is 0.
        momentum: the share of the newest batch in the running averages.

    Source: S. Ioffe, C. Szegedy: Batch normalization, ICML 2015.
    """

    takes_any_number = True

    def __init__(self, num_features: int, eps: float = 1e-5, momentum: float = 0.1) -> None:
        require_size("num_features", num_features, self)
        require_positive("eps", eps, self)
        require_positive("momentum", momentum, self, zero_allowed=True)
        if momentum > 1:
            raise InputError(f"{type(self).__name__} expects momentum to be from 0 to 1, but got {momentum!r}.")
        self.num_features, self.eps, self.momentum = int(num_features), float(eps), float(momentum)
        self.gamma = Parameter(np.ones(self.num_features), name="gamma", role="scale")
        self.beta = Parameter(np.zeros(self.num_features), name="beta", role="shift")
        self.running_mean = np.zeros(self.num_features)
        self.running_var = np.ones(self.num_features)

    @classmethod
    def examples(cls, rng: np.random.Generator) -> List[Tuple[Module, Tuple[Any, ...]]]:
        return []  # those that can be computed with are BatchNorm1d and BatchNorm2d

    def parameters(self) -> List[Parameter]:
        return [parameter for parameter in (self.gamma, self.beta) if not parameter.constant]

    def buffers(self) -> Dict[str, np.ndarray]:
        return {"running_mean": self.running_mean, "running_var": self.running_var}

    def forward(self, x: np.ndarray) -> np.ndarray:
        x = self._checked_input(x)
        axes = self._axes(x)
        if self.training:
            mean, var = (moment(axis=axes, keepdims=True, dtype=np.float64) for moment in (x.mean, x.var))
            self._update_running(mean, var, x.size // self.num_features)
        else:
            mean, var = self._beside(self.running_mean, x), self._beside(self.running_var, x)
        xhat, scale = normalize(x, mean, var, self.eps)
        self.input_cache = (xhat, scale, self.training)
        return (xhat * self._beside(self.gamma.data, x) + self._beside(self.beta.data, x)).astype(x.dtype, copy=False)

    def on_nodes(self, x: Any) -> Any:
        """Say what forward does to a node of a graph, in the names of the paper."""
        mean: Any = self._beside(self.running_mean, x)
        var: Any = self._beside(self.running_var, x)
        if self.training:
            mean = x.mean(axis=self._axes(x), keepdims=x.ndim > 2).named("mu_B")
            var = ((x - mean) ** 2).mean(axis=self._axes(x), keepdims=x.ndim > 2).named("sigma2_B")
        s: Any = np.sqrt(var + self.eps)
        xhat = ((x - mean) / (s.named("s") if self.training else s)).named("x_hat")
        return self._beside(self.gamma.data, x) * xhat + self._beside(self.beta.data, x)

    def backward(self, grad: np.ndarray) -> np.ndarray:
        require_forward(self, self.input_cache)
        require_gradients(self, self.gamma, self.beta)
        xhat, scale, from_batch = self.input_cache
        grad = checked_upstream(self, grad, xhat.shape)
        axes = self._axes(xhat)
        self.gamma.grad += (grad * xhat).sum(axis=axes)
        self.beta.grad += grad.sum(axis=axes)
        grad_xhat = (grad * self._beside(self.gamma.data, xhat)).astype(xhat.dtype, copy=False)
        if not from_batch:  # running averages are constants
            return grad_xhat * scale
        return normalize_backward(grad_xhat, xhat, scale, axes)

    def _update_running(self, mean: np.ndarray, var: np.ndarray, count: int) -> None:
        """Move the running averages towards the mean and the unbiased variance of a batch of count values."""
        unbiased = var * (count / (count - 1))
        for name, value in (("running_mean", mean), ("running_var", unbiased)):
            running = getattr(self, name)
            moved = (1 - self.momentum) * running + self.momentum * value.reshape(-1)
            setattr(self, name, moved.astype(running.dtype, copy=False))

    @staticmethod
    def _axes(x: np.ndarray) -> Tuple[int, ...]:
        """Return all axes but that of the channels."""
        return (0,) + tuple(range(2, x.ndim))

    @staticmethod
    def _beside(vector: np.ndarray, x: np.ndarray) -> np.ndarray:
        """Return one number a channel in a shape that broadcasts along the channels of x: (C,) or (1, C, 1, ...)."""
        return vector if x.ndim == 2 else vector.reshape((1, -1) + (1,) * (x.ndim - 2))

    def _checked_input(self, x: Any) -> np.ndarray:
        raise NotImplementedError

    def _require_several(self, x: np.ndarray) -> np.ndarray:
        """Return x if its batch has a variance, at least where one is needed."""
        if self.training and x.size == self.num_features:
            raise InputError(f"{self} got a single value for each channel, in a batch of shape {x.shape}: while "
                             "training, it needs at least 2, as one value has no variance. Use larger batches (the "
                             "last one of an epoch may be the small one), or model.eval() to predict one example.")
        return x

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.num_features})"


class BatchNorm1d(BatchNorm):
    """Batch normalisation of features: x (batch, C), or (batch, C, length); see BatchNorm."""

    @classmethod
    def examples(cls, rng: np.random.Generator) -> List[Tuple[Module, Tuple[Any, ...]]]:
        return [_with_random_state(cls(3), rng, (4, 3)), _with_random_state(cls(2), rng, (2, 2, 3)),
                _with_random_state(cls(3).eval(), rng, (1, 3))]

    def _checked_input(self, x: Any) -> np.ndarray:
        x = as_float(x, self)
        if x.ndim not in (2, 3) or x.shape[1] != self.num_features:
            raise InputError(f"{self} expects an input of shape (batch, {self.num_features}) or (batch, "
                             f"{self.num_features}, length), but got {x.shape}. Is num_features the out_features of "
                             "the layer before it, and are rows examples?")
        require_not_empty(x, self)
        return self._require_several(x)


class BatchNorm2d(BatchNorm):
    """Batch normalisation of images: x (batch, C, height, width), each channel over all pixels; see BatchNorm."""

    @classmethod
    def examples(cls, rng: np.random.Generator) -> List[Tuple[Module, Tuple[Any, ...]]]:
        return [_with_random_state(cls(2), rng, (2, 2, 3, 2)), _with_random_state(cls(1), rng, (1, 1, 2, 2)),
                _with_random_state(cls(2).eval(), rng, (1, 2, 1, 2))]

    def _checked_input(self, x: Any) -> np.ndarray:
        return self._require_several(checked_images(self, x, self.num_features))


class LayerNorm(Module):
    """Layer normalisation: each example is normalised over its own features, in both modes alike.

    Shapes: x (batch, ...) that ends with normalized_shape; gamma (starting as ones) and beta (zeros) have that shape.

    Args:
        normalized_shape: the size of the last axis, or the shape of the last axes, that are normalised together.
        eps: keeps the division possible where the variance is 0.

    Source: J. L. Ba, J. R. Kiros, G. E. Hinton: Layer normalization, arXiv:1607.06450.
    """

    takes_any_number = True

    def __init__(self, normalized_shape: Union[int, Sequence[int]], eps: float = 1e-5) -> None:
        shape = tuple(normalized_shape) if isinstance(normalized_shape, (tuple, list)) else (normalized_shape,)
        for size in shape or (0,):
            require_size("normalized_shape", size, self)
        require_positive("eps", eps, self)
        self.normalized_shape = tuple(int(size) for size in shape)
        self.eps = float(eps)
        self.gamma = Parameter(np.ones(self.normalized_shape), name="gamma", role="scale")
        self.beta = Parameter(np.zeros(self.normalized_shape), name="beta", role="shift")

    @classmethod
    def examples(cls, rng: np.random.Generator) -> List[Tuple[Module, Tuple[Any, ...]]]:
        return [_with_random_state(cls(5), rng, (2, 5)), _with_random_state(cls(3), rng, (2, 2, 3)),
                _with_random_state(cls((2, 3)), rng, (1, 2, 3))]

    def parameters(self) -> List[Parameter]:
        return [parameter for parameter in (self.gamma, self.beta) if not parameter.constant]

    def forward(self, x: np.ndarray) -> np.ndarray:
        x = as_float(x, self)
        if x.ndim <= len(self.normalized_shape) or x.shape[-len(self.normalized_shape):] != self.normalized_shape:
            expected = f"(batch, ..., {', '.join(map(str, self.normalized_shape))})"
            raise InputError(f"{self} expects an input of shape {expected}, but got {x.shape}. normalized_shape is the "
                             "size of the last axis, or the sizes of the last axes, of the input.")
        require_not_empty(x, self)
        axes = self._axes()
        mean, var = (moment(axis=axes, keepdims=True, dtype=np.float64) for moment in (x.mean, x.var))
        xhat, scale = normalize(x, mean, var, self.eps)
        self.input_cache = (xhat, scale)
        return (xhat * self.gamma.data + self.beta.data).astype(x.dtype, copy=False)

    def on_nodes(self, x: Any) -> Any:
        """Say what forward does to a node of a graph, in the names of the paper."""
        mean = x.mean(axis=self._axes(), keepdims=True).named("mu")
        var = ((x - mean) ** 2).mean(axis=self._axes(), keepdims=True).named("sigma2")
        xhat = ((x - mean) / np.sqrt(var + self.eps).named("s")).named("x_hat")
        return self.gamma.data * xhat + self.beta.data

    def backward(self, grad: np.ndarray) -> np.ndarray:
        require_forward(self, self.input_cache)
        require_gradients(self, self.gamma, self.beta)
        xhat, scale = self.input_cache
        grad = checked_upstream(self, grad, xhat.shape)
        batch_axes = tuple(range(grad.ndim - len(self.normalized_shape)))
        self.gamma.grad += (grad * xhat).sum(axis=batch_axes)
        self.beta.grad += grad.sum(axis=batch_axes)
        grad_xhat = (grad * self.gamma.data).astype(xhat.dtype, copy=False)
        return normalize_backward(grad_xhat, xhat, scale, self._axes())

    def _axes(self) -> Tuple[int, ...]:
        """Return the axes that are normalised together, counted from the end."""
        return tuple(range(-len(self.normalized_shape), 0))

    def __repr__(self) -> str:
        shape = self.normalized_shape
        return f"LayerNorm({shape[0] if len(shape) == 1 else shape})"


def _with_random_state(module: Any, rng: np.random.Generator, shape: Tuple[int, ...]) -> Any:
    """Return (module, inputs) with numbers of a usual size in every parameter and buffer."""
    for parameter in module.parameters():
        parameter.data = rng.uniform(0.5, 1.5, parameter.data.shape)
    for name, buffer in module.buffers().items():
        setattr(module, name, rng.uniform(0.5, 1.5, buffer.shape))
    return module, (rng.uniform(-2, 2, shape),)
