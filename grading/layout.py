"""What a box holds: the student's whole file with one gap, and the reference in every other file."""
from __future__ import annotations

import ast
import os
import sys
import sysconfig
from typing import Any, Dict, List, Mapping, NamedTuple, Sequence, Tuple

import lib.layers
from grading.gaps import fill, find_gaps, gap_text
from grading.sheet import ROOT, Sheet, Task
from grading.submission import Submission

MOST_HELPERS = 200


class Layout(NamedTuple):
    """The files of a box.

    Attributes:
        files: contents by path, below the box's folder.
        student_files: the student's modules by name, with their paths.
        overrides: (name, path) of what the reference replaces in the module with the gap, after its import.
    """

    files: Dict[str, bytes]
    student_files: Dict[str, str]
    overrides: List[Tuple[str, str]]


_CLOSURES: Dict[Any, Dict[str, str]] = {}


def imported_files(paths: Sequence[str], cut: Mapping[str, str] = {}) -> Dict[str, str]:
    """Return the texts of project files and of those that they import at the top of a file, by path.

    Args:
        cut: other texts of some files, of which only the imports count.
    """
    key = tuple(paths), tuple(sorted(cut.items()))
    if key not in _CLOSURES:
        texts: Dict[str, str] = {}
        queue = [path for path in paths if path.endswith(".py")]
        while queue:
            path = queue.pop()
            if path in texts or not (ROOT / path).is_file():
                continue
            texts[path] = (ROOT / path).read_text(encoding="utf-8")
            for node in ast.parse(cut.get(path, texts[path])).body:
                names: List[str] = []
                if isinstance(node, ast.Import):
                    names = [alias.name for alias in node.names]
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    names = [node.module] + [f"{node.module}.{alias.name}" for alias in node.names]
                queue += [file for name in names for file in files_of_module(name)]
        _CLOSURES[key] = texts
    return _CLOSURES[key]


def files_of_module(name: str) -> List[str]:
    """Return the files that importing a module of the project may run: its own, and the packages' it stands in."""
    path = name.replace(".", "/")
    parts = name.split(".")
    files = [path + ".py", path + "/__init__.py"] + ["/".join(parts[:i]) + "/__init__.py" for i in range(1, len(parts))]
    if name == "lib.layers":  # it looks its classes up in their files when they are asked for
        files += sorted({file_of(getattr(lib.layers, cls).__module__) for cls in dir(lib.layers)
                         if not cls.startswith("_")})
    return files


def file_of(module: str) -> str:
    return module.replace(".", "/") + ".py"


def reference_files(sheet: Sheet) -> Dict[str, str]:
    """Return the reference's files that a box may hold: those with gaps, those that are given, and their imports."""
    return imported_files(sheet.gap_files + sheet.get("given_files", []) + sheet.get("calls", []))


def without(text: str, task: Task, placeholder: str) -> str:
    """Return the text with the placeholder in a task's gap."""
    assert task.gap is not None
    return fill(text, task.gap.name, placeholder)


def _shadows(top: str) -> bool:
    """Return whether a module or package of this name would hide one of Python's or an installed one."""
    top = top[:-len(".py")] if top.endswith(".py") else top
    if top in sys.builtin_module_names or os.path.exists(os.path.join(sysconfig.get_path("stdlib"), top + ".py")) or \
            os.path.isdir(os.path.join(sysconfig.get_path("stdlib"), top)):
        return True
    return top in ("numpy", "scipy", "matplotlib", "tqdm", "child", "frames", "refused", "remote", "_grading_child")


def helpers(submission: Submission, known: Sequence[str]) -> Dict[str, bytes]:
    """Return the submission's own modules, by path: Python files that the project doesn't have."""
    found: Dict[str, bytes] = {}
    for path in sorted(submission.files):
        parts = path.split("/")
        name = path[:-len(".py")] if path.endswith(".py") else ""
        hides = any("/".join(parts[:i]) + ".py" in known for i in range(1, len(parts)))  # a folder lib/network
        if name and path not in known and not hides and parts[0] != "tests" \
                and all(part.isidentifier() for part in name.split("/")) \
                and (parts[0] in ("lib", "exercises") or not _shadows(parts[0])) and len(found) < MOST_HELPERS:
            found[path] = submission.files[path]
    return found


