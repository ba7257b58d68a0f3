"""The XOR script, run as its user runs it."""
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import run_xor_experiment
from lib.activations import ReLU
from lib.gradient_checking.course import coding_tasks
from lib.network import Linear, Sequential
from tests import copied_tree
from tests.gaps.planting import plant

ROOT = Path(__file__).resolve().parent.parent


def run(*options, cwd=ROOT):
    """Run the script; return its exit status, output and error output."""
    result = subprocess.run([sys.executable, str(ROOT / "run_xor_experiment.py"), *options], cwd=str(cwd),
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)
    return result.returncode, result.stdout, result.stderr


def test_without_options_it_is_the_sheets_experiment(tmp_path):
    status, output, errors = run(cwd=tmp_path)
    assert status == 0 and errors == ""
    parts = ["=" * 60, "The model before the update:", "Linear.W:", "Linear.b:", "Linear.W.grad:", "Loss: 0.69",
             "Predictions:", "Perform one update step.", "Linear.W:", "Linear.W.grad:", "Loss: ", "Predictions:",
             "Loss after 100 steps: ", "Loss after 1000 steps: ", "Final predictions: [",
             "Ground truth:      [0 1 1 0]"]
    position = 0
    for part in parts:
        assert part in output[position:], f"{part!r} is missing, or out of order"
        position = output.index(part, position) + len(part)
    assert len(re.findall(r"^Loss after [ \d]{3}\d* steps: \d+\.\d{6}$", output, re.MULTILINE)) == 10
    assert len(re.findall(r"^Loss: \d\.\d{4}$", output, re.MULTILINE)) == 2


def test_a_seed_repeats_a_run(capsys):
    outputs = []
    for seed in ("3", "3", "4"):
        run_xor_experiment.main(["--seed", seed, "--epochs", "200"])
        outputs.append(capsys.readouterr().out)
    assert outputs[0] == outputs[1] != outputs[2]
    assert "Loss after  20 steps: " in outputs[0]


def test_other_epochs_hidden_units_and_rates(capsys):
    run_xor_experiment.main(["--hidden", "5", "--epochs", "3", "--lr", "0.5"])
    output = capsys.readouterr().out
    assert output.count("Loss after ") == 3 and "Linear(2, 5)" in output and "lr 0.5" in output


def test_main_takes_no_options_from_the_running_program(capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["pytest", "--some-option"])
    run_xor_experiment.main()
    assert "Ground truth:      [0 1 1 0]" in capsys.readouterr().out


def test_every_parameter_then_every_gradient(capsys):
    model = Sequential(Linear(2, 1), ReLU(), Linear(1, 1))
    run_xor_experiment.show_sequential_params_and_grads(model)
    labels = re.findall(r"^(Linear\..*):$", capsys.readouterr().out, re.MULTILINE)
    assert labels == 2 * ["Linear.W", "Linear.b"] + 2 * ["Linear.W.grad", "Linear.b.grad"]


@pytest.mark.parametrize("options, words", [
    (["--lr", "fast"], "positive number"), (["--lr", "-1"], "positive number"), (["--lr", "nan"], "positive number"),
    (["--epochs", "0"], "whole number from 1"), (["--epochs", "1.5"], "whole number"),
    (["--hidden", "0"], "whole number from 1"), (["--seed", "-1"], "whole number from 0 to"),
    (["--seed", str(2 ** 32)], "whole number from 0 to"), (["--plot", "figure.txt"], ".png"),
    (["--plot", ".png"], ".png"),
    (["--plot", os.path.join("no such folder", "a.png")], "folder"), (["--unknown"], "--unknown"),
])
def test_a_wrong_option_takes_one_line_and_status_2(options, words, capsys):
    with pytest.raises(SystemExit) as stop:
        run_xor_experiment.main(options)
    errors = capsys.readouterr().err
    assert stop.value.code == 2
    assert errors.count("\n") == 1 and words in errors


def test_help_names_every_option():
    status, output, _ = run("--help")
    assert status == 0
    assert all(option in output for option in ("--seed", "--lr", "--epochs", "--hidden", "--plot"))


def test_plot(tmp_path, capsys):
    run_xor_experiment.main(["--seed", "3", "--plot", str(tmp_path / "figure.png"), "--epochs", "300"])
    assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")
    assert [path.name for path in tmp_path.iterdir()] == ["figure.png"]


def test_a_diverging_run_says_so(capsys):
    with np.errstate(all="ignore"):
        run_xor_experiment.main(["--seed", "0", "--lr", "1e300", "--epochs", "50"])
    assert "Try a smaller --lr" in capsys.readouterr().out


def changed_by(sign=-1.0, with_lr=True, resets=False, moves=True):
    """Return a backward_pass with a mistake."""
    def backward_pass(model, loss_fn, lr):
        model.backward(loss_fn.backward())
        for param in model.parameters():
            if moves:
                param.data = param.data + sign * (lr if with_lr else 1.0) * param.grad
            if resets:
                param.grad = np.zeros_like(param.grad)
    return backward_pass


@pytest.mark.parametrize("mistake, words", [
    (lambda model, loss_fn, lr: None, ["Every gradient is zero", "No parameter has moved", "never changed"]),
    (changed_by(moves=False), ["No parameter has moved", "never changed"]),
    (changed_by(sign=1.0), ["uphill", "risen from the first step on"]),
    (changed_by(with_lr=False), ["moved by its gradient times lr"]),
    (changed_by(resets=True), ["Every gradient is zero"])])
