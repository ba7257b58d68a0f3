"""Running one test file by itself: `python -m tests.test_something`."""
from __future__ import annotations

import sys

import pytest


def run_this_file(path: str) -> None:
    """Run the tests of one file, print "Test complete." if all pass, and exit with pytest's status."""
    status = int(pytest.main(["-q", path]))
    if status == 0:
        print("Test complete.")
    sys.exit(status)
