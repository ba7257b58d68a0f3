"""Grading one task: points in the task with the mistake and nowhere else, partial credit, causes, feedback."""
from __future__ import annotations

import pytest

from grading import isolation
from grading.box import BoxError
from grading.grade import Options, grade_submission
from grading.isolation import Limits
from grading.judge import Setting, TaskResult, grade_task, is_placeholder, points_for
from grading.layout import reference_files
from tests.planting import SHEET, on_posix, planted, submission, with_gap

pytestmark = on_posix

KEY = b"a key of the tests"


def graded(made, number: str, **limits) -> TaskResult:
    setting = Setting(SHEET, made, isolation.strongest(), Limits(**limits), KEY)
    return grade_task(setting, SHEET.task(number), {})


@pytest.mark.slow
def test_the_reference_gets_all_points():
    report = grade_submission(SHEET, submission(), Options(key=KEY))
    assert report["points"] == 9 + 2 and report["max_points"] == 16
    assert {entry["status"] for entry in report["tasks"] if entry["points"] is not None} == {"right"}
    assert [entry["number"] for entry in report["tasks"] if entry["points"] is None] == [
        "2.1", "2.2", "2.3", "4.1", "4.2", "4.3", "4.4"]
    assert report["whole"]["status"] == "right"
    assert report["hours"] == [4, 5.5]


def test_a_mistake_costs_points_in_its_own_task():
    made = with_gap("3.4", "softmax, labels = self.input_cache\nreturn softmax - labels")
    report = grade_submission(SHEET, made, Options(key=KEY))
    wrong = [entry for entry in report["tasks"] if entry["points"] is not None and entry["status"] != "right"]
    assert [(entry["number"], entry["points"], entry["status"], entry["cause"]) for entry in wrong] == [
        ("3.4", 1, "partly", "missing 1/N")]
    assert report["whole"]["status"] == "wrong"


@pytest.mark.slow
@pytest.mark.parametrize("number, content, points, cause", [
    ("3.1", "for param in params:\n    param.grad *= 0", 0.5, "exception"),
    ("3.1", "for param in params:\n    param.grad = 0.0", 0, "wrong shape"),
    ("3.1", "for param in params:\n    param.data = np.zeros_like(param.data)", 0, "values changed"),
    ("3.1", "zeros = None\nfor param in params:\n    param.grad = None", 0, "left at None"),
    ("3.2", "return grad * (grad > 0)", 0, "mask on the gradient"),
    ("3.2", "grad[self.input_cache <= 0] = 0\nreturn grad", 0.5, "upstream gradient changed in place"),
    ("3.3", "self.W.grad += self.input_cache.T @ grad\nreturn grad @ self.W.data.T", 1, "zeros"),
    ("3.3", "self.W.grad = self.input_cache.T @ grad\nself.b.grad = grad.sum(axis=0)\nreturn grad @ self.W.data.T", 1.5,
     "overwritten instead of accumulated"),
    ("3.4", "p, labels = self.input_cache\nreturn p - labels", 1, "missing 1/N"),
    ("3.5", "for module in self.modules:\n    grad = module.backward(grad)\nreturn grad", 0, "layers in forward order"),
    ("3.5", "for module in reversed(self.modules):\n    grad = module.backward(grad)", 0.5, "None returned"),
    ("3.6", "pass", 0, "no network checked"),
    ("3.6", "raise RuntimeError('wrong')", 0, "raises on right modules"),
    ("3.6", "Sequential(Linear(10, 30)).check_gradients((x,))", 0.5, "one layer only"),
    ("3.6", "try:\n    Sequential(Linear(10, 3), Sigmoid(), Linear(3, 2)).check_gradients((x,))\n"
     "except RuntimeError:\n    print('wrong')", 0, "no network checked"),
    ("3.7", "model.backward(loss_fn.backward())\nfor p in model.parameters():\n    p.data += lr * p.grad", 0,
     "wrong sign"),
    ("3.7", "model.backward(loss_fn.backward())\nfor p in model.parameters():\n    p.data -= p.grad", 0.5,
     "learning rate missing"),
    ("3.7", "for p in model.parameters():\n    p.data -= lr * p.grad", 0, "no backward pass"),
    ("3.7", "model.backward(loss_fn.backward())\nfor p in model.parameters():\n    p = p.data - lr * p.grad", 0,
     "no update"),
])
def test_mistakes(number, content, points, cause):
    result = graded(with_gap(number, content), number)
    assert (result.points, result.cause) == (points, cause), result
    assert result.feedback and len(result.feedback.split()) <= 160 and "Traceback" not in result.feedback
    assert result.status in ("partly" if points else "wrong error limit").split()


@pytest.mark.parametrize("number", [task.number for task in SHEET.code_tasks])
def test_a_gap_as_it_was_handed_out_is_to_do(number):
    assert graded(with_gap(number, "raise NotImplementedError"), number)[2:5] == (
        0, SHEET.task(number).points, "to do")


@pytest.mark.slow
def test_one_mistake_costs_its_own_task_alone():
    wrong = {"3.2": "return grad", "3.3": "return grad", "3.4": "return self.input_cache[0]", "3.1": "pass"}
    for number, content in wrong.items():
        made = with_gap(number, content)
        for task in SHEET.code_tasks:
            result = graded(made, task.number)
            assert (result.points == task.points) == (task.number != number), (number, result)


