"""The training loop of sheet 4: lib.training."""
from __future__ import annotations

import numpy as np
import pytest

from lib import training
from lib.activations import ReLU, Sigmoid
from lib.layers.activations import Identity
from lib.layers.losses import BinaryCrossEntropyLoss
from lib.losses import CrossEntropyLoss, MSELoss
from lib.model_evaluation import evaluate
from lib.network import Linear, Sequential
from lib.network_base import Module
from lib.optimizers import SGD, Adam
from lib.training import compare_optimizers, create_and_train_model, train
from lib.utilities import load_result, one_hot_encoding


def blobs(n, seed=0, features=2, classes=3):
    """Return n points around as many centres as there are classes, and their one-hot labels."""
    rng = np.random.default_rng(seed)
    centres = 4 * np.random.default_rng(99).standard_normal((classes, features))
    y = np.arange(n) % classes
    return centres[y] + rng.standard_normal((n, features)), one_hot_encoding(y, num_classes=classes)


def small_net(hidden=8):
    np.random.seed(1)
    return Sequential(Linear(2, hidden), ReLU(), Linear(hidden, 3))


class Recorder(Module):
    """Passes its input on, and remembers what came through and in which mode."""

    def __init__(self):
        self.seen = []

    def forward(self, x):
        self.seen.append((self.training, x.copy()))
        return x

    def backward(self, grad):
        return grad


def test_returns_four_curves_with_a_number_for_each_epoch_and_learns():
    model = small_net()
    np.random.seed(0)
    curves = train(model, CrossEntropyLoss(), Adam(model.parameters(), lr=0.02), *blobs(120), *blobs(60, seed=1),
                   num_epochs=12, batch_size=15)
    assert len(curves) == 4 and all(type(curve) is np.ndarray and curve.shape == (12,) for curve in curves)
    train_costs, train_accuracies, val_costs, val_accuracies = curves
    assert train_costs[-1] < 0.3 * train_costs[0] and val_costs[-1] < 0.3 * val_costs[0]
    assert train_accuracies[-1] > 0.9 and val_accuracies[-1] > 0.9
    accuracy, cost = evaluate(*blobs(60, seed=1), model, CrossEntropyLoss(), batch_size=15)
    assert (val_costs[-1], val_accuracies[-1]) == (pytest.approx(cost), accuracy)


def test_a_full_batch_epoch_is_one_step_of_gradient_descent():
    x, y = blobs(30)
    model = Sequential(Linear(2, 3))
    W, b = model[0].W.data.copy(), model[0].b.data.copy()
    curves = train(model, CrossEntropyLoss(), SGD(model.parameters(), lr=0.5), x, y, x, y, num_epochs=3, batch_size=30)
    losses, accuracies = [], []
    for _ in range(3):
        e = np.exp(x @ W + b)
        p = e / e.sum(axis=1, keepdims=True)
        losses.append(-np.mean(np.log(p[y == 1])))
        accuracies.append(np.mean(p.argmax(axis=1) == y.argmax(axis=1)))
        W, b = W - 0.5 * x.T @ (p - y) / 30, b - 0.5 * np.mean(p - y, axis=0)
    np.testing.assert_allclose(curves[0], losses, rtol=1e-12)
    np.testing.assert_allclose(curves[1], accuracies, rtol=1e-12)
    np.testing.assert_allclose(model[0].W.data, W, rtol=1e-12)
    np.testing.assert_allclose(model[0].b.data, b, rtol=1e-12)


