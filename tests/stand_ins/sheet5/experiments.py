"""A student's lib/experiments.py of sheet 5."""
from lib.activations import ReLU
from lib.dataset_mnist import load_mnist_data
from lib.losses import CrossEntropyLoss
from lib.model_training import train
from lib.network import Linear, Sequential
from lib.optimizers import Adam
from lib.regularizers import Dropout, L1Regularization, L2Regularization, RegularizedCrossEntropy
from lib.utilities import save_result


def train_models():
    x_train, x_val, _, y_train, y_val, _ = load_mnist_data()
    x_train, y_train = x_train[:200], y_train[:200]
    results = {}
    for name in ("none", "l1", "l2", "dropout"):
        layers = [Linear(784, 20), ReLU(), Linear(20, 10)]
        if name == "dropout":
            layers.insert(2, Dropout(0.3))
        model = Sequential(*layers)
        loss_fn = CrossEntropyLoss()
        if name == "l1":
            loss_fn = RegularizedCrossEntropy(L1Regularization(0.001, model.parameters()))
        if name == "l2":
            loss_fn = RegularizedCrossEntropy(L2Regularization(0.001, model.parameters()))
        curves = train(model, loss_fn, Adam(model.parameters(), lr=0.001), x_train, y_train, x_val, y_val, 2, 20)
        results[name] = model.modules[0].W.data, curves
    save_result("weights", results)
