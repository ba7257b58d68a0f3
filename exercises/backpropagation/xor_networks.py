"""XOR networks by the thousand: how they start, which of them solve XOR, and what became of their hidden units.

Parameters of many networks are stacks: W1 (runs, 2, hidden), b1 (runs, hidden), W2 (runs, hidden, 2), b2 (runs, 2).
LinearStack takes such stacks, so that all runs are computed at once.
"""
from __future__ import annotations

from typing import Any, Callable, List, Sequence, Tuple

import numpy as np

from lib.layers import Linear, ReLU, Sequential
from lib.numerics import stable_sigmoid, stable_softplus
from lib.dataset import X, y
from lib.layers.initializers import initialize
from lib.network_base import Module, Parameter

LABELS = np.eye(2)[y]

# Losses at which training can end. The mean of the cross-entropies when some points get one common prediction, which
# then is the share of their labels, and all other points are right:
PLATEAUS = {
    "solved": 0.0,
    "two points confused": np.log(2) / 2,                                     # 2/4 * H(1/2)
    "three points confused": (np.log(3) + 2 * np.log(1.5)) / 4,               # 3/4 * H(1/3)
    "all points confused": np.log(2),                                         # 4/4 * H(1/2)
}
INITIALIZATIONS = ("scaffold", "scaffold, b = 0", "PyTorch's", "Xavier", "He")


class LinearStack(Module):
    """The linear layers of many networks: z_r = x_r W_r + b_r for each run r.

    Shapes: x (batch, in) for all runs or (runs, batch, in); W (runs, in, out), b (runs, out); z (runs, batch, out).
    """

    def __init__(self, W: Any, b: Any) -> None:
        self.W, self.b = Parameter(np.array(W, dtype=float), name="W"), Parameter(np.array(b, dtype=float), name="b")

    @classmethod
    def examples(cls, rng: np.random.Generator) -> List[Tuple[Module, Tuple[Any, ...]]]:
        return [(cls(rng.standard_normal((4, 3, 2)), rng.standard_normal((4, 2))), (rng.standard_normal(shape),))
                for shape in ((5, 3), (4, 5, 3))]

    def parameters(self) -> List[Parameter]:
        return [self.W, self.b]

    def forward(self, x: np.ndarray) -> np.ndarray:
        self.input_cache = x
        return x @ self.W.data + self.b.data[..., np.newaxis, :]  # of a single network, too

    def backward(self, grad: np.ndarray) -> np.ndarray:
        x = self.input_cache
        self.W.grad += x.swapaxes(-1, -2) @ grad
        self.b.grad += grad.sum(axis=1)
        grad_x = grad @ self.W.data.swapaxes(-1, -2)
        return grad_x if x.ndim == 3 else grad_x.sum(axis=0)  # networks that share x add their gradients


def create_model(hidden: int, initialization: str = "scaffold", activation: Callable[[], Module] = ReLU) -> Sequential:
    """Return an untrained network Linear(2, hidden), ReLU, Linear(hidden, 2), drawn from np.random's global state.

    Args:
        hidden: the number of hidden units.
        initialization: "scaffold": weights 0.01 * N(0, 1) and b = 0.01, as the layers of lib draw them;
            "scaffold, b = 0": the same weights without biases; "PyTorch's": weights and biases uniform in
            +-1 / sqrt(inputs), as PyTorch's Linear draws them; "Xavier", "He": those rules, with b = 0.
        activation: another activation in ReLU's place.
    """
    model = Sequential(Linear(2, hidden), activation(), Linear(hidden, 2))
    if initialization in ("Xavier", "He"):
        initialize(model, initialization.lower())
    elif initialization == "PyTorch's":
        for layer in (model.modules[0], model.modules[2]):
            for parameter in layer.parameters():
                parameter.data = np.random.uniform(-1, 1, parameter.data.shape) / np.sqrt(len(layer.W.data))
    elif initialization == "scaffold, b = 0":
        for layer in (model.modules[0], model.modules[2]):
            layer.b.data[...] = 0
    elif initialization != "scaffold":
        raise ValueError(f"There is no initialisation {initialization!r}; there are {', '.join(INITIALIZATIONS)}.")
    return model


