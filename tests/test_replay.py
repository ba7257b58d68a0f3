"""The replay page without a browser: what it holds of a run, what it refuses, how large it is."""
from __future__ import annotations

import copy
import json
import re

import numpy as np
import pytest

from lib import walkthrough
from lib.activations import ReLU
from lib.dataset import X, y
from lib.experiments import backward_pass
from lib.fitting.history import History
from lib.gradient_utilities import zero_grad
from lib.graph.page.frames import ALPHABET, choose_frames
from lib.graph.page.replay import Recording, replay_page, write_replay
from lib.layers import BinaryCrossEntropyLoss, Dropout, MeanSquaredError, Tanh
from lib.losses import CrossEntropyLoss
from lib.network import Linear, Sequential

LABELS = np.eye(2)[y]


def xor_net(seed):
    """Return the script's network at its start."""
    np.random.seed(seed)
    return Sequential(Linear(2, 2), ReLU(), Linear(2, 2))


def by_hand(model, epochs, lr=1.0):
    """Train as the script does; returns the losses, and the weights and gradients after the last epoch."""
    loss_fn, losses = CrossEntropyLoss(), []
    for _ in range(epochs + 1):
        zero_grad(model.parameters())
        losses.append(loss_fn(model(X), LABELS))
        weights = [parameter.data.copy() for parameter in model.parameters()]
        backward_pass(model, loss_fn, lr)
    return losses, weights, [parameter.grad.copy() for parameter in model.parameters()]


def test_a_replay_holds_the_training_of_the_library():
    model, other = xor_net(3), xor_net(0)
    before = copy.deepcopy(model)
    state = np.random.get_state()[1].copy()
    data = replay_page({"seed 3": model, "seed 0": other}, X, LABELS, epochs=150).data
    assert np.array_equal(np.random.get_state()[1], state)
    assert all(np.array_equal(a.data, b.data) for a, b in zip(model.parameters(), before.parameters()))
    run = data["runs"][0]
    losses, weights, gradients = by_hand(before, 150)
    for k, epoch in enumerate(run["epochs"]):
        assert run["losses"][k] == pytest.approx(losses[epoch], rel=1e-5)
    np.testing.assert_allclose(run["weights"][-1], np.concatenate([w.ravel() for w in weights]), rtol=1e-5)
    np.testing.assert_allclose(run["gradients"][-1], np.concatenate([g.ravel() for g in gradients]), rtol=1e-5,
                               atol=1e-9)
    assert [parameter["name"] for parameter in run["parameters"]] == ["W1", "b1", "W2", "b2"]
    assert data["frames"][0] == 0 and data["frames"][-1] == 150 and run["folds"] == [0, 1, True]


def test_a_stuck_run_says_why_and_is_shown_with_its_cure():
    data = replay_page({"seed 0": xor_net(0), "seed 1": xor_net(1)}, X, LABELS, epochs=300).data
    stuck, cured, solved = data["runs"]
    assert stuck["verdict"] == "stuck: no unit bends" and "No hidden unit bends" in stuck["said"][0]
    assert stuck["said"][1].startswith("Cure: ") and cured["name"] == "seed 0, with the cure"
    assert cured["losses"][-1] < stuck["losses"][-1] - 0.05 and solved["verdict"] == "solved"
    alone = replay_page(xor_net(0), X, LABELS, epochs=20, cures=False).data
    assert len(alone["runs"]) == 1


def test_the_picture_of_the_plane_is_the_networks_prediction():
    page = replay_page(xor_net(1), X, LABELS, epochs=300)
    plane, run = page.data["plane"], page.data["runs"][0]
    n = plane["resolution"]
    model = xor_net(1)
    by_hand(model, 299)
    sides = [np.linspace(plane["low"][k], plane["high"][k], n) for k in (0, 1)]
    logits = model(np.stack(np.meshgrid(*sides), axis=-1).reshape(-1, 2))
    p = 1 / (1 + np.exp(logits[:, 0] - logits[:, 1]))
    root = np.array([ALPHABET.index(letter) for letter in run["cells"][-1]]) / 31.5 - 1
    np.testing.assert_allclose(0.5 + run["scales"][-1] * np.sign(root) * root ** 2 / 2, p, atol=0.02)
    assert run["scales"][0] < 0.01 and len(set(run["cells"][0])) > 20  # differences show where all are near a guess
    np.testing.assert_allclose(run["predictions"][-1], [0, 1, 1, 0], atol=0.05)
    assert run["wrong"][-1] == 0 and run["wrong"][0] > 0


