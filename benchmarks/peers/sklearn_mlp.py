"""scikit-learn's MLP: partial_fit on a batch, or on all of MNIST, which is one epoch."""
from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import sklearn
from sklearn.neural_network import MLPClassifier, MLPRegressor

from benchmarks.peers import Unsupported
from benchmarks.tasks import Task, data, weights


def version() -> str:
    return f"scikit-learn {sklearn.__version__}"


class Steps:
    """Calls of partial_fit with plain gradient descent and without weight decay."""

    def __init__(self, task: Task) -> None:
        self.x, self.y = data(task)
        kind = MLPClassifier if task.loss == "cross-entropy" else MLPRegressor
        self.mlp = kind(hidden_layer_sizes=task.sizes[1:-1], solver="sgd", alpha=0, batch_size=task.batch,
                        learning_rate_init=task.lr, momentum=0, nesterovs_momentum=False, random_state=0)
        self.one_hot = self.y
        if task.loss == "cross-entropy":
            self.y = self.y.argmax(1)
            self.mlp.partial_fit(self.x[:task.batch], self.y[:task.batch], classes=np.arange(task.sizes[-1]))
        else:
            self.y = self.y.ravel()
            self.mlp.partial_fit(self.x[:task.batch], self.y[:task.batch])
        for ours, theirs in zip(weights(task), [array for pair in zip(self.mlp.coefs_, self.mlp.intercepts_)
                                                for array in pair]):
            theirs[...] = ours

    def step(self) -> None:
        self.mlp.partial_fit(self.x, self.y)

    def finish(self) -> None:
        pass

    def loss(self) -> float:
        with np.errstate(divide="ignore"), warnings.catch_warnings():
            if isinstance(self.mlp, MLPRegressor):
                return float(0.5 * np.mean((self.mlp.predict(self.x) - self.y) ** 2))
            return float(-np.mean(np.log(self.mlp.predict_proba(self.x)[np.arange(len(self.y)), self.y])))


def mlp(task: Task) -> Any:
    if task.kind not in ("mlp", "epoch"):
        raise Unsupported("has Linear layers only")
    if task.loss == "cross-entropy" and task.sizes[-1] == 2:
        raise Unsupported("has one output for two classes, which is another network")
    return Steps(task)
