"""Interactive pages: the forward and the backward pass of any graph or network, to be watched, opened and predicted.

    write_page(model, x, y, "network.html")     # or write_page(loss, path="graph.html")

A page is one HTML file without any request: it opens from disk, a stick or a course's site. The words of this package:

    content    all that a page shows, as plain data (content.py): nodes, edges, steps, with their numbers and formulas
    step       one node of the forward pass, one edge of the backward pass, or one parameter of the update
    to open    an entry of a gradient is shown as the products that it is the sum of, each factor down to the inputs
    picture    where the boxes of the graph stand (picture.py); scheme: the columns of units beside it (scheme.py)
    mistake    a number that a known slip gives (mistakes.py), with the hint that a typed number of this value gets
    report     a page of another kind: why a gradient is wrong (report.py)

The page's own files are page.css and the scripts page_*.js: they look numbers up, multiply and add them.
"""
from __future__ import annotations

import html
import json
from pathlib import Path
from typing import Any, Dict, Optional, Union

from lib.graph.page.build import derivation_for
from lib.graph.page.content import content
from lib.graph.page.notebook import register
from lib.graph.page.picture import picture
from lib.graph.page.scheme import scheme
from lib.graph.explain.names import is_number
from lib.saving.files import write_atomically
from lib.validation import InputError, require_positive

__all__ = ["Page", "page", "write_page"]
FOLDER = Path(__file__).parent
SCRIPTS = ("page_elements.js", "page_products.js", "page_drawing.js", "page_predict.js", "page_steps.js")
POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"


def page(model_or_graph: Any, x: Any = None, y: Any = None, loss_fn: Any = None, learning_rate: float = 1.0,
         title: Optional[str] = None) -> "Page":
    """Return the page of a network or a graph; it shows itself in a notebook, and `save(path)` writes it.

    Args:
        model_or_graph: a Module, or a node of a graph that is a single number, such as a loss.
        x, y: for a Module, a few examples and their labels, in the shapes that it and its loss take.
        loss_fn: for a Module, its loss; by default cross-entropy where y is one-hot, else the mean squared error.
        learning_rate: that of the update at the end.
        title: the page's title.

    Raises:
        InputError: x or y is missing, or there are more than 20,000 numbers.
    """
    require_positive("learning_rate", learning_rate, "write_page")
    derivation, stages = derivation_for(model_or_graph, x, y, loss_fn)
    name = title or (f"{type(model_or_graph).__name__}" if stages else
                     f"The graph of {derivation.names.text[derivation.output]}")
    index = {node: k for k, node in enumerate(node for node in derivation.order if not is_number(node))}
    data = content(derivation, index, float(learning_rate), name)
    data["picture"] = picture(derivation, index)
    data["scheme"] = scheme(stages[0][1], stages[-1][2], index) if stages else None
    return Page(data)


def write_page(model_or_graph: Any, x: Any = None, y: Any = None, path: Union[str, Path, None] = None,
               **options: Any) -> Path:
    """Write the page of a network or a graph to an HTML file, and return its path; the options are those of `page`."""
    if path is None:
        raise InputError("write_page needs a path: write_page(model, x, y, \"network.html\"), or for a graph "
                         "write_page(loss, path=\"graph.html\").")
    return page(model_or_graph, x, y, **options).save(path)


class Page:
    """An interactive page.

    Attributes:
        data: all that it shows, see content.py.
    """

    def __init__(self, data: Dict[str, Any]) -> None:
        self.data = data

    def html(self) -> str:
        """Return the page as HTML."""
        return assembled(self.data["title"], self.data, SCRIPTS)

    def save(self, path: Union[str, Path]) -> Path:
        """Write the page to a file, and return its path."""
        path = Path(path).expanduser()
        if path.is_dir():
            raise InputError(f"{str(path)!r} is a folder. Give the page a file name, such as network.html.")
        return write_atomically(path, lambda file: file.write(self.html().encode("utf-8")))

    def _repr_html_(self) -> str:
        return in_frame(self.html(), self.data["title"])

    def __repr__(self) -> str:
        return f"Page({self.data['title']!r}, {len(self.data['steps'])} steps; save('page.html') to open it)"


def assembled(title: str, data: Any, scripts: Any) -> str:
    """Return one HTML document with its data, styles and scripts inside; nothing in the data can become markup."""
    stored = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    style = (FOLDER / "page.css").read_text(encoding="utf-8")
    script = "\n".join((FOLDER / name).read_text(encoding="utf-8") for name in scripts)
    return (f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{html.escape(title)}</title>\n'
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
            f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<style>\n{style}</style>\n'
            f'</head>\n<body>\n<main id="page"></main>\n<script type="application/json" id="data">{stored}</script>\n'
            f"<script>\n{script}</script>\n</body>\n</html>\n")


def in_frame(document: str, title: str) -> str:
    """Return a document in a frame of its own, as a notebook shows it: offline, and apart from the notebook's style."""
    return (f'<iframe srcdoc="{html.escape(document)}" title="{html.escape(title)}" width="100%" height="760" '
            f'style="border: 1px solid #8b97a3"></iframe>')


register()
