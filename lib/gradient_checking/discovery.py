"""Finding every module of the library, with no list kept anywhere: a new class is checked from its first day."""
from __future__ import annotations

import importlib
import pkgutil
from typing import Any, Dict, Iterator, List, Type

import numpy as np

from lib.gradient_checking.sheets import Example, sheet_examples
from lib.network_base import Module


class NoExamples(TypeError):
    """A class doesn't say in which situations it is to be checked."""


def import_everything() -> List[str]:
    """Import all modules of lib; return a sentence for each that can't be, as an optional package may be missing."""
    import lib
    failures = []
    for found in pkgutil.walk_packages(lib.__path__, "lib."):
        if found.name.endswith("__main__") or "experiments." in found.name:
            continue
        try:
            importlib.import_module(found.name)
        except ImportError as error:
            failures.append(f"{found.name} can't be imported: {error}")
    return failures


def subclasses(base: Type[Any]) -> Iterator[Type[Any]]:
    """Yield all classes below a class."""
    for cls in base.__subclasses__():
        yield cls
        yield from subclasses(cls)


def module_classes() -> Dict[str, Type[Module]]:
    """Return every module class of the library that can be used, by its name, in alphabetical order."""
    import_everything()
    found = {cls.__name__: cls for cls in subclasses(Module)
             if cls.__module__.startswith("lib.") and cls.forward is not Module.forward and cls.__name__[0] != "_"}
    return dict(sorted(found.items()))


def examples_of(cls: Type[Module], rng: np.random.Generator) -> List[Example]:
    """Return the situations, (module, inputs), in which a class is to be checked: its own, or those of its sheet."""
    own = next(base for base in cls.__mro__ if "examples" in vars(base) or sheet_examples(base) is not None)
    of_sheet = sheet_examples(own)
    try:
        return cls.examples(rng) if of_sheet is None else of_sheet(cls, rng)
    except TypeError as error:
        if own is cls:
            raise
        raise NoExamples(f"{cls.__name__} can't be tried as a {own.__name__} is ({error}). Give it a classmethod "
                         "examples(rng) that returns a list of (module, inputs).") from error
