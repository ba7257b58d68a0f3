"""Many networks at once: the same numbers as one by one, whatever their number, rates and optimiser."""
from __future__ import annotations

import numpy as np
import pytest

from lib.layers.activations import GELU, LeakyReLU, Softplus, Tanh
from lib.activations import ReLU, Sigmoid
from lib.dataset import X, y
from lib.layers.losses import BinaryCrossEntropyLoss, L1Loss, MeanSquaredError
from lib.losses import CrossEntropyLoss, MSELoss
from lib.steps.many_networks import Task, train_many
from lib.network import Linear, Sequential
from lib.optimizers import SGD, create_optimizer
from lib.regularizers import Dropout
from lib.steps.comparison import DifferentResult
from lib.steps.memory import NotCompilable
from lib.steps.readable import ReadableStep
from lib.validation import InputError
from run_xor_experiment import create_xor_net, train_on_xor

LABELS = np.eye(2)[y]


@pytest.fixture
def together(monkeypatch):
    """Count the networks that are really trained together."""
    counts = []
    original = Task.train_together

    def counted(self, seeds, rates):
        counts.append(len(seeds))
        return original(self, seeds, rates)

    monkeypatch.setattr(Task, "train_together", counted)
    return counts


def one_by_one(create_model, loss_fn, x, y, epochs, seeds, lr, optimizer, hyperparams, batch_size):
    """Return losses and parameters of training by the modules, without any of what is tested here."""
    losses, parameters = [], []
    for seed, rate in zip(seeds, lr):
        np.random.seed(seed)
        model = create_model()
        optimizer_of_run = create_optimizer(optimizer, model.parameters(), {**hyperparams, "lr": rate})
        step = ReadableStep(model, loss_fn, optimizer_of_run)
        for _ in range(epochs):
            for start in range(0, len(x), batch_size):
                step.step(x[start:start + batch_size], y[start:start + batch_size])
        losses.append(float(loss_fn(model.eval()(x), y)))
        parameters.append([parameter.data for parameter in model.parameters()])
    return losses, parameters


@pytest.mark.parametrize("activation", [ReLU, LeakyReLU, Sigmoid, Tanh, Softplus])
@pytest.mark.parametrize("optimizer, hyperparams", [("SGD", {}), ("SGD", {"momentum": 0.9, "weight_decay": 0.01}),
                                                    ("Adam", {}), ("AdamW", {}), ("RMSProp", {}), ("Adagrad", {})])
def test_each_network_is_what_it_is_by_itself(together, activation, optimizer, hyperparams):
    def create():
        model = Sequential(Linear(3, 4), activation(), Sequential(Linear(4, 3, bias=False), activation()), Linear(3, 2))
        for parameter in model.parameters():
            parameter.data *= 50
        return model

    rng = np.random.default_rng(0)
    x, labels = rng.standard_normal((7, 3)), np.eye(2)[rng.integers(0, 2, 7)]
    seeds, lr = [3, 1, 4, 1, 5], np.array([0.1, 0.01, 0.001, 0.2, 0.05])
    setting = dict(seeds=seeds, lr=lr, optimizer=optimizer, hyperparams=hyperparams, batch_size=4)
    trained = train_many(create, CrossEntropyLoss(), x, labels, 10, compiled=True, **setting)
    losses, parameters = one_by_one(create, CrossEntropyLoss(), x, labels, 10, **setting)
    assert together == [5]
    np.testing.assert_allclose(trained.losses[0], losses, rtol=1e-10)
    for run, own in enumerate(parameters):
        for ours, theirs in zip(trained.parameters, own):
            # relative to the greatest entry: RMSProp's steps divide gradients by their size, rounding errors included
            np.testing.assert_allclose(ours[run], theirs, rtol=0, atol=1e-9 * np.abs(theirs).max())
        np.testing.assert_allclose(CrossEntropyLoss()(trained.model(run)(x), labels), losses[run], rtol=1e-10)


