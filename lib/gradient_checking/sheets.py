"""What the checker knows of the sheets' own classes: situations to check them in, and that they take any number.

A student's file can stand in the place of ours, so the classes themselves are not asked, and only what the course's
editions offer is used here. Classes beyond the sheets carry both themselves: a classmethod `examples(rng)`, and the
attribute `takes_any_number`.
"""
from __future__ import annotations

from importlib import import_module
from typing import Any, Callable, Dict, List, Optional, Tuple, Type

import numpy as np

from lib.network_base import Module, Parameter

Example = Tuple[Module, Tuple[Any, ...]]
Examples = Callable[[Type[Any], np.random.Generator], List[Example]]

_EXAMPLES: Dict[Tuple[str, str], Examples] = {}  # by file and class


def _situations(file: str, *names: str) -> Callable[[Examples], Examples]:
    def register(make: Examples) -> Examples:
        _EXAMPLES.update({(f"lib.{file}", name): make for name in names})
        return make
    return register


def _sheet(file: str, name: str) -> Any:
    return getattr(import_module(f"lib.{file}"), name)


def sheet_examples(cls: Type[Any]) -> Optional[Examples]:
    """Return what makes the situations of a sheet's class; None for every other class."""
    return _EXAMPLES.get((cls.__module__, cls.__qualname__))


def takes_any_number(module: Module) -> bool:
    """Return whether any input will do; a module that doesn't say so is as its parts are.

    A logarithm's inputs must stay positive; those of a module that takes any number may be replaced by any others.
    """
    stated = getattr(module, "takes_any_number", None)
    if stated is not None:
        return bool(stated)
    parts = [part for _, part in module.named_modules()][1:]
    if not parts:
        return any(sheet_examples(cls) is not None for cls in type(module).__mro__)
    return all(takes_any_number(part) for part in parts)


@_situations("activations", "Sigmoid", "ReLU", "Relu", "Softmax")
@_situations("utilities", "Dummy")
def _elementwise(cls: Type[Any], rng: np.random.Generator) -> List[Example]:
    return Module.examples.__func__(cls, rng)  # type: ignore[attr-defined]


def _with_numbers(module: Any, rng: np.random.Generator) -> Any:
    """Return a module with parameters of a size at which every entry's share of a gradient can be seen."""
    for parameter in module.parameters():
        parameter.data = rng.standard_normal(parameter.data.shape)
    return module


@_situations("network", "Linear")
def _linear(cls: Type[Any], rng: np.random.Generator) -> List[Example]:
    return [(_with_numbers(cls(*sizes), rng), (rng.uniform(-1, 1, (n, sizes[0])),))
            for n, sizes in ((2, (10, 30)), (3, (3, 3)), (1, (4, 2)))]


@_situations("network", "Sequential")
def _sequential(cls: Type[Any], rng: np.random.Generator) -> List[Example]:
    linear, relu, sigmoid = _sheet("network", "Linear"), _sheet("activations", "ReLU"), _sheet("activations", "Sigmoid")
    model = cls(linear(4, 6), relu(), linear(6, 5), sigmoid(), linear(5, 3))
    return [(_with_numbers(model, rng), (rng.uniform(-1, 1, (3, 4)),))]


@_situations("losses", "CrossEntropyLoss")
def _cross_entropy(cls: Type[Any], rng: np.random.Generator) -> List[Example]:
    return [(cls(), (rng.standard_normal((n, 3)), np.eye(3)[rng.integers(0, 3, n)])) for n in (4, 1)]


@_situations("losses", "MSELoss")
def _squared_error(cls: Type[Any], rng: np.random.Generator) -> List[Example]:
    return [(cls(), (rng.standard_normal((4, 3)), rng.standard_normal((4, 3))))]


@_situations("regularizers", "Dropout")
def _dropout(cls: Type[Any], rng: np.random.Generator) -> List[Example]:
    x = rng.uniform(-1, 1, (3, 5))
    return [(cls(0.5, fix_seed=True), (x,)), (cls(0.2, fix_seed=True), (x,))]


@_situations("regularizers", "L1Regularization", "L2Regularization")
def _penalty(cls: Type[Any], rng: np.random.Generator) -> List[Example]:
    params = [Parameter(rng.standard_normal(shape), name=name) for shape, name in (((3, 2), "W"), ((2,), "b"))]
    return [(cls(0.3, params), ())]


@_situations("regularizers", "RegularizedCrossEntropy")
def _regularized(cls: Type[Any], rng: np.random.Generator) -> List[Example]:
    inputs = (rng.standard_normal((4, 3)), np.eye(3)[rng.integers(0, 3, 4)])
    return [(cls(_penalty(_sheet("regularizers", name), rng)[0][0]), inputs)
            for name in ("L1Regularization", "L2Regularization")]


@_situations("convolutions", "Conv2d")
def _convolution(cls: Type[Any], rng: np.random.Generator) -> List[Example]:
    return [(_with_numbers(cls(*arguments), rng), (rng.uniform(-1, 1, shape),)) for arguments, shape in (
        ((2, 3, (3, 2)), (2, 2, 4, 4)),
        ((2, 2, (3, 3), (2, 1), (1, 2)), (2, 2, 6, 3)),
        ((1, 2, (2, 2), (3, 3)), (1, 1, 5, 7)))]


@_situations("convolutions", "Flatten")
def _flatten(cls: Type[Any], rng: np.random.Generator) -> List[Example]:
    return [(cls(), (rng.uniform(-1, 1, (2, 3, 2, 2)),))]
