"""The bank of mistakes in the released version: the cause stands on one screen, at every level of hints."""
from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from grading.release import build, collect
from grading.verify import filled
from lib.gradient_checking.course import coding_tasks
from tests.gaps.planting import planted
from tests.gaps.wrong import WRONG
from tests.planting import SHEET

SCREEN = 24
SHARE = 0.95
# Runs in the release: for each case, a process of its own in which a file has another text, and the sheet's board.
BOARD = """
import json, os, runpy, sys, numpy
sys.path.insert(0, os.getcwd())
for path, text, output in json.load(open(sys.argv[1], encoding="utf-8")):
    with open(path, encoding="utf-8") as file:
        right = file.read()
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    process = os.fork()
    if process:
        os.waitpid(process, 0)
        with open(path, "w", encoding="utf-8") as file:
            file.write(right)
        continue
    with open(output, "wb") as shown:
        os.dup2(shown.fileno(), 1)
        os.dup2(shown.fileno(), 2)
    sys.argv[:] = ["board"]
    try:
        runpy.run_module("lib.gradient_utilities", run_name="__main__", alter_sys=True)
    except Exception:
        sys.excepthook(*sys.exc_info())  # as Python does when a program ends by one
    finally:
        sys.stdout.flush()
        os._exit(0)
"""


@pytest.mark.slow
@pytest.mark.parametrize("hints", [1, 2, 3])
def test_the_cause_stands_on_one_screen(tmp_path, hints):
    files = filled(SHEET, build(SHEET), collect(SHEET))
    sheet = dict(json.loads(files["exercises/backpropagation/sheet.json"]), hints=hints)
    files["exercises/backpropagation/sheet.json"] = json.dumps(sheet).encode()
    for path, content in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content)
    expected, cases = [], []
    for task in coding_tasks():
        source = files[task.file].decode()
        for text, said in WRONG[task.name]:
            output = f"shown{len(cases)}.txt"
            cases.append((task.file, planted(source, task.name, text), output))
            expected.append((task.name, text, said, output))
    cases.append((task.file, source, "right.txt"))
    (tmp_path / "cases.json").write_text(json.dumps(cases), encoding="utf-8")
    subprocess.run([sys.executable, "-B", "-c", BOARD, "cases.json"], cwd=str(tmp_path), check=True)
    missed = []
    for name, text, said, output in expected:
        shown = (tmp_path / output).read_text(encoding="utf-8")
        one_line = re.sub(r"\s*\n\s+", " ", shown)
        if not (re.search(said, shown) or re.search(said, one_line)) or len(shown.splitlines()) > SCREEN:
            missed.append(f"{name}: {text}\n{shown}")
    assert len(expected) >= 75 and len(missed) <= (1 - SHARE) * len(expected), "\n".join(missed)
    assert "9 of 9 points" in (tmp_path / "right.txt").read_text(encoding="utf-8")


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
