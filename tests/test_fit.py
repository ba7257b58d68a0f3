"""fit: measures, early stopping, divergence, interruption, progress. (Its checkpoints: test_checkpoints.)"""
from __future__ import annotations

import io
import sys

import numpy as np
import pytest

from lib.activations import ReLU
from lib.fitting.fit import DivergenceError, EarlyStopping, History, default_metrics, fit
from lib.layers.losses import BinaryCrossEntropyLoss, MeanSquaredError
from lib.losses import CrossEntropyLoss, MSELoss
from lib.lr_schedulers import LambdaLR
from lib.optimization.schedules import StepLR
from lib.model_evaluation import accuracy
from lib.saving.model_files import model_arrays
from lib.network import Linear, Sequential
from lib.network_base import Module
from lib.layers.normalization import BatchNorm1d
from lib.optimizers import SGD, Adam
from lib.fitting.progress import NoBar, progress_bar
from lib.training import train
from lib.validation import InputError
from tests.test_training import Recorder, blobs, small_net


def run(model=None, optimizer=None, epochs=4, loss_fn=None, **options):
    """Fit a small network to three blobs; returns it with its history."""
    model = small_net() if model is None else model
    np.random.seed(2)
    optimizer = Adam(model.parameters(), lr=0.02) if optimizer is None else optimizer(model.parameters())
    return model, fit(model, loss_fn or CrossEntropyLoss(), optimizer, *blobs(50), epochs=epochs,
                      **{"batch_size": 8, "validation": blobs(30, seed=1), **options})


def same_bits(a, b):
    """Return whether two models, or copies of their arrays, are equal bit for bit."""
    a, b = (x if isinstance(x, dict) else model_arrays(x) for x in (a, b))
    return {name: value.tobytes() for name, value in a.items()} == {name: value.tobytes() for name, value in b.items()}


# -------------------------------------------------------------------- what it is given

@pytest.mark.parametrize("wrong, sentence", [
    (dict(loss_fn=CrossEntropyLoss), "Write CrossEntropyLoss\\(\\)"),
    (dict(optimizer=SGD), "Write SGD\\(model.parameters"),
    (dict(model=Sequential), "the class Sequential"),
    (dict(optimizer="sgd"), "optimizer .* got a str"),
    (dict(optimizer=SGD(small_net().parameters())), "none of the model's parameters"),
])
def test_a_class_or_a_strange_optimizer_gets_a_sentence(wrong, sentence):
    model = small_net()
    before = model_arrays(model)
    given = {"model": model, "loss_fn": CrossEntropyLoss(), "optimizer": SGD(model.parameters()), **wrong}
    x, y = blobs(20)
    with pytest.raises(InputError, match=f"^fit .*{sentence}"):
        fit(x=x, y=y, epochs=1, **given)
    with pytest.raises(InputError, match=f"^train .*{sentence}"):
        train(x_train=x, y_train=y, x_val=x, y_val=y, num_epochs=1, batch_size=5, **given)
    assert same_bits(before, model)


def test_an_optimizer_of_some_of_the_parameters_trains_those():
    model = small_net()
    before = [parameter.data.copy() for parameter in model.parameters()]
    x, y = blobs(20)
    fit(model, CrossEntropyLoss(), SGD(model.parameters()[-1:], lr=0.1), x, y, epochs=1)
    changed = [(parameter.data != data).any() for parameter, data in zip(model.parameters(), before)]
    assert changed == [False] * (len(before) - 1) + [True]


# -------------------------------------------------------------------- what it measures


def test_it_trains_as_train_does_and_measures_means_of_examples():
    model, history = run(batch_size=50)
    other = small_net()
    np.random.seed(2)
    costs, accuracies, _, val_accuracies = train(other, CrossEntropyLoss(), Adam(other.parameters(), lr=0.02),
                                                 *blobs(50), *blobs(30, seed=1), num_epochs=4, batch_size=50)
    for ours, theirs in zip(model_arrays(model).values(), model_arrays(other).values()):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9)
    np.testing.assert_allclose(history["loss"], costs)
    np.testing.assert_allclose(history["accuracy"], accuracies)
    np.testing.assert_allclose(history["val_accuracy"], val_accuracies)
    assert history["lr"] == [0.02] * 4 and all(seconds > 0 for seconds in history["seconds"])
    x, y = blobs(30, seed=1)
    model, history = run()
    assert history["val_loss"][-1] == pytest.approx(float(CrossEntropyLoss()(model(x), y)))  # of 30 = 3 * 8 + 6
    assert isinstance(history, History) and history.num_epochs == 4 and history.note == ""
    assert set(history) == {"loss", "accuracy", "val_loss", "val_accuracy", "lr", "seconds"}
    assert "4 epochs" in repr(history) and "val_loss=" in repr(history)


