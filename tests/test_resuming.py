"""Resuming refuses another run, and Ctrl-C at any moment leaves a history that fits the weights."""
from __future__ import annotations

import sys
from collections import defaultdict

import numpy as np
import pytest

from lib.fitting.fit import EarlyStopping, fit
from lib.layers.activations import LeakyReLU
from lib.layers.normalization import BatchNorm1d
from lib.losses import CrossEntropyLoss
from lib.lr_schedulers import CosineAnnealingLR, LambdaLR, PiecewiseConstantLR
from lib.network import Linear, Sequential
from lib.network_base import Module, Parameter
from lib.optimization.schedules import LinearWarmup, StepLR
from lib.optimizers import SGD, Adam
from lib.regularizers import Dropout, L1Regularization, L2Regularization, RegularizedCrossEntropy
from lib.saving.checkpoints import save_checkpoint
from lib.saving.model_files import model_arrays
from lib.saving.npz import FileContentError, read_npz, restore_tree
from lib.saving.state import get_state, set_state
from lib.validation import InputError


def regularized(penalty=L2Regularization, lambd=0.01, lr=0.1, momentum=0.9, T_max=9, eps=1e-5, p=0.2, **options):
    """Return the arguments of fit for a run with settings everywhere."""
    np.random.seed(0)
    model = Sequential(Linear(3, 4), BatchNorm1d(4, eps=eps), Dropout(p), LeakyReLU(options.pop("slope", 0.1)),
                       Linear(4, 2))
    optimizer = SGD(model.parameters(), lr=lr, momentum=momentum)
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((20, 3)), np.eye(2)[np.arange(20) % 2]
    if options.pop("change_a_row", False):
        x[13, 1] += 1e-9
    if options.pop("change_validation", False):
        y = y[:, ::-1].copy()
    schedule = options.pop("schedule", lambda optimizer: CosineAnnealingLR(optimizer, T_max))
    return dict({"model": model, "loss_fn": RegularizedCrossEntropy(penalty(lambd, model.parameters())),
                 "optimizer": optimizer, "scheduler": schedule(optimizer), "x": x, "y": np.eye(2)[np.arange(20) % 2],
                 "batch_size": 5, "validation": (x[:7], y[:7]), "rng": 1}, **options)


@pytest.mark.parametrize("change, what", [
    ({"penalty": L1Regularization}, "loss: .*L2Regularization.*L1Regularization"), ({"lambd": 0.02}, "lambd=0.02"),
    ({"momentum": 0.8}, "momentum=0.8"), ({"T_max": 10}, "schedule"), ({"lr": 0.2}, "schedule"),
    ({"p": 0.3}, "p_delete"), ({"slope": 0.2}, "slope=0.2"), ({"eps": 1e-3}, "eps=0.001"),
    ({"batch_size": 4}, "batch size"),
    ({"change_a_row": True}, "training data, inputs"), ({"change_validation": True}, "validation data, labels"),
    ({"validation": None}, "validation data"), ({"clip_norm": 1.0}, "clip_norm"),
    ({"schedule": lambda o: LambdaLR(o, lambda epoch: 0.1)}, "schedule: 'CosineAnn"),
    ({"schedule": lambda o: StepLR(o, 3)}, "schedule")])
def test_a_run_with_any_other_setting_is_another_run(change, what, tmp_path):
    path = tmp_path / "run.npz"
    fit(**regularized(), epochs=1, checkpoint=path)
    with pytest.raises(FileContentError, match=f"another run:(.|\n)*{what}"):
        fit(**regularized(**change), epochs=2, checkpoint=path)
    assert fit(**regularized(), epochs=2, checkpoint=path).num_epochs == 2


class Scaled(Module):
    """Keeps what it is given under other names, and counts its calls."""

    def __init__(self, factor=2.0, table=(1, 2), function=np.tanh):
        self.scale, self.entries, self.f, self.calls, self.last = factor, list(table), function, 0, None

    def forward(self, x):
        self.calls += 1
        self.last = len(x)
        return self.scale * x

    def backward(self, grad):
        return self.scale * grad


class OwnDescent:
    def __init__(self, params, rate=0.1, mu=0.9):
        self.parameters, self.lr, self.factor = list(params), rate, mu
        self.v, self.steps = [0.0] * len(self.parameters), 0

    def zero_grad(self):
        for param in self.parameters:
            param.grad = np.zeros_like(param.data)

    def step(self):
        self.steps += 1
        for i, param in enumerate(self.parameters):
            self.v[i] = self.factor * self.v[i] - self.lr * param.grad
            param.data = param.data + self.v[i]


@pytest.mark.parametrize("change, what", [
    ({}, ""), ({"factor": 3.0}, "scale=3.0"), ({"table": (1, 3)}, "entries"), ({"function": np.sin}, "f=sin"),
    ({"mu": 0.8}, "factor=0.8"), ({"rng": 2}, "seed"), ({"rng": np.random.default_rng(1)}, ""),
    ({"rng": np.random.RandomState(1)}, "can't be restored"), ({"rate": 0.2}, "lr=0.2")])
