"""Numbers from seeds: the same on every platform and with every version of Python and NumPy, as they come from SHA-256.

A seed of practice is a small number, which may be told. A graded seed comes from a secret of the course, so that nobody
who knows this program can work out somebody's numbers beforehand; the tag on a page tells two seeds apart, and gives
neither of them away.
"""
from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path
from typing import Any, List, Sequence

from grading.grade import GradingError
from grading.sheet import ROOT

FIRST_GRADED = 1 << 63  # seeds of practice are smaller
SECRET = Path("~/.course_secret")  # where it is looked for, and made, unless another file is named
SHORTEST_SECRET = 16
TAG_LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"  # none that look alike


class Dice:
    """Draws of chance, one after another, from a text that stands for the seed.

    >>> dice = Dice("an example")
    >>> dice.quarter(-2, 2), dice.quarter(-2, 2), dice.whole(1, 6)
    (-1.25, -1.75, 3)
    """

    def __init__(self, text: str) -> None:
        self._text, self._count = text, 0

    def below(self, n: int) -> int:
        """Return one of 0, ..., n - 1."""
        digest = hashlib.sha256(f"{self._text}|{self._count}".encode("utf-8")).digest()
        self._count += 1
        return int.from_bytes(digest[:16], "big") % n

    def whole(self, low: int, high: int) -> int:
        """Return a whole number from low to high, both included."""
        return low + self.below(high - low + 1)

    def half(self, low: float, high: float) -> float:
        """Return a multiple of 1/2 from low to high, but not 0."""
        return self._multiple(low, high, 2)

    def quarter(self, low: float, high: float) -> float:
        """Return a multiple of 1/4 from low to high, but not 0."""
        return self._multiple(low, high, 4)

    def quarters(self, n: int, low: float, high: float) -> List[float]:
        """Return n different multiples of 1/4, none of them 0."""
        found: List[float] = []
        while len(found) < n:
            number = self.quarter(low, high)
            if number not in found:
                found.append(number)
        return found

    def one_of(self, choices: Sequence[Any]) -> Any:
        """Return one of the choices."""
        return choices[self.below(len(choices))]

    def _multiple(self, low: float, high: float, parts: int) -> float:
        while True:
            number = self.whole(round(low * parts), round(high * parts)) / parts
            if number:
                return number


def read_secret(path: Path) -> bytes:
    """Return the course's secret, which stands in a file outside of the repository.

    Raises:
        GradingError: there is no such file, it stands in the repository, or it is too short to be a secret.
    """
    path = path.expanduser()
    making = "python -c \"import secrets; print(secrets.token_hex(32))\" > ~/course_secret"
    if not path.is_file():
        raise GradingError(f"{path}: there is no such file. Numbers that count come from a secret of the course; make "
                           f"one with {making}, keep it, and tell it nobody.")
    if ROOT in path.resolve().parents:
        raise GradingError(f"{path} stands in the project's folder, where it could be handed out or pushed with it. "
                           "Keep the secret elsewhere, such as in your home folder.")
    secret = path.read_bytes().strip()
    if len(secret) < SHORTEST_SECRET:
        raise GradingError(f"{path}: a secret needs at least {SHORTEST_SECRET} letters, but this has {len(secret)}. "
                           f"Make one with {making}.")
    return secret


def make_secret(path: Path) -> bool:
    """Make a secret that only its owner can read, unless there is one; return whether it is new."""
    try:
        handle = os.open(str(path), os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(handle, "w") as file:
        file.write(secrets.token_hex(32) + "\n")
    return True


def graded_seed(secret: bytes, student: str, task: str) -> int:
    """Return the seed of a student's task that counts: an HMAC, so that only who has the secret can work it out."""
    message = f"{len(student)}:{student}|{task}".encode("utf-8", "surrogatepass")
    return FIRST_GRADED + int.from_bytes(hmac.new(secret, message, hashlib.sha256).digest()[:16], "big")


def tag_of(task: str, seed: int) -> str:
    """Return what a page prints so that answers find their numbers; the seed can't be worked out from it.

    >>> tag_of("skip_connection", 1)
    'SKI-5S7D-BWXQ'
    """
    number = int.from_bytes(hashlib.sha256(f"tag|{task}|{seed}".encode("utf-8")).digest()[:16], "big")
    letters = ""
    for _ in range(8):
        number, rest = divmod(number, len(TAG_LETTERS))
        letters += TAG_LETTERS[rest]
    return f"{task[:3].upper()}-{letters[:4]}-{letters[4:]}"
