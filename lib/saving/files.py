"""Writing files so that none is ever there half-written."""
from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any, Callable, Union


def write_atomically(path: Union[str, Path], write: Callable[[Any], None]) -> Path:
    """Write a file so that it is never there half-written: write(file) to a temporary name, then rename.

    Args:
        path: the file; its folder is made if it isn't there.
        write: is given the open binary file.

    Returns:
        The path.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=str(path.parent), prefix=path.name + ".", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        mask = os.umask(0)  # a temporary file is private; the result gets the usual permissions
        os.umask(mask)
        os.chmod(temporary, 0o666 & ~mask)
        os.replace(temporary, str(path))
    except BaseException:
        os.unlink(temporary)
        raise
    return path
