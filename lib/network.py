"""The modules that networks are put together from: Linear, Sequential, Residual, Flatten."""
from __future__ import annotations

from typing import Any, List, Optional, Tuple

import numpy as np

from lib.network_base import Module, Parameter, trained, unique
from lib.validation import (CallOrderError, InputError, as_float, checked_upstream, require_forward,
                            require_gradients, require_not_empty, require_size)


def transpose(a: np.ndarray) -> np.ndarray:
    """Return the transpose of a matrix, or of each matrix of a stack."""
    return a.swapaxes(-1, -2)


class Linear(Module):
    """A linear (fully connected) layer: z = x W + b.

    W starts as small random numbers, 0.01 * N(0, 1), and b as 0.01.

    Shapes: x (batch, in_features), W (in_features, out_features), b (out_features,), z (batch, out_features).
    A vector x (in_features,) gives a vector z. With a stack of weights, W (runs, in, out) and b (runs, out), the
    layer computes as many networks at once, z (runs, batch, out).

    Args:
        in_features: the number of columns of x.
        out_features: the number of columns of z.
        bias: whether to add b.
        rng: draws W; NumPy's global random state when it isn't given, so that np.random.seed repeats a run.
    """

    def __init__(self, in_features: int, out_features: int, bias: bool = True,
                 rng: Optional[np.random.Generator] = None) -> None:
        require_size("in_features", in_features, self)
        require_size("out_features", out_features, self)
        self.in_features, self.out_features = int(in_features), int(out_features)
        self.W = Parameter(np.zeros((self.in_features, self.out_features)), name="W")
        self.b: Any = Parameter(np.zeros(self.out_features), name="b") if bias else None
        self.reset_parameters(rng)

    def reset_parameters(self, rng: Optional[np.random.Generator] = None) -> None:
        """Draw the parameters anew, in place."""
        shape = self.W.data.shape
        self.W.data[...] = 0.01 * (np.random.randn(*shape) if rng is None else rng.standard_normal(shape))
        if self.b is not None:
            self.b.data[...] = 0.01

    def parameters(self) -> Tuple[Parameter, ...]:
        return trained(self.W) if self.b is None else trained(self.W, self.b)

    def forward(self, x: np.ndarray) -> np.ndarray:
        if not self._is_usual(x):
            return self._forward_of_variants(x)
        self.input_cache = x
        return np.dot(x, self.W.data) + self.b.data  # np.dot(x, W) is x @ W, and quicker for small matrices

    def backward(self, grad: np.ndarray) -> np.ndarray:
        if not self._is_usual_gradient(grad):
            return self._backward_of_variants(grad)
        x = self.input_cache
        # x (batch, in_features), grad (batch, out_features)
        # START TODO ################
        # z = x W + b, or for one entry: z_nj = sum_i x_ni W_ij + b_j. The chain rule, with grad = dL/dz:
        #   dL/dW_ij = sum_n dL/dz_nj dz_nj/dW_ij = sum_n x_ni grad_nj   ->  x^T grad
        #   dL/db_j  = sum_n dL/dz_nj             = sum_n grad_nj        ->  the column sums of grad
        #   dL/dx_ni = sum_j dL/dz_nj dz_nj/dx_ni = sum_j grad_nj W_ij   ->  grad W^T
        # Each product has the shape of what it is the gradient of. The parameters' gradients are added to what
        # is there already: a parameter that is used twice receives the sum.
        # (np.add.reduce(grad, axis=0) is grad.sum(axis=0), and quicker for small matrices, as np.dot is.)
        self.W.grad += np.dot(x.T, grad)
        self.b.grad += np.add.reduce(grad, axis=0)
        grad_input = np.dot(grad, self.W.data.T)
        # END TODO ##################
        return grad_input

    # ------------------------------------------------------------------ everything but the usual case

    def _is_usual(self, x: Any) -> bool:
        """Return whether x is a matrix that fits W and b, all of them in one precision."""
        if self.b is None or type(x) is not np.ndarray:
            return False
        W, b = self.W.data, self.b.data
        try:
            (batch, in_features), (rows, out_features), (columns,) = x.shape, W.shape, b.shape
        except ValueError:  # another number of dimensions
            return False
        return in_features == rows and out_features == columns and batch > 0 and x.dtype is W.dtype is b.dtype

    def _is_usual_gradient(self, grad: Any) -> bool:
        """Return whether the upstream gradient is a matrix that fits x and W, and can be added to both gradients."""
        x, W, b = self.input_cache, self.W, self.b
        if b is None or x is None or type(grad) is not np.ndarray:
            return False
        try:
            (batch, _), (rows, columns), (_, out_features) = x.shape, grad.shape, W.data.shape
        except ValueError:
            return False
        return batch == rows and columns == out_features and grad.dtype is x.dtype is W.data.dtype \
            and W.grad is not None and b.grad is not None

    def _forward_of_variants(self, x: Any) -> np.ndarray:
        """Do what forward does for a vector, a layer without b, or a stack of networks; check everything."""
        x = self._checked_input(x)
        self.input_cache = x
        z = x @ self.W.data
        if self.b is not None:
            b = self.b.data
            if b.shape != self.W.data.shape[:-2] + self.W.data.shape[-1:]:
                raise InputError(f"{self} has W of shape {self.W.data.shape}, so its b must have shape "
                                 f"{self.W.data.shape[:-2] + self.W.data.shape[-1:]}, but b.data has {b.shape}.")
            # b is added to each row of z; in a stack of networks, each network has a b of its own
            z = z + (b if b.ndim == 1 else b[..., np.newaxis, :])
        return z.astype(x.dtype, copy=False)  # float32 in, float32 out, whatever the weights are

    def _backward_of_variants(self, grad: Any) -> np.ndarray:
        """Do what backward does in the cases of _forward_of_variants."""
        x, grad = self._checked_backward(grad)
        if x.ndim == 1:  # a matrix of one row
            x, grad = x[np.newaxis, :], grad[..., np.newaxis, :]
        self.W.grad += transpose(x) @ grad
        if self.b is not None:
            self.b.grad += grad.sum(axis=-2)
        return self._like_input(grad @ transpose(self.W.data))

    def _checked_input(self, x: Any) -> np.ndarray:
        """Return x as a float array that fits W, or raise a sentence that says how it doesn't."""
        W_shape = self.W.data.shape
        if len(W_shape) < 2:
            raise InputError(f"{self} needs W of shape ({self.in_features}, {self.out_features}), but W.data has "
                             f"{W_shape}.")
        x = as_float(x, self)
        expected = f"(batch, {W_shape[-2]})"
        if len(W_shape) > 2:
            expected += f" or {W_shape[:-2] + ('batch', W_shape[-2])}".replace("'", "")
        fits = x.ndim in (1, 2) if len(W_shape) == 2 else x.ndim == 2 or x.shape[:-2] == W_shape[:-2]
        if not fits:
            raise InputError(f"{self} expects an input with 2 dimensions, {expected}, but got {x.ndim} dimensions: "
                             f"{x.shape}. Reshape it so that each row is one example: x.reshape(len(x), -1).")
        require_not_empty(x, self)
        if x.shape[-1] != W_shape[-2]:
            raise InputError(f"{self} expects {W_shape[-2]} features in each row, that is an input of shape "
                             f"{expected}, but got shape {x.shape} with {x.shape[-1]} features. Is this layer's "
                             "in_features the out_features of the layer before it, and are rows examples?")
        return x

    def _checked_backward(self, grad: Any) -> Tuple[np.ndarray, np.ndarray]:
        """Return the cached x and the upstream gradient, whose shape is that of the output."""
        x = self.input_cache
        require_forward(self, x)
        require_gradients(self)
        W_shape = self.W.data.shape
        leading = x.shape[:-1] if x.ndim > 2 else W_shape[:-2] + x.shape[:-1]
        return x, checked_upstream(self, grad, leading + W_shape[-1:])

    def _like_input(self, grad: np.ndarray) -> np.ndarray:
        """Return dL/dx in the shape and precision of x; networks in a stack that share x add their gradients."""
        x = self.input_cache
        if grad.shape == x.shape and grad.dtype == x.dtype:
            return grad
        if grad.ndim > max(x.ndim, 2):
            grad = grad.sum(axis=tuple(range(grad.ndim - 2)))
        return grad.reshape(x.shape).astype(x.dtype, copy=False)

    def __repr__(self) -> str:
        return f"Linear({self.in_features}, {self.out_features}{'' if self.b is not None else ', bias=False'})"


