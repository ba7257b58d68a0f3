"""Runs the tests that judge a stand-in on each of its mistakes: `python -m tests.stand_ins.judge FILE`, in a copy.

A fork of a process that has imported pytest, and nothing of lib, saves much of the time.
"""
from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import List

import pytest

from tests.copied_tree import TESTS
from tests.test_stand_ins import MISTAKES


def status_of(tests: List[str]) -> int:
    """Return pytest's status for these tests."""
    arguments = ["-q", "-x", "-p", "no:cacheprovider", *tests]
    if not hasattr(os, "fork"):
        return subprocess.call([sys.executable, "-m", "pytest", *arguments])
    child = os.fork()
    if child == 0:
        status = pytest.main(arguments)
        sys.stdout.flush()
        os._exit(int(status))
    return os.waitpid(child, 0)[1] >> 8


def main(file: str) -> None:
    """Print each mistake that the tests have let pass, and then that all are judged."""
    path = Path("lib") / f"{file.split('/')[1]}.py"
    right = path.read_text(encoding="utf-8")
    tests = [f"tests/test_{name}.py" for name in TESTS[file].split()]
    for mistake in [mistake for mistake in MISTAKES if mistake.file == file]:
        assert right.count(mistake.right) == mistake.times, mistake
        path.write_text(right.replace(mistake.right, mistake.wrong), encoding="utf-8")
        if status_of(tests) != 1:
            print(f"passed although wrong: {mistake}")
    print("All are judged.")


if __name__ == "__main__":
    main(sys.argv[1])
