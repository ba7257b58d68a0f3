"""The student's command, `python -m lib.gradient_utilities`: the board of the sheet, or a table of the modules."""
from __future__ import annotations

import argparse
import difflib
import json
import os
import sys
import tempfile
import warnings
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, TextIO

import numpy as np

from lib.gradient_checking import board
from lib.gradient_checking.check import UndecidableWarning, check_module
from lib.gradient_checking.course import MOST_HINTS, hint_level
from lib.gradient_checking.discovery import NoExamples, examples_of, module_classes
from lib.gradient_checking.report import OK, TO_DO, UNDECIDABLE, WRONG, GradientReport, TensorReport
from lib.saving.command_line import OneLineParser, output_file, run_command

COLOURS = {OK: "32", WRONG: "31", TO_DO: "33", UNDECIDABLE: "36"}
WORST_LAST = (OK, UNDECIDABLE, TO_DO, WRONG)


class Row(NamedTuple):
    """One line of the table."""

    module: str
    tensor: str
    verdict: str
    max_error: Optional[float]
    cause: str


def parse(arguments: Optional[Sequence[str]]) -> argparse.Namespace:
    parser = OneLineParser(prog="python -m lib.gradient_checking", description=(
        "Show the board of the sheet: which of its coding tasks are to do, right or wrong, and why. With a module, or "
        "with --all, check backward passes against numeric derivatives."))
    parser.add_argument("module", nargs="?", help="check this module only, such as Linear")
    parser.add_argument("--all", action="store_true", help="check every module of the library")
    parser.add_argument("--json", type=output_file, metavar="FILE", help="also write the results for machines")
    parser.add_argument("--hints", type=int, choices=range(MOST_HINTS + 1), default=None, help=(
        "how much is told, at most as much as the course's level: 0 which gradient is wrong and a question, 1 also the "
        "cause, 2 also the evidence, 3 also the formula"))
    return parser.parse_args(arguments)


def main(arguments: Optional[Sequence[str]] = None, out: Optional[TextIO] = None) -> int:
    """Run the command; return its exit status: 0 all right, 1 something wrong or to do, 2 no such module."""
    options = parse(arguments)
    out = out or sys.stdout
    found = board.outcomes()
    to_check = options.all and all(outcome.is_right or not board.is_there(outcome.task) for outcome in found)
    if options.module is None and found and not to_check:
        print(board.as_text(found), file=out)
        if options.json:
            _write_json(options.json, {"tasks": [outcome.to_dict() for outcome in found]})
        return 0 if all(outcome.is_right for outcome in found) else 1
    return _check_modules(options, out)


def _check_modules(options: argparse.Namespace, out: TextIO) -> int:
    """Check the module that is asked for, or every one: a table, then the first failure in detail."""
    classes: Dict[str, Any] = module_classes()
    if options.module is not None:
        name = _known_name(options.module, list(classes))
        if name is None:
            by_lower_case = {known.lower(): known for known in classes}
            near = difflib.get_close_matches(options.module.lower(), by_lower_case, 3, 0.5)
            names = [by_lower_case[match] for match in near]
            advice = f" Did you mean {' or '.join(names)}?" if names else f" There are: {', '.join(classes)}."
            print(f"No module of the library is called {options.module}.{advice}", file=sys.stderr)
            return 2
        classes = {name: classes[name]}
    colour = hasattr(out, "isatty") and out.isatty() and "NO_COLOR" not in os.environ
    results = {name: _reports(cls, hint_level(options.hints)) for name, cls in classes.items()}
    rows = [row for name, reports in results.items() for row in table_rows(name, reports)]
    _print_table(rows, out, colour)
    everything = [report for reports in results.values() for report in reports]
    bad = [report for report in everything if not report.ok]
    if bad:
        first = next((report for report in bad if report.verdict == WRONG), bad[0])
        print(f"\nThe first {'failure' if first.verdict == WRONG else 'gap'} in detail:\n\n{first}", file=out)
    for report in everything:
        for tensor in report.tensors:
            if tensor.reason.startswith("left out"):
                print(f"\n{report.module} is {tensor.reason}", file=out)
                results.pop(report.module, None)
    num_right = sum(all(report.ok for report in reports) for reports in results.values())
    print(f"\n{num_right} of {len(results)} modules are right.", file=out)
    if options.json:
        _write_json(options.json, {"ok": not bad, "modules": {
            name: [report.to_dict() for report in reports] for name, reports in results.items()}})
    return 1 if bad else 0


