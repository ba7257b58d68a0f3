"""What fit and train are told is checked before the first step; NaN never wins; divergence and guesses are named."""
from __future__ import annotations

import math
import warnings

import numpy as np
import pytest

from lib.activations import ReLU
from lib.data.batches import Batches
from lib.fitting.fit import DivergenceError, EarlyStopping, History, fit
from lib.layers.normalization import BatchNorm1d
from lib.losses import CrossEntropyLoss
from lib.lr_schedulers import LambdaLR
from lib.network import Linear, Sequential
from lib.network_base import Module, Parameter
from lib.optimizers import SGD, Adam
from lib.training import train
from lib.validation import InputError

X, Y = np.random.default_rng(0).standard_normal((12, 3)), np.eye(2)[np.arange(12) % 2]


def arguments(**changes):
    """Return arguments of fit, some of them changed; a change may be a function of the model and optimiser."""
    np.random.seed(0)
    model = Sequential(Linear(3, 4), ReLU(), Linear(4, 2))
    optimizer = SGD(model.parameters(), lr=0.1)
    given = dict(model=model, loss_fn=CrossEntropyLoss(), optimizer=optimizer, x=X, y=Y, epochs=2, batch_size=4)
    given.update({name: change(model, optimizer) if getattr(change, "__name__", "") == "<lambda>" else change
                  for name, change in changes.items()})
    return given


def metric(preds, labels):
    return 0.5


class Forgetful(Module):
    """Holds a parameter that its parameters() doesn't list."""

    def __init__(self):
        self.linear, self.other = Linear(3, 2), Linear(3, 2)

    def parameters(self):
        return self.linear.parameters()

    def forward(self, x):
        return self.linear(x) + self.other(x)


@pytest.mark.parametrize("changes, sentence", [
    ({"metrics": {"loss": metric}}, "metric 'loss'.*Choose another name"),
    ({"metrics": {"lr": metric}}, "metric 'lr'"), ({"metrics": {"seconds": metric}}, "metric 'seconds'"),
    ({"metrics": {"val_error": metric}}, "metric 'val_error'"), ({"metrics": {"error": 0.5}}, "function of"),
    ({"early_stopping": 3}, "can't find the measure 'val_loss'.*validation set"),
    ({"early_stopping": EarlyStopping(monitor="val_f1"), "validation": (X, Y)}, "can't find the measure 'val_f1'"),
    ({"early_stopping": EarlyStopping(patience=0, monitor="loss")}, "patience to be a whole number of at least 1"),
    ({"early_stopping": EarlyStopping(monitor="loss", min_delta=math.nan)}, "min_delta"),
    ({"early_stopping": True}, "EarlyStopping, or its patience"), ({"early_stopping": "val_loss"}, "EarlyStopping, or"),
    ({"validation": X}, "pair, .x_val, y_val., but got one array"), ({"validation": (X, Y, X)}, "pair"),
    ({"validation": (X[:, :2], Y)}, r"validation inputs.*\(3,\), but got \(2,\)"),
    ({"validation": (X, Y[:, :1])}, "validation labels"), ({"validation": (X, Y[:5])}, "a row for each example"),
    ({"validation": (X, None)}, "no y: it is None"), ({"y": None}, "no y: it is None"),
    ({"x": [[1, 2, 3], [4, 5]]}, "an array of numbers"), ({"y": ["cat", "dog"] * 6}, "one_hot_encoding"),
    ({"x": np.array(["2020-01-01"] * 12, dtype="datetime64[D]")}, "days since"),
    ({"x": np.ma.masked_greater(X, 1)}, "masked entries would count"),
    ({"x": X[:0], "y": Y[:0]}, "at least one"), ({"y": Y[:5]}, r"\(12, 3\) and \(5, 2\)"), ({"x": 3.0}, "a row for"),
    ({"model": [Linear(3, 2)]}, r"Write Sequential\(\*modules\)"), ({"model": Sequential}, "the class Sequential"),
    ({"loss_fn": CrossEntropyLoss}, r"Write CrossEntropyLoss\(\)"), ({"loss_fn": "MSE"}, "a loss with a backward"),
    ({"optimizer": SGD}, r"Write SGD\(model.parameters"), ({"optimizer": "sgd"}, "optimizer to be one.*got a str"),
    ({"optimizer": lambda model, _: SGD(Linear(3, 2).parameters())}, "none of the model's parameters"),
    ({"scheduler": LambdaLR}, r"Write LambdaLR\(optimizer"), ({"scheduler": 0.1}, "scheduler to be one"),
    ({"scheduler": range(3)}, "scheduler to be one"),
    ({"scheduler": lambda model, _: LambdaLR(SGD(model.parameters()), lambda epoch: 0.1)}, "another optimiser"),
    ({"clip_norm": 0}, "clip_norm to be a positive"), ({"clip_norm": math.nan}, "clip_norm"),
    ({"rng": "seed"}, "generator"), ({"rng": -1}, "generator"), ({"rng": True}, "generator"),
    ({"epochs": -1}, "epochs"), ({"epochs": 2.5}, "epochs"), ({"batch_size": 0}, "batch_size"),
    ({"batch_size": 13, "drop_last": True}, "there would be none"),
    ({"drop_last": "no"}, "drop_last to be one of True, False"), ({"compiled": "no"}, "compiled to be one of True"),
    ({"resume": None}, "resume to be one of"), ({"resume": np.array([True, False])}, "resume to be one of"),
    ({"checkpoint": 3}, "A path is a text"), ({"checkpoint": b"run.npz"}, "A path is a text"),
    ({"x": [np.ma.masked_greater(row, 1) for row in X]}, "masked"), ({"y": tuple(np.ma.array(Y))}, "masked"),
])
def test_what_fit_is_told_is_checked_before_the_first_step(changes, sentence, tmp_path):
    given = arguments(**changes)
    before = [param.data.copy() for param in getattr(given["optimizer"], "_params", [])]
    with pytest.raises(InputError, match=sentence):
        fit(**{"checkpoint": tmp_path / "run.npz", **given})
    for param, data in zip(getattr(given["optimizer"], "_params", []), before):
        np.testing.assert_array_equal(param.data, data)
    assert list(tmp_path.iterdir()) == []


