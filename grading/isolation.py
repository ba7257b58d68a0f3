"""How strongly a box can be isolated on this machine: the levels, how each is started, and which of them work.

A level works if `true` runs in it. The strongest that works is taken, and every report says which one it was.
"""
from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

from grading.box_folder import FIRST_UID, box_folder


class Limits(NamedTuple):
    """What a box may use."""

    cpu: int = 5  # seconds
    wall: float = 10.0  # seconds on the clock, without those in which it waited for a processor
    memory: int = 1 << 30  # bytes of address space, each process
    processes: int = 32
    file_size: int = 16 << 20  # bytes, of one file and of all files in memory

    def rlimits(self) -> Dict[str, int]:
        return {"RLIMIT_CPU": self.cpu, "RLIMIT_AS": self.memory, "RLIMIT_NPROC": self.processes,
                "RLIMIT_FSIZE": self.file_size, "RLIMIT_CORE": 0, "RLIMIT_NOFILE": 256}


class Level(NamedTuple):
    """A way to isolate a box, and what it promises."""

    name: str
    promise: str
    is_strong: bool


BUBBLEWRAP = Level("bubblewrap", "no network, other files hidden, processes and memory limited, nothing survives", True)
NAMESPACES = Level("namespaces", "no network, the grader's and the students' files hidden, processes and memory "
                   "limited, nothing survives", True)
USER = Level("user", "another user without rights, processes and memory limited; the network and files that anybody "
             "may read are within reach", False)
PROCESS = Level("process", "a process of its own with limits, ended with all that it started; files and the network "
                "are within reach", False)
LEVELS = (BUBBLEWRAP, NAMESPACES, USER, PROCESS)


def is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def interpreter() -> str:
    """Return the Python that runs in a box: the one that runs here, outside of any virtual environment."""
    return os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable)


def interpreter_folders() -> List[str]:
    """Return the folders that the interpreter needs besides the system's own."""
    found = {os.path.realpath(path) for path in (sys.base_prefix, sys.base_exec_prefix)}
    found.add(os.path.dirname(os.path.dirname(interpreter())))
    return sorted(path for path in found if not _is_below(path, "/usr") and path != "/")


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def package_folders() -> List[str]:
    """Return the folders of installed packages that a box must not see as they are: they may hold other libraries."""
    paths = {sysconfig.get_path(kind, vars={"base": sys.base_prefix, "platbase": sys.base_prefix})
             for kind in ("purelib", "platlib")}
    version = "python%d.%d" % sys.version_info[:2]
    paths |= {"/usr/lib/python3/dist-packages", f"/usr/local/lib/{version}/dist-packages",
              f"/usr/local/lib/{version}/site-packages"}
    return sorted(path for path in paths if path and os.path.isdir(path))


def bubblewrap(box: str, packages: Sequence[Tuple[str, str]], limits: Limits) -> List[str]:
    """Return the words before the command that run it in bubblewrap, with the folder `box` as /box."""
    words = [shutil.which("bwrap") or "bwrap", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts",
             "--die-with-parent", "--new-session", "--hostname", "box"]
    if is_root():
        words += ["--cap-drop", "ALL"] + [word for cap in ("CAP_SETUID", "CAP_SETGID") for word in ("--cap-add", cap)]
    else:
        words += ["--unshare-user", "--disable-userns"]
    for folder in ("/usr", "/bin", "/lib", "/lib64", "/lib32"):
        if os.path.islink(folder):
            words += ["--symlink", os.readlink(folder), folder]
        elif os.path.isdir(folder):
            words += ["--ro-bind", folder, folder]
    words += ["--perms", "0755", "--dir", "/etc", "--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache"]
    for folder in interpreter_folders():
        for parent in reversed(list(Path(folder).parents)[:-1]):
            words += ["--perms", "0755", "--dir", str(parent)]
        words += ["--ro-bind", folder, folder]
    for folder in package_folders():
        words += ["--perms", "0755", "--tmpfs", folder, "--remount-ro", folder]
    words += ["--perms", "0755", "--dir", "/packages"]
    for source, name in packages:
        words += ["--ro-bind", source, f"/packages/{name}"]
    size = str(limits.file_size)
    return words + ["--ro-bind", box, "/box", "--proc", "/proc", "--dev", "/dev", "--size", size, "--tmpfs", "/dev/shm",
                    "--perms", "1777", "--size", size, "--tmpfs", "/tmp", "--remount-ro", "/dev", "--remount-ro", "/",
                    "--chdir", "/tmp"]


