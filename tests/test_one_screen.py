"""What a run of tests shows: the board, one task's reason, or each failure in a few lines; in a copy with open gaps."""
from __future__ import annotations

import pytest

from lib.gradient_checking.course import coding_tasks
from tests import copied_tree
from tests.gaps.planting import plant
from tests.one_screen import listed, message_of

TASKS = {task.name: task for task in coding_tasks()}


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A copy of the project in which ReLU is wrong, and Linear to do."""
    folder = copied_tree.copy_tree(tmp_path_factory.mktemp("tree"), ())
    plant(folder, TASKS["ReLU.backward"], "return grad * (grad > 0)")
    plant(folder, TASKS["Linear.backward"], "raise NotImplementedError")
    return folder


def shown(folder, *arguments):
    return copied_tree.run(folder, *arguments).stdout.splitlines()


@pytest.mark.parametrize("arguments", [
    ["tests.test_gradient_relu"],
    pytest.param(["pytest", "-q", "tests/test_gradient_relu.py"], marks=pytest.mark.slow),
    pytest.param(["pytest", "-q", "-m", "sheet3 and task2"], marks=pytest.mark.slow),
], ids=lambda arguments: " ".join(arguments))
def test_one_file_shows_its_tasks_reason(tree, arguments):
    lines = shown(tree, "-m", *arguments)
    assert len(lines) <= 24 and any("Likely cause: The mask looks at the gradient" in line for line in lines)
    assert not any(word in line for line in lines for word in ("Mismatched", "Traceback", "def test", "3.3"))


def test_with_v_pytest_speaks(tree):
    assert any("Mismatched elements" in line for line in shown(tree, "-m", "tests.test_gradient_relu", "-v"))


def test_a_run_of_all_tests_is_one_of_the_sheets_while_a_task_isnt_right(tree):
    lines = shown(tree, "-m", "pytest", "-q")
    assert len(lines) <= 24
    assert [line.split()[0] for line in lines if line.startswith("  3.")] == [task.number for task in TASKS.values()]
    assert "Likely cause: The mask looks at the gradient instead of the input." in "\n".join(lines)
    assert "skipped" in lines[-1] and "error" not in lines[-1]


def test_what_needs_an_earlier_task_waits_for_it(tree):
    lines = shown(tree, "-m", "tests.test_gradient_sequential")
    assert lines[1].startswith("3.5 Sequential.backward waits for task 3.2: ReLU.backward")
    assert "Test complete." not in lines and "failed" not in lines[-1]


def test_another_file_that_fails_by_a_gap_shows_the_board(tree):
    lines = shown(tree, "-m", "tests.test_model_training")
    assert len(lines) <= 24 and any(line.split()[:2] == ["3.3", "Linear.backward"] for line in lines)


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [["tests.test_gradient_linear"], ["pytest", "-q", "-m", "sheet3"]])
def test_a_remark_on_what_is_right_comes_before_the_numbers(tmp_path, arguments):
    folder = copied_tree.copy_tree(tmp_path, ())
    plant(folder, TASKS["Linear.backward"], "self.W.grad += x.T @ grad\nself.b.grad += grad.sum(axis=0)\ngrad *= 2\n"
          "return grad @ self.W.data.T / 2")
    lines = shown(folder, "-m", *arguments)
    told, numbers = [next(i for i, line in enumerate(lines) if words in line)
                     for words in ("right, but backward changes its argument", "numbers differ")]
    assert told < numbers and len(lines) <= 24


def test_numpys_tables_become_a_sentence():
    import numpy as np
    with pytest.raises(AssertionError) as found:
        np.testing.assert_allclose([1.0, 2.0], [1.0, 3.0], err_msg="W: is the sign right?")
    assert message_of(found.value).startswith("W: is the sign right?: 1 of 2 numbers differ")


def test_what_pytest_compared_is_left_out():
    compared = "assert False\n +  where False = <function all>()\n +    where ..."
    assert message_of(AssertionError(f"any derivative from 0 to 1\n{compared}")) == "any derivative from 0 to 1"
    assert message_of(AssertionError("assert 1 == 2\n +  where 1 = f()")) == "assert 1 == 2"


def test_failures_with_the_same_reason_are_listed_once():
    failures = {f"test_{i}": ["  the same"] for i in range(30)}
    failures["other"] = ["  something else"]
    assert listed(failures, 20) == ["test_0, and 29 more", "  the same", "other", "  something else"]
    many = {f"test_{i}": [f"  reason {i}"] for i in range(30)}
    assert len(listed(many, 20)) == 21 and listed(many, 20)[-1] == "20 more failed. All of it: -v."


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
