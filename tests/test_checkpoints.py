"""Checkpoints: a run that is killed at any moment and resumed is the undisturbed run."""
from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from lib.fitting.history import EarlyStopping
from lib.losses import CrossEntropyLoss
from lib.model_evaluation import accuracy
from lib.saving.checkpoints import Run, load_checkpoint, save_checkpoint
from lib.saving.model_files import model_arrays
from lib.saving.npz import FileContentError, read_npz, restore_tree
from lib.steps import make_step
from lib.steps.readable import ReadableStep
from tests.resumable_run import KINDS, create_run, train


class Killed(BaseException):
    """Stands for the end of a process: nothing catches it."""


def bits(model):
    """Return the exact values of parameters and buffers."""
    return {name: array.tobytes() for name, array in model_arrays(model).items()}


def without_time(history):
    return {name: values for name, values in history.items() if name != "seconds"}


def saved_epochs(folder):
    """Return how many finished epochs the checkpoint in a folder holds."""
    state = restore_tree(read_npz(folder / "run.npz"), "checkpoint")["state"]
    return len(state["history"].get("loss", []))


@pytest.fixture(scope="module", params=KINDS)
def undisturbed(request, tmp_path_factory):
    """The kind of a run, its final values and its history."""
    model, history = train(request.param, tmp_path_factory.mktemp("undisturbed"))
    return request.param, bits(model), without_time(history)


def test_the_two_kinds_of_runs_take_the_two_kinds_of_steps():
    for kind in KINDS:
        model, optimizer, _, options = create_run(kind)
        step = make_step(model, CrossEntropyLoss(), optimizer, compiled=options.get("compiled", False))
        assert (type(step) is ReadableStep) == (kind == "readable")


def test_a_checkpoint_changes_nothing(undisturbed, tmp_path):
    kind, values, history = undisturbed
    model, other_history = train(kind, tmp_path, checkpoint=None)
    assert bits(model) == values and without_time(other_history) == history
    assert train(kind, tmp_path, seed=1)[1]["loss"] != history["loss"]


def test_killed_at_any_step_and_resumed_it_ends_with_the_same_bits(undisturbed, tmp_path):
    kind, values, history = undisturbed
    calls_per_epoch = 8 + 4  # the metric is asked at each of 8 training steps and 4 validation batches
    for number, moment in enumerate(np.random.default_rng(0).choice(8 * calls_per_epoch, size=5, replace=False)):
        folder, calls = tmp_path / str(number), []

        def deadly_accuracy(preds, labels):
            calls.append(1)
            if len(calls) == moment + 1:
                raise Killed
            return accuracy(labels, preds)

        with pytest.raises(Killed):
            train(kind, folder, metrics={"accuracy": deadly_accuracy})
        assert saved_epochs(folder) == moment // calls_per_epoch
        model, resumed = train(kind, folder, seed=1000 + number)  # another seed: everything comes from the checkpoint
        assert bits(model) == values and without_time(resumed) == history


