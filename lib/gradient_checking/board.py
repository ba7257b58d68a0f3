"""The board of the sheet: each task with its points, whether it is to do, right or wrong, and why.

Tasks, points and order stand in exercises/backpropagation/sheet.json. Every task is judged by itself, whatever the
other gaps hold: a Sequential is checked with modules that are known to be right.
"""
from __future__ import annotations

import contextlib
import importlib
import io
import sys
import textwrap
import traceback
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from lib.gradient_checking import tasks
from lib.gradient_checking.check import check_module
from lib.gradient_checking.course import Task, coding_tasks, sheet
from lib.gradient_checking.diagnose.advice import nearly
from lib.gradient_checking.diagnose.exceptions import explain
from lib.gradient_checking.discovery import examples_of
from lib.gradient_checking.gaps import gap_of
from lib.gradient_checking.report import TO_DO, WRONG
from lib.gradient_checking.syntax import place_of, syntax_lines
from lib.gradient_checking.text import WIDTH, exception_lines, wrapped
from lib.network_base import Module, Parameter

RIGHT = "right"
FUNCTIONS: Dict[str, Callable[[Any], str]] = {
    "zero_grad": tasks.wrong_with_zero_grad, "check_gradients": tasks.wrong_with_check_gradients,
    "backward_pass": tasks.wrong_with_backward_pass}
QUESTIONS = {
    "zero_grad": "What must a gradient be, so that backward can add to it, entry by entry?",
    "check_gradients": "Which network would show that backward visits the layers in the right order?",
    "backward_pass": "Which gradient is where after each line, and which way does the loss fall?"}


class Outcome(NamedTuple):
    """What became of a task."""

    task: Task
    verdict: str  # "right", "wrong" or "to do"
    cause: str = ""  # in a line; of what is right, a remark
    detail: str = ""  # in at most MOST_LINES lines of text.py

    @property
    def is_right(self) -> bool:
        return self.verdict == RIGHT

    def to_dict(self) -> Dict[str, Any]:
        """Return the outcome as JSON takes it."""
        return {"number": self.task.number, "name": self.task.name, "points": self.task.points,
                "verdict": self.verdict, "cause": self.cause, "detail": self.detail}


def outcomes() -> List[Outcome]:
    """Judge every coding task of the sheet; what the student's code prints meanwhile is swallowed."""
    return [outcome_of(task) for task in coding_tasks()]


def outcome_of(task: Task) -> Outcome:
    """Judge one task; whatever its code raises becomes part of the outcome."""
    state, stdin = np.random.get_state(), sys.stdin
    np.random.seed(0)
    sys.stdin = io.StringIO()  # an input() that is left in would wait, and its prompt isn't seen
    with contextlib.redirect_stdout(io.StringIO()), np.errstate(all="ignore"):
        try:
            if not is_there(task):
                return Outcome(task, TO_DO, "", f"{task.number} {task.name}: {task.file} has no {task.name}. Is it the "
                                                "file of another sheet?")
            renamed = _renamed(task)
            if renamed:
                says = f"{task.file} has {renamed} in place of {task.name}: the tests call it by its name."
                return Outcome(task, WRONG, says, "\n".join(wrapped(f"{task.number} {task.name}: {says}")))
            function = _function(task)
            gap = gap_of(function)
            if gap is not None and gap.is_empty:
                return Outcome(task, TO_DO, "", f"{task.number} {task.name}: the gap is still empty ({gap.place}).")
            if gap is not None and gap.is_blocked:
                says = "raise NotImplementedError still stands before your own lines: they aren't reached."
                detail = wrapped(f"{task.number} {task.name} ({gap.place}): {says}")
                return Outcome(task, WRONG, says, "\n".join(detail))
            place = gap.place if gap is not None else task.file
            if task.name in FUNCTIONS:
                return _judge_function(task, function, place)
            return _judge_module(task, place)
        except (Exception, SystemExit, KeyboardInterrupt) as error:
            return _of_exception(task, error)
        finally:
            np.random.set_state(state)
            sys.stdin = stdin


