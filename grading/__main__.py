"""The instructor's command: python -m grading release | grade | grade-all | export."""
from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import List, Optional

from grading.grade import GradingError, Options, grade, read_marks
from grading.isolation import LEVELS, Limits
from grading.release import release
from grading.report import as_html, as_text
from grading.sheet import SheetError, load_sheet, topics
from grading.submission import SubmissionError
from grading.verify import ReleaseError
from lib.saving.files import write_atomically


def add_limits(parser: argparse.ArgumentParser) -> None:
    """Add the options on how boxes are isolated and limited."""
    default = Limits()
    parser.add_argument("--require", choices=["strong"], help="refuse to grade with a weaker isolation")
    parser.add_argument("--isolation", choices=[level.name for level in LEVELS],
                        help="the strongest level to be tried (default: the strongest that works)")
    parser.add_argument("--cpu", type=int, default=default.cpu, help="seconds of processor time a box (%(default)s)")
    parser.add_argument("--wall", type=float, default=default.wall, help="seconds on the clock a box (%(default)s)")
    parser.add_argument("--memory", type=int, default=default.memory >> 20, metavar="MB",
                        help="memory of each process in a box (%(default)s MB)")
    parser.add_argument("--processes", type=int, default=default.processes, help="processes in a box (%(default)s)")


def options_of(arguments: argparse.Namespace, hidden: List[str]) -> Options:
    limits = Limits(arguments.cpu, arguments.wall, arguments.memory << 20, arguments.processes)
    return Options(limits, arguments.require, arguments.isolation, None, tuple(hidden))


def read_arguments(arguments: Optional[List[str]]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m grading", description="Release a sheet with gaps; grade what "
                                     "comes back. See grading/README.md.")
    commands = parser.add_subparsers(dest="command", required=True)
    out = commands.add_parser("release", help="write the student version of a sheet")
    out.add_argument("sheet", help=f"one of {', '.join(topics())}, or a folder that holds a sheet.json")
    out.add_argument("out", type=Path, help="an empty or new folder, or a new file that ends in .zip")
    one = commands.add_parser("grade", help="grade one submission")
    one.add_argument("sheet", help=f"one of {', '.join(topics())}, or a folder that holds a sheet.json")
    one.add_argument("submission", type=Path, help="a folder, a zip or a Git clone")
    one.add_argument("--json", type=Path, metavar="FILE", help="write the report as JSON")
    one.add_argument("--html", type=Path, metavar="FILE", help="write the report as a page")
    one.add_argument("--marks", type=Path, metavar="CSV", help="the tutor's points: submission, task, points")
    add_limits(one)
    return parser.parse_args(arguments)


def run_release(arguments: argparse.Namespace) -> int:
    sheet = load_sheet(arguments.sheet)
    print(f"Released into {release(sheet, arguments.out)}: {len(sheet.code_tasks)} gaps, none of them solved.")
    return 0


def run_grade(arguments: argparse.Namespace) -> int:
    sheet = load_sheet(arguments.sheet)
    marks = read_marks(arguments.marks) if arguments.marks else {}
    hidden = [str(arguments.submission.resolve().parent)]
    report = grade(sheet, arguments.submission, options_of(arguments, hidden), marks.get(arguments.submission.name))
    if arguments.json:
        write_atomically(arguments.json, lambda file: file.write(
            (json.dumps(report, indent=2, ensure_ascii=False) + "\n").encode("utf-8")))
    if arguments.html:
        write_atomically(arguments.html, lambda file: file.write(as_html(report, sheet).encode("utf-8")))
    print(as_text(report))
    return 0


def main(arguments: Optional[List[str]] = None) -> int:
    """Run a command; returns the exit status."""
    parsed = read_arguments(arguments)
    try:
        return {"release": run_release, "grade": run_grade}[parsed.command](parsed)
    except (SheetError, SubmissionError, GradingError, ReleaseError, OSError) as error:
        print(f"{error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
