"""What is said about a file that Python doesn't understand: its line, where in it, and what to do."""
from __future__ import annotations

import io
import tokenize
from pathlib import Path
from typing import List, Tuple

from lib.gradient_checking.diagnose.advice import Failure, advice_on
from lib.gradient_checking.gaps import relative
from lib.gradient_checking.text import wrapped

CLOSING = {"(": ")", "[": "]", "{": "}"}


def place_of(error: SyntaxError) -> str:
    """Return the file and the line where Python gave up."""
    return f"{relative(error.filename or '')}, line {error.lineno}"


def syntax_lines(error: SyntaxError) -> List[str]:
    """Return the line with a caret below it, Python's message, and the advice that fits."""
    text = (error.text or "").rstrip("\n").expandtabs(1)
    line = text.strip()
    column = max(0, (error.offset or 1) - 1 - (len(text) - len(text.lstrip())))
    shown = [f"      {line}", "      " + " " * column + "^"] if line else []
    advice = _unclosed(error) or advice_on(Failure(error, line, {}))
    stop = "" if error.msg.endswith("?") else "."
    return shown + wrapped(f"    {type(error).__name__}: {error.msg}{stop} {advice}".rstrip())


def _unclosed(error: SyntaxError) -> str:
    """Say which bracket of an earlier line is still open: before 3.10, Python gives up further down and doesn't say."""
    try:
        lines = Path(error.filename or "").read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return ""
    last = min(error.lineno or 0, len(lines))
    opened: List[Tuple[str, int]] = []
    try:
        for token in tokenize.generate_tokens(io.StringIO("\n".join(lines[:last]) + "\n").readline):
            is_sign = token.type == tokenize.OP  # from 3.12 on, the text of an f-string is a token, too
            if is_sign and token.string in CLOSING:
                opened.append((token.string, token.start[0]))
            elif is_sign and opened and token.string == CLOSING[opened[-1][0]]:
                opened.pop()
    except (tokenize.TokenError, SyntaxError):  # the lines end inside of the bracket: what is open is known by now
        pass
    if not opened or opened[-1][1] == last:
        return ""
    bracket, number = opened[-1]
    return f"The {bracket} of line {number} isn't closed before that: {lines[number - 1].strip()}"
