"""What would outlive a box, or take memory beside its limits: such system calls are refused, folders removed."""
from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time

import pytest

from grading.box_folder import box_folder
from grading.refused import CALLS, NUMBERS, program
from grading.sheet import ROOT
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


@KNOWN
@pytest.mark.slow
@pytest.mark.parametrize("level", WORKING, ids=lambda level: level.name)
def test_a_box_ends_with_its_grader(level):
    mark = f"{os.getpid()}.5"  # seconds, by which the sleeping process is told
    code = ("import sys\nfrom grading import isolation\nfrom tests.test_grading_isolation import in_box\n"
            f"level = next(level for level in isolation.LEVELS if level.name == {level.name!r})\n"
            f"in_box('import os\\nos.execvp(\"sleep\", [\"sleep\", \"{mark}\"])', level, wall=60)\n")
    grader = subprocess.Popen([sys.executable, "-c", code], cwd=str(ROOT))

    def sleeping():
        return [entry for entry in os.listdir("/proc") if entry.isdigit() and mark.encode() in _words(entry)
                and b"sleep\x00" in _words(entry) and b"-c" not in _words(entry)]

    _wait_until(lambda: sleeping() or grader.poll() is not None)
    assert sleeping(), "the box hasn't started"
    grader.kill()
    grader.wait()
    _wait_until(lambda: not sleeping())
    assert not sleeping()


def _words(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read()
    except OSError:
        return b""


def _wait_until(condition):
    for _ in range(300):
        if condition():
            return
        time.sleep(0.1)


def test_what_a_killed_grader_has_left_is_removed_and_nothing_else(tmp_path, monkeypatch):
    """Its folder holds the reference, and anybody may read it."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    code = ("import os, tempfile; tempfile.tempdir = os.environ['WHERE']\nfrom grading.box_folder import box_folder\n"
            "with box_folder() as folder:\n    print(folder, flush=True)\n    input()\n")
    graders = [subprocess.Popen([sys.executable, "-c", code], cwd=str(ROOT), env=dict(os.environ, WHERE=str(tmp_path)),
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(2)]
    folders = [grader.stdout.readline().decode().strip() for grader in graders]
    graders[0].kill()
    graders[0].wait()
    young = tempfile.mkdtemp(prefix="box-")
    for folder in folders + [tempfile.mkdtemp(prefix="mine-")]:
        os.utime(folder, (1, 1))
    with box_folder() as new:
        left = {str(path) for path in tmp_path.iterdir()}
    assert folders[0] not in left and {folders[1], young, new} < left and len(left) == 4
    graders[1].communicate(b"\n")
    assert not os.path.exists(folders[1]) and not os.path.exists(new)


@pytest.mark.parametrize("machine", sorted(NUMBERS))
def test_every_jump_of_the_filter_leads_to_an_instruction(machine):
    words = program(machine)
    assert len(set(NUMBERS[machine])) == len(CALLS) == len(NUMBERS[machine])
    assert all(i + 1 + max(yes, no) < len(words) for i, (code, yes, no, _) in enumerate(words) if code != 0x06)
    assert words[-1][0] == 0x06


if __name__ == "__main__":
    from tests.run import run_this_file
    run_this_file(__file__)
