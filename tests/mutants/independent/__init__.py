"""A bank written from knowledge of deep-learning code alone, before its author had read a line of the checker."""
from tests.mutants.independent import composites, elementwise, exceptions, images, losses, normalisers, sequences
from tests.mutants.independent.bank import RIGHT, WRONG

__all__ = ["RIGHT", "WRONG", "composites", "elementwise", "exceptions", "images", "losses", "normalisers", "sequences"]
