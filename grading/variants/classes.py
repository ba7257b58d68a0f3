"""A class's answers: points, verdicts, its slips by cause with how many made each, and the same before a course."""
from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

from grading.grade import GradingError
from grading.report import escaped, number, page
from grading.tables import as_csv
from grading.variants.answers import Answers, Entry, known_lines
from grading.variants.check import WORDS, Checked, check
from grading.variants.draws import case_of, tolerance
from grading.variants.sheets import math, stable
from grading.variants.task import Task
from lib.saving.files import write_atomically

UNKNOWN = "of unknown cause"


class Handed(NamedTuple):
    """One student's answers, checked."""

    entry: Entry
    checked: Checked
    problems: List[str]


def check_class(task: Task, answers: Sequence[Tuple[Entry, Answers]]) -> List[Handed]:
    """Return the verdicts on each student's answers, with their own numbers."""
    found = []
    for entry, given in answers:
        case = case_of(task, entry.seed)
        known, problems = known_lines(case.machine, given)
        found.append(Handed(entry, check(case, known), problems))
    for each in found:
        each.problems.extend(_mixed_up(each, found))
    return found


def _mixed_up(handed: Handed, others: Sequence[Handed]) -> List[str]:
    """Return a sentence if answers fit the numbers of somebody else, and hardly their own."""
    values = handed.checked.values
    for other in others:
        key = other.checked.case.key
        fit = sum(abs(value - key[line]) <= tolerance(key[line]) for line, value in values.items())
        if fit > handed.checked.points and fit >= max(3, 2 * len(values) / 3):
            return [f"{fit} of the {len(values)} answers are right for the numbers of {other.entry.tag} "
                    f"{other.entry.name}".rstrip() + ": were two sheets mixed up?"]
    return []


def causes(handed: Sequence[Handed]) -> Dict[str, int]:
    """Return how many students made a slip of each cause at least once, the most frequent first."""
    counts: Dict[str, int] = {}
    for each in handed:
        wrong = [verdict for verdict in each.checked.verdicts if verdict.status == "wrong"]
        for words in {WORDS.get(verdict.cause, UNKNOWN) for verdict in wrong}:
            counts[words] = counts.get(words, 0) + 1
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def slips_by_line(handed: Sequence[Handed]) -> List[Tuple[str, str, str, int]]:
    """Return (line, cause, hint, how many students), the most frequent first."""
    counts: Dict[Tuple[str, str, str], int] = {}
    for each in handed:
        for verdict in each.checked.verdicts:
            if verdict.status == "wrong":
                key = verdict.line, WORDS.get(verdict.cause, UNKNOWN), verdict.hint
                counts[key] = counts.get(key, 0) + 1
    return sorted(((*key, count) for key, count in counts.items()), key=lambda row: (-row[3], row[0], row[1], row[2]))


class Earlier(NamedTuple):
    """What an earlier check of a class found: how many answered, and how many made a slip of each cause."""

    students: int
    causes: Dict[str, int]
    points: float


def summary(task: Task, handed: Sequence[Handed]) -> Dict[str, Any]:
    """Return what a later check compares itself with."""
    points = [each.checked.points for each in handed]
    return {"task": task.name, "students": len(handed), "causes": causes(handed),
            "points": sum(points) / max(len(points), 1), "max_points": len(task.lines)}


