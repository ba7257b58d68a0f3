"""Regularisation: what keeps a network from learning its training examples by heart.

Dropout deletes units at random while training; the L1 and L2 penalties make large weights cost something.
"""
from __future__ import annotations

from typing import Any, Iterable, List, Optional, Sequence

import numpy as np

from lib.losses import CrossEntropyLoss
from lib.network_base import Module, Parameter
from lib.validation import (InputError, checked_elementwise, checked_upstream_of_elementwise, random_source,
                            require_choice, require_gradients, require_positive)


class Dropout(Module):
    """While training, each input is deleted with probability p: y = x m / (1 - p), with m = 0 or 1 at random.

    dy/dx = m / (1 - p). An input survives with probability 1 - p, so E[y] = x: thanks to the division ("inverted"
    scaling), nothing needs to be scaled in evaluation mode, where y = x.

    Args:
        p_delete: p, the probability that an input is set to 0, from 0 to 1.
        fix_seed: set NumPy's global seed to 0 before each mask, so that every call draws the same one: that is what a
            comparison with finite differences needs.
        rng: draws the masks; NumPy's global random state when it isn't given.

    Source: N. Srivastava, G. Hinton, A. Krizhevsky, I. Sutskever, R. Salakhutdinov: Dropout, JMLR 15, 2014.
    """

    mask: Optional[np.ndarray] = None  # m / (1 - p) of the last forward pass while training

    def __init__(self, p_delete: float = 0.5, fix_seed: bool = False,
                 rng: Optional[np.random.Generator] = None) -> None:
        require_positive("p_delete", p_delete, self, zero_allowed=True)
        if p_delete > 1:
            raise InputError(f"Dropout expects p_delete to be a probability, from 0 to 1, but got {p_delete!r}.")
        self.p_delete = float(p_delete)
        require_choice("fix_seed", fix_seed, (True, False), self)
        self.fix_seed = fix_seed
        random_source(rng, self)
        self.rng = rng

    def forward(self, x: np.ndarray) -> np.ndarray:
        x = checked_elementwise(self, x)
        self.input_cache = x
        if not self.training:
            self.mask = None
            return x.copy()
        if self.fix_seed:
            np.random.seed(0)
        source: Any = np.random if self.rng is None or self.fix_seed else self.rng
        scale = 1 / (1 - self.p_delete) if self.p_delete < 1 else 0.0  # p = 1 deletes everything
        self.mask = source.binomial(1, 1 - self.p_delete, x.shape).astype(x.dtype) * x.dtype.type(scale)
        return x * self.mask

    def backward(self, grad: np.ndarray) -> np.ndarray:
        """Return dL/dx = grad m / (1 - p).

        Raises:
            ValueError: the last forward was in evaluation mode, or the module is now.
        """
        grad = checked_upstream_of_elementwise(self, grad)
        if self.mask is None or not self.training:
            raise InputError("Dropout.backward is for training: in evaluation mode, nothing is deleted, and nothing is "
                             "learnt. Call model.train() and forward before it. (To check gradients, use "
                             "Dropout(p_delete, fix_seed=True), which deletes the same units at each call.)")
        return grad * self.mask

    def __repr__(self) -> str:
        return f"Dropout({self.p_delete})"


class _Penalty(Module):
    """A number that is added to the loss: lambda times a sum over all entries of some parameters."""

    def __init__(self, lambd: float, parameters: Iterable[Parameter]) -> None:
        require_positive("lambd", lambd, self, zero_allowed=True)
        if isinstance(parameters, (Module, Parameter)) or not hasattr(type(parameters), "__iter__"):
            advice = "[parameter]" if isinstance(parameters, Parameter) else "model.parameters()"
            raise InputError(f"{type(self).__name__} expects a list of parameters, but got a single "
                             f"{type(parameters).__name__}. Give it {advice}.")
        self.lambd = float(lambd)
        params = list(parameters)
        for param in params:
            if not isinstance(param, Parameter):
                raise InputError(f"{type(self).__name__} expects parameters, such as model.parameters(), but there is "
                                 f"a {type(param).__name__} among them.")
        self.params = list(dict.fromkeys(params))  # each once

    @staticmethod
    def _times(factor: float, param: Parameter) -> np.ndarray:
        """Return the scaled values in float64: a square, or a sum, may overflow where lambda times it doesn't."""
        return np.multiply(factor, param.data, dtype=np.float64)

    def parameters(self) -> List[Parameter]:
        return self.params

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.lambd}, {len(self.params)} parameters)"


class L1Regularization(_Penalty):
    """The absolute values of all parameters: R = lambda sum_i |w_i|, dR/dw_i = lambda sign(w_i).

    The pull towards 0 is equally strong for small weights and large ones, so that many weights become 0. At the kink
    w = 0, the derivative is taken as 0: a weight that got there isn't pulled any more.
    """

    def forward(self) -> Any:
        """Return the penalty, one number."""
        return np.float64(sum(np.abs(self._times(self.lambd, param)).sum() for param in self.params))

    def backward(self, _: Any = None) -> None:
        """Add dR/dw to each parameter's grad; the argument is ignored, as it is by a loss."""
        require_gradients(self, *self.params)
        for param in self.params:
            param.grad += self.lambd * np.sign(param.data)


class L2Regularization(_Penalty):
    """Half the squares of all parameters: R = lambda / 2 sum_i w_i^2, dR/dw_i = lambda w_i.

    The pull towards 0 is proportional to the weight: a step of gradient descent with learning rate r shrinks it by
    the factor 1 - r lambda, therefore also called weight decay.
    """

    def forward(self) -> Any:
        """Return the penalty, one number."""
        return np.float64(sum((self._times(self.lambd / 2, param) * param.data).sum() for param in self.params))

    def backward(self, _: Any = None) -> None:
        """Add dR/dw to each parameter's grad; the argument is ignored, as it is by a loss."""
        require_gradients(self, *self.params)
        for param in self.params:
            param.grad += self.lambd * param.data


class RegularizedCrossEntropy(Module):
    """The cross-entropy of the predictions plus a penalty on the parameters: L = CE(preds, labels) + R(parameters).

    dL/dpreds is that of the cross-entropy alone, as R doesn't depend on the predictions. R's own gradient goes straight
    to the parameters: backward adds it to their grad.

    Args:
        regularization_loss: the penalty, such as L2Regularization(0.001, model.parameters()).
    """

    def __init__(self, regularization_loss: Module) -> None:
        if not isinstance(regularization_loss, Module):
            raise InputError("RegularizedCrossEntropy expects a penalty such as L2Regularization(0.001, "
                             f"model.parameters()), but got a {type(regularization_loss).__name__}.")
        self.ce_loss = CrossEntropyLoss()
        self.reg_loss = regularization_loss

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
