"""What a test run shows: the reason of a failure on one screen; with -v, or --tb, pytest's own words.

Tests of the sheet (its sheet.json lists their files) carry the marks `sheet3` and `task1` to `task7`: run those of one
task by -m "sheet3 and task2". What needs an earlier task that isn't right yet waits for it, and doesn't fail. As long
as a task of the sheet isn't right, a run of all tests is one of the sheet's tests (but not for another sheet's file,
which lacks the task's function). It ends with the board of the sheet.
"""
from __future__ import annotations

import re
from typing import Any, Dict, List, Optional, Sequence, Tuple

import pytest

from lib.gradient_checking import board
from lib.gradient_checking.course import Task, coding_tasks
from lib.gradient_checking.diagnose.exceptions import explain
from lib.gradient_checking.gaps import is_in_gap, relative
from lib.gradient_checking.text import exception_lines, wrapped

MOST_LINES = 20
SHEET = "sheet3"


class OneScreen:
    """The plugin: its methods are pytest's hooks."""

    def __init__(self, config: Any) -> None:
        self.is_brief = config.option.verbose <= 0 and config.option.tbstyle == "auto"
        if self.is_brief:
            config.option.tbstyle, config.option.reportchars = "no", ""
        self.tasks = coding_tasks()
        self.number = {task.number: i + 1 for i, task in enumerate(self.tasks)}
        for task in self.tasks:
            config.addinivalue_line("markers", f"task{self.number[task.number]}: tests of {task.name}, with {SHEET}")
        config.addinivalue_line("markers", f"{SHEET}: tests of the main sheet's coding tasks")
        self.is_whole_run = not config.option.file_or_dir and not config.option.keyword
        self.found: List[board.Outcome] = []
        self.is_of_sheet_alone = self.is_whole_run and SHEET in config.option.markexpr
        self.tried: List[Task] = []
        self.failures: Dict[str, List[str]] = {}  # what is said about a test or file, by its name

    # ------------------------------------------------------------------ which tests run

    def pytest_sessionstart(self) -> None:
        """Judge the sheet's tasks before a run of all tests, which is one of the sheet's while a task isn't right."""
        if self.is_whole_run:
            self._judge()
            self.is_of_sheet_alone |= any(not outcome.is_right and board.is_there(outcome.task)
                                          for outcome in self.found)

    def pytest_ignore_collect(self, collection_path: Any) -> Optional[bool]:
        if self.is_of_sheet_alone and collection_path.suffix == ".py":
            return self._task_of_file(relative(str(collection_path))) is None or None
        return None

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: List[Any]) -> None:
        """Mark the sheet's tests, and let those wait that can't be right yet."""
        of_sheet = [(item, task) for item in items for task in [self._task_of(item)] if task is not None]
        for item, task in of_sheet:
            item.add_marker(SHEET)
            item.add_marker(f"task{self.number[task.number]}")
            self._judge()
            earlier = board.waits_for(task, self.found)
            if earlier is not None:
                item.add_marker(pytest.mark.skip(reason=f"waits for task {earlier.number}: {earlier.name}"))

    def pytest_collection_finish(self, session: Any) -> None:
        found = [self._task_of(item) for item in session.items]
        self.tried += [task for task in self.tasks if task in found and task not in self.tried]

    def _task_of(self, item: Any) -> Optional[Task]:
        return self._task_of_file(relative(str(item.path)))

    def _task_of_file(self, file: str) -> Optional[Task]:
        return next((task for task in self.tasks if file in task.tests), None)

    def _judge(self) -> None:
        self.found = self.found or board.outcomes()

    # ------------------------------------------------------------------ what failed

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, item: Any, call: Any) -> Any:
        outcome = yield
        if outcome.get_result().failed and call.excinfo is not None:
            self.failures[f"{relative(str(item.path))}::{item.name}"] = said_by(call.excinfo)

    def pytest_collectreport(self, report: Any) -> None:
        """Note a file that can't even be imported, and the task whose code is to blame."""
        if report.failed:
            text = str(report.longrepr).strip().splitlines()
            self.failures[report.nodeid] = [text[-1] if text else "can't be imported"]
            task = self._task_of_file(report.nodeid)
            self._judge()
            if task is not None and task not in self.tried:
                self.tried.append(task)

    # ------------------------------------------------------------------ what is shown

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        lines = self._lines() + skips(terminalreporter.stats.get("skipped", ())) if self.is_brief else []
        if lines:
            terminalreporter.ensure_newline()
            for line in lines:
                terminalreporter.write_line(line)

    def _lines(self) -> List[str]:
        if self.failures:
            self._judge()
        wrong = [outcome for outcome in self.found if not outcome.is_right]
        if self.found and len(self.tried) != 1 and (self.is_whole_run or self.tried or self.failures and wrong):
            lines = board.as_text(self.found).splitlines()
            if wrong:  # what else fails may be due to that
                return lines
            remarked = [outcome for outcome in self.found if outcome.detail]
            if self.failures and remarked:  # a remark on what is right may be why
                lines += ["", *remarked[0].detail.splitlines()]
        else:
            lines = []
            for outcome in self.found:
                if outcome.task in self.tried:
                    earlier = board.waits_for(outcome.task, self.found)
                    if earlier is not None:
                        lines.append(f"{outcome.task.number} {outcome.task.name} waits for task {earlier.number}: "
                                     f"{earlier.name}, which isn't right yet (python -m lib.gradient_utilities).")
                    elif not outcome.is_right:
                        return outcome.detail.splitlines()
                    elif self.failures:
                        lines += outcome.detail.splitlines()
        return lines + listed(self.failures, MOST_LINES - len(lines))