class Sequential(Module):
    """Modules one after the other: the output of each is the input of the next.

    y = m_k(... m_2(m_1(x))), so dL/dx = the upstream gradient sent through m_k, ..., m_2, m_1, in reverse order.

    Args:
        modules: the modules, in forward order; reached by `sequential[i]` or `sequential.modules[i]`.
    """

    def __init__(self, *modules: Module) -> None:
        for i, module in enumerate(modules):
            if not isinstance(module, Module):
                got = f"the class {module.__name__}, not an object of it" if isinstance(module, type) else \
                    f"a {type(module).__name__}"
                raise InputError(f"Sequential expects modules, but number {i} is {got}. "
                                 "Write Sequential(Linear(2, 2), ReLU(), ...), with parentheses and without a list.")
        self.modules = list(modules)

    def parameters(self) -> List[Parameter]:
        return unique(parameter for module in self.modules for parameter in module.parameters())

    def forward(self, x: np.ndarray) -> np.ndarray:
        for module in self.modules:
            x = module.forward(x)  # what module(x) does with arrays
        return x

    def backward(self, grad: np.ndarray) -> np.ndarray:
        if len(set(self.modules)) < len(self.modules):
            self._explain_repeated_modules()
        # START TODO ################
        # The chain rule runs from the loss back to the input: the last module comes first. What it returns,
        # dL/d(its input), is dL/d(output) of the module before it.
        for module in reversed(self.modules):
            grad = module.backward(grad)
        return grad
        # END TODO ##################

    def _explain_repeated_modules(self) -> None:
        """Raise the error that fits a module which stands here twice: it has cached its last input only."""
        places = [i for i, module in enumerate(self.modules) if any(
            module is other for j, other in enumerate(self.modules) if i != j)]
        raise CallOrderError(f"The same {type(self.modules[places[0]]).__name__} object stands at several places of "
                             f"this Sequential ({', '.join(map(str, places))}). It caches the input of its last call "
                             "only, so backward would be wrong. Make a new object for each place.")

    def __getitem__(self, index: int) -> Module:
        return self.modules[index]

    def __len__(self) -> int:
        return len(self.modules)

    def __repr__(self) -> str:
        return f"Sequential({', '.join(map(repr, self.modules))})"
