"""System calls that a box is refused: what takes memory beside the limits, or outlives the box."""
from __future__ import annotations

import os
import sys

import pytest

from grading.refused import CALLS, NUMBERS, program
from tests.test_grading_isolation import WORKING, words_of

MACHINE = os.uname().machine if sys.platform == "linux" else ""
KNOWN = pytest.mark.skipif(MACHINE not in NUMBERS, reason="Linux on x86-64 or ARM64 has this filter")
TRIED = f"""
import ctypes, os, subprocess, threading
libc = ctypes.CDLL(None, use_errno=True)
done = [name for name, number in {list(zip(CALLS, NUMBERS.get(MACHINE, ())))!r}
        if libc.syscall(number, 0x10000000, 0, 0, 0, 0) != -1 or ctypes.get_errno() != 1]
child = libc.syscall({{"x86_64": 56, "aarch64": 220}}["{MACHINE}"], 0x10000000 | 17, 0, 0, 0, 0)
if child == 0:
    os._exit(0)
done += ["clone with a new namespace"] * (child != -1)
thread = threading.Thread(target=done.append, args=("thread",))
thread.start()
thread.join()
if subprocess.run(["true"]).returncode == 0 and os.fork() == 0:
    os._exit(0)
raise ValueError("done: " + ", ".join(done))
"""


@KNOWN
@pytest.mark.parametrize("level", WORKING[:1] + WORKING[1:][-1:], ids=lambda level: level.name)
def test_such_calls_are_refused_and_threads_and_programs_are_not(level):
    assert words_of(TRIED, level).message == "done: thread"


@pytest.mark.parametrize("machine", sorted(NUMBERS))
def test_every_jump_of_the_filter_leads_to_an_instruction(machine):
    words = program(machine)
    assert len(set(NUMBERS[machine])) == len(CALLS) == len(NUMBERS[machine])
    assert all(i + 1 + max(yes, no) < len(words) for i, (code, yes, no, _) in enumerate(words) if code != 0x06)
    assert words[-1][0] == 0x06


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
