"""The instructor's command: python -m grading release | grade | grade-all | stale | export | gradescope | variants |
check-answers."""
from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any, Dict, List, Optional

from grading import gradescope, tables
from grading.batch import grade_all, stale, submissions
from grading.grade import GradingError, Options, grade
from grading.isolation import LEVELS, Limits
from grading.leaks import Search, reference_solutions
from grading.outputs import SINGLE, export, write, write_outputs
from grading.release import collect, release
from grading.report import as_html, as_text, number
from grading.sheet import SheetError, load_sheet, topics
from grading.similarity import alike
from grading.submission import SubmissionError, name_of
from grading.variants import command as variants
from grading.verify import ReleaseError
from lib.saving.command_line import OneLineParser, run_command


def with_limits(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Add the options on how boxes are isolated and limited."""
    default = Limits()
    parser.add_argument("--require", choices=["strong"], help="refuse to grade with a weaker isolation")
    parser.add_argument("--isolation", choices=[level.name for level in LEVELS],
                        help="the strongest level to be tried (default: the strongest that works)")
    parser.add_argument("--release", metavar="PATH", help="the release that was handed out, if it isn't today's")
    parser.add_argument("--cpu", type=int, default=default.cpu, help="seconds of processor time a box (%(default)s)")
    parser.add_argument("--wall", type=float, default=default.wall, help="seconds on the clock a box (%(default)s)")
    parser.add_argument("--memory", type=int, default=default.memory >> 20, metavar="MB",
                        help="memory of each process in a box (%(default)s MB)")
    parser.add_argument("--processes", type=int, default=default.processes, help="processes in a box (%(default)s)")
    return parser


def options_of(arguments: argparse.Namespace, *hidden: Path) -> Options:
    limits = Limits(arguments.cpu, arguments.wall, arguments.memory << 20, arguments.processes)
    return Options(limits, arguments.require, arguments.isolation, None, tuple(str(path.resolve()) for path in hidden),
                   str(Path(arguments.release).resolve()) if arguments.release else None)


def parser_of_commands() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = OneLineParser(prog="python -m grading",
                           description="Release a sheet, and grade what comes back: grading/README.md says how.")
    commands = parser.add_subparsers(dest="command", required=True)

    def command(name: str, words: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=words, description=words)
        added.add_argument("sheet", help=f"one of {', '.join(topics())}, or a folder that holds a sheet.json")
        return added

    one = command("release", "write the student version of a sheet")
    one.add_argument("out", type=Path, help="an empty or new folder, or a new file that ends in .zip")

    one = with_limits(command("grade", "grade one submission"))
    one.add_argument("submission", type=Path, help="a folder, a zip or a Git clone")
    one.add_argument("--json", type=Path, metavar="FILE", help="write the report as JSON")
    one.add_argument("--html", type=Path, metavar="FILE", help="write the report as a page")
    one.add_argument("--marks", type=Path, metavar="CSV", help="the tutor's points: submission, task, points")

    one = with_limits(command("grade-all", "grade a folder of submissions; what is graded already isn't graded again"))
    one.add_argument("folder", type=Path, help="holds a folder or a zip for each submission")
    one.add_argument("out", type=Path, help="where the results go")
    one.add_argument("--jobs", type=int, default=1, metavar="N", help="how many processes (-1: one a core)")
    one.add_argument("--scheduler", metavar="ADDRESS", help="grade on a Dask cluster instead")
    one.add_argument("--students", type=Path, metavar="CSV", help="the class: submission, name, id, email")
    one.add_argument("--marks", type=Path, metavar="CSV", help="the tutors' points: submission, task, points")
    one.add_argument("--no-similarity", action="store_true", help="don't look for submissions that are alike")

    one = command("stale", "say which results a changed sheet.json has made stale")
    one.add_argument("out", type=Path, help="the folder of results")

    one = command("export", "write what a learning platform reads")
    one.add_argument("platform", choices=SINGLE)
    one.add_argument("source", type=Path, help="a report as JSON, or the folder that grade-all has written")
    one.add_argument("out", type=Path, help="the folder to write into")
    one.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="what classroom50 needs to know")

    one = command("gradescope", "write the zip for a Gradescope autograder")
    one.add_argument("out", type=Path, help="a file that ends in .zip")

    one = with_limits(command("gradescope-run", "grade in Gradescope's container"))
    one.add_argument("--autograder", type=Path, default=Path("/autograder"), metavar="FOLDER")
    variants.add_commands(commands)
    return parser


def run_release(arguments: argparse.Namespace) -> None:
    sheet = load_sheet(arguments.sheet)
    print(f"Released into {release(sheet, arguments.out)}: {len(sheet.code_tasks)} gaps, none of them solved.")
    if os.name != "posix":
        print("Its probes weren't tried on the reference: on Windows, code isn't run in a box.")
    for task, solution in Search(sheet, reference_solutions(sheet, collect(sheet))).too_short:
        print(f"Not looked for, as it can't be told from other code: task {task}: {' '.join(solution.split())}")


def run_grade(arguments: argparse.Namespace) -> None:
    sheet = load_sheet(arguments.sheet)
    marks = tables.read_marks(arguments.marks, sheet) if arguments.marks else {}
    options = options_of(arguments, arguments.submission.parent)
    report = grade(sheet, arguments.submission, options, marks.get(name_of(arguments.submission)))
    if arguments.json:
        write(arguments.json, json.dumps(report, indent=2, ensure_ascii=False) + "\n")
    if arguments.html:
        write(arguments.html, as_html(report, sheet))
    print(as_text(report))


def run_grade_all(arguments: argparse.Namespace) -> None:
    import tqdm
    sheet = load_sheet(arguments.sheet)
    marks = tables.read_marks(arguments.marks, sheet) if arguments.marks else {}
    students = tables.read_students(arguments.students) if arguments.students else []
    old = stale(sheet, arguments.out) if arguments.out.is_dir() else {}
    if old:
        print(f"sheet.json has changed: {len(old)} results are graded again.")
    options = options_of(arguments, arguments.folder, arguments.out)
    done, total = grade_all(arguments.sheet, arguments.folder, arguments.out, options, arguments.jobs,
                            arguments.scheduler, tqdm.tqdm)
    print("Looking for submissions that are alike." if not arguments.no_similarity else "Writing.")
    paths = [] if arguments.no_similarity else submissions(arguments.folder, arguments.out)
    reports = write_outputs(sheet, arguments.out, marks, students, alike(sheet, paths))
    points = sorted(report["points"] for report in reports)
    print(f"{done} of {total} submissions graded now; median {number(points[len(points) // 2])} points. "
          f"See {arguments.out / 'class.html'}, {arguments.out / 'points.csv'} and {arguments.out / 'reports'}.")


def run_stale(arguments: argparse.Namespace) -> None:
    found = stale(load_sheet(arguments.sheet), arguments.out)
    for name, tasks in found.items():
        print(f"{name}: {', '.join(tasks)}")
    print(f"{len(found)} results are stale." + (" grade-all grades them again." if found else ""))


def run_export(arguments: argparse.Namespace) -> None:
    where: Dict[str, str] = dict(text.split("=", 1) for text in arguments.set if "=" in text)
    count = export(arguments.platform, load_sheet(arguments.sheet), arguments.source, arguments.out, where)
    print(f"Written for {arguments.platform}, {count} reports, into {arguments.out}.")


def run_gradescope(arguments: argparse.Namespace) -> None:
    count = gradescope.write_autograder(load_sheet(arguments.sheet), arguments.out)
    print(f"{arguments.out}: {count} files. Upload it as the autograder; it holds the reference, so keep it.")


def run_gradescope_run(arguments: argparse.Namespace) -> None:
    result = gradescope.run(load_sheet(arguments.sheet), arguments.autograder, options_of(arguments))
    print(f"{number(result['score'])} points.")


RUNS: Dict[str, Any] = {"release": run_release, "grade": run_grade, "grade-all": run_grade_all, "stale": run_stale,
                        "export": run_export, "gradescope": run_gradescope, "gradescope-run": run_gradescope_run,
                        **variants.RUNS}


def main(arguments: Optional[List[str]] = None) -> int:
    """Run a command; returns the exit status."""
    parsed = parser_of_commands().parse_args(arguments)
    try:
        RUNS[parsed.command](parsed)
        return 0
    except BrokenPipeError:  # run_command ends quietly
        raise
    except (SheetError, SubmissionError, GradingError, ReleaseError, OSError) as error:
        print(f"{error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    run_command(main)
