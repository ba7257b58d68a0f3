"""The commands `variants` and `check-answers`."""
from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path
from typing import Any

from grading.grade import GradingError
from grading.tables import read_students
from grading.variants.answers import known_lines, read_answers, read_class, read_key, tag_in
from grading.variants.check import check
from grading.variants.classes import as_text, check_class, read_earlier, write_class
from grading.variants.draws import case_of
from grading.variants.seeds import SECRET, make_secret, read_secret
from grading.variants.tasks import all_tasks, task_named
from grading.variants.write import FORMATS, deal, practice, write_key


class ListTasks(argparse.Action):
    """Print the tasks, and end."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any, **__: Any) -> None:
        for name, task in all_tasks().items():
            print(f"{name:22} {task.title} ({len(task.lines)} lines, {len(task.slips)} known slips)")
        parser.exit()


def add_commands(commands: Any) -> None:
    """Add both commands to the parser of the command line."""
    words = "write pen-and-paper tasks with numbers of their own for each student"
    one = commands.add_parser("variants", help=words, description=words)
    one.add_argument("task", metavar="TASK", help="such as skip_connection; --list shows all")
    one.add_argument("out", type=Path, metavar="OUT", help="the folder to write into")
    one.add_argument("--list", action=ListTasks, nargs=0, help="show the tasks, and end")
    one.add_argument("--students", type=Path, metavar="CSV", help="the class: submission, name, id, email")
    one.add_argument("--secret", type=Path, metavar="FILE",
                     help="holds the course's secret, outside of the repository: the numbers that count come from it "
                          f"({SECRET}, which is made if it isn't there)")
    one.add_argument("--count", type=int, metavar="N", help="numbers for practice: N seeds that may be told")
    one.add_argument("--seed", type=int, default=0, metavar="N", help="the first seed of practice (%(default)s)")
    one.add_argument("--format", action="append", choices=list(FORMATS), help="html by default; may be given again")

    words = "check answers to a pen-and-paper task, line by line, and name each slip by its cause"
    one = commands.add_parser("check-answers", help=words, description=words)
    one.add_argument("task", metavar="TASK")
    one.add_argument("answers", type=Path, metavar="ANSWERS",
                     help="a text file with a line such as dL/dw = 0.5 for each answer, JSON or a CSV; of a class, a "
                     "CSV such as answers.csv, or a folder with a file for each, called by its tag or id")
    which = one.add_mutually_exclusive_group(required=True)
    which.add_argument("--seed", type=lambda text: int(text, 0), metavar="N",
                       help="the seed of the numbers, for one student's answers")
    which.add_argument("--key", type=Path, metavar="CSV", help="the key.csv of the class")
    one.add_argument("--out", type=Path, metavar="FOLDER", help="where the class's page, tables and reports go")
    one.add_argument("--before", type=Path, metavar="FOLDER", help="what an earlier check wrote, to compare with")


def run_variants(arguments: argparse.Namespace) -> None:
    task = task_named(arguments.task)
    if (arguments.students is None) == (arguments.count is None):
        raise GradingError("Give either --students students.csv, for numbers that count, or --count N, for practice.")
    if arguments.students is not None:
        students = read_students(arguments.students)
        if arguments.secret is None and make_secret(SECRET.expanduser()):
            print(f"A new secret of the course was made: {SECRET.expanduser()}. Keep it, and tell it nobody: with "
                  "another, everybody gets other numbers.")
        dealt = deal(task, students, read_secret(arguments.secret or SECRET))
    else:
        dealt = practice(task, arguments.count, arguments.seed)
    written = [path for name in arguments.format or ["html"] for path in FORMATS[name](dealt, arguments.out)]
    written += write_key(dealt, arguments.out)
    refused = Counter(reason for each in dealt for reason in each.case.refused)
    print(f"{task.title}: {len(dealt)} sheets; {sum(refused.values())} draws were refused before.")
    for reason, count in refused.most_common():
        print(f"  {count:5} {reason}")
    print("Written: " + ", ".join(map(str, written)))


def run_check_answers(arguments: argparse.Namespace) -> None:
    task = task_named(arguments.task)
    if arguments.seed is not None:
        if arguments.seed < 0:
            raise GradingError(f"--seed must be at least 0, but got {arguments.seed}.")
        case = case_of(task, arguments.seed)
        known, problems = known_lines(case.machine, read_answers(arguments.answers))
        tag = tag_in(arguments.answers)
        if tag not in ("", case.tag):
            problems.insert(0, f"{arguments.answers} has the tag {tag}, but the numbers of seed {arguments.seed} have "
                               f"{case.tag}: are these the answers to other numbers?")
        print("\n".join(problems + [str(check(case, known))]))
        return
    answers, unmatched = read_class(arguments.answers, read_key(arguments.key, task))
    earlier = read_earlier(arguments.before, task) if arguments.before else None
    handed = check_class(task, answers)
    print(as_text(task, handed, unmatched, earlier))
    if arguments.out:
        write_class(task, handed, unmatched, earlier, arguments.out)
        print(f"Written: {arguments.out / 'class.html'}, points.csv, causes.csv, summary.json and reports.")


RUNS = {"variants": run_variants, "check-answers": run_check_answers}
