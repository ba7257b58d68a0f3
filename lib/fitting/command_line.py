"""Options of commands: what is wrong with one is said in a line, with exit status 2."""
from __future__ import annotations

import argparse
import math
import os
import sys
from typing import Callable, NoReturn


class OneLineParser(argparse.ArgumentParser):
    """An argument parser whose errors take one line, with exit status 2."""

    def error(self, message: str) -> NoReturn:
        sys.stderr.write(f"{self.prog}: {message} (see --help)\n")
        sys.exit(2)


def positive_float(text: str) -> float:
    """Return the number, or fail with a sentence if it isn't a finite one above zero."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise argparse.ArgumentTypeError(f"expected a positive number, such as 0.5, but got {text!r}")
    return value


def whole_number(least: int, most: float = math.inf) -> Callable[[str], int]:
    """Return a function that reads a whole number of at least `least` (and at most `most`)."""
    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if not least <= value <= most:
            limit = f" to {most:.0f}" if math.isfinite(most) else " upwards"
            raise argparse.ArgumentTypeError(f"expected a whole number from {least}{limit}, but got {text!r}")
        return value
    return read


def picture_file(text: str) -> str:
    """Return the file name, or fail with a sentence if no picture can be written there."""
    folder = os.path.dirname(text) or "."
    suffixes = (".png", ".pdf", ".svg", ".jpg")
    if os.path.splitext(text)[1].lower() not in suffixes:
        raise argparse.ArgumentTypeError(f"expected a file name ending in {', '.join(suffixes)}, but got {text!r}")
    if not os.path.isdir(folder) or not os.access(folder, os.W_OK) or os.path.isdir(text):
        raise argparse.ArgumentTypeError(f"can't write {text!r}: is {folder!r} a folder that you may write to?")
    return text
