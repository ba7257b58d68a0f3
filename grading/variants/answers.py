"""Answers as they are handed in: a text file, JSON or a table for one student; a table or a folder for a class."""
from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Tuple

from grading.grade import GradingError
from grading.variants.calculation import Machine
from grading.variants.seeds import TAG_LETTERS, tag_of
from grading.variants.task import Task
from lib.validation import InputError

Answers = List[Tuple[str, str]]  # the lines' names and what stands there, as they were typed
WHO = ("tag", "id", "name", "email", "submission", "task", "seed")
TAG = re.compile(rf"(?<!\w)[A-Z]{{3}}-[{TAG_LETTERS}]{{4}}-[{TAG_LETTERS}]{{4}}(?!\w)", re.IGNORECASE)
ROW = re.compile(r"(?:\d+[.)]\s+)?(.+?)\s*[=:\N{ALMOST EQUAL TO}](.*)")  # what stands between more of these is the way


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
        return [(str(name), "" if value is None else str(value)) for name, value in data.items()]
    if path.suffix.lower() == ".csv":
        rows = _rows(text)
        if not rows or "line" not in rows[0] or "answer" not in rows[0]:
            raise GradingError(f"{path}: expected the columns line and answer, a line of the calculation in each row.")
        return [(row["line"] or "", (row["answer"] or "").lstrip("'")) for row in rows]
    answers: Answers = []
    for number, typed in enumerate(text.splitlines(), 1):
        typed = typed.split("#", 1)[0].strip()
        row = ROW.fullmatch(typed)
        if row:
            answers.append((row.group(1), re.split("[=\N{ALMOST EQUAL TO}]", row.group(2))[-1].strip().rstrip(";")))
        elif typed and not TAG.search(typed):
            raise GradingError(f"{path}, line {number}: expected something like dL/dw = 0.5, but found {typed!r}.")
    return answers


def tag_in(path: Path) -> str:
    """Return the tag that stands in a file of answers, as in those that `variants` writes, or ""."""
    found = TAG.search(_read(path))
    return found.group().upper() if found else ""


def read_key(path: Path, task: Task) -> List[Entry]:
    """Return whose numbers are which, from the key.csv that `variants` has written.

    Raises:
        GradingError: it isn't such a table, it is of another task, or its tags don't belong to its seeds.
    """
    rows = _rows(_read(path))
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
            with a file for each, called by the tag or the id, or with the tag in it.
        entries: whose numbers are which.

    Raises:
        GradingError: there is no tag and no id to go by.
    """
    by_tag = {entry.tag.upper(): entry for entry in entries}
    by_id = {entry.id: entry for entry in entries if entry.id}
    found: Dict[str, Tuple[Entry, Answers]] = {}
    unmatched: List[str] = []

    def add(where: str, tag: str, person: str, answers: Answers) -> None:
        entry, owner = by_tag.get(tag.strip().upper()), by_id.get(person.strip())
        if entry and owner and entry is not owner:
            unmatched.append(f"{where}: the tag {tag} is that of {entry.id or 'nobody'}, not of {person}: whose "
                             "answers are these?")
            return
        entry = entry or owner
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
                    stem_is_tag = file.stem.strip().upper() in by_tag
                    add(file.name, file.stem if stem_is_tag else tag_in(file) or file.stem, file.stem,
                        read_answers(file))
                except GradingError as error:
                    unmatched.append(str(error))
        return list(found.values()), unmatched
    rows = _rows(_read(path))
    if not rows or not {"tag", "id"} & set(rows[0]):
        raise GradingError(f"{path}: expected a column tag or id, and a column for each line, as in answers.csv.")
    for number, row in enumerate(rows, 2):
        answers = [(name, (value or "").lstrip("'")) for name, value in row.items()
                   if name and name not in WHO and not name.startswith("given ")]
        add(f"{path.name}, row {number}", row.get("tag") or "", row.get("id") or "", answers)
    return list(found.values()), unmatched


def known_lines(machine: Machine, answers: Answers) -> Tuple[Dict[str, str], List[str]]:
    """Return the answers whose lines exist, and sentences on the others."""
    known: Dict[str, str] = {}
    problems = []
    for typed, answer in answers:
        try:
            name = machine.line(typed).name
        except InputError as error:
            problems.append(str(error))
            continue
        if known.get(name, answer) != answer:
            problems.append(f"{name} is answered twice, by {known[name]!r} and by {answer!r}: the last counts.")
        known[name] = answer
    return known, problems


def _rows(text: str) -> List[Dict[str, Any]]:
    """Return a table's rows by its heads; spreadsheets put semicolons or tabs where a comma is the decimal point."""
    text = re.sub(r"^sep=.\r?\n", "", text)
    head = text.split("\n", 1)[0]
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=head.count)))


def _read(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise GradingError(f"{path} can't be read: {error.strerror}.") from error
    text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig", errors="replace")
    if "\0" in text:
        raise GradingError(f"{path} isn't a text in UTF-8: save it as plain text or as CSV UTF-8.")
    return text