def lay_out(sheet: Sheet, task: Task, submission: Submission, variant: int = 0) -> Layout:
    """Return what the box of a task holds.

    Args:
        variant: 0, the student's whole file as it is, and the reference in place of its other gaps once it is imported;
            1, with the reference in that file's other gaps; 2, all of the student's files that can be parsed, with the
            reference in all gaps but this; 3, as 0, but with the student's own other gaps.
    """
    assert task.gap is not None
    reference = reference_files(sheet)
    placeholder = sheet.get("placeholder")
    files: Dict[str, bytes] = {}
    student: List[str] = []
    for path, text in reference.items():
        files[f"code/{path}"] = text.encode("utf-8")
    if variant == 2:
        for path in list(reference):
            if path in submission.files and path not in sheet.gap_files and not path.endswith("__init__.py"):
                files[f"code/{path}"] = submission.files[path]
                student.append(path)
        for path in sheet.gap_files:
            if path in submission.files and path != task.gap.file:
                text = _with_reference(sheet, task, path, submission)
                files[f"code/{path}"] = text.encode("utf-8", "surrogatepass")
                student.append(path)
    for path, content in helpers(submission, list(reference)).items():
        files[f"code/{path}"] = content
        student.append(path)
    own = submission.files[task.gap.file]
    if variant in (1, 2):
        own = _with_reference(sheet, task, task.gap.file, submission).encode("utf-8", "surrogatepass")
    files[f"code/{task.gap.file}"] = own
    student.append(task.gap.file)
    overrides = []
    others = [other for other in sheet.gap_tasks if other.gap and other.gap.file == task.gap.file
              and other.number != task.number]
    if others and variant != 3:
        hidden = without(reference[task.gap.file], task, placeholder)
        files["other_gaps.py"] = hidden.encode("utf-8")
        overrides = [(other.gap.name if other.gap.owner == task.gap.owner else other.gap.owner, "other_gaps.py")
                     for other in others if other.gap]
    names = {path[:-len(".py")].replace("/", "."): f"code/{path}" for path in student
             if not path.endswith("__init__.py")}
    return Layout(files, names, overrides)


def _with_reference(sheet: Sheet, task: Task, path: str, submission: Submission) -> str:
    """Return a student's file with a solution in every gap but the task's."""
    text, reference = submission.text(path) or "", reference_files(sheet)[path]
    for other in sheet.gap_tasks:
        if other.gap and other.gap.file == path and other.number != task.number and other.gap.name in find_gaps(text):
            solution = other.solutions[0] if other.solutions else gap_text(reference, other.gap.name) or "pass"
            text = fill(text, other.gap.name, solution)
    return text


def lay_out_whole(sheet: Sheet, submission: Submission) -> Layout:
    """Return a box that holds all that the student has handed in; what is given comes from the reference."""
    reference = reference_files(sheet)
    files = {f"code/{path}": text.encode("utf-8") for path, text in reference.items()}
    student = [path for path in sheet.gap_files if path in submission.files]
    student += helpers(submission, list(reference))
    files.update({f"code/{path}": submission.files[path] for path in student})
    names = {path[:-len(".py")].replace("/", "."): f"code/{path}" for path in student
             if not path.endswith("__init__.py")}
    return Layout(files, names, [])


def write(layout: Layout, folder: str) -> None:
    """Write a box's files, which its user may read."""
    usual = os.umask(0o022)
    try:
        for path, content in layout.files.items():
            full = os.path.join(folder, path)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "wb") as file:
                file.write(content)
    finally:
        os.umask(usual)