def _holder(task: Task) -> Any:
    """Return the class or module that a task's function stands in."""
    module: Any = importlib.import_module(task.file[:-len(".py")].replace("/", "."))
    owner = task.name.rpartition(".")[0]
    return getattr(module, owner) if owner else module


def _function(task: Task) -> Any:
    return getattr(_holder(task), task.name.rpartition(".")[2])


def _renamed(task: Task) -> str:
    """Return the name that a task's function has got in place of its own; "" if it wasn't renamed."""
    there, name = vars(_holder(task)), task.name.rpartition(".")[2]
    return "" if name in there else next(iter(nearly(name, [other for other in there if callable(there[other])])), "")


def is_there(task: Task) -> bool:
    """Return whether the file has the task's code at all, as another sheet's file of the same name may not have it."""
    try:
        return bool(_renamed(task)) or _function(task) is not Module.backward
    except AttributeError:
        return False
    except Exception:  # the file can't be imported: that is another matter
        return True


def _judge_function(task: Task, function: Any, place: str) -> Outcome:
    try:
        sentence = FUNCTIONS[task.name](function)
    except NotImplementedError as error:
        if traceback.extract_tb(error.__traceback__)[-1].name == task.name:
            return Outcome(task, TO_DO, "", f"{task.number} {task.name}: the gap is still empty ({place}).")
        raise
    if not sentence:
        return Outcome(task, RIGHT)
    text, *table = sentence.split("\n")
    lines = textwrap.wrap(f"{task.name} is wrong ({place}): {text}", WIDTH, subsequent_indent="  ") + table
    return Outcome(task, WRONG, text, "\n".join(lines + [f"  Think about: {QUESTIONS[task.name]}"]))


def _judge_module(task: Task, place: str) -> Outcome:
    class_name = task.name.split(".")[0]
    cls = getattr(importlib.import_module(task.file[:-len(".py")].replace("/", ".")), class_name)
    situations = _networks(cls) if class_name == "Sequential" else examples_of(cls, np.random.default_rng(0))
    remarked = Outcome(task, RIGHT)
    for module, inputs in situations:
        report = check_module(module, inputs)
        if not report.ok:
            told = report.causes if report.hints else [each for each in report.causes if report.raised and "\n" in
                                                       each.evidence]
            return Outcome(task, report.verdict, told[0].sentence if told else "", str(report))
        if report.remarks and not remarked.detail:
            remarked = Outcome(task, RIGHT, f"but {report.remarks[0]}", str(report))
    return remarked


def _of_exception(task: Task, error: BaseException) -> Outcome:
    """Return the outcome of code that raised: the student's own line, and what is wrong with it."""
    if isinstance(error, SyntaxError) and error.filename:
        where = place_of(error)
        lines = [f"{task.name} can't be tried, as Python doesn't understand {where}:"] + syntax_lines(error)
        return Outcome(task, WRONG, f"{type(error).__name__}: {error.msg} ({where})", "\n".join(lines))
    says = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    first = explain(error, "", task.name if task.name in FUNCTIONS else "")[0]
    where = first.sentence.rpartition(": ")[2]
    lines = [f"{task.name} raises an exception."] + exception_lines(first._replace(sentence=where))
    return Outcome(task, WRONG, says.splitlines()[0], "\n".join(lines))


# ---------------------------------------------------------------------- networks of known parts

class _Scale(Module):
    """y = w x, column by column: a module that is known to be right, of which networks are made to check a Sequential.

    (Not a linear layer, whose backward is a task of the sheet: this file is handed out with it.)
    """

    def __init__(self, columns: int, rng: np.random.Generator) -> None:
        self.W = Parameter(rng.uniform(0.5, 2, columns) * rng.choice([-1.0, 1.0], columns), name="W")

    def parameters(self) -> List[Parameter]:
        return [self.W]

    def forward(self, x: np.ndarray) -> np.ndarray:
        self.input_cache = x
        return self.W.data * x

    def backward(self, grad: np.ndarray) -> np.ndarray:
        for x_n, grad_n in zip(self.input_cache, grad):
            self.W.grad = self.W.grad + x_n * grad_n
        return self.W.data * grad