def test_a_wrong_backward_pass_is_told(monkeypatch, capsys, mistake, words):
    monkeypatch.setattr(run_xor_experiment, "backward_pass", mistake)
    run_xor_experiment.main(["--seed", "1", "--lr", "0.5", "--epochs", "300"])
    shown = capsys.readouterr().out
    assert all(word in shown for word in words), shown
    assert "too large" not in shown


def test_a_backward_pass_may_look_at_the_loss_gradient_before_it_uses_it(monkeypatch, capsys):
    """Two calls of loss_fn.backward after one forward are right, so nobody else runs a forward of this loss."""
    def backward_pass(model, loss_fn, lr):
        assert loss_fn.backward().shape == (4, 2)
        changed_by()(model, loss_fn, lr)

    shown = []
    for each in (changed_by(), backward_pass):
        monkeypatch.setattr(run_xor_experiment, "backward_pass", each)
        run_xor_experiment.main(["--seed", "1", "--epochs", "20"])
        shown.append(capsys.readouterr().out)
    assert shown[0] == shown[1]


@pytest.mark.parametrize("seed, words", [(1, "has fallen in"), (0, "plateau")])
def test_what_training_came_to_is_told(capsys, seed, words):
    run_xor_experiment.main(["--seed", str(seed)])
    shown = capsys.readouterr().out
    assert re.search(r"The loss has fallen in \d+ of 1000 steps", shown) and words in shown
    assert re.search(r"The step has changed the loss by -\d", shown)


def test_an_open_gap_shows_the_board(tmp_path):
    copied_tree.copy_tree(tmp_path, ())
    plant(tmp_path, next(task for task in coding_tasks() if task.name == "zero_grad"), "raise NotImplementedError")
    result = copied_tree.run(tmp_path, "run_xor_experiment.py")
    assert result.returncode == 1 and "Traceback" not in result.stdout
    assert "3.1 zero_grad: the gap is still empty (lib/gradient_utilities.py, line" in result.stdout


def test_a_gap_that_trains_wrongly_is_explained_below_the_predictions(tmp_path):
    copied_tree.copy_tree(tmp_path, ())
    plant(tmp_path, next(task for task in coding_tasks() if task.name == "ReLU.backward"),
          "return -grad * (self.input_cache > 0)")
    result = copied_tree.run(tmp_path, "run_xor_experiment.py", "--seed", "1")
    last = result.stdout.splitlines()[-24:]
    assert result.returncode == 1 and "Ground truth:      [0 1 1 0]" in last
    assert "Not right yet: 3.2 ReLU.backward (wrong). See python -m lib.gradient_utilities." in last
    assert "  Likely cause: The sign is wrong." in last and any("lib/activations.py, line" in line for line in last)


@pytest.mark.parametrize("name, text, said", [
    ("zero_grad", "for param in params\n    param.grad = 0", ["for param in params", "end with a colon"]),
    ("ReLU.backward", "return grad * (self.input_cache > 0", ["return grad * (self.input_cache > 0", "closed"]),
    ("Linear.backward", "self.W.grad += x\n  grad_input = x", ["grad_input = x", "begin in the same column"]),
    ("Sequential.backward", "for m in self.modules:\ngrad = m.backward(grad)", ["grad = m.backward", "is further in"]),
    ("backward_pass", "x = loss_fn.backward())", ["x = loss_fn.backward())", "SyntaxError"])])
def test_a_file_that_python_doesnt_understand_is_told_by_every_command(tmp_path, name, text, said):
    task = next(task for task in coding_tasks() if task.name == name)
    copied_tree.copy_tree(tmp_path, ())
    plant(tmp_path, task, text)
    test = task.tests[0][:-len(".py")].replace("/", ".")
    for command in (["run_xor_experiment.py"], ["-m", "lib.gradient_utilities"], ["-m", test]):
        result = copied_tree.run(tmp_path, *command)
        assert result.returncode == 1 and "Traceback" not in result.stdout, result.stdout
        assert f"Python doesn't understand {task.file}, line" in result.stdout.replace("as Python", "Python")
        assert re.search(r"^ +\^$", result.stdout, re.MULTILINE) and len(result.stdout.splitlines()) <= 24
        assert all(words in " ".join(result.stdout.split()) for words in said), result.stdout


def test_the_network():
    model = run_xor_experiment.create_xor_net()
    assert [type(module) for module in model.modules] == [Linear, ReLU, Linear]
    assert [param.data.shape for param in model.parameters()] == [(2, 2), (2,), (2, 2), (2,)]


@pytest.mark.slow
def test_the_share_of_starts_that_solve_xor():
    """About 40 % of the starts solve XOR: 200 of them have a standard error of 3.5 %."""
    from lib.dataset import X, y
    from lib.losses import CrossEntropyLoss
    from lib.utilities import one_hot_encoding
    labels, solved, stuck = one_hot_encoding(y, 2), 0, 0
    for seed in range(200):
        np.random.seed(seed)
        model = run_xor_experiment.create_xor_net()
        losses = run_xor_experiment.train_on_xor(model, CrossEntropyLoss(), labels, lr=1.0, epochs=1000)
        solved += np.array_equal(np.argmax(model(X), axis=1), y)
        stuck += abs(losses[-1] - np.log(2)) < 1e-3
    assert 0.3 < solved / 200 < 0.5
    assert stuck > 0


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
