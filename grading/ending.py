"""Ending a box: nothing of it is left, neither a process nor a file."""
from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from typing import Iterable, List, NamedTuple, Optional, Set

try:
    import resource
except ImportError:  # Windows, where nothing is graded
    pass


def remove(folder: str) -> None:
    """Remove a folder with all that is in it, also what is write-protected, or deeper than Python can go."""
    with contextlib.suppress(RecursionError):
        shutil.rmtree(folder, ignore_errors=True)
    for words in (["rm", "-rf"], ["chmod", "-R", "u+rwx"], ["rm", "-rf"]):
        if os.path.lexists(folder):
            subprocess.run(words + ["--", folder], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def adopt() -> None:
    """Let processes whose parent has ended become children of this one, so that they can be found (Linux)."""
    with contextlib.suppress(Exception):
        import ctypes
        ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER


class Process(NamedTuple):
    """A process as /proc describes it."""

    pid: int
    parent: int
    memory: int  # bytes that it holds


def processes() -> List[Process]:
    """Return all processes that can be seen (Linux)."""
    found = []
    for entry in os.listdir("/proc") if sys.platform.startswith("linux") else ():
        if entry.isdigit():
            with contextlib.suppress(OSError, ValueError, IndexError), open(f"/proc/{entry}/stat", "rb") as file:
                fields = file.read().rpartition(b")")[2].split()
                found.append(Process(int(entry), int(fields[1]), int(fields[21]) * resource.getpagesize()))
    return found


def children() -> Set[int]:
    """Return the processes that this one has started or adopted."""
    found: Set[int] = set()
    try:
        for thread in os.listdir("/proc/self/task"):
            with open(f"/proc/self/task/{thread}/children", "rb") as file:
                found.update(map(int, file.read().split()))
        return found
    except OSError:  # macOS, and kernels that don't list them
        return {process.pid for process in processes() if process.parent == os.getpid()}


def below(pid: int) -> List[Process]:
    """Return a process and all below it."""
    everything = processes()
    inside, size = {pid}, 0
    while len(inside) != size:
        size = len(inside)
        inside |= {process.pid for process in everything if process.parent in inside}
    return [process for process in everything if process.pid in inside]


def memory_below(pid: int) -> int:
    """Return how many bytes a process and all below it hold."""
    return sum(process.memory for process in below(pid))


def queued(task: str = "thread-self") -> float:
    """Return for how many seconds a task has waited until a processor was free for it (Linux, else 0)."""
    with contextlib.suppress(OSError, ValueError, IndexError), open(f"/proc/{task}/schedstat", "rb") as file:
        return int(file.read().split()[1]) / 1e9
    return 0.0


def end(process: Optional[subprocess.Popen], uid: Optional[int], before: Iterable[int]) -> None:
    """End a box's process and everything that it started.

    Args:
        uid: the box's own, if it has one.
        before: the children that were there before the box; others are the box's.
    """
    if process is None:
        return
    with contextlib.suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)
    with contextlib.suppress(OSError):
        process.kill()
    process.wait()
    if sys.platform.startswith("linux"):
        for _ in range(200):  # a fork bomb may start others while it is being ended
            left, started = _left_over(uid, before), children() - set(before)
            if not left and not started:
                break
            for pid in left:
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            for pid in started:  # what was adopted stays there until it is waited for
                with contextlib.suppress(OSError):
                    os.waitpid(pid, os.WNOHANG)
            time.sleep(0.01)
    if uid is not None:
        _remove_files_of(uid)


def _left_over(uid: Optional[int], before: Iterable[int]) -> List[int]:
    """Return the processes of a box that are still there."""
    if uid is None:
        return sorted(children() - set(before))
    found = []
    for entry in os.listdir("/proc"):
        with contextlib.suppress(OSError):
            if entry.isdigit() and os.stat("/proc/" + entry).st_uid == uid:
                found.append(int(entry))
    return found


def _remove_files_of(uid: int) -> None:
    """Remove what a uid has left in the folders where everybody may write."""
    for folder in ("/tmp", "/var/tmp", "/dev/shm"):
        for entry in os.scandir(folder) if os.path.isdir(folder) else ():
            with contextlib.suppress(OSError):
                if entry.stat(follow_symlinks=False).st_uid == uid:
                    (remove if entry.is_dir(follow_symlinks=False) else os.unlink)(entry.path)
