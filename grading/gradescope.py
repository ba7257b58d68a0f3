"""Gradescope: the zip that it builds its container from, and what is run in there for each submission."""
from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any, Dict

from grading import platforms
from grading.batch import as_bytes, unreadable
from grading.grade import Options, grade
from grading.layout import reference_files
from grading.release import DATE, collect
from grading.sheet import ROOT, Sheet
from grading.submission import SubmissionError
from lib.saving.files import write_atomically

SETUP = """#!/usr/bin/env bash
# Run once, as root, when Gradescope builds the image.
set -e
apt-get update
apt-get install -y bubblewrap python3 python3-venv git
python3 -m venv /opt/grading
/opt/grading/bin/pip install -r /autograder/source/requirements.txt
"""
RUN = """#!/usr/bin/env bash
# Run for each submission. The grader's files are root's alone; the student's code runs as another user.
chmod -R go-rwx /autograder/source
cd /autograder/source
umask 022
exec /opt/grading/bin/python -m grading gradescope-run {sheet} --autograder /autograder
"""


def source_files(sheet: Sheet) -> Dict[str, bytes]:
    """Return what the container needs: the grader, the library with its reference, the sheet, the sheet's tests."""
    found = {path: text.encode("utf-8") for path, text in collect(sheet).items()}
    for folder in ("grading", "lib"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            found[str(path.relative_to(ROOT)).replace(os.sep, "/")] = path.read_bytes()
    for path in sorted(sheet.folder.iterdir()):
        if path.suffix in (".json", ".md", ".py"):
            found[f"exercises/{sheet.topic}/{path.name}"] = path.read_bytes()
    rules = sheet.get("release", {})
    for name in [*reference_files(sheet), *rules.get("copies", ()), *rules.get("handouts", {}).values(),
                 "requirements.txt", "setup.cfg", "feedback.md", "exercises/__init__.py", "exercises/common.py"]:
        if (ROOT / name).is_file():
            found[name] = (ROOT / name).read_bytes()
    found["setup.sh"] = SETUP.encode("utf-8")
    found["run_autograder"] = RUN.format(sheet=sheet.topic).encode("utf-8")
    return dict(sorted(found.items()))


def write_autograder(sheet: Sheet, out: Path) -> int:
    """Write the zip for Gradescope; returns the number of files in it."""
    import zipfile
    files = source_files(sheet)

    def write(file: Any) -> None:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for path, content in files.items():
                info = zipfile.ZipInfo(path, DATE)
                executable = path in ("setup.sh", "run_autograder")
                info.external_attr = (stat.S_IFREG | (0o755 if executable else 0o644)) << 16
                info.compress_type, info.create_system = zipfile.ZIP_DEFLATED, 3
                archive.writestr(info, content)

    write_atomically(out, write)
    return len(files)


def run(sheet: Sheet, autograder: Path, options: Options) -> Dict[str, Any]:
    """Grade the submission that Gradescope has put into the container, and write its results.json."""
    metadata: Dict[str, Any] = {}
    try:
        metadata = json.loads((autograder / "submission_metadata.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        pass
    try:
        report = grade(sheet, autograder / "submission", options)
    except SubmissionError as error:
        report = unreadable(sheet, "submission", str(error))
    result = platforms.gradescope(report, sheet, metadata)
    write_atomically(autograder / "results" / "results.json", lambda file: file.write(as_bytes(result)))
    return result