def test_a_learning_rate_or_model_that_went_wrong_is_noticed(tmp_path):
    given = arguments()
    given["optimizer"].lr = math.nan
    with pytest.raises(InputError, match="optimiser's lr"):
        fit(**given)
    model = Forgetful()
    with pytest.raises(InputError, match="doesn't list it"):
        fit(**arguments(model=model, optimizer=SGD(model.parameters())))
    with pytest.raises(InputError, match="no parameters"):
        SGD([])
    given = arguments()
    given["optimizer"]._params = []  # as of an optimiser of one's own
    with pytest.raises(InputError, match="none of the model's parameters"):
        fit(**given)


@pytest.mark.parametrize("exchange, name", [
    (lambda model: model.modules.__setitem__(2, Linear(4, 2)), r"Sequential\[2\].W"),
    (lambda model: setattr(model[0], "W", Parameter(np.ones((3, 4)), name="W")), r"Sequential\[0\].W")])
def test_an_optimizer_from_before_a_layer_was_exchanged_is_noticed(exchange, name):
    given = arguments()
    exchange(given["model"])
    with pytest.raises(InputError, match=f"{name} as it is: .*exchanged after the optimiser was made"):
        fit(**given)
    with pytest.raises(InputError, match=name):
        train(given["model"], given["loss_fn"], given["optimizer"], X, Y, X, Y, 1, 4)


def test_an_optimizer_may_train_a_part_of_a_model():
    given = arguments()
    given["optimizer"] = SGD(given["model"][2].parameters(), lr=0.1)
    before = given["model"][0].W.data.copy()
    fit(**given)
    assert np.array_equal(given["model"][0].W.data, before)


@pytest.mark.parametrize("place", ["a folder", "in a file"])
def test_a_checkpoint_that_cant_be_written_is_said_before_the_first_step(place, tmp_path):
    (tmp_path / "file").write_text("")
    given = arguments()
    before = given["model"].modules[0].W.data.copy()
    with pytest.raises((InputError, OSError)):
        fit(checkpoint=tmp_path if place == "a folder" else tmp_path / "file" / "run.npz", **given)
    np.testing.assert_array_equal(given["model"].modules[0].W.data, before)


def test_a_last_batch_of_one_is_said_before_the_first_step_or_left_out():
    def model(*_):
        np.random.seed(0)
        return Sequential(Linear(3, 4), BatchNorm1d(4), Linear(4, 2))

    net = model()
    given = arguments(model=net, optimizer=Adam(net.parameters()), batch_size=11)
    before = [array.copy() for _, array in net.named_buffers()], np.random.get_state()[1].tolist()
    with pytest.raises(InputError, match=r"12 examples in batches of 11 leave one .*drop_last=True"):
        fit(**given)
    np.testing.assert_equal(([array for _, array in net.named_buffers()], np.random.get_state()[1].tolist()), before)
    assert fit(**given, drop_last=True).num_epochs == 2 and given["optimizer"].step_count == 2
    assert fit(**arguments(batch_size=11)).num_epochs == 2  # other models take a single example


def test_batches_without_the_last_one():
    batches = Batches(np.arange(7), np.arange(7), 3, shuffle=False, drop_last=True)
    assert [x.tolist() for x, _ in batches] == [[0, 1, 2], [3, 4, 5]] and len(batches) == 2


