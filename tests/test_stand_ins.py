"""A student's own files in the place of ours: all of lib works on them, and the sheets' tests judge them.

The stand-ins are as plain as a student's file may be: the course's names alone, no checks, gradients that start as
None, modules kept as a tuple. Each run is a process of its own in a copy of the tree.
"""
from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.copied_tree import ROOT, TESTS, copy_tree, run, run_tests

FILES = sorted(path.stem for path in (ROOT / "tests" / "stand_ins").glob("*.py") if path.stem != "at_work")
NEEDED = [package for package in ("matplotlib", "scipy", "sklearn") if find_spec(package) is None]
pytestmark = pytest.mark.skipif(bool(NEEDED), reason=f"needs {', '.join(NEEDED)}, which CI installs")


class Mistake(NamedTuple):
    """A wrong line in place of a right one in a stand-in."""

    file: str
    right: str
    wrong: str


MISTAKES = [
    Mistake("activations", "np.where(x > 0, 1, 0)", "np.where(grad > 0, 1, 0)"),
    Mistake("activations", "return np.maximum(x, 0)", "return np.abs(x)"),
    Mistake("network", "np.sum(grad, axis=0)", "np.sum(grad, axis=0) / len(grad)"),
    Mistake("network", "return grad @ self.W.data.T", "return None"),
    Mistake("network", "for module in self.modules[::-1]:", "for module in self.modules:"),
    Mistake("losses", "(softmax - labels) / labels.shape[0]", "softmax - labels"),
    Mistake("losses", "np.mean(-np.sum(", "np.sum(-np.sum("),
    Mistake("gradient_utilities", "param.grad = np.zeros(param.data.shape)", "pass"),
    Mistake("gradient_utilities", "    model.check_gradients((x,))\n", ""),
    Mistake("experiments", "- lr * param.grad", "+ lr * param.grad"),
    Mistake("models", "[-4.08, 4.42]", "[4.08, -4.42]"),
    Mistake("model_utilities", "[0.0, -1.0]", "[0.0, 1.0]"),
    Mistake("log_reg", "C=1e5", "C=1e-9"),
    Mistake("plot", "plt.plot(x, ReLU()(x))", "plt.plot(x, x)"),
]


def assert_works(folder: Path) -> None:
    result = run(folder, "-m", "tests.stand_ins.at_work")
    assert result.stdout.endswith("All of lib works.\n"), result.stdout[-3000:]


def test_all_together(tmp_path):
    assert_works(copy_tree(tmp_path, FILES))


@pytest.mark.slow
def test_utilities_of_sheet_2_has_one_hot_encoding_alone(tmp_path):
    folder = copy_tree(tmp_path, [])
    (folder / "lib" / "utilities.py").write_text("""import numpy as np


def one_hot_encoding(y, num_classes):
    return np.eye(num_classes)[y]
""", encoding="utf-8")
    assert_works(folder)


def test_all_tests_are_collected_with_another_sheets_experiments(tmp_path):
    """It has no backward_pass, which is no gap of the main sheet that is still open."""
    folder = copy_tree(tmp_path, [])
    path = folder / "lib" / "experiments.py"
    path.write_text(path.read_text(encoding="utf-8").replace("def backward_pass(", "def another("), encoding="utf-8")
    for path in (folder / "tests").glob("test_*.py"):
        if path.name != "test_sheet5.py":
            path.unlink()
    output = run(folder, "-m", "pytest", "-q", "--collect-only", "-o", "testpaths=tests").stdout
    assert "tests/test_sheet5.py" in output, output[-3000:]


@pytest.mark.slow
def test_the_sheets_tests_pass_on_all_together(tmp_path):
    folder = copy_tree(tmp_path, FILES)
    result = run_tests(folder, " ".join(TESTS.values()))
    assert result.returncode == 0, result.stdout[-3000:]
    output = run(folder, "run_xor_experiment.py", "--seed", "3", "--epochs", "500").stdout
    assert "Final predictions: [0 1 1 0]" in output, output


@pytest.mark.slow
@pytest.mark.parametrize("file", FILES)
def test_each_alone(tmp_path, file):
    folder = copy_tree(tmp_path, [file])
    assert_works(folder)
    if file in TESTS:
        result = run_tests(folder, TESTS[file])
        assert result.returncode == 0, result.stdout[-3000:]


@pytest.mark.slow
@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: f"{mistake.file}: {mistake.wrong[:30]}")
def test_a_wrong_one_fails_its_sheets_tests(tmp_path, mistake):
    folder = copy_tree(tmp_path, [mistake.file])
    path = folder / "lib" / f"{mistake.file}.py"
    text = path.read_text(encoding="utf-8")
    assert text.count(mistake.right) == 1
    path.write_text(text.replace(mistake.right, mistake.wrong), encoding="utf-8")
    result = run_tests(folder, TESTS[mistake.file])
    assert result.returncode == 1, result.stdout[-3000:]


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
