"""Interactive pages: the forward and the backward pass of any graph or network, to be watched, opened and predicted.

    write_page(model, x, y, "network.html")     # or write_page(loss, path="graph.html")

A page is one HTML file without any request: it opens from disk, a stick or a course's site. The words of this package:

    content    all that a page shows, as plain data (content.py): nodes, edges, steps, with their numbers and formulas
    step       one node of the forward pass, one edge of the backward pass, or one parameter of the update
    to open    an entry of a gradient is shown as the products that it is the sum of, each factor down to the inputs
    picture    where the boxes of the graph stand (picture.py); scheme: the columns of units beside it (scheme.py)
    mistake    a number that a known slip gives (mistakes.py), with the hint that a typed number of this value gets
    what if    a number is changed on the page, and everything follows (page_what_if.js): up to 2,000 numbers
    report     a page of another kind: why a gradient is wrong (report.py)
    replay     a third: training runs over their epochs (replay.py), as frames (frames.py)
    playground a page from a server that runs this library in the browser (playground.py); what it asks: in_browser.py

The page's own files are page.css and the scripts page_*.js: they look numbers up, multiply and add them.
"""
from __future__ import annotations

from pathlib import Path
from typing import Any, Optional, Union

from lib.graph.page.build import derivation_for
from lib.graph.page.content import content
from lib.graph.page.document import Page
from lib.graph.page.notebook import register
from lib.graph.page.picture import picture
from lib.graph.page.scheme import scheme
from lib.graph.explain.names import is_number
from lib.validation import InputError, require_positive

__all__ = ["Page", "page", "write_page"]
SCRIPTS = ("page_elements.js", "page_products.js", "page_drawing.js", "page_predict.js", "page_what_if.js",
           "page_steps.js")


def page(model_or_graph: Any, x: Any = None, y: Any = None, loss_fn: Any = None, learning_rate: float = 1.0,
         title: Optional[str] = None, predict: bool = False) -> Page:
    """Return the page of a network or a graph; it shows itself in a notebook, and `save(path)` writes it.

    Args:
        model_or_graph: a Module, or a node of a graph that is a single number, such as a loss.
        x, y: for a Module, a few examples and their labels, in the shapes that it and its loss take.
        loss_fn: for a Module, its loss; by default cross-entropy where y is one-hot, else the mean squared error.
        learning_rate: that of the update at the end.
        title: the page's title.
        predict: whether it opens in the mode in which each number is asked for before it is shown.

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
    data["predict"] = predict
    return Page(data, SCRIPTS)


def write_page(model_or_graph: Any, x: Any = None, y: Any = None, path: Union[str, Path, None] = None,
               **options: Any) -> Path:
    """Write the page of a network or a graph to an HTML file, and return its path; the options are those of `page`."""
    if path is None:
        raise InputError("write_page needs a path: write_page(model, x, y, \"network.html\"), or for a graph "
                         "write_page(loss, path=\"graph.html\").")
    return page(model_or_graph, x, y, **options).save(path)


register()