@pytest.mark.parametrize("value, words", [
    (None, "None"), ("0.5", "'0.5'"), (1j, "1j"), (np.ones(4), r"an array of shape \(4,\)"), ([0.5], r"shape \(1,\)")])
def test_a_metric_that_gives_no_number(value, words):
    with pytest.raises(InputError, match=f"the metric 'm' to return one number for a batch.*but got .*{words}"):
        fit(**arguments(), metrics={"m": lambda preds, labels: value})


@pytest.mark.parametrize("value", [1, True, np.float32(0.5), np.array(0.5), np.bool_(True), math.nan])
def test_a_metric_may_give_any_number(value):
    history = fit(**arguments(), metrics={"m": lambda preds, labels: value})
    assert history["m"] == [pytest.approx(float(value), nan_ok=True)] * 2


@pytest.mark.parametrize("name, less", [
    ("mae", True), ("mean_absolute_error", True), ("RMSE", True), ("log loss", True), ("cross-entropy", True),
    ("standard_deviation", True), ("score", False), ("accuracy", False), ("f1", False), ("lossless", False)])
def test_an_error_is_better_the_less_it_is(name, less):
    history = History({"loss": [1.0] * 3, f"val_{name}": [3.0, 1.0, 2.0]})
    assert EarlyStopping(monitor=f"val_{name}").best_epoch(history) == (1 if less else 0)
    for maximize in (True, False):
        assert EarlyStopping(5, f"val_{name}", 0, maximize).best_epoch(history) == (0 if maximize else 1)


# -------------------------------------------------------------------- NaN

@pytest.mark.parametrize("values, best, over", [
    ([math.nan, 3, 2, 1], 3, False), ([2, math.nan, 3], 0, False), ([math.nan] * 3, 0, False),
    ([math.nan] * 4, 0, True), ([3, 2, math.nan, math.nan, math.nan], 1, True),
    ([math.nan, math.nan, 5, math.nan], 2, False),
    ([2, 2, 2], 0, False), ([2, 2, 2, 2], 0, True), ([2, 1, 1], 1, False)])
@pytest.mark.parametrize("maximize", [False, True])
def test_nan_is_never_the_best_epoch(values, best, over, maximize):
    stopping = EarlyStopping(patience=3, monitor="val_measure", maximize=maximize)
    history = History(loss=[1.0] * len(values), val_measure=[-value if maximize else value for value in values])
    assert stopping.best_epoch(history) == best and stopping.is_over(history) == over


def test_nan_in_validation_data_keeps_the_weights_of_a_measured_epoch():
    given = arguments(epochs=4)
    calls = []

    def error(preds, labels):  # NaN in the first epoch's validation
        calls.append(len(labels))
        return math.nan if len(calls) <= 6 else 1 / len(calls)

    history = fit(**given, validation=(X, Y), metrics={"error": error},
                  early_stopping=EarlyStopping(monitor="val_error", maximize=False, patience=9))
    assert math.isnan(history["val_error"][0]) and history.best_epoch == 4


def test_nan_in_the_training_data_is_named_by_train_too():
    bad = X.copy()
    bad[3, 1] = np.nan
    given = arguments()
    with pytest.raises(DivergenceError, match="epoch 1, step .: the loss is nan. The inputs of this batch hold NaN"):
        train(given["model"], given["loss_fn"], given["optimizer"], bad, Y, X, Y, 2, 4)
    given = arguments()
    given["optimizer"].lr = 1e300
    with pytest.raises(DivergenceError, match="lower learning rate .it is 1e.300"), np.errstate(all="ignore"):
        train(given["model"], given["loss_fn"], given["optimizer"], X, Y, X, Y, 9, 4)


# -------------------------------------------------------------------- stuck at a guess

@pytest.mark.parametrize("run", [
    lambda g: fit(**g),
    lambda g: train(g["model"], g["loss_fn"], g["optimizer"], g["x"], g["y"], X, Y, g["epochs"], 4)])
def test_unscaled_inputs_and_a_loss_that_stays_at_a_guess(run):
    class Dead(ReLU):
        """As ReLU is after steps that were too large: every unit is below zero."""

        def forward(self, x):
            return 0 * super().forward(x)

    def given(scale):
        model = Sequential(Linear(3, 4), Dead(), Linear(4, 2))
        return arguments(model=model, optimizer=SGD(model.parameters(), lr=1e-3), x=scale * X, epochs=5)

    with pytest.warns(UserWarning, match=r"ln 2 = 0.6931, and the inputs reach up to \d+.*Scale them") as said:
        run(given(100))
    assert len(said) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run(given(1))  # scaled inputs
        run(arguments(x=100 * X[:, ::-1] * 0 + 20 * Y[:, :1], epochs=5, y=Y))  # large, but the network learns


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
