"""A student's lib/models.py of sheet 2."""
import numpy as np

from lib.activations import ReLU, Softmax
from lib.dataset import X, y
from lib.losses import CrossEntropyLoss
from lib.network import Linear, Sequential
from lib.utilities import one_hot_encoding


def create_2unit_net():
    linear1, linear2 = Linear(2, 2), Linear(2, 2)
    linear1.W.data = np.array([[3.21, -2.34], [3.21, -2.34]])
    linear1.b.data = np.array([-3.21, 2.34])
    linear2.W.data = np.array([[3.19, -2.68], [4.64, -3.44]])
    linear2.b.data = np.array([-4.08, 4.42])
    return Sequential(linear1, ReLU(), linear2)


def create_3unit_net():
    linear1, linear2 = Linear(2, 3), Linear(3, 2)
    linear1.W.data = np.array([[1.0, -1.0, 1.0], [-1.0, 1.0, 1.0]])
    linear1.b.data = np.array([0.0, 0.0, -1.0])
    linear2.W.data = np.array([[-4.0, 4.0], [-4.0, 4.0], [1.0, -1.0]])
    linear2.b.data = np.array([2.0, -2.0])
    return Sequential(linear1, ReLU(), linear2)


def run_model_on_xor(model, verbose=True):
    logits = model(X)
    softmax = Softmax()(logits)
    loss = CrossEntropyLoss()(logits, one_hot_encoding(y, 2))
    if verbose:
        print(softmax, loss)
    return softmax, loss


def run_test_model(model):
    softmax, _ = run_model_on_xor(model, verbose=False)
    assert np.all(np.argmax(softmax, axis=1) == y), "The model doesn't solve XOR."
