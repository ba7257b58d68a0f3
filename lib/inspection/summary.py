"""A model as a table: each layer with its output shape and its number of parameters.

>>> from lib.activations import ReLU
>>> from lib.network import Linear, Sequential
>>> print(summary(Sequential(Linear(784, 128), ReLU(), Linear(128, 10)), (784,)))
layer                   output shape  parameters
------------------------------------------------
Sequential              (batch, 10)      101,770
  [0] Linear(784, 128)  (batch, 128)     100,480
  [1] ReLU()            (batch, 128)           0
  [2] Linear(128, 10)   (batch, 10)        1,290
------------------------------------------------
101,770 parameters, 814.2 kB
"""
from __future__ import annotations

from html import escape
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

import numpy as np

from lib.network_base import Module
from lib.inspection.recording import numpy_random_state_kept, recording_copy
from lib.validation import InputError, require_module


class SummaryRow(NamedTuple):
    """One line of the table: a module, how deep it is nested, its output, and its parameters with those below."""

    depth: int
    label: str
    module: str
    output_shape: Optional[Tuple[Any, ...]]  # "batch" stands for the batch axis; None if the module wasn't called
    num_parameters: int


class Summary:
    """The table of a model; `str` gives it as text. `rows`, `total` and `bytes` give it to programs.

    Args:
        rows: one a module, in the order of the model.
        total: the number of parameters, each counted once.
        num_bytes: the memory that they take.
    """

    def __init__(self, rows: List[SummaryRow], total: int, num_bytes: int) -> None:
        self.rows, self.total, self.num_bytes = rows, total, num_bytes

    def __str__(self) -> str:
        cells = [("layer", "output shape", "parameters")]
        for row in self.rows:
            name = f"{'  ' * row.depth}{row.label + ' ' if row.label else ''}{row.module}"
            cells.append((name, _shape_text(row.output_shape), f"{row.num_parameters:,}"))
        widths = [max(len(line[column]) for line in cells) for column in range(3)]
        lines = [f"{name:<{widths[0]}}  {shape:<{widths[1]}}  {number:>{widths[2]}}" for name, shape, number in cells]
        lines.insert(1, "-" * len(lines[0]))
        lines += ["-" * len(lines[0]), f"{self.total:,} parameters, {_bytes_text(self.num_bytes)}"]
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        from lib.inspection.notebook import Html, table
        rows = [(Html("&emsp;" * row.depth + escape(f"{row.label} {row.module}".strip())),
                 _shape_text(row.output_shape), f"{row.num_parameters:,}") for row in self.rows]
        total = f"{self.total:,} parameters, {_bytes_text(self.num_bytes)}"
        return table(("layer", "output shape", "parameters"), rows) + total


def summary(model: Module, input_shape: Tuple[int, ...]) -> Summary:
    """Return a model's table, by sending a batch of zeros through a copy of it; the model is left as it is.

    Args:
        model: any module with one input.
        input_shape: the shape of one example, without the batch: (784,) or (1, 28, 28).

    Raises:
        InputError: input_shape isn't a tuple of whole numbers, or doesn't fit the model.
    """
    require_module("model", model, "summary")
    if isinstance(input_shape, (int, np.integer)):
        input_shape = (int(input_shape),)
    if not isinstance(input_shape, (tuple, list)) or not all(isinstance(n, (int, np.integer)) and n > 0
                                                             for n in input_shape):
        raise InputError(f"summary expects the shape of one example, without the batch, such as (784,) or (1, 28, 28), "
                         f"but got {input_shape!r}.")
    with numpy_random_state_kept():
        small, large = (_output_shapes(model, (batch,) + tuple(input_shape)) for batch in (2, 3))
    rows = []
    paths = {id(module): path for path, module in model.named_modules()}
    for depth, label, module in _walk(model):
        shape, path = None, paths[id(module)]
        if path in small:  # the axis that grows with the batch is the batch
            shape = tuple("batch" if a != b else a for a, b in zip(small[path], large[path]))
        rows.append(SummaryRow(depth, label, _own_name(module), shape, _count(module.parameters())))
    parameters = {id(parameter): parameter for parameter in model.parameters()}.values()
    return Summary(rows, _count(parameters), sum(parameter.data.nbytes for parameter in parameters))


def _output_shapes(model: Module, shape: Tuple[int, ...]) -> Dict[str, Tuple[int, ...]]:
    """Return the output shape of each module, by its path, for a batch of zeros."""
    twin, outputs, _ = recording_copy(model)
    twin.eval()
    dtypes = [parameter.data.dtype for parameter in twin.parameters()] or [np.dtype(float)]
    try:
        twin(np.zeros(shape, dtypes[0]))
    except InputError:
        try:  # an embedding takes whole numbers only
            twin(np.zeros(shape, np.int64))
        except InputError:
            pass
        else:
            return {path: np.shape(output) for path, output in outputs.items()}
        raise  # the sentence about the numbers that most models take
    return {path: np.shape(output) for path, output in outputs.items()}


def _walk(module: Module, label: str = "", depth: int = 0) -> List[Tuple[int, str, Module]]:
    """Return (depth, label, module) of a module and all below it, in their order."""
    lines = [(depth, label, module)]
    for child_label, child in module.children():
        lines += _walk(child, child_label, depth + 1)
    return lines


def _own_name(module: Module) -> str:
    """Return how a module is written, without the modules inside of it, which have lines of their own."""
    return type(module).__name__ if module.children() else repr(module)


def _count(parameters: Any) -> int:
    return sum(parameter.data.size for parameter in {id(p): p for p in parameters}.values())


def _shape_text(shape: Optional[Tuple[Any, ...]]) -> str:
    return "not called" if shape is None else f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"


def _bytes_text(num_bytes: int) -> str:
    amount, unit = float(num_bytes), "bytes"
    for unit in ("bytes", "kB", "MB", "GB"):
        if amount < 1000 or unit == "GB":
            break
        amount /= 1000
    return f"{amount:.0f} bytes" if unit == "bytes" else f"{amount:.1f} {unit}"
