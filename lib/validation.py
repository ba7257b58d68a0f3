"""Checks of what is given to a module, each failing with a sentence that says what to do.

The fast test comes first in each function: a correct call costs well under a microsecond.
"""
from __future__ import annotations

from importlib import import_module
from typing import Any, Tuple

import numpy as np


class InputError(ValueError, AssertionError):
    """What was given doesn't fit: a ValueError, as Python's users expect, and an AssertionError, as the course does."""


class CallOrderError(RuntimeError, AssertionError):
    """A method was called before the one that it depends on, such as backward before forward."""


def name_of(module: Any) -> str:
    """Return the name by which messages call a module: its class's name."""
    return module if isinstance(module, str) else type(module).__name__


def as_float(x: Any, who: Any = "input") -> np.ndarray:
    """Return x as an array of floats, booleans and integers as float64; refuse strings, dates, ragged rows, masks."""
    if type(x) is np.ndarray and x.dtype.kind == "f":
        return x
    if x is None:
        advice = " Is a return missing in the forward of the module before it?" * (
            not isinstance(who, str) or "predictions" in who)
        raise InputError(f"{name_of(who)} got None in place of numbers.{advice}")
    if getattr(x, "is_graph_node", False):
        return x.taken_in(who)
    refuse_masked(x, who)
    try:
        array = np.asarray(x)
        if array.dtype.kind not in "fiubO":
            raise TypeError(f"it holds {array.dtype}")
        return array if array.dtype.kind == "f" else array.astype(np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"{name_of(who)} expects an array of numbers, but got {type(x).__name__} "
                         f"that NumPy can't turn into one ({error.__cause__ or error}).") from error


def refuse_masked(x: Any, who: Any) -> None:
    """Raise InputError for a masked array, as NumPy would drop its mask in silence."""
    if any(isinstance(each, np.ma.MaskedArray) for each in (x if isinstance(x, (list, tuple)) else [x])):
        raise InputError(f"{name_of(who)} got a masked array, and has no use for the mask. Say what stands in the "
                         "masked places, by x.filled(0), or leave those examples out.")


def require_not_empty(x: np.ndarray, who: Any) -> None:
    """Raise InputError if x holds no number at all, as an empty batch does."""
    if x.size == 0:
        raise InputError(f"{name_of(who)} got an empty array of shape {x.shape}: it needs at least one example "
                         "with at least one feature. Check how the batch was cut out of the data.")


def checked_elementwise(module: Any, x: Any) -> np.ndarray:
    """Return x as a float array that isn't empty, for modules that take any shape."""
    if type(x) is np.ndarray and x.dtype.kind == "f" and x.size:
        return x
    x = as_float(x, module)
    require_not_empty(x, module)
    return x


