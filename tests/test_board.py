"""The board of the sheet: right solutions in any style are right, and what is wrong is named, on one screen."""
from __future__ import annotations

import importlib
import re

import numpy as np
import pytest

from lib.gradient_checking import board, course
from lib.gradient_checking.course import ROOT, coding_tasks
from lib.gradient_checking.text import MOST_LINES
from tests.gaps.planting import planted
from tests.gaps.right import RIGHT
from tests.gaps.wrong import WRONG

TASKS = {task.name: task for task in coding_tasks()}
SCREEN = 24


@pytest.fixture
def outcome_with(monkeypatch, tmp_path):
    """Return a function that judges a task with a text in its gap."""
    def judge(name, text):
        task = TASKS[name]
        source = planted((ROOT / task.file).read_text(encoding="utf-8"), name, text)
        file = tmp_path / task.file
        file.parent.mkdir(exist_ok=True)
        file.write_text(source, encoding="utf-8")
        owner, _, method = name.rpartition(".")
        module = importlib.import_module(task.file[:-3].replace("/", "."))

        def function(task):
            namespace = dict(vars(module), __name__="planted")
            exec(compile(source, str(file), "exec"), namespace)
            found = namespace[owner or method]
            if owner:
                monkeypatch.setattr(getattr(module, owner), method, vars(found)[method])
            return vars(found)[method] if owner else found

        monkeypatch.setattr(board, "_function", function)
        return board.outcome_of(task)
    return judge


def test_the_bank_is_large():
    assert set(RIGHT) == set(WRONG) == set(TASKS)
    assert sum(map(len, RIGHT.values())) >= 60 and sum(map(len, WRONG.values())) >= 75


def sampled(cases):
    """Return the cases as parameters; two of three are for the slow tests."""
    return [pytest.param(*case, marks=[pytest.mark.slow] if i % 3 else []) for i, case in enumerate(cases)]


@pytest.mark.parametrize("name, text", sampled([(name, text) for name in RIGHT for text in RIGHT[name]]))
def test_a_right_solution_is_right(outcome_with, name, text):
    outcome = outcome_with(name, text)
    assert outcome.is_right, outcome.detail


@pytest.mark.parametrize("name, text, said", sampled([(name, *case) for name in WRONG for case in WRONG[name]]))
def test_a_mistake_is_named_on_one_screen(outcome_with, name, text, said):
    outcome = outcome_with(name, text)
    assert not outcome.is_right
    lines = outcome.detail.splitlines()
    assert re.search(said, outcome.detail) or re.search(said, re.sub(r"\s*\n\s+", " ", outcome.detail)), outcome.detail
    assert len(lines) <= MOST_LINES and MOST_LINES + len(TASKS) + 2 <= SCREEN
    assert max(map(len, lines)) <= 120


def test_where_backward_returns_none_nothing_else_is_suspected(outcome_with):
    text = "for module in reversed(self.modules):\n    grad = module.backward(grad)"
    outcome = outcome_with("Sequential.backward", text)
    assert "return is missing" in outcome.detail and "Or:" not in outcome.detail


@pytest.mark.parametrize("level, product, row", [
    (0, "they don't fit.", "shape."), (1, "a transposition they do.", "batch is missing."),
    (3, "a transposition they do: grad @ self.W.data.T has shape (2, 10).", "batch is missing: .sum(axis=0).")])
def test_what_would_fit_in_a_gap_is_its_formula(outcome_with, monkeypatch, level, product, row):
    monkeypatch.setattr(course, "sheet", lambda: {"hints": level})
    for text, said in (("return grad @ self.W.data", product), ("self.b.grad += grad\nreturn grad", row)):
        detail = re.sub(r"\s+", " ", outcome_with("Linear.backward", text).detail)
        assert detail.partition(" How it is right")[0].endswith(said)


def test_a_remark_on_what_is_right_stands_on_the_board(outcome_with):
    outcome = outcome_with("ReLU.backward", "grad[self.input_cache <= 0] = 0\nreturn grad")
    found = [outcome if task == outcome.task else board.Outcome(task, board.RIGHT) for task in TASKS.values()]
    assert outcome.is_right and "right   but backward changes its argument" in board.as_text(found)


def test_a_function_that_was_renamed_is_found(monkeypatch):
    relu = importlib.import_module("lib.activations").ReLU
    monkeypatch.setattr(relu, "backwards", relu.backward, raising=False)
    monkeypatch.delattr(relu, "backward")
    outcome = board.outcome_of(TASKS["ReLU.backward"])
    assert board.is_there(outcome.task) and "has backwards in place of ReLU.backward" in outcome.detail


def test_the_reference_is_right_and_nothing_is_printed(capsys):
    state = np.random.get_state()[1].copy()
    found = board.outcomes()
    assert [outcome.verdict for outcome in found] == ["right"] * 7 and sum(o.task.points for o in found) == 9
    assert capsys.readouterr().out == "" and np.array_equal(state, np.random.get_state()[1])


def test_the_text_lists_every_task_and_then_the_first_that_isnt_right(outcome_with):
    wrong = outcome_with("Linear.backward", WRONG["Linear.backward"][0][0])
    found = [wrong if task == wrong.task else board.Outcome(task, board.RIGHT) for task in TASKS.values()]
    lines = board.as_text(found).splitlines()
    assert lines[0] == "Backpropagation: 7 of 9 points" and len(lines) <= SCREEN
    assert [line.split()[1] for line in lines[1:8]] == list(TASKS)
    assert "overwritten instead of accumulated" in lines[3] and lines[9].startswith("Linear: backward is wrong")


def test_a_task_waits_for_the_first_that_it_builds_upon():
    right, to_do = board.RIGHT, board.TO_DO
    found = [board.Outcome(task, to_do if task.name in ("ReLU.backward", "Linear.backward") else right)
             for task in TASKS.values()]
    assert board.waits_for(TASKS["backward_pass"], found) == TASKS["ReLU.backward"]
    assert board.waits_for(TASKS["zero_grad"], found) is None


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