@pytest.mark.parametrize("what", ["scores", "soft labels", "two numbers", "one class each"])
def test_outputs_are_taken_for_what_the_loss_takes_them_for(what, rng):
    x = rng.standard_normal((12, 2))
    hot = np.eye(2)[(x[:, 0] > 0).astype(int)]
    loss_fn = CrossEntropyLoss() if what in ("soft labels", "one class each") else MeanSquaredError()
    labels = {"soft labels": np.where(hot > 0, .9, .1), "two numbers": x + [3, 7]}.get(what, hot)
    model = Sequential(Linear(2, 4), Tanh(), Linear(4, 2))
    page = replay_page(model, x, labels, loss_fn, learning_rate=0.1, epochs=60)
    plane, run = page.data["plane"], page.data["runs"][0]
    if what == "two numbers":  # no classes, so that none is wrong, and nothing is a probability
        assert plane["classes"] == 0 and run["wrong"] is None
        np.testing.assert_allclose(plane["labels"], x[:, 0] + 3, rtol=1e-5)
        return
    assert plane["classes"] == 2 and plane["labels"] == hot.argmax(axis=1).tolist()
    assert [sum(map(int, missed)) for missed in run["missed"]] == run["wrong"]
    recording = Recording(model, x, labels, loss_fn).train(0.1, 60)
    outputs = recording.model(x)
    given = outputs if what == "scores" else np.exp(outputs) / np.exp(outputs).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(run["predictions"][-1], given[:, 1], rtol=1e-5)
    assert run["wrong"][-1] == np.sum(outputs.argmax(axis=1) != hot.argmax(axis=1))


def test_a_plateau_without_a_known_cause_is_not_sent_on():
    points = np.array([[a, b, c] for a in (0, 1) for b in (0, 1) for c in (0, 1)], float)
    np.random.seed(4)  # its folds lie where no read-out of them helps
    model = Sequential(Linear(3, 3), ReLU(), Linear(3, 2))
    run = replay_page(model, points, np.eye(2)[points.sum(axis=1).astype(int) % 2], epochs=300).data["runs"][0]
    assert run["verdict"] == "falls no longer" and "train it on" not in " ".join(run["said"])
    assert "From epoch 150 on, the loss has fallen by less than 0.1%" in run["said"][1]


def test_inputs_too_large_for_a_picture_get_none():
    page = replay_page(xor_net(0), X * 1e308, LABELS, epochs=3)
    assert page.data["plane"] is None and any("inputs are too large" in said for said in page.data["runs"][0]["said"])


def test_a_recording_of_ones_own_loop_is_the_same_and_disturbs_nothing():
    model = xor_net(3)
    recording = Recording(model, X, LABELS, name="mine")
    loss_fn = CrossEntropyLoss()
    for _ in range(60):
        zero_grad(model.parameters())
        loss_fn(model(X), LABELS)
        backward_pass(model, loss_fn, 1.0)
        recording.note()
    ours = replay_page(xor_net(3), X, LABELS, epochs=60).data["runs"][0]
    mine = replay_page(recording).data["runs"][0]
    assert mine["name"] == "mine" and mine["losses"] == ours["losses"] and mine["weights"] == ours["weights"]


