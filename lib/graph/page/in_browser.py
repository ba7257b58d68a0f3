"""What the playground asks of the library that runs in the browser: train on data, or check a module that is typed in.

A question is a dict; the answer is one, too, {"error": sentence} where something is wrong with the question.
"""
from __future__ import annotations

import contextlib
import io
import json
import sys
import traceback
import types
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

import numpy as np

from lib.graph.page.replay import replay_page
from lib.gradient_checking import check_module
from lib.layers import Linear, ReLU, Sequential, Sigmoid, Tanh
from lib.network_base import Module
from lib.validation import InputError

ACTIVATIONS = {"ReLU": ReLU, "Sigmoid": Sigmoid, "Tanh": Tanh}
MOST_ROWS, MOST_HIDDEN, MOST_EPOCHS, MOST_PRINTED = 500, 64, 5000, 2000


def main(question: str, answer: str) -> None:
    """Read a question from one file, and write its answer to another."""
    given = json.loads(Path(question).read_text(encoding="utf-8"))
    Path(answer).write_text(json.dumps(answered(given), allow_nan=False), encoding="utf-8")


def answered(question: Dict[str, Any]) -> Dict[str, Any]:
    """Return the answer to a question."""
    kinds = {"train": trained, "check": checked}
    try:
        return kinds[question["kind"]](question)
    except (InputError, ValueError) as error:
        return {"error": str(error)}


def trained(question: Dict[str, Any]) -> Dict[str, Any]:
    """Train Linear, activation, Linear on the data, from the seed's start, and return what a replay shows of it."""
    x, y = read_data(question["data"])
    hidden = whole(question["hidden"], "hidden units", 1, MOST_HIDDEN)
    epochs = whole(question["epochs"], "epochs", 1, MOST_EPOCHS)
    seed = whole(question["seed"], "as seed", 0, 2 ** 32 - 1)
    try:
        rate = float(str(question["lr"]).replace(",", "."))
    except ValueError:
        rate = np.nan
    if not 0 < rate < np.inf:
        raise InputError(f"The learning rate is to be a positive number, such as 0.5, not {question['lr']!r}.")
    np.random.seed(seed)
    model = Sequential(Linear(x.shape[1], hidden), ACTIVATIONS[question["activation"]](), Linear(hidden, y.shape[1]))
    name = f"seed {seed}, {hidden} hidden {question['activation']}, lr {rate:g}"
    page = replay_page({name: model}, x, y, learning_rate=rate, epochs=epochs,
                       title="Trained in this browser, by the library itself")
    return {"replay": page.data, "python": sys.version.split()[0], "numpy": np.__version__}


def whole(text: Any, what: str, least: int, most: int) -> int:
    """Return a whole number that was typed in."""
    try:
        value = int(str(text).strip())
    except ValueError:
        value = least - 1
    if not least <= value <= most:
        raise InputError(f"Give a whole number from {least} to {most} {what}, not {text!r}.")
    return value


def read_data(text: str) -> Tuple[np.ndarray, np.ndarray]:
    """Return inputs and one-hot labels from lines of numbers, the class last, with commas or spaces between them."""
    rows: List[List[float]] = []
    heading = False
    for number, line in enumerate(text.lstrip("\ufeff").replace("\u2212", "-").splitlines(), 1):
        mark = next((mark for mark in ";\t," if mark in line), None)  # else there are spaces between the numbers
        cells = [cell.strip() for cell in line.split(mark)]
        if not any(cells):
            continue
        if cells[-1] == "":
            cells.pop()  # a mark at the end of the line
        numbers = [number_or_none(cell) for cell in cells]
        if not rows and not heading and any(map(str.isalpha, line)) and not any(each is not None for each in numbers):
            heading = True
            continue
        if "," in line and any("," in cell or " " in cell for cell in cells):
            raise InputError(f"Line {number} of the data has commas beside semicolons, tabs or spaces. Part all "
                             "numbers by one of them, and write decimals with a point, such as 0.5.")
        if any(each is None or not np.isfinite(each) for each in numbers):
            raise InputError(f"Line {number} of the data isn't made of numbers: {line.strip()[:60]!r}.")
        rows.append([each for each in numbers if each is not None])
        if len(rows[-1]) != len(rows[0]) or len(rows[-1]) < 2:
            raise InputError(f"Line {number} of the data holds {len(rows[-1])} numbers. Each line needs as many as the "
                             "first: the inputs, then the class, such as 0, 1, 1.")
    if not 2 <= len(rows) <= MOST_ROWS:
        raise InputError(f"Give from 2 to {MOST_ROWS} lines of data, not {len(rows)}: the inputs, then the class.")
    table = np.array(rows)
    classes = table[:, -1]
    if not np.isin(classes, range(9)).all() or len(set(classes.tolist())) < 2:
        raise InputError("The last number of each line is its class: 0, 1 and so on, up to 8, at least two of them.")
    return table[:, :-1], np.eye(int(classes.max()) + 1)[classes.astype(int)]


def number_or_none(text: str) -> Optional[float]:
    """Return a number that was typed in, or None for what is no number."""
    try:
        return float(text)
    except ValueError:
        return None


def checked(question: Dict[str, Any]) -> Dict[str, Any]:
    """Run the code that was typed in, and return what the gradient checker says of its `module` on its `x`."""
    path = Path(question.get("file", "typed_in.py"))
    path.write_text(question["code"], encoding="utf-8")  # a file, so that the report can quote its lines
    typed = types.ModuleType("typed_in")
    typed.__file__ = str(path)
    sys.modules["typed_in"] = typed
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            exec(compile(question["code"], str(path), "exec"), typed.__dict__)
            module, x = typed.__dict__.get("module"), typed.__dict__.get("x")
            if not isinstance(module, Module) or x is None:
                raise InputError("The code is to end with two lines: module = ..., the object to check, and x = ..., "
                                 "its input (or a tuple of inputs).")
            report = check_module(module, x if isinstance(x, tuple) else (x,))
        answer = {"verdict": report.verdict, "report": str(report)}
    except InputError:
        raise
    except BaseException as error:  # whatever the code does: it may interrupt or exit, too
        answer = {"error": error_in_words(error, str(path))}
    return {**answer, "printed": printed.getvalue()[:MOST_PRINTED]}


def error_in_words(error: BaseException, path: str) -> str:
    """Return what an exception says, and below it the lines of a file that have led to it."""
    lines = [(frame.lineno, frame.line) for frame in traceback.extract_tb(error.__traceback__)
             if frame.filename == path]
    if isinstance(error, SyntaxError):
        lines.append((error.lineno, error.text))
    return f"{type(error).__name__}: {error}" + "".join(f"\n  line {number}: {(text or '').strip()}"
                                                        for number, text in lines)
