"""The scheme of a network: its units in columns, its weights as lines between them, its biases, and all dimensions.

>>> from lib.network import Linear, Sequential
>>> from lib.activations import ReLU
>>> from lib.graph.draw.network import draw_network
>>> scheme = draw_network(Sequential(Linear(3, 4), ReLU(), Linear(4, 1)), inputs=["class", "age", "survived"])
>>> scheme.save("network.svg")  # doctest: +SKIP
"""
from __future__ import annotations

from typing import Any, List, NamedTuple, Optional, Sequence, Tuple

from lib.graph.draw.output import Drawing
from lib.graph.draw.scene import FONT_SIZES, Box, Curve, Scene, Text, text_width
from lib.validation import InputError

__all__ = ["draw_network", "draw_units", "Column", "Skip"]
MOST_UNITS = 8  # a layer with more shows the first and the last ones
MOST_WEIGHT_LABELS = 6  # between two columns with more weights, only the matrix is named
RADIUS, STEP, MARGIN = 19.0, 52.0, 16.0


class Column(NamedTuple):
    """One layer of units.

    Attributes:
        units: the name of each unit.
        title: what the layer is, above it.
        formulas: lines below it: how it is computed, and the shapes.
        weights: the names of the weights into it, weights[i][j] from unit i before to unit j here; or None.
        bias: the name of its bias vector, or None.
    """

    units: Sequence[str]
    title: str = ""
    formulas: Sequence[str] = ()
    weights: Optional[Sequence[Sequence[str]]] = None
    bias: Optional[str] = None


class Skip(NamedTuple):
    """A connection that skips layers, between columns given by their number, with its weight's name."""

    source: int
    target: int
    name: str = ""


def draw_network(model: Any, inputs: Optional[Sequence[str]] = None,
                 outputs: Optional[Sequence[str]] = None) -> Drawing:
    """Return the scheme of a Sequential of Linear layers and activations (or of one Linear).

    Below each column stands how it is computed, with the shape of each term; N is the size of the batch.

    Args:
        model: the network.
        inputs: names for the input units; x1, x2, ... if not given.
        outputs: names for the output units; y_hat, or y_hat1, y_hat2, ..., if not given.

    Raises:
        InputError: the model has another layer than Linear and elementwise activations, or a wrong number of names.
    """
    return draw_units(_columns(model, inputs, outputs))


def draw_units(columns: Sequence[Column], skips: Sequence[Skip] = ()) -> Drawing:
    """Return the scheme of a network given column by column, with connections that skip layers."""
    shown = [_shown(column) for column in columns]
    widths = [_width(column) for column in columns]
    tallest = max(len(units) for units in shown) + any(column.bias for column in columns)
    arch = 40.0 if skips else 0.0
    top = MARGIN + 24 + arch
    lines = max(len(column.formulas) for column in columns)
    scene = Scene(sum(widths) + 2 * MARGIN, top + tallest * STEP + 18 * lines + 12, "Network scheme")
    centres, left = [], MARGIN
    for width in widths:
        centres.append(left + width / 2)
        left += width
    middle = top + tallest * STEP / 2
    rows = [[middle + (k - (len(units) - 1) / 2) * STEP for k in range(len(units))] for units in shown]
    bottom = top + (tallest - 0.5) * STEP
    for k in range(1, len(columns)):
        _connect(scene, columns, shown, centres, rows, k, bottom)
    for skip in skips:
        _arch(scene, centres, rows, skip)
    for k, (column, units, x) in enumerate(zip(columns, shown, centres)):
        kind = "constant" if k == 0 else "output" if k == len(columns) - 1 else "operation"
        for y, (_, name) in zip(rows[k], units):
            if name == "...":
                scene.texts.append(Text(x, y, "...", "title"))
            else:
                radius = max(RADIUS, text_width(name, FONT_SIZES["name"]) / 2 + 5)
                scene.boxes.append(Box(x, y, 2 * radius, 2 * RADIUS, kind, ((name, "name"),), name, True))
        scene.texts.append(Text(x, MARGIN, column.title, "title"))
        for j, formula in enumerate(column.formulas):
            scene.texts.append(Text(x, top + tallest * STEP + 16 + 18 * j, formula, "legend"))
    return Drawing(scene, _dot(columns, skips))


