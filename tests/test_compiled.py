"""The compiled step: the same losses and weights as the modules', for whatever it knows."""
from __future__ import annotations

import copy
import itertools
import pickle
from functools import partial

import numpy as np
import pytest

from lib.activations import ReLU, Sigmoid
from lib.convolutions import Conv2d, Flatten
from lib.gradient_checking.discovery import examples_of
from lib.layers.activations import Tanh
from lib.layers.losses import BinaryCrossEntropyLoss
from lib.losses import CrossEntropyLoss, MSELoss
from lib.lr_schedulers import CosineAnnealingLR
from lib.network import Linear, Sequential
from lib.optimization.adaptive import Adagrad, AdamW, RMSProp
from lib.optimization.clipping import clip_grad_norm
from lib.optimizers import SGD, Adam, create_optimizer
from lib.regularizers import Dropout, L1Regularization, L2Regularization, RegularizedCrossEntropy
from lib.saving.state import get_state
from lib.steps.compiled import CompiledStep
from lib.steps.convolutions import RULES
from lib.steps.layers import MAX_TRANSPOSED
from lib.steps.losses import FEW_CLASSES, LOSS_RULES, SMALL_SIZE
from lib.steps.readable import ReadableStep
from lib.validation import InputError

OPTIMIZERS = [SGD, Adam, AdamW, RMSProp, Adagrad]
HYPERPARAMETERS = {"SGD": [{}, {"momentum": 0.9, "nesterov": True, "weight_decay": 0.01}],
                   "RMSProp": [{"momentum": 0.5}]}


def network_with(layer_class, rng):
    """Return a network with this kind of layer inside, and a few of its inputs."""
    layer, (x,) = examples_of(layer_class, rng)[0]
    if x.ndim == 2:
        width = layer(x).shape[1]
        model = Sequential(Linear(3, x.shape[1], rng=rng), layer, Linear(width, 3, rng=rng))
        inputs = rng.standard_normal((11, 3))
    else:
        before = Conv2d(2, x.shape[1], 1, rng=rng)
        after = Flatten() if layer_class is not Flatten else ReLU()
        width = after(layer(x)).shape[1]
        model = Sequential(before, layer, after, Linear(width, 3, rng=rng))
        inputs = rng.standard_normal((11, 2) + x.shape[2:])
    for parameter in model.parameters():
        parameter.data = rng.standard_normal(parameter.data.shape) / np.sqrt(max(parameter.data.shape))
    return model, inputs


def labels_for(n, rng):
    return np.eye(3)[rng.integers(0, 3, n)]


def run(make, layer_class, loss_class, optimizer_name, hyperparameters, steps=100):
    """Train with batches of two sizes; returns losses, parameters, predictions, and the optimiser's state."""
    rng = np.random.default_rng(5)
    model, x = network_with(layer_class, rng)
    y = labels_for(len(x), rng)
    optimizer = create_optimizer(optimizer_name, model.parameters(), {"lr": 0.01, **hyperparameters})
    step = make(model, loss_class(), optimizer)
    np.random.seed(1)
    losses = []
    for i in range(steps):
        batch = slice(0, 4) if i % 3 == 2 else slice(4, 11)
        loss, preds = step.step(x[batch], y[batch])
        losses.append(loss)
    return losses, [parameter.data for parameter in model.parameters()], preds, get_state(optimizer), step


def assert_same_training(*setting, steps=100):
    readable, compiled = run(ReadableStep, *setting, steps=steps), run(CompiledStep, *setting, steps=steps)
    np.testing.assert_allclose(compiled[0], readable[0], rtol=1e-10)
    for ours, theirs in zip(compiled[1], readable[1]):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-10 * np.abs(theirs).max())
    np.testing.assert_allclose(compiled[2], readable[2], rtol=1e-9, atol=1e-12)
    (ours,), (theirs,) = compiled[3], readable[3]
    assert ours.keys() == theirs.keys() and ours["step_count"] == theirs["step_count"]
    for own, expected in zip(ours["_states"], theirs["_states"]):
        assert own.keys() == expected.keys()
        for name, value in expected.items():
            np.testing.assert_allclose(own[name], value, rtol=1e-8, atol=1e-12)


