"""Writing files so that none is ever there half-written."""
from __future__ import annotations

import glob
import os
import time
from pathlib import Path
from typing import Any, Callable, Union
from uuid import uuid4

from lib.validation import InputError

_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)  # as tempfile opens its own


def write_atomically(path: Union[str, Path], write: Callable[[Any], None]) -> Path:
    """Write a file so that it is never there half-written: write(file) to a temporary name, then rename.

    A symbolic link stays one, and the file that it leads to is replaced. A file that was there keeps its permissions.
    What a process that was killed in the middle of this has left behind is cleared away.

    Args:
        path: the file; its folder is made if it isn't there; `~` is the home folder.
        write: is given the open binary file.

    Returns:
        The path.

    Raises:
        InputError: the path is a folder, or a device, which would be replaced.
    """
    path = expanded_path(path)
    target = Path(os.path.realpath(str(path)))
    target.parent.mkdir(parents=True, exist_ok=True)
    _clear_leftovers(target)
    # named before it is made, so that Ctrl-C at any moment finds it
    temporary = f"{target}.{os.getpid()}.{uuid4().hex[:8]}.tmp"
    try:
        with os.fdopen(os.open(temporary, _NEW_FILE, 0o600), "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, _permissions(target))
        os.replace(temporary, str(target))
    except BaseException:
        if os.path.exists(temporary):  # not if Ctrl-C came right after it was renamed
            os.unlink(temporary)
        raise
    return path


def expanded_path(path: Union[str, Path]) -> Path:
    """Return the path of a file, with `~` as the home folder.

    Raises:
        InputError: it is a folder, or a device.
    """
    if not isinstance(path, (str, os.PathLike)):
        raise InputError(f"A path is a text, such as 'model.npz', or a pathlib.Path, but this is {path!r}.")
    try:
        path = Path(path).expanduser()
    except RuntimeError as error:
        raise InputError(f"There is no home folder for {str(path)!r}: {error}") from error
    if path.exists() and not path.is_file() and not path.is_dir():  # renaming would put a file in its place
        raise InputError(f"{str(path)!r} is a device or a pipe. Name a file.")
    if path.is_dir():
        raise InputError(f"{str(path)!r} is a folder. Name a file in it, such as {str(path / 'model.npz')!r}.")
    return path


def _permissions(target: Path) -> int:
    """Return those of the file that is there, or else the usual ones; a temporary file is private."""
    if target.exists():
        return target.stat().st_mode & 0o7777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _clear_leftovers(target: Path) -> None:
    """Delete the temporary files of this target whose processes aren't there any more."""
    for path in target.parent.glob(f"{glob.escape(target.name)}.*.tmp"):
        pid = path.name[len(target.name) + 1:].split(".")[0]
        try:
            if pid.isdigit() and not _is_running(int(pid), path):
                path.unlink()
        except OSError:  # another process was faster
            pass


def _is_running(pid: int, path: Path) -> bool:
    """Return whether a process is there; where that can't be asked, whether its file is younger than an hour."""
    if os.name != "posix":
        return time.time() - path.stat().st_mtime < 3600
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it is somebody else's
        pass
    return True
