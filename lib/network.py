"""The modules that networks are put together from: Linear and Sequential."""
from __future__ import annotations

from typing import Any, List, Optional

import numpy as np

from lib.network_base import Module, Parameter
from lib.numerics import in_precision_of
from lib.validation import (CallOrderError, InputError, checked_rows, checked_upstream, random_source, require_choice,
                            require_forward, require_gradients, require_size)


class Linear(Module):
    """A linear (fully connected) layer: z = x W + b.

    W starts as small random numbers, 0.01 * N(0, 1), and b as 0.01. Without a bias, b is zeros and stays so.

    Shapes: x (batch, in_features), W (in_features, out_features), b (out_features,), z (batch, out_features).

    Args:
        in_features: the number of columns of x.
        out_features: the number of columns of z.
        bias: whether b is trained; without, it is a constant Parameter of zeros, which parameters() leaves out.
        rng: draws W; NumPy's global random state when it isn't given, so that np.random.seed repeats a run.
    """

    def __init__(self, in_features: int, out_features: int, bias: bool = True,
                 rng: Optional[np.random.Generator] = None) -> None:
        require_size("in_features", in_features, self)
        require_size("out_features", out_features, self)
        require_choice("bias", bias, (True, False), self)
        self.in_features, self.out_features = int(in_features), int(out_features)
        shape = (self.in_features, self.out_features)
        self.W = Parameter(0.01 * random_source(rng, self).standard_normal(shape), name="W")
        self.b = Parameter(np.full(self.out_features, 0.01 if bias else 0.0), name="b", constant=not bias)

    def parameters(self) -> List[Parameter]:
        return [parameter for parameter in (self.W, self.b) if not parameter.constant]

    def forward(self, x: np.ndarray) -> np.ndarray:
        W, b = self.W.data, self.b.data
        x = checked_rows(self, x, W, b)
        self.input_cache = x
        return in_precision_of(x, x.dot(W) + b)

    def backward(self, grad: np.ndarray) -> np.ndarray:
        x = self.input_cache
        require_forward(self, x)
        require_gradients(self, self.W, self.b)
        grad = checked_upstream(self, grad, (len(x), self.out_features))
        grad_input: Any = None
        # x (batch, in_features), grad (batch, out_features)
        # START TODO ################
        # z = x W + b, or for one entry: z_nj = sum_i x_ni W_ij + b_j. The chain rule, with grad = dL/dz:
        #   dL/dW_ij = sum_n dL/dz_nj dz_nj/dW_ij = sum_n x_ni grad_nj   ->  x^T grad
        #   dL/db_j  = sum_n dL/dz_nj             = sum_n grad_nj        ->  the column sums of grad
        #   dL/dx_ni = sum_j dL/dz_nj dz_nj/dx_ni = sum_j grad_nj W_ij   ->  grad W^T
        # Each product has the shape of what it is the gradient of. The parameters' gradients are added to what
        # is there already: a parameter that is used twice receives the sum.
        self.W.grad += x.T.dot(grad)
        self.b.grad += grad.sum(axis=0)
        grad_input = grad.dot(self.W.data.T)
        # END TODO ##################
        return in_precision_of(x, grad_input)

    def __repr__(self) -> str:
        return f"Linear({self.in_features}, {self.out_features}{', bias=False' if self.b.constant else ''})"


class Sequential(Module):
    """Modules one after the other: the output of each is the input of the next.

    y = m_k(...m_2(m_1(x))). So dL/dx = the upstream gradient sent through m_k, ..., m_2, m_1, in reverse order.
    Its modules are reached by `sequential[i]` or `sequential.modules[i]`.
    """

    def __init__(self, *modules: Module) -> None:
        for i, module in enumerate(modules):
            if not isinstance(module, Module):
                got = f"the class {module.__name__}" if isinstance(module, type) else f"a {type(module).__name__}"
                raise InputError(f"Sequential expects modules, but number {i} is {got}. "
                                 "Write Sequential(Linear(2, 2), ReLU(), ...), with parentheses and without a list.")
        self.modules = list(modules)

    def parameters(self) -> List[Parameter]:
        return list(dict.fromkeys([parameter for module in self.modules for parameter in module.parameters()]))

    def forward(self, x: np.ndarray) -> np.ndarray:
        for module in self.modules:
            x = module.forward(x)  # what module(x) does with arrays
        return x

    def backward(self, grad: np.ndarray) -> np.ndarray:
        if len(set(map(id, self.modules))) < len(self.modules):
            places = [i for i, module in enumerate(self.modules) if sum(module is other for other in self.modules) > 1]
            raise CallOrderError("The same object stands at several places of this Sequential "
                                 f"({', '.join(map(str, places))}). It caches the input of its last call only, so "
                                 "backward would be wrong. Make a new object for each place.")
        # START TODO ################
        # The chain rule runs from the loss back to the input: the last module comes first. What it returns,
        # dL/d(its input), is dL/d(output) of the module before it.
        for module in reversed(self.modules):
            grad = module.backward(grad)
        return grad
        # END TODO ##################

    def __getitem__(self, index: Any) -> Module:
        return Sequential(*self.modules[index]) if isinstance(index, slice) else self.modules[index]

    def __len__(self) -> int:
        return len(self.modules)

    def __repr__(self) -> str:
        return f"Sequential({', '.join(map(repr, self.modules))})"
