"""Sheet 4, optimisation: what its files must do, whoever wrote them. Nothing beyond the sheet is asked for."""
from __future__ import annotations

import inspect
import re

import numpy as np
import pytest

from lib import plot, utilities
from lib.activations import ReLU
from lib.dataset_mnist import load_mnist_data
from lib.losses import CrossEntropyLoss
from lib.lr_schedulers import CosineAnnealingLR, LambdaLR, PiecewiseConstantLR
from lib.model_evaluation import accuracy, evaluate
from lib.network import Linear, Sequential
from lib.network_base import Module, Parameter
from lib.optimizers import SGD, Adam, Optimizer, create_optimizer
from lib.training import compare_optimizers, create_and_train_model, train
from tests.digits import put_in_the_place_of_mnist, some_digits
from tests.drawings import drawing_of


def two_parameters():
    return [Parameter(np.array([[1.0, -2.0], [0.5, 3.0]])), Parameter(np.array([0.0, 1.0]))]


def gradients(step):
    rng = np.random.default_rng(step)
    return [rng.standard_normal((2, 2)), rng.standard_normal(2)]


def data_after(optimizer, params, steps):
    """Take steps with the same gradients each time; returns the parameters' values."""
    for step in range(steps):
        optimizer.zero_grad()
        for param, grad in zip(params, gradients(step)):
            param.grad += grad
        optimizer.step()
    return [param.data.copy() for param in params]


# ------------------------------------------------------------------ optimizers

def test_the_base_class_holds_parameters_and_rate_and_resets_gradients():
    params = two_parameters()
    optimizer = Optimizer(params)
    assert list(optimizer._params) == params and optimizer.lr == 1.0 and Optimizer(params, lr=0.25).lr == 0.25
    for param in params:
        param.grad = np.full(param.data.shape, 7.0)
    optimizer.zero_grad()
    assert all(param.grad.shape == param.data.shape and not param.grad.any() for param in params)


def test_sgd():
    params, expected = two_parameters(), [param.data.copy() for param in two_parameters()]
    found = data_after(SGD(params, lr=0.1), params, 5)
    assert SGD(params).lr == 1.0
    for step in range(5):
        expected = [data - 0.1 * grad for data, grad in zip(expected, gradients(step))]
    for ours, theirs in zip(found, expected):
        np.testing.assert_allclose(ours, theirs)


def test_sgd_with_momentum_keeps_its_velocity_in_the_parameters_state_dict():
    params, expected = two_parameters(), [param.data.copy() for param in two_parameters()]
    velocities = [np.zeros_like(data) for data in expected]
    found = data_after(SGD(params, lr=0.1, momentum=0.9), params, 5)
    for step in range(5):
        velocities = [0.9 * v - 0.1 * grad for v, grad in zip(velocities, gradients(step))]
        expected = [data + v for data, v in zip(expected, velocities)]
    for ours, theirs, param, v in zip(found, expected, params, velocities):
        np.testing.assert_allclose(ours, theirs)
        assert any(np.shape(kept) == v.shape and np.allclose(kept, v) for kept in param.state_dict.values())


def test_the_velocity_keeps_the_rate_of_its_time():
    w = Parameter(np.array([0.0]))
    optimizer = SGD([w], lr=1.0, momentum=0.5)
    for lr, expected in ((1.0, -1.0), (0.1, -1.6), (0.0, -1.9)):  # v = -1, then -0.5 - 0.1, then -0.3
        optimizer.lr, w.grad = lr, np.array([1.0])
        optimizer.step()
        assert w.data == pytest.approx([expected])