def test_a_file_that_does_not_parse_costs_the_gap_that_is_to_blame():
    made = with_gap("3.5", "for module in reversed(self.modules)\n    return grad")
    assert graded(made, "3.3").status == "right"
    broken = graded(made, "3.5")
    assert broken.points == 0 and "SyntaxError in line" in broken.feedback and broken.status == "error"


@pytest.mark.slow
def test_the_bank_has_a_mutant_for_every_gap_class():
    assert len(planted()) >= 110
    assert {mutant.number for mutant in planted()} == {"3.2", "3.3", "3.4", "3.5"}


@pytest.mark.slow
def test_every_mutant_of_the_bank_costs_its_own_task():
    missed = [mutant.name for mutant in planted()
              if graded(mutant.submission, mutant.number).points == SHEET.task(mutant.number).points]
    assert not missed


@pytest.mark.slow
def test_every_mutant_of_the_bank_leaves_the_other_tasks_alone():
    for mutant in planted():
        others = [task for task in SHEET.code_tasks if task.number != mutant.number
                  and (task.gap.file == SHEET.task(mutant.number).gap.file or task.number in ("3.6", "3.7"))]
        for task in others:
            assert graded(mutant.submission, task.number).status == "right", (mutant.name, task.number)


@pytest.mark.parametrize("number, solution", [
    (task.number, solution) for task in SHEET.code_tasks for solution in task.solutions[1:]])
@pytest.mark.slow
def test_every_spelling_of_a_solution_is_right(number, solution):
    assert graded(with_gap(number, solution), number).status == "right"


@pytest.mark.parametrize("content, words", [
    ("return (value for value in grad)", "isn't an array of numbers; its type is generator."),
    ("return grad.astype('M8[s]')", "its type is array of datetime64[s]."),
    ("return np.broadcast_to(0.0, (10 ** 6, 10 ** 6))", "more memory than the limit allows")])
@pytest.mark.slow
def test_what_cannot_be_sent_is_named(content, words):
    """It was called an array of shape (0,), or the end of the whole program."""
    assert words in graded(with_gap("3.2", content), "3.2").feedback


@pytest.mark.slow
def test_a_box_that_ends_during_the_diagnosis_proves_nothing():
    """The checker's questions after the end had counted as right answers."""
    result = graded(with_gap("3.2", "import time\ntime.sleep(0.25)\nreturn grad"), "3.2", wall=6)
    assert result.cause == "wrong values" and "Evidence" not in result.feedback, result


@pytest.mark.slow
def test_a_busy_machine_costs_no_points(monkeypatch):
    """A limit on the clock counts only the time in which a processor was free for the box, or for who grades it."""
    made = with_gap("3.2", "import time\ntime.sleep(0.6)\nreturn grad * (self.input_cache > 0)")
    assert graded(made, "3.2", wall=2).status == "limit"
    waits = iter([0.0] + [100.0] * 1000)
    monkeypatch.setattr("grading.box.queued", lambda task="thread-self": next(waits) if task == "thread-self" else 0.0)
    assert graded(made, "3.2", wall=2).status == "right"


def test_a_conflict_that_a_merge_has_left_is_named():
    made = with_gap("3.3", "@@@")
    text = made.text("lib/network.py").replace("        @@@", "<<<<<<< HEAD\n        a = 1\n=======\n>>>>>>> dev")
    result = graded(submission({"lib/network.py": text}), "3.3")
    assert result.cause == "merge conflict" and result.status == "error"
    assert "In line " + str(text[:text.index("<<<<")].count("\n") + 1) in result.feedback


@pytest.mark.parametrize("share, points, step, expected", [
    (1.0, 2, 0.5, 2), (0.999, 2, 0.5, 1.5), (0.75, 1, 0.5, 0.5), (0.49, 1, 0.5, 0), (0.3, 2, 0.25, 0.5), (0, 1, 0.5, 0),
    (0.9, 1, 1, 0)])
def test_points_come_in_whole_steps(share, points, step, expected):
    assert points_for(share, points, step) == expected


def test_placeholders():
    assert is_placeholder("# comment\nraise NotImplementedError\n")
    assert is_placeholder('raise NotImplementedError("TODO")')
    assert not any(map(is_placeholder, ("pass", None, "x = 1\nraise NotImplementedError")))


@pytest.mark.slow
def test_a_missing_file_and_an_empty_one():
    made = submission({"lib/losses.py": None, "lib/activations.py": ""})
    assert graded(made, "3.4")[2:6] == (0, 2, "error", "file missing")
    assert graded(made, "3.2").points == 0 and graded(made, "3.3").status == "right"


@pytest.mark.slow
def test_an_import_that_never_ends_is_not_repeated():
    text = reference_files(SHEET)["lib/network.py"] + "\nwhile True:\n    pass\n"
    made, spent = submission({"lib/network.py": text}), {}
    setting = Setting(SHEET, made, isolation.strongest(), Limits(cpu=1, wall=3), KEY)
    first = grade_task(setting, SHEET.task("3.3"), spent)
    assert first.status == "limit" and isinstance(spent["lib/network.py"], BoxError)
    assert grade_task(setting, SHEET.task("3.5"), spent).status == "limit"
    assert grade_task(setting, SHEET.task("3.2"), spent).status == "right"


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
