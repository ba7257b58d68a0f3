"""The main sheet's seven gaps, left open or filled wrongly: the XOR script and every test of the gap show it."""
from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.copied_tree import copy_tree, run, run_tests

GAP = re.compile(r"( *)# START TODO #+\n.*?# END TODO #+\n", re.DOTALL)


class Filling(NamedTuple):
    """What stands in a gap, by its file and its number there; the tests of the gap; whether the script uses it."""

    file: str
    number: int
    text: str
    tests: str
    in_script: bool = True


# The loop of the script has no use for what Sequential.backward returns: this one the tests alone can see.
NO_RETURN = "for module in reversed(self.modules):\n    grad = module.backward(grad)"

GAPS = {
    "zero_grad": (("gradient_utilities", 0), "zero_grad", [
        "for param in params:\n    param.grad = np.ones(param.data.shape)"]),
    "ReLU": (("activations", 0), "gradient_relu", ["return grad * (grad > 0)", "return grad"]),
    "Linear": (("network", 0), "gradient_linear", [
        "self.W.grad += x.T @ grad\nself.b.grad += grad.mean(axis=0)\ngrad_input = grad @ self.W.data.T",
        "self.W.grad = x.T @ grad\nself.b.grad = grad.sum(axis=0)\nreturn 2 * grad @ self.W.data.T"]),
    "Sequential": (("network", 1), "sequential", [
        NO_RETURN,
        "for module in reversed(self.modules[1:]):\n    grad = module.backward(grad)\nreturn grad"]),
    "CrossEntropyLoss": (("losses", 0), "gradient_celoss", [
        "return softmax - labels", "return (labels - softmax) / len(labels)"]),
    "check_gradients": (("gradient_utilities", 1), "check_gradients", ["Sequential(Linear(10, 3), ReLU())"]),
    "backward_pass": (("experiments", 0), "backward_pass", [
        "loss_fn.backward(None)", "model.backward(loss_fn.backward(None))\nfor param in model.parameters():\n"
        "    param.data += lr * param.grad", "for param in model.parameters():\n    param.data -= lr * param.grad"]),
}
FILLINGS = [pytest.param(Filling(*place, text, tests, name != "check_gradients" and text != NO_RETURN),
                         id=f"{name}: {text[:25]!r}")
            for name, (place, tests, wrong) in GAPS.items() for text in ["pass"] + wrong]
IN_SCRIPT = [pytest.param(*case.values, id=case.id, marks=() if case.values[0].text == "pass" else pytest.mark.slow)
             for case in FILLINGS if case.values[0].in_script]
RIGHT = {  # natural right fillings, which nothing may find wrong
    "zero_grad": "for param in params:\n    param.grad = np.zeros_like(param.data)",
    "ReLU": "return np.where(self.input_cache > 0, grad, 0)",
    "Linear": "self.W.grad += self.input_cache.T @ grad\nself.b.grad += grad.sum(axis=0)\nreturn grad @ self.W.data.T",
    "Sequential": "for i in range(len(self.modules) - 1, -1, -1):\n    grad = self.modules[i].backward(grad)\n"
                  "return grad",
    "CrossEntropyLoss": "return (softmax - labels) / labels.shape[0]",
    "check_gradients": "Sequential(Linear(10, 5), Sigmoid(), Linear(5, 2)).check_gradients((x,))",
    "backward_pass": "grad = loss_fn.backward()\nmodel.backward(grad)\nfor param in model.parameters():\n"
                     "    param.data = param.data - lr * param.grad",
}


def fill(folder: Path, file: str, number: int, text: str) -> None:
    """Put a text into a gap of a file."""
    path = folder / "lib" / f"{file}.py"
    source = path.read_text(encoding="utf-8")
    gap = list(GAP.finditer(source))[number]
    lines = "".join(f"{gap.group(1)}{line}\n" for line in text.split("\n"))
    path.write_text(source[:gap.start()] + lines + source[gap.end():], encoding="utf-8")


def script_output(folder: Path) -> str:
    return run(folder, "run_xor_experiment.py", "--seed", "3", "--epochs", "60").stdout


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    return copy_tree(tmp_path_factory.mktemp("gaps"), [])


@pytest.fixture(scope="module")
def right_output(tree):
    return script_output(tree)


@pytest.fixture
def restored(tree):
    before = {path: path.read_bytes() for path in (tree / "lib").glob("*.py")}
    yield tree
    for path, text in before.items():
        path.write_bytes(text)


@pytest.mark.parametrize("filling", IN_SCRIPT)
def test_the_script_shows_it(restored, right_output, filling):
    fill(restored, *filling[:3])
    assert script_output(restored) != right_output


@pytest.mark.slow
@pytest.mark.parametrize("filling", FILLINGS)
def test_every_test_of_the_gap_shows_it(restored, filling):
    fill(restored, *filling[:3])
    for test in filling.tests.split():
        assert run_tests(restored, test).returncode == 1, test


@pytest.mark.slow
def test_natural_right_fillings_are_right(restored, right_output):
    for name, text in RIGHT.items():
        fill(restored, *reversed_place(name), text)
    assert script_output(restored) == right_output
    assert run_tests(restored, " ".join(tests for _, tests, _ in GAPS.values())).returncode == 0


def reversed_place(name: str):
    """Return the file and number of a gap, as it is counted while the gaps before it are filled already."""
    (file, number), *_ = GAPS[name]
    filled_before = [other for other in list(GAPS)[:list(GAPS).index(name)] if GAPS[other][0][0] == file]
    return file, number - len(filled_before)


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
