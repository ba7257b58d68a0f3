"""Grading one submission: every task, style and feedback, the work as a whole, and what a tutor should look at."""
from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
from pathlib import Path
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Union

from grading import isolation
from grading.box import BoxError, plain
from grading.feedback import read_feedback
from grading.gaps import gap_text
from grading.history import History, read_history
from grading.isolation import Level, Limits
from grading.judge import FOR_TUTOR, RIGHT, TO_DO, WRONG, Setting, TaskResult, grade_task, is_placeholder
from grading.release import build
from grading.sheet import Sheet, Task
from grading.static import look
from grading.submission import Submission, read_submission
from grading.whole import run_whole

MOST_CHANGED = 8
ALIKE = 0.5  # a file that shares less than this with ours isn't from our release, so changes can't be told


class GradingError(RuntimeError):
    """Nothing can be graded in this way; the message says why."""


class Options(NamedTuple):
    """What the instructor has chosen."""

    limits: Limits = Limits()
    require: Optional[str] = None  # "strong"
    most: Optional[str] = None  # the name of the strongest level to be tried
    key: Optional[bytes] = None
    hidden: Sequence[str] = ()
    release: Optional[str] = None  # the release that was handed out, if it isn't today's


def own_key() -> bytes:
    """Return this user's secret, by which inputs are drawn; it is made at its first use.

    With the same secret, the same submission gets the same report, to the byte; who doesn't know it can't foresee the
    inputs. The environment variable GRADING_KEY takes its place, so that several machines can share one.
    """
    given = os.environ.get("GRADING_KEY")
    if given:
        return given.encode("utf-8")
    path = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "numpy-teaching-library" / "grading.key"
    try:
        if not path.is_file():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with contextlib.suppress(FileExistsError):
                descriptor = os.open(str(path), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(descriptor, "w") as file:
                    file.write(secrets.token_hex(32))
        key = path.read_bytes()
        return key if key else secrets.token_bytes(32)
    except OSError:
        return secrets.token_bytes(32)


def level_for(options: Options) -> Level:
    """Return the level of isolation, or raise GradingError where it isn't what is required."""
    if os.name != "posix":
        raise GradingError("Students' code is run on Linux and macOS alone. On Windows, grade in WSL: it is a Linux, "
                           "and isolates as strongly (wsl --install, then in it apt-get install bubblewrap).")
    level = isolation.strongest(options.most)
    if options.require == "strong" and not level.is_strong:
        raise GradingError(f"Strong isolation is required, but this machine allows only {level.name}: {level.promise}. "
                           "On Linux, install bubblewrap (Debian: apt-get install bubblewrap).")
    return level


def grade(sheet: Sheet, path: Union[str, Path], options: Options = Options(),
          marks: Optional[Dict[str, float]] = None) -> Dict[str, Any]:
    """Grade a submission and return the report, as JSON takes it; grading/README.md describes it.

    Args:
        sheet: what is graded.
        path: a folder, a zip or a Git clone.
        marks: the tutor's points by the number of the task.

    Raises:
        SubmissionError: the submission can't be read at all.
        GradingError: the machine can't isolate as strongly as is required.
    """
    return grade_submission(sheet, read_submission(path, sheet), options, marks)


def grade_submission(sheet: Sheet, submission: Submission, options: Options = Options(),
                     marks: Optional[Dict[str, float]] = None) -> Dict[str, Any]:
    """Grade a submission that was read already."""
    level = level_for(options)
    setting = Setting(sheet, submission, level, options.limits, options.key or own_key(), options.hidden)
    marks = marks or {}
    spent: Dict[str, BoxError] = {}
    results = [_marked(grade_task(setting, task, spent) if task.is_code else
                       TaskResult(task.number, task.name, None, task.points, FOR_TUTOR), marks)
               for task in sheet.tasks]
    asked_for = sheet.gap_files + ["feedback.md"] + sorted(path for path in submission.files if path.endswith(".py"))
    history = read_history(submission.git, asked_for, sheet.get("pushes", {}).get("branch", "master")) \
        if submission.git else None
    if history is not None and not is_handed_out(sheet, submission, history.first):
        history = history._replace(first={}, names=frozenset())
    handed_out = read_submission(options.release, sheet).files if options.release else build(sheet)
    facts = _facts(sheet, submission, _bases(sheet, submission, history, handed_out))
    feedback = read_feedback(submission.text("feedback.md"), history.first.get("feedback.md") if history else None)
    bonus = [_marked(_bonus(task, facts, feedback, submission), marks) for task in sheet.bonus]
    done = any(result.status != TO_DO for result in results if result.points is not None)
    whole = run_whole(setting) if done else None
    known = [result.points for result in results + bonus if result.points is not None]
    return {"sheet": sheet.topic, "submission": plain(submission.name, 200), "digest": submission.digest(),
            "sheet_digest": sheet.digest(), "points": sum(known), "max_points": sheet.max_points,
            "isolation": level.name, "promise": level.promise,
            "tasks": [result._asdict() for result in results], "bonus": [result._asdict() for result in bonus],
            "whole": whole, "hours": feedback.hours, "answers": wrong_answers(sheet, submission, results),
            "for_the_tutor": for_the_tutor(sheet, submission, facts, history, results, added(
                submission, history, handed_out))}


def wrong_answers(sheet: Sheet, submission: Submission, results: Sequence[TaskResult]) -> Dict[str, str]:
    """Return, by task, a fingerprint of each wrong answer's code, without comments and layout."""
    found = {}
    for task, result in zip(sheet.tasks, results):
        if task.gap is not None and result.status in ("wrong", "partly", "error"):
            lines = (gap_text(submission.text(task.gap.file) or "", task.gap.name) or "").split("\n")
            code = "".join("".join(line.split()) + "\n" for line in (re.sub(r"#.*$", "", line) for line in lines)
                           if line.strip())
            if len(code) > 10:
                found[task.number] = hashlib.sha256(code.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return found


def with_marks(report: Dict[str, Any], marks: Dict[str, float]) -> Dict[str, Any]:
    """Return a report with the tutor's points, by the number of the task, and the sum that follows."""
    changed = dict(report)
    for part in ("tasks", "bonus"):
        changed[part] = [_marked(TaskResult(**entry), marks)._asdict() for entry in report[part]]
    changed["points"] = sum(entry["points"] or 0 for entry in changed["tasks"] + changed["bonus"])
    return changed


def _marked(result: TaskResult, marks: Dict[str, float]) -> TaskResult:
    """Return the result with the tutor's points, where there are some."""
    if result.number not in marks:
        return result
    points = marks[result.number]
    most = result.max_points
    status = RIGHT if most is not None and points >= most else "partly" if points > 0 else WRONG
    return result._replace(points=points, status=status, cause=result.cause and "by the tutor")


def _facts(sheet: Sheet, submission: Submission, bases: Dict[str, str]) -> Optional[Dict[str, Any]]:
    files = {path: submission.text(path) or "" for path in submission.files if path.endswith(".py")}
    gaps: Dict[str, List[str]] = {}
    for task in sheet.code_tasks:
        if task.gap:
            gaps.setdefault(task.gap.file, []).append(task.gap.name)
    ours = sorted({path.split("/")[0].split(".")[0] for path in list(build(sheet)) + list(files)})
    return look(files, gaps, bases, sheet.get("packages", ["numpy"]) + ours, sheet.get("line_length", 120))


def _bases(sheet: Sheet, submission: Submission, history: Optional[History], handed_out: Dict[str, bytes]
           ) -> Dict[str, str]:
    """Return the texts that were handed out: a clone's first commit, else the release, where the files come from it."""
    if history is not None and history.first:
        return dict(history.first)
    bases = {}
    for path, content in handed_out.items():
        text, own = content.decode("utf-8", "replace"), submission.text(path) if path.endswith(".py") else None
        if own is not None:
            ours, theirs = set(text.split("\n")), set(own.split("\n"))
            if len(ours & theirs) >= ALIKE * len(ours):
                bases[path] = text
    return bases if set(bases) & set(sheet.gap_files) else {}  # else it is the course's own, of which we know nothing


def is_handed_out(sheet: Sheet, submission: Submission, first: Mapping[str, str]) -> bool:
    """Return whether a first commit holds what was handed out: not if a gap is filled in it as it is now."""
    for task in sheet.gap_tasks:
        assert task.gap is not None
        texts = [first.get(task.gap.file, "").replace("\r\n", "\n"), submission.text(task.gap.file) or ""]
        then, now = [gap_text(text, task.gap.name) for text in texts]
        if then is not None and then == now and not is_placeholder(then):
            return False
    return True


def added(submission: Submission, history: Optional[History], handed_out: Dict[str, bytes]) -> List[str]:
    """Return the Python files that weren't handed out; none where it isn't known what was."""
    given = set(history.names if history is not None and history.names else handed_out)
    python = {path for path in given if path.endswith(".py")}
    if not python or len(python & set(submission.files)) < ALIKE * len(python):
        return []
    return sorted(path for path in submission.files if path.endswith(".py") and path not in given)


def _bonus(task: Task, facts: Optional[Dict[str, Any]], feedback: Any, submission: Submission) -> TaskResult:
    def result(points: float, status: str, cause: str = "", words: str = "") -> TaskResult:
        return TaskResult(task.number, task.name, points, task.points, status, cause, words)

    full = task.points or 0
    if task.kind == "written":
        return TaskResult(task.number, task.name, None, task.points, FOR_TUTOR)
    if task.kind == "feedback":
        if feedback.filled:
            return result(full, RIGHT)
        missing = submission.text(task.file or "feedback.md") is None
        return result(0, TO_DO, "feedback", "feedback.md is missing." if missing else
                      "feedback.md isn't filled in: no answer below its headings, and no hours in the list.")
    if facts is None:
        return result(0, "limit", "style", "The files couldn't be read within the limits.")
    if not any(gap["filled"] for gap in facts["gaps"].values()):
        return result(0, TO_DO, "style", "Style counts once a gap is filled.")
    if not facts["style"]:
        return result(full, RIGHT)
    path, line, code, words = facts["style"][0]
    more = f" and {len(facts['style']) - 1} more" if len(facts["style"]) > 1 else ""
    return result(0, WRONG, f"style {plain(code, 10)}", f"{plain(path, 80)}, line {line}: {plain(code, 10)} "
                  f"{plain(words, 100)}{more}. Run: pycodestyle --max-line-length 120 .")


def for_the_tutor(sheet: Sheet, submission: Submission, facts: Optional[Dict[str, Any]], history: Optional[History],
                  results: Sequence[TaskResult], new_files: Sequence[str] = ()) -> List[Dict[str, str]]:
    """Return what a tutor should look at: suggestions, for which nothing has been taken off."""
    found = [{"what": "handing in", "text": note} for note in submission.notes]

    def add(what: str, text: str) -> None:
        found.append({"what": what, "text": text})

    report = sheet.get("report")
    if report and not any(path.split("/")[-1].lower() == report for path in submission.files):
        add("report", f"There is no {report}.")
    pushes = sheet.get("pushes")
    if pushes and history and history.commits is not None and history.commits > pushes["most"]:
        add("pushes", f"{pushes['branch']} has {history.commits} commits after the first; more than {pushes['most']} "
                      "pushes may cost points. How many pushes these were, a clone doesn't tell.")
    for branch, count in history.missed.items() if history else ():
        add("branches", f"{plain(branch, 40)} has {count} commit{'s' * (count > 1)} that what was handed in lacks. Was "
                        "it to be merged?")
    if pushes and history and history.unmerged:
        add("branches", f"{pushes['branch']} lacks {history.unmerged} commits of what is checked out, and was graded.")
    if new_files:
        more = f" and {len(new_files) - MOST_CHANGED} more" if len(new_files) > MOST_CHANGED else ""
        add("added files", plain(", ".join(new_files[:MOST_CHANGED]), 300) + more + ".")
    for result in results:
        if result.cause == "finite differences":
            add("finite differences", f"Task {result.number}, {result.name}: backward computes finite differences.")
    if facts is None:
        add("reading", "The files couldn't be looked at within the limits: style, comments and imports aren't known.")
        return found
    for path, line, words in facts["broken"]:
        add("syntax", f"{plain(path, 80)}, line {line}: {plain(words, 100)}.")
    if len(facts["changed"]) > MOST_CHANGED:
        add("changes outside the gaps", f"{len(facts['changed'])} files differ from the release as it is today: was "
            "another edition handed out? Then give that one by --release.")
    for path, removed, added, line in facts["changed"] if len(facts["changed"]) <= MOST_CHANGED else ():
        add("changes outside the gaps", f"{plain(path, 80)}: {removed} lines removed, {added} added; the first: "
                                        f"{plain(line, 80)}")
    for path, line, name in facts["imports"]:
        if path.startswith(("tests/", "exercises/")) or path == "environment.py":
            continue
        add("other libraries", f"{plain(path, 80)}, line {line}: imports {plain(name, 40)}.")
    for path, line, what in facts["newer"]:
        add(f"newer than Python {sheet.get('python', '3.8')}", f"{plain(path, 80)}, line {line}: {plain(what, 80)}.")
    for task in sheet.code_tasks:
        gap = facts["gaps"].get(f"{task.gap.file}:{task.gap.name}") if task.gap is not None else None
        if gap is None or not gap["filled"]:
            continue
        if not gap["comment"]:
            add("comments", f"Task {task.number}, {task.name}: there is no comment in the gap.")
        if gap["loops"] and task.number in sheet.get("no_loops", ()):
            add("loops", f"Task {task.number}, {task.name}: a loop in line {gap['loops'][0]}, where NumPy's operations "
                         "on whole arrays would do.")
        if not gap["marked"]:
            add("markers", f"Task {task.number}, {task.name}: the markers of the gap are gone.")
    return found
