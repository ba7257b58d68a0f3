"""In a notebook, a model and a gradient report are shown as tables, with colours. The text is the same everywhere."""
from __future__ import annotations

import sys
from html import escape
from typing import Any, Iterable, Sequence

COLOURS = {"ok": "#2a7f3f", "wrong": "#b3261e", "to do": "#8a6d00", "undecidable": "#3a5f8a"}


def register() -> None:
    """Tell a running notebook, if there is one, how models and reports are shown."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is not None:
        formatter = shell.display_formatter.formatters["text/html"]
        formatter.for_type_by_name("lib.network_base", "Module", model_html)
        formatter.for_type_by_name("lib.gradient_checking.report", "GradientReport", report_html)


def model_html(model: Any) -> str:
    """Return a model as a table: each module with its parameters' shapes and how many numbers they are."""
    rows = []
    for path, module in model.named_modules():
        own = [(name, value.data) for name, value in vars(module).items() if hasattr(value, "grad")]
        rows.append((path, repr(module) if not module.children() else type(module).__name__,
                     ", ".join(f"{name} {data.shape}" for name, data in own),
                     f"{sum(data.size for _, data in own):,}" if own else ""))
    return table(("module", "is", "its parameters", "numbers"), rows)


def report_html(report: Any) -> str:
    """Return a gradient report: the verdicts as a table, the worst entries as a heat map, and what is said of them."""
    parts = [table(("gradient of", "verdict", "greatest error"), [
        (tensor.name, coloured(tensor.verdict), f"{tensor.max_error:.1e}") for tensor in report.tensors])]
    for tensor in report.tensors:
        if tensor.entries:
            worst = max(abs(entry.got - entry.expected) for entry in tensor.entries) or 1.0
            parts.append(table((f"entry of {tensor.name}", "expected", "got"), [
                (str(list(entry.index)), f"{entry.expected:.6g}",
                 heated(f"{entry.got:.6g}", abs(entry.got - entry.expected) / worst)) for entry in tensor.entries]))
    return "".join(parts) + f"<pre>{escape(str(report))}</pre>"


class Html(str):
    """Text that is HTML already."""


def coloured(verdict: str) -> Html:
    return Html(f'<b style="color:{COLOURS.get(verdict, "inherit")}">{escape(verdict)}</b>')


def heated(text: str, heat: float) -> Html:
    """Return a number on a ground that is the redder, the greater its error is, from 0 to 1."""
    ground = f"background:rgba(220,60,40,{0.15 + 0.6 * heat:.2f});padding:0 0.4em"
    return Html(f'<span style="{ground}">{escape(text)}</span>')


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return an HTML table; cells that aren't Html are escaped."""
    def cells(tag: str, row: Sequence[str]) -> str:
        return "".join(f'<{tag} style="text-align:left">{cell if isinstance(cell, Html) else escape(cell)}</{tag}>'
                       for cell in row)
    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return f"<table><tr>{cells('th', head)}</tr>{body}</table>"
