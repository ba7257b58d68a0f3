"""Every building block of a network, the sheets' included: `from lib.layers import Linear, Tanh, ...`.

The classes are found in their files when they are asked for: a new one needs no entry here, and a student's own file
can stand in the place of one of the sheets'.
"""
from __future__ import annotations

import os
import pkgutil
from importlib import import_module
from typing import Any, Dict, List

from lib.network_base import Module

_SHEETS = ("network", "activations", "losses", "regularizers", "convolutions")


def _building_blocks() -> Dict[str, Any]:
    """Return the classes of modules by name, the sheets' first."""
    own = pkgutil.iter_modules([os.path.dirname(__file__)])
    files = [f"lib.{name}" for name in _SHEETS] + [f"lib.layers.{info.name}" for info in own]
    return {name: value for file in files for name, value in vars(import_module(file)).items()
            if not name.startswith("_") and isinstance(value, type) and issubclass(value, Module)
            and value.__module__ == file}


def __getattr__(name: str) -> Any:
    if name == "__all__":  # what `from lib.layers import *` asks for
        return __dir__()
    blocks = {} if name.startswith("_") else _building_blocks()
    if name not in blocks:
        raise AttributeError(f"lib.layers has no {name}; it has {', '.join(blocks)}.")
    return blocks[name]


def __dir__() -> List[str]:
    return sorted(_building_blocks())