@pytest.mark.parametrize("after_the_write", [False, True])
def test_killed_while_the_checkpoint_is_written(undisturbed, tmp_path, monkeypatch, after_the_write):
    kind, values, _ = undisturbed
    replace, writes = os.replace, []

    def deadly_replace(source, target):
        writes.append(target)
        if after_the_write:
            replace(source, target)
        if len(writes) == 4:
            raise Killed
        if not after_the_write:
            replace(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", deadly_replace)
        patch.setattr(os, "unlink", lambda path: None)  # a process that is killed doesn't tidy up
        with pytest.raises(Killed):
            train(kind, tmp_path)
    assert saved_epochs(tmp_path) == (3 if after_the_write else 2)  # the first is written before the first epoch
    assert bits(train(kind, tmp_path, seed=5)[0]) == values


def test_a_run_can_be_made_longer_or_asked_for_again(undisturbed, tmp_path):
    kind, values, history = undisturbed
    train(kind, tmp_path, epochs=3)
    model, longer = train(kind, tmp_path, seed=8, epochs=8)
    assert bits(model) == values and without_time(longer) == history
    for epochs in (8, 2):
        model, again = train(kind, tmp_path, seed=9, epochs=epochs)
        assert bits(model) == values and without_time(again) == history


def test_the_best_weights_so_far_are_in_the_checkpoint(tmp_path):
    stopping = EarlyStopping(patience=99, monitor="lr", maximize=True)  # the rate only falls: the first epoch is best
    expected, _ = train("compiled", tmp_path / "undisturbed", epochs=6, early_stopping=stopping)
    train("compiled", tmp_path / "resumed", epochs=3, early_stopping=stopping)
    model, history = train("compiled", tmp_path / "resumed", seed=4, epochs=6, early_stopping=stopping)
    assert history.best_epoch == 1 and bits(model) == bits(expected)
    assert bits(model) == bits(train("compiled", tmp_path / "one", epochs=1)[0])


def test_without_resume_the_run_starts_afresh(undisturbed, tmp_path):
    kind, values, _ = undisturbed
    train(kind, tmp_path, seed=3, epochs=4)
    assert bits(train(kind, tmp_path, resume=False)[0]) == values
    assert saved_epochs(tmp_path) == 8


@pytest.mark.parametrize("change, what", [
    ({"num_examples": 93}, "training data"), ({"rng": None}, "shuffling"), ({"metrics": {}}, "measures"),
    ({"early_stopping": 3}, "early stopping"), ({"clip_norm": 2.0}, "clip_norm"), ({"compiled": False}, "steps")])
def test_the_checkpoint_of_another_run_is_refused_with_the_difference(tmp_path, change, what):
    kind = "compiled" if what == "steps" else "readable"
    train(kind, tmp_path, epochs=1)
    with pytest.raises(FileContentError, match=f"another run:(.|\n)*{what}(.|\n)*resume=False"):
        train(kind, tmp_path, epochs=2, **change)


def test_another_model_or_optimizer_is_named(tmp_path):
    train("readable", tmp_path, epochs=1)
    with pytest.raises(FileContentError, match="model: .*BatchNorm1d(.|\n)*optimizer: 'RMSProp"):
        train("compiled", tmp_path, epochs=2)


def test_a_damaged_checkpoint_is_refused(tmp_path):
    train("compiled", tmp_path, epochs=1)
    path = tmp_path / "run.npz"
    data = path.read_bytes()
    for content in (data[:-1], data[:len(data) // 2], b"", b"checkpoint"):
        path.write_bytes(content)
        with pytest.raises(FileContentError, match="damaged"):
            train("compiled", tmp_path, epochs=2)
    np.savez(str(path), a=np.zeros(3))
    with pytest.raises(FileContentError, match="no checkpoint"):
        train("compiled", tmp_path, epochs=2)


def test_a_state_that_does_not_fit_changes_nothing(tmp_path):
    for part in ("model", "optimizer", "numpy", "generators"):
        model, optimizer, scheduler, options = create_run("readable")
        run = Run(model, CrossEntropyLoss(), optimizer, scheduler, options["rng"])
        state = run.state()
        other_model, other_optimizer, other_scheduler, other_options = create_run("readable", seed=1)
        other = Run(other_model, CrossEntropyLoss(), other_optimizer, other_scheduler, other_options["rng"])
        other_scheduler.step()
        before = other.state()
        with pytest.raises(FileContentError, match="can't be restored"):
            other.set_state({**state, part: {"something": "else"}})
        np.testing.assert_equal(other.state(), before)


def test_description_and_state_come_back(tmp_path):
    state = {"run": {"values": np.arange(3.0)}, "history": {"loss": [0.5, float("inf")]}, "best": None}
    path = save_checkpoint(tmp_path / "c.npz", state, {"model": "a"})
    np.testing.assert_equal(load_checkpoint(path, {"model": "a"}), state)
    with pytest.raises(FileContentError, match="model: 'a' in the checkpoint, but 'b' now"):
        load_checkpoint(path, {"model": "b"})


# -------------------------------------------------------------------- real processes, really killed


def start(kind, folder, seed, num_examples):
    folder.mkdir(exist_ok=True)
    return subprocess.Popen([sys.executable, "-m", "tests.resumable_run", kind, str(folder), str(seed),
                             str(num_examples)], stdout=subprocess.PIPE, universal_newlines=True)


def finish(kind, folder, seed, num_examples):
    """Run to the end; returns the final model's file as arrays."""
    process = start(kind, folder, seed, num_examples)
    process.communicate()
    assert process.returncode == 0
    return read_npz(folder / "model.npz")


def kill_and_resume(kind, folder, num_examples, moment, expected):
    """Kill a run some seconds after its first epoch, resume it, and compare; returns the epochs that it had done."""
    process = start(kind, folder, 0, num_examples)
    first_line = process.stdout.readline()
    time.sleep(moment)
    process.kill()
    epochs_seen = len([first_line] + process.stdout.read().splitlines())
    process.wait()
    process.stdout.close()
    if process.returncode != 0:  # else it was faster than the executioner
        assert os.name == "nt" or process.returncode == -signal.SIGKILL
        assert saved_epochs(folder) >= epochs_seen - 1  # the last line's epoch may not have been saved yet
    np.testing.assert_equal(finish(kind, folder, 77, num_examples), expected)
    return epochs_seen


def test_a_process_that_is_killed_resumes(tmp_path):
    expected = finish("compiled", tmp_path / "undisturbed", 0, num_examples=600)
    kill_and_resume("compiled", tmp_path / "killed", 600, 0.01, expected)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_process_that_is_killed_at_20_random_moments_resumes_every_time(tmp_path, kind):
    process = start(kind, tmp_path / "timed", 0, num_examples=4500)
    process.stdout.readline()
    after_first_epoch = time.perf_counter()
    process.communicate()
    duration = time.perf_counter() - after_first_epoch
    assert process.returncode == 0
    expected = read_npz(tmp_path / "timed" / "model.npz")
    moments = np.random.default_rng().uniform(0, duration, size=20)
    done = [kill_and_resume(kind, tmp_path / f"killed {i}", 4500, moment, expected)
            for i, moment in enumerate(moments)]
    assert len(set(done)) > 3, f"the runs were killed in the epochs {done} only"


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