def names(values):
    return [getattr(value, "__name__", str(value)) for value in values]


# ---------------------------------------------------------------------- the same numbers

@pytest.mark.parametrize("layer_class", RULES, ids=names(RULES))
def test_each_layer_gives_the_same_training(layer_class):
    assert_same_training(layer_class, CrossEntropyLoss, "SGD", {"momentum": 0.9})


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=names(OPTIMIZERS))
@pytest.mark.parametrize("loss_class", LOSS_RULES, ids=names(LOSS_RULES))
def test_each_loss_and_optimizer_give_the_same_training(loss_class, optimizer):
    for hyperparameters in HYPERPARAMETERS.get(optimizer.__name__, [{}]):
        assert_same_training(Sigmoid, loss_class, optimizer.__name__, hyperparameters)


@pytest.mark.slow
def test_all_combinations_give_the_same_training():
    for layer_class, loss_class, optimizer in itertools.product(RULES, LOSS_RULES, OPTIMIZERS):
        for hyperparameters in HYPERPARAMETERS.get(optimizer.__name__, []) + [{}]:
            assert_same_training(layer_class, loss_class, optimizer.__name__, hyperparameters)


@pytest.mark.parametrize("layer_class", RULES, ids=names(RULES))
def test_every_example_of_a_layer_is_compiled_rightly(layer_class, rng):
    for layer, (x,) in examples_of(layer_class, rng):
        for first in ([], [ReLU()]):
            before = Conv2d(x.shape[1], x.shape[1], 1) if x.ndim == 4 else Linear(x.shape[1], x.shape[1])
            flatten = [Flatten()] if layer(x).ndim == 4 else []
            width = Sequential(layer, *flatten)(x).shape[1]
            model = Sequential(*first, before, layer, *flatten, Linear(width, 2))
            step = CompiledStep(model, MSELoss(), SGD(model.parameters(), lr=0.1))
            step.step(x, rng.standard_normal((len(x), 2)))


