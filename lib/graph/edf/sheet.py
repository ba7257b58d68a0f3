"""The nodes of EDF that the sheet's students write."""
from __future__ import annotations

from typing import Any

import numpy as np

from lib.graph import edf
from lib.graph.edf.problems import require_one_shape


class L2Loss(edf.CompNode):
    """The squared error (y - y_hat)^2, entry by entry: (batch, 1), without a mean, which Backward takes."""

    def __init__(self, y: Any, y_hat: Any) -> None:
        edf.CompNodes.append(self)
        self.y = y
        self.y_hat = y_hat

    def forward(self) -> None:
        require_one_shape(self, self.y, self.y_hat)
        # START TODO ################
        self.value = (self.y.value - self.y_hat.value) ** 2
        # END TODO ##################

    def backward(self) -> None:
        # START TODO ################
        # dv/dy = 2 (y - y_hat) and dv/dy_hat = -2 (y - y_hat), times the gradient that came from above.
        delta = self.grad * 2 * (self.y.value - self.y_hat.value)
        self.y.addgrad(delta)
        self.y_hat.addgrad(-delta)
        # END TODO ##################


class SingleProbToProbVector(edf.CompNode):
    """Both probabilities of a yes-no question from one: o[i] = (z[i], 1 - z[i]), (batch, 1) to (batch, 2).

    This is the sheet's formula. The sheet also says that the vector's entry 1 is P(Y = 1), which contradicts it. With
    the formula, z is the probability of the label 0, so the learnt weights have the opposite sign.
    """

    def __init__(self, z: Any) -> None:
        edf.CompNodes.append(self)
        self.z = z

    def forward(self) -> None:
        # START TODO ################
        self.value = np.concatenate([self.z.value, 1 - self.z.value], axis=1)
        # END TODO ##################

    def backward(self) -> None:
        # START TODO ################
        # z reaches the loss on two ways: do0/dz = 1 and do1/dz = -1.
        self.z.addgrad(self.grad[:, 0:1] - self.grad[:, 1:2])
        # END TODO ##################
