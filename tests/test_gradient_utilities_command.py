"""The student's command: a table of every module, the first failure in detail, and a status for scripts."""
import io
import json
import subprocess
import sys

import numpy as np
import pytest

from lib import gradient_utilities
from lib.activations import ReLU, Sigmoid
from lib.gradient_checking import command, discovery
from lib.network import Linear
from lib.network_base import Module


def run(*arguments):
    """Return the status and what was printed."""
    out = io.StringIO()
    return command.main(arguments, out), out.getvalue()


def test_finds_every_module_without_a_list():
    classes = discovery.module_classes()
    assert {"ReLU", "Linear", "Sequential", "Residual", "Conv2d", "CrossEntropyLoss", "Dropout"} <= set(classes)
    assert "Module" not in classes

    class Newcomer(Module):
        def forward(self, x):
            return x

    Newcomer.__module__ = "lib.newcomer"
    assert discovery.module_classes()["Newcomer"] is Newcomer
    Newcomer.__module__ = "elsewhere"
    assert "Newcomer" not in discovery.module_classes()


def test_one_module():
    status, text = run("Linear")
    assert status == 0 and "Linear.W" in text and "1 of 1 modules are right" in text
    assert "\033" not in text and "Sigmoid" not in text


def test_a_class_that_doesnt_say_how_it_is_tried_is_left_out(monkeypatch):
    class Scaled(ReLU):
        def __init__(self, factor):
            self.factor = factor

    monkeypatch.setattr(command, "module_classes", lambda: {"Scaled": Scaled})
    text = run("Scaled")[1]
    assert "Scaled is left out: Scaled can't be tried as a ReLU is" in text and "wrong" not in text


def test_a_wrong_module_is_explained(monkeypatch, tmp_path):
    monkeypatch.setattr(ReLU, "backward", lambda self, grad: grad)
    file = tmp_path / "result.json"
    status, text = run("relu", "--json", str(file))
    assert status == 1 and "wrong" in text and "mask missing where x < 0" in text and "Likely cause" in text
    content = json.loads(file.read_text())
    assert content["ok"] is False and content["modules"]["ReLU"][0]["causes"][0]["name"] == "mask missing where x < 0"
    status, text = run("ReLU", "--hints", "0")
    assert status == 1 and "Think about" in text and "Likely cause" not in text and "mask missing" not in text


def test_a_gap_reads_to_do(monkeypatch):
    def gap(self, grad):
        raise NotImplementedError

    monkeypatch.setattr(Sigmoid, "backward", gap)
    status, text = run("Sigmoid")
    assert status == 1 and "to do" in text and "Traceback" not in text

    def nothing(self, grad):
        pass

    monkeypatch.setattr(Linear, "backward", nothing)
    status, text = run("Linear")
    assert status == 1 and "to do" in text
    monkeypatch.setattr(Linear, "backward", lambda self, grad: None)
    status, text = run("Linear")
    assert status == 1 and "return is missing" in text


def test_an_unknown_module_is_one_line(capsys):
    status, text = run("Relou")
    error = capsys.readouterr().err
    assert status == 2 and not text and len(error.splitlines()) == 1 and "ReLU" in error


def test_the_global_random_state_is_left_alone():
    before = np.random.get_state()[1].copy()
    run("Dropout")
    np.testing.assert_array_equal(np.random.get_state()[1], before)


@pytest.mark.slow
def test_the_whole_library_is_right():
    result = subprocess.run([sys.executable, "-m", "lib.gradient_utilities", "--all"], capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "CrossEntropyLoss" in result.stdout and "\033" not in result.stdout


def test_zero_grad_stays_reachable():
    linear = Linear(2, 2)
    linear.W.grad = None
    gradient_utilities.zero_grad(linear.parameters())
    assert not linear.W.grad.any()


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