@pytest.mark.parametrize("first", [Linear(100, 100), Linear(100, MAX_TRANSPOSED // 80 + 1),
                                   Linear(100, 100, bias=False), Flatten(), ReLU(), Dropout(0.5)], ids=repr)
def test_large_batches_are_used_where_they_are_and_stay_as_they_are(rng, first):
    rest = Linear(getattr(first, "out_features", 100), 3, rng=rng)
    x, y = rng.standard_normal((80, 100)), labels_for(80, rng)
    unchanged = x.copy()
    results = []
    for make in (ReadableStep, CompiledStep):
        model = copy.deepcopy(Sequential(first, rest))
        np.random.seed(0)
        step = make(model, CrossEntropyLoss(), SGD(model.parameters(), lr=0.1))
        losses = [step.step(batch, y)[0] for batch in (x, x, x[::-1], np.rint(x).astype(int), x.T.copy().T)]
        results.append(losses + [step.step(x[:1], y[:1])[0]])
    np.testing.assert_allclose(results[1], results[0], rtol=1e-10)
    np.testing.assert_array_equal(x, unchanged)


@pytest.mark.parametrize("num_classes", [1, 2, 3, FEW_CLASSES, FEW_CLASSES + 1])
@pytest.mark.parametrize("n", [1, 4, SMALL_SIZE])
def test_numbers_of_classes_and_types_of_labels(rng, num_classes, n):
    x, y = rng.standard_normal((n, 2)), np.eye(num_classes)[rng.integers(0, num_classes, n)]
    results = []
    for make in (ReadableStep, CompiledStep):
        np.random.seed(0)
        model = Sequential(Linear(2, num_classes))
        step = make(model, CrossEntropyLoss(), SGD(model.parameters(), lr=0.1))
        results.append([step.step(x, y.astype(dtype))[0] for dtype in (float, int, bool, np.float32, float)])
    np.testing.assert_allclose(results[1], results[0], rtol=1e-10, atol=1e-15)


def test_float32_stays_float32_and_close(rng):
    x, y = rng.standard_normal((8, 5)).astype(np.float32), labels_for(8, rng).astype(np.float32)
    results = []
    for make in (ReadableStep, CompiledStep):
        np.random.seed(0)
        model = Sequential(Linear(5, 16), ReLU(), Linear(16, 3)).astype(np.float32)
        step = make(model, CrossEntropyLoss(), Adam(model.parameters(), lr=0.01))
        results.append([step.step(x, y)[0] for _ in range(50)])
        assert all(parameter.data.dtype == np.float32 for parameter in model.parameters())
    np.testing.assert_allclose(results[1], results[0], rtol=1e-4)


def test_penalties_clipping_and_schedules_give_the_same_training(rng):
    x, y = rng.standard_normal((6, 4)), labels_for(6, rng)
    for penalty, clip in ((L1Regularization, None), (L2Regularization, partial(clip_grad_norm, max_norm=0.1))):
        results = []
        for make in (ReadableStep, CompiledStep):
            np.random.seed(0)
            model = Sequential(Linear(4, 5), Tanh(), Linear(5, 3))
            optimizer = SGD(model.parameters(), lr=0.5)
            schedule = CosineAnnealingLR(optimizer, 20)
            step = make(model, RegularizedCrossEntropy(penalty(0.01, model.parameters()[:1])), optimizer, clip)
            losses = []
            for _ in range(20):
                losses.append(step.step(x, y)[0])
                schedule.step()
            results.append((losses, model(x)))
        np.testing.assert_allclose(results[1][0], results[0][0], rtol=1e-10)
        np.testing.assert_allclose(results[1][1], results[0][1], rtol=1e-10)


# ---------------------------------------------------------------------- what happens between the steps

def small_training(make=CompiledStep):
    np.random.seed(0)
    model = Sequential(Linear(4, 5), Tanh(), Linear(5, 3))
    optimizer = Adam(model.parameters(), lr=0.1)
    rng = np.random.default_rng(2)
    x, y = rng.standard_normal((6, 4)), labels_for(6, rng)
    return model, optimizer, make(model, CrossEntropyLoss(), optimizer), x, y


CHANGES = {
    "entries": lambda model, optimizer: model[0].W.data.__setitem__((0, slice(None)), 0.5),
    "a new array": lambda model, optimizer: setattr(model[2].W, "data", np.full((5, 3), 0.25)),
    "gradients": lambda model, optimizer: [setattr(parameter, "grad", None) for parameter in model.parameters()],
    "learning rate": lambda model, optimizer: setattr(optimizer, "lr", 0.01),
    "state": lambda model, optimizer: [state["m"].fill(0.25) for state in optimizer._states],
    "betas": lambda model, optimizer: setattr(optimizer, "betas", (0.5, 0.5)),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_changes_by_hand_count(change):
    results = []
    for make in (ReadableStep, CompiledStep):
        model, optimizer, step, x, y = small_training(make)
        losses = []
        for _ in range(3):
            for _ in range(5):
                losses.append(step.step(x, y)[0])
            change(model, optimizer)
        results.append(losses + [step.step(x, y)[0]])
    np.testing.assert_allclose(results[1], results[0], rtol=1e-10)


def test_settings_of_layers_count(rng):
    results = []
    for make in (ReadableStep, CompiledStep):
        model = Sequential(Linear(4, 5, rng=np.random.default_rng(0)), Dropout(0.5), Linear(5, 3))
        model[2].W.data[...] = 0.1
        step = make(model, CrossEntropyLoss(), SGD(model.parameters(), lr=0.1))
        data = np.random.default_rng(1)
        x, y = data.standard_normal((6, 4)), labels_for(6, data)
        np.random.seed(3)
        losses = [step.step(x, y)[0]]
        model[1].p_delete = 0.2
        losses.append(step.step(x, y)[0])
        results.append(losses)
    np.testing.assert_allclose(results[1], results[0], rtol=1e-10)


def test_layers_exchanged_count_from_the_next_epoch():
    results = []
    for make in (ReadableStep, CompiledStep):
        model, _, step, x, y = small_training(make)
        losses = [step.step(x, y)[0] for _ in range(3)]
        model.modules[1] = ReLU()
        step.end_epoch()
        results.append(losses + [step.step(x, y)[0] for _ in range(3)])
    np.testing.assert_allclose(results[1], results[0], rtol=1e-10)


def test_the_gradient_can_be_read_after_a_step():
    gradients = []
    for make in (ReadableStep, CompiledStep):
        model, _, step, x, y = small_training(make)
        for _ in range(3):
            for parameter in model.parameters():
                parameter.grad = None  # or zero_grad, by hand
            step.step(x, y)
        gradients.append([parameter.grad.copy() for parameter in model.parameters()])
    for ours, theirs in zip(gradients[1], gradients[0]):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


def test_a_trained_model_can_be_copied_and_pickled():
    model, _, step, x, y = small_training()
    step.step(x, y)
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(twin(x), model(x))
        twin[0].W.data += 1
        assert not np.allclose(twin(x), model(x))


def test_the_batch_isnt_changed():
    _, _, step, x, y = small_training()
    copies = x.copy(), y.copy()
    for _ in range(3):
        step.step(x, y)
    np.testing.assert_array_equal(x, copies[0])
    np.testing.assert_array_equal(y, copies[1])


def test_the_loss_is_computed_only_when_asked_for():
    _, _, step, x, y = small_training()
    step.step(x, y)
    assert step.step(x, y, with_loss=False)[0] is None


def test_many_batch_sizes_and_integer_inputs_work():
    model, _, step, x, y = small_training()
    twin, _, readable, _, _ = small_training(ReadableStep)
    for n in (1, 2, 3, 4, 5, 6, 1):
        for batch in ((x[:n], y[:n]), (np.rint(10 * x[:n]).astype(int), y[:n].astype(int)), (x[:n].tolist(), y[:n])):
            assert step.step(*batch)[0] == pytest.approx(readable.step(*batch)[0], rel=1e-9)


@pytest.mark.parametrize("loss_fn, wrong, word, dtypes", [
    (CrossEntropyLoss(), [1, 1], "row 2 is", "fdlb?"), (CrossEntropyLoss(), [0, 0], "row 2 is", "fdlb?"),
    (BinaryCrossEntropyLoss(), [2, 0], "from 0 to 2", "fdlb")])
def test_labels_of_later_batches_are_checked_as_well(rng, loss_fn, wrong, word, dtypes):
    for dtype in dtypes:
        check_labels_of_later_batches(rng, loss_fn, wrong, word, dtype)


def check_labels_of_later_batches(rng, loss_fn, wrong, word, dtype):
    model = Sequential(Linear(3, 2, rng=rng)).astype("f" if dtype == "f" else "d")
    step = CompiledStep(model, loss_fn, SGD(model.parameters(), lr=0.1))
    x, y = rng.standard_normal((4, 3)).astype(model[0].W.data.dtype), np.eye(2)[[0, 1, 1, 0]].astype(dtype)
    for labels in (y, y, y.copy()):
        step.step(x, labels)
    before = model[0].W.data.copy()
    bad = y.copy()
    bad[2] = wrong
    with pytest.raises(InputError, match=word):
        step.step(x, bad)
    assert np.array_equal(model[0].W.data, before)
    step.step(x, y)
    assert not np.array_equal(model[0].W.data, before)


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
