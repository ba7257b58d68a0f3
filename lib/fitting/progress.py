"""A progress bar for training, drawn by tqdm, where there is a terminal to draw it on."""
from __future__ import annotations

import sys
from importlib import import_module
from typing import Any, Optional

from lib.validation import optional_import


class NoBar:
    """Stands in for a progress bar where none is shown."""

    def update(self, steps: int = 1) -> None:
        """Do nothing."""

    def set_postfix_str(self, text: str, refresh: bool = True) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


def progress_bar(total: int, done: int = 0, wanted: Optional[bool] = None) -> Any:
    """Return a progress bar over training steps.

    Args:
        total: the steps of the whole run.
        done: the steps that an earlier run has done.
        wanted: True or False; None shows a bar if the standard error stream is a terminal and tqdm is installed.
    """
    if wanted is None:
        try:
            import_module("tqdm")
            wanted = sys.stderr is not None and sys.stderr.isatty()
        except ImportError:
            wanted = False
    if not wanted:
        return NoBar()
    return optional_import("tqdm", "tqdm", "A progress bar").tqdm(total=total, initial=done, unit=" steps")
