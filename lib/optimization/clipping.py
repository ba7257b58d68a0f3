"""Clipping: gradients that are too large are shortened before a step."""
from __future__ import annotations

from typing import Iterable

import numpy as np

from lib.inspection.trained import parameter_list
from lib.network_base import Parameter
from lib.validation import require_positive


def clip_grad_norm(params: Iterable[Parameter], max_norm: float) -> float:
    """Shorten the gradient of all parameters together to the norm max_norm, in place, if it is longer.

    The norm is that of one vector of all entries, so the direction of the step stays.

    Args:
        params: the parameters, after backward.
        max_norm: the greatest norm allowed.

    Returns:
        The norm before. If it isn't finite, nothing is changed: no factor can mend such a gradient.
    """
    require_positive("max_norm", max_norm, "clip_grad_norm", zero_allowed=True)
    grads = [param.grad for param in parameter_list(params, "clip_grad_norm") if param.grad is not None]
    largest = max((float(np.abs(grad).max()) for grad in grads if grad.size), default=0.0)
    if not 0 < largest < np.inf:
        return float(np.sum([grad.sum(dtype=np.float64) for grad in grads])) if np.isnan(largest) else largest
    # squares of what is divided by the largest entry neither overflow nor vanish
    norm = largest * float(np.sqrt(sum(np.square(grad / largest, dtype=np.float64).sum() for grad in grads)))
    if max_norm < norm < np.inf:
        for grad in grads:
            grad *= max_norm / norm
    return norm


def clip_grad_value(params: Iterable[Parameter], clip_value: float) -> None:
    """Limit every entry of every gradient to the range from -clip_value to clip_value, in place."""
    require_positive("clip_value", clip_value, "clip_grad_value", zero_allowed=True)
    for param in parameter_list(params, "clip_grad_value"):
        if param.grad is not None:
            np.clip(param.grad, -clip_value, clip_value, out=param.grad)