@pytest.mark.parametrize("settings", [{}, {"lr": 0.02, "betas": (0.5, 0.8), "eps": 1e-3}])
def test_adam(settings):
    params, expected = two_parameters(), [param.data.copy() for param in two_parameters()]
    lr, (beta1, beta2), eps = (settings.get(name, default) for name, default in (
        ("lr", 0.001), ("betas", (0.9, 0.999)), ("eps", 1e-8)))
    m, v = ([np.zeros_like(data) for data in expected] for _ in range(2))
    found = data_after(Adam(params, **settings), params, 6)
    for step in range(6):
        for i, grad in enumerate(gradients(step)):
            m[i] = beta1 * m[i] + (1 - beta1) * grad
            v[i] = beta2 * v[i] + (1 - beta2) * grad ** 2
            expected[i] -= lr * m[i] / (1 - beta1 ** (step + 1)) / (np.sqrt(v[i] / (1 - beta2 ** (step + 1))) + eps)
    for ours, theirs in zip(found, expected):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10)


def test_create_optimizer():
    params = two_parameters()
    sgd = create_optimizer("sgd", params, {"lr": 0.2, "momentum": 0.8})
    adam = create_optimizer("adam", params, {"lr": 0.02})
    assert type(sgd) is SGD and type(adam) is Adam and (sgd.lr, adam.lr) == (0.2, 0.02)
    assert list(sgd._params) == params
    with pytest.raises(ValueError):
        create_optimizer("gradient ascent", params, {})


# ------------------------------------------------------------------ schedules

def rates(scheduler, optimizer, steps):
    """Return the rate after each step of the schedule."""
    found = []
    for _ in range(steps):
        scheduler.step()
        found.append(optimizer.lr)
    return found


def test_lambda_lr_sets_the_absolute_rate_of_the_epoch_that_it_counts():
    optimizer = SGD(two_parameters(), lr=0.5)
    scheduler = LambdaLR(optimizer, lambda epoch: 1 / (1 + epoch))
    assert scheduler.initial_lr == 0.5
    first = scheduler.last_epoch
    assert rates(scheduler, optimizer, 3) == pytest.approx([1 / 2, 1 / 3, 1 / 4])
    assert scheduler.last_epoch == first + 3 and scheduler.initial_lr == 0.5


def test_a_piecewise_constant_rate_changes_after_the_boundary():
    optimizer = SGD(two_parameters(), lr=0.5)
    scheduler = PiecewiseConstantLR(optimizer, [3, 5], [0.1, 0.01])
    assert optimizer.lr == 0.5
    assert rates(scheduler, optimizer, 7) == pytest.approx([0.5, 0.5, 0.5, 0.1, 0.1, 0.01, 0.01])


def test_cosine_annealing_starts_at_the_initial_rate_and_ends_at_zero():
    optimizer = Adam(two_parameters(), lr=0.4)
    found = rates(CosineAnnealingLR(optimizer, T_max=8), optimizer, 8)
    np.testing.assert_allclose(found, 0.2 * (1 + np.cos(np.pi * np.arange(1, 9) / 8)), atol=1e-12)


@pytest.mark.parametrize("make", [lambda o: LambdaLR(o, lambda epoch: 0.1), lambda o: CosineAnnealingLR(o, 5),
                                  lambda o: PiecewiseConstantLR(o, [1], [0.1])])
def test_a_schedule_of_something_else_than_an_optimizer(make):
    with pytest.raises(TypeError):
        make(two_parameters())


# ------------------------------------------------------------------ training and evaluation

def spots(n, seed=0):
    """Return n points around three centres in the plane, and their one-hot labels."""
    y = np.arange(n) % 3
    return np.array([[3.0, 0.0], [-2.0, 2.0], [0.0, -3.0]])[y] + np.random.default_rng(seed).standard_normal((n, 2)), \
        np.eye(3)[y]


def small_net():
    np.random.seed(1)
    return Sequential(Linear(2, 8), ReLU(), Linear(8, 3))


def test_accuracy_takes_the_labels_first():
    y = np.eye(3)[[0, 1, 2, 1]]
    predictions = np.array([[2.0, 1.0, 0.0], [0.0, 0.1, 0.2], [-3.0, -2.0, -1.0], [0.2, 0.5, 0.3]])
    assert accuracy(y, predictions) == 0.75