@pytest.mark.parametrize("loss_fn", [MSELoss(), MeanSquaredError(), L1Loss(), BinaryCrossEntropyLoss()], ids=repr)
def test_each_loss(together, loss_fn):
    def create():
        return Sequential(Linear(2, 3), Tanh(), Linear(3, 2))

    setting = dict(seeds=[0, 1, 2], lr=[0.1, 0.2, 0.3], optimizer="SGD", hyperparams={}, batch_size=3)
    trained = train_many(create, loss_fn, X, LABELS, 20, compiled=True, **setting)
    losses, _ = one_by_one(create, loss_fn, X.astype(float), LABELS, 20, **setting)
    assert together
    np.testing.assert_allclose(trained.losses[0], losses, rtol=1e-10)


@pytest.mark.parametrize("chunk_bytes", [1, 5000, 2 ** 30])
def test_the_chunks_change_nothing(together, chunk_bytes):
    trained = train_many(create_xor_net, CrossEntropyLoss(), X, LABELS, 30, seeds=9, chunk_bytes=chunk_bytes,
                         compiled=True)
    assert sum(together) == 9 and (max(together) == 9) == (chunk_bytes > 5000)
    for run in range(9):
        np.random.seed(run)
        losses = train_on_xor(create_xor_net(), CrossEntropyLoss(), LABELS, lr=1.0, epochs=30)
        assert trained.losses[0, run] == pytest.approx(losses[-1], rel=1e-10)


def test_losses_are_recorded_on_the_way():
    trained = train_many(create_xor_net, CrossEntropyLoss(), X, LABELS, 25, seeds=3, record_every=10)
    assert trained.epochs == [10, 20, 25] and trained.losses.shape == (3, 3)
    for epochs, losses in zip(trained.epochs, trained.losses):
        again = train_many(create_xor_net, CrossEntropyLoss(), X, LABELS, epochs, seeds=3)
        np.testing.assert_allclose(again.losses[0], losses, rtol=1e-12)


def test_float32_stays_float32(together):
    trained = train_many(lambda: create_xor_net().astype(np.float32), CrossEntropyLoss(), X.astype(np.float32), LABELS,
                         5, seeds=3, lr=[0.1, 0.2, 0.3], compiled=True)
    assert together == [3]
    assert all(parameter.dtype == np.float32 for parameter in trained.parameters)


@pytest.mark.parametrize("create", [lambda: Sequential(Linear(2, 4), Dropout(0.5), Linear(4, 2)),
                                    lambda: Sequential(Linear(2, 300), ReLU(), Linear(300, 300), Linear(300, 2))],
                         ids=["dropout", "large"])
def test_what_is_better_alone_is_trained_alone(together, create):
    setting = dict(seeds=[0, 1], lr=[0.1, 0.2], optimizer="SGD", hyperparams={}, batch_size=4)
    losses, _ = one_by_one(create, CrossEntropyLoss(), X.astype(float), LABELS, 3, **setting)
    trained = train_many(create, CrossEntropyLoss(), X, LABELS, 3, compiled=True, **setting)
    assert not together
    np.testing.assert_allclose(trained.losses[0], losses, rtol=1e-10)


def edited(owner, name, method):
    """Make a function look as if it stood in a class's own file, as an edited one does."""
    method.__module__, method.__qualname__ = owner.__module__, f"{owner.__qualname__}.{name}"
    return method


def test_by_default_the_modules_train(together, monkeypatch):
    right = ReLU.backward
    monkeypatch.setattr(ReLU, "backward", edited(ReLU, "backward", lambda self, grad: 2 * right(self, grad)))
    setting = dict(seeds=[0, 1], lr=[0.1, 0.2], optimizer="SGD", hyperparams={}, batch_size=4)
    losses, _ = one_by_one(create_xor_net, CrossEntropyLoss(), X.astype(float), LABELS, 3, **setting)
    trained = train_many(create_xor_net, CrossEntropyLoss(), X, LABELS, 3, **setting)
    np.testing.assert_allclose(trained.losses[0], losses, rtol=1e-14)
    assert not together