def namespaces(box: str, packages: Sequence[Tuple[str, str]], limits: Limits, hidden: Sequence[str]) -> List[str]:
    """Return the words before the command that run it in namespaces made by util-linux, with `box` as /mnt/box."""
    size = f"size={limits.file_size}"
    steps = ["set -e", f"mount -t tmpfs -o {size},mode=755 tmpfs /mnt", "mkdir -m 755 /mnt/box /mnt/packages",
             f"mount --rbind {_quoted(box)} /mnt/box"]
    for source, name in packages:
        target = _quoted(f"/mnt/packages/{name}")
        make = f"mkdir -m 755 {target}" if os.path.isdir(source) else f"touch {target}"
        steps += [make, f"mount --bind {_quoted(source)} {target}"]
    keep = interpreter_folders()
    for i, folder in enumerate(keep):
        steps += [f"mkdir -m 755 /mnt/keep{i}", f"mount --rbind {_quoted(folder)} /mnt/keep{i}"]
    homes = [folder for folder in ("/home", "/root", "/srv", "/tmp", "/var/tmp", "/dev/shm", "/run") if
             os.path.isdir(folder)]
    for folder in list(package_folders()) + homes + [folder for folder in hidden if os.path.isdir(folder)]:
        steps += [f"[ ! -d {_quoted(folder)} ] || mount -t tmpfs -o {size},mode=1777 tmpfs {_quoted(folder)}"]
    for i, folder in enumerate(keep):
        steps += [f"mkdir -p {_quoted(folder)}", f"mount --rbind /mnt/keep{i} {_quoted(folder)}"]
        steps += [f"[ ! -d {_quoted(inner)} ] || mount -t tmpfs -o {size},mode=755 tmpfs {_quoted(inner)}"
                  for inner in package_folders() if _is_below(inner, folder)]
    rights = "-all,+setuid,+setgid" if is_root() else "-all"  # root's child takes a uid of its own
    # Not by exec: the first process of a namespace ignores signals, those of its limits, too.
    steps += ["cd /tmp", f'setpriv --no-new-privs --bounding-set={rights} --inh-caps=-all "$@"', "exit $?"]
    user = [] if is_root() else ["--user", "--map-root-user"]
    die_with_grader = ["setpriv", "--pdeathsig", "KILL"]
    return die_with_grader + ["unshare"] + user + ["--net", "--pid", "--ipc", "--uts", "--fork", "--kill-child=SIGKILL",
                                                   "--mount", "--mount-proc", "sh", "-c", "\n".join(steps), "sh"]


def _quoted(path: str) -> str:
    return "'" + path.replace("'", "'\\''") + "'"


def words_for(level: Level, box: str, packages: Sequence[Tuple[str, str]], limits: Limits,
              hidden: Sequence[str] = ()) -> List[str]:
    """Return the words to put before a command so that it runs isolated."""
    if level is BUBBLEWRAP:
        return bubblewrap(box, packages, limits)
    if level is NAMESPACES:
        return namespaces(box, packages, limits, hidden)
    return []


def place_of(level: Level, box: str) -> Tuple[str, str]:
    """Return where the box's folder, and its packages, are seen from inside."""
    if level is BUBBLEWRAP:
        return "/box", "/packages"
    if level is NAMESPACES:
        return "/mnt/box", "/mnt/packages"
    return box, os.path.join(box, "packages")


def environment(temporary: str) -> Dict[str, str]:
    """Return the environment of a box: nothing of the grader's own."""
    one = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
    return dict(one, PATH="/usr/sbin:/usr/bin:/sbin:/bin", HOME=temporary, TMPDIR=temporary, LANG="C.UTF-8",
                MPLBACKEND="Agg", MPLCONFIGDIR=temporary)


@functools.lru_cache(maxsize=None)
def strongest(most: Optional[str] = None) -> Level:
    """Return the strongest level that works here, as running `true` in it tells.

    Args:
        most: the name of a level; stronger ones aren't tried.
    """
    names = [level.name for level in LEVELS]
    for level in LEVELS[names.index(most) if most else 0:]:
        if works(level):
            return level
    return PROCESS


@functools.lru_cache(maxsize=None)
def works(level: Level) -> bool:
    """Return whether a command runs in this level."""
    if level is PROCESS:
        return True
    if os.name != "posix" or not sys.platform.startswith("linux"):
        return False
    if level is USER:
        test = f"import os; os.setresuid({FIRST_UID}, {FIRST_UID}, {FIRST_UID}); import decimal, encodings.idna, json"
        return is_root() and subprocess.run([interpreter(), "-I", "-S", "-c", test], stderr=subprocess.DEVNULL,
                                            stdin=subprocess.DEVNULL).returncode == 0
    with box_folder() as box:
        words = words_for(level, box, (), Limits()) + [interpreter(), "-I", "-S", "-c", "pass"]
        try:
            return subprocess.run(words, env=environment("/tmp"), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL, timeout=20).returncode == 0
        except (OSError, subprocess.SubprocessError):
            return False
