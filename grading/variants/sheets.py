"""The pages: a student's sheet, printable on one or two sheets of A4, and the instructor's key, with the derivation."""
from __future__ import annotations

import re
from typing import Dict, Iterator, List, NamedTuple, Sequence, Tuple

import numpy as np

from grading.report import escaped
from grading.variants.draws import Case
from grading.variants.task import CAUSES, RATE
from lib.graph.draw import Drawing, draw
from lib.graph.explain import explain
from lib.graph.notation import MATHML, SPOKEN, Term, array, equation, matrix, name, number, words
from lib.graph.notation.mathml import markup

DIGITS = 4  # of a key; three are asked for
GRID = re.compile(r"([a-z])([1-9])([1-9])")
STYLE = """
@page { size: A4; margin: 12mm 16mm; }
:root { color-scheme: light; }
body { font: 11pt/1.4 "Helvetica Neue", Arial, sans-serif; color: #1f2933; background: #fff; margin: 0 auto;
       max-width: 178mm; padding: 8mm; }
.sheet { break-after: page; } .sheet:last-child { break-after: auto; }
header { display: flex; justify-content: space-between; gap: 8mm; border-bottom: 1.5pt solid #1f2933;
         padding-bottom: 2mm; }
h1 { font-size: 15pt; margin: 0; } h2 { font-size: 11.5pt; margin: 4.5mm 0 1.5mm; break-after: avoid; }
header p { margin: 0; text-align: right; overflow-wrap: anywhere; min-width: 55mm; max-width: 75mm; }
.tag { font: 600 11pt ui-monospace, Menlo, Consolas, monospace; white-space: nowrap; }
@media print { body { padding: 0; max-width: none; } }
.side { display: flex; gap: 5mm; align-items: center; flex-wrap: wrap; }
.side > .drawing { flex: 1 1 60mm; } .side > .formulas { flex: 1 1 60mm; columns: 62mm; }
svg { max-width: 100%; max-height: 50mm; height: auto; display: block; margin: 1mm auto; }
.large svg { max-height: 64mm; }
.numbers { display: flex; flex-wrap: wrap; gap: 2mm 7mm; align-items: center; border: .75pt solid #8b97a3;
           border-radius: 2mm; padding: 2.5mm 4mm; }
.formulas p { margin: .8mm 0; break-inside: avoid; }
.answers { columns: 2; column-gap: 10mm; }
.answers.few { columns: 1; }
.line { display: flex; align-items: center; gap: 2mm; break-inside: avoid; min-height: 9.2mm; padding: .3mm 0; }
mtable { border-left: .75pt solid; border-right: .75pt solid; border-radius: 1.5mm; padding: 0 1mm; }
.line .no { width: 7mm; color: #57606a; font-size: 9pt; text-align: right; }
.line .what { min-width: 24mm; text-align: right; }
.line .blank { flex: 1; border-bottom: .75pt solid #57606a; height: 6mm; }
.note, footer { font-size: 9.5pt; color: #3e4c59; } footer { margin-top: 4mm; }
table { border-collapse: collapse; width: 100%; font-size: 10pt; }
td, th { border-top: .5pt solid #b8c0c8; padding: 1mm 2mm; text-align: left; vertical-align: top; }
tr { break-inside: avoid; } .right { text-align: right; white-space: nowrap; }
details { margin: 2mm 0; } summary { cursor: pointer; }
"""


class Person(NamedTuple):
    """Whom a sheet is for; all of it may be empty."""

    name: str = ""
    id: str = ""


def stable(value: float, digits: int = DIGITS) -> str:
    """Return a number with some digits, the same on every platform, whatever its last bit."""
    rounded = float(f"{value:.10g}")
    if rounded and not 1e-4 <= abs(rounded) < 10 ** digits:
        digits = 10
    return f"{rounded:.{digits}g}" if rounded else "0"


def math(term: Term) -> str:
    """Return a formula as MathML, its fractions in full size, with what a screen reader is to say."""
    said = escaped(SPOKEN.write(term))
    return markup(MATHML.write(term)).replace("<math ", f'<math displaystyle="true" aria-label="{said}" ', 1)


def given_terms(case: Case) -> List[Term]:
    """Return what is given as equations: numbers, matrices, and numbers with two indices as a matrix."""
    numbers = case.numbers
    in_rows = np.ndim(numbers.get("x", 0)) == 2  # an example is a row of a batch, so what is added to it is a row, too
    grids: Dict[str, List[Tuple[int, int]]] = {}
    for key in numbers:
        match = GRID.fullmatch(key)
        if match:
            grids.setdefault(match.group(1), []).append((int(match.group(2)), int(match.group(3))))
    terms: List[Term] = []
    for key, value in numbers.items():
        match = GRID.fullmatch(key)
        places = grids[match.group(1)] if match else []
        rows, columns = (max(place[k] for place in places) for k in (0, 1)) if places else (0, 0)
        if match and len(places) == rows * columns:
            if (int(match.group(2)), int(match.group(3))) == places[0]:
                entries = [[number(numbers[f"{match.group(1)}{i}{j}"]) for j in range(1, columns + 1)]
                           for i in range(1, rows + 1)]
                terms.append(equation(words("(", name(f"{match.group(1)}_ij"), ")"), matrix(entries)))
        elif np.ndim(value):
            shown = np.atleast_2d(value) if in_rows else np.asarray(value)
            terms.append(equation(name(key, np.shape(value)), array(shown.astype(float))))
        else:
            terms.append(equation(name(key), number(value)))
    return terms


