"""Regularisation: what keeps a network from learning its training examples by heart.

Dropout deletes units at random while training; the L1 and L2 penalties make large weights cost something.
"""
from __future__ import annotations

from typing import Any, Iterable, List, Optional, Sequence, Tuple

import numpy as np

from lib.layers.losses import Loss
from lib.losses import CrossEntropyLoss
from lib.network_base import Module, Parameter
from lib.validation import (InputError, checked_elementwise, checked_upstream_of_elementwise, require_gradients,
                            require_positive)


class Dropout(Module):
    """While training, each input is deleted with probability p: y = x m / (1 - p), with m = 0 or 1 at random.

    dy/dx = m / (1 - p). An input survives with probability 1 - p, so E[y] = x: thanks to the division ("inverted"
    scaling), nothing needs to be scaled in evaluation mode, where y = x.

    Args:
        p_delete: p, the probability that an input is set to 0, from 0 to 1.
        fix_seed: draw the same mask at each call with the same shape, as a comparison with finite differences needs.
        rng: draws the masks; NumPy's global random state when it isn't given.

    Source: N. Srivastava, G. Hinton, A. Krizhevsky, I. Sutskever, R. Salakhutdinov: Dropout, JMLR 15, 2014.
    """

    mask: Optional[np.ndarray] = None  # m / (1 - p) of the last forward pass; None where nothing was deleted

    def __init__(self, p_delete: float = 0.5, fix_seed: bool = False,
                 rng: Optional[np.random.Generator] = None) -> None:
        require_positive("p_delete", p_delete, self, zero_allowed=True)
        if p_delete > 1:
            raise InputError(f"Dropout expects p_delete to be a probability, from 0 to 1, but got {p_delete!r}.")
        self.p_delete = float(p_delete)
        self.fix_seed = fix_seed
        self.rng = rng

    def forward(self, x: np.ndarray) -> np.ndarray:
        x = checked_elementwise(self, x)
        self.input_cache = x
        if not self.training or self.p_delete == 0:
            self.mask = None
            return x.copy()
        kept = self._uniform(x.shape) >= self.p_delete
        scale = 1 / (1 - self.p_delete) if self.p_delete < 1 else 0.0  # p = 1 deletes everything
        self.mask = kept * x.dtype.type(scale)
        return x * self.mask

    def backward(self, grad: np.ndarray) -> np.ndarray:
        grad = checked_upstream_of_elementwise(self, grad)
        return grad.copy() if self.mask is None else grad * self.mask

    def _uniform(self, shape: Tuple[int, ...]) -> np.ndarray:
        """Draw numbers from 0 to 1."""
        if self.fix_seed:
            return np.random.RandomState(0).random_sample(shape)
        return np.random.random_sample(shape) if self.rng is None else self.rng.random(shape)

    def __repr__(self) -> str:
        return f"Dropout({self.p_delete})"


class Penalty(Module):
    """Base class of the penalties on parameters: a number that is added to the loss.

    Args:
        lambd: lambda, the weight of the penalty.
        parameters: the penalised parameters, such as model.parameters().
    """

    def __init__(self, lambd: float, parameters: Iterable[Parameter]) -> None:
        require_positive("lambd", lambd, self, zero_allowed=True)
        if isinstance(parameters, (Module, Parameter)):
            advice = "model.parameters()" if isinstance(parameters, Module) else "[parameter]"
            raise InputError(f"{type(self).__name__} expects a list of parameters, but got a single "
                             f"{type(parameters).__name__}. Give it {advice}.")
        self.lambd = float(lambd)
        self.params = list(parameters)
        for param in self.params:
            if not isinstance(param, Parameter):
                raise InputError(f"{type(self).__name__} expects parameters, such as model.parameters(), but there is "
                                 f"a {type(param).__name__} among them.")

    def parameters(self) -> List[Parameter]:
        return self.params

    def backward(self, _: Any = None) -> None:
        """Add the penalty's derivative to each parameter's grad; the argument is ignored, as it is by a loss."""
        raise NotImplementedError(f"{type(self).__name__} doesn't define backward yet.")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.lambd}, {len(self.params)} parameters)"


class L1Regularization(Penalty):
    """The absolute values of all parameters: R = lambda sum_i |w_i|, dR/dw_i = lambda sign(w_i).

    The pull towards 0 is equally strong for small weights and large ones, so that many weights become 0. At the kink
    w = 0, the derivative is taken as 0: a weight that got there isn't pulled any more.
    """

    def forward(self) -> Any:
        """Return the penalty, one number."""
        return np.float64(self.lambd * sum(np.abs(param.data).sum(dtype=np.float64) for param in self.params))

    def backward(self, _: Any = None) -> None:
        require_gradients(self, *self.params)
        for param in self.params:
            param.grad += self.lambd * np.sign(param.data)


class L2Regularization(Penalty):
    """Half the squares of all parameters: R = lambda / 2 sum_i w_i^2, dR/dw_i = lambda w_i.

    The pull towards 0 is proportional to the weight: a step of gradient descent with learning rate r shrinks it by
    the factor 1 - r lambda, therefore also called weight decay.
    """

    def forward(self) -> Any:
        """Return the penalty, one number."""
        return np.float64(self.lambd / 2 * sum(np.square(param.data).sum(dtype=np.float64) for param in self.params))

    def backward(self, _: Any = None) -> None:
        require_gradients(self, *self.params)
        for param in self.params:
            param.grad += self.lambd * param.data


class RegularizedCrossEntropy(Loss):
    """The cross-entropy of the predictions plus a penalty on the parameters: L = CE(preds, labels) + R(parameters).

    dL/dpreds is that of the cross-entropy alone, as R doesn't depend on the predictions. R's own gradient goes straight
    to the parameters: backward adds it to their grad.

    Args:
        reg_loss: the penalty, such as L2Regularization(0.001, model.parameters()).
    """

    def __init__(self, reg_loss: Module) -> None:
        if not isinstance(reg_loss, Module):
            raise InputError("RegularizedCrossEntropy expects a penalty such as L2Regularization(0.001, "
                             f"model.parameters()), from lib.regularizers, but got {type(reg_loss).__name__}.")
        self.ce_loss = CrossEntropyLoss()
        self.reg_loss = reg_loss

    def parameters(self) -> Sequence[Parameter]:
        """Return the penalised parameters, as the loss depends on them."""
        return self.reg_loss.parameters()

    def forward(self, preds: np.ndarray, labels: np.ndarray) -> Any:
        """Return the batch mean of the cross-entropy plus the penalty; preds and labels as for CrossEntropyLoss."""
        return self.ce_loss(preds, labels) + self.reg_loss()

    def backward(self, _: Any = None) -> np.ndarray:
        grad = self.ce_loss.backward()
        self.reg_loss.backward(None)
        return grad

    def __repr__(self) -> str:
        return f"RegularizedCrossEntropy({self.reg_loss!r})"
