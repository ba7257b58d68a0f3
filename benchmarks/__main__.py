"""Time training steps side by side with other libraries: `python -m benchmarks`, from the root folder."""
from __future__ import annotations

import argparse
import json
import sys
from typing import Dict, List, Optional, Sequence

from benchmarks import report
from benchmarks.measure import PEERS, Contest, Result
from benchmarks.tasks import TASKS, Task, scaling_tasks
from lib.saving.command_line import OneLineParser, output_file, output_folder, run_command
from lib.saving.files import write_atomically

QUICK_KINDS = ("mlp", "networks", "check")
SLOW_KINDS = ("epoch", "networks", "check")
MAX_SLOW_ROUNDS = 9
SECONDS_A_ROUND = 0.02  # of each library: short, so that all those of a round find the machine in the same state
SCALING_PEERS = ("readable", "compiled", "PyTorch", "JAX jit")


def read_options(arguments: Optional[Sequence[str]]) -> argparse.Namespace:
    """Return the command-line options."""
    parser = OneLineParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds, without the slow rows, torch.compile, the "
                        "scaling curves and two threads")
    parser.add_argument("--json", metavar="FILE", type=output_file, help="write all measurements into FILE")
    parser.add_argument("--threads", default=None, metavar="N,M", help="numbers of BLAS threads (default: 1,2; with "
                        "--quick, 1)")
    parser.add_argument("--peers", default=",".join(PEERS), metavar="A,B", help="what to measure (default: all of "
                        "%(default)s)")
    parser.add_argument("--rows", default="", metavar="TEXT", help=f"only tasks with TEXT in their names, which are: "
                        f"{report.row_names(TASKS)}")
    parser.add_argument("--rounds", type=int, default=None, metavar="N", help="rounds (default: 40; with --quick, 12; "
                        f"at most {MAX_SLOW_ROUNDS} of the rows that take long)")
    parser.add_argument("--clock", choices=("wall", "cpu"), default="wall", help="cpu counts the processor's time, for "
                        "machines that are shared with other work (default: %(default)s)")
    parser.add_argument("--no-scaling", action="store_true", help="without the scaling curves")
    parser.add_argument("--output", type=output_folder, default="results/benchmarks", metavar="FOLDER",
                        help="where table and plots go (default: %(default)s)")
    options = parser.parse_args(arguments)
    options.peers = [peer.strip() for peer in options.peers.split(",")]
    unknown = sorted(set(options.peers) - set(PEERS))
    if unknown:
        parser.error(f"there is no peer {unknown[0]!r}; choose from {', '.join(PEERS)}")
    try:
        options.threads = [int(number) for number in (options.threads or ("1" if options.quick else "1,2")).split(",")]
    except ValueError:
        parser.error("--threads expects numbers with commas between them, such as 1,2")
    if min(options.threads) < 1 or (options.rounds is not None and options.rounds < 1):
        parser.error("--threads and --rounds expect numbers from 1 on")
    if options.quick:
        options.peers = [peer for peer in options.peers if peer != "torch.compile"]
        options.no_scaling = True
    options.tasks = [task for task in TASKS
                     if options.rows in task.name and (not options.quick or task.kind in QUICK_KINDS)]
    if not options.tasks:
        parser.error(f"no row{' that --quick measures' if options.quick else ''} has {options.rows!r} in its name; all "
                     f"rows are: {report.row_names(TASKS)}")
    options.rounds = options.rounds or (12 if options.quick else 40)
    return options


def main(arguments: Optional[List[str]] = None) -> None:
    """Measure, print the table, and write it with its plots."""
    options = read_options(arguments)
    results: Dict[int, List[Result]] = {}
    scaling: Dict[int, report.Scaling] = {}
    pages = []
    versions: Dict[str, str] = {}
    for threads in options.threads:
        contest = Contest(options.peers, threads, options.clock)
        try:
            versions.update(contest.versions)
            results[threads] = [measure(contest, task, options) for task in options.tasks]
            pages += [report.table(results[threads], threads), report.verdicts(results[threads]),
                      report.remarks(results[threads], contest.versions, contest.absent)]
        finally:
            contest.stop()
        if not options.no_scaling:
            scaling[threads] = measure_scaling(options, threads)
    page = "\n\n".join([f"Measured on: {report.machine()}, by the {options.clock} clock."] + pages) + "\n"
    print(page)
    write_atomically(options.output / "table.md", lambda file: file.write(page.encode()))
    if options.json is not None:
        text = json.dumps(report.as_json(results, scaling, versions), indent=1)
        write_atomically(options.json, lambda file: file.write(text.encode()))
    try:
        report.draw(results[options.threads[0]], options.output / "benchmarks.png")
        for threads, points in scaling.items():
            report.draw_scaling(points, threads, options.output / f"scaling_{threads}.png")
    except ImportError as error:
        print(error, file=sys.stderr)
    print(f"Written to {options.output}.")


def measure(contest: Contest, task: Task, options: argparse.Namespace) -> Result:
    """Measure one row, and say so."""
    print(f"{task.name} ...", file=sys.stderr, flush=True)
    rounds = min(options.rounds, MAX_SLOW_ROUNDS) if task.kind in SLOW_KINDS else options.rounds
    return contest.run(task, rounds, SECONDS_A_ROUND)


def measure_scaling(options: argparse.Namespace, threads: int) -> report.Scaling:
    """Measure the scaling curves with a few peers."""
    contest = Contest([peer for peer in SCALING_PEERS if peer in options.peers], threads, options.clock)
    try:
        return [(varies, value, contest.run(task, rounds=5, seconds_a_round=SECONDS_A_ROUND))
                for varies, value, task in announced(scaling_tasks())]
    finally:
        contest.stop()


def announced(points):  # type: ignore[no-untyped-def]
    """Yield the points, saying which is measured."""
    for point in points:
        print(f"{point[2].name} ...", file=sys.stderr, flush=True)
        yield point


if __name__ == "__main__":
    run_command(main)
