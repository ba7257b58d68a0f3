"""Submissions for the tests of grading: the reference with other text in a gap, and the bank's mutants put there."""
from __future__ import annotations

import ast
import inspect
import os
import sys
import textwrap
from typing import Dict, List, NamedTuple, Optional

import pytest

from grading.gaps import fill
from grading.layout import reference_files
from grading.sheet import Sheet, load_sheet
from grading.submission import Submission
from tests.mutants import BANK, Mutant

SHEET = load_sheet("backpropagation")
# Not mistakes in a gap: a network of ReLUs with a shared cache; float32 within its precision, which is allowed.
LEFT_OUT = ("NetOfSharedReLUs", "ReLUFloat32")
on_posix = pytest.mark.skipif(os.name != "posix", reason="students' code is run on Linux and macOS alone")


def submission(changes: Optional[Dict[str, str]] = None, sheet: Sheet = SHEET) -> Submission:
    """Return the reference as a submission, with other texts for some files; a text of None leaves the file out."""
    made = Submission("group")
    made.files = {path: text.encode() for path, text in reference_files(sheet).items()}
    made.files["feedback.md"] = b"## Duration (hours)?\n\n[4, 5.5]\n"
    for path, text in (changes or {}).items():
        if text is None:
            made.files.pop(path, None)
        else:
            made.files[path] = text.encode() if isinstance(text, str) else text
    return made


def with_gap(number: str, content: str, sheet: Sheet = SHEET) -> Submission:
    """Return the reference with other text in a task's gap."""
    gap = sheet.task(number).gap
    assert gap is not None
    return submission({gap.file: fill(reference_files(sheet)[gap.file], gap.name, content)}, sheet)


class Planted(NamedTuple):
    """A mutant in a gap: the task that it must cost points, and the submission."""

    name: str
    number: str
    submission: Submission
    mutant: Mutant


def class_of(mutant: Mutant) -> type:
    """Return a mutant's class."""
    return next(getattr(module, mutant.name) for name, module in sys.modules.items()
                if name.startswith("tests.mutants.") and getattr(module, mutant.name, None) is not None
                and getattr(module, mutant.name).__module__ == name)


def planted() -> List[Planted]:
    """Return every mutant of the bank that is one of the main sheet's gap classes, planted in its file."""
    found = []
    for task in SHEET.code_tasks:
        assert task.gap is not None
        for mutant in BANK:
            if mutant.module == task.gap.owner and "." in task.gap.name and mutant.name not in LEFT_OUT:
                found.append(Planted(str(mutant), task.number, plant(class_of(mutant), task.number), mutant))
    return found


def plant(cls: type, number: str) -> Submission:
    """Return the reference with a class's methods in place of those of the gap's class."""
    gap = SHEET.task(number).gap
    assert gap is not None
    text = reference_files(SHEET)[gap.file]
    chain = [c for c in cls.__mro__ if c.__module__.startswith("tests.")]
    sources = [textwrap.dedent(inspect.getsource(c)) for c in reversed(chain)]
    methods = {node.name for source in sources for node in ast.parse(source).body[0].body
               if isinstance(node, ast.FunctionDef)}
    if methods == {"backward"} and len(chain) == 1 and not (
            cls.__init__ is not chain[0].__mro__[1].__init__):
        return with_gap(number, body_of(sources[0]))
    lines = [text]
    base = gap.owner
    for c, source in zip(reversed(chain), sources):
        body = source.split("\n")[ast.parse(source).body[0].body[0].lineno - 1:]
        lines += ["", "", f"class {c.__name__}({base}):"] + body
        base = c.__name__
    lines += [f"{gap.owner} = {base}", ""]
    return submission({gap.file: "\n".join(lines)})


def body_of(source: str) -> str:
    """Return the text of the body of a class's backward, with its argument called as in the gap."""
    method = next(node for node in ast.parse(source).body[0].body if getattr(node, "name", "") == "backward")
    lines = source.split("\n")[method.body[0].lineno - 1:method.end_lineno]
    return textwrap.dedent("\n".join(lines))
