"""A sheet as its sheet.json describes it: tasks, points, gaps, probes, bonus. Everything else is derived from here."""
from __future__ import annotations

import ast
import hashlib
import json
import textwrap
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from grading.gaps import find_gaps

ROOT = Path(__file__).resolve().parent.parent
KINDS = ("written", "code", "style", "feedback")


class SheetError(ValueError):
    """A sheet.json says something that can't be meant."""


def module_name(file: str) -> str:
    """Return a file as Python imports it: "lib/network.py" is "lib.network"."""
    return file[:-len(".py")].replace("/", ".")


class Gap(NamedTuple):
    """Where a student writes: a function or method of a file."""

    file: str  # such as "lib/network.py"
    name: str  # such as "Linear.backward"

    @property
    def module(self) -> str:
        return module_name(self.file)

    @property
    def owner(self) -> str:
        """The class or function at the top of the file that holds the gap."""
        return self.name.split(".")[0]


class Task(NamedTuple):
    """A task of a sheet; points are None where the sheet states none."""

    number: str
    name: str
    kind: str
    points: Optional[float]
    text: str = ""
    gap: Optional[Gap] = None
    builds_upon: Tuple[str, ...] = ()
    tests: Tuple[str, ...] = ()
    probes: Tuple[Dict[str, Any], ...] = ()
    solutions: Tuple[str, ...] = ()
    file: str = ""

    @property
    def is_code(self) -> bool:
        return self.kind == "code"


class Sheet:
    """A sheet, read from exercises/<topic>/sheet.json.

    Attributes:
        topic: the folder's name, by which commands call the sheet.
        tasks, bonus: lists of Task, in the sheet's order.
        raw: the JSON, for what needs no more than to be looked up.
    """

    def __init__(self, raw: Dict[str, Any], folder: Path) -> None:
        self.raw, self.folder = raw, folder
        self.topic: str = raw["sheet"]
        self.title: str = raw["title"]
        self.tasks = [_task(entry, self.topic) for entry in raw["tasks"]]
        self.bonus = [_task(entry, self.topic) for entry in raw.get("bonus", [])]
        _check(self)

    @property
    def code_tasks(self) -> List[Task]:
        return [task for task in self.tasks if task.is_code]

    @property
    def max_points(self) -> float:
        return sum(task.points or 0 for task in self.tasks)

    @property
    def gap_tasks(self) -> List[Task]:
        """Return the tasks with a gap: the code tasks, and written ones whose code a tutor reads."""
        return [task for task in self.tasks + self.bonus if task.gap is not None]

    @property
    def gap_files(self) -> List[str]:
        """Return the files with gaps, each once."""
        return list(dict.fromkeys(task.gap.file for task in self.gap_tasks if task.gap))

    def task(self, number: str) -> Task:
        """Return the task, or bonus task, of this number."""
        for task in self.tasks + self.bonus:
            if task.number == number:
                return task
        raise SheetError(f"Sheet {self.topic} has no task {number!r}; it has "
                         f"{', '.join(task.number for task in self.tasks + self.bonus)}.")

    def digest(self) -> Dict[str, str]:
        """Return a hash of how each task is graded, by its number: a result with another one is stale."""
        common = {key: self.raw.get(key) for key in ("step", "hints", "packages", "placeholder")}
        return {entry["number"]: hashlib.sha256(json.dumps([common, entry], sort_keys=True).encode()).hexdigest()[:16]
                for entry in self.raw["tasks"] + self.raw.get("bonus", [])}

    def get(self, key: str, default: Any = None) -> Any:
        return self.raw.get(key, default)


def _task(entry: Dict[str, Any], topic: str) -> Task:
    unknown = set(entry) - set(Task._fields)
    if unknown:
        raise SheetError(f"Sheet {topic}, task {entry.get('number')}: unknown entries {', '.join(sorted(unknown))}; "
                         f"a task may have {', '.join(Task._fields)}.")
    try:
        values = dict(entry)
        if "gap" in values:
            values["gap"] = Gap(**values["gap"])
        for key in ("builds_upon", "tests", "probes"):
            values[key] = tuple(values.get(key, ()))
        values["solutions"] = tuple("\n".join(lines) for lines in values.get("solutions", ()))
        return Task(**values)
    except TypeError as error:
        raise SheetError(f"Sheet {topic}, task {entry.get('number', '(without a number)')}: {error}. A task needs "
                         "number, name, kind and points (null where the sheet states none).") from error