# ---------------------------------------------------------------------- the columns of a model

def _columns(model: Any, inputs: Optional[Sequence[str]], outputs: Optional[Sequence[str]]) -> List[Column]:
    from lib.layers import Linear, Softmax
    from lib.network_base import Module

    layers = list(getattr(model, "modules", [model]))
    linears = [layer for layer in layers if isinstance(layer, Linear)]
    if not linears or not isinstance(layers[0], Linear):
        raise InputError("A network scheme starts with a Linear layer, whose inputs are the first column of units, but "
                         f"got {model!r}. Other networks can be drawn as a graph: draw(model(x).sum()).")
    columns = [_input_column(linears[0].W.data.shape[-2], inputs)]
    before, number = "x", 0
    for layer in layers:
        if isinstance(layer, Linear):
            number += 1
            rows, size = layer.W.data.shape[-2:]
            bias = f"b{number}" if not layer.b.constant else None
            last = layer is linears[-1]
            after = "y_hat" if layer is layers[-1] else f"z{number}"
            formula = f"{after} = {before} W{number}" + (f" + {bias}" if bias else "")
            shapes = [f"W{number}: ({rows}, {size})" + (f", {bias}: ({size},)" if bias else ""),
                      f"{after}: (N, {size})"]
            units = _names(size, "y_hat" if last else f"h{number}_" if len(linears) > 2 else "h",
                           outputs if last else None, "outputs")
            weights = [[_weight(layer, i, j) for j in range(size)] for i in range(rows)]
            columns.append(Column(units, "output" if last else f"hidden layer {number}" if len(linears) > 2 else
                                  "hidden layer", [formula] + shapes, weights, bias))
            before = after
        elif isinstance(layer, Module) and not layer.parameters() and not layer.children():
            name = type(layer).__name__
            how = " over each row" if isinstance(layer, Softmax) else ", entry by entry"
            after = "y_hat" if layer is layers[-1] else f"h{number}" if len(linears) > 2 else "h"
            size = len(columns[-1].units)
            formulas = list(columns[-1].formulas) + [f"{after} = {name}({before}){how}: (N, {size})"]
            columns[-1] = columns[-1]._replace(formulas=formulas)
            before = after
        else:
            raise InputError("A network scheme is made of Linear layers and activations, but this network has a "
                             f"{type(layer).__name__}. It can be drawn as a graph instead: draw(model(x).sum()).")
    return columns


def _weight(layer: Any, i: int, j: int) -> str:
    data = layer.W.data
    return f"{data[i, j]:.3g}" if data.ndim == 2 else ""


def _input_column(size: int, names: Optional[Sequence[str]]) -> Column:
    return Column(_names(size, "x", names, "inputs"), "input", [f"x: (N, {size})"])


def _names(size: int, letter: str, given: Optional[Sequence[str]], which: str) -> List[str]:
    if given is not None:
        if len(given) != size:
            raise InputError(f"The network has {size} {which}, but got {len(given)} names for them: {list(given)}.")
        return list(given)
    return [letter] if size == 1 and letter == "y_hat" else [f"{letter}{k + 1}" for k in range(size)]


# ---------------------------------------------------------------------- shapes

def _shown(column: Column) -> List[Tuple[int, str]]:
    """Return the units that are drawn, as (number, name); in a large layer, dots stand for those in the middle."""
    units = list(enumerate(column.units))
    return units if len(units) <= MOST_UNITS else units[:4] + [(-1, "...")] + units[-2:]


def _width(column: Column) -> float:
    """Return the room of a column: its texts must not touch those of the next one."""
    texts = [(column.title, "title")] + [(formula, "legend") for formula in column.formulas]
    texts += [(name, "name") for name in column.units]
    labels = 60.0 if column.weights else 0.0
    return max([text_width(text, FONT_SIZES[style]) for text, style in texts] + [2 * RADIUS + 60 + labels]) + 34


