"""The main sheet's seven gaps, left open or filled wrongly, one at a time: the XOR script and each test show it."""
from __future__ import annotations

import re

import pytest

from lib.gradient_checking.course import coding_tasks
from tests.copied_tree import copy_tree, run
from tests.gaps.planting import plant
from tests.gaps.right import RIGHT
from tests.gaps.wrong import WRONG

TASKS = {task.name: task for task in coding_tasks()}
# What the experiment's own figures don't show: it has no use for the gradient of the input, resets the gradients before
# each step, and never calls check_gradients.
UNSEEN = {
    "Sequential.backward": "for module in reversed(self.modules):\n    grad = module.backward(grad)",
    "Linear.backward": "self.W.grad = x.T.dot(grad)\nself.b.grad = grad.sum(axis=0)\nreturn grad.dot(self.W.data.T)",
    "check_gradients": "Sequential(Linear(10, 3), ReLU())",
}
OPEN = [(name, "pass") for name in TASKS]
WRONGLY = [(name, text) for name in TASKS for text, _ in WRONG[name][:9:4]]  # the board judges all of them, elsewhere


def named(cases):
    return [pytest.param(TASKS[name], text, id=f"{name}: {text.strip()[:30]!r}") for name, text in cases]


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    return copy_tree(tmp_path_factory.mktemp("gaps"), [])


@pytest.fixture
def restored(tree):
    before = {path: path.read_bytes() for path in (tree / "lib").glob("*.py")}
    yield tree
    for path, text in before.items():
        path.write_bytes(text)


def run_script(folder):
    return run(folder, "run_xor_experiment.py", "--seed", "3", "--epochs", "60")


def run_tests_of(tasks, folder):
    return run(folder, "-m", "pytest", "-q", "-p", "no:cacheprovider", *[test for task in tasks for test in task.tests])


def assert_the_script_names(task, folder):
    result = run_script(folder)
    assert result.returncode == 1, result.stdout
    assert f"{task.number} {task.name}" in " ".join(result.stdout.split()), result.stdout


@pytest.mark.parametrize("task, text", named(OPEN))
def test_the_script_names_an_open_gap(restored, task, text):
    plant(restored, task, text)
    assert_the_script_names(task, restored)


@pytest.mark.slow
@pytest.mark.parametrize("task, text", named(UNSEEN.items()))
def test_the_script_names_what_its_figures_dont_show(restored, task, text):
    plant(restored, task, text)
    assert_the_script_names(task, restored)


@pytest.mark.slow
@pytest.mark.parametrize("task, text", named(OPEN + list(UNSEEN.items()) + WRONGLY))
def test_the_tests_of_the_gap_fail(restored, task, text):
    plant(restored, task, text)
    assert len(task.tests) == 1 and run_tests_of([task], restored).returncode == 1


def numbers_of(text):
    """Return what a script printed without spaces, and with 0 for -0, which another right formula may give."""
    return re.sub(r"\s+", "", re.sub(r"-(0\.)(?!\d)", r"\1", text))


@pytest.mark.slow
def test_natural_right_fillings_are_right(restored):
    before = run_script(restored).stdout
    for i in range(3):
        for name, task in TASKS.items():
            plant(restored, task, RIGHT[name][2 * i])
        result = run_script(restored)
        assert (result.returncode, numbers_of(result.stdout)) == (0, numbers_of(before))
        assert run_tests_of(TASKS.values(), restored).returncode == 0


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
