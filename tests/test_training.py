"""The training loop of sheet 4: lib.training."""
from __future__ import annotations

import numpy as np
import pytest

from lib import training
from lib.activations import ReLU
from lib.losses import CrossEntropyLoss
from lib.model_evaluation import evaluate
from lib.network import Linear, Sequential
from lib.network_base import Module
from lib.optimizers import SGD, Adam
from lib.training import COMPARED_OPTIMIZERS, compare_optimizers, create_and_train_model, train
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
                   num_epochs=12, batch_size=16)
    assert len(curves) == 4 and [len(curve) for curve in curves] == [12] * 4
    train_costs, train_accuracies, val_costs, val_accuracies = curves
    assert train_costs[-1] < 0.3 * train_costs[0] and val_costs[-1] < 0.3 * val_costs[0]
    assert train_accuracies[-1] > 0.9 and val_accuracies[-1] > 0.9
    cost, accuracy = evaluate(model, CrossEntropyLoss(), *blobs(60, seed=1), batch_size=16)
    assert (val_costs[-1], val_accuracies[-1]) == (pytest.approx(cost), accuracy)


def test_a_full_batch_epoch_is_one_step_of_gradient_descent():
    x, y = blobs(30)
    model = Sequential(Linear(2, 3))
    W, b = model[0].W.data.copy(), model[0].b.data.copy()
    curves = train(model, CrossEntropyLoss(), SGD(model.parameters(), lr=0.5), x, y, x, y, num_epochs=3, batch_size=99)
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


def test_costs_are_sums_of_batch_losses_and_accuracies_count_the_last_partial_batch_rightly():
    x, y = blobs(50)
    model = small_net()
    untrained = SGD(model.parameters(), lr=0.0)
    whole = float(CrossEntropyLoss()(model(x), y))
    costs, accuracies, val_costs, val_accuracies = train(model, CrossEntropyLoss(), untrained, x, y, x, y, 1, 10)
    assert costs[0] == pytest.approx(5 * whole) and val_costs[0] == pytest.approx(5 * whole)
    share = np.mean(model(x).argmax(axis=1) == y.argmax(axis=1))
    for batch_size in (10, 7, 64):  # 50 = 7 * 7 + 1
        _, accuracies, _, val_accuracies = train(model, CrossEntropyLoss(), untrained, x, y, x, y, 1, batch_size)
        assert accuracies[0] == pytest.approx(share) and val_accuracies[0] == pytest.approx(share)


def test_each_epoch_sees_every_sample_once_in_a_new_order_drawn_from_numpys_global_state():
    x = np.arange(20.0).reshape(10, 2)
    y = np.eye(3)[np.arange(10) % 3]

    def orders(seed):
        recorder = Recorder()
        model = Sequential(recorder, Linear(2, 3))
        np.random.seed(seed)
        train(model, CrossEntropyLoss(), SGD(model.parameters(), lr=0.1), x, y, x[:3], y[:3], 2, batch_size=4)
        batches = [seen for training_mode, seen in recorder.seen if training_mode]
        return [np.concatenate(batches[:3])[:, 0].tolist(), np.concatenate(batches[3:])[:, 0].tolist()]

    first, second = orders(seed=5)
    assert sorted(first) == sorted(second) == x[:, 0].tolist()
    assert first != second and first != x[:, 0].tolist()
    assert orders(seed=5) == [first, second] and orders(seed=6) != [first, second]


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
    train(model, CrossEntropyLoss(), optimizer, *blobs(20), *blobs(6), 3, batch_size=8, scheduler=scheduler)
    assert scheduler.asked_at == [3, 6, 9] and optimizer.lr == pytest.approx(0.1)


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
    assert train(*arguments, num_epochs=0, batch_size=4) == ([], [], [], [])
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
    x, y = blobs(40, features=784, classes=10)
    curves = create_and_train_model("adam", {"lr": 0.002}, x.astype(np.float32), y, x, y, num_epochs=2, batch_size=16)
    model, optimizer = trained[0]
    assert [parameter.data.shape for parameter in model.parameters()] == [(784, 30), (30,), (30, 10), (10,)]
    assert all(parameter.data.dtype == np.float32 for parameter in model.parameters())
    assert isinstance(model[1], ReLU) and isinstance(optimizer, Adam) and optimizer.lr == 0.002
    assert [len(curve) for curve in curves] == [2] * 4 and optimizer.step_count == 6


def test_compare_optimizers_saves_and_draws_what_it_returns(monkeypatch, tmp_path, capsys):
    x, y = blobs(60, features=784, classes=10)
    monkeypatch.setattr("lib.dataset_mnist.load_mnist_data", lambda: (x[:40], y[:40], x[40:], y[40:], x, y))
    monkeypatch.chdir(tmp_path)
    results = compare_optimizers(num_epochs=2, batch_size=16)
    assert set(results) == set(COMPARED_OPTIMIZERS) and len(results) >= 4
    assert load_result("optimizers") == results
    assert (tmp_path / "results" / "optimizers.png").read_bytes()[:4] == b"\x89PNG"
    printed = capsys.readouterr().out
    assert all(label in printed for label in results)
    np.random.seed(0)  # each run starts from the seed
    name, config = COMPARED_OPTIMIZERS["Adam"]
    assert create_and_train_model(name, config, x[:40], y[:40], x[40:], y[40:], 2, batch_size=16) == results["Adam"]


@pytest.mark.slow
def test_compare_optimizers_on_mnist(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    results = compare_optimizers(num_epochs=3)
    for costs, _, _, val_accuracies in results.values():
        assert costs[0] > costs[1] > costs[2] and val_accuracies[-1] > 0.93


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
