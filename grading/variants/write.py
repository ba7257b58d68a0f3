"""What `variants` writes: sheets, keys, tables and other platforms' files, for a class or for seeds of practice."""
from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple, Sequence

import numpy as np

from grading.grade import GradingError
from grading.tables import FORBIDDEN, Student, as_csv
from grading.variants.draws import Case, case_of
from grading.variants.moodle import moodle_xml
from grading.variants.prairielearn import prairielearn_files
from grading.variants.seeds import FIRST_GRADED, graded_seed
from grading.variants.sheets import Person, document, formula_terms, given_terms, key_part, sheet, stable
from grading.variants.task import RATE, Task
from lib.graph.notation import LATEX
from lib.graph.page import page
from lib.saving.files import write_atomically

NOBODY = Student("", "", "", "")


class Dealt(NamedTuple):
    """A case, and whose it is."""

    case: Case
    student: Student

    @property
    def person(self) -> Person:
        """Whom the sheet is for."""
        return Person(*(FORBIDDEN.sub("", text) for text in (self.student.name, self.student.id)))


def deal(task: Task, students: Sequence[Student], secret: bytes) -> List[Dealt]:
    """Return a case for each student, from the secret, the student's id and the task.

    Raises:
        GradingError: a student has no id, or two have the same.
    """
    ids = [student.id for student in students]
    for student in students:
        if not student.id or ids.count(student.id) > 1:
            what = "has no id" if not student.id else f"has the id {student.id!r}, as another has"
            raise GradingError(f"{student.name!r} {what}: each student needs an id of their own, as the numbers come "
                               f"from it.")
    return [Dealt(case_of(task, graded_seed(secret, student.id, task.name)), student) for student in students]


def practice(task: Task, count: int, first: int) -> List[Dealt]:
    """Return the cases of seeds that may be told, one after another.

    Raises:
        GradingError: the count or the first seed can't be used.
    """
    if count < 1 or first < 0 or first + count > FIRST_GRADED:
        raise GradingError(f"--count must be at least 1 and --seed at least 0, but got {count} and {first}.")
    return [Dealt(case_of(task, seed), NOBODY) for seed in range(first, first + count)]


def write_sheets(dealt: Sequence[Dealt], out: Path) -> List[Path]:
    """Write a page for each, one document with all of them for the printer, and text files to be filled in."""
    title = dealt[0].case.task.title
    written = [_text(out / "sheets.html", document(title, [sheet(each.case, each.person) for each in dealt]))]
    for each in dealt:
        _text(out / "sheets" / f"{each.case.tag}.html", document(title, [sheet(each.case, each.person)]))
        lines = "".join(f"{line} = \n" for line in each.case.task.lines)
        _text(out / "answers" / f"{each.case.tag}.txt", f"# {title}, {each.case.tag}\n{lines}")
    return written


def write_moodle(dealt: Sequence[Dealt], out: Path) -> List[Path]:
    task = dealt[0].case.task
    return [_text(out / "moodle.xml", moodle_xml([each.case for each in dealt], f"Pen and paper: {task.title}"))]


def write_prairielearn(dealt: Sequence[Dealt], out: Path) -> List[Path]:
    folder = out / "prairielearn" / dealt[0].case.task.name
    for name, text in prairielearn_files([each.case for each in dealt]).items():
        _text(folder / name, text)
    return [folder]


def write_markdown(dealt: Sequence[Dealt], out: Path) -> List[Path]:
    for each in dealt:
        _text(out / "markdown" / f"{each.case.tag}.md", markdown(each))
    return [out / "markdown"]


def write_practice(dealt: Sequence[Dealt], out: Path) -> List[Path]:
    """Write interactive pages, which hold their answers: of seeds of practice alone.

    Raises:
        GradingError: the numbers are graded ones.
    """
    if any(each.case.seed >= FIRST_GRADED for each in dealt):
        raise GradingError("A page for practice holds its answers, so it is never made of numbers that count: use "
                           "--count.")
    written = []
    for each in dealt:
        case = each.case
        path = out / "practice" / f"{case.task.name}_{case.seed}.html"
        rate = case.numbers.get(RATE, 0.1)
        written.append(page(case.task.build(case.numbers), learning_rate=rate, title=case.task.title,
                            predict=True).save(path))
    return written


FORMATS: Dict[str, Callable[[Sequence[Dealt], Path], List[Path]]] = {
    "html": write_sheets, "moodle": write_moodle, "prairielearn": write_prairielearn, "markdown": write_markdown,
    "practice": write_practice}


def write_key(dealt: Sequence[Dealt], out: Path) -> List[Path]:
    """Write the instructor's key, as a page and as a table."""
    title = f"{dealt[0].case.task.title}: key"
    return [_text(out / "key.html", document(title, [key_part(each.case, each.person) for each in dealt])),
            _text(out / "key.csv", key_table(dealt)), _text(out / "answers.csv", answers_table(dealt))]


def key_table(dealt: Sequence[Dealt]) -> str:
    """Return whose numbers are which: a row for each case, with its tag, its seed, the numbers and the key."""
    first = dealt[0].case
    names = [name for name, value in first.numbers.items() if not np.ndim(value)]
    rows: List[List[Any]] = [["tag", "id", "name", "email", "submission", "task", "seed",
                              *[f"given {name}" for name in names], *first.task.lines]]
    for case, student in dealt:
        rows.append([case.tag, student.id, student.name, student.email, student.submission, case.task.name,
                     seed_text(case.seed), *[stable(case.numbers[name], 10) for name in names],
                     *[stable(case.key[line], 6) for line in case.task.lines]])
    return as_csv(rows)


def seed_text(seed: int) -> str:
    """Return a seed as it is written in a table: one that counts in hexadecimal, so that no spreadsheet shortens it."""
    return hex(seed) if seed >= FIRST_GRADED else str(seed)


def answers_table(dealt: Sequence[Dealt]) -> str:
    """Return the table that answers are typed into, one row for each case."""
    lines = dealt[0].case.task.lines
    return as_csv([["tag", "id", *lines]] + [[each.case.tag, each.student.id] + [""] * len(lines) for each in dealt])


def markdown(dealt: Dealt) -> str:
    """Return a sheet as Markdown with LaTeX."""
    case, person = dealt.case, dealt.person
    terms = {line.name: line.term for line in case.machine.lines}
    who = ", ".join(_plain(text) for text in person if text)
    lines = [f"# {case.task.title}", "", f"{who + ', ' if who else ''}tag {case.tag}", "", _plain(case.task.text), "",
             *[f"- ${LATEX.write(term)}$" for term in formula_terms(case)], "",
             "Your numbers: " + ", ".join(f"${LATEX.write(term)}$" for term in given_terms(case)), "",
             "Give three significant digits, and calculate on with all that your calculator shows.", "",
             *[f"{k}. ${LATEX.write(terms[line])} =$" for k, line in enumerate(case.task.lines, 1)]]
    return "\n".join(lines) + "\n"


def _plain(text: str) -> str:
    """Return a text in which Markdown and HTML find nothing."""
    text = "".join("\\" + letter if letter in "\\`*_$[]#|~!" else letter for letter in " ".join(text.split()))
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _text(path: Path, text: str) -> Path:
    return write_atomically(path, lambda file: file.write(text.encode("utf-8", "replace")))