@pytest.mark.parametrize("factor", [1.1, -1, 0])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_gradient_that_differs_is_named(monkeypatch, dtype, factor):
    right = ReLU.backward
    monkeypatch.setattr(ReLU, "backward", edited(ReLU, "backward", lambda self, grad: factor * right(self, grad)))
    with pytest.raises(DifferentResult, match=r"The gradient of Sequential\[0\].(W|b) in run 0 is"):
        train_many(lambda: create_xor_net().astype(dtype), CrossEntropyLoss(), X.astype(dtype), LABELS, 3, seeds=3,
                   compiled=True)


def test_a_loss_that_differs_is_named(monkeypatch):
    right = Linear.forward
    monkeypatch.setattr(Linear, "forward", edited(Linear, "forward", lambda self, x: right(self, x) + 1e-4))
    with pytest.raises(DifferentResult, match=r"The loss of run \d is"):  # its gradient is the same
        train_many(lambda: Sequential(Linear(2, 2)), L1Loss(), X, LABELS, 3, seeds=3, compiled=True)


def test_each_epoch_another_run_is_compared(monkeypatch):
    """A sigmoid that is wrong for large inputs: only the run whose weights are large shows it."""
    def backward(self, grad):
        x = self.input_cache
        return grad * np.exp(-x) / (1 + np.exp(-x)) ** 2 * (1 + (x > 3))

    def create():
        seed = np.random.get_state()[1][0]
        model = Sequential(Linear(2, 2), Sigmoid(), Linear(2, 2))
        if seed == 2:
            model.modules[0].b.data += 4
        return model

    monkeypatch.setattr(Sigmoid, "backward", edited(Sigmoid, "backward", backward))
    setting = dict(seeds=[0, 1, 2, 3], lr=0.1, compiled=True)
    train_many(create, CrossEntropyLoss(), X, LABELS, 2, **setting)
    with pytest.raises(DifferentResult, match="in run 2"):
        train_many(create, CrossEntropyLoss(), X, LABELS, 3, **setting)


def test_an_update_that_differs_is_named(monkeypatch):
    def update(self, data, grad, state):
        data -= self.lr * (grad + 0.01 * data * (np.size(self.lr) == 1))

    monkeypatch.setattr(SGD, "update", edited(SGD, "update", update))
    with pytest.raises(DifferentResult, match=r"After the step, Sequential\[0\].W of run 0"):
        train_many(create_xor_net, CrossEntropyLoss(), X, LABELS, 3, seeds=3, compiled=True)


def test_what_cant_be_compiled_is_said(monkeypatch):
    with pytest.raises(NotCompilable, match="GELU"):
        train_many(lambda: Sequential(Linear(2, 2), GELU()), CrossEntropyLoss(), X, LABELS, 2, seeds=3, compiled=True)
    slopes = iter([0.1, 0.1, 0.2, 0.1])
    with pytest.raises(NotCompilable, match="differ in more than their weights"):
        train_many(lambda: Sequential(Linear(2, 2), LeakyReLU(next(slopes))), CrossEntropyLoss(), X, LABELS, 2, seeds=3,
                   compiled=True)
    for change in (lambda model: model.modules.append(GELU()), lambda model: model.modules.append(Sequential()),
                   lambda model: setattr(model, "backward", lambda grad: grad)):
        def create():
            drawn, model = np.random.rand(), create_xor_net()
            if drawn == of_seed_2:
                change(model)
            return model

        np.random.seed(2)
        of_seed_2 = np.random.rand()
        with pytest.raises(NotCompilable, match="differ in more than their weights"):
            train_many(create, CrossEntropyLoss(), X, LABELS, 2, seeds=4, compiled=True)
    monkeypatch.setattr(ReLU, "forward", lambda self, x: x)
    with pytest.raises(NotCompilable, match="ReLU.forward was replaced"):
        train_many(create_xor_net, CrossEntropyLoss(), X, LABELS, 2, seeds=3, compiled=True)


