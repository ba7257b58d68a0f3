"""PrairieLearn: a question's folder whose server.py deals out one of many cases and names the slips of wrong "
"answers."""
from __future__ import annotations

import json
import uuid
from typing import Any, Dict, List, Sequence

from grading.report import escaped
from grading.variants.draws import SMALLEST_TOLERANCE, TOLERANCE, Case
from grading.variants.moodle import DIGITS
from grading.variants.sheets import drawing, formula_terms, given_terms, stable
from grading.variants.task import CAUSES
from lib.graph.notation import LATEX, Term

SERVER = '''"""Deal out one of the cases in cases.json, and say which slip gives a wrong number."""
import json
import os

FOLDER = os.path.dirname(os.path.abspath(__file__))


def _cases():
    with open(os.path.join(FOLDER, "cases.json"), encoding="utf-8") as file:
        return json.load(file)


def generate(data):
    cases = _cases()
    case = cases[int(str(data["variant_seed"]), 16 if not str(data["variant_seed"]).isdigit() else 10) % len(cases)]
    data["params"].update(tag=case["tag"], given=case["given"])
    for name, line in case["lines"].items():
        data["correct_answers"][name] = line["key"]


def grade(data):
    case = next(each for each in _cases() if each["tag"] == data["params"]["tag"])
    for name, line in case["lines"].items():
        answer, score = data["submitted_answers"].get(name), data["partial_scores"].get(name, {}).get("score", 0)
        if answer is not None and not score:
            for slip in line["slips"]:
                if abs(answer - slip["value"]) <= max(RTOL * abs(slip["value"]), ATOL):
                    data["feedback"][name] = slip["feedback"]
'''.replace("RTOL", str(TOLERANCE)).replace("ATOL", str(SMALLEST_TOLERANCE))


def prairielearn_files(cases: Sequence[Case]) -> Dict[str, str]:
    """Return the files of a question that deals out these cases, by name."""
    task = cases[0].task
    info = {"uuid": str(uuid.uuid5(uuid.NAMESPACE_URL, f"pen-and-paper/{task.name}")), "title": task.title,
            "topic": "Backpropagation", "tags": ["pen and paper", task.name], "type": "v3"}
    return {"info.json": _json(info), "question.html": question(cases[0]), "server.py": SERVER,
            "cases.json": _json([as_data(case) for case in cases]),
            "clientFilesQuestion/drawing.svg": drawing(cases[0]).svg()}


def question(case: Case) -> str:
    """Return the question's template, which is the same for all cases."""
    terms = {line.name: line.term for line in case.machine.lines}
    lines = ["<pl-question-panel>", f"<p>{escaped(case.task.text)}</p>",
             '<pl-figure file-name="drawing.svg" directory="clientFilesQuestion"></pl-figure>',
             *[f"<p>{tex(term)}</p>" for term in formula_terms(case)],
             "<p>Given: {{#params.given}}<span>{{{.}}}</span> {{/params.given}}</p>",
             "<p>Give three significant digits, and calculate on with all that your calculator shows.</p>",
             "</pl-question-panel>"]
    for k, line in enumerate(case.task.lines, 1):
        lines += [f'<p><pl-number-input answers-name="line{k}" comparison="relabs" rtol="1e-2" atol="1e-4" '
                  f'label="{tex(terms[line])} ="></pl-number-input></p>',
                  f"{{{{#feedback.line{k}}}}}<p>{{{{feedback.line{k}}}}}</p>{{{{/feedback.line{k}}}}}"]
    return "\n".join(lines) + "\n"


def as_data(case: Case) -> Dict[str, Any]:
    """Return a case's numbers, keys and slips as plain data."""
    machine = case.machine
    computed, used = machine.run(case.numbers)
    lines: Dict[str, Any] = {}
    for k, name in enumerate(case.task.lines, 1):
        slips: List[Dict[str, Any]] = [
            {"value": float(stable(machine.slip_value(slip, machine.line(name), computed, used), DIGITS)),
             "feedback": f"{CAUSES[slip.cause].capitalize()}. {slip.hint}"} for slip in case.task.slips_of(name)]
        lines[f"line{k}"] = {"name": name, "key": float(stable(case.key[name], DIGITS)), "slips": slips}
    return {"tag": case.tag, "given": [tex(term) for term in given_terms(case)], "lines": lines}


def tex(term: Term) -> str:
    """Return a formula for MathJax; two braces side by side would begin a tag of the template."""
    return f"${escaped(LATEX.write(term)).replace('{{', '{ {').replace('}}', '} }')}$"


def _json(data: Any) -> str:
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"
