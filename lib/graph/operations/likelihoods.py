"""The binary cross-entropy of a logit, as one operation: in single ones, log(0) would come in between."""
from __future__ import annotations

from typing import Any

import numpy as np

from lib.graph.notation import call as function
from lib.graph.operations import Operation, call
from lib.graph.operations.elementwise import Sigmoid
from lib.numerics import stable_softplus


class BinaryCrossEntropy(Operation):
    """out = -y log(p) - (1 - y) log(1 - p) with p = sigmoid(z), finite and exact for any finite logit z.

    It is computed by -log(p) = softplus(-z) and -log(1 - p) = softplus(z). The derivative by z is p - y: that of
    sigmoid, p (1 - p), cancels the denominators of (p - y) / (p (1 - p)). By y, it is log(1 - p) - log(p) = -z.
    """

    name, elementwise, broadcasts, analytic = "binary_cross_entropy", True, True, False
    shape_rule = ("both shapes are broadcast: counted from the last axis, two sizes must be equal, or one of them 1 "
                  "or missing")

    @classmethod
    def examples(cls, rng: np.random.Generator) -> Any:
        return [(cls(), (rng.uniform(-2, 2, shape), rng.uniform(0.1, 0.9, shape))) for shape in ((), (3,), (2, 3))]

    @np.errstate(under="ignore", invalid="ignore")
    def forward(self, z, y):
        # what counts with weight 0 is 0, also where it is infinite
        out = np.where(y == 0, 0, y * stable_softplus(-z)) + np.where(y == 1, 0, (1 - y) * stable_softplus(z))
        return out.astype(np.result_type(z.dtype, y.dtype), copy=False)

    def backward(self, i, grad, out, z, y):
        return grad * (call(Sigmoid(), z) - y) if i == 0 else grad * -z

    def formula(self, z, y):
        p = function("sigmoid", z)
        return -y * function("log", p) - (1 - y) * function("log", 1 - p)

    def derivative(self, i, out, z, y):
        return function("sigmoid", z) - y if i == 0 else -z
