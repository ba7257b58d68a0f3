"""A bank written from knowledge of deep-learning code alone, before its author had read a line of the checker."""
from importlib import import_module

from tests.mutants.independent.bank import RIGHT, WRONG

__all__ = ["RIGHT", "WRONG"]

for _file in ("composites", "state", "precision", "elementwise", "activations",
              "exceptions", "images", "places", "losses", "distances",
              "normalisers", "rows", "recurrent", "attention"):
    import_module(f"{__name__}.{_file}")