@pytest.mark.parametrize("what", ["three classes", "one logit", "numbers", "many inputs", "dropout", "large"])
def test_any_network_has_a_replay_below_a_megabyte(what, rng):
    x = rng.standard_normal((60, 2))
    classes = (x[:, 0] > 0).astype(int) + (x[:, 1] > 0.5)
    model, labels, loss_fn, epochs = {
        "three classes": (Sequential(Linear(2, 8), Tanh(), Linear(8, 3)), np.eye(3)[classes], None, 100),
        "one logit": (Sequential(Linear(2, 4), Tanh(), Linear(4, 1)), (classes > 0)[:, None] * 1.0,
                      BinaryCrossEntropyLoss(), 100),
        "numbers": (Sequential(Linear(2, 4), ReLU(), Linear(4, 1)), x[:, :1] ** 2, MeanSquaredError(), 100),
        "many inputs": (Sequential(Linear(5, 4), ReLU(), Linear(4, 3)), np.eye(3)[classes], None, 100),
        "dropout": (Sequential(Linear(2, 4), ReLU(), Dropout(0.3), Linear(4, 3)), np.eye(3)[classes], None, 50),
        "large": (Sequential(Linear(2, 100), ReLU(), Linear(100, 50), ReLU(), Linear(50, 3)), np.eye(3)[classes],
                  None, 20)}[what]
    inputs = rng.standard_normal((60, 5)) if what == "many inputs" else x
    page = replay_page([model] * 2 if what == "large" else model, inputs, labels, loss_fn=loss_fn, epochs=epochs,
                       learning_rate=0.1)
    run = page.data["runs"][0]
    assert len(page.html().encode()) < 1_000_000
    assert (page.data["plane"] is None) == (what == "many inputs") and ("cells" in run) == (what != "many inputs")
    assert run["every"] == (what != "large") and len(run["weights"]) == len(run["epochs"])


def test_a_run_that_diverges_stops_and_says_so(rng):
    x = rng.standard_normal((20, 2))
    model = Sequential(Linear(2, 3), Linear(3, 1))
    data = replay_page({"wild": model, "tame": model}, x, x[:, :1], learning_rate=[1e9, 0.01], epochs=80).data
    wild, tame = data["runs"]
    assert wild["verdict"] == "diverged" and "too large" in wild["said"][0] and wild["epochs"][-1] < 80
    assert tame["epochs"][-1] == 80
    json.dumps(data, allow_nan=False)


def test_a_loss_that_has_grown_is_no_plateau_and_gets_no_cure():
    data = replay_page(xor_net(0), X, LABELS, learning_rate=1e6, epochs=50).data
    (run,) = data["runs"]
    assert run["verdict"] == "diverged" and "from 0.6931 to " in run["said"][0]
    assert "the learning rate is too large. Every hidden unit is off" in run["said"][0] and len(run["said"]) == 1


def test_what_was_no_number_from_the_start_is_not_put_on_the_learning_rate():
    model = xor_net(0)
    model.modules[0].W.data[0, 0] = np.nan
    (run,) = replay_page(model, X, LABELS, epochs=5).data["runs"]
    assert run["verdict"] == "no number" and "in the weights" in run["said"][0]
    with pytest.raises(ValueError, match="x holds nan or inf"):
        replay_page(xor_net(0), np.where(X == 1, np.nan, X), LABELS)


def test_a_history_shows_its_curves(tmp_path):
    history = History(loss=[1.0, 0.5, float("nan")], val_loss=[1.1, 0.9, 0.8], seconds=[1.0, 1.0, 1.0])
    path = write_replay(history, path=tmp_path / "curves.html")
    data = replay_page({"first": history, "second": history}).data
    assert set(data["runs"][0]["curves"]) == {"loss", "val_loss"} and data["frames"] == [0, 1, 2]
    assert "holds the measures alone" in data["runs"][1]["said"][0] and path.stat().st_size < 100_000


def test_frames_are_dense_at_first_and_hold_the_ends():
    assert choose_frames(1, 10) == [0] and choose_frames(5, 10) == [0, 1, 2, 3, 4]
    for length in (141, 1001, 20001):
        for numbers in (10, 120, 3000, 10 ** 6):
            frames = choose_frames(length, numbers)
            steps = np.diff(frames)
            assert frames[0] == 0 and frames[-1] == length - 1 and 15 <= len(frames) <= 140
            assert (steps > 0).all() and steps[-1] >= steps[0]


