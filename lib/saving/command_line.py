"""Commands: what is wrong with an option, or with the place to write to, is said in a line, with exit status 2."""
from __future__ import annotations

import argparse
import math
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Any, Callable, NoReturn


# What a student's Linear and Sequential need not have, as Python says it.
BEYOND_THE_SHEETS = r"keyword argument '(rng|bias)'|'Sequential' object is not subscriptable|'Sequential' has no len"


def run_command(main: Callable[[], Any]) -> None:
    """Run a program's main(), whose result is the exit status, if it has one; end quietly at `| head`, or at Ctrl-C.

    A file that can't be read or written, and a package that isn't installed, are said in a line, with exit status 2.
    """
    if "ipykernel" in sys.modules:  # a notebook shows errors itself
        main()
        return
    try:
        status = main()
        sys.stdout.flush()
        if isinstance(status, int):
            sys.exit(status)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains as it ends
        sys.exit(141)  # as the shell has it for a program that wrote to a closed pipe
    except KeyboardInterrupt:
        sys.exit("\nInterrupted.")
    except TypeError as error:
        if not re.search(BEYOND_THE_SHEETS, str(error)):
            raise
        sys.stderr.write(f"{Path(sys.argv[0]).name}: {error}. This program needs what the library's own file has "
                         "beyond the course's edition; a student's file seems to stand in its place.\n")
        sys.exit(2)
    except (OSError, ImportError) as error:
        sys.stderr.write(f"{Path(sys.argv[0]).name}: {' '.join(str(error).split())}\n")
        sys.exit(2)


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


def output_folder(text: str) -> Path:
    """Return the folder, made if it isn't there, or fail with a sentence if nothing can be written into it."""
    folder = Path(text).expanduser()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=str(folder)):
            return folder
    except OSError as error:
        raise argparse.ArgumentTypeError(f"can't write into {text!r}: {error.strerror or error}") from None


def output_file(text: str) -> str:
    """Return the file's path, or fail with a sentence if it can't be written."""
    path = Path(text).expanduser()
    if path.exists() and not path.is_file():
        kind = "folder" if path.is_dir() else "device or a pipe"
        raise argparse.ArgumentTypeError(f"expected the name of a file, but {text!r} is a {kind}")
    try:
        output_folder(str(path.parent))
    except argparse.ArgumentTypeError as error:
        raise argparse.ArgumentTypeError(f"can't write {text!r}: {str(error).split(': ', 1)[-1]}") from None
    return str(path)


def picture_file(text: str) -> str:
    """Return the file's path, or fail with a sentence if no picture can be written there."""
    suffixes = (".png", ".pdf", ".svg", ".jpg")
    if os.path.splitext(text)[1].lower() not in suffixes:
        raise argparse.ArgumentTypeError(f"expected a file name ending in {', '.join(suffixes)}, but got {text!r}")
    if not Path(text).expanduser().parent.is_dir():
        raise argparse.ArgumentTypeError(f"can't write {text!r}: there is no folder {os.path.dirname(text)!r}")
    return output_file(text)
