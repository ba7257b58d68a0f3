"""Grading one code task: boxes, probes, points, and what the student is told."""
from __future__ import annotations

import contextlib
import math
import re
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

from grading.box import Box, BoxError
from grading.box_folder import box_folder
from grading.gaps import gap_text
from grading.isolation import Level, Limits
from grading.layout import lay_out, write
from grading.oracle import Oracle, generator
from grading.probes import LATER, NOTHING_RIGHT, Examiner, Finding
from grading.probes_training import World
from grading.sheet import Sheet, Task
from grading.standin import Explanation, diagnose, is_network, layer_names
from grading.submission import Submission

MOST_WORDS = 160
RIGHT, PARTLY, WRONG, TO_DO, ERROR, LIMIT, FOR_TUTOR = ("right", "partly", "wrong", "to do", "error", "limit",
                                                        "for the tutor")
ASKS_OTHERS = {"ImportError", "ModuleNotFoundError", "AttributeError", "NameError", "KeyError"}
SHAPES = {"ValueError", "IndexError", "TypeError"}  # what NumPy raises where shapes don't fit
CHANGES = Finding(False, "answers change", "The same question doesn't always get the same answer. What does your code "
                  "keep from one call to the next?")
PLACEHOLDER = re.compile(r"^\s*raise NotImplementedError\b[^\n]*$")


class TaskResult(NamedTuple):
    """What came out of one task; points are None where a tutor gives them."""

    number: str
    name: str
    points: Optional[float]
    max_points: Optional[float]
    status: str
    cause: str = ""
    feedback: str = ""


class Setting(NamedTuple):
    """How a submission is graded: the same for all its tasks."""

    sheet: Sheet
    submission: Submission
    level: Level
    limits: Limits
    key: bytes  # makes the drawn inputs: nobody who doesn't know it can foresee them
    hidden: Sequence[str] = ()


class Attempt(NamedTuple):
    """The outcome of a task's probes in one layout of the box."""

    share: float
    failed: List[Tuple[Dict[str, Any], Finding]]
    error: Optional[BoxError] = None
    imported: bool = True
    is_numeric: bool = False
    variant: int = 0


def grade_task(setting: Setting, task: Task, spent: Dict[str, BoxError]) -> TaskResult:
    """Grade a code task.

    Args:
        spent: by file, the limit that its import has hit; such an import isn't repeated for the next task.
    """
    assert task.gap is not None
    text = setting.submission.text(task.gap.file)

    def result(status: str, share: float = 0.0, cause: str = "", feedback: str = "") -> TaskResult:
        points = points_for(share, task.points or 1, setting.sheet.get("step", 0.5))
        if points > 0 and status in (WRONG, ERROR, TO_DO):
            status = PARTLY
        return TaskResult(task.number, task.name, None if task.points is None else points, task.points, status, cause,
                          shortened(feedback))

    if text is None:
        return result(ERROR, cause="file missing", feedback=f"{task.gap.file} isn't in the submission.")
    if is_placeholder(gap_text(text, task.gap.name)):
        return result(TO_DO, cause="to do", feedback="This isn't written yet.")
    if task.gap.file in spent:
        return result(LIMIT, cause="limit at import", feedback=f"Importing {task.gap.file} never ends: "
                      f"{spent[task.gap.file].words}")
    best = attempt_all(setting, task)
    if best.error is not None and best.error.status == LIMIT and not best.imported:
        spent[task.gap.file] = best.error
    if best.is_numeric:
        return result(WRONG, 0.0, "finite differences", "The gradient is computed by finite differences. The task asks "
                      "for the chain rule: derive the formula, and check_gradients compares it with differences.")
    if best.share >= 1 - 1e-9:
        return result(RIGHT, 1.0)
    cause, feedback, status = explain(setting, task, best)
    return result(status, best.share, cause, feedback)


def points_for(share: float, points: float, step: float) -> float:
    """Return the points for a share of a task, in whole steps: what isn't right costs at least one step."""
    if share >= 1 - 1e-9:
        return points
    return min(math.floor(share * points / step + 1e-9) * step, max(points - step, 0.0))


def is_placeholder(content: Optional[str]) -> bool:
    """Return whether a gap holds nothing but the placeholder that was handed out."""
    lines = [line for line in (content or "").split("\n") if line.strip() and not line.strip().startswith("#")]
    return len(lines) == 1 and PLACEHOLDER.match(lines[0]) is not None


