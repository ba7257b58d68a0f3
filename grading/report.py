"""The report on one submission, for a terminal and as a page that needs nothing but itself."""
from __future__ import annotations

import html
import textwrap
from typing import Any, Dict, List, Optional

from grading.sheet import Sheet

COLOURS = {"right": "#1a7f37", "partly": "#9a6700", "wrong": "#b42318", "error": "#b42318", "limit": "#b42318",
           "to do": "#57606a", "for the tutor": "#57606a"}
STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; }
td, th { padding: .4rem .5rem; text-align: left; vertical-align: top; overflow-wrap: anywhere; }
tr { border-top: 1px solid #8884; } .points { white-space: nowrap; text-align: right; }
.points, .result { width: 1%; }
tr.more { border-top: none; } tr.more td { padding-top: 0; padding-bottom: .8rem; }
.status { font-weight: 600; white-space: nowrap; padding: 0 .5rem; border-radius: .5rem; color: #fff; }
.words { overflow-wrap: anywhere; } footer { margin-top: 2rem; font-size: .85rem; opacity: .8; }
@media print { body { max-width: none; padding: 0; } tr { break-inside: avoid; } tr.more { break-before: avoid; } }
@media (max-width: 30rem) { td, th { padding: .3rem .2rem; } }
"""


def number(points: Optional[float]) -> str:
    """Return points as they are written: 2, 1.5, and - for what isn't known yet."""
    return "-" if points is None else format(points, ".10g")


def escaped(text: Any) -> str:
    return html.escape(str(text), quote=True)


def as_text(report: Dict[str, Any]) -> str:
    """Return the report as lines for a terminal."""
    lines = [f"{report['submission']}: {number(report['points'])} points (of {number(report['max_points'])}), as far "
             "as the program can tell"]
    for entry in report["tasks"] + report["bonus"]:
        lines.append(f"  {entry['number']:>4} {entry['name']:28} {number(entry['points']):>4} / "
                     f"{number(entry['max_points']):4} {entry['status']}")
        if entry["feedback"]:
            lines += textwrap.wrap(entry["feedback"], 100, initial_indent=" " * 9, subsequent_indent=" " * 9)
    if report.get("whole"):
        lines.append(f"  {report['whole']['feedback']}")
    if report["for_the_tutor"]:
        lines.append("  For the tutor (nothing was taken off):")
        lines += [f"    {entry['what']}: {entry['text']}" for entry in report["for_the_tutor"]]
    lines.append(f"  Isolation: {report['isolation']} ({report['promise']}).")
    return "\n".join(lines)


def page(title: str, body: List[str]) -> str:
    """Return a page of HTML; title and body are escaped already where they hold foreign text."""
    return ("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
            f"<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n" + "\n".join(body)
            + "\n</body>\n</html>\n")


def as_html(report: Dict[str, Any], sheet: Sheet, for_tutor: bool = True) -> str:
    """Return the report as a page; without `for_tutor`, as a student may see it."""
    title = f"{escaped(sheet.title)}: {escaped(report['submission'])}"
    body = [f"<h1>{title}</h1>",
            f"<p><strong>{number(report['points'])}</strong> of {number(report['max_points'])} points"
            + (f" (with up to {number(sum(task.points or 0 for task in sheet.bonus))} more as a bonus)" if sheet.bonus
               else "") + pending(report) + "</p>"]
    body += ["<table>", "<thead><tr><th scope=\"col\">Task</th><th scope=\"col\">Result</th>"
             "<th scope=\"col\" class=\"points\">Points</th></tr></thead>", "<tbody>"]
    for entry in report["tasks"] + report["bonus"]:
        body.append(f"<tr><td>{escaped(entry['number'])} {escaped(entry['name'])}</td><td class=\"result\">"
                    f"<span class=\"status\" style=\"background:{COLOURS.get(entry['status'], '#57606a')}\">"
                    f"{escaped(entry['status'])}</span></td>"
                    f"<td class=\"points\">{number(entry['points'])} / {number(entry['max_points'])}</td></tr>")
        if entry["feedback"]:
            body.append(f"<tr class=\"more\"><td colspan=\"3\">{escaped(entry['feedback'])}</td></tr>")
    body += ["</tbody>", "</table>"]
    if report.get("whole"):
        body += ["<h2>The work as a whole</h2>", f"<p class=\"words\">{escaped(report['whole']['feedback'])}</p>"]
    if for_tutor and report["for_the_tutor"]:
        body += ["<h2>For the tutor</h2>", "<p>Suggestions; nothing was taken off for these.</p>", "<ul>"]
        body += [f"<li class=\"words\">{escaped(entry['what'])}: {escaped(entry['text'])}</li>"
                 for entry in report["for_the_tutor"]]
        body.append("</ul>")
    body.append(f"<footer>Each task is judged by itself. Isolation: {escaped(report['isolation'])}"
                f" ({escaped(report['promise'])}).</footer>")
    return page(title, body)


def pending(report: Dict[str, Any]) -> str:
    """Say how many points a tutor still has to give."""
    rest = sum(entry["max_points"] or 0 for entry in report["tasks"] if entry["points"] is None)
    return f"; a tutor still gives up to {number(rest)}" if rest else ""