def read_earlier(folder: Path, task: Task) -> Earlier:
    """Return what was found before, from the folder that a check has written.

    Raises:
        GradingError: it isn't such a folder, or it is of another task.
    """
    path = folder / "summary.json" if folder.is_dir() else folder
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        earlier = Earlier(int(data["students"]), dict(data["causes"]), float(data["points"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise GradingError(f"{path}: expected the summary.json of an earlier check-answers with --out.") from error
    if data.get("task") != task.name:
        raise GradingError(f"{path} is about {data.get('task')}: before and after need the same task, {task.name}.")
    return earlier


def table(handed: Sequence[Handed], earlier: Optional[Earlier] = None) -> List[List[str]]:
    """Return the class's slips by cause: how many students made each, before and now."""
    now = causes(handed)
    before = earlier.causes if earlier else {}
    rows = [["cause"] + [f"before (of {earlier.students})"] * bool(earlier) + [f"now (of "
                                                                               f"{len(handed)})"]] if earlier else \
        [["cause", f"students (of {len(handed)})"]]
    for cause in sorted({*now, *before}, key=lambda each: (-before.get(each, 0), -now.get(each, 0), each)):
        rows.append([cause] + [str(before.get(cause, 0))] * bool(earlier) + [str(now.get(cause, 0))])
    return rows


def as_text(task: Task, handed: Sequence[Handed], unmatched: Sequence[str], earlier: Optional[Earlier]) -> str:
    """Return the class's result as lines for a terminal."""
    rows = table(handed, earlier)
    width = max(len(row[0]) for row in rows)
    data = summary(task, handed)
    lines = [f"{task.title}: {len(handed)} students, {number(round(data['points'], 2))} of {data['max_points']} "
             f"points on "
             "average" + (f" (before: {number(round(earlier.points, 2))})" if earlier else "")]
    lines += ["  " + row[0].ljust(width) + "".join(cell.rjust(max(len(head), 5) + 3)
                                                   for cell, head in zip(row[1:], rows[0][1:])) for row in rows]
    return "\n".join(lines + list(unmatched) + [f"{each.entry.tag}: {problem}" for each in handed
                                                for problem in each.problems])


def write_class(task: Task, handed: Sequence[Handed], unmatched: Sequence[str], earlier: Optional[Earlier],
                out: Path) -> None:
    """Write the class's page, its tables, and a report for each student."""
    rows: List[List[Any]] = [["tag", "id", "name", "points", "max_points", *task.lines]]
    for each in handed:
        rows.append([each.entry.tag, each.entry.id, each.entry.name, each.checked.points, len(task.lines),
                     *[verdict.words for verdict in each.checked.verdicts]])
        _text(out / "reports" / f"{each.entry.tag}.html", report(each))
    _text(out / "points.csv", as_csv(rows))
    _text(out / "causes.csv", as_csv(table(handed, earlier)))
    _text(out / "summary.json", json.dumps(summary(task, handed), indent=1, ensure_ascii=False) + "\n")
    _text(out / "class.html", class_page(task, handed, unmatched, earlier))


def report(handed: Handed) -> str:
    """Return the page for one student: each line's verdict and hint, but not what should stand there."""
    case = handed.checked.case
    terms = {line.name: line.term for line in case.machine.lines}
    who = escaped(", ".join(text for text in (handed.entry.name, handed.entry.id) if text))
    body = [f"<h1>{escaped(case.task.title)}</h1>", f"<p>{who} {escaped(case.tag)}: {handed.checked.points} of "
            f"{len(case.task.lines)} points, consequences followed.</p>", "<table>"]
    for verdict in handed.checked.verdicts:
        body.append(f"<tr><td>{math(terms[verdict.line])}</td><td class=\"words\">{escaped(verdict.given) or '-'}</td>"
                    f"<td>{escaped(verdict.words)}{'. ' if verdict.hint else ''}{escaped(verdict.hint)}</td></tr>")
    body += ["</table>"] + [f"<p>{escaped(problem)}</p>" for problem in handed.problems]
    return page(f"{escaped(case.task.title)}: {escaped(case.tag)}", body)


def class_page(task: Task, handed: Sequence[Handed], unmatched: Sequence[str], earlier: Optional[Earlier]) -> str:
    """Return the page for the instructor."""
    data = summary(task, handed)
    body = [f"<h1>{escaped(task.title)}: {len(handed)} students</h1>",
            f"<p>{number(round(data['points'], 2))} of {data['max_points']} points on average"
            + (f"; before, {number(round(earlier.points, 2))}" if earlier else "") + ".</p>",
            "<h2>Slips by cause</h2>", "<p>How many students made each at least once.</p>", "<table>"]
    for k, row in enumerate(table(handed, earlier)):
        tag = "td" if k else "th"
        cells = [f"<{tag}>{escaped(row[0])}</{tag}>"]
        cells += [f"<{tag} class=\"points\">{escaped(cell)}</{tag}>" for cell in row[1:]]
        body.append("<tr>" + "".join(cells) + "</tr>")
    body += ["</table>", "<h2>Slips by line</h2>", "<table><tr><th>Line</th><th>Cause</th><th>Hint</th>"
             "<th class=\"points\">how many</th></tr>"]
    body += [f"<tr><td>{escaped(line)}</td><td>{escaped(cause)}</td><td>{escaped(hint)}</td><td "
             f"class=\"points\">{count}</td>"
             "</tr>" for line, cause, hint, count in slips_by_line(handed)]
    body += ["</table>", "<h2>Points</h2>", "<table>"]
    body += [f"<tr><td>{escaped(each.entry.tag)}</td><td class=\"words\">{escaped(each.entry.name)}</td><td>"
             f"{escaped(each.entry.id)}</td><td class=\"points\">{each.checked.points}</td></tr>" for each in handed]
    body.append("</table>")
    looks = list(unmatched) + [f"{each.entry.tag}: {problem}" for each in handed for problem in each.problems]
    looks += [f"{each.entry.tag}, {verdict.line}: {verdict.hint} It should be "
              f"{stable(each.checked.case.key[verdict.line])}."
              for each in handed for verdict in each.checked.verdicts if verdict.status == "open"]
    if looks:
        body += ["<h2>For a tutor's eye</h2>", "<ul>", *[f"<li>{escaped(text)}</li>" for text in looks], "</ul>"]
    return page(f"{escaped(task.title)}: the class", body)


def _text(path: Path, text: str) -> None:
    write_atomically(path, lambda file: file.write(text.encode("utf-8", "replace")))