def shortened(text: str) -> str:
    """Return at most MOST_WORDS words of a text."""
    words = text.split()
    return text if len(words) <= MOST_WORDS else " ".join(words[:MOST_WORDS - 1]) + " ..."


# ---------------------------------------------------------------------- attempts

def attempt_all(setting: Setting, task: Task) -> Attempt:
    """Try the layouts of grading.layout, from the strictest on, as long as another one may help; return the best."""
    assert task.gap is not None
    best = attempt(setting, task, 0)
    shares_file = [other.gap and other.gap.file for other in setting.sheet.gap_tasks].count(task.gap.file) > 1
    if not best.imported and shares_file and (best.error is None or best.error.status != LIMIT):
        best = attempt(setting, task, 1)
    for variant in (2, 3) if shares_file else (2,):
        if best.share < 1 and best.error is not None and set(best.error.kinds) & ASKS_OTHERS:
            other = attempt(setting, task, variant)
            best = other if other.share > best.share else best
    return best


def attempt(setting: Setting, task: Task, variant: int) -> Attempt:
    """Run a task's probes in a box of its own."""
    assert task.gap is not None
    layout = lay_out(setting.sheet, task, setting.submission, variant)
    rng = generator(setting.key, setting.submission.digest(), task.number)
    with box_folder() as folder:
        write(layout, folder)
        with open_box(setting, folder, layout.student_files) as box:
            oracle = Oracle(setting.sheet, task)
            examiner = Examiner(box, oracle, task, rng)
            examiner.world = World(oracle)
            try:  # a file may already make and check modules while it is imported
                box.ask(question_of_import(setting, task, oracle, layout.overrides), (), examiner.world.handle)
            except BoxError as error:
                return Attempt(0.0, [], error, imported=False, variant=variant)
            return run_probes(examiner, setting)._replace(variant=variant)


def open_box(setting: Setting, folder: str, student_files: Dict[str, str]) -> Box:
    return Box(folder, student_files, setting.level, setting.limits, setting.sheet.get("packages", ["numpy"]),
               setting.hidden)


def question_of_import(setting: Setting, task: Task, oracle: Oracle, overrides: Sequence[Any]) -> Dict[str, Any]:
    """Return the question that imports the student's file; for a task with checks, on remote modules."""
    assert task.gap is not None
    remote = {}
    if any(probe["kind"] == "checks" for probe in task.probes):
        names = ["Sequential"] + [name for probe in task.probes for name in probe["spoil"] if name != "order"]
        remote = {name: oracle.place(name) for name in dict.fromkeys(names)}
    return {"op": "import", "module": task.gap.module, "overrides": list(overrides), "remote": remote}


def run_probes(examiner: Examiner, setting: Setting) -> Attempt:
    """Run the probes in a random order, one of them again at the end: the same question has the same answer."""
    task = examiner.task
    first = [i for i, probe in enumerate(task.probes) if probe["kind"] not in LATER]
    later = [i for i, probe in enumerate(task.probes) if probe["kind"] in LATER]
    order = list(examiner.rng.permutation(first)) + list(examiner.rng.permutation(later))
    order.append(first[int(examiner.rng.integers(len(first)))])
    findings: Dict[int, Finding] = {}
    drawn: Dict[int, Any] = {}
    error: Optional[BoxError] = None
    for i in map(int, order):
        drawn.setdefault(i, examiner.rng.bit_generator.state)
        later_on, examiner.rng.bit_generator.state = examiner.rng.bit_generator.state, drawn[i]
        ended = False
        try:
            finding = examiner.run(task.probes[i])
        except BoxError as raised:
            error = error if error is not None and error.status != LIMIT and raised.status == ERROR else raised
            finding = Finding(False, raised.status, raised.words)
            ended = raised.status == LIMIT or examiner.box.has_ended
        if i in findings:
            if findings[i].passed and not finding.passed and not ended:
                return Attempt(0.0, [(task.probes[i], CHANGES)])
            examiner.rng.bit_generator.state = later_on
        if ended:
            findings = {**{int(j): finding for j in order}, **findings, i: finding}
            break
        findings.setdefault(i, finding)
    share = sum(task.probes[i]["share"] for i, finding in findings.items() if finding.passed)
    failed = [(task.probes[i], findings[i]) for i in sorted(findings) if not findings[i].passed]
    is_numeric = False
    if share > 0 and error is None:
        with contextlib.suppress(BoxError):
            is_numeric = examiner.is_numeric()
    return Attempt(share, failed, error, is_numeric=is_numeric)


