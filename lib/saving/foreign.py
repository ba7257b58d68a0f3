"""Weights of another program: arrays named W1, b1, W2, b2, ... in an .npz file, for the layers of a model in order."""
from __future__ import annotations

import re
from pathlib import Path
from typing import Dict, List, Optional, Tuple, Union

import numpy as np

from lib.network_base import Module, Parameter
from lib.saving.files import expanded_path
from lib.saving.npz import FileContentError
from lib.validation import require_choice, require_module


def load_weights(model: Module, path: Union[str, Path], transposed: Optional[bool] = None) -> Module:
    """Load W1, b1, W2, b2, ... into the layers of a model that have weights, in order: all of them, or nothing.

    Numbers may count from 0 or 1, names may be in lower case; a bias may be a row or a column.

    Args:
        model: its layers have W (in, out), as all of lib.
        path: an .npz file, such as np.savez("weights.npz", W1=..., b1=..., ...) writes it.
        transposed: whether the file's matrices are (out, in), as PyTorch keeps them. When it isn't given, the shapes
            tell; only where all matrices are square, they don't.

    Returns:
        The model.

    Raises:
        FileNotFoundError: there is no such file.
        FileContentError: it isn't one of arrays with these names, shapes, and finite numbers.
    """
    require_module("model", model, "load_weights")
    require_choice("transposed", transposed, (None, True, False), "load_weights")
    path = expanded_path(path)
    weights, biases = _read(path)
    layers = [(name, _parameter(module, "weight"), _parameter(module, "bias")) for name, module in model.named_modules()
              if _parameter(module, "weight") is not None]
    if len(layers) != len(weights):
        raise FileContentError(f"{str(path)!r} has weights for {len(weights)} layers, but the model has {len(layers)} "
                               f"with weights: {', '.join(name for name, _, _ in layers)}.")
    numbers = sorted(weights)
    pairs = [(weights[number], layer[1].data) for number, layer in zip(numbers, layers)]  # type: ignore[union-attr]
    if transposed is None:
        transposed = _are_transposed(pairs, path)
    values: List[Tuple[Parameter, np.ndarray]] = []
    for number, (name, W, b) in zip(numbers, layers):
        assert W is not None
        array = weights[number].T if transposed and weights[number].ndim == 2 else weights[number]
        if array.shape != W.data.shape:
            raise FileContentError(f"{str(path)!r}: W{number} has shape {weights[number].shape}, but {name} needs "
                                   f"{W.data.shape}{', or its transpose' if W.data.ndim == 2 else ''}.")
        values.append((W, array))
        bias = biases.get(number)
        if (bias is None) != (b is None or b.constant):
            raise FileContentError(f"{str(path)!r} has {'no ' if bias is None else ''}b{number}, but {name} has "
                                   f"{'a' if bias is None else 'no'} bias.")
        if bias is not None and b is not None:
            if bias.size != b.data.size:
                raise FileContentError(f"{str(path)!r}: b{number} has shape {bias.shape}, but {name} needs "
                                       f"{b.data.shape}.")
            values.append((b, bias.reshape(b.data.shape)))
    for param, array in values:
        param.data = array.astype(param.data.dtype)
    return model


def _read(path: Path) -> Tuple[Dict[int, np.ndarray], Dict[int, np.ndarray]]:
    """Return the weights and the biases in a file by their numbers."""
    if not path.is_file():
        raise FileNotFoundError(f"There is no file {str(path)!r}.")
    try:
        with np.load(str(path), allow_pickle=False) as file:
            arrays = {name: np.asarray(file[name]) for name in file.files}
    except Exception as error:  # whatever a file's bytes lead to
        raise FileContentError(f"{str(path)!r} can't be read as an .npz file of arrays: {error}") from None
    found: Dict[str, Dict[int, np.ndarray]] = {"w": {}, "b": {}}
    for name, array in arrays.items():
        match = re.fullmatch(r"([wb])_?(\d+)", name.lower())
        if match is None:
            raise FileContentError(f"{str(path)!r} holds {name!r}, where W1, b1, W2, b2, ... are expected.")
        if array.dtype.kind not in "fiu" or not np.isfinite(array).all():
            raise FileContentError(f"{str(path)!r}: {name} holds something else than finite numbers.")
        found[match.group(1)][int(match.group(2))] = array
    numbers = sorted(found["w"])
    if not numbers or numbers != list(range(numbers[0], numbers[0] + len(numbers))) or numbers[0] > 1 or \
            not set(found["b"]) <= set(numbers):
        raise FileContentError(f"{str(path)!r} should hold W1, W2, ... without gaps, and biases of these layers, but "
                               f"has {', '.join(sorted(arrays)) or 'nothing'}.")
    return found["w"], found["b"]


def _parameter(module: Module, role: str) -> Optional[Parameter]:
    """Return the parameter of this role that a module holds itself, if there is one."""
    held = [value for value in vars(module).values() if isinstance(value, Parameter) and value.role == role]
    return held[0] if held else None


def _are_transposed(pairs: List[Tuple[np.ndarray, np.ndarray]], path: Path) -> bool:
    """Return whether a file's matrices are the transposes of what the model has, judged by those that aren't square."""
    matrices = [(theirs.shape, own.shape) for theirs, own in pairs if theirs.ndim == own.ndim == 2]
    as_they_are = all(theirs == own for theirs, own in matrices)
    turned = all(theirs == own[::-1] for theirs, own in matrices)
    if matrices and as_they_are and turned:
        raise FileContentError(f"The matrices in {str(path)!r} are all square, so their shapes don't tell whether they "
                               "are (in, out), as here, or (out, in), as in PyTorch. Say it: transposed=False or True.")
    return turned and not as_they_are