def test_settings_of_ones_own_classes_count_under_any_name(change, what, tmp_path):
    def run(epochs, rng=1, mu=0.9, rate=0.1, **settings):
        np.random.seed(0)
        model = Sequential(Linear(3, 4), Scaled(**settings), Linear(4, 2))
        x, y = np.random.default_rng(0).standard_normal((20, 3)), np.eye(2)[np.arange(20) % 2]
        model(x)  # its counters aren't settings
        return fit(model, CrossEntropyLoss(), OwnDescent(model.parameters(), rate, mu), x, y, epochs, 5, rng=rng,
                   checkpoint=tmp_path / "run.npz")

    run(1)
    if what:
        with pytest.raises(FileContentError, match=what):
            run(2, **change)
    resumed = run(2, **change if not what else {})
    (tmp_path / "run.npz").unlink()
    assert resumed["loss"] == run(2)["loss"]


@pytest.mark.parametrize("own, saved, fits", [
    (1.0, 2.0, True), (1.0, np.nan, False), (np.nan, np.nan, True), (1.0, "2", False), (1.0, [2.0], False),
    (1.0, None, True), ([0, 0.5], [1.0, 2], True), ([0.0], [np.ones(3)], True), ([1.0], [np.ones(3)], False),
    ([0.0], [np.ones(2)], False), ([0.0], [np.ones(3, int)], False), (0.0, np.ones(3), False),
    ([np.ones(3)], [0.0], True), ([np.ones(3)], [1.0], False), ({"a": 0.0}, {"a": np.ones(3)}, True)])
def test_what_may_take_the_place_of_what(own, saved, fits):
    optimizer = SGD([Parameter(np.ones(3))])
    optimizer.own = own
    state = get_state(optimizer)
    state[0]["own"] = saved
    if fits:
        set_state(state, optimizer)
        np.testing.assert_equal(optimizer.own, saved)
    else:
        with pytest.raises(InputError, match="can't load this state: own"):
            set_state(state, optimizer)


def test_an_optimiser_whose_memory_is_in_another_order_is_another_run(tmp_path):
    def run(epochs, order):
        np.random.seed(0)
        model = Sequential(Linear(3, 3), Linear(3, 3))
        x = np.random.default_rng(0).standard_normal((8, 3))
        return fit(model, CrossEntropyLoss(), Adam(model.parameters()[::order]), x, np.eye(3)[np.arange(8) % 3], epochs,
                   checkpoint=tmp_path / "run.npz")

    run(1, 1)
    with pytest.raises(FileContentError, match="order of the optimiser's parameters"):
        run(2, -1)
    run(2, 1)


@pytest.mark.parametrize("rates, same", [((0.1, 0.9), True), ((0.1, 0.8), False), ((0.2, 0.9), False)])
def test_a_schedule_by_a_function_is_known_by_its_rates(rates, same, tmp_path):
    def run(first, factor, epochs):
        return fit(**regularized(schedule=lambda o: LambdaLR(o, lambda epoch: first * factor ** epoch)), epochs=epochs,
                   checkpoint=tmp_path / "run.npz")

    run(0.1, 0.9, 1)
    if same:
        assert run(*rates, 2).num_epochs == 2
    else:
        with pytest.raises(FileContentError, match="schedule: 'LambdaLR with the rates 0.1"):
            run(*rates, 2)


@pytest.mark.parametrize("schedule, other", [
    (lambda o: LambdaLR(o, lambda epoch: [0.1, 0.2, 0.3, 0.4, 0.5][epoch]),
     lambda o: LambdaLR(o, lambda epoch: [0.1, 0.2, 0.3, 0.9, 0.5][epoch])),
    (lambda o: LambdaLR(o, [0.1, 0.2].__getitem__), lambda o: LambdaLR(o, [0.1, 0.3].__getitem__)),
    (lambda o: PiecewiseConstantLR(o, [150], [0.01]), lambda o: PiecewiseConstantLR(o, [225], [0.01])),
    (lambda o: LinearWarmup(o, 2, StepLR(o, 5, 0.5)), lambda o: LinearWarmup(o, 2, StepLR(o, 5, 0.6)))],
    ids=["table", "two entries", "late milestone", "after a warm-up"])
def test_a_rate_that_comes_later_or_from_a_table_is_compared_too(schedule, other, tmp_path):
    path = tmp_path / "run.npz"
    fit(**regularized(schedule=schedule), epochs=1, checkpoint=path)
    with pytest.raises(FileContentError, match="schedule: '"):
        fit(**regularized(schedule=other), epochs=1, checkpoint=path)
    assert fit(**regularized(schedule=schedule), epochs=1, checkpoint=path).num_epochs == 1


@pytest.mark.parametrize("what", ["trained", "penalised"])
def test_other_parameters_trained_or_penalised_are_another_run(what, tmp_path):
    def run(name, some, epochs):
        arguments = regularized()
        first = arguments["model"].modules[0]
        if some and what == "trained":
            first.W.constant = True
        elif some:
            arguments["loss_fn"] = RegularizedCrossEntropy(L2Regularization(0.01, [first.W]))
        return fit(**arguments, epochs=epochs, checkpoint=tmp_path / name).num_epochs

    for some in (False, True):
        run(f"{some}.npz", some, 1)
        with pytest.raises(FileContentError, match=f"another run:\n  parameters not {what}: .*Sequential.0.[.][Wb]"):
            run(f"{some}.npz", not some, 2)
        assert run(f"{some}.npz", some, 2) == 2