def formula_terms(case: Case) -> List[Term]:
    """Return what is computed, a formula for each quantity that has a name."""
    short = case.machine.short
    return [equation(case.machine.derivation.names.term(node), formula) for node, formula in short.formulas.items()]


def drawing(case: Case) -> Drawing:
    """Return the drawing of the task: the network's scheme, or the graph without any number."""
    if case.task.scheme:
        return case.task.scheme()
    drawn = draw(case.machine.derivation.output, values=False, gradients=False, reuse=False)
    drawn.scene.boxes = [box._replace(lines=box.lines[:1]) for box in drawn.scene.boxes]  # the second is the value
    return drawn


def sheet(case: Case, person: Person = Person()) -> str:
    """Return a student's sheet as a part of a document."""
    terms = {line.name: line.term for line in case.machine.lines}
    drawn = drawing(case)
    who = "<br>".join(f"<bdi>{escaped(text)}</bdi>" for text in person if text) or "Name: ________________"
    parts = ['<section class="sheet">', f"<header><h1>{escaped(case.task.title)}</h1>",
             f'<p>{who}<br><span class="tag">{escaped(case.tag)}</span></p></header>',
             f"<p>{escaped(case.task.text)}</p>", '<div class="side">',
             f'<div class="drawing{" large" * (not case.task.scheme)}" style="flex-basis: '
             f'{min(drawn.scene.width * 0.17, 150):.0f}mm">{drawn.svg()}</div>',
             '<div class="formulas">', *[f"<p>{math(term)}</p>" for term in formula_terms(case)], "</div></div>",
             "<h2>Your "
             "numbers</h2>", '<div class="numbers">', *[f"<span>{math(term)}</span>" for term in given_terms(case)],
             "</div>", "<h2>Your answers</h2>", f'<div class="answers{" few" * (len(terms) < 6)}">']
    parts += [f'<div class="line"><span class="no">{k}</span><span class="what">{math(terms[each])} =</span>'
              f'<span class="blank"></span></div>' for k, each in enumerate(case.task.lines, 1)]
    parts += ["</div>", '<footer>Give three significant digits, and calculate on with all that your calculator shows. '
              "Fill in every line: a line that is right given an earlier one counts. These numbers are yours alone; "
              "hand in "
              f'with the tag <span class="tag">{escaped(case.tag)}</span>.</footer>', "</section>"]
    return "\n".join(parts)


def key_part(case: Case, person: Person = Person()) -> str:
    """Return the instructor's key to one sheet: the numbers, what each slip gives, and the derivation."""
    machine = case.machine
    terms = {line.name: line.term for line in machine.lines}
    computed, used = machine.run(case.numbers)
    who = ", ".join(f"<bdi>{escaped(text)}</bdi>" for text in person if text)
    parts = ['<section class="sheet">', f"<header><h1>{escaped(case.task.title)}: key</h1>",
             f'<p>{who}<br><span class="tag">{escaped(case.tag)}</span></p></header>', '<div class="numbers">',
             *[f"<span>{math(term)}</span>" for term in given_terms(case)], "</div>",
             "<table><tr><th>Line</th><th>Key</th><th>Slips that give another number</th></tr>"]
    for each in case.task.lines:
        line = machine.line(each)
        slips = [f"{stable(machine.slip_value(slip, line, computed, used))}: {escaped(CAUSES[slip.cause])} "
                 f"({escaped(slip.rule)})" for slip in case.task.slips_of(each)]
        parts.append(f"<tr><td>{math(terms[each])}</td><td class=\"right\">{stable(case.key[each])}</td>"
                     f"<td>{'<br>'.join(slips)}</td></tr>")
    parts.append("</table>")
    unseen = [f"<li>{math(terms[slip.line])}: {escaped(CAUSES[slip.cause])} ({escaped(slip.rule)}): "
              f"{escaped(slip.unseen)}.</li>" for slip in case.task.slips if slip.unseen]
    if unseen:
        parts += ["<h2>Slips that no number shows here</h2>", "<ul>", *unseen, "</ul>"]
    parts += ["<details><summary>The derivation</summary>", *derivation(case), "</details>", "</section>"]
    return "\n".join(parts)


def derivation(case: Case) -> Iterator[str]:
    """Yield the derivation of a case, as the library writes it from the graph; without gradients if none is asked "
    "for."""
    parts = explain(case.task.build(case.numbers), learning_rate=case.numbers.get(RATE), reuse=False).parts()
    gradients = any(line.quantity[0] in ("grad", "local") for line in case.machine.lines)
    for part in parts if gradients else parts[:1]:
        yield f"<h2>{escaped(part.title)}</h2>"
        for line in part.lines:
            yield f'<p style="margin: .5mm 0 .5mm {5 * line.level}mm">{markup(MATHML.line(line.pieces))}</p>'


def document(title: str, parts: Sequence[str]) -> str:
    """Return one HTML document that needs nothing but itself and runs nothing."""
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return (f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n<title>{escaped(title)}</title>\n'
            f"<style>{STYLE}</style>\n</head>\n<body>\n" + "\n".join(parts) + "\n</body>\n</html>\n")