def _known_name(given: str, names: List[str]) -> Optional[str]:
    return next((name for name in names if name == given), None) or next(
        (name for name in names if name.lower() == given.lower()), None)


def _reports(cls: Any, hints: int) -> List[GradientReport]:
    """Check a class in all of its situations; whatever is raised becomes a report."""
    reports = []
    state = np.random.get_state()
    np.random.seed(0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UndecidableWarning)
            for module, inputs in examples_of(cls, np.random.default_rng(0)):
                try:
                    reports.append(check_module(module, inputs, hints=hints))
                except ImportError as error:  # an optional package isn't installed: that is no mistake
                    reports.append(_unchecked(cls.__name__, hints, UNDECIDABLE, f"left out: {error}"))
                except NotImplementedError as error:
                    reports.append(_unchecked(cls.__name__, hints, TO_DO, f"forward isn't written yet: {error}"))
                except Exception as error:  # forward fails on the library's own example
                    reports.append(_unchecked(cls.__name__, hints, WRONG,
                                              f"forward raises {type(error).__name__}: {error}"))
    except NoExamples as error:
        reports.append(_unchecked(cls.__name__, hints, UNDECIDABLE, f"left out: {error}"))
    except Exception as error:  # the module can't even be made
        verdict = TO_DO if isinstance(error, NotImplementedError) else WRONG
        reports.append(_unchecked(cls.__name__, hints, verdict, f"{type(error).__name__}: {error}"))
    finally:
        np.random.set_state(state)
    return reports


def _unchecked(name: str, hints: int, verdict: str, reason: str) -> GradientReport:
    report = GradientReport(name, hints)
    tensor = TensorReport("forward", "output")
    tensor.verdict, tensor.reason = verdict, reason
    report.tensors.append(tensor)
    return report


def table_rows(name: str, reports: Sequence[GradientReport]) -> List[Row]:
    """Return a row for each tensor of a module: the worst of what was found in all situations."""
    rows: Dict[str, Row] = {}
    for report in reports:
        cause = report.causes[0].name if report.causes and report.hints else ""
        for tensor in report.tensors:
            bad = tensor.verdict in (WRONG, TO_DO)
            row = Row(name, tensor.name, tensor.verdict, tensor.max_error, cause if bad else "")
            old = rows.get(tensor.name)
            if old is None or (WORST_LAST.index(row.verdict), row.max_error or 0) > (
                    WORST_LAST.index(old.verdict), old.max_error or 0):
                rows[tensor.name] = row
        if not report.ok and all(tensor.verdict in (OK, UNDECIDABLE) for tensor in report.tensors):
            rows["(backward)"] = Row(name, "(backward)", report.verdict, None, cause)
    return list(rows.values())


def _print_table(rows: Sequence[Row], out: TextIO, colour: bool) -> None:
    texts = [("module", "gradient of", "verdict", "greatest error", "likely cause")]
    for row in rows:
        error = "" if row.max_error is None or row.verdict == TO_DO else f"{row.max_error:.1e}"
        texts.append((row.module, row.tensor, row.verdict, error, row.cause))
    widths = [max(len(text[i]) for text in texts) for i in range(5)]
    for number, text in enumerate(texts):
        cells = [cell.ljust(width) for cell, width in zip(text, widths)]
        if colour and number:
            cells[2] = f"\033[{COLOURS[text[2]]}m{cells[2]}\033[0m"
        print("  ".join(cells).rstrip(), file=out)
        if not number:
            print("  ".join("-" * width for width in widths), file=out)


def _write_json(path: str, content: Dict[str, Any]) -> None:
    """Write the content to a file, which is there as a whole or not at all."""
    folder = os.path.dirname(os.path.abspath(path))
    handle, temporary = tempfile.mkstemp(dir=folder, suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(_without_nan(content), file, indent=1, allow_nan=False)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def _without_nan(value: Any) -> Any:
    """Return the content with NaN and infinity as strings, which JSON has no numbers for."""
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_nan(item) for item in value]
    if isinstance(value, float) and not np.isfinite(value):
        return str(value)
    return value


def run() -> None:
    """Run the command as a program."""
    run_command(main)
