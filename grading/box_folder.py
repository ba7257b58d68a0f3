"""What a box starts from: an empty folder, and the first of the uids that boxes have."""
from __future__ import annotations

import contextlib
import functools
import os
import tempfile
import time
from pathlib import Path
from typing import Iterator

from grading.ending import remove

FIRST_UID = 200000
SECONDS = 60  # after which a folder that nobody holds has been left by a grader that was killed


@contextlib.contextmanager
def box_folder() -> Iterator[str]:
    """Make an empty folder that anybody may read, and remove it with all that is in it."""
    _remove_abandoned(tempfile.gettempdir())
    folder = tempfile.mkdtemp(prefix="box-")
    os.chmod(folder, 0o755)
    descriptor = os.open(folder, os.O_RDONLY)
    _is_held(descriptor)
    try:
        yield folder
    finally:
        os.close(descriptor)
        remove(folder)


def _is_held(descriptor: int) -> bool:
    """Hold a folder until this process ends, however it does; return whether another one holds it already."""
    import fcntl
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return False
    except OSError:
        return True


@functools.lru_cache(maxsize=None)
def _remove_abandoned(temporary: str) -> None:
    """Remove, once, this user's folders that graders have left which were killed: they hold the reference."""
    for folder in Path(temporary).glob("box-????????"):
        with contextlib.suppress(OSError):
            found = os.lstat(str(folder))
            if found.st_uid == os.geteuid() and time.time() - found.st_mtime > SECONDS:
                descriptor = os.open(str(folder), os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECTORY)
                try:
                    if not _is_held(descriptor):
                        remove(str(folder))
                finally:
                    os.close(descriptor)