def create_stack(hidden: int, seeds: Sequence[int], initialization: str = "scaffold") -> Sequential:
    """Return the untrained networks of several seeds as one Sequential with stacks of parameters."""
    models = []
    for seed in seeds:
        np.random.seed(seed)
        models.append(create_model(hidden, initialization))
    return as_stack([np.stack([model.parameters()[i].data for model in models]) for i in range(4)])


def as_stack(parameters: Sequence[np.ndarray], activation: Callable[[], Module] = ReLU) -> Sequential:
    """Return the networks with these stacks of parameters, W1, b1, W2, b2, as one Sequential."""
    W1, b1, W2, b2 = parameters
    return Sequential(LinearStack(W1, b1), activation(), LinearStack(W2, b2))


def activity(model: Sequential) -> np.ndarray:
    """Return which hidden units are active at which points, booleans (runs, 4, hidden)."""
    return model.modules[0](X) > 0


def is_solved(model: Sequential) -> np.ndarray:
    """Return which of the networks predict all four points, booleans (runs,)."""
    return (model(X).argmax(axis=-1) == y).all(axis=-1)


def where_it_ended(losses: np.ndarray, solved: np.ndarray, tolerance: float = 0.01) -> List[str]:
    """Return for each run "solved", the plateau that its final loss is on, or "elsewhere".

    Args:
        losses: final losses, (runs,).
        solved: whether all four predictions are right, (runs,).
        tolerance: how near a plateau's loss is near enough.
    """
    names = [name for name in PLATEAUS if name != "solved"]
    ends = []
    for loss, right in zip(losses, solved):
        near = [name for name in names if abs(loss - PLATEAUS[name]) < tolerance]
        ends.append("solved" if right else near[0] if near else "elsewhere")
    return ends


def unit_kinds(active: np.ndarray) -> np.ndarray:
    """Return what each hidden unit is to the four points: "dead", "linear", "duplicate" or "bent", (runs, hidden).

    A dead unit is active at no point, a linear one at all four: neither bends the network's function between the
    points. Of the others, those active at the same points as an earlier unit of their network are duplicates.

    Args:
        active: which units are active where, booleans (runs, 4, hidden).
    """
    count = active.sum(axis=1)
    kinds = np.where(count == 0, "dead", np.where(count == 4, "linear", "bent")).astype("<U9")
    for j in range(1, active.shape[2]):
        same = (active[:, :, :j] == active[:, :, j:j + 1]).all(axis=1).any(axis=1)
        kinds[same & (kinds[:, j] == "bent"), j] = "duplicate"
    return kinds


def dark_points(active: np.ndarray) -> np.ndarray:
    """Return at which points no hidden unit is active, booleans (runs, 4).

    There, the output is the output layer's bias alone: all dark points get the same prediction.
    """
    return ~active.any(axis=2)


def loss_of_dark_points(dark: np.ndarray) -> np.ndarray:
    """Return the least loss that the dark points allow, (runs,): k/4 H(share of class 1 among the k dark points).

    H(p) = -p log p - (1 - p) log(1 - p) is the entropy of their labels: the cross-entropy of the best prediction that
    is common to them.
    """
    k = dark.sum(axis=1)
    p = (dark & (y == 1)).sum(axis=1) / np.maximum(k, 1)
    p = np.stack([p, 1 - p])
    return k / 4 * -(p * np.log(np.where(p > 0, p, 1))).sum(axis=0)


def margins(logits: np.ndarray) -> np.ndarray:
    """Return by how much the logit of each point's own class exceeds the other, (runs, 4), from (runs, 4, 2)."""
    return (logits[..., 1] - logits[..., 0]) * np.where(y == 1, 1, -1)


def losses_of(logits: np.ndarray) -> np.ndarray:
    """Return the cross-entropy of each run, (runs,): the mean over points of -ln P(own class) = ln(1 + e^-margin)."""
    return stable_softplus(-margins(logits)).mean(axis=-1)


def probability_of_truth(model: Sequential) -> np.ndarray:
    """Return the predicted probability of each point's own class, (runs, 4): the sigmoid of its margin."""
    return stable_sigmoid(margins(model(X)))
