"""The report: a table in Markdown, a plot, scaling curves, and all numbers as JSON."""
from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any, Dict, List, Sequence, Tuple

from benchmarks.measure import BASELINE, OURS, Result
from benchmarks.tasks import Task
from lib.validation import optional_import

Scaling = List[Tuple[str, int, Result]]


def duration(seconds: float) -> str:
    """Return a time with three digits and its unit.

    >>> duration(0.0000123), duration(0.0123), duration(1.23)
    ('12.3 us', '12.3 ms', '1.23 s')
    """
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e6:.3g} us"


def machine() -> str:
    """Return one line about this machine."""
    name = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                name = line.split(":", 1)[1].strip()
                break
    except OSError:
        pass
    load = f", load average {os.getloadavg()[0]:.1f} at the end" if hasattr(os, "getloadavg") else ""
    return f"{name}, {os.cpu_count()} cores, {platform.system()} {platform.release()}{load}"


def table(results: Sequence[Result], threads: int) -> str:
    """Return the table of one number of threads: times, and the ratio of each to PyTorch's in brackets."""
    peers = [peer for peer in dict.fromkeys(p for result in results for p in result.seconds)]
    lines = [f"| step, {threads} BLAS thread{'s' if threads > 1 else ''} | " + " | ".join(peers) + " |",
             "| --- |" + " ---: |" * len(peers)]
    for result in results:
        cells = []
        for peer in peers:
            ratio = result.ratio(peer)
            if peer not in result.seconds:
                cells.append("-")
            elif ratio is None or peer == BASELINE:
                cells.append(duration(result.median(peer)))
            else:
                cells.append(f"{duration(result.median(peer))} ({number(ratio[1])}; "
                             f"{number(ratio[0])} to {number(ratio[2])})")
        lines.append(f"| {result.task.name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def number(value: float) -> str:
    """Return a ratio with two digits, or three from 1 on."""
    return f"{value:.2f}" if value >= 0.1 else f"{value:.2g}"


def verdicts(results: Sequence[Result]) -> str:
    """Return how the compiled path stands against the fastest peer and the bare products, and the readable path."""
    lines = ["| step | PyTorch / readable | PyTorch / compiled | compiled / fastest other library | "
             "compiled / bare products |", "| --- | ---: | ---: | ---: | ---: |"]
    for result in results:
        others = [peer for peer in result.seconds if peer not in OURS]
        fastest = min(others, key=result.median) if others else ""
        cells = []
        for one, other in ((BASELINE, "readable"), (BASELINE, "compiled"), ("compiled", fastest),
                           ("compiled", "bare products")):
            ratio = result.ratio(one, other)
            cells.append("-" if ratio is None else f"{ratio[1]:.3g}" + (f" ({other})" if other == fastest else ""))
        lines.append(f"| {result.task.name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def remarks(results: Sequence[Result], versions: Dict[str, str], absent: Dict[str, str]) -> str:
    """Return which versions were measured, what is absent, and why cells are empty."""
    lines = ["Versions: " + ", ".join(dict.fromkeys(versions.values())) + "."]
    lines += [f"Absent: {peer} is not installed ({reason})." for peer, reason in absent.items()]
    reasons: Dict[Tuple[str, str], List[str]] = {}
    for result in results:
        for peer, reason in result.reasons.items():
            if peer not in absent:
                reasons.setdefault((peer, reason), []).append(result.task.name)
    for (peer, reason), names in reasons.items():
        lines.append(f"Not measured: {peer} ({reason.rstrip('.')}): {'; '.join(names)}.")
    return "\n".join(f"- {line}" for line in lines)


def as_json(results: Dict[int, Sequence[Result]], scaling: Dict[int, Scaling], versions: Dict[str, str]) -> Any:
    """Return everything that was measured, ready for json.dump."""
    def one(result: Result) -> Any:
        return {"task": result.task._asdict(), "seconds": result.seconds, "reasons": result.reasons,
                "losses": result.losses, "ratios": {peer: result.ratio(peer) for peer in result.seconds}}
    return {"machine": machine(), "versions": versions,
            "threads": {threads: [one(result) for result in rows] for threads, rows in results.items()},
            "scaling": {threads: [{"varies": varies, "value": value, **one(result)} for varies, value, result in points]
                        for threads, points in scaling.items()}}


def draw(results: Sequence[Result], path: Path) -> None:
    """Draw the time of each peer relative to PyTorch's, with its spread, for all tasks."""
    pyplot = drawing()
    peers = [peer for peer in dict.fromkeys(p for result in results for p in result.seconds) if peer != BASELINE]
    figure, axes = pyplot.subplots(figsize=(9, 1 + 0.75 * len(results)), layout="constrained")
    for k, peer in enumerate(peers):
        points = [(i, result.ratio(peer)) for i, result in enumerate(results) if result.ratio(peer) is not None]
        heights = [i + 0.7 * (k + 0.5) / len(peers) - 0.35 for i, _ in points]
        middles = [ratio[1] for _, ratio in points]
        spread = [[ratio[1] - ratio[0] for _, ratio in points], [ratio[2] - ratio[1] for _, ratio in points]]
        axes.errorbar(middles, heights, xerr=spread, fmt="o", label=peer)
    axes.axvline(1, color="grey", linestyle=":")
    axes.set_xscale("log")
    axes.set_yticks(range(len(results)), [result.task.name for result in results])
    axes.invert_yaxis()
    axes.set_xlabel(f"time relative to {BASELINE}'s: further left is faster")
    axes.legend(fontsize="small")
    figure.savefig(path)
    pyplot.close(figure)


def draw_scaling(points: Scaling, threads: int, path: Path) -> None:
    """Draw time against batch, width, depth and number of networks."""
    pyplot = drawing()
    kinds = list(dict.fromkeys(varies for varies, _, _ in points))
    figure, panels = pyplot.subplots(1, len(kinds), figsize=(3.6 * len(kinds), 3.6), layout="constrained",
                                     squeeze=False)
    for panel, kind in zip(panels[0], kinds):
        curves: Dict[str, List[Tuple[int, float]]] = {}
        for varies, value, result in points:
            for peer in result.seconds if varies == kind else ():
                curves.setdefault(peer, []).append((value, result.median(peer)))
        for peer, curve in curves.items():
            panel.loglog(*zip(*curve), "o-", markersize=3, label=peer)
        panel.minorticks_off()
        panel.set_xticks([value for varies, value, _ in points if varies == kind],
                         [str(value) for varies, value, _ in points if varies == kind])
        panel.set_xlabel(kind if kind != "networks" else "networks (XOR), a step each")
        panel.set_title(next(result.task.name for varies, _, result in points if varies == kind).split(",")[0]
                        if kind == "batch" else "", fontsize="small")
        panel.legend(fontsize="x-small")
    panels[0][0].set_ylabel(f"seconds a step, {threads} BLAS thread{'s' if threads > 1 else ''}")
    figure.savefig(path)
    pyplot.close(figure)


def drawing() -> Any:
    """Return pyplot, set to draw into files."""
    optional_import("matplotlib", "matplotlib", "The benchmarks' plot").use("Agg")
    return optional_import("matplotlib.pyplot", "matplotlib", "The benchmarks' plot")


def row_names(tasks: Sequence[Task]) -> str:
    """Return the names of the tasks, for the help."""
    return "; ".join(task.name for task in tasks)
