"""A box: a folder with a student's code, a process in it, and questions to that process, each with a deadline."""
from __future__ import annotations

import contextlib
import errno
import importlib.metadata
import json
import os
import re
import secrets
import select
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Sequence, Set, Tuple

from grading import frames, isolation
from grading.box_folder import FIRST_UID
from grading.ending import adopt, below, children, end, memory_below, queued
from grading.isolation import Level, Limits

HERE = Path(__file__).resolve().parent
LOOK = 0.2  # seconds between two looks at how much memory all processes of a box hold
UIDS = 60000
MOST_QUEUED = 9  # times the limit on the clock: how long a box may wait for a processor besides
Handler = Callable[[Dict[str, Any], List[Any]], Tuple[Dict[str, Any], List[Any]]]


class BoxError(Exception):
    """The child couldn't answer.

    Attributes:
        status: "error", "to do" or "limit".
        words: a sentence for the student.
        kinds, message: the names of the classes of an exception in the student's code, and what it says.
    """

    def __init__(self, status: str, words: str, kinds: Sequence[str] = (), message: str = "") -> None:
        super().__init__(words)
        self.status, self.words, self.kinds, self.message = status, words, tuple(kinds), message


_PACKAGES: Dict[Tuple[str, ...], List[Tuple[str, str]]] = {}


def package_files(names: Sequence[str]) -> List[Tuple[str, str]]:
    """Return (path, name) of the files and folders of installed packages and of what they need."""
    key = tuple(names)
    if key not in _PACKAGES:
        found: Dict[str, str] = {}
        queue, seen = list(names), set()
        while queue:
            name = re.sub(r"[-_.]+", "-", queue.pop()).lower()
            if name in seen:
                continue
            seen.add(name)
            with contextlib.suppress(importlib.metadata.PackageNotFoundError):
                dist = importlib.metadata.distribution(name)
                for file in dist.files or ():
                    top = file.parts[0]
                    if top not in ("..", "__pycache__") and not top.endswith((".dist-info", ".pth")):
                        found[top] = str(dist.locate_file(top))
                queue += [re.match(r"[\w.-]*", text).group() for text in dist.requires or () if "extra ==" not in text]
        _PACKAGES[key] = sorted((path, name) for name, path in found.items() if os.path.exists(path))
    return _PACKAGES[key]


def take_uid() -> Tuple[int, socket.socket]:
    """Return a uid that no other box of this machine has, and what holds it: boxes of one uid would end each other.

    It is taken as long as a socket of its name is open; the system lets go of it if this process dies.
    """
    while True:
        uid = FIRST_UID + secrets.randbelow(UIDS)
        holder = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            holder.bind(f"\0numpy-teaching-library, box {uid}")
            return uid, holder
        except OSError as error:
            holder.close()
            if error.errno != errno.EADDRINUSE:  # no other uid would be any better
                raise