@pytest.mark.parametrize("damage", [
    lambda state: state.pop("history"), lambda state: state["history"].pop("loss"),
    lambda state: state["history"].update(loss=["a"]), lambda state: state["history"]["loss"].append(1.0),
    lambda state: state.update(usual_loss="high"), lambda state: state.update(best=(1, {})),
    lambda state: state.update(best=(7, state["run"]["model"])), lambda state: state["run"].pop("numpy"),
    lambda state: state["run"]["optimizer"][0].update(lr=-1.0), lambda state: state["run"].update(generators=[])])
def test_a_crafted_checkpoint_changes_nothing(damage, tmp_path):
    path = tmp_path / "run.npz"
    arguments = regularized(early_stopping=5)
    fit(**arguments, epochs=2, checkpoint=path)
    content = restore_tree(read_npz(path), "checkpoint")
    damage(content["state"])
    save_checkpoint(path, content["state"], content["description"])
    other = regularized(early_stopping=5)
    before = model_arrays(other["model"]), np.random.get_state()[1].tolist(), other["optimizer"].lr
    with pytest.raises(FileContentError):
        fit(**other, epochs=3, checkpoint=path)
    np.testing.assert_equal((model_arrays(other["model"]), np.random.get_state()[1].tolist(), other["optimizer"].lr),
                            before)


class Keyed:
    """Gradient descent with momentum, whose velocities stand in a dict by parameter, or by its id."""

    def __init__(self, params, key, lr=0.1):
        self._params, self.key, self.lr, self.velocities = list(params), key, lr, defaultdict(float)

    def zero_grad(self):
        for param in self._params:
            param.grad = np.zeros_like(param.data)

    def step(self):
        for param in self._params:
            self.velocities[self.key(param)] = 0.9 * self.velocities[self.key(param)] - self.lr * param.grad
            param.data += self.velocities[self.key(param)]


@pytest.mark.parametrize("key", [id, lambda param: param], ids=["id", "parameter"])
def test_states_that_are_keyed_by_parameters_come_back(key, tmp_path):
    def run(epochs, **options):
        arguments = regularized(**options)
        arguments["optimizer"] = Keyed(arguments["model"].parameters(), key)
        arguments["scheduler"] = None
        fit(epochs=epochs, **arguments)
        return np.concatenate([param.data.ravel() for param in arguments["model"].parameters()])

    checkpoint = tmp_path / "run.npz"
    run(2, checkpoint=checkpoint)
    np.testing.assert_array_equal(run(4, checkpoint=checkpoint, resume=True), run(4))


def test_a_state_goes_into_the_arrays_that_are_there_and_where_nothing_was():
    class Holder:
        """Something with numbers."""

        def __init__(self, best, array):
            self.best, self.array, self.counts = best, array, {3: 1, "all": 2}

        def step(self):
            """Do nothing."""

    array = np.zeros(2)
    holder = Holder(None, array)
    set_state(get_state(Holder(1.5, np.ones(2))), holder)
    assert holder.best == 1.5 and holder.array is array and array.tolist() == [1, 1]
    set_state([{"best": None, "array": array + 1, "counts": {3: 7, "all": 9}}], holder)
    assert holder.best is None and holder.counts == {3: 7, "all": 9}
    with pytest.raises(InputError, match="can't load this state"):
        set_state([{"best": None, "array": np.ones(3), "counts": {3: 7, "all": 9}}], holder)


@pytest.mark.parametrize("moment", range(0, 45))
def test_ctrl_c_at_any_line_of_the_loop_keeps_history_and_best_weights_together(moment, tmp_path):
    """The interrupt comes at the n-th line that the trainer executes after the second epoch's steps."""
    arguments = regularized(early_stopping=EarlyStopping(patience=99), metrics={})
    lines, has_begun = [], []

    def trace(frame, event, argument):
        if "trainer.py" not in frame.f_code.co_filename and "history.py" not in frame.f_code.co_filename:
            return None
        if event == "line" and len(has_begun) > 1:
            lines.append(frame.f_lineno)
            if len(lines) == moment + 1:
                raise KeyboardInterrupt
        return trace

    step = arguments["scheduler"].step

    def scheduled():
        step()
        has_begun.append(True)

    arguments["scheduler"].step = scheduled
    sys.settrace(trace)
    try:
        history = fit(**arguments, epochs=4, checkpoint=tmp_path / "run.npz")
    finally:
        sys.settrace(None)
    lengths = {len(values) for values in history.values()}
    assert "Interrupted" in history.note and len(lengths) == 1 and 1 <= history.num_epochs < 4
    best = regularized(early_stopping=EarlyStopping(patience=99), metrics={})
    fit(**best, epochs=history.best_epoch)
    np.testing.assert_equal(model_arrays(arguments["model"]), model_arrays(best["model"]))


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