def checked_rows(module: Any, x: Any, W: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return x as a float matrix of examples, one a row, that fits z = x W + b."""
    if type(x) is np.ndarray and x.ndim == 2 and x.shape[1:] + b.shape == W.shape and len(x) and x.dtype.kind == "f":
        return x
    if W.ndim != 2 or b.shape != W.shape[1:]:
        raise InputError(f"{module} needs W of shape (in_features, out_features) and b of shape (out_features,), but "
                         f"got {W.shape} and {b.shape}.")
    x = as_float(x, module)
    expected = f"(batch, {len(W)})"
    if x.ndim != 2:
        advice = "A single example is a batch of one: x.reshape(1, -1)." if x.shape == W.shape[:1] else \
            "Reshape it so that each row is one example: x.reshape(len(x), -1)."
        raise InputError(f"{module} expects an input with 2 dimensions, {expected}, but got {x.ndim} "
                         f"dimension{'s' * (x.ndim != 1)}: {x.shape}. {advice}")
    require_not_empty(x, module)
    if x.shape[1] != len(W):
        raise InputError(f"{module} expects {len(W)} features in each row, that is an input of shape {expected}, but "
                         f"got shape {x.shape} with {x.shape[1]} features. Is this layer's in_features the "
                         "out_features of the layer before it, and are rows examples?")
    return x


def require_forward(module: Any, cache: Any) -> None:
    """Raise CallOrderError unless forward has left in the cache what this backward belongs to."""
    if cache is not None and module.open_forwards == 1:
        module.open_forwards = 0  # this forward is answered
        return
    if module.open_forwards < 0:
        raise CallOrderError(f"{name_of(module)}.backward was called twice after several forward passes, but it caches "
                             "the last of them only, so this gradient would be wrong. Call backward after each "
                             "forward, and make an object of its own for each place of a network.")
    if module.open_forwards > 1:
        module.open_forwards = -1
    if cache is None:
        raise CallOrderError(f"{name_of(module)}.backward was called before forward: backward needs what forward "
                             "cached. Call the module on its input first.")


def require_gradients(module: Any, *parameters: Any) -> None:
    """Raise CallOrderError if a parameter has no gradient that backward could add to."""
    for parameter in parameters:
        if parameter.grad is None:
            raise CallOrderError(f"{module}.backward adds to {parameter.name}.grad, but that is None. Call "
                                 "zero_grad(model.parameters()) before backward.")


def checked_upstream(module: Any, grad: Any, expected_shape: Tuple[int, ...]) -> np.ndarray:
    """Return the upstream gradient dL/d(output) as a float array; NumPy would broadcast one of another shape."""
    if type(grad) is np.ndarray and grad.shape == expected_shape and grad.dtype.kind == "f":
        return grad
    if grad is None:
        raise InputError(f"{name_of(module)}.backward got None as the upstream gradient. The module after it must "
                         "return its gradient: is a return missing in that module's backward?")
    grad = as_float(grad, f"{name_of(module)}.backward")
    if grad.shape != expected_shape:
        raise InputError(f"{name_of(module)}.backward expects the upstream gradient dL/d(output) in the shape of its "
                         f"output, {expected_shape}, but got shape {grad.shape}. Give it the gradient of the loss "
                         "with respect to this module's own output.")
    return grad


def checked_upstream_of_elementwise(module: Any, grad: Any) -> np.ndarray:
    """Return the upstream gradient of a module whose output has the shape of its cached input, as checked_upstream."""
    require_forward(module, module.input_cache)
    return checked_upstream(module, grad, module.input_cache.shape)


def require_positive(name: str, value: Any, who: Any, zero_allowed: bool = False) -> None:
    """Raise InputError unless value is a finite number above zero (or zero, where that is allowed)."""
    kind = "zero or a positive number" if zero_allowed else "a positive number"
    try:
        good = np.ndim(value) == 0 and not isinstance(value, (bool, np.bool_)) and bool(np.isfinite(value)) and (
            value > 0 or (zero_allowed and value == 0))
    except (TypeError, ValueError):
        good = False
    if not good:
        raise InputError(f"{name_of(who)} expects {name} to be {kind}, but got {value!r}.")


def require_size(name: str, value: Any, who: Any, least: int = 1) -> None:
    """Raise InputError unless value is a whole number of at least `least`, such as a number of features."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)) or value < least:
        raise InputError(f"{name_of(who)} expects {name} to be a whole number of at least {least}, but got {value!r}.")


def require_choice(name: str, value: Any, choices: Tuple[Any, ...], who: Any) -> None:
    """Raise InputError unless value is one of the choices."""
    if np.ndim(value) or value not in choices:
        raise InputError(f"{name_of(who)} expects {name} to be one of {', '.join(map(repr, choices))}, "
                         f"but got {value!r}.")


def require_module(name: str, value: Any, who: Any, kind: str = "a module, such as Sequential(...)",
                   has: str = "named_parameters") -> None:
    """Raise InputError unless value is a module: an object, neither a class nor a list."""
    if isinstance(value, type) or not hasattr(value, has):
        is_class = isinstance(value, type)
        given = f"the class {value.__name__}" if is_class else f"a {type(value).__name__}"
        advice = f" Write {value.__name__}(...)." if is_class else " Write Sequential(*modules)."
        raise InputError(f"{name_of(who)} expects {name} to be {kind}, but got {given}."
                         f"{advice if is_class or isinstance(value, (list, tuple)) else ''}")


def require_loss(loss_fn: Any, who: Any) -> None:
    """Raise InputError unless loss_fn is a loss: something with a backward."""
    require_module("loss_fn", loss_fn, who, "a loss with a backward, such as CrossEntropyLoss()", "backward")


def random_source(rng: Any, who: Any) -> Any:
    """Return what draws: the generator, or NumPy's global random state where there is none."""
    if rng is None or isinstance(rng, (np.random.Generator, np.random.RandomState)):
        return np.random if rng is None else rng
    advice = f" For a seed, write np.random.default_rng({rng})." if type(rng) is int else ""
    raise InputError(f"{name_of(who)} expects rng to be a generator, such as np.random.default_rng(1), but got "
                     f"{rng!r}.{advice}")


def optional_import(module: str, package: str, purpose: str) -> Any:
    """Import an optional package's module by name, or raise an ImportError that says how to install it."""
    try:
        return import_module(module)
    except ImportError as error:
        raise ImportError(f"{purpose} needs {package}, which is not installed in this Python. "
                          f"Install it with: python -m pip install {package}") from error