def _check(sheet: Sheet) -> None:
    """Raise SheetError, with a sentence, where the description contradicts itself."""
    def require(condition: bool, sentence: str) -> None:
        if not condition:
            raise SheetError(f"Sheet {sheet.topic}{where}: {sentence}")

    where, seen = "", set()
    require(isinstance(sheet.get("placeholder"), str), "it needs a placeholder, such as raise NotImplementedError, for "
            "its gaps.")
    require(_is_number(sheet.get("step", 1)) and sheet.get("step", 1) > 0, "step is a number of points above 0.")
    for path in sheet.get("release", {}).get("files", ()):
        require((ROOT / path).is_file(), f"release lists {path}, and there is no such file.")
    for task in sheet.tasks + sheet.bonus:
        where = f", task {task.number}"
        require(task.number not in seen, "this number occurs twice.")
        seen.add(task.number)
        require(task.kind in KINDS, f"the kind is one of {', '.join(KINDS)}, but got {task.kind!r}.")
        require(task.points is None or _is_number(task.points),
                f"points are a number that can't be negative, but got {task.points!r}.")
        if task.gap is not None:
            file = ROOT / task.gap.file
            require(file.is_file(), f"there is no file {task.gap.file} with its gap.")
            known = find_gaps(file.read_text(encoding="utf-8"))
            require(task.gap.name in known, f"{task.gap.file} has no gap {task.gap.name!r}, but {', '.join(known)}: "
                    "a gap stands between # START TODO and # END TODO.")
        for test in task.tests:
            require((ROOT / test).is_file(), f"there is no file {test}.")
        for solution in task.solutions:
            require(_is_code(solution), f"this solution isn't Python: {solution}")
        if task.is_code:
            require(task.gap is not None, "a code task needs a gap: its file and name.")
            require(bool(task.probes), "a code task needs probes that prove it.")
            for probe in task.probes:
                require(_is_number(probe.get("share")) and probe.get("cases") != [],
                        f"a probe needs a share, which is a number, and cases, but got {probe}.")
            total = sum(probe["share"] for probe in task.probes)
            require(abs(total - 1) < 1e-9, f"the probes' shares must sum to 1, but sum to {total:g}.")
    for task in sheet.tasks:
        where = f", task {task.number}"
        for other in task.builds_upon:
            require(other in seen, f"it builds upon {other!r}, which isn't a task of this sheet.")


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0


def _is_code(solution: str) -> bool:
    """Return whether a text can be the body of a function."""
    try:
        ast.parse("def gap():\n" + textwrap.indent(solution, "    "))
    except SyntaxError:
        return False
    return True


def topics() -> List[str]:
    """Return the topics that have a sheet.json."""
    return sorted(path.parent.name for path in (ROOT / "exercises").glob("*/sheet.json"))


def load_sheet(topic: str) -> Sheet:
    """Read the sheet of a topic, such as "backpropagation", or of a folder that holds a sheet.json.

    Raises:
        SheetError: there is no such sheet, or its description contradicts itself.
    """
    folder = ROOT / "exercises" / topic if topic in topics() else Path(topic)
    path = folder / "sheet.json"
    if not path.is_file():
        raise SheetError(f"There is no sheet {topic!r}: expected one of {', '.join(topics())}, or a folder that holds "
                         "a sheet.json.")
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(raw, dict):
            raise SheetError(f"{path} holds a {type(raw).__name__}; a sheet is an object with sheet, title and tasks.")
        return Sheet(raw, folder)
    except json.JSONDecodeError as error:
        raise SheetError(f"{path} isn't valid JSON: {error}.") from error
    except KeyError as error:
        raise SheetError(f"{path} has no entry {error}; a sheet needs sheet, title and tasks.") from error
