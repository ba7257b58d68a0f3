"""Pages in a notebook: after `import lib.graph.page`, a graph and a gradient report show theirs when displayed.

A model needs numbers that flow through it: `page(model, x, y)` shows its page.
"""
from __future__ import annotations

import sys
from typing import Any, Optional

LARGEST_SHOWN = 400  # nodes


def register() -> None:
    """Tell a running notebook, if there is one, how graphs and reports are shown."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None:
        return
    formatter = shell.display_formatter.formatters["text/html"]
    formatter.for_type_by_name("lib.graph.node", "Node", graph_html)
    formatter.for_type_by_name("lib.gradient_checking.report", "GradientReport", report_html)


def graph_html(node: Any) -> Optional[str]:
    """Return the page of a graph whose output is one number that depends on a variable; None for others."""
    from lib.graph.node import topological_order
    from lib.graph.page import page
    if node.size != 1 or not node.needs_grad or node.operation is None or \
            len(topological_order(node)) > LARGEST_SHOWN:
        return None
    return page(node)._repr_html_()


def report_html(report: Any) -> Optional[str]:
    """Return the page of a gradient report on which something is wrong; None for others."""
    from lib.graph.page.report import report_page
    if report.ok or report.checked is None:
        return None
    return report_page(*report.checked)._repr_html_()
