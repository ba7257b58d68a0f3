"""Networks that solve XOR with weights set by hand, and the functions that show it."""
from __future__ import annotations

from typing import Any, Sequence, Tuple

import numpy as np

from lib.layers import CrossEntropyLoss, Linear, ReLU, Sequential, Softmax
from lib.dataset import X, y
from lib.utilities import one_hot_encoding


def _network(W1: Any, b1: Any, W2: Any, b2: Any) -> Sequential:
    """Return Linear, ReLU, Linear with the given weights."""
    (inputs, hidden), outputs = np.shape(W1), len(b2)
    model = Sequential(Linear(inputs, hidden), ReLU(), Linear(hidden, outputs))
    for parameter, values in zip(model.parameters(), (W1, b1, W2, b2)):
        parameter.data = np.array(values, dtype=float)
    return model


def create_2unit_net() -> Sequential:
    """Return a network with two hidden units that solves XOR.

    The first unit is positive for (1, 1) only, the second for (0, 0) only; class 1 is what neither of them sees.
    """
    return _network(W1=[[3.21, -2.34], [3.21, -2.34]], b1=[-3.21, 2.34],
                    W2=[[3.19, -2.68], [4.64, -3.44]], b2=[-4.08, 4.42])


def create_3unit_net() -> Sequential:
    """Return a network with three hidden units that solves XOR, with the outputs of the two-unit network.

    The third unit is a twin of the second, and the two share its outgoing weights: a wider network can compute
    whatever a narrower one can.
    """
    two = create_2unit_net()
    W1, b1, W2, b2 = (parameter.data for parameter in two.parameters())
    twins = [0, 1, 1]
    share = np.array([[1.0], [0.5], [0.5]])
    return _network(W1[:, twins], b1[twins], share * W2[twins], b2)


def run_model_on_xor(model: Sequential, verbose: bool = True) -> Tuple[np.ndarray, float]:
    """Run a model on the four points of XOR.

    Args:
        model: gives two logits for each point.
        verbose: whether to print the probabilities, the predictions and the loss.

    Returns:
        The softmax probabilities, (4, 2), and the cross-entropy loss.
    """
    logits = model(X)
    probabilities = Softmax()(logits)
    loss = CrossEntropyLoss()(logits, one_hot_encoding(y, num_classes=2))
    if verbose:
        print("input   P(0)    P(1)   prediction  label")
        for point, p, label in zip(X, probabilities, y):
            print(f"{point}  {p[0]:.4f}  {p[1]:.4f}  {np.argmax(p):10d}  {label:5d}")
        print(f"loss: {loss:.4f}")
    return probabilities, loss


def run_test_model(model: Sequential) -> None:
    """Assert that a model predicts XOR.

    Raises:
        AssertionError: it doesn't; the message names the predictions.
    """
    probabilities, _ = run_model_on_xor(model, verbose=False)
    predictions: Sequence[int] = np.argmax(probabilities, axis=1)
    if not np.array_equal(predictions, y):
        raise AssertionError(f"The model predicts {list(map(int, predictions))} for the points {X.tolist()}, but XOR "
                             f"is {y.tolist()}.")