class Box:
    """A running child. Use it in a with statement: at its end nothing of the child is left.

    Args:
        folder: holds code/, laid out by grading.layout.
        student_files: the student's modules, by name, with their paths below the folder.
        level, limits: see grading.isolation.
        packages: the packages that the child may import.
        hidden: folders that mustn't be seen from the box.
    """

    def __init__(self, folder: str, student_files: Dict[str, str], level: Level, limits: Limits = Limits(),
                 packages: Sequence[str] = ("numpy",), hidden: Sequence[str] = ()) -> None:
        self.folder, self.student_files, self.level, self.limits = folder, student_files, level, limits
        self.packages, self.hidden = packages, tuple(hidden) + (str(HERE.parent),)
        self.uid: Optional[int] = None
        self.holder: Optional[socket.socket] = None
        if isolation.is_root() and level is not isolation.PROCESS:
            self.uid, self.holder = take_uid()
        self.process: Optional[subprocess.Popen] = None
        self.before: Set[int] = set()
        self.started = self.deadline = self.own_queued = 0.0

    def __enter__(self) -> "Box":
        for name in ("child.py", "frames.py", "refused.py", "remote.py"):
            target = os.path.join(self.folder, name)
            shutil.copyfile(str(HERE / name), target)
            os.chmod(target, 0o644)  # the grader's own files may be root's alone
        packages = package_files(self.packages)
        inside, packages_inside = isolation.place_of(self.level, self.folder)
        temporary = "/tmp"
        if self.level in (isolation.USER, isolation.PROCESS):
            temporary = os.path.join(self.folder, "tmp")
            os.mkdir(temporary)
            os.mkdir(packages_inside)
            if self.uid is not None:
                os.chown(temporary, self.uid, self.uid)
            for path, name in packages:
                os.symlink(path, os.path.join(packages_inside, name))
        if self.uid is not None:  # another box, that of another student, mustn't look into this one
            os.chown(self.folder, -1, self.uid)
            os.chmod(self.folder, 0o750)
        question, self.sink = os.pipe()
        self.source, answer = os.pipe()
        settings = {"read": question, "write": answer, "uid": self.uid, "limits": self.limits.rlimits(),
                    "packages": [packages_inside], "student_files": self.student_files}
        words = isolation.words_for(self.level, self.folder, packages, self.limits, self.hidden)
        command = words + [isolation.interpreter(), "-I", "-S", "-B", inside + "/child.py", json.dumps(settings)]
        adopt()
        self.before = children()
        self.started, self.own_queued = time.monotonic(), queued()
        self.deadline = self.started + self.limits.wall
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            pass_fds=(question, answer), env=isolation.environment(temporary), start_new_session=True,
            cwd=temporary if temporary != "/tmp" else "/")
        os.close(question)
        os.close(answer)
        os.set_blocking(self.sink, False)
        os.set_blocking(self.source, False)
        return self

    def __exit__(self, *_: Any) -> None:
        for descriptor in (self.sink, self.source):
            with contextlib.suppress(OSError):
                os.close(descriptor)
        end(self.process, self.uid, self.before)
        if self.holder is not None:
            self.holder.close()

    @property
    def has_ended(self) -> bool:
        """Whether the child's process has ended."""
        return self.process is None or self.process.poll() is not None

    # ------------------------------------------------------------------ questions

    def ask(self, header: Dict[str, Any], arrays: Sequence[Any] = (), handler: Optional[Handler] = None
            ) -> Tuple[Dict[str, Any], List[Any]]:
        """Ask the child and return its answer.

        Args:
            header, arrays: the question.
            handler: answers what the child asks in turn before it is done.

        Raises:
            BoxError: an exception in the student's code, a limit, or an answer that isn't one.
        """
        question = dict(header, id=secrets.token_hex(8))
        self._write(frames.encode(question, arrays))
        while True:
            try:
                answer, results = frames.decode(*[self._read(size) for size in frames.sizes(self._read(8))])
            except frames.FrameError as error:
                raise BoxError("error", f"Your code sent something that isn't an answer: {error}.") from error
            if answer.get("id") == "ask" and handler is not None:
                self._write(frames.encode(*handler(answer, results)))
                continue
            if answer.get("id") != question["id"]:
                raise BoxError("error", "Your code sent an answer that nobody had asked for.")
            if "error" in answer:
                raise _student_error(answer["error"])
            return answer, results

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            self._wait([], [self.sink])
            try:
                view = view[os.write(self.sink, view[:65536]):]
            except BlockingIOError:
                continue
            except OSError as error:
                raise self._ended() from error

    def _read(self, count: int) -> bytes:
        parts = []
        while count:
            self._wait([self.source], [])
            try:
                part = os.read(self.source, min(count, 1 << 20))
            except BlockingIOError:
                continue
            if not part:
                raise self._ended()
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    def _wait(self, sources: List[int], sinks: List[int]) -> None:
        while True:
            if time.monotonic() > self.deadline:
                self.deadline = self.started + self.limits.wall + self._queued()
            rest = self.deadline - time.monotonic()
            ready = select.select(sources, sinks, [], min(max(0.0, rest), LOOK))
            if ready[0] or ready[1]:
                return
            if self.process is not None and memory_below(self.process.pid) > 2 * self.limits.memory:
                raise BoxError("limit", "Its processes together need more memory than the limit allows.")
            if rest > 0:
                continue
            raise BoxError("limit", f"It wasn't done after {self.limits.wall:g} seconds. Is there an endless loop, or "
                                    "a wait for something?")

    def _queued(self) -> float:
        """Return for how long the box, and we, waited for a processor: a busy machine must not cost points."""
        of_the_box = [queued(str(process.pid)) for process in below(self.process.pid)] if self.process else []
        return min(max(of_the_box, default=0.0) + queued() - self.own_queued, MOST_QUEUED * self.limits.wall)

    def _ended(self) -> BoxError:
        """Return what is to be said of a child that has ended too early."""
        assert self.process is not None
        try:
            status = self.process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            status = 0
        number = -status if status < 0 else status - 128
        if number in (getattr(signal, "SIGXCPU", 24), getattr(signal, "SIGKILL", 9)):
            return BoxError("limit", f"It was ended at the limit of {self.limits.cpu} seconds of processor time, or of "
                                     "memory. Is there an endless loop?")
        return BoxError("error", "Your code ended the whole program. Is there an exit() in it, or did it crash?")


def _student_error(described: Any) -> BoxError:
    """Return the error that a child has described; nothing in the description is trusted."""
    described = described if isinstance(described, dict) else {}
    kinds = [plain(kind, 60) for kind in described.get("kinds") or () if isinstance(kind, str)][:8]
    words = plain(described.get("words", ""), 200)
    place = described.get("place")
    place = (plain(place[0], 80), place[1]) if isinstance(place, list) and len(place) == 2 and isinstance(
        place[0], str) and isinstance(place[1], int) else None
    kind = kinds[0] if kinds and kinds[0].isidentifier() else "An exception"
    where = f" in line {place[1]} of {place[0].replace('.', '/')}.py" if place else ""
    if "NotImplementedError" in kinds:
        return BoxError("to do", "This isn't written yet.", kinds, words)
    if "MemoryError" in kinds:
        return BoxError("limit", f"It needs more memory than the limit allows{where}.", kinds, words)
    return BoxError("error", f"{kind}{where}" + (f": {words.rstrip('. ')}" if words else "") + ".", kinds, words)


def plain(text: Any, most: int) -> str:
    """Return foreign text as one line of printable characters, cut to a length."""
    text = "".join(c if c.isprintable() else " " for c in str(text)[:4 * most])
    text = " ".join(text.split())
    return text if len(text) <= most else text[:most - 3] + "..."
