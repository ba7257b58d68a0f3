"""What a box starts from: an empty folder, and the first of the uids that boxes have."""
from __future__ import annotations

import contextlib
import os
import tempfile
from typing import Iterator

from grading.ending import remove

FIRST_UID = 200000


@contextlib.contextmanager
def box_folder() -> Iterator[str]:
    """Make an empty folder that anybody may read, and remove it with all that is in it."""
    folder = tempfile.mkdtemp(prefix="box-")
    os.chmod(folder, 0o755)
    try:
        yield folder
    finally:
        remove(folder)