def test_evaluate_returns_the_accuracy_and_then_the_sum_of_the_batch_losses():
    (x, y), model, loss_fn = spots(30), small_net(), CrossEntropyLoss()
    batches = [slice(start, start + 6) for start in range(0, 30, 6)]
    share, cost = evaluate(x, y, model, loss_fn, 6)
    assert cost == pytest.approx(sum(loss_fn(model(x[batch]), y[batch]) for batch in batches))
    assert share == pytest.approx(np.mean(model(x).argmax(axis=1) == y.argmax(axis=1)))


class Record(Module):
    """Passes its input on, and remembers it with the mode."""

    def __init__(self):
        self.seen = []

    def forward(self, x):
        self.seen.append((self.training, x.copy()))
        return x

    def backward(self, grad):
        return grad


def test_train_is_mini_batch_gradient_descent_on_an_index_array_that_is_shuffled_in_place():
    (x, y), (x_val, y_val) = spots(24), spots(9, seed=1)
    record = Record()
    model = Sequential(record, Linear(2, 3))
    linear = model.modules[1]
    W, b = linear.W.data.copy(), linear.b.data.copy()
    np.random.seed(4)
    costs, accuracies, val_costs, val_accuracies = train(model, CrossEntropyLoss(), SGD(model.parameters(), lr=0.3),
                                                         x, y, x_val, y_val, 3, 8)
    assert all(np.shape(curve) == (3,) and isinstance(curve, np.ndarray)
               for curve in (costs, accuracies, val_costs, val_accuracies))
    np.random.seed(4)
    indices = np.arange(24)
    for epoch in range(3):
        np.random.shuffle(indices)
        losses, right = [], 0
        for batch in indices.reshape(3, 8):
            logits = x[batch] @ W + b
            p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
            losses.append(-np.mean(np.log(p[y[batch] == 1])))
            right += (p.argmax(axis=1) == y[batch].argmax(axis=1)).sum()
            W, b = W - 0.3 * x[batch].T @ (p - y[batch]) / 8, b - 0.3 * np.mean(p - y[batch], axis=0)
        assert costs[epoch] == pytest.approx(np.mean(losses)) and accuracies[epoch] == pytest.approx(right / 24)
    np.testing.assert_allclose(linear.W.data, W)
    share, cost = evaluate(x_val, y_val, model, CrossEntropyLoss(), 8)
    assert val_costs[-1] == pytest.approx(cost) and val_accuracies[-1] == pytest.approx(share)


def test_train_asks_the_schedule_once_an_epoch():
    (x, y), model = spots(24), small_net()
    optimizer = SGD(model.parameters(), lr=0.5)
    train(model, CrossEntropyLoss(), optimizer, x, y, x, y, 4, 8, scheduler=LambdaLR(optimizer, lambda e: 0.5 / 2 ** e))
    assert optimizer.lr == pytest.approx(0.5 / 16)


def test_a_batch_size_that_doesnt_divide_the_training_set():
    (x, y), model = spots(24), small_net()
    with pytest.raises(AssertionError):
        train(model, CrossEntropyLoss(), SGD(model.parameters(), lr=0.5), x, y, x, y, 1, 7)


@pytest.mark.parametrize("make", [lambda p: SGD(p, lr=0.3), lambda p: SGD(p, lr=0.05, momentum=0.9),
                                  lambda p: Adam(p, lr=0.02)])
def test_a_network_learns(make):
    model = small_net()
    np.random.seed(0)
    curves = train(model, CrossEntropyLoss(), make(model.parameters()), *spots(120), *spots(60, seed=1), 20, 20)
    assert curves[0][-1] < 0.3 * curves[0][0] and curves[1][-1] > 0.9 and curves[3][-1] > 0.9


def arguments_of_each(monkeypatch, cls):
    """Return a list to which the arguments of every object that is made of a class will be added, by name."""
    made, make = [], cls.__init__

    def noted(self, *args, **kwargs):
        bound = inspect.signature(make).bind(self, *args, **kwargs)
        bound.apply_defaults()
        made.append(dict(bound.arguments))
        make(self, *args, **kwargs)

    monkeypatch.setattr(cls, "__init__", noted)
    return made