class _Columns(Module):
    """y = the columns of x, from the first on and round again, until there are enough."""

    takes_any_number = True

    def __init__(self, columns: int) -> None:
        self.columns = columns

    def forward(self, x: np.ndarray) -> np.ndarray:
        self.input_cache = x
        return x[:, np.arange(self.columns) % x.shape[1]]

    def backward(self, grad: np.ndarray) -> np.ndarray:
        result = np.zeros_like(self.input_cache)
        for column in range(self.columns):
            result[:, column % result.shape[1]] += grad[:, column]
        return result


class _Cubic(Module):
    """y = x + x^3 / 3."""

    takes_any_number = True

    def forward(self, x: np.ndarray) -> np.ndarray:
        self.input_cache = x
        return x + x ** 3 / 3

    def backward(self, grad: np.ndarray) -> np.ndarray:
        return grad * (1 + self.input_cache ** 2)


def _networks(sequential: Any) -> List[Tuple[Module, Tuple[Any, ...]]]:
    rng = np.random.default_rng(0)
    deep = sequential(_Scale(4, rng), _Columns(6), _Cubic(), _Scale(6, rng), _Columns(3))
    square = sequential(_Scale(3, rng), _Cubic(), _Scale(3, rng))
    single = sequential(_Scale(2, rng))
    return [(deep, (rng.uniform(-1, 1, (3, 4)),)), (square, (rng.uniform(-1, 1, (3, 3)),)),
            (single, (rng.uniform(-1, 1, (1, 2)),))]


# ---------------------------------------------------------------------- the board as text

def waits_for(task: Task, found: Sequence[Outcome]) -> Optional[Task]:
    """Return the first earlier task that a task builds upon, directly or not, and that isn't right; or None."""
    by_number = {outcome.task.number: outcome for outcome in found}
    needed = [task]
    for each in needed:
        needed += [by_number[number].task for number in each.builds_upon
                   if number in by_number and by_number[number].task not in needed]
    return next((each for each in sorted(needed, key=lambda each: each.number)
                 if each is not task and not by_number[each.number].is_right), None)


def as_text(found: Sequence[Outcome]) -> str:
    """Return the board as lines: a line a task, then the first task that isn't right in detail."""
    points = sum(outcome.task.points for outcome in found if outcome.is_right)
    lines = [f"{sheet().get('title', 'The sheet')}: {points:g} of {sum(o.task.points for o in found):g} points"]
    width = max(len(outcome.task.name) for outcome in found)
    for outcome in found:
        line = f"  {outcome.task.number}  {outcome.task.name:<{width}}  {outcome.task.points:g}  {outcome.verdict:<6}"
        lines.append(textwrap.shorten(outcome.cause, WIDTH - len(line) - 2, placeholder=" ...").join([line + "  ", ""])
                     .rstrip())
    first = next((outcome for outcome in found if not outcome.is_right), None)
    if first is not None:
        lines += ["", first.detail]
    return "\n".join(lines)


def explained(run: Callable[[], Any]) -> Any:
    """Run a program; where a task of the sheet isn't right, say so, with exit status 1.

    Where the program fails, the board stands in place of a traceback; where it ends, those tasks are named, and why
    the first of them isn't right: what the program has printed before may be due to that.
    """
    try:
        result = run()
    except Exception:
        found = outcomes()
        if all(outcome.is_right for outcome in found):
            raise
        sys.stdout.flush()  # what was printed before stands above
        print(as_text(found), file=sys.stderr)
        sys.exit(1)
    left = [outcome for outcome in outcomes() if not outcome.is_right]
    if left:
        names = ", ".join(f"{outcome.task.number} {outcome.task.name} ({outcome.verdict})" for outcome in left)
        print(textwrap.fill(f"Not right yet: {names}. See python -m lib.gradient_utilities.", WIDTH))
        print("\n" + left[0].detail)
        sys.exit(1)
    return result