def _connect(scene: Scene, columns: Sequence[Column], shown: List[List[Tuple[int, str]]], centres: List[float],
             rows: List[List[float]], k: int, bottom: float) -> None:
    """Draw the weights and biases into column k."""
    column = columns[k]
    number = len(columns[k - 1].units) * len(column.units)
    for y0, (i, name) in zip(rows[k - 1], shown[k - 1]):
        for y1, (j, target) in zip(rows[k], shown[k]):
            if "..." in (name, target):
                continue
            start, end = _edge(centres[k - 1], y0, name), _edge(centres[k], y1, target, -1)
            scene.curves.append(_straight(start, end, "forward"))
            if column.weights and number <= MOST_WEIGHT_LABELS:
                share = 0.3 if len(columns[k - 1].units) > 1 else 0.6  # where the lines have spread out
                slope = abs(end[1] - start[1]) / (end[0] - start[0])
                above = 8 + slope * text_width(column.weights[i][j], FONT_SIZES["value"]) / 2
                scene.texts.append(Text(start[0] + share * (end[0] - start[0]),
                                        start[1] + share * (end[1] - start[1]) - above, column.weights[i][j], "value"))
    if column.weights and number > MOST_WEIGHT_LABELS:
        scene.texts.append(Text((centres[k - 1] + centres[k]) / 2, min(rows[k - 1][0], rows[k][0]) - RADIUS - 10,
                                f"W{k}", "value"))
    if column.bias:
        x = (centres[k - 1] + centres[k]) / 2
        scene.boxes.append(Box(x, bottom, 34, 24, "bias", (("1", "name"),), f"bias {column.bias}"))
        scene.texts.append(Text(x - 24, bottom, column.bias, "legend", "end"))
        for y1, (_, target) in zip(rows[k], shown[k]):
            if target != "...":
                scene.curves.append(_straight((x + 17, bottom), _edge(centres[k], y1, target, -1), "bias", True))


def _edge(x: float, y: float, name: str, side: int = 1) -> Tuple[float, float]:
    return x + side * max(RADIUS, text_width(name, FONT_SIZES["name"]) / 2 + 5), y


def _straight(start: Tuple[float, float], end: Tuple[float, float], kind: str, dashed: bool = False) -> Curve:
    (x0, y0), (x1, y1) = start, end
    third = ((x1 - x0) / 3, (y1 - y0) / 3)
    return Curve((start, (x0 + third[0], y0 + third[1]), (x1 - third[0], y1 - third[1]), end), kind, True, dashed)


def _arch(scene: Scene, centres: List[float], rows: List[List[float]], skip: Skip) -> None:
    """Draw a connection that skips layers as an arch above the columns between."""
    x0, x1 = centres[skip.source], centres[skip.target]
    y0, y1 = rows[skip.source][0] - RADIUS, rows[skip.target][0] - RADIUS
    top = min(min(row) for row in rows[skip.source:skip.target + 1]) - RADIUS - 46
    scene.curves.append(Curve(((x0, y0), (x0 + 14, top), (x1 - 14, top), (x1, y1)), "skip"))
    scene.texts.append(Text((x0 + x1) / 2, (y0 + y1) / 8 + 0.75 * top - 9, skip.name, "value"))


def _dot(columns: Sequence[Column], skips: Sequence[Skip]) -> str:
    """Return the scheme as DOT text."""
    lines = ["digraph network {", "    rankdir=LR;", "    node [shape=circle];"]
    for k, column in enumerate(columns):
        lines += [f'    u{k}_{i} [label="{name}"];' for i, name in enumerate(column.units)]
        if k and column.bias:
            lines.append(f'    b{k} [label="1", shape=box];')
            lines += [f'    b{k} -> u{k}_{j} [style=dashed, label="{column.bias}"];' for j in range(len(column.units))]
        for i in range(len(columns[k - 1].units) if k else 0):
            for j in range(len(column.units)):
                label = column.weights[i][j] if column.weights else ""
                lines.append(f'    u{k - 1}_{i} -> u{k}_{j} [label="{label}"];')
    lines += [f'    u{skip.source}_0 -> u{skip.target}_0 [label="{skip.name}", constraint=false];' for skip in skips]
    return "\n".join(lines + ["}"]) + "\n"