def test_create_and_train_model(monkeypatch):
    x_train, x_val, _, y_train, y_val, _ = some_digits(50)
    np.random.seed(0)
    layers = arguments_of_each(monkeypatch, Linear)
    curves = create_and_train_model("adam", {"lr": 0.01}, x_train, y_train, x_val, y_val)
    assert all(np.shape(curve) == (10,) for curve in curves) and curves[0][-1] < curves[0][0]
    assert [tuple(layer.values())[1:3] for layer in layers] == [(784, 30), (30, 10)]
    curves = create_and_train_model("sgd", {"lr": 0.1}, x_train, y_train, x_val, y_val, 25, 3)
    assert all(np.shape(curve) == (3,) for curve in curves)


def test_compare_optimizers_saves_three_runs(monkeypatch, tmp_path):
    put_in_the_place_of_mnist(monkeypatch, some_digits(50))
    monkeypatch.chdir(tmp_path)
    sgd, adam = arguments_of_each(monkeypatch, SGD), arguments_of_each(monkeypatch, Adam)
    compare_optimizers()
    assert sorted((made["lr"], made["momentum"] or 0.0) for made in sgd) == [(0.1, 0.0), (0.1, 0.9)]
    assert [made["lr"] for made in adam] == [0.01]
    saved = utilities.load_result("optimizers_comparison")
    assert set(saved) == {"sgd", "sgd_momentum", "adam"}
    assert all(np.shape(curve) == (10,) for curves in saved.values() for curve in curves)


def test_mnist_comes_in_this_order():
    shapes = [array.shape for array in load_mnist_data()]
    assert shapes == [(50000, 784), (10000, 784), (10000, 784), (50000, 10), (10000, 10), (10000, 10)]


# ------------------------------------------------------------------ pictures

@pytest.mark.parametrize("seed", [0, 1])
def test_the_curves_of_each_optimizer_are_drawn(seed, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(seed)
    saved = {name: tuple(rng.uniform(0.1, 0.9, 10) for _ in range(4)) for name in ("sgd", "sgd_momentum", "adam")}
    utilities.save_result("optimizers_comparison", saved)
    drawn = drawing_of(plot.plot_learning_curves).curves
    for name, curves in saved.items():
        of_this = [re.sub("(no|without) momentum", "", label.lower()) for _, y, label in drawn
                   if any(np.array_equal(y, curve) for curve in curves)]
        assert of_this, f"no curve of {name} is drawn"
        others = {"sgd": ("adam", "momentum"), "sgd_momentum": ("adam",), "adam": ("sgd", "momentum")}[name]
        assert not any(word in label for label in of_this for word in others), f"{name} is labelled as another"


def test_the_rates_that_the_schedules_give_are_drawn(monkeypatch):
    given, inside = {}, []  # the rates of each schedule; the one whose step runs, maybe through that of a base class

    def recording(step):
        def record(scheduler):
            rates = given.setdefault(scheduler, [scheduler.optimizer.lr])
            is_outermost = not inside
            inside.append(scheduler)
            step(scheduler)
            inside.pop()
            if is_outermost:
                rates.append(scheduler.optimizer.lr)
        return record

    for schedule in (LambdaLR, PiecewiseConstantLR, CosineAnnealingLR):
        if "step" in vars(schedule):
            monkeypatch.setattr(schedule, "step", recording(schedule.step))
    drawn = drawing_of(plot.plot_lr_schedules).curves
    shown = [type(scheduler) for scheduler, rates in given.items() if any(
        len(y) > 2 and (np.array_equal(y, rates[:len(y)]) or np.array_equal(y, rates[1:len(y) + 1]))
        and np.all(np.diff(x) > 0) for x, y, _ in drawn)]
    assert {PiecewiseConstantLR, CosineAnnealingLR} <= set(shown), "the rates of these schedules, epoch by epoch"


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