def test_the_training_loss_is_the_mean_over_examples_also_with_a_partial_batch():
    model, history = run(optimizer=lambda params: SGD(params, lr=0.0), epochs=1, batch_size=7)
    x, y = blobs(50)
    assert history["loss"][0] == pytest.approx(float(CrossEntropyLoss()(model(x), y)), rel=1e-12)


def test_a_seed_or_generator_shuffles_and_leaves_numpys_global_state_alone():
    np.random.seed(11)
    expected = np.random.random()
    results = []
    for rng in (4, np.random.default_rng(4), 5):
        model = small_net()
        np.random.seed(11)
        fit(model, CrossEntropyLoss(), SGD(model.parameters(), lr=0.1), *blobs(50), epochs=2, rng=rng)
        assert np.random.random() == expected
        results.append(model)
    assert same_bits(results[0], results[1]) and not same_bits(results[0], results[2])


def test_regression_and_metrics_of_ones_own():
    x = np.linspace(-1, 1, 40).reshape(-1, 1)
    model = Sequential(Linear(1, 1))
    history = fit(model, MeanSquaredError(), SGD(model.parameters(), lr=0.2), x, 3 * x + 1, epochs=60,
                  metrics={"worst": lambda preds, labels: np.abs(preds - labels).max()}, batch_size=40)
    assert history["loss"][-1] < 1e-4 * history["loss"][0] and history["worst"][-1] < 0.05
    assert set(history) == {"loss", "worst", "lr", "seconds"}
    assert model[0].W.data[0, 0] == pytest.approx(3, abs=0.05)


def test_accuracy_is_measured_by_default_where_labels_are_one_hot():
    assert default_metrics(np.eye(3)) == {"accuracy": accuracy}
    for labels in (np.ones((4, 1)), np.arange(4), np.array([[0.5, 0.5]]), np.array([[1, 1], [0, 1]])):
        assert default_metrics(labels) == {}


def test_validation_happens_in_evaluation_mode_and_the_modes_are_kept():
    recorder = Recorder()
    model = Sequential(recorder, Linear(2, 3))
    recorder.training = False
    run(model, epochs=1, batch_size=25)
    modes = [mode for mode, _ in recorder.seen if len(_) != 50]
    assert modes == [True, True, False, False]
    assert recorder.training is False and model.training is True


def test_the_schedule_is_recorded():
    model = small_net()
    optimizer = SGD(model.parameters(), lr=0.4)
    history = fit(model, CrossEntropyLoss(), optimizer, *blobs(50), epochs=5, scheduler=StepLR(optimizer, 2, gamma=0.5))
    np.testing.assert_allclose(history["lr"], [0.4, 0.4, 0.2, 0.2, 0.1])


def test_clip_norm_limits_each_step():
    model = small_net()
    before = model_arrays(model)
    run(model, optimizer=lambda params: SGD(params, lr=1.0), epochs=1, batch_size=50, clip_norm=0.001)
    step = np.sqrt(sum(np.sum((model_arrays(model)[name] - before[name]) ** 2) for name in before))
    assert step == pytest.approx(0.001)


def test_no_epochs_and_wrong_arguments():
    model = small_net()
    before = model_arrays(model)
    assert dict(run(model, epochs=0)[1]) == {} and same_bits(model, before)
    for wrong, match in (({"epochs": -1}, "epochs"), ({"batch_size": 0}, "batch_size"),
                         ({"validation": (np.zeros((3, 2)), np.zeros((4, 3)))}, "a row for each example")):
        with pytest.raises(ValueError, match=match):
            run(model, **wrong)


# -------------------------------------------------------------------- early stopping


class Scripted:
    """A metric that gives the numbers of a list, one for each epoch of one training batch and one validation batch."""

    def __init__(self, values):
        self.calls = iter(np.repeat(values, 2))

    def __call__(self, preds, labels):
        return next(self.calls)


@pytest.mark.parametrize("stopping, num_epochs, best", [
    (EarlyStopping(2, "val_score"), 5, 3), (EarlyStopping(4, "val_score"), 7, 7),
    (EarlyStopping(2, "val_score", min_delta=0.05), 4, 2), (EarlyStopping(2, "val_score", maximize=False), 3, 1)])