def test_rounding_at_a_kink_of_float32_is_no_difference(together):
    def create():
        model = Sequential(Linear(4, 3), ReLU(), Linear(3, 2)).astype(np.float32)
        model.modules[0].W.data *= 100
        model.modules[0].b.data[...] = -model.modules[0].W.data.sum(axis=0)  # x W + b is 0, but for rounding
        return model

    train_many(create, CrossEntropyLoss(), np.ones((1, 4), np.float32), [[1, 0]], 1, seeds=range(30), chunk_bytes=1,
               compiled=True)
    assert together == [1] * 30


def test_what_isnt_trained_is_each_runs_own():
    def create():
        model = Sequential(Linear(2, 4), ReLU(), Linear(4, 2))
        model.modules[0].W.data *= 100
        model.modules[0].W.constant = True
        return model

    results = [train_many(create, CrossEntropyLoss(), X, LABELS, 5, seeds=[3, 4], compiled=compiled)
               for compiled in (False, True)]
    np.testing.assert_allclose(results[1].losses, results[0].losses, rtol=1e-10)
    for run in (0, 1):
        assert CrossEntropyLoss()(results[0].model(run)(X), LABELS) == pytest.approx(results[0].losses[0, run])


def test_the_random_state_is_left_alone():
    np.random.seed(5)
    expected = np.random.random_sample()
    np.random.seed(5)
    trained = train_many(create_xor_net, CrossEntropyLoss(), X, LABELS, 2, seeds=3)
    trained.model(1)
    assert np.random.random_sample() == expected


@pytest.mark.parametrize("arguments, word", [
    ({"lr": [0.1, 0.2]}, "one learning rate for all runs or one for each"), ({"lr": np.nan}, "lr"), ({"lr": -1}, "lr"),
    ({"lr": None}, "lr"), ({"lr": [0.1, 0.2, np.inf]}, "lr"), ({"epochs": 0}, "epochs"),
    ({"batch_size": 0}, "batch_size"),
    ({"record_every": 0}, "record_every"), ({"seeds": 0}, "at least one run"), ({"seeds": []}, "at least one run"),
    ({"seeds": [1.5]}, "a seed"), ({"seeds": -3}, "at least one run"), ({"seeds": [-1]}, "a seed"),
    ({"y": y}, "one-hot")],
    ids=str)
def test_wrong_arguments_are_explained(arguments, word):
    with pytest.raises(ValueError, match=word):
        train_many(create_xor_net, CrossEntropyLoss(), **{"x": X, "y": LABELS, "epochs": 2, "seeds": 3, **arguments})


@pytest.mark.parametrize("wrong", [2 * LABELS, LABELS[:3]])
def test_wrong_labels_are_found_before_any_time_is_spent(monkeypatch, wrong):
    monkeypatch.setattr("lib.steps.many_networks.StackedParameters", None)
    with pytest.raises(ValueError, match="labels"):
        train_many(create_xor_net, CrossEntropyLoss(), X, wrong, 2, seeds=3, compiled=True)


class Forgetful(Sequential):
    """Its parameters() forgets the first layer's."""

    def parameters(self):
        return super().parameters()[2:]


@pytest.mark.parametrize("create", [lambda: Forgetful(Linear(2, 2), ReLU(), Linear(2, 2)),
                                    lambda: Sequential(Forgetful(Linear(2, 2), ReLU(), Linear(2, 2)))])
@pytest.mark.parametrize("compiled", [False, True])
def test_a_model_that_forgets_parameters_is_refused(create, compiled):
    with pytest.raises(InputError, match=r"train_many would leave .*\[0\]\.W as it is"):
        train_many(create, CrossEntropyLoss(), X, LABELS, 2, seeds=3, compiled=compiled)


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