def test_what_cannot_be_replayed_gets_a_sentence(tmp_path):
    model = xor_net(0)
    for arguments, options, sentence in (
            ((model,), {}, "needs the data"), ((Sequential, X, LABELS), {}, "class Sequential"),
            ((3.0, X, LABELS), {}, "float"), (([model] * 13, X, LABELS), {}, "from 1 to 12 runs"),
            (([], X, LABELS), {}, "from 1 to 12 runs"), ((ReLU(), X, LABELS), {}, "no parameters"),
            ((model, X, LABELS), {"learning_rate": [1, 2]}, "one for each of the 1 runs, but got 2"),
            ((model, X, LABELS), {"learning_rate": -1}, "learning_rate"),
            ((model, X, LABELS), {"epochs": 0}, "epochs"), ((model, X, y), {}, r"one-hot: np.eye\(2\)\[y\]")):
        with pytest.raises(ValueError, match=sentence):
            replay_page(*arguments, **options)
    with pytest.raises(ValueError, match="needs a path"):
        write_replay(model, X, LABELS)
    with pytest.raises(ValueError, match="is a folder"):
        write_replay(model, X, LABELS, tmp_path, epochs=1)


def test_runs_of_the_same_name_are_all_shown():
    recordings = [Recording(xor_net(seed), X, LABELS, name="mine").train(1.0, 3) for seed in (1, 3)]
    assert [run["name"] for run in replay_page(recordings).data["runs"]] == ["mine 1", "mine 2"]
    assert len(replay_page({1: xor_net(1), "1": xor_net(3)}, X, LABELS, epochs=3).data["runs"]) == 2


def test_runs_of_other_data_share_no_picture():
    recordings = [Recording(xor_net(seed), x, LABELS, loss_fn).train(1.0, 3) for seed, x, loss_fn in (
        (1, X, None), (3, 3.0 * X, MeanSquaredError()))]
    data = replay_page(recordings).data
    assert data["plane"] is None and data["guess"] is None and "cells" not in data["runs"][0]
    assert all("differ in their data" in run["said"][-1] for run in data["runs"])
    assert replay_page([recordings[0]] * 2).data["guess"] == 2


def test_where_there_is_no_room_for_a_cure_the_page_says_so():
    runs = replay_page([xor_net(0)] * 8, X, LABELS, epochs=20).data["runs"]
    assert [run.get("cured", False) for run in runs] == [False, True] * 6 + [False] * 2
    assert ["isn't replayed" in run["said"][-1] for run in runs] == [False] * 12 + [True] * 2


def test_names_stay_texts():
    hostile = '</script><img src=x onerror="document.title=1">'
    text = replay_page({hostile: xor_net(0)}, X, LABELS, epochs=3, title=hostile).html()
    assert "<img" not in text and text.count("</script>") == 2
    assert not re.findall(r"(?:src|href)\s*=\s*[\"']?(?:https?:)?//", text)


def test_the_command(tmp_path, capsys):
    path = tmp_path / "r.html"
    assert walkthrough.main(["replay", "--seeds", "0", "1", "3", "--lr", "1", "--epochs", "150",
                             "--output", str(path)]) == 0
    assert path.stat().st_size < 1_000_000 and "seed 0, with the cure" in path.read_text(encoding="utf-8")
    assert walkthrough.main(["replay", "--seeds", "2", "--lr", "0.1", "1", "--epochs", "5", "--output", str(path)]) == 0
    assert "seed 2, lr 0.1" in path.read_text(encoding="utf-8")
    capsys.readouterr()
    for wrong in (["--seeds", "x"], ["--lr", "0"], ["--seeds", *map(str, range(13))], ["--output", str(tmp_path)]):
        with pytest.raises(SystemExit) as stopped:
            walkthrough.main(["replay", *wrong])
        assert stopped.value.code == 2 and len(capsys.readouterr().err.splitlines()) == 1


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
