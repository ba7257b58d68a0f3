"""The exercises' networks and expressions as interactive pages, with a page that lists them.

    python -m exercises.pages [FOLDER]          # into results/pages/ by default
"""
from __future__ import annotations

import html
from pathlib import Path
from typing import Any, Callable, Dict, Optional, Sequence, Tuple

import numpy as np

from exercises.pen_and_paper import expression_a, expression_b, expression_c, mlp_regression
from lib.graph.page import page
from lib.saving.command_line import OneLineParser, output_folder, run_command
from lib.saving.files import write_atomically
from lib.walkthrough import EXAMPLES

FOLDER = Path("results") / "pages"


def regression_with_deltas() -> Any:
    """The two-layer MLP at one point, every quantity of the backward pass with its own derivative"""
    rng = np.random.default_rng(1)
    shapes = ((1,), (1,), (1, 2), (2,), (2, 1), (1,))
    return mlp_regression(*[np.round(rng.uniform(-1, 1, shape), 2) for shape in shapes])


GRAPHS: Dict[str, Callable[[], Any]] = {"expression_a": expression_a, "expression_b": expression_b,
                                        "expression_c": expression_c, "mlp_with_deltas": regression_with_deltas}


def write_pages(folder: Path) -> Sequence[Tuple[str, str]]:
    """Write all pages and index.html into a folder; returns the file names with what each is."""
    written = []
    for name, example in EXAMPLES.items():
        model, x, y, loss_fn, rate = example(np.random.default_rng(7))
        said = example.__doc__ or name
        page(model, x, y, loss_fn=loss_fn, learning_rate=rate, title=said).save(folder / f"{name}.html")
        written.append((f"{name}.html", said))
    for name, graph in GRAPHS.items():
        said = (graph.__doc__ or name).split("\n")[0].replace("Return ", "").rstrip(".")
        page(graph(), learning_rate=0.01, title=said).save(folder / f"{name}.html")
        written.append((f"{name}.html", said))
    links = "\n".join(f'<li><a href="{file}">{html.escape(said)}</a></li>' for file, said in written)
    index = (f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>Pages of the exercises</title>\n'
             f"<h1>Pages of the exercises</h1>\n<ul>\n{links}\n</ul>\n</html>\n")
    write_atomically(folder / "index.html", lambda file: file.write(index.encode("utf-8")))
    return written


def main(arguments: Optional[Sequence[str]] = None) -> None:
    """Write the pages into the folder that a command line names."""
    parser = OneLineParser(prog="python -m exercises.pages",
                           description="Write the exercises' networks and expressions as interactive pages.")
    parser.add_argument("folder", nargs="?", type=output_folder, default=str(FOLDER), metavar="FOLDER",
                        help="default: %(default)s")
    folder = parser.parse_args(arguments).folder
    for file, said in write_pages(folder):
        print(f"{folder / file}: {said}")
    print(f"Open {(folder / 'index.html').resolve().as_uri()} in a browser.")


if __name__ == "__main__":
    run_command(main)
