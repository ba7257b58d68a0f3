"""Modules of one's own in many styles: right ones that must not be accused, and wrong ones with their causes.

`python -m tests.mutants.wild` prints what our gradient checker says of them, beside what other styles of check say.
"""
from tests.mutants.wild import (elementwise, exceptions, images, losses, memory, misses, normalisers, precision,
                                products, randomness, recurrent, sequences, styles)
from tests.mutants.wild.bank import RIGHT, WRONG

__all__ = ["RIGHT", "WRONG", "elementwise", "exceptions", "images", "losses", "memory", "misses", "normalisers",
           "precision", "products", "randomness", "recurrent", "sequences", "styles"]
