"""Running one test file by itself: `python -m tests.test_something`, with pytest's options such as -v."""
from __future__ import annotations

import sys

import pytest


def run_this_file(path: str) -> None:
    """Run the tests of one file, print "Test complete." if all pass, and exit with pytest's status."""
    options = sys.argv[1:]
    quiet = [] if any(option.startswith(("-v", "--verbose")) for option in options) else ["-q"]
    status = int(pytest.main(quiet + [path] + options))
    from tests import one_screen  # of this run
    if status == 0 and not one_screen.waiting():
        print("Test complete.")
    sys.exit(status)
