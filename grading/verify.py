"""What a release is refused for: imports that fail, tests that say the wrong thing, style, points, wrong files."""
from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Dict, List

from grading.gaps import fill, gap_text
from grading.sheet import Sheet

NEVER = ("lib/graph/", "lib/layers/", "lib/steps/", "lib/fitting/fit.py", "lib/fitting/trainer.py", "docs/", "grading/",
         "tests/mutants/", "benchmarks/", "lib/optimization/")
KINDS = (".py", ".md", ".txt", ".json", ".sh", ".bat", ".cfg", ".pdf", ".svg", ".png", ".csv", ".npz")
SECONDS = 600


class ReleaseError(RuntimeError):
    """The release is refused; the message says why."""


def verify(sheet: Sheet, files: Dict[str, bytes], reference: Dict[str, str]) -> None:
    """Raise ReleaseError unless the release works as it should.

    Args:
        files: the released files.
        reference: the texts with the solutions, by path.
    """
    _allowed(sheet, files)
    with tempfile.TemporaryDirectory(prefix="release-") as temporary:
        folder = Path(temporary)
        _write(folder, files)
        _imports(folder, files)
        _style(sheet, folder)
        for task in sheet.code_tasks if any(task.tests for task in sheet.code_tasks) else ():
            _write(folder, filled(sheet, files, reference, but=task.number))  # tests wait for the tasks before theirs
            for test in task.tests:
                status, output = _pytest(folder, [test])
                if status == 0:
                    raise ReleaseError(f"{test} passes although the gap of task {task.number} isn't filled.")
                if not any(words in output for words in ("to do", "NotImplementedError", "isn't written yet")):
                    raise ReleaseError(f"{test} doesn't say that task {task.number} is to do: {output[-400:]}")
        _write(folder, files)
        own = {test for task in sheet.code_tasks for test in task.tests}
        others = sorted(path for path in files if path.startswith("tests/test_") and path not in own)
        if others:
            status, output = _pytest(folder, others)
            if status:
                raise ReleaseError(f"Tests of no gap fail in the release: {output[-400:]}")
        _write(folder, filled(sheet, files, reference))
        status, output = _pytest(folder, sorted(own))
        if status and own:
            raise ReleaseError(f"With the reference in the gaps, the tests of the gaps fail: {output[-600:]}")


def filled(sheet: Sheet, files: Dict[str, bytes], reference: Dict[str, str], but: str = "") -> Dict[str, bytes]:
    """Return released files with the reference in every gap, but in that of the task `but`."""
    result = dict(files)
    for task in [task for task in sheet.gap_tasks if task.number != but]:
        assert task.gap is not None
        content = gap_text(reference[task.gap.file], task.gap.name)
        text = result[task.gap.file].decode("utf-8")
        result[task.gap.file] = fill(text, task.gap.name, content or "").encode("utf-8")
    return result


def _allowed(sheet: Sheet, files: Dict[str, bytes]) -> None:
    for path in files:
        if path.startswith(NEVER) and not path.startswith(tuple(sheet.get("release", {}).get("allow", ()))):
            raise ReleaseError(f"{path} mustn't be released: something that is released imports it.")
        if not path.endswith(KINDS) and path != "LICENSE":
            raise ReleaseError(f"{path} isn't of a kind that is released ({', '.join(KINDS)}).")
    for part, stated in (("points", sheet.max_points), ("bonus_points", sum(t.points or 0 for t in sheet.bonus))):
        if sheet.get(part) is not None and sheet.get(part) != stated:
            raise ReleaseError(f"The tasks' points sum to {stated:g}, but sheet.json says {sheet.get(part):g}.")
    for task in sheet.gap_tasks:
        if task.gap and gap_text(files[task.gap.file].decode("utf-8"), task.gap.name) != sheet.get("placeholder"):
            raise ReleaseError(f"The gap of task {task.number} doesn't hold the placeholder.")


def _write(folder: Path, files: Dict[str, bytes]) -> None:
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)


def _run(folder: Path, words: List[str]) -> "subprocess.CompletedProcess[bytes]":
    environment = dict(os.environ, PYTHONDONTWRITEBYTECODE="1", OMP_NUM_THREADS="1", PYTHONPATH="", MPLBACKEND="Agg")
    return subprocess.run([sys.executable] + words, cwd=str(folder), env=environment, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, timeout=SECONDS)


def _pytest(folder: Path, tests: List[str]) -> "tuple[int, str]":
    done = _run(folder, ["-m", "pytest", "-q", "-x", "--tb=short", "-p", "no:cacheprovider"] + tests)
    return done.returncode, done.stdout.decode("utf-8", "replace")


def _imports(folder: Path, files: Dict[str, bytes]) -> None:
    names = [path[:-len(".py")].replace("/", ".") for path in files if path.endswith(".py")
             and not path.endswith(("__main__.py", "__init__.py")) and path not in ("environment.py", "setup.py")]
    done = _run(folder, ["-c", "import importlib, sys\nfor name in sys.argv[1:]:\n    importlib.import_module(name)"]
                + names)
    if done.returncode:
        raise ReleaseError(f"Not everything imports in the release: {done.stdout.decode('utf-8', 'replace')[-400:]}")


def _style(sheet: Sheet, folder: Path) -> None:
    done = _run(folder, ["-m", "pycodestyle", "--max-line-length", str(sheet.get("line_length", 120)), "."])
    if done.returncode:
        raise ReleaseError(f"The style of the release isn't clean: {done.stdout.decode('utf-8', 'replace')[:400]}")
