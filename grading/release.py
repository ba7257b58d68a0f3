"""Releasing a sheet: an allow-list of files, cut down to what students get, into an empty folder and a zip."""
from __future__ import annotations

import ast
import json
import os
import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import Any, Dict, List, Optional, Union

from grading.layout import files_of_module, imported_files
from grading.leaks import reference_solutions, search
from grading.rehearsal import rehearse
from grading.sheet import ROOT, Sheet, module_name
from grading.trim import keep_only, names_defined, trimmed
from grading.verify import ReleaseError, verify
from lib.gradient_checking.course import SHEET_FILE
from lib.saving.files import write_atomically

STUDENT_KEYS = ("sheet", "title", "course", "due", "python", "line_length", "hints", "report", "tasks", "bonus")
TASK_KEYS = ("number", "name", "kind", "points", "text", "gap", "builds_upon", "tests", "file")
ALWAYS = ("lib/__init__.py", "lib/lib.py", "tests/__init__.py", "tests/lib.py", "tests/conftest.py", "tests/run.py",
          "feedback.md", "requirements.txt", "runtests.sh", "runtests.bat", "setup.py", "setup.cfg", "environment.py",
          "LICENSE")
DATE = (1980, 1, 1, 0, 0, 0)  # of every file in the zip, so that its bytes are always the same


def collect(sheet: Sheet) -> Dict[str, str]:
    """Return the released files' texts by path, before anything is cut."""
    rules = sheet.get("release", {})
    tests = [test for task in sheet.code_tasks for test in task.tests]
    start = sheet.gap_files + sheet.get("given_files", []) + tests + list(rules.get("files", ())) + list(ALWAYS)
    texts = imported_files(start, {path: keep_only((ROOT / path).read_text(encoding="utf-8"), names)
                                   for path, names in rules.get("keep", {}).items()})
    for path in start:
        if (ROOT / path).is_file():
            texts = dict(texts, **{path: (ROOT / path).read_text(encoding="utf-8")})
    lazily = [file for script in rules.get("scripts", ()) for file in _imported_in_functions(texts[script])]
    texts = dict(imported_files(lazily), **texts)
    folders = {"/".join(path.split("/")[:i]) + "/__init__.py" for path in texts for i in range(1, path.count("/") + 1)}
    for path in folders:
        if (ROOT / path).is_file():
            texts.setdefault(path, (ROOT / path).read_text(encoding="utf-8"))
    return dict(sorted(texts.items()))


def _imported_in_functions(text: str) -> List[str]:
    found: List[str] = []
    for function in ast.walk(ast.parse(text)):
        if isinstance(function, ast.FunctionDef):
            found += [file for node in ast.walk(function) if isinstance(node, ast.ImportFrom) and node.module
                      for file in files_of_module(node.module)]
    return found


_BUILT: Dict[str, Dict[str, bytes]] = {}


def build(sheet: Sheet) -> Dict[str, bytes]:
    """Return the released files, cut, by path; the same bytes every time."""
    key = json.dumps(sheet.raw, sort_keys=True)
    if key not in _BUILT:
        _BUILT[key] = _build(sheet)
    return dict(_BUILT[key])


def _build(sheet: Sheet) -> Dict[str, bytes]:
    texts = collect(sheet)
    classes = names_defined({path: text for path, text in texts.items() if path.endswith(".py")})
    files = {path: (trimmed(path, text, sheet, classes) if path.endswith(".py") else text).encode("utf-8")
             for path, text in texts.items()}
    files["README.md"] = readme(sheet).encode("utf-8")
    files[f"exercises/{sheet.topic}/sheet.json"] = as_json(for_students(sheet))
    files[".github/classroom/autograding.json"] = as_json(autograding(sheet))
    for path in sheet.get("release", {}).get("copies", ()):
        files[path] = (ROOT / path).read_bytes()
    for name, path in sheet.get("release", {}).get("handouts", {}).items():
        files[name] = (ROOT / path).read_bytes()
    return dict(sorted(files.items()))


def as_json(value: Any) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode("utf-8")


def for_students(sheet: Sheet) -> Dict[str, Any]:
    """Return what students get of a sheet.json: the tasks, but neither probes nor solutions."""
    raw = {key: sheet.raw[key] for key in STUDENT_KEYS if key in sheet.raw}
    for part in ("tasks", "bonus"):
        raw[part] = [{key: entry[key] for key in TASK_KEYS if key in entry} for entry in raw.get(part, ())]
    return raw


def autograding(sheet: Sheet) -> Dict[str, Any]:
    """Return the course's autograding: one entry a test file, and one for the style."""
    tests = [{"name": f"{task.number} {task.name}", "setup": "pip install -r requirements.txt",
              "run": f"python -m pytest {test}", "input": "", "output": "", "comparison": "included", "timeout": 5,
              "points": int(task.points or 0)} for task in sheet.code_tasks for test in task.tests]
    columns = sheet.get("line_length", 120)
    style = [{"name": f"{task.number} {task.name}", "setup": "pip install -r requirements.txt",
              "run": f"pycodestyle --max-line-length {columns} .", "input": "", "output": "", "comparison": "exact",
              "timeout": 5, "points": int(task.points or 0)} for task in sheet.bonus if task.kind == "style"]
    return {"tests": tests + style}


