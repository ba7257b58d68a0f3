"""Answers as they are handed in: a text file, JSON or a table for one student; a table or a folder for a class."""
from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Dict, List, NamedTuple, Tuple

from grading.grade import GradingError
from grading.variants.calculation import Machine
from grading.variants.seeds import tag_of
from grading.variants.task import Task
from lib.validation import InputError

Answers = Dict[str, str]
WHO = ("tag", "id", "name", "email", "submission", "task", "seed")


class Entry(NamedTuple):
    """One row of the key: whose numbers have which tag and seed."""

    tag: str
    id: str
    name: str
    seed: int


def read_answers(path: Path) -> Answers:
    """Return one student's answers by line: of "dL/dw = 0.5" a line, of JSON, or of a CSV with columns line and answer.

    Raises:
        GradingError: the file can't be read as any of these.
    """
    text = _read(path)
    if path.suffix.lower() == ".json":
        try:
            data = json.loads(text)
        except ValueError as error:
            raise GradingError(f"{path} isn't JSON: {error}.") from error
        if not isinstance(data, dict):
            raise GradingError(f"{path}: expected an object such as {{'z1': 0.5}}, but got a {type(data).__name__}.")
        return {str(name): "" if value is None else str(value) for name, value in data.items()}
    if path.suffix.lower() == ".csv":
        rows = list(csv.DictReader(text.splitlines()))
        if not rows or "line" not in rows[0] or "answer" not in rows[0]:
            raise GradingError(f"{path}: expected the columns line and answer, a line of the calculation in each row.")
        return {row["line"] or "": (row["answer"] or "").lstrip("'") for row in rows}
    answers: Answers = {}
    for number, row in enumerate(text.splitlines(), 1):
        row = row.split("#", 1)[0].strip()
        if row:
            name, equals, answer = row.partition("=")
            if not equals:
                name, equals, answer = row.partition(":")
            if not equals:
                raise GradingError(f"{path}, line {number}: expected something like dL/dw = 0.5, but found {row!r}.")
            answers[name.strip()] = answer.strip()
    return answers


def read_key(path: Path, task: Task) -> List[Entry]:
    """Return whose numbers are which, from the key.csv that `variants` has written.

    Raises:
        GradingError: it isn't such a table, it is of another task, or its tags don't belong to its seeds.
    """
    rows = list(csv.DictReader(_read(path).splitlines()))
    if not rows or not {"tag", "id", "name", "task", "seed"} <= set(rows[0]):
        raise GradingError(f"{path}: expected the key.csv that `python -m grading variants {task.name}` has written.")
    entries = []
    for row in rows:
        if row["task"] != task.name:
            raise GradingError(f"{path} is the key of {row['task']}, not of {task.name}.")
        try:
            entry = Entry(row["tag"] or "", row["id"] or "", row["name"] or "", int(row["seed"] or "", 0))
        except ValueError:
            entry = Entry(row["tag"] or "", "", "", -1)
        if tag_of(task.name, entry.seed) != entry.tag:
            raise GradingError(f"{path}: the seed {row['seed']} doesn't belong to the tag {entry.tag}; use the file as "
                               "it was written.")
        entries.append(entry)
    return entries


def read_class(path: Path, entries: List[Entry]) -> Tuple[List[Tuple[Entry, Answers]], List[str]]:
    """Return each student's answers, and what couldn't be matched, as sentences.

    Args:
        path: a CSV with a row for each student, found by the columns tag or id, and a column for each line; or a folder
            with a file for each, called by the tag or the id.
        entries: whose numbers are which.

    Raises:
        GradingError: there is no tag and no id to go by.
    """
    by_tag = {entry.tag.upper(): entry for entry in entries}
    by_id = {entry.id: entry for entry in entries if entry.id}
    found: Dict[str, Tuple[Entry, Answers]] = {}
    unmatched: List[str] = []

    def add(where: str, tag: str, person: str, answers: Answers) -> None:
        entry = by_tag.get(tag.strip().upper()) or by_id.get(person.strip())
        if entry is None:
            unmatched.append(f"{where}: neither the tag {tag!r} nor the id {person!r} is in the key.")
        elif entry.tag in found:
            unmatched.append(f"{where}: answers with the tag {entry.tag} are there twice; the first count.")
        else:
            found[entry.tag] = entry, answers

    if path.is_dir():
        for file in sorted(path.iterdir()):
            if file.is_file() and file.suffix.lower() in (".txt", ".json", ".csv"):
                try:
                    add(file.name, file.stem, file.stem, read_answers(file))
                except GradingError as error:
                    unmatched.append(str(error))
        return list(found.values()), unmatched
    rows = list(csv.DictReader(_read(path).splitlines()))
    if not rows or not {"tag", "id"} & set(rows[0]):
        raise GradingError(f"{path}: expected a column tag or id, and a column for each line, as in answers.csv.")
    for number, row in enumerate(rows, 2):
        answers = {name: (value or "").lstrip("'") for name, value in row.items()
                   if name and name not in WHO and not name.startswith("given ")}
        add(f"{path.name}, row {number}", row.get("tag") or "", row.get("id") or "", answers)
    return list(found.values()), unmatched


def known_lines(machine: Machine, answers: Answers) -> Tuple[Answers, List[str]]:
    """Return the answers whose lines exist, and sentences on the others."""
    known: Answers = {}
    problems = []
    for name, answer in answers.items():
        try:
            known[machine.line(name).name] = answer
        except InputError as error:
            problems.append(str(error))
    return known, problems


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise GradingError(f"{path} can't be read: {error.strerror}.") from error
