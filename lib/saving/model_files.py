"""Saving a trained model and loading it into a model of the same architecture: `save` and `load`.

The file is an .npz of the parameters under their paths, such as "Sequential[0].W", and of what else a module has
learnt (its buffers), with the architecture as text. `np.load` opens it, too.
"""
from __future__ import annotations

import re
from pathlib import Path
from typing import Dict, List, Tuple, Union

import numpy as np

from lib.network_base import Module
from lib.numerics import renew
from lib.saving.description import describe
from lib.saving.npz import FileContentError, Header, array_to_text, read_headers, read_npz, text_to_array, write_npz
from lib.validation import require_module

ARCHITECTURE = "architecture"
LONGEST_TEXT = 1000000  # bytes


def save(model: Module, path: Union[str, Path]) -> Path:
    """Save a model's parameters and buffers, atomically: a crash leaves the old file or the new one.

    Args:
        model: any module.
        path: the file, such as "model.npz".

    Returns:
        The path.

    Raises:
        FileContentError: a parameter isn't finite, as after a training run that diverged.
    """
    require_module("model", model, "save")
    arrays = model_arrays(model)
    _require_finite(arrays, f"{type(model).__name__} can't be saved")
    return write_npz(path, {ARCHITECTURE: text_to_array(describe(model)), **arrays})


def load(model: Module, path: Union[str, Path]) -> Module:
    """Load what `save` saved into a model of the same architecture: all of it, or, if anything is wrong, nothing.

    Args:
        model: built as the saved one was; its parameters and buffers get the file's values.
        path: the file.

    Returns:
        The model.

    Raises:
        FileNotFoundError: there is no such file.
        FileContentError: it is damaged, of another architecture or precision, holds objects, or numbers that aren't
            finite. The model is as it was before.
    """
    require_module("model", model, "load")
    own, headers = model_arrays(model), read_headers(path)
    if ARCHITECTURE not in headers:
        raise FileContentError(f"{str(path)!r} holds no architecture: it was not written by `save`, from "
                               "lib.saving.model_files.")
    shape, dtype = headers.pop(ARCHITECTURE)
    if dtype != np.uint8 or len(shape) != 1 or shape[0] > LONGEST_TEXT:
        raise FileContentError(f"{str(path)!r} holds something else than an architecture under that name.")
    require_same_architecture(model, array_to_text(read_npz(path, [ARCHITECTURE])[ARCHITECTURE]), path)
    require_same_arrays(own, headers, path)
    arrays = read_npz(path, own)
    _require_finite(arrays, f"{str(path)!r} was not loaded")
    for name, parameter in zip(own, (parameter for _, parameter in model.named_parameters(constants=True))):
        if parameter.constant and not own[name].any() and arrays[name].any():
            raise FileContentError(f"{str(path)!r} has numbers for {name}, which is zeros and stays so in this model, "
                                   "as with bias=False. Build the model as the saved one was.")
    set_model_arrays(model, arrays)
    return model


# -------------------------------------------------------------------- a model as named arrays


def model_arrays(model: Module) -> Dict[str, np.ndarray]:
    """Return copies of the model's parameters and buffers by their paths."""
    arrays: Dict[str, np.ndarray] = {}
    for path, array in _named_arrays(model):
        name, number = path, 2
        while name in arrays or name == ARCHITECTURE:
            name, number = f"{path}#{number}", number + 1
        arrays[name] = np.array(array)
    return arrays


def set_model_arrays(model: Module, arrays: Dict[str, np.ndarray]) -> None:
    """Give the model the values that model_arrays returned, which must fit."""
    values = iter(arrays[name] for name in model_arrays(model))
    parameters = [parameter for _, parameter in model.named_parameters(constants=True)]
    renew(parameters)  # tied arrays stay tied, and those that others hold are left as they are
    for parameter in parameters:
        parameter.data[...] = next(values)
    for _, buffer in model.named_buffers():
        buffer[...] = next(values)


def _named_arrays(model: Module) -> List[Tuple[str, np.ndarray]]:
    parameters = model.named_parameters(constants=True)
    return [(path, parameter.data) for path, parameter in parameters] + model.named_buffers()


# -------------------------------------------------------------------- does a file fit a model?


def require_same_architecture(model: Module, text: str, path: Union[str, Path]) -> None:
    """Raise FileContentError unless the file's architecture is the model's."""
    own = describe(model)
    as_earlier = re.sub(r" at 0x[0-9a-fA-F]+", "", repr(model))  # how this was written up to November 2026
    if text not in (own, describe(model, under_other_names=False), as_earlier):
        lines, own_lines = (text.split("\n"), own.split("\n")) if "\n" in text else ([text], [as_earlier])
        first = next((i for i, (a, b) in enumerate(zip(lines, own_lines)) if a != b), min(len(lines), len(own_lines)))
        line, own_line = (each[first] if first < len(each) else "nothing more" for each in (lines, own_lines))
        raise FileContentError(f"{str(path)!r} is of another architecture.\n  the file:  "
                               f"{_shortened(line, own_line)}\n  the model: {_shortened(own_line, line)}\n"
                               "Build the model as the saved one was.")


def require_same_arrays(own: Dict[str, np.ndarray], headers: Dict[str, Header], path: Union[str, Path]) -> None:
    """Raise FileContentError unless the file has the same arrays, by name, shape and precision, as the model."""
    for name in own:
        if name not in headers:
            raise FileContentError(f"{str(path)!r} has no {name}, which the model has. Build the model as the saved "
                                   "one was.")
        shape, dtype = headers[name]
        if shape != own[name].shape:
            raise FileContentError(f"{str(path)!r} is of another architecture: its {name} has shape {shape}, but the "
                                   f"model's has {own[name].shape}. Build the model as the saved one was.")
        if dtype.newbyteorder("=") != own[name].dtype:
            raise FileContentError(f"{str(path)!r} holds {name} as {dtype}, but the model's is {own[name].dtype}. "
                                   f"Convert the model first: model.astype(np.{dtype}).")
    for name in headers:
        if name not in own:
            raise FileContentError(f"{str(path)!r} also holds {name[:80]!r}, which the model has not. Build the model "
                                   "as the saved one was.")


def _require_finite(arrays: Dict[str, np.ndarray], what: str) -> None:
    for name, array in arrays.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise FileContentError(f"{what}: {name} holds NaN or infinity, as after a training run that diverged. "
                                   "Train again, with a lower learning rate.")


def _shortened(text: str, other: str, length: int = 200) -> str:
    """Return a text, or a piece of a long one around the first place where it differs from the other."""
    if len(text) <= length:
        return text
    first = next((i for i, (a, b) in enumerate(zip(text, other)) if a != b), min(len(text), len(other)))
    start = max(0, first - length // 2)
    return f"{'...' if start else ''}{text[start:start + length]}{'...' if start + length < len(text) else ''}"