def test_it_stops_when_the_patience_is_over_and_takes_the_best_weights_back(stopping, num_epochs, best):
    scores = [0.1, 0.5, 0.52, 0.4, 0.52, 0.4, 0.9]
    options = {"batch_size": 50, "metrics": {"score": Scripted(scores)}}
    model, history = run(epochs=7, early_stopping=stopping, **options)
    assert history.num_epochs == num_epochs and history.best_epoch == best
    assert ("Stopped after epoch" in history.note) == (num_epochs < 7)
    assert same_bits(model, run(epochs=best, batch_size=50)[0])
    options["metrics"] = {"score": Scripted(scores)}
    kept = run(epochs=7, early_stopping=stopping._replace(restore_best=False), **options)
    assert same_bits(kept[0], run(epochs=num_epochs, batch_size=50)[0]) and kept[1].best_epoch is None


def test_early_stopping_by_a_number_watches_the_validation_loss():
    model = Sequential(Linear(2, 300), ReLU(), Linear(300, 3))
    x, y = blobs(20)
    history = fit(model, CrossEntropyLoss(), Adam(model.parameters(), lr=0.05), x, y, epochs=200, early_stopping=3,
                  validation=(x, np.roll(y, 1, axis=0)))  # what is learnt is wrong for these
    best = int(np.argmin(history["val_loss"]))
    assert history.num_epochs == best + 4 < 200 and history.best_epoch == best + 1
    with pytest.raises(ValueError, match="val_loss.*validation set"):
        run(early_stopping=3, validation=None)


# -------------------------------------------------------------------- divergence


@pytest.mark.parametrize("lr, loss_fn", [(1e6, CrossEntropyLoss()), (1e3, MSELoss()), (1e200, MSELoss())])
def test_divergence_is_told_with_epoch_step_and_advice(lr, loss_fn):
    model = small_net()
    before = model_arrays(model)
    with pytest.raises(DivergenceError, match=r"epoch 1, step [1-9]\d*: .*lower learning rate.*clip_norm") as caught:
        run(model, lambda params: SGD(params, lr=lr), loss_fn=loss_fn, epochs=9)
    assert same_bits(model, before) and caught.value.history.num_epochs == 0


def test_after_divergence_model_and_optimizer_are_as_after_the_last_good_epoch(tmp_path):
    def exploding(optimizer):
        return LambdaLR(optimizer, lambda epoch: 0.01 if epoch < 2 else 1e30)

    model = small_net()
    optimizer = Adam(model.parameters(), lr=0.01)
    options = {"epochs": 5, "checkpoint": tmp_path / "run.npz"}
    np.random.seed(2)
    with pytest.raises(DivergenceError, match="in epoch 3, step .*end of epoch 2") as caught:
        fit(model, CrossEntropyLoss(), optimizer, *blobs(50), scheduler=exploding(optimizer), **options)
    good, history = run(optimizer=lambda params: Adam(params, lr=0.01), epochs=2, batch_size=32, validation=None)
    assert same_bits(model, good) and caught.value.history["loss"] == history["loss"]
    assert optimizer.step_count == 4 and all(np.isfinite(state["m"]).all() for state in optimizer._states)
    with pytest.raises(DivergenceError, match="in epoch 3"):  # the checkpoint holds the good epochs
        fit(model, CrossEntropyLoss(), optimizer, *blobs(50), scheduler=exploding(optimizer), **options)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("create", [small_net, lambda: Sequential(Linear(2, 4), BatchNorm1d(4), Linear(4, 3))])
def test_bad_numbers_in_the_data_are_named_as_the_cause(create, bad):
    x, y = blobs(50)
    x[17, 1] = bad
    model = create()
    before = model_arrays(model)
    with np.errstate(all="ignore"), pytest.raises(DivergenceError, match="inputs of this batch hold NaN or infinity"):
        fit(model, CrossEntropyLoss(), SGD(model.parameters(), lr=0.1), x, y, epochs=2)
    assert same_bits(model, before)


def test_a_last_step_that_spoils_a_parameter_is_noticed():
    model = small_net()
    before = model_arrays(model)

    class Spoiling(SGD):
        def step(self):
            super().step()
            if self.step_count == 7:  # the last of the epoch: 50 = 6 * 8 + 2
                model[2].b.data[1] = np.nan

    with pytest.raises(DivergenceError, match=r"epoch 1, step 7: .*Sequential\[2\].b holds NaN"):
        run(model, lambda params: Spoiling(params, lr=0.01))
    assert same_bits(model, before)


