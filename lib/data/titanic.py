"""The Titanic's passengers: class, age, whether they survived, and the fare, which is what to predict.

Source: the table titanic3 by F. E. Harrell Jr. and T. Cason, Vanderbilt University; see lib/data/README.md.
"""
from __future__ import annotations

import csv
from pathlib import Path
from typing import Dict, NamedTuple, Optional, Union

import numpy as np

from lib.data.files import existing_path, read_bytes
from lib.validation import InputError, require_choice

TITANIC_FILE = Path(__file__).parent / "titanic.csv"
COLUMNS = ("class", "age", "survived", "fare")
COLUMNS_IN_FILE = ("pclass", "age", "survived", "fare")


class TitanicData(NamedTuple):
    """The passengers as inputs and targets, with the number of values that were missing in each column."""

    x: np.ndarray  # (N, 3): class (1, 2, 3), age in years, survived (0, 1)
    y: np.ndarray  # (N, 1): fare in pounds
    missing: Dict[str, int]


def load_titanic(missing: Union[str, Path] = "drop", verbose: bool = False,
                 path: Union[str, Path, None] = None) -> TitanicData:
    """Return the passengers' class, age and survival as inputs and their fare as the target.

    263 ages and 1 fare are missing. To fill in without a look at the test data, load with "keep", split the rows
    with lib.data.batches.train_test_split, and fill both parts with `fill_missing(part, how, reference=training_part)`.

    Args:
        missing: "drop" leaves rows with a missing value out; "mean" and "median" fill in that of the column's known
            values; "keep" leaves NaN in their place.
        verbose: print what was missing and what was done about it.
        path: a table of one's own, as for read_titanic; it may also come first, as in load_titanic("titanic.csv").

    Returns:
        x (N, 3), y (N, 1) and the counts of missing values; N is 1045 after "drop", else 1309.
    """
    if path is None and (isinstance(missing, Path) or Path(str(missing)).suffix):
        missing, path = "drop", missing
    require_choice("missing", missing, ("drop", "mean", "median", "keep"), "load_titanic")
    table = read_titanic(path)
    counts = count_missing(table)
    if verbose:
        done = {"drop": "rows with a missing value are dropped", "keep": "missing values are kept as NaN"}
        print(f"{report_missing(table)}; {done.get(str(missing), f'missing values are filled with the {missing}')}.")
    if missing == "drop":
        table = drop_missing(table)
    elif missing != "keep":
        table = fill_missing(table, str(missing))
    return TitanicData(table[:, :3], table[:, 3:], counts)


def read_titanic(path: Union[str, Path, None] = None) -> np.ndarray:
    """Return the whole table, (1309, 4) with the columns class, age, survived, fare; missing values are NaN.

    Args:
        path: a table of one's own, comma-separated, with the columns pclass, age, survived and fare among others, in
            any order and in upper or lower case; that of the library when it isn't given.

    Raises:
        FileNotFoundError, InputError: there is no such file, or it is no such table; the message names the line.
    """
    found = TITANIC_FILE if path is None else existing_path(path, "load_titanic")
    try:
        text = read_bytes(found, "load_titanic").decode("utf-8-sig")  # a byte-order mark is no part of the first name
    except UnicodeDecodeError:
        raise InputError(f"load_titanic: {str(found)!r} isn't text in UTF-8. Save it as such, as .csv.") from None
    rows = list(csv.reader(text.splitlines()))
    header = [name.strip().lower() for name in rows[0]] if rows else []
    if len(header) == 1 and ";" in header[0]:
        raise InputError(f"load_titanic: the columns of {str(found)!r} are separated by semicolons. Save it with "
                         "commas, and with points in its numbers.")
    missing = [name for name in COLUMNS_IN_FILE if name not in header]
    if missing:
        raise InputError(f"load_titanic expects the columns {', '.join(COLUMNS_IN_FILE)} in {str(found)!r}, but finds "
                         f"no {' and no '.join(missing)} among {', '.join(header) or 'none'}.")
    places = [header.index(name) for name in COLUMNS_IN_FILE]
    table = []
    for line, row in enumerate(rows[1:], start=2):
        if not row:
            continue
        if len(row) != len(header):
            raise InputError(f"load_titanic: line {line} of {str(found)!r} has {len(row)} fields in place of "
                             f"{len(header)}. Are there commas inside of numbers? Write 7.25 for 7,25.")
        table.append([_number(row[place], name, line) for place, name in zip(places, COLUMNS_IN_FILE)])
    if not table:
        raise InputError(f"load_titanic: {str(found)!r} has a header, but no passenger.")
    return np.array(table)


def _number(text: str, column: str, line: int) -> float:
    """Return a field's number, NaN if it is empty."""
    text = text.strip()
    if text.lower() in ("", "na", "nan", "?", "null"):
        return float("nan")
    try:
        number = float(text)
    except ValueError:
        advice = " Write it with a point, as 7.25." if "," in text else ""
        raise InputError(f"load_titanic: {column} in line {line} is {text!r}, which is no number.{advice}") from None
    allowed = {"pclass": (1, 2, 3), "survived": (0, 1)}.get(column)
    if (allowed is not None and number not in allowed) or not 0 <= number < float("inf"):
        expected = "zero or a positive number" if allowed is None else " or ".join(map(str, allowed))
        raise InputError(f"load_titanic: {column} in line {line} is {text!r}, where {expected} is expected.")
    return number


def count_missing(table: np.ndarray) -> Dict[str, int]:
    """Return the number of missing values in each column of a table with the columns of read_titanic."""
    return {column: int(count) for column, count in zip(COLUMNS, np.isnan(table).sum(axis=0))}


def report_missing(table: np.ndarray) -> str:
    """Say in words how many values are missing.

    >>> report_missing(read_titanic())
    '1309 passengers, 1045 of them complete; missing: 263 x age, 1 x fare'
    """
    missing = ", ".join(f"{count} x {column}" for column, count in count_missing(table).items() if count) or "nothing"
    return f"{len(table)} passengers, {len(drop_missing(table))} of them complete; missing: {missing}"


def drop_missing(table: np.ndarray) -> np.ndarray:
    """Return the rows in which no value is missing."""
    return table[~np.isnan(table).any(axis=1)]


def fill_missing(table: np.ndarray, how: str, reference: Optional[np.ndarray] = None) -> np.ndarray:
    """Return a copy in which each missing value is the mean or median of its column's known values.

    >>> fill_missing(np.array([[1.0, 5.0], [np.nan, 7.0], [3.0, 9.0]]), "mean").tolist()
    [[1.0, 5.0], [2.0, 7.0], [3.0, 9.0]]

    Args:
        table: (N, columns), with NaN for a missing value.
        how: "mean" or "median".
        reference: the rows whose mean or median is taken, such as the training data; the table itself if not given.

    Raises:
        InputError: another way is asked for, or a column of the reference has no known value.
    """
    require_choice("how", how, ("mean", "median"), "fill_missing")
    reference = table if reference is None else reference
    if np.isnan(reference).all(axis=0).any():
        raise InputError(f"fill_missing can't compute a {how}: a column has no known value at all.")
    fill = np.nanmean(reference, axis=0) if how == "mean" else np.nanmedian(reference, axis=0)
    return np.where(np.isnan(table), fill, table)
