"""What the programs of all exercises share: their options, where results go, and sweeps over many settings.

A program begins with the cell

    # %%
    import sys
    from importlib.util import find_spec
    from pathlib import Path
    if find_spec("lib") is None:  # started by its path, or as a notebook: the root folder is two above this one
        sys.path.append(str(Path(globals().get("__file__", "notebook")).resolve().parents[2]))

then asks for `options = read_options(__doc__)` and `results = Results("topic", options)`; it ends with
`run_command(main)`.
"""
from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any, Callable, Iterable, List, Sequence

from lib.inspection.figures.base import save_figure
from lib.saving.command_line import OneLineParser, output_folder, run_command, whole_number
from lib.saving.files import write_atomically
from lib.validation import optional_import, require_size

__all__ = ["Results", "Steps", "markdown_table", "read_options", "run_command", "show", "sweep"]
ROOT = Path(__file__).resolve().parent.parent


def read_options(description: Any, arguments: Any = None) -> argparse.Namespace:
    """Return the options of a program: quick, jobs, scheduler, results.

    Args:
        description: the program's docstring; its first line is shown by --help.
        arguments: the command line; that of the running program when it isn't given, none in a notebook.
    """
    parser = OneLineParser(description=(description or "").strip().split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a few seconds instead of the full experiment")
    parser.add_argument("--jobs", type=_jobs, default=1, metavar="N",
                        help="how many processes share a sweep (default: 1; -1: one for each core)")
    parser.add_argument("--scheduler", metavar="ADDRESS",
                        help="run sweeps on the Dask cluster with this scheduler, such as tcp://127.0.0.1:8786")
    parser.add_argument("--results", type=output_folder, default=str(ROOT / "results"), metavar="FOLDER",
                        help="where figures and tables go (default: results/)")
    if arguments is None:
        arguments = [] if "ipykernel" in sys.modules else sys.argv[1:]
    return parser.parse_args(arguments)


def _jobs(text: str) -> int:
    return -1 if text == "-1" else whole_number(1)(text)


class Results:
    """The folder that an exercise's figures and tables go to: results/<topic>/.

    Args:
        topic: the exercise's name.
        options: what read_options returned.
    """

    def __init__(self, topic: str, options: argparse.Namespace) -> None:
        self.folder = Path(options.results) / topic
        self.folder.mkdir(parents=True, exist_ok=True)

    def figure(self, name: str, figure: Any) -> Path:
        """Write a Matplotlib figure as <name>.png; a notebook shows it, too."""
        if "ipykernel" in sys.modules:
            from IPython.display import display
            display(figure)
        path = save_figure(figure, self.folder / f"{name}.png")
        print(f"[figure: {path}]")
        return path

    def svg(self, name: str, drawing: Any) -> Path:
        """Write a drawing of lib.graph.draw as <name>.svg; a notebook shows it, too."""
        if "ipykernel" in sys.modules:
            from IPython.display import display
            display(drawing)
        text = drawing.svg()
        path = write_atomically(self.folder / f"{name}.svg", lambda file: file.write(text.encode("utf-8")))
        print(f"[drawing: {path}]")
        return path

    def table(self, name: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
        """Show a table, and write it as Markdown to <name>.md; returns the Markdown."""
        text = markdown_table(header, rows)
        self.text(name, text)
        show(Table(text))
        return text

    def text(self, name: str, text: str) -> Path:
        """Write a text to <name>.md."""
        return write_atomically(self.folder / f"{name}.md", lambda file: file.write((text + "\n").encode("utf-8")))


class Steps:
    """The steps of a program, each in a cell of its own: a notebook shows what a step gives below its cell.

        steps = Steps("ticket_prices", __doc__)

        @steps.add
        def the_graph(results, options):
            return explain(loss)  # or several things, in a list: text, derivations, drawings

        main = steps.main

    As a program, main runs all of them in order and prints what they give.

    Args:
        topic: the exercise's name, where its results go.
        description: the program's docstring.
    """

    def __init__(self, topic: str, description: Any) -> None:
        self.topic, self.description = topic, description
        self.all: List[Callable[[Results, argparse.Namespace], Any]] = []

    def add(self, step: Callable[[Results, argparse.Namespace], Any]) -> Callable[..., Any]:
        """Make a function a step of the program: it takes the results' folder and the options.

        In a notebook it runs at once, unless it is that of another program, which is only imported there.
        """
        self.all.append(step)
        if "ipykernel" in sys.modules and step.__module__ == "__main__":
            self._run([step], [])
        return step

    def main(self, arguments: Any = None) -> None:
        """Run all steps; in a notebook, each was run by its own cell already."""
        if arguments is not None or "ipykernel" not in sys.modules:
            self._run(self.all, arguments)

    def _run(self, steps: Sequence[Callable[..., Any]], arguments: Any) -> None:
        options = read_options(self.description, arguments)
        results = Results(self.topic, options)
        for step in steps:
            given = step(results, options)
            for item in given if isinstance(given, (list, tuple)) else [] if given is None else [given]:
                show(item)


class Table(str):
    """A table in Markdown, which a notebook sets as one."""

    def _repr_markdown_(self) -> str:
        return self


def show(item: Any) -> None:
    """Print something; a notebook shows it with its formulas."""
    if "ipykernel" in sys.modules and type(item) is not str:
        from IPython.display import display
        display(item)
    else:
        print(item, end="\n" if isinstance(item, Table) else "\n\n")


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return a Markdown table whose columns are aligned; floats are shown with four significant digits.

    >>> print(markdown_table(["units", "loss"], [[2, 0.0796], [10, 0.00731]]))
    | units |    loss |
    | ----: | ------: |
    |     2 |  0.0796 |
    |    10 | 0.00731 |
    """
    cells = [[f"{cell:.4g}" if isinstance(cell, float) else str(cell) for cell in row] for row in rows]
    widths = [max(3, *(len(row[i]) for row in [list(header)] + cells)) for i in range(len(header))]
    lines = [[title.rjust(width) for title, width in zip(header, widths)]]
    lines += [["-" * (width - 1) + ":" for width in widths]]
    lines += [[cell.rjust(width) for cell, width in zip(row, widths)] for row in cells]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def sweep(function: Callable[..., Any], settings: Sequence[Any], jobs: int = 1, scheduler: Any = None) -> List[Any]:
    """Return [function(setting) for setting in settings], computed by several processes or a cluster.

    joblib runs the calls and returns the results in the order of the settings, each exactly once. On a Dask cluster,
    the calls of a worker that dies are run again by another one. The function must draw its random numbers from a
    seed in its setting, so that it gives the same result wherever, and however often, it runs.

    Args:
        function: takes one setting; must be importable by the workers (a function of a module, not of a notebook).
        settings: what to call it with.
        jobs: the number of processes; 1 runs everything in this one, -1 takes every core.
        scheduler: the address of a Dask scheduler; jobs is then the cluster's affair.
    """
    if jobs != -1:
        require_size("jobs", jobs, "sweep")
    if scheduler is None and jobs == 1:
        return [function(setting) for setting in settings]
    joblib = optional_import("joblib", "joblib", "A sweep over several processes")
    calls = (joblib.delayed(function)(setting) for setting in settings)
    if scheduler is None:
        return joblib.Parallel(n_jobs=jobs)(calls)
    distributed = optional_import("distributed", "dask[distributed]", "A sweep on a cluster")
    with distributed.Client(scheduler):
        with joblib.parallel_config(backend="dask"):
            return joblib.Parallel()(calls)