# ---------------------------------------------------------------------- words

def explain(setting: Setting, task: Task, found: Attempt) -> Tuple[str, str, str]:
    """Return (cause, feedback, status) of an attempt that isn't all right."""
    if not found.imported:
        assert found.error is not None and task.gap is not None
        lines = (setting.submission.text(task.gap.file) or "").split("\n")
        conflict = next((i for i, line in enumerate(lines, 1) if line.startswith("<<<<<<< ")), None)
        if conflict and "SyntaxError" in found.error.kinds:
            return ("merge conflict", f"In line {conflict} of {task.gap.file} begins a conflict that a merge in Git "
                    "has left. Keep one of the two versions, and delete the lines with <<<<<<<, ======= and >>>>>>>.",
                    ERROR)
        return ("doesn't import", f"{task.gap.file} can't be imported. {found.error.words}", found.error.status)
    names = [probe["name"] for probe, finding in found.failed if finding.cause != NOTHING_RIGHT]
    words = [f"Not right yet: {'; '.join(dict.fromkeys(names))}."] if found.share > 0 else []
    finding = next((f for _, f in found.failed if f.cause not in (ERROR, LIMIT, TO_DO, NOTHING_RIGHT)), None)
    error = found.error
    cause = diagnosed(setting, task, found)
    if error is not None and (finding is None or error.status == LIMIT):
        if error.status != ERROR:
            return error.status, " ".join(words + [error.words]), error.status
        name = cause.cause if cause else "exception"
        return name, " ".join(words + [error.words] + explained(cause, setting.sheet, error)), ERROR
    assert finding is not None
    if cause is None:
        return finding.cause, " ".join(words + [finding.sentence]), WRONG
    return cause.cause, " ".join(words + explained(cause, setting.sheet)), WRONG


def explained(cause: Optional[Explanation], sheet: Sheet, error: Optional[BoxError] = None) -> List[str]:
    """Return the checker's sentences at the course's level of hints; a formula is never among them."""
    if cause is None:
        return []
    hints = sheet.get("hints", 2)
    words: List[str] = []
    if error is not None and cause.cause == "exception in backward" and not SHAPES & set(error.kinds):
        return words
    if hints >= 1 and not (error is not None and cause.cause == "exception in backward"):
        words.append(cause.sentence)
    words.append(f"Think about: {cause.question}")
    if hints >= 2 and cause.evidence and error is None:
        words.append(f"Evidence: {cause.evidence.rstrip('.')}.")
    return words


def diagnosed(setting: Setting, task: Task, found: Attempt) -> Optional[Explanation]:
    """Return what the checker says of the first failed probe on modules; it looks from outside, in another box."""
    if found.error is not None and found.error.status != ERROR:
        return None
    probe = next((probe for probe, finding in found.failed if "make" in (probe.get("cases") or [{}])[0]
                  and finding.cause != NOTHING_RIGHT), None)
    best: Optional[Explanation] = None
    for case in probe["cases"] if probe is not None else ():
        explanation = look(setting, task, found.variant, case)
        if explanation is not None and explanation.cause not in ("exception in backward", "wrong shape", "unknown"):
            return explanation
        best = best or explanation
    return best


def look(setting: Setting, task: Task, variant: int, case: Dict[str, Any]) -> Optional[Explanation]:
    """Let the checker look at a case."""
    layout = lay_out(setting.sheet, task, setting.submission, variant)
    with box_folder() as folder:
        write(layout, folder)
        with open_box(setting, folder, layout.student_files) as box:
            oracle = Oracle(setting.sheet, task)
            rng = generator(setting.key, setting.submission.digest(), task.number, "causes")
            question = question_of_import(setting, task, oracle, layout.overrides)
            if is_network(case["make"]):
                question["remote"] = {name: oracle.place(name) for name in layer_names(case["make"])}
            try:
                box.ask(question)
                return diagnose(Examiner(box, oracle, task, rng), case)
            except BoxError:
                return None
