"""The page on a class, for its instructor: points, mistakes, hours, who needs a tutor's eye, and what looks alike."""
from __future__ import annotations

from collections import Counter
from typing import Any, Dict, List, Sequence, Tuple

from grading.report import escaped, number, page
from grading.sheet import Sheet
from grading.similarity import Alike, same_wrong_answers
from grading.tables import Student

MOST_NAMES = 12


def mistakes(sheet: Sheet, reports: Sequence[Dict[str, Any]]) -> List[Tuple[str, str, str, List[str]]]:
    """Return (task, cause, sentence for the next lecture, submissions), the most frequent first."""
    found: Dict[Tuple[str, str], List[Tuple[str, str]]] = {}
    for report in reports:
        for entry in report["tasks"]:
            if entry["points"] is not None and entry["status"] not in ("right", "to do") and entry["cause"]:
                found.setdefault((f"{entry['number']} {entry['name']}", entry["cause"]), []).append(
                    (report["submission"], entry["feedback"]))
    rows = []
    for (task, cause), cases in found.items():
        sentences = Counter(lecture_sentence(cause, feedback) for _, feedback in cases)
        rows.append((task, cause, min(sentences, key=lambda text: (-sentences[text], text)),
                     sorted(name for name, _ in cases)))
    return sorted(rows, key=lambda row: (-len(row[3]), row[0], row[1]))


def lecture_sentence(cause: str, feedback: str) -> str:
    """Return what to say about a cause in the next lecture: the checker's question, or the feedback's last sentence."""
    from lib.gradient_checking.diagnose.causes import CAUSES
    if cause in CAUSES:
        return CAUSES[cause].question
    return feedback.split(". ")[-1].strip() if cause not in ("exception", "doesn't import") else \
        "Read the last line of a traceback first: it names the line, and what is wrong with it."


def bars(counts: Sequence[Tuple[str, int]]) -> List[str]:
    """Return rows of a bar chart, made of text and boxes."""
    most = max([count for _, count in counts] + [1])
    return ["<table>"] + [
        f"<tr><td class=\"points\">{escaped(label)}</td><td style=\"width:100%\"><div style=\"background:#4078c0;"
        f"height:.9rem;width:{100 * count / most:.1f}%\"></div></td><td class=\"points\">{count}</td></tr>"
        for label, count in counts] + ["</table>"]


def distribution(reports: Sequence[Dict[str, Any]], most: float) -> List[Tuple[str, int]]:
    """Return how many have how many points, in steps of one."""
    counts = Counter(int(report["points"]) for report in reports)
    return [(str(points), counts.get(points, 0)) for points in range(0, max([int(most)] + list(counts)) + 1)]


def names(found: Sequence[str]) -> str:
    more = f" and {len(found) - MOST_NAMES} more" if len(found) > MOST_NAMES else ""
    return escaped(", ".join(found[:MOST_NAMES]) + more)


def class_page(sheet: Sheet, reports: Sequence[Dict[str, Any]], students: Sequence[Student] = (),
               pairs: Sequence[Alike] = ()) -> str:
    """Return the page, as HTML that needs nothing but itself."""
    points = sorted(report["points"] for report in reports)
    middle = points[len(points) // 2] if points else 0
    body = [f"<h1>{escaped(sheet.title)}: {len(reports)} submissions</h1>",
            f"<p>Median {number(middle)}, mean {number(round(sum(points) / max(len(points), 1), 2))} points so far, of "
            f"{number(sheet.max_points)}.</p>", "<h2>Points</h2>"] + bars(distribution(reports, 0))
    body += ["<h2>Tasks</h2>", "<table><tr><th>Task</th><th class=\"points\">mean</th><th class=\"points\">of</th>"
             "<th class=\"points\">right</th><th class=\"points\">to do</th></tr>"]
    for i, task in enumerate(sheet.tasks + sheet.bonus):
        entries = [(report["tasks"] + report["bonus"])[i] for report in reports]
        known = [entry["points"] for entry in entries if entry["points"] is not None]
        body.append(f"<tr><td>{escaped(task.number)} {escaped(task.name)}</td><td class=\"points\">"
                    f"{number(round(sum(known) / len(known), 2)) if known else '-'}</td><td class=\"points\">"
                    f"{number(task.points)}</td><td class=\"points\">"
                    f"{sum(entry['status'] == 'right' for entry in entries)}</td><td class=\"points\">"
                    f"{sum(entry['status'] == 'to do' for entry in entries)}</td></tr>")
    body += ["</table>", "<h2>Mistakes, by cause</h2>", "<p>With what to say in the next lecture.</p>", "<table>"]
    for task_name, cause, sentence, who in mistakes(sheet, reports):
        body.append(f"<tr><td>{escaped(task_name)}: <strong>{escaped(cause)}</strong></td>"
                    f"<td class=\"points\">{len(who)}</td></tr>")
        body.append(f"<tr class=\"more\"><td colspan=\"2\">{escaped(sentence)}<br><small>{names(who)}</small></td>"
                    "</tr>")
    body.append("</table>")
    hours = sorted(hour for report in reports for hour in report["hours"])
    if hours:
        body += ["<h2>Hours</h2>", f"<p>{len(hours)} members told: median {number(hours[len(hours) // 2])}, from "
                 f"{number(hours[0])} to {number(hours[-1])} hours.</p>"]
    body += _for_tutors(reports) + _nothing(reports, students) + _alike(reports, pairs)
    levels = Counter(report["isolation"] for report in reports)
    body.append("<footer>Isolation: " + ", ".join(f"{escaped(level)} ({count})" for level, count in sorted(
        levels.items())) + ". This page is for the instructor; students get reports/ alone.</footer>")
    return page(f"{escaped(sheet.title)}: the class", body)


def _for_tutors(reports: Sequence[Dict[str, Any]]) -> List[str]:
    groups: Dict[str, List[str]] = {}
    for report in reports:
        for what in dict.fromkeys(entry["what"] for entry in report["for_the_tutor"]):
            groups.setdefault(what, []).append(report["submission"])
    body = ["<h2>For a tutor's eye</h2>", "<p>Suggestions; nothing was taken off for these. What exactly, each "
            "submission's result says.</p>", "<table>"]
    body += [f"<tr><td>{escaped(what)}</td><td class=\"words\">{names(found)}</td>"
             f"<td class=\"points\">{len(found)}</td></tr>"
             for what, found in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))]
    return body + ["</table>"]


def _nothing(reports: Sequence[Dict[str, Any]], students: Sequence[Student]) -> List[str]:
    handed_in = {report["submission"] for report in reports}
    missing = [student for student in students if student.submission not in handed_in]
    if not missing:
        return []
    return ["<h2>Nothing handed in</h2>", f"<p>{names([student.name for student in missing])}</p>"]


def _alike(reports: Sequence[Dict[str, Any]], pairs: Sequence[Alike]) -> List[str]:
    groups = same_wrong_answers(reports)
    if not groups and not pairs:
        return []
    body = ["<h2>Look alike</h2>", "<p>A hint, never a verdict: common mistakes are made by many, and right answers of "
            "a few lines are the same by themselves. Read both before you speak to anybody.</p>", "<ul>"]
    body += [f"<li>The same wrong answer to task {escaped(task)}: {names(found)}</li>" for task, found in groups]
    body += [f"<li>{escaped(pair.file)} of {escaped(pair.first)} and {escaped(pair.second)}: "
             f"{100 * pair.shares[0]:.0f} % and {100 * pair.shares[1]:.0f} % the same</li>" for pair in pairs[:50]]
    return body + ["</ul>"]