def said_by(excinfo: Any) -> List[str]:
    """Return the place and the message of an exception, without NumPy's tables and pytest's."""
    error = excinfo.value
    ours = [(relative(str(entry.path)), entry.lineno + 1) for entry in excinfo.traceback]
    ours = [(file, line) for file, line in ours if file.startswith(("lib/", "exercises/", "tests/", "grading/"))
            and not file.startswith("tests/finite_differences")]
    own = [place for place in ours if not place[0].startswith("tests/")]
    place = (own or ours or [("", 0)])[-1]
    if isinstance(error, AssertionError) and ours:
        place = ours[-1]
    where = f"{place[0]}, line {place[1]}: " if place[0] else ""
    report = getattr(error, "report", None)
    if report is not None:
        return str(report).splitlines()
    if own and not isinstance(error, AssertionError) and any(
            is_in_gap(entry.frame.raw, entry.lineno + 1) for entry in excinfo.traceback):
        return exception_lines(explain(error, "")[0])
    message = message_of(error)
    kind = "" if isinstance(error, AssertionError) else f"{type(error).__name__}: "
    return [line for text in (where + kind + message).splitlines()[:6] for line in wrapped(f"  {text}")]


def message_of(error: BaseException) -> str:
    """Return an exception's message; of NumPy's comparisons, how many numbers differ and the first of them."""
    message = re.sub(r"\n(assert | +\+).*", "", str(error).strip(), flags=re.DOTALL)  # pytest shows what was compared
    count = re.search(r"Mismatched elements: (\d+) / (\d+)", message)
    if count is None:
        return message or type(error).__name__
    own = re.sub(r"^(Arrays are not .*|Not equal to tolerance.*)\n", "", message[:count.start()]).strip()
    first = re.search(r"(\[[\d, ]*\]): (\S+) \(ACTUAL\), (\S+) \(DESIRED\)", message)
    entry = f"; at {first[1]}, expected {first[3]}, got {first[2]}" if first else ""
    return (own + ": " if own else "") + f"{count[1]} of {count[2]} numbers differ{entry}."


def skips(reports: Sequence[Any]) -> List[str]:
    """Return why tests were skipped, in a line or two; what waits for an earlier task is said elsewhere."""
    reasons = [str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr) for report in reports]
    reasons = [reason.replace("Skipped: ", "") for reason in reasons if "waits for task" not in reason]
    told = [f"{reason} ({reasons.count(reason)})" for reason in dict.fromkeys(reasons)]
    return wrapped(f"Skipped: {'; '.join(told)}.") if told else []


def listed(failures: Dict[str, List[str]], most_lines: int) -> List[str]:
    """Return the failures, as many as there is room for; those with the same reason together."""
    by_reason: Dict[Tuple[str, ...], List[str]] = {}
    for name, said in failures.items():
        by_reason.setdefault(tuple(said), []).append(name)
    lines: List[str] = []
    left = len(failures)
    for said, names in by_reason.items():
        if lines and len(lines) + 1 + len(said) > most_lines:
            return lines + [f"{left} more failed. All of it: -v."]
        lines += [names[0] + (f", and {len(names) - 1} more" if len(names) > 1 else "")] + list(said)
        left -= len(names)
    return lines


def waiting() -> bool:
    """Return whether some of the last run's tests waited for an earlier task."""
    return _last is not None and any(
        board.waits_for(task, _last.found) is not None for task in _last.tried if _last.found)


_last: Optional[OneScreen] = None


def install(config: Any) -> None:
    """Register the plugin."""
    global _last
    _last = OneScreen(config)
    config.pluginmanager.register(_last, "one screen")