def test_a_difficult_start_is_no_divergence():
    model = small_net()
    x, _ = blobs(50)
    y = 1000 * x[:, :1] + 5000  # unscaled targets: a large loss, but one that falls
    model = Sequential(Linear(2, 1))
    history = fit(model, MSELoss(), SGD(model.parameters(), lr=0.01), x, y, epochs=5)
    assert history["loss"][0] > 1e4 and history["loss"][-1] < history["loss"][0]
    labels = (x[:, :1] > 0).astype(float)
    perfect = Sequential(Linear(2, 1))
    perfect[0].W.data[:], perfect[0].b.data[:] = [[1e4], [0]], 0
    fit(perfect, BinaryCrossEntropyLoss(), SGD(perfect.parameters(), lr=0.1), x, labels, epochs=2)


# -------------------------------------------------------------------- interruption and progress


def interrupted(at_call, **options):
    """Run with a Ctrl-C at the n-th call of the metric; there are 7 steps and 4 validation batches in an epoch."""
    calls = []

    def metric(preds, labels):
        calls.append(1)
        if len(calls) == at_call:
            raise KeyboardInterrupt
        return accuracy(labels, preds)

    return run(metrics={"accuracy": metric}, **options)


def test_ctrl_c_keeps_what_was_learnt(tmp_path, capsys):
    start = small_net()
    model, history = interrupted(11 + 11 + 3)
    assert history.num_epochs == 2 and "epoch 3, after 3 of its 7 steps" in history.note
    assert history.note in capsys.readouterr().err
    assert not same_bits(model, start) and not same_bits(model, run(epochs=2)[0])  # the third epoch's steps count
    assert all(module.training for _, module in model.named_modules())

    model, history = interrupted(11 + 8)  # in the validation after the second epoch
    assert history.num_epochs == 1 and same_bits(model, run(epochs=2)[0])


def test_after_ctrl_c_the_same_call_goes_on_from_the_checkpoint(tmp_path):
    options = {"checkpoint": tmp_path / "run.npz", "epochs": 4}
    _, history = interrupted(11 + 11 + 3, **options)
    assert "goes on after epoch 2" in history.note and str(tmp_path) in history.note
    model, history = run(**options)
    undisturbed, expected = run()
    assert same_bits(model, undisturbed) and history["loss"] == expected["loss"] and history.note == ""


def test_after_ctrl_c_early_stopping_still_takes_the_best_weights():
    model, history = interrupted(11 + 11 + 3, early_stopping=EarlyStopping(9, "val_loss"))
    assert history.best_epoch == 2 and same_bits(model, run(epochs=2)[0])


def test_other_errors_pass_through_and_leave_the_modes():
    class Broken(Module):
        def forward(self, x):
            if self.training:
                raise ZeroDivisionError("a bug")
            return x

    model = Sequential(Linear(2, 3), Broken()).eval()
    with pytest.raises(ZeroDivisionError, match="a bug"):
        run(model)
    assert not any(module.training for _, module in model.named_modules())


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_progress_bar_is_drawn_on_a_terminal_only(monkeypatch):
    pytest.importorskip("tqdm", reason="the bar is tqdm's")
    monkeypatch.setattr(sys, "stderr", Terminal())
    run()
    assert "28/28" in sys.stderr.getvalue() and "val_loss=" in sys.stderr.getvalue()
    for stream, progress in ((io.StringIO(), None), (Terminal(), False), (None, None)):
        monkeypatch.setattr(sys, "stderr", stream)
        run(progress=progress)
        assert stream is None or stream.getvalue() == ""
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    run(progress=True)
    assert "28/28" in sys.stderr.getvalue()


def test_without_tqdm_there_is_no_bar_unless_asked_for(monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert isinstance(progress_bar(10), NoBar)
    with pytest.raises(ImportError, match="pip install tqdm"):
        run(progress=True)


def test_a_seed_is_a_generator_made_of_it():
    weights = []
    for rng in (0, np.int64(0), np.random.default_rng(0), 1):
        np.random.seed(5)
        model = Sequential(Linear(2, 3), ReLU(), Linear(3, 3))
        fit(model, CrossEntropyLoss(), SGD(model.parameters(), lr=0.1), *blobs(50), epochs=1, rng=rng)
        weights.append(model.modules[0].W.data)
    assert np.array_equal(weights[0], weights[1]) and np.array_equal(weights[0], weights[2])
    assert not np.array_equal(weights[0], weights[3])


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