def test_a_training_cost_is_the_mean_and_a_validation_cost_the_sum_of_the_batch_losses():
    x, y = blobs(50)
    model = small_net()
    untrained = SGD(model.parameters(), lr=0.0)
    whole = float(CrossEntropyLoss()(model(x), y))
    share = np.mean(model(x).argmax(axis=1) == y.argmax(axis=1))
    for batch_size in (1, 5, 10, 50):
        costs, accuracies, val_costs, val_accuracies = train(model, CrossEntropyLoss(), untrained, x, y, x, y, 1,
                                                             batch_size)
        assert costs[0] == pytest.approx(whole) and val_costs[0] == pytest.approx(50 // batch_size * whole)
        assert accuracies[0] == pytest.approx(share) and val_accuracies[0] == pytest.approx(share)


def test_a_validation_batch_may_be_smaller_but_a_training_batch_may_not():
    x, y = blobs(50)
    model = small_net()
    arguments = (model, CrossEntropyLoss(), SGD(model.parameters(), lr=0.0), x, y, x[:7], y[:7], 1)
    assert train(*arguments, 10)[2][0] == pytest.approx(float(CrossEntropyLoss()(model(x[:7]), y[:7])))
    for batch_size, nearest in ((7, 5), (64, 50), (51, 50), (30, 25)):
        with pytest.raises(AssertionError, match=f"divides the training set.*nearest that does is {nearest}"):
            train(*arguments, batch_size)


def test_an_index_array_made_once_is_shuffled_in_place_by_numpys_global_state():
    x = np.arange(20.0).reshape(10, 2)
    y = np.eye(3)[np.arange(10) % 3]
    recorder = Recorder()
    model = Sequential(recorder, Linear(2, 3))
    np.random.seed(5)
    train(model, CrossEntropyLoss(), SGD(model.parameters(), lr=0.1), x, y, x[:3], y[:3], 3, batch_size=5)
    seen = np.concatenate([batch for training_mode, batch in recorder.seen if training_mode]).reshape(3, 10, 2)
    np.random.seed(5)
    indices = np.arange(10)
    for epoch in seen:
        np.random.shuffle(indices)
        np.testing.assert_array_equal(epoch, x[indices])


def test_trains_in_training_mode_and_validates_in_evaluation_mode():
    recorder = Recorder()
    model = Sequential(recorder, Linear(2, 3)).eval()
    x, y = blobs(12)
    train(model, CrossEntropyLoss(), SGD(model.parameters(), lr=0.1), x, y, x[:3], y[:3], 2, batch_size=4)
    assert [mode for mode, _ in recorder.seen] == [True, True, True, False] * 2


def test_the_scheduler_is_asked_once_after_each_epoch():
    class Halving:
        def __init__(self, optimizer):
            self.optimizer, self.asked_at = optimizer, []

        def step(self):
            self.asked_at.append(self.optimizer.step_count)
            self.optimizer.lr *= 0.5

    model = small_net()
    optimizer = SGD(model.parameters(), lr=0.8)
    scheduler = Halving(optimizer)
    train(model, CrossEntropyLoss(), optimizer, *blobs(20), *blobs(6), 3, batch_size=10, scheduler=scheduler)
    assert scheduler.asked_at == [2, 4, 6] and optimizer.lr == pytest.approx(0.1)


def test_a_loss_may_add_gradients_of_its_own():
    class WithPenalty(CrossEntropyLoss):
        """Adds 1/2 |W|^2, as a regularised loss does: its backward adds W to W's gradient."""

        def forward(self, preds, labels):
            return super().forward(preds, labels) + 0.5 * np.sum(W.data ** 2)

        def backward(self, _=None):
            W.grad += W.data
            return 0 * super().backward()

    model = Sequential(Linear(2, 3))
    W = model[0].W
    before = W.data.copy()
    train(model, WithPenalty(), SGD(model.parameters(), lr=0.1), *blobs(8), *blobs(8), num_epochs=2, batch_size=8)
    np.testing.assert_allclose(W.data, 0.81 * before)


def test_no_epoch_and_wrong_numbers():
    model = small_net()
    arguments = (model, CrossEntropyLoss(), SGD(model.parameters(), lr=0.1), *blobs(8), *blobs(8))
    assert all(curve.shape == (0,) for curve in train(*arguments, num_epochs=0, batch_size=4))
    for wrong in ({"num_epochs": 2.5, "batch_size": 4}, {"num_epochs": 1, "batch_size": 0}):
        with pytest.raises(ValueError, match="whole number"):
            train(*arguments, **wrong)


def test_create_and_train_model_trains_784_30_10_by_the_optimizer_of_that_name(monkeypatch):
    trained = []
    original = training.train

    def spy(model, loss_fn, optimizer, *args, **kwargs):
        trained.append((model, optimizer))
        return original(model, loss_fn, optimizer, *args, **kwargs)

    monkeypatch.setattr(training, "train", spy)
    x, y = blobs(100, features=784, classes=10)
    curves = create_and_train_model("adam", {"lr": 0.002}, x, y, x, y)
    model, optimizer = trained[0]
    assert [parameter.data.shape for parameter in model.parameters()] == [(784, 30), (30,), (30, 10), (10,)]
    assert isinstance(model.modules[1], ReLU) and isinstance(optimizer, Adam) and optimizer.lr == 0.002
    assert all(curve.shape == (10,) for curve in curves)
    assert optimizer.step_count == 10 * 100 // 50
    curves = create_and_train_model("sgd", {"lr": 0.1, "momentum": 0.9}, x, y, x, y, 20, 3)
    assert all(curve.shape == (3,) for curve in curves) and trained[1][1].step_count == 3 * 100 // 20


def test_compare_optimizers_saves_what_it_returns(monkeypatch, tmp_path):
    x, y = blobs(100, features=784, classes=10)
    asked = []

    def spy(name, hyperparams, *data):
        asked.append((name, hyperparams))
        return create_and_train_model(name, hyperparams, *data, num_epochs=2)

    monkeypatch.setattr(training, "load_mnist_data", lambda: (x[:50], x[50:], x, y[:50], y[50:], y))
    monkeypatch.setattr(training, "create_and_train_model", spy)
    monkeypatch.chdir(tmp_path)
    results = compare_optimizers()
    assert list(results) == ["sgd", "sgd_momentum", "adam"]
    assert asked == [("sgd", {"lr": 0.1}), ("sgd", {"lr": 0.1, "momentum": 0.9}), ("adam", {"lr": 0.01})]
    np.testing.assert_equal(load_result("optimizers_comparison"), results)


@pytest.mark.parametrize("loss_fn, labels, last", [(BinaryCrossEntropyLoss(), (0, 1), Identity),
                                                   (MSELoss(), (0, 1), Sigmoid), (MSELoss(), (-3, 2.5), Identity)])
def test_one_output_is_a_yes_or_no_question_or_a_regression(loss_fn, labels, last):
    x, classes = blobs(60, classes=2)
    y = np.where(classes[:, :1] == 1, *labels)
    model = Sequential(Linear(2, 8), ReLU(), Linear(8, 1), last())
    curves = train(model, loss_fn, Adam(model.parameters(), lr=0.05), x, y, x, y, 30, 20)
    accuracy, cost = evaluate(x, y, model, loss_fn, 20)
    assert curves[2][-1] == pytest.approx(cost) and cost < 0.3 * curves[2][0]
    if labels == (0, 1):
        assert accuracy == curves[3][-1] > 0.9 and curves[1][-1] > 0.9
    else:
        assert np.isnan(accuracy) and np.isnan(curves[1]).all() and np.isnan(curves[3]).all()


@pytest.mark.slow
def test_compare_optimizers_on_mnist(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for costs, _, _, val_accuracies in compare_optimizers().values():
        assert costs[0] > costs[1] > costs[-1] and val_accuracies[-1] > 0.93


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