def readme(sheet: Sheet) -> str:
    """Return the sheet's README: what to do, how to run it, and the tasks with their points."""
    def points(value: Optional[float]) -> str:
        return "-" if value is None else format(value, "g")

    bonus = sum(task.points or 0 for task in sheet.bonus)
    course = f"{sheet.get('course')}. " if sheet.get("course") else ""
    lines = [f"# {sheet.title}", "", f"{course}Due: {sheet.get('due', 'see the course page')}. Points: "
             f"{points(sheet.max_points)}" + (f" + {points(bonus)} bonus." if bonus else "."), "",
             "Fill in the gaps between `# START TODO` and `# END TODO`, with comments, and change nothing else.", ""]
    lines += commands(sheet) + ["", "## Tasks", "", "| task | points | what | where | its tests |",
                                "| --- | ---: | --- | --- | --- |"]
    for task in sheet.tasks + sheet.bonus:
        where = f"`{task.gap.name}` in `{task.gap.file}`" if task.gap else f"`{task.file}`" if task.file else \
            f"`{sheet.get('report')}`" if task.kind == "written" and sheet.get("report") else ""
        tests = ", ".join(f"`{test}`" for test in task.tests)
        lines.append(f"| {task.number} {task.name} | {points(task.points)} | {task.text} | {where} | {tests} |")
    return "\n".join(lines) + "\n"


def commands(sheet: Sheet) -> List[str]:
    """Return what the README says on how to run things, and which of it needs the environment activated."""
    shown = [("python3 -m lib.gradient_utilities", "the board: which task is to do, right or wrong, and why")] if \
        SHEET_FILE.parent.name == sheet.topic else []
    test = next((test for task in sheet.code_tasks for test in task.tests), None)
    if test:
        shown += [(f"python3 -m {module_name(test)}", "the tests of one task"),
                  ("sh runtests.sh", "Windows: runtests.bat; all tests and the style check")]
    shown += [(f"python3 {script}", "--help lists its options")
              for script in sheet.get("release", {}).get("scripts", ()) if "/" not in script]
    shown = shown or [("python3 environment.py", "makes the environment that the sheet needs, and prints its Python")]
    lines = [f"    {command:40} # {what}" for command, what in shown]
    lines += ["", "On Windows, write `py` for `python3`. These commands use the active Python if that has what is in",
              "`requirements.txt`; otherwise they make the folder `.venv` once (about a minute), and use it.",
              "The next need it activated: `. .venv/bin/activate`; in PowerShell `.venv\\Scripts\\Activate.ps1`,",
              "in cmd `.venv\\Scripts\\activate.bat`.", ""]
    if test:
        lines.append(f"    {f'python -m pytest {test}':40} # pytest's own words: add -v; without a file, all tests")
    return lines + [f"    pycodestyle --max-line-length {sheet.get('line_length', 120)} ."]


def release(sheet: Sheet, out: Union[str, Path], check: bool = True) -> Path:
    """Write the student version of a sheet into an empty folder, or into a zip if the name ends in .zip.

    Args:
        check: whether everything is verified first; without it, a solution could be given away.

    Raises:
        ReleaseError: the folder isn't empty, something doesn't work, or a solution is left.
        SheetError: the probes don't find the reference to be right.
    """
    out = Path(out)
    if out.exists() and (out.is_file() or any(out.iterdir())):
        raise ReleaseError(f"{out} is there already: a sheet is released into an empty folder or a new file, so that "
                           "nothing else gets into it.")
    files = build(sheet)
    if check:
        leaks = search(files, sheet, reference_solutions(sheet, collect(sheet)))
        if leaks:
            shown = "; ".join(f"task {leak.task} in {leak.path}: {leak.found}" for leak in leaks[:8])
            raise ReleaseError(f"A solution is left in the release ({len(leaks)} places): {shown}. Cut it by the rules "
                               "in sheet.json, or list it under given, with the reason.")
        verify(sheet, files, collect(sheet))
        rehearse(sheet)
    if out.suffix == ".zip":
        write_atomically(out, lambda file: write_zip(file, files))
    else:
        with tempfile.TemporaryDirectory(prefix="release-", dir=str(out.resolve().parent)) as temporary:
            write_folder(Path(temporary) / "sheet", files)
            if out.exists():
                out.rmdir()
            shutil.move(str(Path(temporary) / "sheet"), str(out))
    return out


def write_folder(folder: Path, files: Dict[str, bytes]) -> None:
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        target.chmod(0o755 if path.endswith(".sh") else 0o644)
        os.utime(str(target), (315532800, 315532800))


def write_zip(file: Any, files: Dict[str, bytes]) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            info = zipfile.ZipInfo(path, DATE)
            info.external_attr = (0o755 if path.endswith(".sh") else 0o644) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 3
            archive.writestr(info, content)
