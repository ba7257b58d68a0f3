"""Before a sheet is released, its probes are tried on the reference: what is wrong in them would cost every student."""
from __future__ import annotations

import os

from grading import isolation
from grading.gaps import fill
from grading.isolation import Limits
from grading.judge import RIGHT, Setting, grade_task
from grading.layout import reference_files
from grading.sheet import Sheet, SheetError
from grading.submission import Submission


def rehearse(sheet: Sheet) -> bool:
    """Grade the reference, and the first of each task's solutions; return whether code can be run on this system.

    Raises:
        SheetError: a task's probes can't be run, or don't find what is right to be right.
    """
    if os.name != "posix":
        return False
    texts = reference_files(sheet)
    by_solutions = dict(texts)
    for task in sheet.code_tasks:
        if task.gap and task.solutions:
            by_solutions[task.gap.file] = fill(by_solutions[task.gap.file], task.gap.name, task.solutions[0])
    for whose, files in (("the reference", texts), ("the first of its solutions", by_solutions)):
        submission = Submission("rehearsal")
        submission.files = {path: text.encode("utf-8") for path, text in files.items()}
        setting = Setting(sheet, submission, isolation.strongest(), Limits(), b"rehearsal")
        for task in sheet.code_tasks:
            try:
                result = grade_task(setting, task, {})
            except Exception as error:  # an entry of a probe that is missing, or isn't what it must be
                raise SheetError(f"Sheet {sheet.topic}, task {task.number}: its probes can't be run on {whose}: "
                                 f"{type(error).__name__}: {error}.") from error
            if result.status != RIGHT:
                raise SheetError(f"Sheet {sheet.topic}, task {task.number}: its probes don't take {whose} to be right: "
                                 f"{result.feedback}")
    return True
