"""Moodle's XML: a cloze question for each case, with a blank for each line and feedback for each slip.

A blank is {1:NM:=VALUE:TOLERANCE~%0%WRONG:TOLERANCE#feedback~...}: the first that matches counts, so the key comes
first, and a draw keeps all of them further apart than twice the tolerance. The importer is silent about malformed XML.
"""
from __future__ import annotations

import base64
import html
from typing import List, Sequence

from grading.report import escaped
from grading.tables import FORBIDDEN
from grading.variants.draws import Case, tolerance
from grading.variants.sheets import drawing, formula_terms, given_terms, stable
from grading.variants.task import CAUSES
from lib.graph.notation import LATEX, Term

DIGITS = 6


def moodle_xml(cases: Sequence[Case], category: str) -> str:
    """Return a quiz of cases, in a category of its own."""
    path = escaped(_clean(category).replace("/", "//"))  # a single one divides categories
    parts = ['<?xml version="1.0" encoding="UTF-8"?>', "<quiz>", '<question type="category">',
             f"<category><text>$course$/{path}</text></category>", "</question>"]
    for case in cases:
        parts += [*question(case)]
    return "\n".join(parts + ["</quiz>"]) + "\n"


def question(case: Case) -> List[str]:
    """Return one case as a cloze question."""
    picture = base64.b64encode(drawing(case).svg().encode("utf-8")).decode("ascii")
    text = [f"<p>{escaped(case.task.text)}</p>",
            f'<p><img src="@@PLUGINFILE@@/drawing.svg" alt="{escaped(drawing(case).scene.title)}"></p>',
            *[f"<p>{tex(term)}</p>" for term in formula_terms(case)],
            "<p>Given: " + ", ".join(tex(term) for term in given_terms(case)) + ".</p>",
            "<p>Give three significant digits, and calculate on with all that your calculator shows.</p>", "<ol>"]
    terms = {line.name: line.term for line in case.machine.lines}
    text += [f"<li>{tex(terms[line])} = {blank(case, line)}</li>" for line in case.task.lines] + ["</ol>"]
    return ['<question type="cloze">', f"<name><text>{escaped(case.task.title)} {escaped(case.tag)}</text></name>",
            f'<questiontext format="html"><text>{cdata(chr(10).join(text))}</text>',
            f'<file name="drawing.svg" encoding="base64">{picture}</file></questiontext>',
            '<generalfeedback format="html"><text></text></generalfeedback>', "<penalty>0.3333333</penalty>",
            "<hidden>0</hidden>", "</question>"]


def blank(case: Case, name: str) -> str:
    """Return the blank of a line: the key, then each slip with its feedback."""
    machine = case.machine
    line = machine.line(name)
    computed, used = machine.run(case.numbers)
    options = [f"={_number(case.key[name])}:{_number(tolerance(case.key[name]))}#Right."]
    for slip in case.task.slips_of(name):
        value = machine.slip_value(slip, line, computed, used)
        said = protected(f"{CAUSES[slip.cause].capitalize()}. {slip.hint}")
        options.append(f"%0%{_number(value)}:{_number(tolerance(value))}#{said}")
    return "{1:NM:" + "~".join(options) + "}"


def protected(text: str) -> str:
    """Return feedback in which nothing has a meaning for the cloze format; HTML signs are written as entities."""
    text = html.escape(_clean(text), quote=False).replace("\\", "/")
    for letter in '}~#"':
        text = text.replace(letter, "\\" + letter)
    return text


def tex(term: Term) -> str:
    """Return a formula as Moodle's MathJax finds it; no blank can begin in it, as those need a digit and a colon."""
    return rf"\({escaped(LATEX.write(term))}\)"


def cdata(text: str) -> str:
    """Return a text that XML takes as it is."""
    return "<![CDATA[" + _clean(text).replace("]]>", "]]]]><![CDATA[>") + "]]>"


def _clean(text: str) -> str:
    return FORBIDDEN.sub("", text)


def _number(value: float) -> str:
    """Return a number without an exponent, which not every version of Moodle reads."""
    text = stable(value, DIGITS)
    return text if "e" not in text else f"{float(text):.10f}".rstrip("0").rstrip(".")
