"""A student's lib/gradient_utilities.py."""
import numpy as np

from lib.activations import ReLU, Sigmoid
from lib.losses import CrossEntropyLoss
from lib.network import Linear, Sequential
from lib.utilities import one_hot_encoding


def zero_grad(params):
    for param in params:
        param.grad = np.zeros(param.data.shape)


def check_gradients():
    x = np.random.uniform(-1, 1, (2, 10))
    for module in (ReLU(), Sigmoid(), Linear(10, 30)):
        module.check_gradients((x,))
    model = Sequential(Linear(10, 30), Sigmoid(), Linear(30, 20))
    model.check_gradients((x,))
    CrossEntropyLoss().check_gradients((x, one_hot_encoding(np.array([1, 2]), 10)))
